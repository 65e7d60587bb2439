"""`foureyes sandbox`: the stand-in alone, with what a person needs to drive a pull request by hand."""

import json
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import click

from foureyes.github_app.sandbox import seed
from foureyes.github_app.sandbox.server import HOST, Sandbox
from foureyes.shared.errors import UserError

REPOSITORY = "acme/shop"
_OLDEST_GIT = (2, 38)
"""The first with `merge-tree --write-tree`."""
_SHOWN = ("olga", "rita", "ben", "noor")
_CURL = "curl -s -H 'Authorization: Bearer {token}' {url}"
_QUIET = " -o /dev/null -w '%{http_code}\\n'"
_SERVES = "http://127.0.0.1:8080/webhook"
"""Where `foureyes serve` listens unless it is told otherwise."""


@click.command("sandbox", help="Run a GitHub stand-in on loopback, with an organisation to try things on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep; without it all is gone at the end.",
)
@click.option("--no-merge-check", is_flag=True, help="Let pull requests merge without the required check.")
@click.option("--webhook", default="", help="Where the App hears webhooks; can be told later.")
@click.option("--json", "as_json", is_flag=True, help="Say everything in one line of JSON.")
def command(port: int, data: Path | None, no_merge_check: bool, webhook: str, as_json: bool) -> int:
    stopped = _stop_signal()
    with ExitStack() as closing:
        folder = data or Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="foureyes-sandbox-")))
        sandbox = _start(folder, port, merge_check=not no_merge_check)
        closing.callback(sandbox.stop)
        sandbox.set_webhook_url(webhook)
        click.echo(json.dumps(described(sandbox)) if as_json else _told(sandbox))
        stopped.wait()
    return 0


def _start(folder: Path, port: int, *, merge_check: bool) -> Sandbox:
    _need_git()
    try:
        return Sandbox.start(folder, merge_check=merge_check, port=port)
    except OSError as problem:
        raise UserError(
            f"the sandbox cannot listen on {HOST}:{port}: {problem.strerror or problem}",
            why="without its port nothing can reach it; nothing was started",
            next_step="leave --port out to take a free one",
        ) from None


def _need_git() -> None:
    """Found out before anything is written: git, new enough, with its own HTTP server part."""
    missing = "git"
    if shutil.which("git"):
        words = _git("version").split()
        number = tuple(int(part) for part in words[2].split(".")[:2] if part.isdecimal())
        backend = Path(_git("--exec-path")) / "git-http-backend"
        missing = "git 2.38 or newer" if number < _OLDEST_GIT else "" if backend.exists() else backend.name
    if missing:
        raise UserError(
            f"the sandbox needs {missing}, which is not here",
            why="it keeps real repositories and serves them with git's own programs; nothing was started",
            next_step="install git with your system's package manager",
        )


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, check=True, text=True).stdout.strip()


def described(sandbox: Sandbox) -> dict[str, Any]:
    """Addresses, people with their tokens, and the settings for an App process."""
    world = sandbox.world
    people = {login: world.users[number] for login, number in seed.PEOPLE.items()}
    return {
        "url": sandbox.url,
        "api_url": f"{sandbox.url}/api/v3",
        "graphql_url": f"{sandbox.url}/api/graphql",
        "control_url": f"{sandbox.url}/_sandbox",
        "repository": REPOSITORY,
        "merge_check": world.merge_check,
        "users": {
            login: {"id": user.id, "email": user.emails[0], "token": sandbox.token(login)}
            for login, user in people.items()
        },
        "teams": {slug: list(logins) for slug, logins in seed.TEAMS.items()},
        "environment": sandbox.environment(),
    }


def _told(sandbox: Sandbox) -> str:
    facts = described(sandbox)
    users, api = facts["users"], facts["api_url"]
    pulls = f"{api}/repos/{REPOSITORY}/pulls"
    olga, rita, ben, noor = (users[login]["token"] for login in ("olga", "rita", "ben", "noor"))
    control = facts["control_url"]
    approve = """ -d '{"event": "APPROVE"}'"""
    new_pull = '{"title": "Widen the network", "head": "widen", "base": "main"}'
    check = (
        "The merge waits for the check `foureyes` of the App."
        if sandbox.world.merge_check
        else "The merge check is off: anything merges."
    )
    return "\n".join(
        (
            "The foureyes sandbox: a stand-in for GitHub on this machine. Nothing here is real, nothing leaves.",
            f"  web and git   {facts['url']}    REST {api}    GraphQL {facts['graphql_url']}",
            f"  repository    {REPOSITORY}   {check}",
            f"  people        {', '.join(users)}; {seed.OWNER} owns acme and may bypass",
            "",
            *(f"  {login:<5} {users[login]['token']}" for login in _SHOWN),
            f"  all tokens    curl -s {control}/tokens",
            "",
            "Run the App on it, in a second terminal:",
            f'  eval "$(curl -s {control}/exports)"',
            f"""  curl -s {control}/webhook -d '{{"url": "{_SERVES}"}}'""",
            "  foureyes serve",
            "",
            "Drive a pull request:",
            f"  git clone http://olga:{olga}@{sandbox.url.removeprefix('http://')}/{REPOSITORY}.git && cd shop",
            f"  git config user.name olga && git config user.email {users['olga']['email']}",
            "  git switch -c widen && echo '# wider' >> infra/network.tf && git commit -am 'Widen the network'",
            "  git push origin widen",
            "  " + _CURL.format(token=olga, url=pulls) + _QUIET + f" -d '{new_pull}'",
            "  " + _CURL.format(token=rita, url=f"{pulls}/1/reviews") + _QUIET + approve,
            "  " + _CURL.format(token=ben, url=f"{pulls}/1/reviews") + _QUIET + approve,
            "  " + _CURL.format(token=olga, url=f"{pulls}/1/merge") + " -X PUT",
            "",
            "Ask about it, with the settings of the second terminal:",
            f"  GH_TOKEN={noor} foureyes explain {REPOSITORY}#1",
            f"  GH_TOKEN={noor} foureyes doctor {REPOSITORY}",
            "",
            f"Make it misbehave:  curl -s {control}/faults      Ctrl-C ends it.",
        )
    )


def _stop_signal() -> Event:
    """Set by SIGTERM and Ctrl-C."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
