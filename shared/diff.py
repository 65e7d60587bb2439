"""Git's own account of a change, to the line: raw entries and a patch without context.

Both halves give git exactly these options, so that counts, hunks and modes mean the same everywhere. `--text`,
because a `-diff` attribute would hide lines; `--ignore-submodules=none`, because `.gitmodules` may ask git to
keep quiet about a submodule; the rest pins what configuration or attributes could change. Bytes that end too soon are
noticed where the format shows it, but between two hunks it does not: callers must check that git ended with 0.
GIT_DIFF_OPTS in the environment overrides `-U0` and makes the answer unreadable: callers must take it out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from foureyes.shared import paths
from foureyes.shared.change import Change

_ENTRIES = ("-r", "--no-renames", "--ignore-submodules=none", "--no-relative", "-O/dev/null")
_LINES = (
    "-p",
    "-U0",
    "--inter-hunk-context=0",
    "--text",
    "--full-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--submodule=short",
    "--diff-algorithm=myers",
    "--indent-heuristic",
)

GIT_RAW_ARGS = ("-z", "--raw", "--no-abbrev", *_ENTRIES)
"""For `git diff-tree`: entries alone, for `parse_raw`. Needs no blob, so it works in a blobless mirror."""

GIT_PATCH_ARGS = (*_ENTRIES, *_LINES)
"""For `git diff-tree`: the patch alone, for `parse_patch`."""

GIT_DIFF_ARGS = (*GIT_RAW_ARGS, *_LINES)
"""For `git diff-tree`: entries, then the patch, for `parse_diff`; with `--stdin` for `parse_stream`."""

_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_STATUS = frozenset("AMDT")


class DiffError(ValueError):
    """The bytes are not what git writes for these options; nothing may be concluded from them."""


@dataclass(frozen=True)
class Hunk:
    """Lines without their final newline. Starts are as git gives them: for a count of 0, the line before."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]
    removed_open: bool = False
    """The last removed line ends the file without a newline."""
    added_open: bool = False


@dataclass(frozen=True)
class FilePatch:
    """One section of a patch. The ids are empty where git names none: only the mode changed."""

    old_blob: str
    new_blob: str
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True)
class FileDiff:
    """One path: the entry with its counts, and the hunks (those of both sides if the type changed)."""

    change: Change
    hunks: tuple[Hunk, ...]


def parse_raw(data: bytes) -> tuple[Change, ...]:
    """Of `git diff-tree GIT_RAW_ARGS`. Raises DiffError. Counts are 0."""
    reader = _Reader(data)
    changes = tuple(_entries(reader))
    reader.expect_end()
    return changes


def parse_patch(data: bytes) -> tuple[FilePatch, ...]:
    """The sections of a patch, in git's order. Raises DiffError."""
    reader = _Reader(data)
    patches = tuple(_sections(reader))
    reader.expect_end()
    return patches


def parse_diff(data: bytes) -> tuple[FileDiff, ...]:
    """Of `git diff-tree GIT_DIFF_ARGS`. Raises DiffError."""
    reader = _Reader(data)
    diffs = _one(reader)
    reader.expect_end()
    return diffs


def parse_stream(data: bytes) -> Iterator[tuple[str, str, tuple[FileDiff, ...]]]:
    """Of `git diff-tree --stdin GIT_DIFF_ARGS` fed with lines `OLD_TREE NEW_TREE`: (old tree, new tree, diffs),
    in the order asked. Two trees per line, never commits: roots (git's empty tree) and merges then need no care.
    """
    reader = _Reader(data)
    while not reader.at_end():
        header = reader.line().decode("ascii", "replace").split(" ")
        if len(header) != 2:
            raise DiffError("a pair of trees was expected")
        yield header[0], header[1], _one(reader)


def pair(changes: Sequence[Change], patches: Sequence[FilePatch]) -> tuple[FileDiff, ...]:
    """Each entry with its sections, by order (names in a patch are quoted) and checked by blob ids. A type change
    has two sections: the old thing removed, the new one added. Raises DiffError if they do not fit.
    """
    sections = iter(patches)
    diffs = tuple(_fit(change, sections) for change in changes)
    if next(sections, None) is not None:
        raise DiffError("more patches than entries")
    return diffs


def with_counts(changes: Sequence[Change], patches: Sequence[FilePatch]) -> tuple[Change, ...]:
    """The entries with added and deleted lines counted from the patch. A file with a NUL byte in any changed line
    is binary: no line of it is counted.
    """
    return tuple(diff.change for diff in pair(changes, patches))


def _one(reader: "_Reader") -> tuple[FileDiff, ...]:
    changes = tuple(_entries(reader))
    if changes and not reader.take(b"\0"):
        raise DiffError("no patch after the entries")
    return pair(changes, tuple(_sections(reader)))


