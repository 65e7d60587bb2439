"""Who the person at this machine is on GitHub: what records name as the operator."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.repo import Repo, run_git
from foureyes.shared.errors import UserError

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})")
_SECONDS = 5.0


@dataclass(frozen=True)
class Login:
    """`how` completes "from ..." for a person: `--login`, `git config`, `gh`."""

    name: str
    how: str


def find(repo: Repo | None, given: str | None = None) -> Login | None:
    """What the person says, else what git's configuration says (the user's own without a repository), else whom `gh`
    is logged in as. A claim: the gate believes keys and accounts. Raises UserError if `given` cannot be a login.
    """
    if given is not None:
        name = given.removeprefix("@")
        if not _LOGIN.fullmatch(name):
            raise UserError(
                f"{given!r} cannot be a GitHub login",
                next_step="give the name as GitHub shows it: foureyes install --login olga",
                exit_code=2,
            )
        return Login(name, "--login")
    configured = repo.config("foureyes.login") if repo is not None else _users_own("foureyes.login")
    if configured and _LOGIN.fullmatch(configured):
        return Login(configured, "git config")
    name = logged_in() or _ask_gh("api", "user", "--jq", ".login")
    return Login(name, "gh") if name else None


def logged_in() -> str:
    """Whom `gh` acts as, from its own configuration: nobody is asked over the network."""
    return _ask_gh("config", "get", "user", "--host", "github.com")


def _users_own(name: str) -> str:
    return os.fsdecode(run_git("config", "--global", name, cwd=Path.home()).out).strip()


def _ask_gh(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["gh", *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    name = done.stdout.strip()
    return name if done.returncode == 0 and _LOGIN.fullmatch(name) else ""
