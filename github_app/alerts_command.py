"""`foureyes alerts`: what the gate could not prevent, from the server's database."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

import click

from foureyes.github_app import alerts, storage
from foureyes.github_app.alerts import Alert
from foureyes.github_app.settings import read_database_url
from foureyes.shared.errors import UserError
from foureyes.shared.markup import plain


@click.command("alerts", help="What landed without being let in, and records that vanished. Newest last.")
@click.argument("repository", required=False)
@click.option(
    "--last", "limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(repository: str | None, limit: int, as_json: bool) -> int:
    """Exit code 0, whether there are any or not: they are news, not a failure of this command."""
    found = tuple(reversed(_read(repository or "", limit)))
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], indent=1))
        return 0
    if not found:
        click.echo("No alerts.")
    for one in found:
        click.echo(_told(one))
    return 0


def _read(slug: str, limit: int) -> tuple[Alert, ...]:
    engine = storage.connect(read_database_url(os.environ))
    file = storage.database_file(engine)
    if file is not None and not file.is_file():
        raise UserError(
            f"there is no database: {file}",
            next_step="set FOUREYES_DATA or FOUREYES_DATABASE_URL as the server has them",
        )
    try:
        storage.check_schema(engine)
        with storage.reading(engine) as conn:
            return alerts.listed(conn, slug, limit)
    finally:
        engine.dispose()


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _as_json(one: Alert) -> dict[str, object]:
    return asdict(one) | {"raised_at": _time(one.raised_at)}


def _told(one: Alert) -> str:
    grave = "" if one.grave else " (nothing protected)"
    issue = f" (issue #{one.issue})" if one.issue else ""
    title = one.title.removeprefix("Alert: ")
    lines = [f"{_time(one.raised_at)}  {one.slug}  {one.commit[:7]}  {title}{grave}{issue}"]
    lines += [f"    {plain(line)}" for line in one.text.splitlines() if line]
    return "\n".join(lines)
