"""git's own blame of a file: for each line its commit, and its place in the file as that commit left it."""

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

from foureyes.hooks.repo import Repo, start_git
from foureyes.shared import paths
from foureyes.shared.errors import UserError

_LETTERS = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13}


class Blamed(NamedTuple):
    """`commit` is empty for a line that is not committed. `path` is text as `shared/paths` makes it; `at` is the
    author's time in seconds since 1970.
    """

    number: int
    commit: str
    number_then: int
    path: str
    author: str
    at: int
    text: str


_ASKED = ("-c", "blame.ignoreRevsFile=", "blame", "--porcelain")


def read_blame(repo: Repo, file: str, rev: str, cwd: Path) -> list[Blamed]:
    """Every line of the file as of `rev`, a full id; one process. Raises UserError if git does not know the file."""
    path = os.path.relpath(cwd / file, repo.work_tree) if repo.work_tree else file
    answer = repo.ask(*_ASKED, rev, "--", path)
    return _told(file, answer.status, answer.out, answer.words)


def begin_blame(file: str, rev: str, cwd: Path) -> "Popen[bytes]":
    """Start the same, without `rev` for the file as it lies in the work tree, and go on."""
    return start_git(*_ASKED, *((rev,) if rev else ()), "--", file, cwd=cwd)


def end_blame(file: str, begun: "Popen[bytes]") -> list[Blamed]:
    out, words = begun.communicate()
    return _told(file, begun.returncode, out, words.decode("utf-8", "replace"))


def _told(file: str, status: int, out: bytes, words: str) -> list[Blamed]:
    if status != 0 and os.path.isdir(file):  # noqa: PTH112 -- of a name that no file can have it says no
        raise UserError(f"`{file}` is a folder", next_step="name one file in it", exit_code=2)
    if status != 0:
        said = words.strip().removeprefix("fatal: ").split("\n")[0]
        raise UserError(
            f"git cannot blame `{file}`: {said}",
            next_step="name a file that is committed here, and with --rev a commit that has it",
            exit_code=2,
        )
    return list(_lines(out))


def commit_of(repo: Repo, rev: str) -> str:
    """Its full id; whatever else was given stays no option of git's. Raises UserError."""
    asked = ("rev-parse", "-q", "--verify", "--end-of-options", f"{rev}^{{commit}}")
    found = repo.ask(*asked).out.decode("ascii", "replace").strip()
    if not found and rev == "HEAD":
        from foureyes.hooks.ranges import no_commits  # a reader of a line does not wait for it

        raise no_commits(repo, rev)
    if not found:
        raise UserError(
            f"`{rev}` is not a commit here",
            next_step="name one as git does: HEAD~2, a branch, an id",
            exit_code=2,
        )
    return found


def _lines(out: bytes) -> Iterator[Blamed]:
    """For each line `commit then now ...`, what is new about the commit, a line each, and the text behind a tab."""
    about: dict[bytes, tuple[str, str, str, int]] = {}
    head, *rest = out.split(b"\n\t")
    for part in rest:
        first, _, new = head.partition(b"\n")
        text, _, head = part.partition(b"\n")
        name, then, now = first.split(b" ")[:3]
        if new:
            about[name] = _about(name, b"\n" + new, about.get(name))
        commit, path, author, at = about[name]
        yield Blamed(int(now), commit, int(then), path, author, at, text.decode("utf-8", "replace"))


def _about(name: bytes, new: bytes, known: tuple[str, str, str, int] | None) -> tuple[str, str, str, int]:
    """Commit, path, author and time. Of a commit that was told of before only the path can be another."""
    path = paths.decode(_unquoted(_value(new, b"\nfilename ")))
    if known is not None:
        return (known[0], path, *known[2:])
    commit = name.decode("ascii") if name.strip(b"0") else ""
    author = _value(new, b"\nauthor ").decode("utf-8", "replace")
    return commit, path, author, int(_value(new, b"\nauthor-time ") or b"0")


def _value(new: bytes, key: bytes) -> bytes:
    return new.partition(key)[2].partition(b"\n")[0]


def _unquoted(name: bytes) -> bytes:
    """git writes odd names as C does."""
    if not name.startswith(b'"'):
        return name
    import re  # few files have such a name

    return re.sub(rb"(?s)\\([0-7]{3}|.)", lambda found: _byte(found[1]), name[1:-1])


def _byte(escape: bytes) -> bytes:
    if len(escape) == 3:
        return bytes([int(escape, 8) & 255])
    return bytes([_LETTERS[escape]]) if escape in _LETTERS else escape
