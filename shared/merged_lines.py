"""What a merge itself did: lines that differ from every parent. All else came with the branches, whose own commits
tell who wrote it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from foureyes.shared.diff import FileDiff
from foureyes.shared.record import Contributor


def keep_own(
    parts: Sequence[Contributor], first: Sequence[FileDiff], others: Iterable[Sequence[FileDiff]]
) -> tuple[Contributor, ...]:
    """The contributors of a merge, whose change against its first parent is `first` and against the other parents
    `others`. Lines that are not the merge's own are left to nobody: `unknown`.
    """
    against = [{diff.change.path: diff for diff in diffs} for diffs in others]
    hunks = {diff.change.path: diff for diff in first}
    return tuple(
        part
        for path, mine in groupby(parts, key=lambda part: part.path)
        for part in _of_file(list(mine), hunks[path], [diffs.get(path) for diffs in against])
    )


def _of_file(
    parts: Sequence[Contributor], first: FileDiff, others: Sequence[FileDiff | None]
) -> Iterator[Contributor]:
    seen = [diff for diff in others if diff is not None]
    if len(seen) < len(others):
        yield from (_nobodys(part, part.start, part.count) for part in parts)
        return
    added = [{n for h in diff.hunks for n in range(h.new_start, h.new_start + h.new_count)} for diff in seen]
    removed = [Counter(line for h in diff.hunks for line in h.removed) for diff in seen]
    texts = {n: line for h in first.hunks for n, line in enumerate(h.removed, h.old_start)}
    for part in parts:
        if not part.count:
            yield part
            continue
        numbers = range(part.start, part.start + part.count)
        if part.side == "added":
            own = [all(n in lines for lines in added) for n in numbers]
        else:
            own = [all(lines[texts[n]] > 0 for lines in removed) for n in numbers]
        for is_own, run in groupby(zip(numbers, own, strict=True), key=lambda item: item[1]):
            found = [n for n, _ in run]
            if is_own:
                yield replace(part, start=found[0], count=len(found))
            else:
                yield _nobodys(part, found[0], len(found))


def _nobodys(part: Contributor, start: int, count: int) -> Contributor:
    return Contributor(part.path, part.side, start, count, "unknown")
