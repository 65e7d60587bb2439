"""The people's part of an explanation: who counts, who does not and why, who can finish it."""

from collections.abc import Iterable, Iterator, Mapping, Set

from foureyes.shared.canonical import Json
from foureyes.shared.case import Case, known
from foureyes.shared.classes import Class
from foureyes.shared.evaluate import Judgement
from foureyes.shared.exclusion import Excluded
from foureyes.shared.facts import RecordFact, ReviewState
from foureyes.shared.markup import both, count, either, in_words, short
from foureyes.shared.people import Account, Kind
from foureyes.shared.protection import Hit
from foureyes.shared.reviewers import tie_text


def counts(case: Case) -> Iterator[str]:
    counted = [account.handle for account in case.approvals.counted]
    missing = max(case.needed - len(counted), 0)
    need = f"{in_words(missing)} more {'human is' if missing == 1 else 'humans are'} needed"
    if not counted:
        yield f"nobody yet. {need.capitalize()}."
    elif missing:
        yield f"{both(counted)}, on this content. {need.capitalize()}."
    else:
        yield f"{both(counted)}, on this content."
    for hit in owners_missing(case):
        yield f"one of them must be an owner of {hit.system}: {either(hit.owners)}"


def owners_missing(case: Case) -> tuple[Hit, ...]:
    """Hits whose tier asks for an owner when none of the counted people is one."""
    members = known(case.facts.roster).members
    counted = {case.people.same(account) for account in case.approvals.counted}
    return tuple(
        hit
        for hit in case.protection.hits
        if case.policy.tiers[hit.tier].owner
        and not hit.implicit
        and not any(case.people.same(a) in counted for name in hit.owners for a in members.get(name, ()))
    )


def does_not_count(case: Case, names: Mapping[str, str]) -> Iterator[str]:
    """Those who approved and do not count first, then who else is tied to the change: those of the roster, whom
    somebody might wait for, and whoever ran the agent.
    """
    tied = {excluded.account.id: excluded for excluded in case.excluded}
    said = set()
    for refused in case.approvals.refused:
        said.add(refused.account.id)
        excluded = tied.get(refused.account.id)
        if excluded:
            yield _tied_line(case, excluded, names, approved=True)
        else:
            yield f"{refused.account.handle}'s approval: {refused.why}."
    for excluded in case.excluded:
        if excluded.account.id not in said and _is_worth_a_line(case, excluded, names):
            yield _tied_line(case, excluded, names, approved=False)


def _is_worth_a_line(case: Case, excluded: Excluded, names: Mapping[str, str]) -> bool:
    if excluded.account.kind is not Kind.USER:
        return False
    rostered = {case.people.same(account) for account in case.people.rostered.values()}
    return case.people.same(excluded.account) in rostered or bool(_ran(case, excluded.account, names))


def _tied_line(case: Case, excluded: Excluded, names: Mapping[str, str], *, approved: bool) -> str:
    handle = excluded.account.handle
    ran = _ran(case, excluded.account, names)
    role = f"{handle} {ran}" if ran else f"{handle}: {tie_text(excluded)}"
    answers = f" {handle} answers for the change." if ran else ""
    if not approved:
        return f"{role}.{answers}"
    return f"{role}, so this approval is shown but is not one of the {in_words(case.needed)}.{answers}"


def _ran(case: Case, account: Account, names: Mapping[str, str]) -> str:
    """`ran Claude Code for 3 of 4 commits (a1b2c3d …)`; empty where the person is not an operator."""
    commits = known(case.facts.commits)
    driven = [c for c in commits if c.record.agents and account.id in _operators(c.record)]
    if not driven:
        return ""
    agents = sorted({names.get(m.agent, m.agent) for c in driven for m in c.record.agents})
    more = " …" if len(driven) > 1 else ""
    return (
        f"ran {both(agents)} for {len(driven)} of {count(len(commits), 'commit')} "
        f"({short(driven[0].oid)}{more})"
    )


def _operators(record: RecordFact) -> set[int]:
    accounts = [record.operator, *(named.account for named in record.named if named.role == "operator")]
    return {account.id for account in accounts if account}


def not_known(case: Case) -> Iterator[str]:
    for person in case.unknown_people:
        yield f"{person.text}: one more human is needed. To mend it: {person.next_step}."


