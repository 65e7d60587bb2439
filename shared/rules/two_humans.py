"""two_humans: enough qualified approvers, none of them tied to the change, stand behind exactly this content.

How many is the tier's cell for the class of the change, and one more for each unknown person. Where a touched tier
says `owner: true`, one of them owns the system.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from foureyes.shared.case import Case, known
from foureyes.shared.policy import Policy
from foureyes.shared.protection import Hit
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "two_humans"


@dataclass(frozen=True)
class Params:
    owner_tiers: frozenset[int]
    """Tiers that want an owner among the approvers."""


def params(policy: Policy) -> Params:
    return Params(frozenset(number for number, tier in policy.tiers.items() if tier.owner))


def check(case: Case, params: Params) -> Verdict:
    if not case.protection.paths:
        return Verdict(NAME, Outcome.PASS, (Reason("not-protected", "no protected path is touched"),))
    needed, count = case.needed, case.approvals
    if needed == 0 and not count.blocking:
        text = "no approval is needed for this class of change on these paths"
        return Verdict(NAME, Outcome.PASS, (Reason("nobody-needed", text),))
    blocked = tuple(Reason("changes-requested", "asks for changes", a.handle) for a in count.blocking)
    missing = needed - len(count.counted)
    waits = tuple(_missing(missing, needed, case)) if missing > 0 else ()
    waits += tuple(_owners_missing(case, params)) if needed else ()
    counted = tuple(Reason("counts", "approved this content", a.handle) for a in count.counted)
    refused = tuple(Reason(f"not-counted-{r.code}", r.why, r.account.handle) for r in count.refused)
    unknown = tuple(Reason("unknown-person", u.text, u.key) for u in case.unknown_people)
    exempt = tuple(Reason(e.code, e.text, e.subject) for e in (case.exemption,) if e is not None)
    outcome = Outcome.PASS
    if waits:
        outcome = Outcome.WAIT
    if blocked or (missing > len(count.candidates)):
        outcome = Outcome.BLOCK
    return Verdict(NAME, outcome, blocked + waits + counted + refused + unknown + exempt)


def _missing(missing: int, needed: int, case: Case) -> Iterator[Reason]:
    yield Reason("approvals-missing", f"{needed - missing} of {needed} humans")
    left = len(case.approvals.candidates)
    if missing > left:
        text = f"not enough eligible reviewers: {missing} more needed, {left} could still approve"
        yield Reason("not-enough-eligible", text)


def _owners_missing(case: Case, params: Params) -> Iterator[Reason]:
    for hit in case.protection.hits:
        if hit.tier in params.owner_tiers and not hit.implicit and not _owned(hit, case):
            yield Reason(
                "owner-missing", f"an owner of {hit.system} must be among them", ", ".join(hit.owners)
            )


def _owned(hit: Hit, case: Case) -> bool:
    """By an account that is an owner itself: else who may write aliases could make owners of a floor's systems."""
    approved = {account.id for account in (*case.approvals.counted, *case.approvals.also)}
    members = known(case.facts.roster).members
    return any(account.id in approved for name in hit.owners for account in members.get(name, ()))


RULE = Rule(
    NAME,
    frozenset(Event),
    ("changes", "touched", "commits", "pushes", "reviews", "moves", "involved", "roster", "app", "landed"),
    params,
    check,
)
