"""`foureyes simulate`: a new policy tried on what was really judged, before anyone has to live with it."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy import Connection, func, select

from foureyes.github_app import decisions, storage
from foureyes.github_app.decisions import Decision
from foureyes.github_app.settings import read_database_url
from foureyes.github_app.simulation import Both, Simulation, Tried, simulate, table, told
from foureyes.github_app.tables import decision as decision_table
from foureyes.shared.branches import is_gated
from foureyes.shared.errors import UserError
from foureyes.shared.floor import parse_floor
from foureyes.shared.markup import both as listed
from foureyes.shared.markup import count
from foureyes.shared.policy import Policy
from foureyes.shared.policy_text import PolicyError, parse_policy

_MOST_SHOWN = 40


@click.command("simulate")
@click.option("--policy", "file", type=click.Path(path_type=Path), required=True, help="The policy to try.")
@click.option("--last", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Pull requests.")
@click.option(
    "--floor",
    "below",
    type=click.Path(path_type=Path),
    help="The organisation's floor to try, for all decisions.",
)
@click.option("--default-branch", default="", help="If the decisions do not show it.")
@click.option("--repository", metavar="OWNER/NAME", help="If decisions of several are stored.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(
    file: Path, last: int, below: Path | None, default_branch: str, repository: str | None, as_json: bool
) -> None:
    """Try a new policy on the newest stored decision of each of the last pull requests.

    Shows which would be judged otherwise, how many wait in each week, and what that asks of each reviewer. The
    organisation's floor is the one that each decision was made by, unless --floor names another. Nothing is fetched or
    changed. `foureyes scan --policy FILE` does the like for a history from before foureyes.
    """
    policy = _policy(file)
    floor = None if below is None else _floor(below)
    engine = storage.connect(_database())
    try:
        storage.check_schema(engine)
        with storage.explained(engine), storage.reading(engine) as conn:
            slug = _repository(conn, repository)
            tried = Tried(policy, floor, default_branch or default_of(conn, slug))
            found = simulate(slug, last_of_each(conn, slug, last), tried)
    finally:
        engine.dispose()
    click.echo(json.dumps(_as_json(found, file), indent=1) if as_json else "\n".join(_as_text(found, file)))


def last_of_each(conn: Connection, slug: str, most: int) -> Iterator[Decision]:
    """The newest decision of each of the pull requests that were judged last."""
    column = decision_table.c
    newest: dict[tuple[int, int], str] = {}
    listed = select(column.id, column.repository_id, column.pull).where(column.slug == slug)
    for row in conn.execute(listed.order_by(column.made_at.desc(), column.id.desc())):
        if len(newest) == most and (row.repository_id, row.pull) not in newest:
            break
        newest.setdefault((row.repository_id, row.pull), row.id)
    for decision_id in newest.values():
        one = decisions.load(conn, decision_id)
        if one is not None:
            yield one


def default_of(conn: Connection, slug: str) -> str:
    """The repository's default branch, as its decisions show it: gated although no policy named it. "": they do not."""
    column = decision_table.c
    query = select(column.base_ref, column.policy, func.count()).where(column.slug == slug)
    counts: Counter[str] = Counter()
    for base_ref, text, number in conn.execute(query.group_by(column.base_ref, column.policy)):
        try:
            named = is_gated(base_ref, parse_policy(text), "")
        except PolicyError:
            continue
        if not named:
            counts[base_ref] += number
    return max(counts, key=lambda name: (counts[name], name), default="")


def _unreadable(file: Path, error: OSError | UnicodeDecodeError) -> UserError:
    if isinstance(error, UnicodeDecodeError):
        return UserError(f"{file} cannot be read: it is not UTF-8 text", next_step="save it as UTF-8")
    return UserError(f"{file} cannot be read: {error.strerror}", next_step="name a policy file that is there")


