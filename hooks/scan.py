"""`foureyes scan`: how much of a history agents wrote, where, and what would have waited. Reads, and sends nothing."""

import json
from pathlib import Path

import click

from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_page import write_page
from foureyes.hooks.scan_reading import Asked, scan
from foureyes.hooks.scan_text import as_text


@click.command("scan")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--branch", default="", help="Scan this branch, tag or commit. Default: what is checked out.")
@click.option(
    "--since", default="", help="Only commits after a date that git can read: 2026-01-01, '6 months ago'."
)
@click.option(
    "--policy", type=click.Path(path_type=Path), help="Judge by this policy file instead of the branch's."
)
@click.option("--top", default=10, type=click.IntRange(1, 1000), show_default=True, help="Rows of each list.")
@click.option("--people", is_flag=True, help="Name people too: authors, and titles of commits.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to send around."
)
@click.option("--json", "in_json", is_flag=True, help="The figures in JSON.")
def command(
    path: Path,
    branch: str,
    since: str,
    policy: Path | None,
    top: int,
    people: bool,
    page: Path | None,
    in_json: bool,
) -> int:
    """How much of a history did agents write, where, and what would have waited for two humans?

    Reads the repository at PATH (default: here), changes nothing in it and sends nothing. Ctrl-C shows what was
    read until then.
    """
    report = scan(Asked(path, branch, since, policy, top, people))
    if in_json:
        click.echo(json.dumps(as_json(report), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(as_text(report)))
    if page is not None:
        write_page(page, report)
        click.echo(f"\nWritten: {page}", err=in_json)
    return 0 if report.scanned.complete else 130
