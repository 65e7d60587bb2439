"""A branch's commits from one `git log` that is read while it runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from foureyes.hooks.scan_objects import Objects, ended, fields
from foureyes.shared.diff import DiffError
from foureyes.shared.people import Identity

_FORMAT = "--format=%H%x00%T%x00%P%x00%ct%x00%an%x00%ae%x00%cn%x00%ce%x00%B"
_LOG = (
    "log",
    "-z",
    "--encoding=UTF-8",
    "--no-color",
    "--no-show-signature",
    "--no-notes",
    "--no-mailmap",
    _FORMAT,
)
_DIFF = (
    "--no-renames",
    "--no-abbrev",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
    "--diff-algorithm=myers",
    "--indent-heuristic",
)


class Depth(IntEnum):
    """How much of each commit is here to be read: a partial clone holds less than all."""

    COMMITS = 0
    PATHS = 1
    LINES = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A changed path, bytes as git has them. Lines of a file that git takes for binary are not counted."""

    path: bytes
    status: str
    old_mode: str
    new_mode: str
    added: int
    deleted: int
    binary: bool


@dataclass(slots=True)
class HistoryCommit:
    oid: str
    tree: str
    parents: tuple[str, ...]
    at: int | None
    """Of the committer, seconds since 1970; None where the commit has no readable time."""
    author: Identity
    committer: Identity
    message: bytes
    """UTF-8 as far as it is text."""
    raw: list[bytes]
    """`:modes ids status` and path, in turns. Empty for merges: what they bring in are other commits."""
    counts: list[bytes]
    """`added TAB deleted TAB path`; `-` for binary."""

    def sums(self) -> tuple[int, int]:
        """Lines added and deleted."""
        added = deleted = 0
        for count in self.counts:
            more, less, _ = count.split(b"\t", 2)
            if more != b"-":
                added += int(more)
                deleted += int(less)
        return added, deleted

    def entries(self) -> Iterator[Entry]:
        counted = {
            path: (more, less) for more, less, path in (count.split(b"\t", 2) for count in self.counts)
        }
        for meta, path in zip(self.raw[::2], self.raw[1::2], strict=True):
            old_mode, new_mode, _, _, status = meta[1:].decode("ascii").split(" ")
            more, less = counted.get(path, (b"0", b"0"))
            binary = more == b"-"
            added, deleted = (0, 0) if binary else (int(more), int(less))
            yield Entry(path, status, old_mode, new_mode, added, deleted, binary)


def read_history(objects: Objects, tip: str, since: int | None, depth: Depth) -> Iterator[HistoryCommit]:
    """Newest first. Raises GitFailed if git could not read all of it, DiffError if it was not understood."""
    yield from read_log(objects, (tip,), since, depth)


def read_log(
    objects: Objects, revisions: tuple[str, ...], since: int | None, depth: Depth, *options: str
) -> Iterator[HistoryCommit]:
    """`read_history` with more of git's own options, and from several commits or `^commit`."""
    wanted: tuple[str, ...] = options
    if depth >= Depth.PATHS:
        wanted += ("--raw", *_DIFF)
    if depth >= Depth.LINES:
        wanted += ("--numstat",)
    if since is not None:
        wanted += (f"--max-age={since}",)
    with objects.stream(*_LOG, *wanted, *revisions, "--") as git:
        try:
            yield from _commits(fields(git))
        except DiffError:
            ended(git.answer(), "log")  # it knows better why it stopped short
            raise
        ended(git.answer(), "log")


def _commits(parts: Iterator[bytes]) -> Iterator[HistoryCommit]:
    part = next(parts, None)
    while part is not None:
        try:
            commit = _commit(part, [next(parts) for _ in range(8)])
        except (StopIteration, ValueError):
            raise DiffError("git log ended in the middle of a commit") from None
        part = next(parts, None)
        if part is not None and part.startswith(b"\n:"):
            part = part[1:]
        while part is not None and part.startswith(b":"):
            commit.raw.append(part)
            commit.raw.append(next(parts, b""))
            part = next(parts, None)
        while part is not None and b"\t" in part:
            commit.counts.append(part)
            part = next(parts, None)
        yield commit


def _commit(oid: bytes, rest: list[bytes]) -> HistoryCommit:
    tree, parents, at, author, author_email, committer, committer_email, message = rest
    return HistoryCommit(
        oid.decode("ascii"),
        tree.decode("ascii"),
        tuple(parents.decode("ascii").split()),
        int(at) if at.isdigit() else None,
        _identity(author, author_email),
        _identity(committer, committer_email),
        message,
        [],
        [],
    )


@lru_cache(maxsize=65536)
def _identity(name: bytes, email: bytes) -> Identity:
    return Identity(name.decode("utf-8", "replace"), email.decode("utf-8", "replace"))
