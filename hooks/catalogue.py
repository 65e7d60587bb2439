"""The agent catalogue as this half reads it, and which of its agents are at work around this process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from foureyes.hooks.processes import ancestors as ancestors
from foureyes.shared import agents
from foureyes.shared.agents import Catalogue


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
