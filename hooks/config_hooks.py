"""Hooks in the repository's configuration, for git 2.54 and newer: they run beside all hook files, whoever owns those,
and even where `core.hooksPath` points elsewhere.
"""

from foureyes.hooks.capture_files import EVENTS, bootstrap
from foureyes.hooks.repo import Repo

OLDEST_GIT = (2, 54)


def _section(event: str) -> str:
    return f"hook.foureyes-{event}"


def write(repo: Repo) -> None:
    """A second time changes nothing. Raises GitFailed if the configuration cannot be written."""
    for event in EVENTS:
        for key, value in (("event", event), ("command", bootstrap(event))):
            name = f"{_section(event)}.{key}"
            if repo.config_all(name, "--local") != (value,):
                repo.git("config", "--local", "--replace-all", name, value)


def in_place(repo: Repo) -> tuple[str, ...]:
    """Events whose hook would run: configured, and not switched off."""
    return tuple(
        event
        for event in EVENTS
        if repo.config_all(f"{_section(event)}.event", "--local") == (event,)
        and repo.config(f"{_section(event)}.enabled") in {None, "true", "yes", "on", "1"}
    )


def remove(repo: Repo) -> None:
    for event in EVENTS:
        if repo.ask("config", "--local", "--get-regexp", f"^hook\\.foureyes-{event}\\.").status == 0:
            repo.git("config", "--local", "--remove-section", _section(event))
