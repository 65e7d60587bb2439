"""A policy and a floor that are each in order, and cannot work together."""

import pytest

from foureyes.shared.facts import Known
from foureyes.shared.floor import ruling
from foureyes.shared.floor_checks import problems_together
from foureyes.shared.policy_text import parse_policy

FLOOR = 'version: 1\nroster: ["@ana", "@Raj", "@mia"]\nprotected: ["infra/**"]\n'


def together(policy: str, floor: str = FLOOR) -> list[str]:
    found = ruling(Known(floor), parse_policy(policy))
    assert isinstance(found, Known)
    return list(problems_together(found.value))


def policy(roster: str, more: str = "") -> str:
    return f'version: 1\nroster: [{roster}]\nprotected: ["docs/**"]\n{more}'


@pytest.mark.parametrize(
    ("roster", "problem"),
    [
        ('"@ana", "@ben", "@lee"', "tier 1 asks for 2 humans, and on both rosters is @ana"),
        ('"@ben", "@lee", "@kim"', "tier 1 asks for 2 humans, and on both rosters are nobody"),
    ],
)
def test_too_few_people_on_both_rosters(roster: str, problem: str) -> None:
    assert together(policy(roster)) == [problem]


def test_enough_people_however_their_names_are_spelled_and_teams_that_nobody_knows() -> None:
    assert together(policy('"@ana", "@raj", "@ben"')) == []
    assert together(policy('"@acme/all"')) == []
    assert together(policy('"@ben", "@lee", "@kim"'), FLOOR.replace('"@ana"', '"@acme/all"')) == []
    assert together(policy('"@ben", "@lee"'), "") == []


def test_the_floors_larger_counts_ask_for_more() -> None:
    floor = FLOOR + "tiers: {1: {ai: 3, unattested: 3}}\n"
    (problem,) = together(policy('"@ana", "@raj", "@ben"'), floor)
    assert problem == "tier 1 asks for 3 humans, and on both rosters are @ana and @raj"
