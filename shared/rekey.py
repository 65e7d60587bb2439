"""What an agent is known to have written, carried from the commits that a commit was made from.

Only `ai` is carried, and only to lines that are really there: a line of the source goes to at most one line of the
new commit, in the order of the file. Nothing that a person wrote becomes theirs by this.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TypeAlias

from foureyes.shared.change import Change
from foureyes.shared.diff import FileDiff
from foureyes.shared.line_match import match
from foureyes.shared.line_trace import split
from foureyes.shared.record import Contributor

ENOUGH = 20
"""Letters and digits in equal lines that no two hands write by chance in one place; a bare `}` is not enough."""
_HALF = 0.5
_CONTEXT = 3
_SIDES = ("removed", "added")

Blobs: TypeAlias = Mapping[str, bytes]


@dataclass(frozen=True)
class Source:
    """A commit that another one may be made from. `trusted`: an id or git itself says so; without it, only lines
    that are equal beyond chance are carried, and with little confidence.
    """

    diffs: tuple[FileDiff, ...]
    parts: tuple[Contributor, ...]
    trusted: bool


@dataclass(frozen=True)
class _Spot:
    """A changed line: its number and text, and whose it is."""

    number: int
    text: bytes
    part: Contributor | None


def carry(
    diffs: Sequence[FileDiff], parts: Sequence[Contributor], source: Source, blobs: Blobs
) -> tuple[Contributor, ...]:
    """The contributors with what the source's agents wrote or removed. `blobs` are the contents, by id, of the files
    that both change, where they are known: they give short hunks their context.
    """
    theirs = _Lookup(source)
    told: list[Contributor] = []
    mine = _by_file(parts)
    for diff in diffs:
        own = mine.get(diff.change.path, [])
        other = theirs.find(diff)
        told += _of_file(diff, own, other, source, blobs) if other is not None else own
    return tuple(told)


def leave(diffs: Sequence[FileDiff], parts: Sequence[Contributor], source: Source) -> tuple[Contributor, ...]:
    """The contributors without what is an agent's for no other reason than that it ran git, where the source had it
    already and it was not an agent's: whoever amends a commit has not written it.
    """
    theirs, found = _by_file(source.parts), {diff.change.path: diff for diff in source.diffs}
    mine = _by_file(parts)
    told: list[Contributor] = []
    for diff in diffs:
        path = diff.change.path
        own, other = mine.get(path, []), found.get(path)
        if other is None or not any(_by_running_git(part) for part in own):
            told += own
        elif diff.change.binary or not diff.hunks:
            same = diff.change.new_blob == other.change.new_blob and not any(
                part.cls == "ai" for part in theirs.get(path, ())
            )
            told += (_nobodys(part) if same and _by_running_git(part) else part for part in own)
        else:
            labelled = {
                (side, ours.number): _nobodys(ours.part)
                for side in _SIDES
                for _, _, (ours, was) in _equal(
                    _spots(diff, side, own), _spots(other, side, theirs.get(path, ()))
                )
                if ours.part and _by_running_git(ours.part) and was.part and was.part.cls != "ai"
            }
            told += _grouped(diff, own, labelled)
    return tuple(told)


def _by_running_git(part: Contributor) -> bool:
    return part.cls == "ai" and part.evidence == "journal"


def _nobodys(part: Contributor) -> Contributor:
    return Contributor(part.path, part.side, part.start, part.count, "unknown")


def source_gone(diffs: Sequence[FileDiff], files: Iterable[Change], parts: Iterable[Contributor]) -> Source:
    """A source of which nothing but the record is left: what it changed from the same content to the same content as
    `diffs` do, under whatever name.
    """
    names: dict[tuple[str, str], list[str]] = {}
    for file in files:
        names.setdefault((file.old_blob, file.new_blob), []).append(file.path)
    theirs = _by_file(parts)
    same: list[FileDiff] = []
    told: list[Contributor] = []
    for diff in diffs:
        path = diff.change.path
        alike = names.get((diff.change.old_blob, diff.change.new_blob), [])
        if alike:
            name = path if path in alike else alike[0]
            same.append(diff)
            told += (replace(part, path=path) for part in theirs.get(name, ()))
    return Source(tuple(same), tuple(told), trusted=True)


def is_whole(diffs: Sequence[FileDiff], sources: Iterable[Sequence[FileDiff]]) -> bool:
    """Whether every changed line is one of the sources', path by path: nothing was added while it was replayed."""
    left: Counter[tuple[str, str, bytes]] = Counter()
    for source in sources:
        left.update(_lines(source))
    wanted = Counter(_lines(diffs))
    return all(count <= left[line] for line, count in wanted.items())


