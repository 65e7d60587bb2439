"""Common lines of two texts."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.line_match import match

_LINES = st.lists(st.sampled_from([b"}\n", b"\n", b"a\n", b"b\n", b"c\n"]), max_size=30)


@given(_LINES, _LINES)
def test_pairs_are_equal_lines_in_order(old, new):
    pairs = match(old, new)
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))


@given(_LINES, _LINES, _LINES, _LINES)
def test_common_ends_are_kept(head, old, new, tail):
    pairs = match(head + old + tail, head + new + tail)
    assert len(pairs) >= len(head) + len(tail)
    assert pairs[: len(head)] == [(n, n) for n in range(len(head))]
    assert match(old, old) == [(n, n) for n in range(len(old))]


@given(st.permutations(range(12)))
def test_distinct_lines_are_matched_as_well_as_can_be(order):
    """As many as the longest rising subsequence, found here by trying all ends."""
    new = [b"%d\n" % n for n in order]
    best = [1] * len(order)
    for at, value in enumerate(order):
        best[at] = 1 + max((best[k] for k in range(at) if order[k] < value), default=0)
    pairs = match([b"%d\n" % n for n in range(12)], new)
    assert len(pairs) >= max(best) - 1, "common ends may cost one"


def test_thousands_of_equal_lines_are_not_searched():
    """An exact search would try 18 million pairs. Only the ends are kept."""
    chance = random.Random(7)
    old, new = ([chance.choice([b"}\n", b"\n"]) for _ in range(6000)] for _ in range(2))
    pairs = match([b"first\n", *old, b"last\n"], [b"first\n", *new, b"last\n"])
    assert pairs[0] == (0, 0)
    assert pairs[-1] == (6001, 6001)
    assert len(pairs) < 100
