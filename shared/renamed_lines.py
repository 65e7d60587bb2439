"""The lines of a file that was renamed: whoever renames a file has not written it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

from foureyes.shared.diff import FileDiff
from foureyes.shared.line_match import match
from foureyes.shared.record import Contributor

_SIMILAR = 0.5
_MOST_COMPARED = 64


@dataclass(frozen=True)
class Origin:
    """Where a line was first committed: a line of a file as that commit left it."""

    commit: str
    path: str
    number: int


def renamed(diffs: Sequence[FileDiff]) -> dict[str, str]:
    """New path -> old path, of files that came and hold at least half of what one that went away held."""
    gone = [diff for diff in diffs if diff.change.status == "D" and diff.hunks]
    same = {diff.change.old_blob: diff.change.path for diff in reversed(gone)}
    held = [(diff.change.path, set(_lines(diff))) for diff in gone[:_MOST_COMPARED]]
    found = {}
    for diff in diffs:
        if diff.change.status == "A" and diff.hunks and gone:
            old = same.get(diff.change.new_blob) or _most_like(set(_lines(diff)), held)
            if old:
                found[diff.change.path] = old
    return found


def _most_like(new: Set[bytes], held: Sequence[tuple[str, Set[bytes]]]) -> str:
    ranked = [(len(new & old) / max(len(new), len(old)), -at, path) for at, (path, old) in enumerate(held)]
    likeness, _, path = max(ranked)
    return path if likeness >= _SIMILAR else ""


def _lines(diff: FileDiff) -> list[bytes]:
    """The whole file, which a hunk holds if it came or went."""
    return [line for hunk in diff.hunks for line in (hunk.added or hunk.removed)]


def follow(diff: FileDiff, old: FileDiff, origins: Mapping[int, Origin]) -> dict[int, Origin]:
    """The origins of the new file's lines, from those of the old one's."""
    pairs = match(_lines(old), _lines(diff))
    return {new + 1: origins[was + 1] for was, new in pairs if was + 1 in origins}


def added_lines(parts: Sequence[Contributor]) -> dict[tuple[str, int], Contributor]:
    """Path and number of each added line -> its range."""
    return {
        (part.path, number): part
        for part in parts
        if part.side == "added"
        for number in range(part.start, part.start + part.count)
    }


def relabel(
    parts: Sequence[Contributor], told: Mapping[tuple[str, int], Contributor]
) -> tuple[Contributor, ...]:
    """The contributors, where an added line that is no agent's takes what is told of it by path and number."""
    return tuple(one for part in parts for one in _split(part, told))


def _split(part: Contributor, told: Mapping[tuple[str, int], Contributor]) -> Iterator[Contributor]:
    numbers = range(part.start, part.start + part.count)
    if part.side != "added" or part.cls == "ai" or not any((part.path, n) in told for n in numbers):
        yield part
        return
    labels = ((n, replace(told.get((part.path, n), part), path=part.path, start=0, count=0)) for n in numbers)
    for label, run in groupby(labels, key=lambda item: item[1]):
        found = [n for n, _ in run]
        yield replace(label, start=found[0], count=len(found))
