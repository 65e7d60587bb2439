"""Hooks in git's configuration, for git 2.54 and newer: they run beside all hook files, whoever owns those, and even
where `core.hooksPath` points elsewhere. In a repository's own configuration, or in the user's for all repositories.
"""

import os
from collections.abc import Callable

from foureyes.hooks.capture_files import EVENTS, bootstrap, bootstrap_everywhere
from foureyes.hooks.repo import Answer, GitFailed, Repo

OLDEST_GIT = (2, 54)
Ask = Callable[..., Answer]
"""git, started somewhere with the given arguments."""


def write(repo: Repo) -> None:
    """A second time changes nothing. Raises GitFailed if the configuration cannot be written."""
    for event in EVENTS:
        _set(repo.ask, "--local", f"hook.foureyes-{event}", event, bootstrap(event))


def write_everywhere(ask: Ask, scripts: str) -> None:
    """The same in the user's configuration; the scripts are in one folder for all. Raises GitFailed."""
    for event in EVENTS:
        _set(ask, "--global", _everywhere(event), event, bootstrap_everywhere(event, scripts))


def in_place(repo: Repo) -> tuple[str, ...]:
    """Events whose hook would run: configured, and not switched off."""
    return tuple(event for event in EVENTS if _runs(repo, "--local", f"hook.foureyes-{event}", event))


def in_place_everywhere(repo: Repo) -> tuple[str, ...]:
    """The same of those in the user's configuration, as this repository sees them."""
    return tuple(event for event in EVENTS if _runs(repo, "--global", _everywhere(event), event))


def remove(repo: Repo) -> None:
    for event in EVENTS:
        _remove(repo.ask, "--local", f"hook.foureyes-{event}")


def remove_everywhere(ask: Ask) -> None:
    for event in EVENTS:
        _remove(ask, "--global", _everywhere(event))


def _everywhere(event: str) -> str:
    # A name of its own: under the same one a repository's hook would be mixed with the user's, not stand beside it.
    return f"hook.foureyes-everywhere-{event}"


def _set(ask: Ask, scope: str, section: str, event: str, command: str) -> None:
    for key, value in (("event", event), ("command", command)):
        name = f"{section}.{key}"
        if os.fsdecode(ask("config", scope, "-z", "--get-all", name).out) == f"{value}\0":
            continue
        arguments = ("config", scope, "--replace-all", name, value)
        answer = ask(*arguments)
        if answer.status != 0:
            raise GitFailed(arguments, answer.status, answer.words)


def _runs(repo: Repo, scope: str, section: str, event: str) -> bool:
    return repo.config_all(f"{section}.event", scope) == (event,) and repo.config(f"{section}.enabled") in {
        None,
        "true",
        "yes",
        "on",
        "1",
    }


def _remove(ask: Ask, scope: str, section: str) -> None:
    found = ask("config", scope, "--get-regexp", f"^{section.replace('.', chr(92) + '.')}\\.")
    if found.status == 0:
        arguments = ("config", scope, "--remove-section", section)
        answer = ask(*arguments)
        if answer.status != 0:
            raise GitFailed(arguments, answer.status, answer.words)
