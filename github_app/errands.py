"""What the sweep has to ask, as rows: taken in turn, left where they are when time is up, never by two at once.

Each function takes an open transaction and the time in milliseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select, update

from foureyes.github_app.storage import insert
from foureyes.github_app.sweep_tables import errand

INSTALLATIONS = "installations"
DELIVERIES = "deliveries"
PULLS = "pulls:"
"""Before the number of an installation: what happened to its open pull requests."""
RECORDS = "records:"
"""Before the number of an installation: what was published for the heads that wait."""

LEASE = 180_000
"""Milliseconds; one turn is much shorter (`sweeper.TURN`)."""
_LONGEST_ERROR = 500


@dataclass(frozen=True)
class Errand:
    key: str
    installation_id: int
    place: str
    """Where the last turn stopped; "" at the beginning of a round."""
    owner: str
    tries: int = 0


def expect(conn: Connection, keys: Iterable[tuple[str, int]], at: int) -> None:
    """Those that are not there yet are due at once."""
    for key, installation in keys:
        row = insert(conn, errand).values(
            key=key, installation_id=installation, due_at=at, lease_until=0, owner="", tries=0, place="",
            began_at=at, done_at=None, last_error="",
        )  # fmt: skip
        conn.execute(row.on_conflict_do_nothing())


def hasten(conn: Connection, keys: Iterable[tuple[str, int]], at: int) -> None:
    """Those are due now: what they ask about is known to have changed. A round that has begun, and may have asked
    before the change, is followed by another one at once.
    """
    hurried = sorted(keys)
    expect(conn, hurried, at)
    these = errand.c.key.in_([key for key, _ in hurried])
    begun = (errand.c.lease_until > at) | (errand.c.due_at != errand.c.began_at)
    conn.execute(update(errand).where(these, errand.c.due_at > at, ~begun).values(due_at=at, began_at=at))
    conn.execute(update(errand).where(these, begun).values(began_at=0))
    conn.execute(update(errand).where(these, errand.c.due_at > at).values(due_at=at))


def forget(conn: Connection, installations: Iterable[int]) -> None:
    conn.execute(delete(errand).where(errand.c.installation_id.in_(list(installations))))


def hurry(conn: Connection, at: int, *, alone: bool) -> None:
    """All are due now: nobody watched for a while. `alone`: no other process can be about any of them."""
    free: ColumnElement[bool] = errand.c.lease_until <= at
    where = errand.c.due_at > at if alone else (errand.c.due_at > at) & free
    conn.execute(update(errand).where(where).values(due_at=at, began_at=at))
    if alone:
        conn.execute(update(errand).values(lease_until=0, owner=""))


def clock_went_back(conn: Connection, at: int) -> None:
    """No round is further away than at once, and no lease lasts longer than one does."""
    conn.execute(update(errand).where(errand.c.due_at > at).values(due_at=at, began_at=at))
    conn.execute(update(errand).where(errand.c.lease_until > at + LEASE).values(lease_until=at + LEASE))


def take(conn: Connection, owner: str, at: int) -> Errand | None:
    """The one that has been due longest, or None. `owner` must be new for each turn."""
    candidate = (
        select(errand.c.key)
        .where(errand.c.due_at <= at, errand.c.lease_until <= at)
        .order_by(errand.c.due_at, errand.c.key)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(errand)
        .where(errand.c.key == candidate)
        .values(owner=owner, lease_until=at + LEASE)
        .returning(errand)
    )
    row = conn.execute(statement).first()
    return Errand(row.key, row.installation_id, row.place, row.owner, row.tries) if row else None


def go_on(conn: Connection, taken: Errand, place: str, at: int) -> None:
    """More is to be asked: at once, but after all others that are due."""
    _leave(conn, taken, place=place, due_at=at, tries=0, last_error="")


def finish(conn: Connection, taken: Errand, at: int, every: int, place: str = "") -> None:
    """A whole round is done; the next one begins `every` milliseconds after this one began, with what `place` keeps."""
    row = conn.execute(select(errand.c.began_at).where(_mine(taken))).first()
    due = max(at + 1, (row.began_at if row else at) + every)
    _leave(conn, taken, place=place, due_at=due, began_at=due, done_at=at, tries=0, last_error="")


def put_off(conn: Connection, taken: Errand, why: str, at: int, wait: int) -> None:
    _leave(conn, taken, due_at=at + wait, tries=taken.tries + 1, last_error=why[:_LONGEST_ERROR])


def _leave(conn: Connection, taken: Errand, **values: object) -> None:
    conn.execute(update(errand).where(_mine(taken)).values(owner="", lease_until=0, **values))


def _mine(taken: Errand) -> ColumnElement[bool]:
    return (errand.c.key == taken.key) & (errand.c.owner == taken.owner)
