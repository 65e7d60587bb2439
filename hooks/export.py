"""`foureyes export`: records for other tools."""

import json
from pathlib import Path

import click

from foureyes.hooks.git_ai_notes import write_git_ai
from foureyes.hooks.known_records import read_known
from foureyes.hooks.ranges import commits_in
from foureyes.hooks.repo import Repo
from foureyes.shared import agent_trace, git_ai_writing
from foureyes.shared.errors import UserError
from foureyes.shared.others_notes import GIT_AI
from foureyes.shared.record import statement


@click.command("export")
@click.argument("range", default="HEAD")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "agent-trace", "git-ai"]),
    default="json",
    show_default=True,
    help="json: our records; agent-trace: Agent Trace 0.1; git-ai: its notes.",
)
@click.option("--notes", is_flag=True, help=f"With git-ai: write them to {GIT_AI}, beside what is there.")
@click.option("--offline", is_flag=True, help="Ask no remote for records that are missing.")
@click.option("--json", "as_json", is_flag=True, help="All in one JSON list, instead of one object a line.")
def command(range: str, form: str, notes: bool, offline: bool, as_json: bool) -> None:
    """Write the records of RANGE (`main..work`, or one commit; default: HEAD) for other tools, oldest first.

    Commits without a record are left out. Neither Agent Trace nor git-ai knows removed lines; only our own records
    have them.
    """
    if notes and form != "git-ai":
        raise UserError("--notes goes with --format git-ai", exit_code=2)
    repo = Repo.open(Path.cwd(), bare_ok=True)
    oids = commits_in(repo, range)
    known = read_known(repo, oids, offline=offline)
    found = [
        (one.commit, one.record) for oid in oids if (one := known.get(oid)) and one.commit and one.record
    ]
    if notes:
        written = write_git_ai(repo, {commit.oid: record for commit, record in found})
        told = {"ref": GIT_AI, "written": written}
        click.echo(json.dumps(told) if as_json else f"{written} notes written to {GIT_AI}")
        return
    if form == "json":
        values: list[object] = [statement(record) for _, record in found]
    elif form == "agent-trace":
        values = [agent_trace.trace_of(record, commit.committed_at) for commit, record in found]
    else:
        values = [
            {"commit": commit.oid, "note": note}
            for commit, record in found
            if (note := git_ai_writing.note_of(record)) is not None
        ]
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for value in values:
        click.echo(json.dumps(value))
