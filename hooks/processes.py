"""The processes above this one: from /proc, and where a system has none (macOS, the BSDs), from one table of `ps`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

_MOST_ANCESTORS = 64
_SECONDS = 2.0
_PROC = Path("/proc")


class Process(NamedTuple):
    """Base names of the program, of its first word, and of its first argument that is no option."""

    exe: str
    argv0: str
    argv1: str


_Row = tuple[int, Process]
"""The parent's number, and what the process is."""


def ancestors() -> Iterator[Process]:
    """Nearest first; none where the system does not tell."""
    look = _in_proc if os.access(_PROC / "self" / "stat", os.R_OK) else _in_table()
    pid = os.getppid()
    for _ in range(_MOST_ANCESTORS):
        found = look(pid) if pid > 1 else None
        if found is None:
            return
        pid, process = found
        yield process


def _in_proc(pid: int) -> _Row | None:
    folder = _PROC / str(pid)
    try:
        # The name in brackets may hold spaces and brackets of its own.
        parent = int((folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except (OSError, ValueError, IndexError):
        return None
    return parent, _process(_exe(folder), words)


def _exe(folder: Path) -> str:
    try:
        return (folder / "exe").readlink().name
    except OSError:
        return ""


def _in_table() -> Callable[[int], _Row | None]:
    """All processes at one moment, by number. Where words end is lost in it, as it is for the git hooks."""
    rows: dict[int, _Row] = {}
    for line in _ps().splitlines():
        numbers = line.split(None, 2)
        if len(numbers) == 3 and numbers[0].isdecimal() and numbers[1].isdecimal():
            rows[int(numbers[0])] = int(numbers[1]), _process("", numbers[2].split())
    return rows.get


def _ps() -> str:
    try:
        done = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,command="],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _process(exe: str, words: list[str]) -> Process:
    first = next((word for word in words[1:] if word and not word.startswith("-")), "")
    return Process(exe, Path(words[0]).name, Path(first).name)
