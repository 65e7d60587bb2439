"""Which lines two versions of a text have in common, in order."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeAlias

Pair: TypeAlias = tuple[int, int]
"""Index in the old lines, index in the new lines."""

_MAX_PAIRS = 20_000
"""Of equal lines between two anchors. Beyond it the exact search could take seconds, and these lines (thousands of
equal ones) count as rewritten."""


def match(old: Sequence[bytes], new: Sequence[bytes]) -> list[Pair]:
    """Pairs of equal lines, ascending on both sides. Time is near linear whatever the lines are.

    Common ends first, then lines that occur once on each side (patience), then the exact search between those.
    """
    pairs: list[Pair] = []
    start_old = start_new = 0
    for anchor_old, anchor_new in [*_anchors(old, new), (len(old), len(new))]:
        pairs += _between(old, new, (start_old, anchor_old), (start_new, anchor_new))
        if anchor_old < len(old):
            pairs.append((anchor_old, anchor_new))
        start_old, start_new = anchor_old + 1, anchor_new + 1
    return pairs


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[Pair]:
    head, tail_old, tail_new = _trim(old, new, (0, len(old)), (0, len(new)))
    unique = _once(old, head, tail_old)
    places = {line: at for line, at in _once(new, head, tail_new).items() if line in unique}
    candidates = [(at, places[line]) for line, at in unique.items() if line in places]
    return _longest_rising(candidates)


def _once(lines: Sequence[bytes], start: int, end: int) -> dict[bytes, int]:
    """Line -> index, of the lines that occur once; ascending."""
    counts = Counter(lines[start:end])
    return {lines[at]: at for at in range(start, end) if counts[lines[at]] == 1}


def _longest_rising(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest subsequence that rises on the new side too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, value) in enumerate(pairs):
        at = bisect_left(ends, value)
        before.append(last[at - 1] if at else -1)
        if at == len(ends):
            ends.append(value)
            last.append(index)
        else:
            ends[at], last[at] = value, index
    chain: list[Pair] = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _between(old: Sequence[bytes], new: Sequence[bytes], a: Pair, b: Pair) -> Iterator[Pair]:
    head, end_old, end_new = _trim(old, new, a, b)
    shift = b[0] - a[0]
    yield from ((at, at + shift) for at in range(a[0], head))
    middle_old, middle_new = old[head:end_old], new[head + shift : end_new]
    yield from ((head + i, head + shift + j) for i, j in _search(middle_old, middle_new))
    yield from zip(range(end_old, a[1]), range(end_new, b[1]), strict=True)


def _trim(old: Sequence[bytes], new: Sequence[bytes], a: Pair, b: Pair) -> tuple[int, int, int]:
    """Where the common beginning ends (in old), and where the common end begins (in old, in new)."""
    head, shift = a[0], b[0] - a[0]
    while head < a[1] and head + shift < b[1] and old[head] == new[head + shift]:
        head += 1
    end_old, end_new = a[1], b[1]
    while end_old > head and end_new > head + shift and old[end_old - 1] == new[end_new - 1]:
        end_old, end_new = end_old - 1, end_new - 1
    return head, end_old, end_new


def _search(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[Pair]:
    if not old or not new:
        return
    counts = Counter(new)
    if sum(counts[line] for line in old) > _MAX_PAIRS:
        return
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        yield from ((block.a + k, block.b + k) for k in range(block.size))
