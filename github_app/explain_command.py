"""`foureyes explain OWNER/REPO#N`: why a pull request waits, who counts, who can finish it."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from foureyes.github_app.client import GitHubError
from foureyes.github_app.explain_pull import Explained, explain_pull
from foureyes.github_app.mirror import GitError
from foureyes.github_app.own_token import find_token, way_out
from foureyes.github_app.redaction import HIDDEN, redact
from foureyes.github_app.settings import Settings, read_github_url
from foureyes.shared.errors import UserError
from foureyes.shared.explanation import nothing_said

_NAMED = re.compile(r"(?P<slug>\w[\w-]*/[\w.-]*[\w-][\w.-]*)#(?P<number>[1-9][0-9]{0,8})", re.ASCII)
_EXIT = {"pass": 0, "wait": 3, "block": 4, "broken": 1}
_NO_APP = "not the App"


@click.command("explain")
@click.argument("pull_request", metavar="OWNER/REPO#N")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(pull_request: str, as_json: bool) -> int:
    """Say why a pull request waits, who counts and who does not, and who can finish it.

    Computed on this machine with your own GitHub token (GH_TOKEN, or that of gh), by the same rules as the check. Its
    address on GitHub names it as well. Nothing is written. Exit code: 0 it passes, 3 it waits, 4 it is blocked, 1 an
    error.
    """
    url = read_github_url(os.environ)
    slug, number = _named(pull_request, url)
    token = find_token(url, os.environ)
    settings = Settings(0, _NO_APP, (), github_url=url)
    try:
        explained = explain_pull(settings, token, slug, number, _cache(os.environ, url))
    except (GitHubError, GitError) as error:
        why = redact(error.why.replace(token, HIDDEN))
        raise UserError(f"{slug}#{number} could not be read: {why}", next_step=way_out(error)) from None
    told = (
        json.dumps(_as_json(explained, slug, number), indent=2)
        if as_json
        else _as_text(explained, slug, number)
    )
    click.echo(told.replace(token, HIDDEN))
    return _EXIT[explained.explanation.outcome.name.lower()] if explained.explanation else 0


def _named(text: str, url: str) -> tuple[str, int]:
    given = re.sub(rf"^{re.escape(url)}/([^/]+/[^/]+)/pull/(\d+)(?:[/?#].*)?$", r"\1#\2", text)
    found = _NAMED.fullmatch(given)
    if found is None:
        raise UserError(
            f"{text!r} does not name a pull request of {url}",
            next_step="write it like acme/shop#412, or copy its address",
            exit_code=2,
        )
    return found["slug"], int(found["number"])


def _cache(environment: Mapping[str, str], url: str) -> Path:
    folder = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(folder) / "foureyes" / "explain" / urlsplit(url).netloc.replace(":", "-")


def _as_text(explained: Explained, slug: str, number: int) -> str:
    if explained.explanation is None:
        return explained.said
    return f"{slug}#{number} at {explained.head[:7]}\n{explained.explanation.on_terminal(columns())}"


def columns() -> int:
    """Of the terminal, 100 at most; 0 where nobody looks."""
    return min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else 0


def _as_json(explained: Explained, slug: str, number: int) -> dict[str, object]:
    about: dict[str, object] = {"pull_request": f"{slug}#{number}", "head": explained.head}
    if explained.explanation is None:
        return {**about, **nothing_said(explained.said)}
    told = explained.explanation.to_json()
    assert isinstance(told, dict)  # noqa: S101 - for the type checker
    return {**about, **told}
