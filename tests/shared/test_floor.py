"""The organisation's floor: what it adds to a policy, and that nothing in a repository can go below it (G60)."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from support_facts import (
    HEAD,
    OLGA,
    POLICY,
    RITA,
    SAM,
    commit,
    facts,
    person,
    policy,
    record,
    review,
    unrecorded,
)
from support_history_facts import known
from support_history_steps import IS_LONG, Script, play, scripts

from foureyes.shared.branches import is_gated
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Known, PullFacts, Push, ReviewState, Roster, Unknown
from foureyes.shared.floor import combine, parse_floor, ruling
from foureyes.shared.people import Account
from foureyes.shared.policy import DEFAULT_TIERS, Automation, Policy, System, Tier
from foureyes.shared.policy_people import names
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Outcome

BOTH = (review(RITA), review(SAM, number=1))
FLOOR = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
LAX = parse_policy('version: 1\nroster: ["@acme/reviewers"]\nprotected: ["nothing/**"]\n')


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


def test_the_first_thing_that_is_wrong_with_a_floor_is_told():
    wrong = ruling(Known("version: 9\nroster: []\n"), POLICY)
    assert isinstance(wrong, Unknown)
    assert wrong.why == "line 1, column 1: nothing is protected"


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


def test_of_every_part_of_a_policy_it_is_said_what_holds_where_there_are_two():
    """A part that `combine` does not know of would be the repository's alone, whatever the floor says."""
    short = Policy(version=1, roster=("@acme/reviewers",), systems={})
    unsaid = set(Policy.model_fields) - combine(short, short).model_fields_set
    assert unsaid == {"automation", "trailers"}, "exemptions: see `Floor`; trailers are no matter of the gate"


@pytest.mark.parametrize(("floor", "own"), [(False, False), (False, True), (True, False), (True, True)])
def test_what_is_on_where_both_say_so_and_what_where_either_does(floor, own):
    loose = ("squash_only", "trust_software_keys")
    strict = ("request_reviewers", "alert_issues")
    one, other = (policy(**dict.fromkeys((*loose, *strict), said)) for said in (floor, own))
    both = combine(one, other)
    assert [getattr(both, name) for name in loose] == [floor and own] * 2
    assert [getattr(both, name) for name in strict] == [floor or own] * 2
    tiers = [
        {**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"owner": said})} for said in (floor, own)
    ]
    assert combine(policy(tiers=tiers[0]), policy(tiers=tiers[1])).tiers[1].owner is (floor or own)


@pytest.mark.parametrize("part", ["human", "ai", "unattested", "stale"])
def test_of_each_cell_the_stricter_holds(part):
    low, high = ("protected", "head") if part == "stale" else (2, 3)
    one, other = (
        policy(tiers={**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={part: said})})
        for said in (low, high)
    )
    assert getattr(combine(one, other).tiers[1], part) == getattr(combine(other, one).tiers[1], part) == high


def test_an_owner_that_only_one_of_both_asks_for_is_anyone_on_the_others_roster():
    """Otherwise a system for which nobody had to name owners could never be approved."""
    tiers = {**DEFAULT_TIERS, 0: Tier(ai=2, unattested=2, human=1, owner=False)}
    own = policy(tiers=tiers, systems={"infra": System(paths=("infra/**",), tier=0)})
    floor = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["elsewhere/**"]\n'
    assert outcome(under(floor, reviews=BOTH), own) is Outcome.PASS


def test_the_second_account_that_a_repository_gives_an_owner_owns_nothing():
    floor = (
        'version: 1\nroster: ["@acme/reviewers"]\n'
        'systems: {pay: {paths: ["infra/**"], tier: 0, owners: ["@olga"]}}\n'
    )
    own = policy(aliases={"olga": ("rita",)})
    mia = Account(5, "mia")
    named = {"@acme/reviewers": (OLGA, RITA, SAM, mia), "@olga": (OLGA,), "@rita": (RITA,)}
    by_mia = commit(author=person(mia), committer=person(mia), record=record(operator=mia, signer=None))
    given_facts = under(
        floor, reviews=BOTH, roster=Roster(named), commits=(by_mia,), pushes=(Push(HEAD, mia),)
    )
    given_facts = replace(given_facts, pull=replace(given_facts.pull, author=mia))
    assert outcome(given_facts, policy()) is Outcome.WAIT
    assert outcome(given_facts, own) is Outcome.WAIT
    olga_too = Known((*BOTH, review(OLGA, number=2)))
    assert outcome(replace(given_facts, reviews=olga_too), own) is Outcome.PASS, "with her own account"
    assert outcome(replace(given_facts, reviews=Known((*BOTH, review(OLGA)))), own) is Outcome.PASS, (
        "whichever came first"
    )


