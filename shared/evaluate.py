"""evaluate(facts, policy) -> Judgement. No clock, no network, no more facts: the same input gives the same bytes."""

from dataclasses import dataclass, replace

from foureyes.shared.case import Case
from foureyes.shared.facts import Known, PullFacts, Unknown
from foureyes.shared.floor import ruling
from foureyes.shared.policy import Policy
from foureyes.shared.rule import P, Rule
from foureyes.shared.rules import RULES
from foureyes.shared.verdict import Outcome, Reason, Verdict, strictest

VERSION = "8"
"""Changes whenever the same facts and policy may give another verdict. Stored with every decision."""

NAME = "foureyes"

_ALWAYS = ("floor",)
"""No rule can be asked without the policy, and the organisation's floor is part of it."""


@dataclass(frozen=True)
class Judgement:
    """`case` gives the people and paths behind the verdict; its parts may only be read if `complete`."""

    verdict: Verdict
    case: Case

    @property
    def complete(self) -> bool:
        """Every fact is Known."""
        return not unknowns(self.case.facts)


def evaluate(facts: PullFacts, policy: Policy) -> Judgement:
    """`policy` is the repository's own; the organisation's floor is among the facts."""
    by = ruling(facts.floor, policy)
    if isinstance(by, Unknown):
        facts, by = replace(facts, floor=by), Known(policy)
    case = Case(facts, by.value)
    return Judgement(strictest(NAME, [_run(rule, case) for rule in RULES]), case)


def unknowns(facts: PullFacts) -> dict[str, str]:
    """Name of each part that is Unknown -> why."""
    return {name: part.why for name, part in vars(facts).items() if isinstance(part, Unknown)}


def _run(rule: Rule[P], case: Case) -> Verdict:
    needed = {*rule.needs, *_ALWAYS}
    missing = {name: why for name, why in unknowns(case.facts).items() if name in needed}
    if missing:
        reasons = tuple(
            Reason("unknown-fact", f"{name} could not be read: {why}", name) for name, why in missing.items()
        )
        return Verdict(rule.name, Outcome.BROKEN, reasons)
    return rule.check(case, rule.params(case.policy))