def is_alike(diffs: Sequence[FileDiff], source: Sequence[FileDiff]) -> bool:
    """Whether at least half of the source's changed lines are changed here too."""
    theirs = Counter(_lines(source))
    total = theirs.total()
    return total > 0 and (theirs & Counter(_lines(diffs))).total() / total >= _HALF


def is_taken_over(diffs: Sequence[FileDiff], source: Sequence[FileDiff]) -> bool:
    """Whether that is so beyond chance: two people can give a file the same new version number."""
    common = Counter(_lines(source)) & Counter(_lines(diffs))
    return is_alike(diffs, source) and weigh(text for _, _, text in common) >= 2 * ENOUGH


def _lines(diffs: Iterable[FileDiff]) -> Iterator[tuple[str, str, bytes]]:
    for diff in diffs:
        change = diff.change
        if change.binary or not diff.hunks:
            yield change.path, "entry", f"{change.new_mode} {change.new_blob}".encode()
            continue
        for side in _SIDES:
            for _, text in _numbered(diff, side):
                yield change.path, side, text


def _numbered(diff: FileDiff, side: str) -> Iterator[tuple[int, bytes]]:
    for hunk in diff.hunks:
        lines, start = (hunk.added, hunk.new_start) if side == "added" else (hunk.removed, hunk.old_start)
        yield from enumerate(lines, start)


class _Lookup:
    """The source's files, by path and by content: a file may have been renamed on the way."""

    def __init__(self, source: Source) -> None:
        parts = _by_file(source.parts)
        with_agents = {path for path, found in parts.items() if any(part.cls == "ai" for part in found)}
        self._files = {
            diff.change.path: (diff, parts[diff.change.path])
            for diff in source.diffs
            if diff.change.path in with_agents
        }
        self._by_blob = {
            d.change.new_blob: path for path, (d, _) in self._files.items() if d.change.status != "D"
        }

    def find(self, diff: FileDiff) -> tuple[FileDiff, list[Contributor]] | None:
        return self._files.get(diff.change.path) or self._files.get(
            self._by_blob.get(diff.change.new_blob, "")
        )


def _by_file(parts: Iterable[Contributor]) -> dict[str, list[Contributor]]:
    found: dict[str, list[Contributor]] = {}
    for part in parts:
        found.setdefault(part.path, []).append(part)
    return found


def _of_file(
    diff: FileDiff,
    own: Sequence[Contributor],
    other: tuple[FileDiff, Sequence[Contributor]],
    source: Source,
    blobs: Blobs,
) -> Iterator[Contributor]:
    theirs, parts = other
    same = (diff.change.old_blob, diff.change.new_blob) == (theirs.change.old_blob, theirs.change.new_blob)
    surely = source.trusted or same
    if diff.change.binary or not diff.hunks:
        yield from _entry(own, parts, surely or diff.change.new_blob == theirs.change.new_blob)
        return
    labelled: dict[tuple[str, int], Contributor] = {}
    for side in _SIDES:
        pairs = _equal(_spots(diff, side, own), _spots(theirs, side, parts))
        if side == "removed" and not surely:
            pairs = _of_equal_hunks(pairs, diff, theirs)
        for run in _runs(pairs):
            if surely or side == "removed" or _is_beyond_chance(run, diff, theirs, blobs):
                labelled.update(_taken(run, side, surely))
    yield from _grouped(diff, own, labelled) if labelled else own


def _entry(own: Sequence[Contributor], parts: Sequence[Contributor], same: bool) -> Iterator[Contributor]:
    by_agent = [part for part in parts if part.cls == "ai" and not part.count]
    for part in own:
        if same and by_agent and part.cls != "ai":
            yield replace(by_agent[0], path=part.path, side=part.side, start=0, count=0)
        else:
            yield part


