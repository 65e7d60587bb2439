"""Agents' edits that cannot be followed line by line, and yet are told to have landed: the file was too large to keep,
and a commit that the hooks saw later has exactly what the edit left.

Who changes the file after that has not done the agent's work, unless something of it comes back: lines that the edit
left and that went since, or a removal that landed with it and was undone since.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from foureyes.hooks.edits import Result
from foureyes.hooks.journal import Line
from foureyes.hooks.repo import Repo, stream_git
from foureyes.shared import paths
from foureyes.shared.attribution import is_telling
from foureyes.shared.diff import FileDiff
from foureyes.shared.line_trace import bare

_MOST_COMMITS = 500
_MOST_PATHS = 50
_MOST_READ = 256 * 2**20
"""Bytes of files."""


class Unread(NamedTuple):
    """A path of a commit that an agent changed before, in a way that cannot be followed."""

    commit: str
    parent: str
    diff: FileDiff
    results: tuple[Result, ...]


class _Change(NamedTuple):
    """Of one path, by one commit: blobs, "" for no file."""

    commit: str
    before: str
    after: str


class _History:
    """The commits that changed some paths, and of them what each commit has behind it; one process."""

    def __init__(self, repo: Repo, tips: Iterable[str], names: Collection[str]) -> None:
        asked = (
            f"--max-count={_MOST_COMMITS}",
            "--raw",
            "--no-renames",
            "--no-abbrev",
            "--no-show-signature",
        )
        literal = (os.fsdecode(paths.encode(name)) for name in names)
        answer = repo.ask(
            *(
                "-c",
                "log.follow=false",
                "-c",
                "log.showRoot=true",
                "log",
                "-z",
                "--parents",
                "--format=%H %P",
                *asked,
                *dict.fromkeys(tips),
                "--",
                *literal,
            ),
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )
        self._parents: dict[str, list[str]] = {}
        self._changes: dict[tuple[str, str], _Change] = {}
        fields = iter(answer.out.split(b"\0") if answer.status == 0 else ())
        commit = ""
        for field in map(bytes.strip, fields):
            if field.startswith(b":"):
                _, _, old, new, _ = field.decode("ascii").split(" ")
                path = paths.decode(next(fields))
                self._changes[commit, path] = _Change(commit, _blob(old), _blob(new))
            elif field:
                commit, *self._parents[commit] = field.decode("ascii").split()

    def behind(self, commit: str, path: str) -> Iterator[_Change]:
        """Changes of a path by what leads to a commit, without the commit itself."""
        todo, seen = list(self._parents.get(commit, ())), set[str]()
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += self._parents.get(one, ())
                if (one, path) in self._changes:
                    yield self._changes[one, path]


def landed(
    repo: Repo, unread: Sequence[Unread], journal: Mapping[str, Sequence[Line]]
) -> Iterator[tuple[str, str]]:
    """Commit and path of those that hold nothing of what the agents did."""
    names = {one.diff.change.path for one in unread}
    if not names or len(names) > _MOST_PATHS:
        return
    history = _History(repo, (one.commit for one in unread), names)
    found = [(one.diff, one.commit, _landings(one, history, journal)) for one in unread]
    found = [(diff, commit, landings) for diff, commit, landings in found if landings]
    lines = _Lines(
        repo, frozenset().union(*(added | removed for added, removed in (_changed(d) for d, *_ in found)))
    )
    for diff, commit, landings in found:
        if not _comes_back(diff, landings, lines):
            yield commit, diff.change.path


def _landings(one: Unread, history: _History, journal: Mapping[str, Sequence[Line]]) -> list[_Change]:
    """The commits that the edits landed in; none if one of the edits is not sure to have landed."""
    behind = list(history.behind(one.commit, one.diff.change.path))
    if any(_blob(one.diff.change.new_blob) in result.blobs for result in one.results):
        return []
    found: list[_Change] = []
    sure = False
    for result in reversed(one.results):
        here = [
            change for change in behind if change.after in result.blobs and _is_later(change, result, journal)
        ]
        found += here
        sure = bool(here) or (result.carried and sure)
        if not sure:
            return []
    return found


def _is_later(change: _Change, result: Result, journal: Mapping[str, Sequence[Line]]) -> bool:
    """Whether the hooks saw the commit when the edit had ended: the same content may have been there before."""
    lines = journal.get(change.commit, ())
    if not result.ended:
        return bool(lines) and result.after < min(line.at for line in lines)
    ticks = [line.reached for line in lines if line.reached is not None]
    return bool(ticks) and result.ended <= min(ticks)


def _comes_back(diff: FileDiff, landings: Iterable[_Change], lines: "_Lines") -> bool:
    """Whether anything may; or that cannot be told."""
    base = _blob(diff.change.old_blob)
    added, removed = _changed(diff)
    for before, after in {(change.before, change.after) for change in landings if change.after != base}:
        there, left, gone = lines.of(base), lines.of(after), lines.of(before)
        if there is None or left is None or gone is None:
            return True
        if added & left - there or removed & gone - left:
            return True
    return False


def _changed(diff: FileDiff) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Lines added and removed that are long enough to tell where they come from."""
    added = (line for hunk in diff.hunks for line in map(bare, hunk.added))
    removed = (line for hunk in diff.hunks for line in map(bare, hunk.removed))
    return frozenset(filter(is_telling, added)), frozenset(filter(is_telling, removed))


class _Lines:
    """Which lines blobs have, of those that are looked for: the blobs may be too large to hold."""

    def __init__(self, repo: Repo, wanted: Set[bytes]) -> None:
        self._repo, self._wanted = repo, wanted
        self._left = _MOST_READ
        self._known: dict[str, Set[bytes] | None] = {"": frozenset()}

    def of(self, blob: str) -> Set[bytes] | None:
        """None: it is not here, or too much was read already."""
        if blob not in self._known:
            self._known[blob] = self._read(blob)
        return self._known[blob]

    def _read(self, blob: str) -> Set[bytes] | None:
        found = set()
        asked = ("cat-file", "blob", blob)
        with stream_git(*asked, cwd=self._repo.git_dir, env=self._repo.environment()) as stream:
            for line in stream.out:
                self._left -= len(line)
                if self._left < 0:
                    return None
                if bare(line) in self._wanted:
                    found.add(bare(line))
            return found if stream.answer().status == 0 else None


def _blob(oid: str) -> str:
    return oid if oid.strip("0") else ""
