"""A pull request that was judged once, judged again by another policy, on the facts that were kept."""

from dataclasses import dataclass, replace

from foureyes.shared import content
from foureyes.shared.branches import is_gated
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.facts import Content, Fact, Known, PullFacts, Review, Roster
from foureyes.shared.floor import ruling
from foureyes.shared.people import Account
from foureyes.shared.policy import Policy
from foureyes.shared.verdict import Outcome

_UNKNOWN_CONTENT = "not known by this policy"


@dataclass(frozen=True)
class Rejudged:
    """`able` are those who counted and those who still could, each person once; none where a fact is not known.
    `gated` False: by that policy nobody is asked about the branch that it goes to.
    """

    outcome: Outcome
    title: str
    needed: int = 0
    able: tuple[Account, ...] = ()
    gated: bool = True


def rejudge(facts: PullFacts, policy: Policy, default_branch: str = "") -> Rejudged:
    """By the policy and the floor that is among the facts. `default_branch` "": not known, then its branch is gated."""
    by = ruling(facts.floor, policy)
    if (
        isinstance(by, Known)
        and default_branch
        and not is_gated(facts.pull.base_ref, by.value, default_branch)
    ):
        return Rejudged(Outcome.PASS, f"{facts.pull.base_ref} is not gated: nobody waits", gated=False)
    facts = for_policy(facts, by.value if isinstance(by, Known) else policy)
    judgement = evaluate(facts, policy)
    title = explain(facts, policy, judgement).title
    if not judgement.complete:
        return Rejudged(judgement.verdict.outcome, title)
    count = judgement.case.approvals
    able = (*count.counted, *count.candidates)
    return Rejudged(judgement.verdict.outcome, title, judgement.case.needed, able)


def for_policy(facts: PullFacts, policy: Policy) -> PullFacts:
    """What in the facts follows from the ruling policy, made anew: which part of a content is protected. Of content
    that is not the present one that cannot be told from what was kept, and such an approval stands on nothing.
    """
    if not isinstance(facts.reviews, Known) or not isinstance(facts.changes, Known):
        return facts
    now = content.of(facts.changes.value, policy)
    return replace(facts, reviews=Known(tuple(_for_policy(review, now) for review in facts.reviews.value)))


def _for_policy(review: Review, now: Content) -> Review:
    witness = review.witness
    if witness is None or not isinstance(witness.content, Known):
        return review
    same = witness.content.value.change == now.change
    then = now if same else replace(witness.content.value, protected=_UNKNOWN_CONTENT)
    return replace(review, witness=replace(witness, content=Known(then)))


def strangers(roster: Fact[Roster], policy: Policy) -> tuple[str, ...]:
    """Names on the policy's roster that were not resolved when the facts were kept: they add nobody."""
    known = roster.value.members if isinstance(roster, Known) else {}
    rosters = (*policy.roster, *(policy.floor.roster if policy.floor else ()))
    return tuple(name for name in dict.fromkeys(rosters) if name not in known)
