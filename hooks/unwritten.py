"""Since when what agents do in a work tree cannot be written down: the disk is full, or a quota has been reached.

    evidence/unwritten/<worktree>   an empty file; its time is since when, or 1970

It is made while there is room, for to set a file's time needs none. From then on, until the turn of an agent ends whose
end can be written, all that changes in the work tree may be an agent's work: it is nobody's.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from foureyes.hooks.sharing import keep_to
from foureyes.hooks.tool_events import LOST, Pending


def prepare(evidence: Path, worktree: str) -> None:
    """Raises OSError."""
    mark = _mark(evidence, worktree)
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        _make(mark)


def begin(evidence: Path, worktree: str) -> None:
    """As of now, unless it has begun before. Raises OSError."""
    mark = _mark(evidence, worktree)
    if not mark.exists():
        _make(mark)  # there may be room for a name
    if not mark.stat().st_mtime:
        os.utime(mark, (now := time.time(), now))


def end(evidence: Path, worktree: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.utime(_mark(evidence, worktree), (0, 0))


def as_open_calls(marks: Iterable[Path]) -> Iterator[Pending]:
    """What is found in the folder, as calls that began when writing failed and have not ended; without a tick, for the
    clock may have stood still. Raises OSError.
    """
    for mark in marks:
        since = mark.stat().st_mtime
        if since:
            yield Pending("", mark.name, LOST, since, "", "", {})


def _mark(evidence: Path, worktree: str) -> Path:
    return evidence / "unwritten" / worktree


def _make(mark: Path) -> None:
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, keep_to(mark.parents[2])))
    os.utime(mark, (0, 0))