def _fit(change: Change, sections: Iterator[FilePatch]) -> FileDiff:
    zero = "0" * len(change.old_blob)
    wanted = [(change.old_blob, change.new_blob)]
    if change.status == "T":
        wanted = [(change.old_blob, zero), (zero, change.new_blob)]
    hunks: list[Hunk] = []
    for old, new in wanted:
        patch = next(sections, None)
        if patch is None:
            raise DiffError(f"no patch for {change.path}")
        if (patch.old_blob, patch.new_blob) != (old, new) and (patch.old_blob or old != new):
            raise DiffError(f"the patch does not belong to {change.path}")
        if not patch.hunks and old != new and not {old, new} <= {zero, *_EMPTY_BLOBS}:
            raise DiffError(f"the patch of {change.path} is empty")
        hunks.extend(patch.hunks)
    return FileDiff(_counted(change, hunks), tuple(hunks))


def _counted(change: Change, hunks: Iterable[Hunk]) -> Change:
    binary = any(b"\0" in line for hunk in hunks for side in (hunk.removed, hunk.added) for line in side)
    if binary:
        return replace(change, binary=True)
    return replace(
        change, added=sum(hunk.new_count for hunk in hunks), deleted=sum(hunk.old_count for hunk in hunks)
    )


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def at_end(self) -> bool:
        return self.at >= len(self.data)

    def expect_end(self) -> None:
        if not self.at_end():
            raise DiffError("more bytes than were expected")

    def sees(self, prefix: bytes) -> bool:
        return self.data.startswith(prefix, self.at)

    def take(self, prefix: bytes) -> bool:
        found = self.sees(prefix)
        if found:
            self.at += len(prefix)
        return found

    def until(self, end: bytes) -> bytes:
        stop = self.data.find(end, self.at)
        if stop < 0:
            raise DiffError("the bytes end in the middle")
        start, self.at = self.at, stop + 1
        return self.data[start:stop]

    def line(self) -> bytes:
        return self.until(b"\n")

    def body(self, sign: bytes, count: int) -> tuple[tuple[bytes, ...], bool]:
        """Exactly `count` lines: what they look like never decides where a hunk ends. True: without newline."""
        lines = []
        for _ in range(count):
            if not self.take(sign):
                raise DiffError("a hunk is shorter than its header says")
            lines.append(self.line())
        is_open = count > 0 and self.take(b"\\ ")
        if is_open:
            self.line()
        return tuple(lines), is_open


def _entries(reader: _Reader) -> Iterator[Change]:
    while reader.take(b":"):
        parts = reader.until(b"\0").decode("ascii", "replace").split(" ")
        if len(parts) != 5 or parts[4] not in _STATUS:
            raise DiffError(f"an entry that is not an addition, change, removal or new type: {parts}")
        old_mode, new_mode, old_blob, new_blob, status = parts
        path = paths.decode(reader.until(b"\0"))
        yield Change(path, status, old_mode, new_mode, old_blob, new_blob)


_EXTENDED = (
    b"index ",
    b"old mode ",
    b"new mode ",
    b"deleted file mode ",
    b"new file mode ",
    b"--- ",
    b"+++ ",
)


def _sections(reader: _Reader) -> Iterator[FilePatch]:
    while reader.take(b"diff --git "):
        reader.line()
        old = new = ""
        while any(reader.sees(prefix) for prefix in _EXTENDED):
            line = reader.line()
            if line.startswith(b"index "):
                old, new = _blobs(line.removeprefix(b"index "))
        yield FilePatch(old, new, tuple(_hunks(reader)))


def _blobs(line: bytes) -> tuple[str, str]:
    old, dots, new = line.decode("ascii", "replace").partition(" ")[0].partition("..")
    if not dots:
        raise DiffError("an index line without two ids")
    return old, new


def _hunks(reader: _Reader) -> Iterator[Hunk]:
    while reader.take(b"@@ -"):
        spans = reader.line().decode("utf-8", "replace").split(" ", 3)
        if len(spans) < 3 or not spans[1].startswith("+") or spans[2] != "@@":
            raise DiffError("not a hunk header")
        old_start, old_count = _span(spans[0])
        new_start, new_count = _span(spans[1][1:])
        removed, removed_open = reader.body(b"-", old_count)
        added, added_open = reader.body(b"+", new_count)
        yield Hunk(old_start, old_count, new_start, new_count, removed, added, removed_open, added_open)


def _span(text: str) -> tuple[int, int]:
    start, comma, count = text.partition(",")
    if not start.isdecimal() or (comma and not count.isdecimal()):
        raise DiffError("not a hunk header")
    return int(start), int(count) if comma else 1
