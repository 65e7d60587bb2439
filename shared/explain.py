"""Judgement -> Explanation: what is missing, why this change is gated, who counts, who does not and why, what now.

Suggestions of whom to ask are made here, outside the digested verdict.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from foureyes.shared import explain_people, explain_work, owners
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.evaluate import Judgement, unknowns
from foureyes.shared.explanation import WORDS, Explanation, Section, fitted
from foureyes.shared.facts import PullFacts
from foureyes.shared.markup import count, either, plain
from foureyes.shared.policy import Policy
from foureyes.shared.verdict import Outcome, Reason, Verdict

_ORDER = ("mergeable", "shown", "no_agents", "two_humans", "recorded")


def explain(
    facts: PullFacts,
    policy: Policy,
    judgement: Judgement,
    *,
    names: Mapping[str, str] | None = None,
    decision: str = "",
    asked: Set[int] = frozenset(),
    not_asked: str = "",
) -> Explanation:
    """`names` maps an agent's id to its display name; `decision` is the id under which this is stored; `asked` are the
    accounts whose review is asked for, and `not_asked` says why nobody's can be.
    """
    verdict, names = judgement.verdict, {**(names or {}), UNNAMED: "an agent"}
    sections = tuple(_sections(judgement, names, asked, not_asked))
    details = tuple(_details(facts, judgement, names, decision))
    mode = judgement.case.policy.mode if judgement.complete else policy.mode
    return Explanation(
        outcome=verdict.outcome,
        title=fitted(f"{WORDS[verdict.outcome]}: {_headline(judgement, asked)}"),
        sections=tuple(section for section in sections if section.lines),
        details=tuple(section for section in details if section.lines),
        digest=verdict.digest,
        data={
            "verdict": verdict.to_json(),
            **explain_people.data(judgement, asked),
            "mode": mode,
        },
    )


def _headline(judgement: Judgement, asked: Set[int]) -> str:
    verdict = judgement.verdict
    if verdict.outcome is Outcome.PASS:
        return _passed(judgement)
    reason = next(iter(_leading(verdict)))
    if reason.code == "unknown-fact":
        return f"{reason.subject} could not be read; tried again soon"
    if reason.code in ("approvals-missing", "owner-missing", "no-record", "claimed", "no-commits"):
        return _waiting(judgement, asked)
    if reason.code == "changes-requested":
        return f"{reason.subject} asks for changes"
    if reason.code == "hidden":
        return f"GitHub's diff hides {count(len(_with_code(verdict, 'hidden')), 'changed file')}"
    if reason.code == "not-enough-eligible":
        return "not enough eligible reviewers"
    return plain(reason.text.split(";")[0])


def _passed(judgement: Judgement) -> str:
    case = judgement.case
    if not case.protection.paths:
        return "no protected path is touched"
    if case.needed == 0:
        return "no approval is needed here"
    return f"{count(len(case.approvals.counted), 'human')} approved this content"


def _waiting(judgement: Judgement, asked: Set[int]) -> str:
    case = judgement.case
    have, needed = len(case.approvals.counted), case.needed
    left = [account.handle for account in explain_people.next_up(case, asked)]
    so_far = f"{have} of {count(needed, 'human')}"
    if have >= needed and owners.missing(case):
        so_far += ", none an owner"
    if destroyed := explain_work.destroyed(case):
        return f"{so_far}. Deletes {destroyed}"
    missing = explain_work.without_record(case)
    if any(not commit.claimed for commit in missing) and have < needed and not case.exemption:
        verb = "has" if len(missing) == 1 else "have"
        return f"{so_far}. {count(len(missing), 'commit')} {verb} no record"
    for most in (3, 2, 1):
        headline = f"{so_far}. Next: {either(left, most)}"
        if left and len(f"Waiting: {headline}") <= 60:
            return headline
    return so_far


def _leading(verdict: Verdict) -> tuple[Reason, ...]:
    """Reasons of the worst rule; among equals, the one that a person should hear first."""
    worst = [v for v in verdict.children or (verdict,) if v.outcome is verdict.outcome]
    first = min(worst, key=lambda v: _ORDER.index(v.rule) if v.rule in _ORDER else -1)
    if verdict.outcome is Outcome.BLOCK:
        order = {"changes-requested": 0, "not-enough-eligible": 1}
        return tuple(sorted(first.reasons, key=lambda r: order.get(r.code, 2)))
    return first.reasons


def _with_code(verdict: Verdict, code: str) -> tuple[Reason, ...]:
    return tuple(r for part in verdict.walk() for r in part.reasons if r.code == code)


def _sections(
    judgement: Judgement, names: Mapping[str, str], asked: Set[int], not_asked: str
) -> Iterator[Section]:
    yield Section("Stopped by", tuple(dict.fromkeys(_stopped(judgement))))
    if not judgement.complete:
        yield Section("Now", (_FLOOR if "floor" in unknowns(judgement.case.facts) else _AGAIN,))
        return
    case = judgement.case
    if case.needed:
        yield Section("Destroys", tuple(explain_work.destroys(case)))
        yield Section("Counts", tuple(explain_people.counts(case)))
        yield Section("Does not count", tuple(explain_people.does_not_count(case, names)))
        yield Section("Not known", tuple(explain_people.not_known(case)))
        yield Section("Not seen", tuple(explain_people.not_seen(case)))
    yield Section("Why", tuple(explain_work.why(case, names)))
    if judgement.verdict.outcome is not Outcome.PASS:
        heading = "No record" if explain_work.without_record(case) else "Record"
        yield Section(heading, tuple(explain_work.no_record(case)))
        yield Section("Now", tuple(explain_people.now(judgement, asked, not_asked)))
    if case.needed and case.approvals.counted:
        yield Section(f"Voids {explain_people.whose(case)}", (explain_work.voids(case),))


_AGAIN = "nothing to do: foureyes reads again by itself. If it stays, tell an admin."
_FLOOR = (
    "an owner of the organisation: mend `.github/foureyes-floor.yml` in its repository `.github`; foureyes then looks "
    "again by itself."
)


def _stopped(judgement: Judgement) -> Iterator[str]:
    """What refuses or breaks; a plain wait for people needs no such line."""
    for part in judgement.verdict.children:
        if part.outcome in (Outcome.BLOCK, Outcome.BROKEN) or (part.rule == "mergeable" and not part):
            for reason in part.reasons:
                if not reason.code.startswith(_BESIDE):
                    # why something could not be read says, after that, who can do what about it
                    is_whole = reason.code == "unknown-fact"
                    text = reason.text if is_whole else reason.text.split(";")[0]
                    yield explain_work.reason_line(replace(reason, text=text))


_BESIDE = ("counts", "not-counted-", "unknown-person", "approvals", "owner", "automation", "pure-revert")
"""Reasons that stand beside a refusal; they are told elsewhere."""


def _details(
    facts: PullFacts, judgement: Judgement, names: Mapping[str, str], decision: str
) -> Iterator[Section]:
    if judgement.complete:
        yield Section("Where to look", tuple(explain_work.where_to_look(judgement.case)))
    yield Section("Rules", tuple(explain_work.rules(judgement.verdict)))
    if judgement.complete:
        yield Section("Commits", tuple(explain_work.commits(judgement.case, names)))
    yield Section("For agents", tuple(_for_agents(facts, judgement.verdict)))
    if decision:
        at = f"judged {facts.at} on head `{facts.pull.head}` and base `{facts.pull.base}`"
        yield Section(f"Decision {decision}", (at, f"verdict `{judgement.verdict.digest}`"))


def _for_agents(facts: PullFacts, verdict: Verdict) -> Iterator[str]:
    if verdict.outcome is Outcome.PASS or unknowns(facts):
        return
    yield "People must act: no change to code, messages or settings clears this."
    yield (
        "Stop and tell your operator. Do not approve, re-push, rewrite commits, add trailers, use `--admin`, "
        "or watch without a time limit."
    )
    pull = facts.pull
    # one that is only planned has no number
    same = f"explain {pull.repository.slug}#{pull.number}" if pull.number else "check"
    yield f"The same for programs: `foureyes {same} --json`"