def test_the_second_account_that_a_repository_gives_somebody_lifts_nothing_for_them():
    own = policy(aliases={"ben": ("olga",)})
    ben, mia = Account(4, "ben"), Account(5, "mia")
    named = {"@acme/reviewers": (OLGA, RITA, SAM, ben, mia), "@ben": (ben,), "@olga": (OLGA,)}
    lifted = review(ben, "DISMISSED", 3, dismissed_by=OLGA, dismissed_state=ReviewState.CHANGES_REQUESTED)
    given_facts = under(FLOOR, reviews=(*BOTH, lifted), roster=Roster(named))
    assert outcome(given_facts, policy()) is Outcome.BLOCK, "olga ran the agent"
    assert outcome(given_facts, own) is Outcome.BLOCK


# property 11: for all facts, verdict(floor + policy) is never better than verdict(floor)


OWNERS = (("@p4",), ("@p2", "@p3"), ("@acme/owners",), ())


def drawn(script: Script, *, floor: bool) -> Policy:
    """A policy over the paths and people of `support_history`."""
    taken_out = () if floor else ("!infra/a",)
    path_lists = [("infra/**",), ("watch/**", "pay/**"), ("**/a",), ("infra/**", *taken_out), ("nothing/**",)]
    changed = {number: _tier(script, lowest) for number, lowest in ((0, 2), (1, 2), (2, 0))}
    tiers = {**DEFAULT_TIERS, **changed}
    systems = {}
    for name in script.of("a", "ab"):
        lines, tier, owners = script.of(*path_lists), script.of(1, 0, 1, 2, 3), script.of(*OWNERS)
        # a tier that asks for an owner wants one named
        systems[name] = System(
            paths=lines, tier=tier, owners=owners or (("@p4",) if tiers[tier].owner else ())
        )
    exempt = Automation(
        app=2740,
        paths=script.of(("infra/lock",), ("infra/**",)),
        approvals=script.of(1, 2, 3),
        owner="@p4",
        until=date(2026, 11, 22),
    )
    return Policy(
        version=1,
        roster=script.of(("@acme/reviewers",), ("@acme/reviewers",), ("@acme/seniors",), ("@p2", "@p3", "@p4", "@p6")),
        systems=systems,
        tiers=tiers,
        mode=script.of("enforce", "enforce", "enforce", "observe", "forbid"),
        squash_only=script.of(False, True),
        trust_software_keys=script.of(False, True),
        aliases=script.of({}, {"p1": ("p10",)}, {"p3": ("p6",)}, {"p4": ("p2",)}, {"p2": ("p5",), "p5": ("p3",)}),
        machine_users=script.of((), ("p9",), ("p2",)),
        automation=script.of({}, {"renovate": exempt}),
    )  # fmt: skip


def _tier(script: Script, lowest: int) -> Tier:
    human, ai, more = script.of(1, 0, 2), lowest + script.of(0, 0, 1), script.of(0, 0, 1)
    return Tier(
        human=min(human, ai), ai=ai, unattested=ai + more, owner=script.of(False, True),
        stale=script.of("change", "protected", "head"),
    )  # fmt: skip


@given(scripts)
@settings(max_examples=5_000 if IS_LONG else 40)
def test_property_11_a_policy_is_never_better_than_the_floor_alone(told: bytes) -> None:
    script = Script(told[:60])
    floor, own = drawn(script, floor=True), drawn(script, floor=False)
    both = combine(floor, own)
    for history in play(told[60:]):
        alone = outcome(replace(known(history, floor), floor=Known("")), floor)
        assert outcome(replace(known(history, both), floor=Known("")), both) >= alone, (floor, own, history)


def test_the_property_can_fail():
    """The policy alone is better than the floor, for some facts: it is `combine` that makes the difference."""
    given_facts = facts(
        commits=(unrecorded(),), reviews=BOTH[:1], roster=Roster({"@acme/reviewers": (RITA, SAM)})
    )
    assert outcome(given_facts, LAX) is Outcome.PASS
    assert outcome(given_facts, parse_floor(FLOOR)) is Outcome.WAIT
    assert record().signer is not None


def test_the_floors_roster_is_resolved_too():
    both = combine(parse_floor(FLOOR), policy(roster=("@kim",)))
    assert set(names(both)) >= {"@kim", "@acme/reviewers"}
    assert "@acme/reviewers" not in names(policy(roster=("@kim",)))
