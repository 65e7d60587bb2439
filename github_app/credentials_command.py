"""`foureyes app credentials`: hands the server the credentials of an App that is there already, or changes them.

What is not given stays as it was stored; what was never stored is asked for. Nothing is written before the whole of it
holds, and, unless it is told not to, before GitHub has answered to the key.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from foureyes.github_app import app_manifest, credentials
from foureyes.github_app.client import GitHub, GitHubError
from foureyes.github_app.credentials import Credentials, CredentialsError
from foureyes.github_app.settings import DEFAULTS, PREFIX, Settings, read_settings
from foureyes.shared.errors import UserError

_LARGEST = 64 * 1024


@click.group("app", help="The GitHub App that the server is.")
def group() -> None:
    """Commands about the App itself."""


@dataclass(frozen=True)
class Given:
    """By options. None: not given."""

    app_id: str | None
    key: Path | None
    secret: Path | None
    keep_secret: bool


@group.command(
    "credentials",
    help="Store the id, key and webhook secret of an App where `foureyes serve` finds them.",
    short_help="Store the App's id, key and webhook secret.",
)
@click.option("--id", "app_id", metavar="NUMBER", help="The App's id.")
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="FILE", help="Its private key, as GitHub gave it."
)
@click.option(
    "--secret",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A file with its webhook secret; - reads standard input.",
)
@click.option(
    "--keep-secret", is_flag=True, help="Accept the stored secret as well, until this is run without it."
)
@click.option("--offline", is_flag=True, help="Do not ask GitHub whether they hold.")
@click.option("--json", "as_json", is_flag=True, help="Say in JSON what was stored and where.")
def command(
    app_id: str | None, key: Path | None, secret: Path | None, keep_secret: bool, offline: bool, as_json: bool
) -> int:
    if keep_secret and secret is None:
        raise click.UsageError(
            "--keep-secret keeps the stored secret beside a new one: give that with --secret"
        )
    given = Given(app_id, key, secret, keep_secret)
    data = Path(os.environ.get(f"{PREFIX}DATA", "").strip() or DEFAULTS["DATA"])
    settings = read_settings(_environment(given, _stored(data)))
    answer = None if offline else _asked(settings)
    found = Credentials(settings.app_id, settings.github_url, settings.private_key, settings.webhook_secrets)
    try:
        path = credentials.store(data, found, replace=True)
    except CredentialsError as error:
        raise UserError(
            str(error), next_step="see to that folder, then run this again; nothing was changed"
        ) from error
    _tell(path, settings, answer, as_json)
    return 0


def _stored(data: Path) -> Mapping[str, str]:
    """What was stored before; what cannot be read is about to be replaced."""
    with suppress(CredentialsError):
        return credentials.read(data)
    return {}


def _environment(given: Given, stored: Mapping[str, str]) -> dict[str, str]:
    """The settings as they will be, so that they are judged by the same rules as at the start of the server. Those of
    the App come from here alone: an environment that names another App would be checked in its place.
    """
    result = {name: value for name, value in os.environ.items() if name not in _ours()}
    if not result.get(f"{PREFIX}GITHUB_URL", "").strip():
        result[f"{PREFIX}GITHUB_URL"] = stored.get("GITHUB_URL", "")
    result[f"{PREFIX}APP_ID"] = given.app_id or stored.get("APP_ID") or _prompt("The App's id", "--id")
    result[f"{PREFIX}PRIVATE_KEY"] = _key(given, stored)
    secret = stored.get("WEBHOOK_SECRET", "")
    if given.secret is not None:
        new = _text(given.secret, "webhook secret").strip()
        kept = secret.split(",")[-1] if given.keep_secret else ""
        secret = f"{kept},{new}" if kept and kept != new else new
    elif not secret:
        secret = _prompt("Its webhook secret", "--secret", hidden=True)
    result[f"{PREFIX}WEBHOOK_SECRET"] = secret
    return result


def _ours() -> tuple[str, ...]:
    return tuple(
        f"{PREFIX}{name}" for name in ("APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_FILE", "WEBHOOK_SECRET")
    )


def _key(given: Given, stored: Mapping[str, str]) -> str:
    """PEM. GitHub's download is readable by others as often as not; the copy that is kept is not."""
    path = given.key or (Path(stored["PRIVATE_KEY_FILE"]) if "PRIVATE_KEY_FILE" in stored else None)
    return _text(path or Path(_prompt("The file with its private key", "--key")), "private key")


def _text(path: Path, what: str) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read(_LARGEST)
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(
            f"the {what} cannot be read: {path}: {why}", next_step="give another file; nothing was changed"
        ) from error


def _prompt(what: str, option: str, *, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise UserError(
            f"{what[0].lower()}{what[1:]} is not known",
            next_step=f"give it with {option}: there is no terminal to ask on",
            exit_code=2,
        )
    return str(click.prompt(what, hide_input=hidden, err=True))


def _asked(settings: Settings) -> Mapping[str, Any]:
    """GitHub's answer to who the App is. Raises UserError."""
    try:
        answer = GitHub(settings).as_app("GET", "/app").data
    except GitHubError as error:
        raise UserError(_refusal(error, settings), why=error.why, next_step=_remedy(error)) from error
    if not isinstance(answer, dict) or answer.get("id") != settings.app_id:
        raise UserError(
            f"{settings.github_url} answered for another App than {settings.app_id}",
            next_step="Nothing was changed. Compare the id with the App's settings page.",
        )
    return answer


def _refusal(error: GitHubError, settings: Settings) -> str:
    if error.status in (401, 403, 404):
        return f"{settings.github_url} knows no App {settings.app_id} with this key"
    return f"{settings.github_url} could not be asked whether this is so"


def _remedy(error: GitHubError) -> str:
    if error.status in (401, 403, 404):
        return (
            "Nothing was changed. Compare id and key with the App's settings page, and this machine's clock."
        )
    return "Nothing was changed. Try again, or use --offline."


def _tell(path: Path, settings: Settings, answer: Mapping[str, Any] | None, as_json: bool) -> None:
    winning = [name for name in _ours() if os.environ.get(name, "").strip()]
    missing = app_manifest.missing(answer.get("permissions") or {}, answer.get("events")) if answer else ()
    if as_json:
        told = {
            "app_id": settings.app_id,
            "app": answer.get("slug") if answer else None,
            "checked": answer is not None,
            "environment_wins": winning,
            "missing": list(missing),
            "secrets": len(settings.webhook_secrets),
            "stored": str(path),
        }
        click.echo(json.dumps(told))
        return
    name = (
        f"{answer.get('name')} (App {settings.app_id})" if answer else f"App {settings.app_id}, not checked"
    )
    click.echo(f"{name}: stored in {path}")
    if len(settings.webhook_secrets) == 2:
        click.echo("two webhook secrets are accepted: restart the server, then change the secret on GitHub")
    else:
        click.echo("the server takes them at its next start")
    if winning:
        click.echo(f"the environment wins over what is stored: it sets {', '.join(winning)}")
    if missing:
        click.echo(f"the App lacks what app.yml asks for: {', '.join(missing)}; set it on its settings page")
