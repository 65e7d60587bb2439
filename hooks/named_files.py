"""The files that an agent's tool call names: in which repositories they are, and which of them git does not ignore."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

from foureyes.hooks.agents.tool_call import ToolCall
from foureyes.hooks.repo import Repo, start_git
from foureyes.shared.errors import UserError

_LONGEST_PATH, _LONGEST_NAME = 4096, 255
"""In bytes, on every system that git runs on; of a longer one there is no file."""


def open_or_none(place: Path) -> Repo | None:
    try:
        return Repo.open(place)
    except UserError:
        return None  # an agent may well work outside a repository


def by_repository(call: ToolCall) -> dict[Repo, dict[bytes, str]]:
    """Repository -> the call's files in it that git does not ignore (git path -> as the agent named it)."""
    named = [
        (file, Path(os.path.realpath(Path(call.cwd or ".") / file))) for file in call.files if _can_be(file)
    ]
    return _of_one(*named[0]) if len(named) == 1 else _of_many(named)


def _can_be(file: str) -> bool:
    raw = file.encode("utf-8", "surrogatepass")
    return b"\0" not in raw and len(raw) < _LONGEST_PATH and max(map(len, raw.split(b"/"))) <= _LONGEST_NAME


def _of_one(file: str, real: Path) -> dict[Repo, dict[bytes, str]]:
    place = _folder(real)
    with _patterns_asked(place, real) as asked:
        repo = open_or_none(place)
        name = _name_in(repo, real) if repo is not None else None
        if repo is None or name is None or _is_ignored(repo, name, asked):
            return {}
        return {repo: {name: file}}


def _of_many(named: list[tuple[str, Path]]) -> dict[Repo, dict[bytes, str]]:
    """An agent may name thousands of files in one call: no process for each of them."""
    from foureyes.hooks.agents.places import work_tree_around  # most calls name one

    opened: dict[str, Repo | None] = {}
    found: dict[Repo, dict[bytes, str]] = {}
    for file, real in named:
        place = str(_folder(real))
        root = work_tree_around(place) or place
        if root not in opened:
            opened[root] = open_or_none(Path(root))
        repo = opened[root]
        name = _name_in(repo, real) if repo is not None else None
        if repo is not None and name is not None:
            found.setdefault(repo, {})[name] = file
    return {repo: kept for repo, files in found.items() if (kept := _not_ignored(repo, files))}


def _folder(real: Path) -> Path:
    return next(parent for parent in real.parents if parent.is_dir())


def _name_in(repo: Repo, real: Path) -> bytes | None:
    """git's name for a file of the work tree; None if it is none."""
    if repo.work_tree is None or repo.is_gits_own(real):
        return None
    root = Path(os.path.realpath(repo.work_tree))
    return os.fsencode(real.relative_to(root)) if real.is_relative_to(root) else None


@contextlib.contextmanager
def _patterns_asked(place: Path, real: Path) -> "Iterator[Popen[bytes] | None]":
    """git at work on whether a pattern fits a file below this folder, while the repository is still looked for."""
    try:
        child = start_git("check-ignore", "--no-index", "-q", "--", f"./{real.relative_to(place)}", cwd=place)
    except UserError:
        yield None  # there is no git: whoever looks for the repository finds that, too
        return
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def _is_ignored(repo: Repo, name: bytes, asked: "Popen[bytes] | None" = None) -> bool:
    """What is ignored is often a secret, and can never be in a commit, unless it is in the index already: which is
    long to read, and only looked at if a pattern fits.
    """
    if asked is not None and asked.wait() == 1:
        return False
    return repo.ask("check-ignore", "-q", "--", f"./{os.fsdecode(name)}").status != 1


def _not_ignored(repo: Repo, files: dict[bytes, str]) -> dict[bytes, str]:
    asked = b"".join(b"./%s\0" % name for name in files)
    answer = repo.ask("check-ignore", "--stdin", "-z", input=asked)
    if answer.status not in {0, 1}:  # it stopped at one of them
        return {name: file for name, file in files.items() if not _is_ignored(repo, name)}
    ignored = {line.removeprefix(b"./") for line in answer.out.split(b"\0")}
    return {name: file for name, file in files.items() if name not in ignored}
