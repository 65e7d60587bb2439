"""`foureyes demo`: the whole story on this machine. Exit code 0 only if every scene went as told."""

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from foureyes.github_app.sandbox.demo_repository import on_a_copy
from foureyes.github_app.sandbox.demo_stage import CannotPlay, running
from foureyes.github_app.sandbox.demo_story import SHOP, NotAsTold, Story
from foureyes.shared.errors import UserError

_NEXT = """
What to try next{}
   foureyes scan .              how much of your own history agents wrote; nothing is sent
   foureyes demo --repo PATH    this story on a copy of your own repository
   foureyes install             the hooks, in a repository of yours; `foureyes uninstall` takes them out again
   foureyes sandbox             the same stand-in for GitHub, to drive a pull request with curl
   docs/operations.md           the App on your own organisation
"""


@click.command(
    "demo", help="Tell the whole story on this machine: real hooks, a real server, a stand-in for GitHub."
)
@click.option(
    "--repo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Play on a copy of this repository.",
)
@click.option("--no-merge-check", is_flag=True, help="Take the guard away, to see the story fail.")
@click.option(
    "--patience",
    type=click.FloatRange(1),
    default=30.0,
    show_default=True,
    help="Seconds to wait for a check.",
)
@click.option("--json", "as_json", is_flag=True, help="Say in JSON how it ended.")
def command(repo: Path | None, no_merge_check: bool, patience: float, as_json: bool) -> int:
    begun = time.monotonic()
    echo: Callable[[str], object] = (lambda _text: None) if as_json else click.echo
    folder = Path(tempfile.mkdtemp(prefix="foureyes-demo-"))
    echo(
        "foureyes: two humans look, the operator does not count. Everything below is real, on this machine alone."
    )
    problem = None
    # what is started is ended however this ends
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        problem = _play(folder, repo, patience, echo, merge_check=not no_merge_check)
    finally:
        # also when it is stopped: what is left is for whoever looks for a fault
        if problem is None:
            shutil.rmtree(folder, ignore_errors=True)
    seconds = round(time.monotonic() - begun, 1)
    if as_json:
        click.echo(json.dumps({"as_told": problem is None, "problem": problem, "seconds": seconds}))
    elif problem is None:
        click.echo(
            f"\nAll as told, in {seconds:.0f} seconds.{_NEXT.format(_where_it_is(sys.argv[0]))}", nl=False
        )
    else:
        click.echo(f"\nNOT as told: {problem}\nThe logs are in {folder}", err=True)
    return 0 if problem is None else 1


def _where_it_is(program: str) -> str:
    """Nothing, if a shell finds this program by its name; otherwise what makes it so."""
    found, here = shutil.which("foureyes"), Path(program).absolute()
    if here.name != "foureyes" or (found and Path(found).samefile(here)):
        return ""
    return f', after   export PATH="{here.parent}:$PATH"'


def _play(
    folder: Path, repo: Path | None, patience: float, echo: Callable[[str], object], *, merge_check: bool
) -> str | None:
    """What was not as told; None if all was. Raises CannotPlay."""
    try:
        with running(folder, merge_check=merge_check) as stage:
            plot = SHOP if repo is None else on_a_copy(stage, repo)
            Story(stage, plot, echo, patience=patience).tell()
    except NotAsTold as broken:
        return str(broken)
    except CannotPlay:
        raise
    except UserError as error:
        return str(error)
    return None
