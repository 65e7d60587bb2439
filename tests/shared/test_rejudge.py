"""Judging kept facts by another policy: what follows from the policy is made anew, and nothing is taken for granted."""

from dataclasses import replace

from support_facts import MALLORY, POLICY, RITA, SAM, change, facts, policy, review

from foureyes.shared import content
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Content, Known, Review, Unknown, Witness
from foureyes.shared.floor import ruling
from foureyes.shared.policy import System, Tier
from foureyes.shared.rejudge import for_policy, rejudge, strangers
from foureyes.shared.verdict import Outcome

BOTH = (review(RITA), review(SAM, number=1))
TIER = Tier(ai=2, unattested=2, human=1)


def test_the_same_policy_gives_the_same_verdict() -> None:
    kept = facts(reviews=BOTH)
    assert for_policy(kept, POLICY) == kept
    again = rejudge(kept, POLICY)
    assert (again.outcome, again.needed) == (Outcome.PASS, 2)
    assert again.title == "Passed: 2 humans approved this content"
    assert [account.login for account in again.able] == ["rita", "sam"]


FLOOR = 'version: 1\nroster: ["@acme/reviewers", "@ben"]\nprotected: ["docs/**"]\n'


def test_the_floor_among_the_facts_holds_for_the_other_policy_too() -> None:
    docs = facts(changes=(change("docs/x.md"),))
    assert rejudge(docs, POLICY).needed == 0
    under = replace(docs, floor=Known(FLOOR))
    assert (rejudge(under, POLICY).outcome, rejudge(under, POLICY).needed) == (Outcome.WAIT, 2)
    broken = replace(docs, floor=Known("version: 9"))
    assert rejudge(broken, POLICY).outcome is Outcome.BROKEN
    assert rejudge(broken, POLICY, "trunk").outcome is Outcome.BROKEN


def test_what_goes_to_a_branch_that_is_not_gated_waits_for_nobody() -> None:
    there = rejudge(facts(), POLICY, "trunk")
    assert (there.outcome, there.needed, there.gated) == (Outcome.PASS, 0, False)
    assert rejudge(facts(), POLICY, "main").gated
    assert rejudge(facts(), policy(branches=("main",)), "trunk").gated
    by_floor = replace(facts(), floor=Known(FLOOR + "branches: [main]\n"))
    assert rejudge(by_floor, POLICY, "trunk").gated


def test_names_of_the_floor_that_nobody_resolved_are_strangers() -> None:
    both = ruling(Known(FLOOR), POLICY)
    assert isinstance(both, Known)
    assert strangers(facts().roster, both.value) == ("@ben",)


def test_a_stricter_and_a_weaker_policy_are_told_apart() -> None:
    kept = facts(reviews=BOTH)
    stricter = policy(tiers={**POLICY.tiers, 1: Tier(ai=3, unattested=3, human=1)})
    assert rejudge(kept, stricter).outcome is Outcome.BLOCK
    elsewhere = policy(systems={"docs": System(paths=("docs/**",))})
    assert (rejudge(kept, elsewhere).outcome, rejudge(kept, elsewhere).needed) == (Outcome.PASS, 0)


def test_the_protected_part_is_that_of_the_new_policy() -> None:
    changes = (change(), change("docs/x"))
    then = content.of(changes, POLICY)
    kept = facts(changes=changes, reviews=tuple(_on(one, then) for one in BOTH))
    by_part = policy(
        tiers={**POLICY.tiers, 1: replace_stale("protected")},
        systems={"docs": System(paths=("docs/**",), tier=1)},
    )
    assert content.of(changes, by_part).protected != then.protected
    assert rejudge(kept, by_part).outcome is Outcome.PASS


def replace_stale(stale: str) -> Tier:
    return TIER.model_copy(update={"stale": stale})


def _on(one: Review, then: Content) -> Review:
    return replace(one, witness=Witness("a" * 40, "main", Known(then)))


def test_an_approval_of_other_content_stands_on_nothing_by_a_new_policy() -> None:
    """Even if the old policy's protected part was the same then as now."""
    now = content.of((change(),), POLICY)
    older = tuple(_on(one, Content("0" * 64, now.protected)) for one in BOTH)
    kept = facts(reviews=older)
    by_part = policy(tiers={**POLICY.tiers, 1: replace_stale("protected")})
    assert evaluate(kept, by_part).verdict.outcome is Outcome.PASS
    assert rejudge(kept, by_part).outcome is Outcome.WAIT


def test_reviews_that_nobody_witnessed_and_unknown_content_stay_as_they_are() -> None:
    bare = replace(BOTH[0], witness=None)
    unread = replace(BOTH[1], witness=Witness("a" * 40, "main", Unknown("gone")))
    kept = facts(reviews=(bare, unread))
    assert for_policy(kept, policy(roster=("@acme/others",))) == kept


def test_what_is_not_known_stays_broken() -> None:
    unread = facts(changes=Unknown("no network"))
    again = rejudge(unread, POLICY)
    assert (again.outcome, again.needed, again.able) == (Outcome.BROKEN, 0, ())
    assert for_policy(facts(reviews=Unknown("x")), POLICY) == facts(reviews=Unknown("x"))


def test_names_that_were_never_resolved_are_told() -> None:
    other = policy(roster=("@acme/reviewers", "@acme/new", "@mallory"))
    assert strangers(facts().roster, other) == ("@acme/new", "@mallory")
    assert strangers(Unknown("x"), other) == other.roster
    assert MALLORY.login == "mallory"
