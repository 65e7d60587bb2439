"""The people's part of an explanation: who counts, who does not and why, who can finish it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from foureyes.shared import owners
from foureyes.shared.canonical import Json
from foureyes.shared.case import Case, known
from foureyes.shared.classes import Class
from foureyes.shared.evaluate import Judgement
from foureyes.shared.exclusion import PUSHED_ELSEWHERE, PUSHER, REVIEWED_BY_AGENT, Excluded
from foureyes.shared.facts import RecordFact, RecordState, ReviewState
from foureyes.shared.markup import both, code, count, either, in_words, share, short
from foureyes.shared.people import Account, Kind
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
    for hit in owners.missing(case):
        able = [account.handle for account in owners.able(case, hit)] or hit.owners
        must = "one of them must be" if missing else "still missing is"
        yield f"{must} an owner of {code(hit.system)}: {either(able)}"


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
    did = ran or _did(excluded)
    if not approved:
        return f"{handle} {did}{' and answers for the change' if ran else ''}."
    needed = "the one that is needed" if case.needed == 1 else f"one of the {in_words(case.needed)}"
    answers = f" {handle} answers for the change." if ran else ""
    return f"{handle} {did}: the approval is shown but is not {needed}.{answers}"


_DEEDS = {
    REVIEWED_BY_AGENT: "had an agent submit a review as this account",
    f"{REVIEWED_BY_AGENT}, by an earlier record": "had an agent submit a review as this account, by an earlier record",
    "operator in an earlier record": "ran the agent, by an earlier record",
    "assigner": "assigned the bot",
    "requester": "asked for a review beside a bot",
    "assignee": "is assigned beside a bot",
    "prompter": "spoke to the bot in a comment",
    "pull request author": "opened this pull request",
    PUSHER: "pushed to it",
    PUSHED_ELSEWHERE: "pushed {} to another branch",
    "commit author": "wrote {}",
    "co-author": "co-wrote {}",
    "committer": "committed {}",
    "signer of the commit": "signed {}",
    "operator": "made {} by its record",
    "signer of the record": "signed the record of {}",
}
_MOST_DEEDS = 3


def _did(excluded: Excluded) -> str:
    """`opened this pull request, pushed to it and wrote 3 commits`; what says least is left out."""
    roles: dict[str, list[str]] = {}
    for tie in excluded.ties:
        roles.setdefault(tie.role, []).append(tie.subject)
    deeds = [
        deed.format(short(roles[role][0]) if len(roles[role]) == 1 else count(len(roles[role]), "commit"))
        for role, deed in _DEEDS.items()
        if role in roles
    ]
    flag = "; only the commit says so, nobody verified it" if excluded.unverified else ""
    return f"{both(deeds[:_MOST_DEEDS])}{flag}"


def _ran(case: Case, account: Account, names: Mapping[str, str]) -> str:
    """`ran Claude Code for 3 of 4 commits (a1b2c3d …)`; empty where the person is not an operator."""
    commits = known(case.facts.commits)
    driven = [c for c in commits if c.record.agents and account.id in _operators(c.record)]
    if not driven:
        return ""
    agents = sorted({names.get(m.agent, m.agent) for c in driven for m in c.record.agents})
    more = " …" if len(driven) > 1 else ""
    return (
        f"ran {both(agents)} for {share(len(driven), len(commits), 'commit')} ({short(driven[0].oid)}{more})"
    )


def _operators(record: RecordFact) -> set[int]:
    accounts = [record.operator, *(named.account for named in record.named if named.role == "operator")]
    return {account.id for account in accounts if account}


def not_known(case: Case) -> Iterator[str]:
    for person in case.unknown_people:
        instead = f", or {person.next_step}" if person.next_step else ""
        yield f"{person.text.removeprefix('it is not known ')}: one more human is needed{instead}."


def not_seen(case: Case) -> Iterator[str]:
    """Names that stand for nobody. On the roster, where somebody is waited for: or an empty team would look like too
    few people. Among machine users and aliases always: whom they were to leave out counts.
    """
    floor = case.policy.floor.roster if case.policy.floor else ()
    owning = [name for hit in case.protection.hits for name in hit.owners]
    unseen = _unseen(case, (*case.policy.roster, *floor, *owning))
    if unseen and (len(case.approvals.counted) < case.needed or owners.missing(case)):
        yield (
            f"{both(unseen)}: nobody counts by that name here. It is misspelt, renamed, of another organisation, or "
            "not to be read with the permissions at hand."
        )
    others = (login for alias in case.policy.aliases.items() for login in (alias[0], *alias[1]))
    gone = known(case.facts.roster).gone
    idle = [name for name in _unseen(case, (*case.policy.machine_users, *others)) if name not in gone]
    if idle:
        yield (
            f"{both(idle)}, in `machine_users` or `aliases`: there is no such account, so that nobody is left out by "
            "that name. An admin corrects it in `.github/foureyes.yml`, or takes it out."
        )


def _unseen(case: Case, asked: Iterable[str]) -> list[str]:
    written = dict.fromkeys(name if name.startswith("@") else f"@{name}" for name in asked)
    return [name for name in written if name in known(case.facts.roster).unresolved]


def now(judgement: Judgement, asked: Set[int] = frozenset(), not_asked: str = "") -> Iterator[str]:
    """What to do, by role. `asked`: accounts whose review is asked for; `not_asked`: why nobody's can be."""
    case = judgement.case
    codes = {r.code for part in judgement.verdict.children if not part for r in part.reasons}
    if "not-enough-eligible" in codes:
        yield "an admin: put more people on the roster, or among the owners, in `.github/foureyes.yml`."
    yield from (_lifted(case, account) for account in case.approvals.blocking)
    steps = _AUTHOR.items() if "closed" not in codes else ()
    author = [step.format(code(case.facts.pull.base_ref)) for key, step in steps if key in codes]
    yield from (f"author: {step}." for step in author)
    candidates = [f"{a.handle} (asked)" if a.id in asked else a.handle for a in next_up(case, asked)]
    if codes & _FOR_PEOPLE and not codes & _FOR_NOTHING and candidates:
        yield f"{_when(case, author)}{either(candidates)}: {_read(case)}, then *Review changes → Approve*."
        if not_asked:
            yield f"nobody was asked for a review: {not_asked}."
    if codes & _FOR_NOTHING:
        return
    if has_second_way(case):
        yield (
            "way 2, author, if your hooks ran: `foureyes doctor`, then `foureyes publish`; looked at again within 5 "
            "minutes. If they did not run, nothing can prove it now: take way 1."
        )
        yield "next time: `foureyes install` (one minute)."
    elif _asks_for_people_alone(codes):
        yield "author: nothing to do."


