"""What is not kept for ever, and that nothing which a verdict could stand on is among it.

What was witnessed (pushes, reviews, records, policies), what landed and what was alerted is kept for good: a branch
can be opened as a pull request years later, and who pushed it then must not count. Three things go when they are old:
deliveries that were decided, lanes of heads that nobody has open, and decisions that a newer one on the same pull
request, head and base replaced, unless the pull request landed or an alert names them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, delete, select

from foureyes.github_app import group_commit, storage
from foureyes.github_app.tables import alert, decision, delivery, landing, work

DAY_MS = 86_400_000
BATCH = 500
"""Rows in one transaction: nobody waits for it longer than for any other."""
MOST_BATCHES = 4
"""Of each kind in one round; the rest goes in the next, after the keeper has renewed its leases."""


@dataclass(frozen=True)
class Retention:
    """Days; 0 keeps for good."""

    deliveries: int = 30
    decisions: int = 400


@dataclass(frozen=True)
class Purged:
    deliveries: int = 0
    lanes: int = 0
    decisions: int = 0

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.lanes or self.decisions)


def purge(engine: Engine, keep: Retention, at: int) -> Purged:
    """One round. `at` in milliseconds since 1970."""
    return Purged(
        deliveries=_purge(engine, delivery, delivery.c.guid, _old_deliveries(_before(keep.deliveries, at))),
        lanes=_purge(engine, work, work.c.key, _old_lanes(_before(keep.deliveries, at))),
        decisions=_purge(engine, decision, decision.c.id, _replaced(_before(keep.decisions, at))),
    )


def _before(days: int, at: int) -> int:
    return at - days * DAY_MS if days else 0


def _old_deliveries(before: int) -> ColumnElement[bool]:
    """Null, which is not decided, is less than nothing."""
    return delivery.c.decided_at < before


def _old_lanes(before: int) -> ColumnElement[bool]:
    idle = (work.c.gen == work.c.done_gen) & (work.c.owner == "")
    return (work.c.done_at < before) & idle & ~work.c.live & ~work.c.green


def _replaced(before: int) -> ColumnElement[bool]:
    newer = decision.alias("newer")
    same = [newer.c[name] == decision.c[name] for name in ("repository_id", "head", "base_ref", "pull")]
    by_newer = select(newer.c.id).where(*same, newer.c.made_at > decision.c.made_at).exists()
    of_pull = (landing.c.repository_id == decision.c.repository_id) & (landing.c.pull == decision.c.pull)
    landed = select(landing.c.after).where(of_pull).exists()
    named = select(alert.c.id).where(alert.c.decision == decision.c.id).exists()
    return (decision.c.made_at < before) & by_newer & ~landed & ~named


def _purge(engine: Engine, table: Table, key: Column[str], old: ColumnElement[bool]) -> int:
    found = select(key).where(old).limit(BATCH)
    purged = 0
    for _ in range(MOST_BATCHES):
        # Looked for outside the transaction that deletes: nobody waits while it is read.
        with storage.reading(engine) as conn:
            keys: list[str] = list(conn.execute(found).scalars())
        if keys:
            purged += group_commit.commit(engine, _deletion(table, key, keys, old))
        if len(keys) < BATCH:
            break
    return purged


def _deletion(
    table: Table, key: Column[str], keys: Sequence[str], old: ColumnElement[bool]
) -> Callable[[Connection], int]:
    """Only what is still old: a lane may have been woken since."""
    return lambda conn: conn.execute(delete(table).where(key.in_(keys), old)).rowcount
