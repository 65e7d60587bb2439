"""`foureyes log`: a history with who made each commit."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from foureyes.hooks import paging
from foureyes.hooks.commits import Commit
from foureyes.hooks.git_ai_notes import agent_id
from foureyes.hooks.known_records import Known, agent_name, read_known
from foureyes.hooks.on_screen import day, printable, title_of
from foureyes.hooks.ranges import listed
from foureyes.hooks.repo import Repo

_MOST = 100
_COLOURS = {"ai": "magenta", "human": "green", "claimed": "yellow", "none": None}


@click.command("log")
@click.argument("range", default="HEAD")
@click.option(
    "-n",
    "--max-count",
    type=click.IntRange(min=0),
    default=_MOST,
    show_default=True,
    help="At most so many commits.",
)
@click.option("--offline", is_flag=True, help="Ask no remote for records that are missing.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(range: str, max_count: int, offline: bool, as_json: bool) -> None:
    """Show the commits of RANGE (`main..work`; default: all up to HEAD), newest first, with who made each.

    `agent` and `person`: by its record. A ~ marks a claim: no record, but the message or the author names an agent.
    `?`: nobody saw it being made.
    """
    repo = Repo.open(Path.cwd(), bare_ok=True)
    oids = listed(repo, range, f"--max-count={max_count}")
    known = read_known(repo, oids, offline=offline)
    found = [(one.commit, one) for oid in oids if (one := known.get(oid)) and one.commit]
    if as_json:
        click.echo(json.dumps([_as_json(*one) for one in found], indent=2))
    else:
        paging.show(_as_text(found))


def _class(known: Known) -> str:
    if known.record is not None:
        return known.record.cls or "none"
    return "claimed" if known.claims or known.noted else "none"


def _agents(known: Known) -> list[str]:
    if known.record is not None:
        return [agent.id for agent in known.record.agents]
    return list(dict.fromkeys([*known.claims, *(agent_id(noted.agent.tool) for noted in known.noted)]))


def _as_text(found: Sequence[tuple[Commit, Known]]) -> Iterator[str]:
    rows = [(commit, known, _who(commit, known), _size(known)) for commit, known in found]
    width = min(max((len(who) for _, _, who, _ in rows), default=0), 30)
    wide = max((len(size) for _, _, _, size in rows), default=0)
    for commit, known, who, size in rows:
        at = day(commit.committed_at)
        told = click.style(f"{who[:width]:<{width}}", fg=_COLOURS[_class(known)])
        title = title_of(commit.message)
        yield f"{click.style(commit.oid[:10], dim=True)} {at:<10} {told} {size:>{wide}}  {title}"


def _who(commit: Commit, known: Known) -> str:
    cls, name = _class(known), printable(commit.author.name)
    names = ", ".join(agent_name(agent) for agent in _agents(known))
    if cls == "human":
        return name
    return {"ai": names or "an agent", "claimed": f"~{names}", "none": f"{name} ?"}[cls]


def _size(known: Known) -> str:
    if known.record is None:
        return ""
    totals = known.record.totals
    return f"+{totals.added:,} -{totals.deleted:,}"


def _as_json(commit: Commit, known: Known) -> dict[str, object]:
    record = known.record
    return {
        "commit": commit.oid,
        "class": (record.cls or None) if record else None,
        "agents": _agents(known) if record else [],
        "claims": [] if record else _agents(known),
        "operator": (record.operator.claim or record.operator.email or None) if record else None,
        "witnessed": record.witness is not None if record else False,
        "source": known.source or None,
        "files": record.totals.files if record else None,
        "added": record.totals.added if record else None,
        "deleted": record.totals.deleted if record else None,
        "files_deleted": record.totals.files_deleted if record else None,
        "author": {"name": commit.author.name, "email": commit.author.email},
        "at": commit.committed_at,
        "title": commit.message.strip().split("\n")[0],
    }
