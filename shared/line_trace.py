"""One file's lines with the hand that wrote each, carried from version to version."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from foureyes.shared.diff import Hunk
from foureyes.shared.line_match import match


@dataclass(frozen=True)
class Hand:
    """An agent at work, and how it was seen (`agent-hook`, `shell-snapshot`, `journal`)."""

    agent: str = ""
    version: str = ""
    model: str = ""
    session: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Line:
    text: bytes
    """With its newline, if it has one."""
    by: Hand | None = None
    """None: not an agent that was seen."""
    origin: int | None = None
    """Number of the line in the committed parent, from 1, while it still is that line."""


_SOMEONE = Hand()

Hands: TypeAlias = dict[int, Hand | None]
"""Line number -> who wrote or removed it."""


def split(content: bytes | None) -> list[bytes]:
    """Lines as git counts them: ended by a newline alone."""
    if not content:
        return []
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def bare(line: bytes) -> bytes:
    """Without its end, which git may convert."""
    return line.rstrip(b"\r\n")


def squeezed(line: bytes) -> bytes:
    """Without white space."""
    return b"".join(line.split())


class Trace:
    def __init__(self, base: bytes | None) -> None:
        self.content = base
        self.base = split(base)
        self.lines = [Line(text, None, at) for at, text in enumerate(self.base, 1)]
        self.removed: Hands = {}
        """Line of the base -> who removed it."""
        self.exact = False
        """It is known how the file came to be what was committed."""
        self.dropped: set[bytes] = set()
        """Lines that an agent had written and that went away again, without white space: a formatter changes that."""

    def end(self, content: bytes | None) -> None:
        """The file was committed as `content`."""
        self.exact = content == self.content
        self.step(content, None)

    def step(self, content: bytes | None, by: Hand | None) -> None:
        """The file becomes `content`, by this hand; None for `by`: someone else."""
        if content == self.content:
            return
        self.content, new = content, split(content)
        old = [line.text for line in self.lines]
        pairs = match(*(_without_cr(old, new) if by is None else (old, new)))
        kept = {j: self.lines[i] for i, j in pairs}
        survivors = {i for i, _ in pairs}
        for at, line in enumerate(self.lines):
            if at in survivors:
                continue
            if line.origin is not None:
                self.removed[line.origin] = by
            elif line.by is not None:
                self.dropped.add(squeezed(line.text))
        self.lines = [_spelled(kept.get(at) or Line(text, by), text) for at, text in enumerate(new)]
        self._bring_back()

    def _bring_back(self) -> None:
        """Lines of the base that someone else took away and that stand in their place again are what they were: so an
        edit that is already in the base, shown once more from its beginning, has written and removed nothing.
        """
        if None not in self.removed.values():
            return
        marks = [at for at, line in enumerate(self.lines) if line.origin is not None]
        below = 0
        for start, end in pairwise([-1, *marks, len(self.lines)]):
            above = self.lines[end].origin if end < len(self.lines) else None
            if end - start > 1:
                self._bring_back_between(start + 1, end, below, above or len(self.base) + 1)
            below = above or 0

    def _bring_back_between(self, start: int, end: int, below: int, above: int) -> None:
        gone = [n for n in range(below + 1, above) if self.removed.get(n, _SOMEONE) is None]
        pairs = match([self.base[n - 1] for n in gone], [line.text for line in self.lines[start:end]])
        for i, j in pairs:
            self.lines[start + j] = Line(self.base[gone[i] - 1], None, gone[i])
            del self.removed[gone[i]]

    def likeness(self, lines: frozenset[bytes]) -> float:
        """Share of distinct lines in common, 0.0 to 1.0."""
        ours = {line.text for line in self.lines}
        longest = max(len(ours), len(lines))
        return len(ours & lines) / longest if longest else 0.0

    def moved(self) -> "Trace":
        """The same lines under a new name, where nothing was before."""
        trace = Trace(None)
        trace.content = self.content
        trace.lines = [replace(line, origin=None) for line in self.lines]
        trace.dropped = self.dropped
        return trace

    def hands(self, hunks: Iterable[Hunk]) -> tuple[Hands, Hands]:
        """Who removed and who wrote each line of the hunks (line numbers of the old and of the new file).

        Git may align equal lines otherwise than we did. Where it takes a line for changed that we took for kept,
        the label comes from an equal line for which it is the other way round, the nearest.
        """
        hunks = tuple(hunks)
        gone = [n for h in hunks for n in range(h.old_start, h.old_start + h.old_count)]
        come = [n for h in hunks for n in range(h.new_start, h.new_start + h.new_count)]
        written: Hands = {at: line.by for at, line in enumerate(self.lines, 1) if line.origin is None}
        fallback = _only_hand(self.removed, gone, written, come)
        texts_old = dict(enumerate(self.base, 1))
        texts_new = {at: line.text for at, line in enumerate(self.lines, 1)}
        return (
            _settle(self.removed, gone, texts_old, fallback),
            _settle(written, come, texts_new, fallback),
        )


def _spelled(line: Line, text: bytes) -> Line:
    return line if line.text == text else replace(line, text=text)


def _settle(ours: Hands, wanted: Sequence[int], texts: Mapping[int, bytes], fallback: Hand | None) -> Hands:
    counted = set(wanted)
    spare: dict[bytes, list[int]] = {}
    for number in sorted(ours):
        if number not in counted:
            spare.setdefault(texts[number], []).append(number)
    result: Hands = {}
    for number in wanted:
        if number in ours:
            result[number] = ours[number]
        elif equal := spare.get(texts.get(number, b"")):
            result[number] = ours[_take_nearest(equal, number)]
        else:
            result[number] = fallback
    return result


def _take_nearest(numbers: list[int], number: int) -> int:
    at = bisect_left(numbers, number)
    if at == len(numbers) or (at and number - numbers[at - 1] <= numbers[at] - number):
        at -= 1
    return numbers.pop(at)


def _only_hand(removed: Hands, gone: Sequence[int], written: Hands, come: Sequence[int]) -> Hand | None:
    """Who moved lines about, if it was one hand alone: git may show the other half of a swap as the moved one, and
    then no equal line tells. Not for more lines than that hand has left over.
    """
    left = [removed[n] for n in set(removed).difference(gone)]
    left += [written[n] for n in set(written).difference(come)]
    missing = len(set(gone).difference(removed)) + len(set(come).difference(written))
    if left and missing <= len(left) and all(hand == left[0] for hand in left):
        return left[0]
    return None


def _without_cr(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Equal but for line ends: git's own conversion between working tree and repository is nobody's edit."""
    if any(line.endswith(b"\r\n") for line in old) == any(line.endswith(b"\r\n") for line in new):
        return list(old), list(new)
    return [_lf(line) for line in old], [_lf(line) for line in new]


def _lf(line: bytes) -> bytes:
    return line[:-2] + b"\n" if line.endswith(b"\r\n") else line
