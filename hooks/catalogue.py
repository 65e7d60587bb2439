"""The agent catalogue as this half reads it, and which of its agents are at work around this process."""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from foureyes.shared import agents
from foureyes.shared.agents import Catalogue

_MOST_ANCESTORS = 64


class Process(NamedTuple):
    """Base names of the program, of its first word, and of its first argument that is no option."""

    exe: str
    argv0: str
    argv1: str


@cache
def catalogue() -> Catalogue:
    # A plain read: importlib.resources costs more than all the rest of it, and hooks are never run from a zip.
    return agents.parse_catalogue(Path(agents.__file__).with_name("agents.json").read_text("utf-8"))


def agents_around(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Agents among the processes that started this one, nearest first, then those that the environment shows. A
    marker that a person's own terminal can carry is not enough.
    """
    known = catalogue()
    found = [agent for process in ancestors() if (agent := known.by_process(*process))]
    found += [mark.agent for mark in known.by_env(environment) if mark.strong]
    return tuple(dict.fromkeys(found))


def ancestors() -> Iterator[Process]:
    """The processes above this one, nearest first; nothing where there is no /proc to read."""
    pid = os.getppid()
    for _ in range(_MOST_ANCESTORS):
        if pid <= 1:
            return
        folder = Path("/proc") / str(pid)
        try:
            # The name in brackets may hold spaces and brackets of its own.
            pid = int((folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except (OSError, ValueError, IndexError):
            return
        first = next((word for word in words[1:] if word and not word.startswith("-")), "")
        yield Process(_exe(folder), Path(words[0]).name, Path(first).name)


def _exe(folder: Path) -> str:
    try:
        return (folder / "exe").readlink().name
    except OSError:
        return ""