_FOR_PEOPLE = {"approvals-missing", "owner-missing"}
_FOR_NOTHING = {"agent-written", "closed", "nothing-to-merge"}
"""With these an approval would be in vain."""

_AUTHOR = {
    "conflict": "resolve the conflicts with {}",
    "unrelated": "make the branch anew from {}",
    "merge-differs": "push again, so that GitHub makes its merge anew",
    "hidden": "rebase onto {} or merge it in, so that GitHub shows reviewers all of it",
    "draft": "mark it ready for review when it is",
    "agent-written": "this project's policy takes no agent-written commits; leave them out",
    "nothing-to-merge": "nothing is left to merge; close it",
}


def _lifted(case: Case, account: Account) -> str:
    """A dismissal by somebody who may not is told of, or it would look like a fault of ours."""
    newest = max(
        (r for r in known(case.facts.reviews) if r.account and r.account.id == account.id),
        key=lambda review: (review.submitted_at, review.id),
    )
    by = newest.dismissed_by
    in_vain = f" ({by.handle}'s does not)" if by else ""
    return (
        f"{account.handle} asks for changes: settle it with them. Their approval lifts it, or a dismissal by somebody "
        f"on the roster who took no part in the change{in_vain}."
    )


def _when(case: Case, author: Sequence[str]) -> str:
    if author:
        return "then "
    return "way 1, " if has_second_way(case) else ""


def _read(case: Case) -> str:
    many = len(case.protection.paths)
    return f"read the {'file' if many == 1 else count(many, 'file')} below"


def _asks_for_people_alone(reasons: Iterable[str]) -> bool:
    asking = {
        code for code in reasons if not code.startswith(("counts", "not-counted")) and code not in _TOLD
    }
    return bool(asking) and asking <= _FOR_PEOPLE


_TOLD = {"unknown-person", "automation", "pure-revert"}
"""Reasons that stand beside a wait for people, and ask nothing of the author."""


def has_second_way(case: Case) -> bool:
    """A record could still arrive for a commit that has none, and would ask for fewer people."""
    lacking = [c.commit for c in case.classes if c.cls is Class.UNATTESTED and not c.claimed]
    commits = [c for c in known(case.facts.commits) if c.oid in lacking]
    mendable = any(c.record.state is not RecordState.SIGNED and not c.by_github for c in commits)
    return mendable and case.exemption is None and len(case.approvals.counted) < case.needed


def next_up(case: Case, asked: Set[int] = frozenset()) -> tuple[Account, ...]:
    """Who could approve next, those first whose review is asked for. Only owners, where it wants nobody else."""
    cannot = {r.account.id for r in case.approvals.refused if r.code == "no-write-access"}
    candidates = tuple(account for account in case.approvals.candidates if account.id not in cannot)
    lacking = owners.missing(case)
    if lacking and case.needed - len(case.approvals.counted) <= len(lacking):
        able = {account.id: account for hit in lacking for account in owners.able(case, hit)}
        candidates = tuple(sorted(able.values(), key=lambda account: account.login.casefold()))
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
