"""The organisation's floor: what it adds to a policy, and that nothing in a repository can go below it (G60)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_cases import cases
from support_facts import (
    HEAD,
    OLD_HEAD,
    OLGA,
    POLICY,
    RITA,
    SAM,
    change,
    facts,
    policy,
    record,
    review,
    unrecorded,
)

from foureyes.shared.branches import is_gated
from foureyes.shared.content import of
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Known, PullFacts, Review, Roster, Unknown, Witness
from foureyes.shared.floor import combine, parse_floor, ruling
from foureyes.shared.people import Account
from foureyes.shared.policy import DEFAULT_TIERS, Policy, System, Tier
from foureyes.shared.policy_people import names
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Outcome

BOTH = (review(RITA), review(SAM, number=1))
FLOOR = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
LAX = parse_policy('version: 1\nroster: ["@acme/reviewers"]\nprotected: ["nothing/**"]\n')
OTHER_HEAD = "d" * 40


def outcome(given_facts: PullFacts, by: Policy) -> Outcome:
    return evaluate(given_facts, by).verdict.outcome


def under(floor: str, **over: object) -> PullFacts:
    return replace(facts(**over), floor=Known(floor))


def test_G60_a_narrower_policy_protects_what_the_floor_protects():
    assert outcome(facts(reviews=BOTH[:1]), LAX) is Outcome.PASS
    assert outcome(under(FLOOR, reviews=BOTH[:1]), LAX) is Outcome.WAIT
    assert outcome(under(FLOOR, reviews=BOTH), LAX) is Outcome.PASS


def test_G60_a_wider_roster_does_not_approve():
    wide = parse_policy('version: 1\nroster: ["@acme/everyone"]\nprotected: ["infra/**"]\n')
    roster = Roster({"@acme/everyone": (OLGA, RITA, SAM, Account(5, "mia")), "@acme/reviewers": (RITA, SAM)})
    own = (review(RITA), review(Account(5, "mia"), number=1))
    assert outcome(facts(reviews=own, roster=roster), wide) is Outcome.PASS
    assert outcome(under(FLOOR, reviews=own, roster=roster), wide) is not Outcome.PASS
    assert outcome(under(FLOOR, reviews=BOTH, roster=roster), wide) is Outcome.PASS


def test_G60_lower_tiers_do_not_ask_for_less():
    three = FLOOR + "tiers: {1: {ai: 3, unattested: 3}}\n"
    mia = Account(5, "mia")
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, mia)})
    assert outcome(under(three, reviews=BOTH, roster=roster), POLICY) is Outcome.WAIT
    third = (*BOTH, review(mia, number=2))
    assert outcome(under(three, reviews=third, roster=roster), POLICY) is Outcome.PASS


def test_who_is_on_the_floors_roster_alone_still_asks_for_changes():
    few = parse_policy('version: 1\nroster: ["@rita", "@sam"]\nprotected: ["infra/**"]\n')
    roster = Roster({"@rita": (RITA,), "@sam": (SAM,), "@acme/reviewers": (RITA, SAM, Account(5, "mia"))})
    angry = (*BOTH, review(Account(5, "mia"), "CHANGES_REQUESTED", 2))
    assert outcome(facts(reviews=angry, roster=roster), few) is Outcome.PASS
    assert outcome(under(FLOOR, reviews=angry, roster=roster), few) is Outcome.BLOCK


def test_a_floor_that_is_not_known_or_not_understood_breaks_every_verdict():
    for floor in (Unknown("gone"), Known("version: 9\n"), Known(FLOOR.replace("infra/**", "!infra/**"))):
        judged = evaluate(replace(facts(reviews=BOTH), floor=floor), POLICY)
        assert {part.outcome for part in judged.verdict.children} == {Outcome.BROKEN}
        assert not judged.complete


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('protected: ["infra/**", "!infra/docs"]\n', "protected"),
        ('protected: ["infra/**"]\nbranches: ["release/*", "!release/old"]\n', "branches"),
        ('systems: {a: {paths: ["infra/**", "!infra/x"]}}\n', "systems"),
    ],
)
def test_a_floor_takes_nothing_out(text, line):
    whole = f'version: 1\nroster: ["@acme/reviewers"]\n{text}'
    parse_policy(whole)
    with pytest.raises(PolicyError) as refused:
        parse_floor(whole)
    (problem,) = refused.value.problems
    assert "takes nothing out" in problem.message
    assert problem.line == 3 + (line == "branches")


def test_without_a_floor_the_policy_is_as_it_was():
    assert ruling(Known(""), POLICY) == Known(POLICY)


def test_what_becomes_of_each_part():
    floor = parse_policy(
        FLOOR + 'mode: observe\nbranches: ["release/*"]\nmachine_users: [robot]\naliases: {olga: [o2]}\n'
        "squash_only: true\ntrust_software_keys: true\n"
    )
    own = parse_policy(
        'version: 1\nroster: ["@acme/reviewers", "@kim"]\nprotected: ["infra/**"]\n'
        'branches: ["next", "!release/old"]\nmachine_users: [robot, r2]\naliases: {olga: [o3], kim: [k2]}\n'
    )
    both = combine(floor, own)
    assert both.mode == "enforce"
    assert all(is_gated(branch, both, "main") for branch in ("main", "next", "release/1", "release/old"))
    assert set(both.machine_users) == {"robot", "r2"}
    assert both.aliases == {"olga": ("o3", "o2"), "kim": ("k2",)}
    assert not both.squash_only
    assert not both.trust_software_keys
    assert both.roster == own.roster
    assert both.floor is not None
    assert both.floor.roster == floor.roster
    assert len(both.systems) == 2
    assert {system.paths for system in both.systems.values()} == {("infra/**",)}


def test_an_owner_that_only_one_of_both_asks_for_is_anyone_on_the_others_roster():
    """Otherwise a system for which nobody had to name owners could never be approved."""
    tiers = {**DEFAULT_TIERS, 0: Tier(ai=2, unattested=2, human=1, owner=False)}
    own = policy(tiers=tiers, systems={"infra": System(paths=("infra/**",), tier=0)})
    floor = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["elsewhere/**"]\n'
    assert outcome(under(floor, reviews=BOTH), own) is Outcome.PASS


# property 11: for all facts, verdict(floor + policy) is never better than verdict(floor)

tiers = st.builds(
    lambda human, ai, more, owner, stale: Tier(
        human=human, ai=ai, unattested=ai + more, owner=owner, stale=stale
    ),
    st.integers(0, 2),
    st.integers(2, 3),
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from(["change", "protected", "head"]),
)
systems = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.builds(
        System,
        paths=st.sampled_from([("infra/**",), ("docs/**",), ("*.tf",), ("infra/**", "!infra/main.tf")]),
        tier=st.integers(0, 3),
        owners=st.sampled_from([("@p1",), ("@p2", "@p3"), ("@acme/reviewers",)]),
    ),
    min_size=1,
)
rosters = st.sampled_from(
    [("@acme/reviewers",), ("@p1", "@p2", "@p3"), ("@p2", "@p3", "@p4", "@p6"), ("@p6",)]
)
policies = st.builds(
    lambda systems, roster, tier0, tier1, tier2, mode, squash, trust, aliases, machines: Policy(
        version=1,
        roster=roster,
        systems=systems,
        tiers={**DEFAULT_TIERS, 0: tier0, 1: tier1, 2: tier2},
        mode=mode,
        squash_only=squash,
        trust_software_keys=trust,
        aliases=aliases,
        machine_users=machines,
    ),
    systems,
    rosters,
    tiers,
    tiers,
    tiers,
    st.sampled_from(["observe", "enforce", "forbid"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{}, {"p1": ("p2",)}, {"p3": ("p6",)}]),
    st.sampled_from([(), ("p2",)]),
)
floors = policies.filter(lambda p: not any("!" in line for s in p.systems.values() for line in s.paths))
changes = st.lists(
    st.sampled_from([change("infra/main.tf"), change("docs/a.md"), change("x.tf"), change("free.txt")]),
    min_size=1,
    unique_by=lambda c: c.path,
)
PEOPLE = [Account(n, f"p{n}") for n in range(1, 7)]
NAMES = {f"@p{a.id}": (a,) for a in PEOPLE} | {"@acme/reviewers": tuple(PEOPLE[:5])}


def seen_by(given_facts: PullFacts, by: Policy) -> PullFacts:
    """What was approved, as the digests of this policy say it: the same change, or another one."""
    now = given_facts.changes.value
    then = {
        HEAD: now,
        OLD_HEAD: now,
        OTHER_HEAD: tuple(replace(c, new_blob="3" * 40) for c in now[:1]) + now[1:],
    }

    def given_on(made: Review) -> Review:
        if made.witness is None or not isinstance(made.witness.content, Known):
            return made
        head = made.witness.head if made.witness.content.value.change != "other" else OTHER_HEAD
        return replace(made, witness=Witness(head, made.witness.base_ref, Known(of(then[head], by))))

    return replace(given_facts, reviews=Known(tuple(map(given_on, given_facts.reviews.value))))


@given(cases, floors, policies, changes)
@settings(max_examples=600, deadline=None)
def test_property_11_a_policy_is_never_better_than_the_floor_alone(case, floor, own, changed):
    whole = replace(
        case,
        changes=Known(tuple(changed)),
        roster=Known(Roster(NAMES)),
        touched=facts(changes=tuple(changed)).touched,
    )
    alone = outcome(seen_by(whole, floor), floor)
    both = combine(floor, own)
    assert outcome(seen_by(whole, both), both) >= alone


def test_the_property_can_fail():
    """The policy alone is better than the floor, for some facts: it is `combine` that makes the difference."""
    given_facts = facts(
        commits=(unrecorded(),), reviews=BOTH[:1], roster=Roster(NAMES | {"@acme/reviewers": (RITA, SAM)})
    )
    assert outcome(given_facts, LAX) is Outcome.PASS
    assert outcome(given_facts, parse_floor(FLOOR)) is Outcome.WAIT
    assert record().signer is not None


def test_the_floors_roster_is_resolved_too():
    both = combine(parse_floor(FLOOR), policy(roster=("@kim",)))
    assert set(names(both)) >= {"@kim", "@acme/reviewers"}
    assert "@acme/reviewers" not in names(policy(roster=("@kim",)))
