"""What a policy would have asked of a landed change: the same as the gate asks of an open one."""

import pytest

from foureyes.shared.classes import Class
from foureyes.shared.facts import Change
from foureyes.shared.hindsight import Hindsight, look_back
from foureyes.shared.policy_text import parse_policy

POLICY = parse_policy(
    "version: 1\nroster: ['@acme/all', '@a', '@b', '@c']\n"
    "systems:\n"
    "  pay: {paths: ['pay/**'], tier: 0, owners: ['@a', '@b', '@c']}\n"
    "  infra: {paths: ['infra/**']}\n"
    "  watched: {paths: ['watched/**'], tier: 2}\n"
    "  docs: {paths: ['docs/**'], tier: 3}\n"
)


def change(path: str, mode: str = "100644") -> Change:
    return Change(path, "M", mode, mode, "", "")


@pytest.mark.parametrize(
    ("paths", "cls", "needed", "systems"),
    [
        (["pay/a", "infra/b"], Class.UNATTESTED, 2, ("pay", "infra")),
        (["pay/a", "watched/b"], Class.AI, 2, ("pay",)),
        (["infra/a"], Class.HUMAN, 1, ("infra",)),
        (["watched/a"], Class.UNATTESTED, 1, ("watched",)),
        (["watched/a"], Class.HUMAN, 0, ()),
        (["docs/a", "src/b"], Class.UNATTESTED, 0, ()),
        ([], Class.UNATTESTED, 0, ()),
        ([".github/workflows/ci.yml"], Class.AI, 2, ("the gate itself",)),
    ],
)
def test_what_would_have_been_asked(
    paths: list[str], cls: Class, needed: int, systems: tuple[str, ...]
) -> None:
    assert look_back(POLICY, map(change, paths), cls) == Hindsight(needed, systems)


def test_a_link_in_a_directorys_place_is_asked_about_too() -> None:
    assert look_back(POLICY, [change("infra", "120000")], Class.AI).needed == 2
