"""Small pieces of text."""

import pytest

from foureyes.shared.case import known
from foureyes.shared.errors import UserError
from foureyes.shared.facts import Repository, Unknown
from foureyes.shared.markup import both, code, count, either, plain, short


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", "`a`"),
        ("a`b", "`a'b`"),
        ("", "` `"),
        ("a\nb", "`a\N{REPLACEMENT CHARACTER}b`"),
        ("x" * 200, f"`{'x' * 119}…`"),
    ],
)
def test_code_spans_cannot_be_left(given, expected):
    assert code(given) == expected


def test_lists_and_counts_read_like_a_sentence():
    assert (either(["@a"]), either(["@a", "@b"]), either(["@a", "@b", "@c"])) == (
        "@a",
        "@a or @b",
        "@a, @b or @c",
    )
    assert either(["@a", "@b", "@c", "@d"]) == "@a, @b, @c or 1 more"
    assert both([]) == ""
    assert both([str(n) for n in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
    assert (count(1, "file"), count(28745, "line"), count(2, "entry", "entries")) == (
        "1 file",
        "28,745 lines",
        "2 entries",
    )
    assert short("a" * 40) == "`aaaaaaa`"
    assert plain("**Now:** `x` *y*") == "Now: x y"


def test_an_error_for_people_says_what_why_and_what_to_do():
    error = UserError("no git", why="hooks are git's", next_step="install git 2.30", exit_code=2)
    assert str(error) == "no git\n  why it matters: hooks are git's\n  what to do:     install git 2.30"
    assert str(UserError("no git")) == "no git"
    assert error.exit_code == 2


def test_a_fact_that_is_not_known_cannot_be_used():
    with pytest.raises(LookupError, match="before it was known: cut"):
        known(Unknown("cut"))


def test_a_repository_is_named_as_people_do():
    assert Repository(1, "acme", "shop").slug == "acme/shop"
