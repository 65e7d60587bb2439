"""Which branches are gated."""

import pytest
from support_policy import SHORT

from foureyes.shared.branches import is_gated
from foureyes.shared.policy_text import parse_policy


@pytest.mark.parametrize(
    ("branches", "branch", "gated"),
    [
        ("", "trunk", True),
        ("", "main", False),
        ("branches: [main]", "main", True),
        ("branches: [main]", "trunk", True),
        ("branches: [main]", "feature/main", False),
        ("branches: [main]", "maintenance", False),
        ('branches: ["release/*"]', "release/1.0", True),
        ('branches: ["release/*"]', "release", False),
        ('branches: ["*"]', "anything", True),
        ('branches: ["**"]', "any/thing", True),
        ('branches: ["*", "!scratch-*"]', "scratch-1", False),
        ('branches: ["*", "!trunk"]', "trunk", True),
        ('branches: ["!release/x", "release/*"]', "release/x", True),
    ],
)
def test_gated(branches: str, branch: str, gated: bool) -> None:
    assert is_gated(branch, parse_policy(f"{SHORT}{branches}\n"), "trunk") is gated
