"""What a rule is: one module in `rules/` that makes one of these and stands in `rules.RULES`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from foureyes.shared.case import Case
from foureyes.shared.policy import Policy
from foureyes.shared.verdict import Verdict

P = TypeVar("P")


class Event(StrEnum):
    """What can happen that may change a rule's answer."""

    PULL = "pull request opened, edited, drafted or retargeted"
    PUSH = "push to the head or the base"
    REVIEW = "review given, changed or dismissed"
    RECORD = "record published or gone"
    PEOPLE = "roster, keys or access changed"
    POLICY = "policy changed"
    TIME = "time passed"


@dataclass(frozen=True)
class Rule(Generic[P]):
    """`needs` are names of PullFacts parts that must be Known before `check` is called; a fact that is Unknown makes
    the rule Broken without asking it. `params` takes the rule's own typed part out of the policy.
    """

    name: str
    listens: frozenset[Event]
    needs: tuple[str, ...]
    params: Callable[[Policy], P]
    check: Callable[[Case, P], Verdict]
