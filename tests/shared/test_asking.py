"""Whose review is asked for: as many as are missing, the least loaded, nobody twice."""

from dataclasses import replace

import pytest
from support_facts import BEN, HEAD, OLGA, PULL, RITA, SAM, change, facts, policy, review, unrecorded

from foureyes.shared.asking import Requests, to_ask, worth_asking
from foureyes.shared.evaluate import Judgement, evaluate
from foureyes.shared.facts import PullFacts, Roster, Unknown
from foureyes.shared.people import Account
from foureyes.shared.policy import DEFAULT_TIERS, Policy, System

ANA, RAJ, BEN_AT_WORK = Account(11, "ana"), Account(12, "raj"), Account(13, "ben-work")
TEAM = Roster({"@acme/reviewers": (OLGA, RITA, SAM, BEN, ANA)})
TIER0 = policy(
    systems={"infra": System(paths=("infra/**",), tier=0, owners=("@ana", "@raj"))},
    roster=("@acme/reviewers", "@raj"),
    tiers=DEFAULT_TIERS,
)
OWNERS = Roster({**TEAM.members, "@ana": (ANA,), "@raj": (RAJ,)})


def judged(given: PullFacts | None = None, by: Policy | None = None) -> Judgement:
    return evaluate(given or facts(roster=TEAM), by or policy())


def asked(judgement: Judgement, **known: object) -> set[str]:
    return {account.login for account in to_ask(judgement.case, Requests(**known))}  # type: ignore[arg-type]


def test_the_least_loaded_of_those_who_would_count_are_asked() -> None:
    busy = {RITA.id: 3, SAM.id: 1, BEN.id: 2, ANA.id: 0, OLGA.id: 0}
    assert asked(judged(), load=busy) == {"ana", "sam"}
    one_left = judged(facts(roster=TEAM, reviews=(review(ANA),)))
    assert asked(one_left, load=busy) == {"sam"}


def test_equal_loads_are_decided_by_the_content_and_not_by_the_name() -> None:
    picks = {frozenset(asked(judged(), seed=str(number))) for number in range(20)}
    assert len(picks) > 3
    assert asked(judged(), seed="one") == asked(judged(), seed="one")
    for number in range(20):
        assert "ana" in asked(judged(), seed=str(number), load={RITA.id: 1, SAM.id: 1, BEN.id: 1})


def test_requests_of_others_are_counted_in() -> None:
    assert len(asked(judged(), pending={RITA.id})) == 1
    assert "rita" not in asked(judged(), pending={RITA.id})
    assert asked(judged(), pending={RITA.id, SAM.id}) == set()
    assert len(asked(judged(), pending={OLGA.id})) == 2, "hers would not count"


def test_nobody_is_asked_twice_for_one_content_and_who_declined_is_replaced() -> None:
    assert asked(judged(), asked={RITA.id, SAM.id}) == set()
    both = asked(judged(), asked={RITA.id, SAM.id}, declined={RITA.id})
    assert len(both) == 1
    assert both <= {"ben", "ana"}
    assert asked(judged(), declined={RITA.id, SAM.id}) == {"ben", "ana"}
    assert asked(judged(), declined={RITA.id, SAM.id, BEN.id, ANA.id}) == set()


def test_who_was_asked_and_approved_takes_nobodys_place() -> None:
    approved = judged(facts(roster=TEAM, reviews=(review(RITA),)))
    assert asked(approved, asked={RITA.id, SAM.id}) == set()
    assert len(asked(approved, asked={RITA.id})) == 1


def test_an_owner_is_among_them_where_one_is_missing() -> None:
    given = facts(roster=OWNERS)
    heavy = {ANA.id: 9, RAJ.id: 8}
    assert "raj" in asked(judged(given, TIER0), load=heavy)
    assert len(asked(judged(given, TIER0), load=heavy)) == 2
    awaited = asked(judged(given, TIER0), load=heavy, pending={ANA.id})
    assert len(awaited) == 1
    assert not awaited & {"raj"}
    two = judged(facts(roster=OWNERS, reviews=(review(RITA), review(SAM, number=1))), TIER0)
    assert asked(two, load=heavy) == {"raj"}, "enough people, none of them an owner"
    assert asked(two, asked={ANA.id}) == set(), "one is waited for"


def test_where_no_owner_can_be_asked_the_others_are() -> None:
    given = facts(roster=OWNERS)
    both = asked(judged(given, TIER0), declined={ANA.id, RAJ.id})
    assert len(both) == 2
    assert not both & {"ana", "raj"}


def test_an_owner_is_asked_once_where_more_than_owners_are_missing() -> None:
    """The owner is the least loaded of all as well."""
    load = {OLGA.id: 5, RITA.id: 4, SAM.id: 5, BEN.id: 5, RAJ.id: 5}
    given = evaluate(facts(roster=OWNERS), TIER0)
    told = to_ask(given.case, Requests(load=load))
    assert [account.login for account in told] == ["ana", "rita"]
    enough = evaluate(facts(roster=OWNERS, reviews=(review(RITA), review(SAM, number=1))), TIER0)
    assert [account.login for account in to_ask(enough.case, Requests(load=load))] == ["ana"]


def test_two_accounts_of_one_person_are_asked_once() -> None:
    by = policy(aliases={"ben": ("ben-work",)})
    members = (OLGA, RITA, BEN, BEN_AT_WORK)
    roster = Roster({"@acme/reviewers": members, "@ben": (BEN,), "@ben-work": (BEN_AT_WORK,)})
    given = facts(roster=roster)
    assert asked(judged(given, by)) == {"rita", "ben"}
    assert asked(judged(given, by), pending={BEN_AT_WORK.id}) == {"rita"}
    assert asked(judged(given, by), declined={BEN_AT_WORK.id}) == {"rita"}


@pytest.mark.parametrize(
    ("given", "worth"),
    [
        (facts(roster=TEAM), True),
        (facts(roster=TEAM, commits=(unrecorded(),)), True),
        (facts(roster=TEAM, pull=replace(PULL, draft=True)), False),
        (facts(roster=TEAM, reviews=(review(RITA, "CHANGES_REQUESTED"),)), False),
        (facts(roster=TEAM, reviews=(review(RITA), review(SAM, number=1))), False),
        (facts(roster=TEAM, reviews=Unknown("no answer")), False),
        (facts(roster=TEAM, changes=(change("docs/x.md"),)), False),
        (facts(roster=TEAM, hidden=("infra/main.tf",)), False),
        (facts(roster=Roster({"@acme/reviewers": (OLGA,)})), False),
    ],
)
def test_nobody_is_asked_while_something_else_has_to_happen(given: PullFacts, worth: bool) -> None:
    assert worth_asking(judged(given)) is worth
    assert given.pull.head == HEAD
