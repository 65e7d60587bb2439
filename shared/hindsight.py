"""What a policy would have asked of a change that has landed already.

Only what the change itself shows: its paths and the classes of its commits. Who approved it, who is unknown, and the
two exceptions (`automation`, pure revert) need facts that a history does not hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from foureyes.shared.classes import Class, humans
from foureyes.shared.facts import Change
from foureyes.shared.policy import Policy
from foureyes.shared.protection import protect


@dataclass(frozen=True)
class Hindsight:
    needed: int
    """Humans it would have waited for, none of them tied to the change."""
    systems: tuple[str, ...]
    """Those that ask for as many."""


def look_back(policy: Policy, changes: Iterable[Change], cls: Class) -> Hindsight:
    """`changes` are the net change, `cls` is the strictest class of its commits."""
    asked = [(humans(policy.tiers[hit.tier], cls), hit.system) for hit in protect(policy, changes).hits]
    needed = max((count for count, _ in asked), default=0)
    return Hindsight(needed, tuple(system for count, system in asked if count == needed > 0))
