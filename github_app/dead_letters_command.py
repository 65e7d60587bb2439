"""`foureyes dead-letters`: what could not be looked at again and again, from the server's database."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from foureyes.github_app import group_commit, storage
from foureyes.github_app.dead_letters import Failing, failing, retry_now
from foureyes.github_app.lanes import DEAD_AFTER
from foureyes.github_app.server_database import server_database
from foureyes.shared.errors import UserError
from foureyes.shared.markup import count, plain

_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group("dead-letters", help="What could not be looked at, twelve times in a row or more.")
def group() -> None:
    """On the database that FOUREYES_DATA or FOUREYES_DATABASE_URL name; the server may run."""


@group.command(
    "list", help="List them with why, and when each is tried next. The one that failed most comes first."
)
@click.argument("repository", required=False)
@click.option("--failing", "all_failing", is_flag=True, help="Also what failed less often.")
@_JSON
def list_command(repository: str | None, all_failing: bool, as_json: bool) -> int:
    """Exit code 0, whether there are any or not."""
    with server_database() as engine, storage.reading(engine) as conn:
        found = failing(conn, 1 if all_failing else DEAD_AFTER, repository or "")
    if as_json:
        click.echo(json.dumps([asdict(one) | {"due_at": _time(one.due_at)} for one in found], indent=1))
        return 0
    if not found:
        click.echo("Nothing fails." if all_failing else "No dead letters.")
    for one in found:
        click.echo(_told(one))
    return 0


@group.command("retry", help="Try them now: those that are named by their lane, or all.")
@click.argument("lanes", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All dead letters.")
@_JSON
def retry(lanes: tuple[str, ...], every: bool, as_json: bool) -> int:
    if bool(lanes) == every:
        raise click.UsageError("Name lanes as `foureyes dead-letters list` shows them, or say --all.")
    with server_database() as engine:
        with storage.reading(engine) as conn:
            known = [one.lane for one in failing(conn, DEAD_AFTER if every else 1)]
        wanted = known if every else list(dict.fromkeys(lanes))
        if unknown := sorted(set(wanted) - set(known)):
            raise UserError(
                f"nothing fails in lane {', '.join(unknown)}",
                next_step="foureyes dead-letters list --failing",
            )
        made_due = group_commit.commit(engine, lambda conn: retry_now(conn, wanted, storage.now(conn)))
    if as_json:
        click.echo(json.dumps({"retried": made_due, "lanes": wanted}))
    elif made_due:
        click.echo(f"{count(made_due, 'lane')} made due: a running server looks within a second.")
    else:
        click.echo("No dead letters.")
    return 0


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _told(one: Failing) -> str:
    waiting = f", {count(one.waiting, 'delivery', 'deliveries')} undecided" if one.waiting else ""
    return (
        f"{one.slug}  {one.about}: failed {one.tries} times{waiting}; next at {_time(one.due_at)}\n"
        f"    {plain(one.last_error)}\n    lane {one.lane}"
    )
