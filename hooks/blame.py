"""`foureyes blame`: who wrote each line of a file, agents included: one `git blame`, and the records."""

import click

from foureyes.hooks import paging
from foureyes.hooks.blame_told import as_json, as_text, tell


@click.command("blame")
@click.argument("file")
@click.option("--rev", default="", help="The file as of this commit; by default as it lies here.")
@click.option("--offline", is_flag=True, help="Ask no remote for records that are missing.")
@click.option("--json", "wants_json", is_flag=True, help="Answer in JSON.")
def command(file: str, rev: str, offline: bool, wants_json: bool) -> None:
    """Show who wrote each line of FILE: an agent, a person whom the hooks saw, or nobody that is known (?).

    A ~ marks a claim: there is no record, but the commit's message, its author's name, or a note of git-ai
    or Agent Trace names an agent.
    """
    lines = tell(file, rev, offline=offline)
    if wants_json:
        click.echo(as_json(file, rev, lines))
    else:
        paging.show(as_text(lines, click.style))
