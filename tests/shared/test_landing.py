"""How a change came into a branch."""

import pytest

from foureyes.shared.landing import How, Landing, landing


@pytest.mark.parametrize(
    ("message", "parents", "told"),
    [
        ("Merge pull request #412 from acme/feature\n\nTitle\n", 2, Landing(How.MERGE, 412)),
        ("Merge branch 'x' into main\n", 2, Landing(How.MERGE, None)),
        ("Merge the carts (#7)\n", 3, Landing(How.MERGE, 7)),
        ("", 2, Landing(How.MERGE, None)),
        ("Fix the cart (#123)\n\n* one\n* two\n", 1, Landing(How.SQUASH, 123)),
        ("\nFix the cart (#123)  \r\n\nbody", 1, Landing(How.SQUASH, 123)),
        ('Revert "Fix (#12)" (#13)', 1, Landing(How.SQUASH, 13)),
        ("Fix (#0)", 0, Landing(How.SQUASH, 0)),
        (
            "t\n\nPR-URL: https://github.com/nodejs/node/pull/99\nReviewed-By: A\n",
            1,
            Landing(How.TRAILER, 99),
        ),
        ("t\n\npull request resolved: https://github.com/p/p/pull/5/", 1, Landing(How.TRAILER, 5)),
        ("t\n\nPR-URL: https://x/o/r/pull/1\nPR-URL: https://x/o/r/pull/2", 1, Landing(How.TRAILER, 2)),
        ("Fix #123", 1, None),
        ("Fix (#123) again", 1, None),
        ("Fix\n\n(#123)", 1, None),
        ("Fix (#1234567890)", 1, None),
        ("Merge pull request #412 from acme/feature", 1, None),
        ("t\n\nsee https://github.com/o/r/pull/5", 1, None),
        ("t\n\nPR-URL: https://github.com/o/r/issues/5", 1, None),
        ("t\n\nFixes: #5", 1, None),
        ("", 0, None),
    ],
)
def test_what_a_commit_tells(message: str, parents: int, told: Landing | None) -> None:
    assert landing(message, parents) == told
