"""The caller's own GitHub token: from the environment as `gh` has it, else from `gh` itself. It is never printed."""

import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

from foureyes.github_app.client import GitHubError, RetryLater
from foureyes.shared.errors import UserError

_SECONDS = 10.0


def find_token(github_url: str, environment: Mapping[str, str]) -> str:
    """Raises UserError if there is none. A token for github.com is not shown to another server."""
    host = (urlsplit(github_url).hostname or "").lower()
    for name in _variables(host):
        if token := environment.get(name, "").strip():
            return token
    token = _ask_gh(host, environment)
    if not token:
        names = " or ".join(_variables(host))
        raise UserError(
            f"there is no token of yours for {host}",
            why="GitHub is asked as you",
            next_step=f"gh auth login --hostname {host}, or set {names}",
        )
    return token


def way_out(error: Exception) -> str:
    """What to do where GitHub could not be read with it."""
    if isinstance(error, RetryLater):
        return f"GitHub asks to wait: try again in {error.after:.0f} s"
    if isinstance(error, GitHubError) and error.status in (401, 403):
        return "your token was refused: `gh auth status` shows which one it is and what it may read"
    if any(said in str(error) for said in ("could not be reached", "no answer within")):
        return "see that this machine reaches it (a proxy is taken from HTTPS_PROXY), then try again"
    if "Could not resolve to a Repository" in str(error):
        return "check the name; a private repository needs a token with access to it"
    return "try again"


def _variables(host: str) -> tuple[str, ...]:
    """gh's own rule: which variables hold a token for which server. What is asked on this machine is a sandbox that
    has proved itself.
    """
    if host in ("github.com", "127.0.0.1", "localhost") or host.endswith(".ghe.com"):
        return ("GH_TOKEN", "GITHUB_TOKEN")
    return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


def _ask_gh(host: str, environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            ["gh", "auth", "token", "--hostname", host],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
