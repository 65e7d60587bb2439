"""One case: the facts and the policy, with all that follows from them. What the rules look at.

A property may only be read when the facts it rests on are Known: evaluation sees to that through each rule's NEEDS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from foureyes.shared import content, exclusion, reviewers, standing, unknown_people
from foureyes.shared.classes import Class, CommitClass, classify, humans, strictest
from foureyes.shared.exemption import Exemption, Work, exemption
from foureyes.shared.facts import Fact, Known, PullFacts
from foureyes.shared.policy import Policy, Stale
from foureyes.shared.protection import Protection, protect

T = TypeVar("T")

APPROVAL_FACTS = (
    "changes", "touched", "commits", "pushes", "elsewhere", "reviews", "moves", "involved", "roster", "app", "landed",
)  # fmt: skip
"""What must be known before it can be told who counts, and how many are needed."""

_STALE_ORDER: tuple[Stale, ...] = ("protected", "change", "head")


def known(fact: Fact[T]) -> T:
    """Raises LookupError on Unknown: a rule read a fact that it does not name in NEEDS."""
    if isinstance(fact, Known):
        return fact.value
    raise LookupError(f"a fact was used before it was known: {fact.why}")


@dataclass(frozen=True)
class Case:
    facts: PullFacts
    policy: Policy

    @cached_property
    def protection(self) -> Protection:
        return protect(self.policy, known(self.facts.changes), known(self.facts.touched))

    @cached_property
    def classes(self) -> tuple[CommitClass, ...]:
        return classify(
            known(self.facts.commits),
            self.facts.pull,
            known(self.facts.pushes),
            self.facts.at,
            trust_software_keys=self.policy.trust_software_keys,
        )

    @cached_property
    def cls(self) -> Class:
        return strictest(self.classes)

    @cached_property
    def excluded(self) -> tuple[exclusion.Excluded, ...]:
        facts = self.facts
        return exclusion.excluded(
            facts.pull,
            known(facts.commits),
            known(facts.pushes),
            known(facts.involved),
            known(facts.elsewhere),
        )

    @cached_property
    def unknown_people(self) -> tuple[unknown_people.UnknownPerson, ...]:
        """Behind an App's own work under `automation` nobody is hidden."""
        facts = self.facts
        if self.exemption is not None and self.exemption.code == "automation":
            return ()
        return unknown_people.unknown_people(
            facts.pull,
            known(facts.commits),
            known(facts.pushes),
            known(facts.involved),
            known(facts.elsewhere),
        )

    @cached_property
    def stale(self) -> Stale:
        """The strictest that a touched tier asks for."""
        asked = (self.policy.tiers[tier].stale for tier in self.protection.tiers)
        return max(asked, key=_STALE_ORDER.index, default="change")

    @cached_property
    def people(self) -> reviewers.People:
        return reviewers.people(self.policy, known(self.facts.roster))

    @cached_property
    def approvals(self) -> reviewers.Count:
        ground = standing.Ground(
            pull=self.facts.pull,
            commits=known(self.facts.commits),
            moves=known(self.facts.moves),
            content=content.of(known(self.facts.changes), self.policy),
            stale=self.stale,
            steps=self._steps,
        )
        return reviewers.count(known(self.facts.reviews), self.people, self.excluded, ground)

    @property
    def _steps(self) -> Mapping[str, frozenset[str]]:
        if self.policy.squash_only:
            return {}
        return content.steps(known(self.facts.changes), known(self.facts.touched), self.protection.paths)

    def cell(self, cls: Class) -> int:
        """Humans that a change of this class waits for: the most that any touched tier asks."""
        return max((humans(self.policy.tiers[tier], cls) for tier in self.protection.tiers), default=0)

    @cached_property
    def exemption(self) -> Exemption | None:
        facts = self.facts
        work = Work(
            facts.pull, facts.at, known(facts.changes), known(facts.touched), known(facts.commits),
            known(facts.pushes), self.protection.hits, known(facts.app), known(facts.landed),
        )  # fmt: skip
        return exemption(work, self.policy)

    @property
    def needed(self) -> int:
        """Approvals needed for the class of the change."""
        return self.needed_for(self.cls)

    def needed_for(self, cls: Class) -> int:
        """The cell of the class, or what an exemption asks for if that is less; one more for each unknown person."""
        base = self.cell(cls)
        if self.exemption is not None:
            base = min(base, self.exemption.approvals)
        return base + len(self.unknown_people) if base else 0
