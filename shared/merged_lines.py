"""What a merge itself did: lines that differ from every parent. All else came with the branches, whose own commits
tell who wrote it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

from foureyes.shared.diff import FileDiff
from foureyes.shared.line_match import match
from foureyes.shared.record import Contributor
from foureyes.shared.renamed_lines import renamed


def keep_own(
    parts: Sequence[Contributor], first: Sequence[FileDiff], others: Iterable[Sequence[FileDiff]]
) -> tuple[Contributor, ...]:
    """The contributors of a merge, whose change against its first parent is `first` and against the other parents
    `others`. Lines that are not the merge's own are left to nobody: `unknown`.
    """
    against = [_changed(diffs) for diffs in others]
    hunks = {diff.change.path: diff for diff in first}
    return tuple(
        part
        for path, mine in groupby(parts, key=lambda part: part.path)
        for part in _of_file(list(mine), hunks[path], [changed.get(path) for changed in against])
    )


@dataclass(frozen=True)
class _Changed:
    """What differs from one further parent: numbers of lines that came, texts of those that went."""

    added: Set[int]
    removed: Counter[bytes]


def _changed(diffs: Sequence[FileDiff]) -> dict[str, _Changed]:
    """By path. A subtree merge puts a parent's files into a folder: then against the file as that parent has it."""
    there = {diff.change.old_blob for diff in diffs}
    by_path = {
        diff.change.path: diff
        for diff in diffs
        if diff.change.status != "A" or diff.change.new_blob not in there
    }
    moved = {new: old for new, old in renamed(diffs).items() if new in by_path}
    return {
        path: _moved(by_path[moved[path]], diff) if path in moved else _in_place(diff)
        for path, diff in by_path.items()
    }


def _in_place(diff: FileDiff) -> _Changed:
    added = {n for h in diff.hunks for n in range(h.new_start, h.new_start + h.new_count)}
    return _Changed(added, Counter(line for h in diff.hunks for line in h.removed))


def _moved(old: FileDiff, new: FileDiff) -> _Changed:
    before, after = ([line for h in one.hunks for line in (h.added or h.removed)] for one in (old, new))
    pairs = match(before, after)
    kept, stayed = {i for i, _ in pairs}, {j + 1 for _, j in pairs}
    return _Changed(
        set(range(1, len(after) + 1)) - stayed,
        Counter(line for i, line in enumerate(before) if i not in kept),
    )


def _of_file(
    parts: Sequence[Contributor], first: FileDiff, others: Sequence[_Changed | None]
) -> Iterator[Contributor]:
    seen = [changed for changed in others if changed is not None]
    if len(seen) < len(others):
        yield from (_nobodys(part, part.start, part.count) for part in parts)
        return
    texts = {n: line for h in first.hunks for n, line in enumerate(h.removed, h.old_start)}
    for part in parts:
        if not part.count:
            yield part
            continue
        numbers = range(part.start, part.start + part.count)
        if part.side == "added":
            own = [all(n in changed.added for changed in seen) for n in numbers]
        else:
            own = [all(changed.removed[texts[n]] > 0 for changed in seen) for n in numbers]
        for is_own, run in groupby(zip(numbers, own, strict=True), key=lambda item: item[1]):
            found = [n for n, _ in run]
            if is_own:
                yield replace(part, start=found[0], count=len(found))
            else:
                yield _nobodys(part, found[0], len(found))


def _nobodys(part: Contributor, start: int, count: int) -> Contributor:
    return Contributor(part.path, part.side, start, count, "unknown")