def _floor(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
        parse_floor(text)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error
    except PolicyError as error:
        lines = "".join(f"\n  {file}:{p.line}:{p.column}: {p.message}" for p in error.problems)
        step = "mend it; docs/policy.md says what a floor may hold"
        raise UserError(f"the floor has errors:{lines}", next_step=step) from error
    return text


def _policy(file: Path) -> Policy:
    try:
        return parse_policy(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error
    except PolicyError as error:
        lines = "".join(f"\n  {file}:{p.line}:{p.column}: {p.message}" for p in error.problems)
        raise UserError(
            f"the policy has errors:{lines}", next_step=f"foureyes policy check {file}"
        ) from error


def _database() -> str:
    url = read_database_url(os.environ)
    file = storage.database_file(storage.connect(url))
    if file is not None and not file.is_file():
        raise UserError(
            f"there is no database: {file}",
            next_step="set FOUREYES_DATA or FOUREYES_DATABASE_URL as the server has them; for a history without "
            "decisions: foureyes scan --policy FILE",
        )
    return url


def _repository(conn: Connection, wanted: str | None) -> str:
    slugs = sorted(str(slug) for slug in conn.execute(select(decision_table.c.slug).distinct()).scalars())
    found = [slug for slug in slugs if wanted is None or slug.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if not slugs:
        raise UserError(
            "no decision is stored yet", next_step="foureyes scan --policy FILE tries it on a history"
        )
    what = (
        "decisions of several repositories are stored"
        if wanted is None
        else f"no decision of {wanted} is stored"
    )
    raise UserError(what, next_step=f"name one with --repository: {listed(slugs, 20)}", exit_code=2)


def _as_text(found: Simulation, file: Path) -> Iterator[str]:
    differing = found.differing
    if found.judged:
        days = f", {found.judged[0].at[:10]} to {found.judged[-1].at[:10]}"
        yield f"{count(len(found.judged), 'pull request')} of {found.slug}{days}, judged by {file}"
        yield ""
        yield f"{len(differing)} would be judged otherwise{_in_short(differing)}"
        yield from _indented(table([_row(both) for both in differing[-_MOST_SHOWN:]]))
        if len(differing) > _MOST_SHOWN:
            yield f"  and {len(differing) - _MOST_SHOWN} older ones; --json has them all"
        yield ""
        yield from _weeks(found)
        yield ""
        yield from _load(found)
    if found.strangers:
        one = len(found.strangers) == 1
        yield (
            f"Not known: who {listed(found.strangers)} {'is' if one else 'are'}, for no stored decision asked. Nobody "
            f"counts for {'that name' if one else 'those names'} here."
        )
    if found.unreadable:
        yield f"{count(len(found.unreadable), 'decision')} cannot be read by this version, and is left out."


def _in_short(differing: tuple[Both, ...]) -> str:
    """`: 3 with more people, 1 with fewer, 2 no longer gated`"""
    counts = Counter(_kind(both) for both in differing)
    told = [f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind]]
    return f": {', '.join(told)}" if told else "."


_KINDS = ("with more people", "with fewer", "no longer gated", "with another verdict")


def _kind(both: Both) -> str:
    if not both.after.gated:
        return _KINDS[2]
    if both.after.needed == both.before.needed:
        return _KINDS[3]
    return _KINDS[0] if both.after.needed > both.before.needed else _KINDS[1]


def _row(both: Both) -> tuple[str, ...]:
    return (f"#{both.pull}", both.at[:10], f"{told(both.before)} → {told(both.after)}", both.after.title)


def _weeks(found: Simulation) -> Iterator[str]:
    rows = [("week", "pull requests", "somebody waits", "approvals asked for")]
    for name, week in found.weeks().items():
        rows.append((name, str(week.pulls), _arrow(week.waits), _arrow(week.approvals)))
    yield from table(rows, frozenset({1, 2, 3}))


def _load(found: Simulation) -> Iterator[str]:
    load = found.load()
    if not load:
        yield "Nobody is asked for an approval."
        return
    rows = [("reviewer", "approvals a week, if shared evenly")]
    rows += [(f"@{login}", f"{before:.1f} → {after:.1f}") for login, (before, after) in load.items()]
    yield from table(rows, frozenset({1}))


def _arrow(pair: list[int]) -> str:
    return f"{pair[0]} → {pair[1]}"


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _as_json(found: Simulation, file: Path) -> dict[str, object]:
    return {
        "repository": found.slug,
        "policy": str(file),
        "judged": len(found.judged),
        "differing": [
            {
                "pull_request": both.pull,
                "decision": both.decision,
                "at": both.at,
                "before": _side(both, 0),
                "after": _side(both, 1),
            }
            for both in found.differing
        ],
        "weeks": {
            name: {"pull_requests": week.pulls, "waits": week.waits, "approvals": week.approvals}
            for name, week in found.weeks().items()
        },
        "approvals_a_week": {login: list(pair) for login, pair in found.load().items()},
        "not_known": list(found.strangers),
        "unreadable": list(found.unreadable),
    }


def _side(both: Both, side: int) -> dict[str, object]:
    one = (both.before, both.after)[side]
    return {"outcome": one.outcome.name.lower(), "needed": one.needed, "title": one.title, "gated": one.gated}
