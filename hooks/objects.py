"""Objects and refs, read from two processes of git: where a reader waits, each further one costs."""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from threading import Thread
from types import TracebackType

from foureyes.hooks.repo import start_git
from foureyes.shared.errors import UserError
from foureyes.shared.notes_tree import find_notes, tree_entries
from foureyes.shared.record_ref import PREFIX, RECORDS

SEEN = "refs/foureyes/seen/"
"""Where this repository remembers the record refs of its remotes: + remote + / + branch, both hashed."""
_NOTES = "refs/notes/"
_AT_ONCE = 16 * 1024
"""Bytes that a pipe surely takes while nobody reads the other one."""


class Objects:
    """Of the repository around `cwd`, or the one that `env` names. Git starts at once, and whoever has something else
    to do does that meanwhile.
    """

    def __init__(self, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self._cwd, self._env = cwd, env
        self._listing = self._list()
        self._child = start_git("cat-file", "--batch", cwd=cwd, env=env, stdin=subprocess.PIPE)
        self._refs: list[str] | None = None

    def _list(self) -> "subprocess.Popen[bytes]":
        asked = ("--sort=-committerdate", "--format=%(refname)", SEEN, PREFIX, _NOTES)
        return start_git("for-each-ref", *asked, cwd=self._cwd, env=self._env)

    def look_again(self) -> None:
        """The refs are others by now: something was fetched."""
        self._listing.kill()
        self._listing.communicate()
        self._listing, self._refs = self._list(), None

    def __enter__(self) -> "Objects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for child in (self._child, self._listing):
            child.kill()
            child.communicate()

    def read(self, names: Iterable[str]) -> list[bytes | None]:
        """The content behind each name, an id or what git takes for one; None for what is not there."""
        return list(self.each(names))

    def each(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """The same one by one, while git reads on: to be taken to the end before anything else is asked."""
        asked = list(names)
        told = "".join(f"{name}\n" for name in asked).encode()
        if len(told) <= _AT_ONCE:
            self._write(told)
            yield from (self._next() for _ in asked)
            return
        writer = Thread(target=self._write, args=(told,))
        writer.start()
        yield from (self._next() for _ in asked)
        writer.join()

    def _write(self, told: bytes) -> None:
        assert self._child.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError):  # it has ended: whoever reads its answer says so
            self._child.stdin.write(told)
            self._child.stdin.flush()

    def _next(self) -> bytes | None:
        out = self._child.stdout
        assert out is not None  # noqa: S101 - it was asked for
        header = out.readline().split(b" ")
        if header == [b""]:
            raise UserError("git cat-file ended before it had answered", next_step="run this again")
        if len(header) != 3 or not header[2].strip().isdigit():
            return None
        return out.read(int(header[2]) + 1)[:-1]

    def tree(self, name: str, digits: int) -> dict[str, str]:
        """Entry -> id, of `digits`; empty if there is no such tree."""
        (raw,) = self.read([name])
        return {entry: oid for _, entry, oid in tree_entries(raw or b"", digits)}

    def notes(self, ref: str, commits: Set[str]) -> dict[str, str]:
        """Commit -> blob of its note."""
        return find_notes(f"{ref}^{{tree}}", commits, self.read)

    def records(self, commits: Set[str]) -> dict[str, tuple[bytes, ...]]:
        """All different records that the record refs in sight have of each commit, the newest ref's first."""
        blobs: dict[str, dict[str, bytes]] = {}
        for ref in self.refs(SEEN, PREFIX) if commits else ():
            there = self.tree(f"{ref}:{RECORDS.rstrip('/')}", len(next(iter(commits))))
            for oid in commits & there.keys():
                blobs.setdefault(oid, {})[there[oid]] = b""
        asked = [(oid, blob) for oid, found in blobs.items() for blob in found]
        for (oid, blob), content in zip(asked, self.read([blob for _, blob in asked]), strict=True):
            blobs[oid][blob] = content or b""
        versions = {oid: tuple(filter(None, found.values())) for oid, found in blobs.items()}
        return {oid: found for oid, found in versions.items() if found}

    def refs(self, *prefixes: str) -> list[str]:
        """The newest first."""
        if self._refs is None:
            self._refs = self._listing.communicate()[0].decode("utf-8", "replace").split()
        return [ref for ref in self._refs if ref.startswith(prefixes)]