def _spots(diff: FileDiff, side: str, parts: Iterable[Contributor]) -> list[_Spot]:
    of = {
        number: part
        for part in parts
        if part.side == side
        for number in range(part.start, part.start + part.count)
    }
    return [_Spot(number, text, of.get(number)) for number, text in _numbered(diff, side)]


_Pair: TypeAlias = tuple[_Spot, _Spot]
"""Ours and theirs."""


def _equal(ours: Sequence[_Spot], theirs: Sequence[_Spot]) -> list[tuple[int, int, _Pair]]:
    found = match([spot.text for spot in theirs], [spot.text for spot in ours])
    return [(i, j, (ours[j], theirs[i])) for i, j in found]


def _runs(pairs: Sequence[tuple[int, int, _Pair]]) -> Iterator[list[_Pair]]:
    """Pairs that follow each other on both sides."""
    run: list[_Pair] = []
    for before, now in pairwise([None, *pairs]):
        assert now is not None  # noqa: S101 - only the first is none
        if before is not None and (now[0], now[1]) != (before[0] + 1, before[1] + 1):
            yield run
            run = []
        run.append(now[2])
    if run:
        yield run


def _of_equal_hunks(
    pairs: Sequence[tuple[int, int, _Pair]], ours: FileDiff, theirs: FileDiff
) -> list[tuple[int, int, _Pair]]:
    """Everybody who changes a line removes it from the same place: only what came instead tells two hands apart."""
    mine, other = _hunks(ours), _hunks(theirs)
    return [
        pair
        for pair in pairs
        if mine[pair[2][0].number] == other[pair[2][1].number]
        and weigh(text for side in mine[pair[2][0].number] for text in side) >= ENOUGH
    ]


def _hunks(diff: FileDiff) -> dict[int, tuple[tuple[bytes, ...], tuple[bytes, ...]]]:
    """Removed line -> what its hunk removes and adds."""
    return {
        number: (hunk.removed, hunk.added)
        for hunk in diff.hunks
        for number in range(hunk.old_start, hunk.old_start + hunk.old_count)
    }


def _is_beyond_chance(run: Sequence[_Pair], ours: FileDiff, theirs: FileDiff, blobs: Blobs) -> bool:
    """Of added lines: alone, or with the lines around them."""
    weight = weigh(spot.text for spot, _ in run)
    if weight >= ENOUGH:
        return True
    mine, other = (
        _around(blobs.get(diff.change.new_blob), run[0][at].number, run[-1][at].number)
        for at, diff in enumerate((ours, theirs))
    )
    return mine is not None and mine == other and weight + weigh(mine) >= ENOUGH


def _around(content: bytes | None, first: int, last: int) -> tuple[bytes, ...] | None:
    """The lines before and after; None: the content is not known."""
    if content is None:
        return None
    lines = split(content)
    return (*lines[max(0, first - 1 - _CONTEXT) : first - 1], b"", *lines[last : last + _CONTEXT])


def weigh(lines: Iterable[bytes]) -> int:
    """How much lines tell: their letters and digits, of equal lines once."""
    return sum(chr(byte).isalnum() or byte > 127 for line in set(lines) for byte in line)


def _taken(run: Sequence[_Pair], side: str, surely: bool) -> Iterator[tuple[tuple[str, int], Contributor]]:
    for ours, theirs in run:
        part = theirs.part
        if part is not None and part.cls == "ai" and (ours.part is None or ours.part.cls != "ai"):
            yield (side, ours.number), part if surely else replace(part, confidence="low")


def _grouped(
    diff: FileDiff, own: Sequence[Contributor], labelled: Mapping[tuple[str, int], Contributor]
) -> Iterator[Contributor]:
    for hunk in diff.hunks:
        for side, start, count in (
            ("removed", hunk.old_start, hunk.old_count),
            ("added", hunk.new_start, hunk.new_count),
        ):
            of = {spot.number: spot.part for spot in _spots(diff, side, own)}
            lines = [(n, labelled.get((side, n)) or of.get(n)) for n in range(start, start + count)]
            kinds = [(n, replace(part, path=diff.change.path, start=0, count=0)) for n, part in lines if part]
            for part, run in groupby(kinds, key=lambda item: item[1]):
                numbers = [n for n, _ in run]
                yield replace(part, start=numbers[0], count=len(numbers))
