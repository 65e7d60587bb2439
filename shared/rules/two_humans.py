"""two_humans: enough qualified approvers, none of them tied to the change, stand behind exactly this content.

How many is the tier's cell for the class of the change, and one more for each unknown person. Where a touched tier
says `owner: true`, one of them owns the system.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from foureyes.shared import owners
from foureyes.shared.case import APPROVAL_FACTS, Case
from foureyes.shared.markup import count as counting
from foureyes.shared.policy import Policy
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "two_humans"


@dataclass(frozen=True)
class Params:
    """This rule has no parameters of its own: the tiers' cells, and who owns what, are its measure."""


def params(_policy: Policy) -> Params:
    return Params()


def check(case: Case, _params: Params) -> Verdict:
    if not case.protection.paths:
        return Verdict(NAME, Outcome.PASS, (Reason("not-protected", "no protected path is touched"),))
    needed, count = case.needed, case.approvals
    if needed == 0 and not count.blocking:
        text = "no approval is needed for this class of change on these paths"
        return Verdict(NAME, Outcome.PASS, (Reason("nobody-needed", text),))
    blocked = tuple(Reason("changes-requested", "asks for changes", a.handle) for a in count.blocking)
    missing = needed - len(count.counted)
    waits = tuple(_missing(missing, needed, case)) if missing > 0 else ()
    waits += tuple(_owners_missing(case)) if needed else ()
    counted = tuple(Reason("counts", "approved this content", a.handle) for a in count.counted)
    refused = tuple(Reason(f"not-counted-{r.code}", r.why, r.account.handle) for r in count.refused)
    unknown = tuple(Reason("unknown-person", u.text, u.key) for u in case.unknown_people)
    exempt = tuple(Reason(e.code, e.text, e.subject) for e in (case.exemption,) if e is not None)
    outcome = Outcome.PASS
    if waits:
        outcome = Outcome.WAIT
    if blocked or any(reason.code == "not-enough-eligible" for reason in waits):
        outcome = Outcome.BLOCK
    return Verdict(NAME, outcome, blocked + waits + counted + refused + unknown + exempt)


def _missing(missing: int, needed: int, case: Case) -> Iterator[Reason]:
    yield Reason("approvals-missing", f"{needed - missing} of {counting(needed, 'human')}")
    left = len(case.approvals.candidates)
    if missing > left:
        text = f"not enough eligible reviewers: {missing} more needed, {left} could still approve"
        yield Reason("not-enough-eligible", text)


def _owners_missing(case: Case) -> Iterator[Reason]:
    for hit in owners.missing(case):
        named = ", ".join(hit.owners)
        yield Reason("owner-missing", f"an owner of {hit.system} must be among them", named)
        if not owners.able(case, hit):
            text = (
                f"not enough eligible reviewers: no owner of {hit.system} ({named}) is left who could approve"
            )
            yield Reason("not-enough-eligible", text)


RULE = Rule(
    NAME,
    frozenset(Event),
    APPROVAL_FACTS,
    params,
    check,
)