def now(judgement: Judgement, asked: Set[int] = frozenset(), not_asked: str = "") -> Iterator[str]:
    """What to do, by role. `asked`: accounts whose review is asked for; `not_asked`: why nobody's can be."""
    case = judgement.case
    reasons = {r.code: r for part in judgement.verdict.children if not part for r in part.reasons}
    if "not-enough-eligible" in reasons:
        yield f"an admin: {reasons['not-enough-eligible'].text}; add people to the roster in `.github/foureyes.yml`."
    for account in case.approvals.blocking:
        yield f"{account.handle} asked for changes: settle it with them; their approval or dismissal lifts it."
    if reasons.keys() & {"conflict", "unrelated", "merge-differs", "hidden"}:
        yield "author: bring the branch up to date as said above, then reviewers look at the result."
    if "draft" in reasons:
        yield "author: mark it ready for review when it is."
    if "agent-written" in reasons:
        yield "author: this project's policy takes no agent-written commits; leave them out."
    candidates = [f"{a.handle} (asked)" if a.id in asked else a.handle for a in next_up(case, asked)]
    if reasons.keys() & {"approvals-missing", "owner-missing"} and candidates:
        many = len(case.protection.paths)
        files = "file" if many == 1 else count(many, "file")
        ways = "way 1, " if _has_second_way(case) else ""
        yield f"{ways}{either(candidates)}: read the {files} below, then *Review changes → Approve*."
        if not_asked:
            yield f"nobody was asked for a review: {not_asked}."
    if _has_second_way(case):
        yield (
            "way 2, author, if your hooks ran: `foureyes doctor`, then `foureyes publish`; looked at again within 5 "
            "minutes. If they did not run, nothing can prove it now: take way 1."
        )
        yield "next time: `foureyes install` (one minute)."
    elif _asks_for_people_alone(reasons):
        yield "author: nothing to do."


def _asks_for_people_alone(reasons: Iterable[str]) -> bool:
    asking = {code for code in reasons if not code.startswith(("counts", "not-counted"))}
    return bool(asking) and asking <= {"approvals-missing", "owner-missing"}


def _has_second_way(case: Case) -> bool:
    """A record could still arrive for a commit that has none, and would ask for fewer people."""
    unattested = any(c.cls is Class.UNATTESTED and not c.claimed for c in case.classes)
    return unattested and len(case.approvals.counted) < case.needed


def next_up(case: Case, asked: Set[int] = frozenset()) -> tuple[Account, ...]:
    """Who could approve next, those first whose review is asked for. Only owners, where it wants nobody else."""
    candidates = case.approvals.candidates
    lacking = owners_missing(case)
    if lacking and case.needed - len(case.approvals.counted) <= len(lacking):
        members = known(case.facts.roster).members
        owners = {
            case.people.same(a) for hit in lacking for name in hit.owners for a in members.get(name, ())
        }
        candidates = tuple(a for a in candidates if case.people.same(a) in owners) or candidates
    return tuple(sorted(candidates, key=lambda account: account.id not in asked))


def whose(case: Case) -> str:
    handles = [account.handle for account in case.approvals.counted]
    return f"{handles[0]}'s approval" if len(handles) == 1 else f"the approvals of {both(handles)}"


def data(judgement: Judgement, asked: Set[int] = frozenset()) -> dict[str, Json]:
    """The same for programs; only what is known."""
    if not judgement.complete:
        return {}
    case = judgement.case
    return {
        "needed": case.needed,
        "class": case.cls.name.lower(),
        "counted": [account.login for account in case.approvals.counted],
        "refused": [{"login": r.account.login, "code": r.code, "why": r.why} for r in case.approvals.refused],
        "excluded": [{"login": e.account.login, "why": tie_text(e)} for e in case.excluded],
        "asks_for_changes": [account.login for account in case.approvals.blocking],
        "can_finish": [account.login for account in next_up(case, asked)],
        "asked": [account.login for account in case.approvals.candidates if account.id in asked],
        "systems": [{"name": h.system, "tier": h.tier, "paths": list(h.paths)} for h in case.protection.hits],
        "approved_by": sorted(
            r.account.login
            for r in known(case.facts.reviews)
            if r.account and r.state is ReviewState.APPROVED
        ),
    }
