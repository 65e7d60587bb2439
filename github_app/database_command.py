"""`foureyes db`: the server's database brought up to date, checked and backed up."""

import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click

from foureyes.github_app import storage
from foureyes.github_app.database_backup import back_up
from foureyes.github_app.database_check import Finding, check
from foureyes.github_app.one_writer import one_writer
from foureyes.github_app.schema import state_of
from foureyes.github_app.server_database import server_database
from foureyes.github_app.settings import read_database_url

_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group("db", help="The server's database: bring its tables up to date, check it, back it up.")
def group() -> None:
    """All of it works on the database that FOUREYES_DATA or FOUREYES_DATABASE_URL name."""


@group.command("migrate", help="Bring the tables up to date, all or nothing. `serve` does it by itself.")
@_JSON
def migrate(as_json: bool) -> int:
    os.umask(0o077)
    engine = storage.connect(read_database_url(os.environ))
    try:
        file = storage.database_file(engine)
        with one_writer(engine, file.parent) if file else nullcontext(), storage.explained(engine):
            with storage.reading(engine) as conn:
                before, ours = state_of(conn)
            storage.migrate(engine)
    finally:
        engine.dispose()
    if as_json:
        click.echo(json.dumps({"before": before, "now": ours}))
    elif before == ours:
        click.echo(f"The tables are up to date ({ours}).")
    else:
        click.echo(f"The tables were brought from {before or 'nothing'} to {ours}.")
    return 0


@group.command("check", help="Read it and compare it with itself. Changes nothing; the server may run.")
@click.option(
    "--sample", default=200, show_default=True, type=click.IntRange(1, 1_000_000),
    help="How many deliveries, records and decisions to read, the newest first.",
)  # fmt: skip
@_JSON
def check_command(sample: int, as_json: bool) -> int:
    """Exit code 1 if anything is not as it should be."""
    with server_database(any_version=True) as engine:
        found = list(check(engine, sample))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        _tell(found)
    return 1 if any(one.problems for one in found) else 0


def _tell(found: Sequence[Finding]) -> None:
    for one in found:
        click.echo(f"{one.what:12}{'problem' if one.problems else 'fine':9}{one.told}")
        for problem in one.problems:
            click.echo(f"  {problem}")


@group.command(
    "backup",
    help="Write a copy to FILE (mode 0600) while the server runs: whole, or not at all.",
    short_help="Write a copy of it while the server runs.",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
@_JSON
def backup(file: Path, replace: bool, as_json: bool) -> int:
    with server_database(any_version=True) as engine:
        size = back_up(engine, file, replace=replace)
        kind = "sqlite" if storage.is_sqlite(engine) else "postgresql"
    if as_json:
        click.echo(json.dumps({"file": str(file), "bytes": size, "database": kind}))
    else:
        click.echo(f"{file}: {size:,} bytes, for {_RESTORED_BY[kind]}")
    return 0


_RESTORED_BY = {"sqlite": "copying into the server's place", "postgresql": "pg_restore"}
