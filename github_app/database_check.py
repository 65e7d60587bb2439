"""Does the database hold what it should? Nothing is changed; the server may run."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from foureyes.github_app import decisions, storage, tables
from foureyes.github_app.replay import replay
from foureyes.github_app.schema import state_of
from foureyes.github_app.tables import decision, delivery, envelope_seen, landing, record_seen
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.evaluate import VERSION

_MOST_TOLD = 10


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `problems` is empty if it is as it should be."""

    what: str
    told: str
    problems: tuple[str, ...] = ()


def check(engine: Engine, sample: int) -> Iterator[Finding]:
    """The newest `sample` of each kind are read; everything is counted and, on SQLite, every page looked at."""
    with storage.reading(engine) as conn:
        schema = _schema(conn)
    yield schema
    if schema.problems:
        return
    for what, look in _looks(sample, storage.is_sqlite(engine)).items():
        try:
            with storage.reading(engine) as conn:
                found = look(conn)
        except DBAPIError as error:
            found = Finding(what, "cannot be read", (str(error.orig).strip(),))
        yield found


def _looks(sample: int, is_sqlite: bool) -> dict[str, Callable[[Connection], Finding]]:
    received, seen, sealed = delivery.c.received_at, record_seen.c.seen_at, envelope_seen.c.seen_at
    return {
        "pages" if is_sqlite else "tables": _pages if is_sqlite else _tables,
        "deliveries": lambda conn: _read(conn, "deliveries", received, sample, _delivery_problem),
        "records": lambda conn: _read(conn, "records", seen, sample, _record_problem),
        "envelopes": lambda conn: _read(conn, "envelopes", sealed, sample, _envelope_problem),
        "decisions": lambda conn: _replayed(conn, sample),
        "landings": _landed,
    }


def _schema(conn: Connection) -> Finding:
    found, ours = state_of(conn)
    if found == ours:
        return Finding("schema", ours)
    return Finding("schema", found or "none", (f"this foureyes needs {ours}: foureyes db migrate",))


def _pages(conn: Connection) -> Finding:
    said = [str(row[0]) for row in conn.execute(text("pragma integrity_check"))]
    return Finding("pages", "every page and index", () if said == ["ok"] else tuple(said[:_MOST_TOLD]))


def _tables(conn: Connection) -> Finding:
    """PostgreSQL looks after its own pages; here every row is read once."""
    rows = 0
    for table in tables.metadata.sorted_tables:
        rows += conn.execute(select(func.count()).select_from(table)).scalar_one()
    return Finding("tables", f"{len(tables.metadata.tables)} with {rows} rows")


def _read(
    conn: Connection, what: str, newest: Column[int], sample: int,
    problem: Callable[[Mapping[Any, Any]], str],
) -> Finding:  # fmt: skip
    table = newest.table
    total = conn.execute(select(func.count()).select_from(table)).scalar_one()
    read, problems = 0, []
    for row in conn.execute(select(table).order_by(newest.desc()).limit(sample)).mappings():
        read += 1
        try:
            wrong = problem(row)
        except (zlib.error, ValueError) as error:
            wrong = f"cannot be unpacked: {error}"
        if wrong:
            key = ":".join(str(row[column.name])[:40] for column in table.primary_key)
            problems.append(f"{key} {wrong}")
    return Finding(what, f"{total}, {read} of them read", tuple(problems[:_MOST_TOLD]))


def _delivery_problem(row: Mapping[Any, Any]) -> str:
    return _differs(zlib.decompress(row["payload"]), row["payload_sha256"])


def _envelope_problem(row: Mapping[Any, Any]) -> str:
    return _differs(zlib.decompress(row["envelope"]), row["sha256"])


def _record_problem(row: Mapping[Any, Any]) -> str:
    record = sha256_hex(zlib.decompress(row["record"]))
    return _differs(f"{record} {row['envelopes']}".encode(), row["sha256"])


def _differs(body: bytes, digest: str) -> str:
    return "" if sha256_hex(body) == digest else "does not have the digest that it was stored with"


def _replayed(conn: Connection, sample: int) -> Finding:
    total = conn.execute(select(func.count()).select_from(decision)).scalar_one()
    ids = conn.execute(
        select(decision.c.id).where(decision.c.evaluator == VERSION).order_by(decision.c.made_at.desc()).limit(sample)
    ).scalars()  # fmt: skip
    made, problems = 0, []
    for decision_id in ids:
        made += 1
        try:
            stored = decisions.load(conn, decision_id)
        except zlib.error as error:
            problems.append(f"{decision_id} cannot be unpacked: {error}")
            continue
        result = replay(stored) if stored else None
        problems += [f"{decision_id} {why}" for why in (result.differences[:1] if result else ("is gone",))]
    told = f"{total}, {made} of this evaluator's ({VERSION}) made again"
    return Finding("decisions", told, tuple(problems[:_MOST_TOLD]))


def _landed(conn: Connection) -> Finding:
    there = select(decision.c.id).where(decision.c.id == landing.c.decision).exists()
    gone = conn.execute(select(landing.c.after).where(landing.c.decision != "", ~there)).scalars().all()
    total = conn.execute(select(func.count()).select_from(landing)).scalar_one()
    problems = tuple(f"{after}: the decision that let it in is gone" for after in gone[:_MOST_TOLD])
    return Finding("landings", f"{total}", problems)
