"""What agents wrote in one file and somebody committed in another, before it was committed where it was: most of what
they had written there. Whose such lines are cannot be told.
"""

from collections.abc import Iterable, Iterator, Sequence

from foureyes.shared.attribution import Edit, is_telling
from foureyes.shared.diff import FileDiff
from foureyes.shared.line_trace import bare, split
from foureyes.shared.record import Contributor
from foureyes.shared.rekey import ENOUGH, weigh


def taken_over(
    diffs: Sequence[FileDiff], parts: Iterable[Contributor], edits: Iterable[Edit]
) -> dict[tuple[str, int], Contributor]:
    """Path and line -> nobody, for those of a person's added lines that are taken from `edits`, which nobody had
    committed yet.
    """
    written = _written(edits)
    if not written:
        return {}
    mine = {
        (part.path, number)
        for part in parts
        if (part.side, part.cls) == ("added", "human")
        for number in range(part.start, part.start + part.count)
    }
    return {
        (path, number): Contributor(path, "added", number, 1, "unknown")
        for diff in diffs
        for path, number in _from_another_file(diff, written)
        if (path, number) in mine
    }


def _written(edits: Iterable[Edit]) -> dict[str, set[bytes]]:
    """Path -> telling lines that agents wrote there."""
    found: dict[str, set[bytes]] = {}
    for edit in edits:
        before = set(map(bare, split(edit.before)))
        lines = {line for line in map(bare, split(edit.after)) if line not in before and is_telling(line)}
        if lines:
            found.setdefault(edit.path, set()).update(lines)
    return found


def _from_another_file(diff: FileDiff, written: dict[str, set[bytes]]) -> Iterator[tuple[str, int]]:
    added = {
        number: bare(line) for hunk in diff.hunks for number, line in enumerate(hunk.added, hunk.new_start)
    }
    taken: set[bytes] = set()
    for path, lines in written.items():
        common = lines.intersection(added.values()) if path != diff.change.path else set()
        # Two people give many files the same imports.
        if 2 * len(common) >= len(lines) and weigh(common) >= 2 * ENOUGH:
            taken |= common
    for number, line in added.items():
        if line in taken:
            yield diff.change.path, number
