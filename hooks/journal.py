"""What the git hooks noted at commit time: one line for each commit that they saw.

A line is the witness that hooks ran. A commit without a line was not seen, and is never called human.
`<git common dir>/foureyes/journal/` holds one file for each worktree, appended to by capture.sh.
"""

import os
import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

from foureyes.hooks.repo import Repo
from foureyes.hooks.sharing import keep_to, make_folder
from foureyes.shared.errors import UserError

VERSION = "v1"
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_TICK = r"0|[0-9]{19,}"
_UNSAFE = r"[^A-Za-z0-9._:/@+-]"
_LONGEST_VALUE = 200


class Line(NamedTuple):
    """`at` is seconds since 1970 by the clock of the machine that committed. `operation` is what git was doing
    (`rebase (pick)`, `cherry-pick`, ...), empty for a plain commit. `agent` was found among the processes that
    started git, nearest first, or is empty. `marks` are allow-listed environment markers, never the environment.
    `reached` is the tick of the evidence store's clock when the commit's content stood fast: 0 before there was any
    evidence, None in a line of a version that did not note it.
    """

    commit: str
    at: int
    hook: str
    operation: str
    agent: str
    marks: tuple[tuple[str, str], ...]
    worktree: str
    reached: int | None = None


def journal_dir(common_dir: Path) -> Path:
    return common_dir / "foureyes" / "journal"


def worktree_id(repo: Repo) -> str:
    """The journal's file for this worktree; `linked-` keeps a linked worktree that is called main apart."""
    return "main" if repo.git_dir == repo.common_dir else f"linked-{repo.git_dir.name}"


def read_journal(common_dir: Path) -> dict[str, tuple[Line, ...]]:
    """Commit id -> its lines, in the order of the files' names and then of time. A torn or foreign line is skipped:
    it witnesses nothing. Raises UserError if there is a journal that cannot be read.
    """
    found: dict[str, list[Line]] = {}
    for line in _lines(common_dir):
        found.setdefault(line.commit, []).append(line)
    return {oid: tuple(lines) for oid, lines in found.items()}


def seen_commits(repo: Repo, commits: Set[str]) -> set[str]:
    """Those of `commits` that a hook has already noted."""
    return {line.commit for line in _lines(repo.common_dir, commits)}


def append_line(
    repo: Repo,
    commit: str,
    at: float,
    hook: str,
    agent: str,
    *,
    operation: str = "",
    marks: tuple[tuple[str, str], ...] = (),
    reached: int | None = None,
) -> None:
    """Note a commit that no git hook saw, in the form that capture.sh writes. Raises OSError."""
    folder = journal_dir(repo.common_dir)
    make_folder(repo.home)
    mode = keep_to(repo.home)
    folder.mkdir(mode=0o700 if mode == 0o600 else 0o2770, parents=True, exist_ok=True)
    kept = " ".join(f"{name}={_clean(value)}" for name, value in marks)
    tick = "" if reached is None else str(reached)
    fields = (VERSION, commit, str(int(at)), hook, _clean(operation), _clean(agent), kept, tick)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(folder / worktree_id(repo), flags, mode)
    try:
        os.write(descriptor, ("\t".join(fields) + "\n").encode())
    finally:
        os.close(descriptor)


def parse_line(text: str, worktree: str) -> Line | None:
    """One line without its line break; None if it is not of this version and form."""
    fields = text.split("\t")
    if (
        len(fields) not in {7, 8}
        or fields[0] != VERSION
        or not _OID.fullmatch(fields[1])
        or not fields[2].isdecimal()
    ):
        return None
    tick = fields[7] if len(fields) == 8 else ""
    if tick and not re.fullmatch(_TICK, tick):
        return None
    marks = (mark.partition("=") for mark in fields[6].split(" "))
    kept = tuple((name, value) for name, given, value in marks if given)
    reached = int(tick) if tick else None
    return Line(fields[1], int(fields[2]), fields[3], fields[4], fields[5], kept, worktree, reached)


def _clean(value: str) -> str:
    return re.sub(_UNSAFE, "", value)[:_LONGEST_VALUE]


def _lines(common_dir: Path, commits: Set[str] | None = None) -> Iterator[Line]:
    """All of them, or those of some commits."""
    folder = journal_dir(common_dir)
    try:
        for file in sorted(folder.iterdir()):
            for text in file.read_text("utf-8", "replace").split("\n"):
                named = text.partition("\t")[2].partition("\t")[0]
                line = parse_line(text, file.name) if commits is None or named in commits else None
                if line is not None:
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(
            f"the journal of the hooks cannot be read: {error.filename}: {error.strerror}",
            why="without it nothing shows that the hooks saw these commits",
            next_step=f"make {folder} and the files in it readable for you, then run this again",
        ) from error
