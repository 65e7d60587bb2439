"""What the merge changes and GitHub's diff need not show: that diff is from one merge base, where histories that cross
have several, and which one is not documented.
"""

from collections.abc import Iterable, Sequence

from foureyes.shared.change import Change


def hidden(changes: Iterable[Change], diffs: Sequence[Iterable[Change]]) -> tuple[str, ...]:
    """Paths of `changes` (base tip -> merge) that not every one of `diffs` (each merge base -> head) has, or has from
    the same content: where merge bases differ in a file, the diff from one of them can lack a part of what the merge
    does to it.
    """
    shown = [{change.path: (change.old_mode, change.old_blob) for change in diff} for diff in diffs]
    return tuple(
        sorted(
            change.path
            for change in changes
            if not all(change.path in diff for diff in shown)
            or len({diff[change.path] for diff in shown}) > 1
        )
    )
