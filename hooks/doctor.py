"""`foureyes doctor`: what is wrong, and the command that mends it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click

from foureyes.hooks import diagnoses, diagnoses_of_person
from foureyes.hooks.cli import SERVER_SIDE, load
from foureyes.hooks.diagnoses import Diagnosis, Look
from foureyes.hooks.repo import Repo
from foureyes.shared.finding import Finding, State

DIAGNOSES: tuple[Diagnosis, ...] = (
    diagnoses.git,
    diagnoses.hooks,
    diagnoses.other_tools,
    diagnoses.installation,
    diagnoses.journal,
    diagnoses_of_person.identity,
    diagnoses_of_person.signing,
    diagnoses_of_person.agents,
    diagnoses_of_person.records,
)
_COLOURS = {State.GOOD: "green", State.PROBLEM: "red", State.NOTE: "yellow", State.UNKNOWN: "yellow"}


@click.command("doctor")
@click.argument("repository", required=False, metavar="[OWNER/REPO]")
@click.option("--online", is_flag=True, help="Also ask GitHub, through `gh`, whether it knows your key.")
@click.option("--app", type=click.IntRange(1), help="With OWNER/REPO: the id of your foureyes App.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(repository: str | None, online: bool, app: int | None, as_json: bool) -> int | None:
    """Find what keeps commits from being recorded, and name what mends it. Changes nothing; exit code 1: a problem.

    With OWNER/REPO, for admins: whether GitHub really holds a merge until the check says so. Asked with your own token
    (GH_TOKEN, or that of gh). Exit code 3: no problem found, and not all could be seen.
    """
    if repository is not None:
        if online:
            raise click.UsageError("--online goes without OWNER/REPO.")
        at_github = cast("Callable[[str, int | None, bool], int]", load("doctor", SERVER_SIDE))
        return at_github(repository, app, as_json)
    if app is not None:
        raise click.UsageError("--app goes with OWNER/REPO.")
    found = examine(Repo.open(Path.cwd()), online=online)
    problems = [finding for finding in found if finding.state is State.PROBLEM]
    if as_json:
        findings = [
            {"subject": f.subject, "state": f.state.value, "what": f.what, "mend": f.mend or None}
            for f in found
        ]
        click.echo(json.dumps({"good": not problems, "findings": findings}, indent=2))
    else:
        click.echo("\n".join(_lines(found, len(problems))))
    if problems:
        raise click.exceptions.Exit(1)
    return None


def examine(repo: Repo, *, online: bool = False) -> tuple[Finding, ...]:
    """Every finding, in the order in which a commit becomes a record."""
    look = Look(repo, online)
    found: list[Finding] = []
    for diagnosis in DIAGNOSES:
        found += diagnosis(look)
        if diagnosis is diagnoses.git and found[-1].state is State.PROBLEM:
            break  # nothing else can be asked of such a git
    return tuple(found)


def _lines(found: tuple[Finding, ...], problems: int) -> list[str]:
    lines = []
    for finding in found:
        state = click.style(f"{finding.state.value:9}", fg=_COLOURS[finding.state])
        lines.append(f"{state}{finding.subject:10}{finding.what}")
        if finding.mend:
            lines.append(f"{'':19}{click.style('→', bold=True)} {finding.mend}")
    count = f"{problems} {'problem' if problems == 1 else 'problems'}"
    return [*lines, "", f"{count} found." if problems else "Commits are recorded here."]
