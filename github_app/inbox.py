"""The inbox: a delivery is stored together with the work it causes, in one transaction, before it is acknowledged.

A delivery is decided once every lane it woke has been looked at. GitHub repeats one under the same GUID: it is
dropped only if it was decided, not merely seen, so that asking GitHub to deliver again always helps.
"""

import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Executable, bindparam, delete, func, select, update

from foureyes.github_app import errands, group_commit, seen, storage
from foureyes.github_app.events import Effects, effects
from foureyes.github_app.lanes import EVERY_BRANCH, LANDED, Lane, groups, wake_all
from foureyes.github_app.policy_in_force import may_be_gated
from foureyes.github_app.tables import decision, delivery, delivery_awaits
from foureyes.shared.canonical import sha256_hex


@dataclass(frozen=True)
class Delivery:
    """One webhook request whose signature was right."""

    guid: str
    event: str
    body: bytes
    """As it came."""
    payload: dict[str, Any] = field(repr=False)
    """`body`, parsed."""


def accept(engine: Engine, given: Delivery) -> bool:
    """Returns once it is safely stored. False: it was decided before, and nothing follows from it again.

    Raises sqlalchemy.exc.SQLAlchemyError if it could not be stored; it must not be acknowledged then.
    """
    found = effects(given.event, given.payload)
    parcel = _packed(given, found.note)
    return group_commit.commit(engine, lambda conn: _store(conn, parcel, found))


def undecided(conn: Connection) -> int:
    """How many deliveries are stored and not decided."""
    return conn.execute(select(func.count()).where(delivery.c.decided_at.is_(None))).scalar_one()


@dataclass(frozen=True)
class _Parcel:
    """A delivery as it is stored; made before the transaction, so that nobody waits for it."""

    guid: str
    columns: dict[str, object]

    @property
    def digest(self) -> object:
        return self.columns["payload_sha256"]


def _packed(given: Delivery, note: str) -> _Parcel:
    action = given.payload.get("action")
    known = isinstance(action, str) and action.isidentifier() and len(action) <= 64
    columns = {
        "event": given.event,
        "action": action if known else "",
        "payload": zlib.compress(given.body, 1),
        "payload_sha256": sha256_hex(given.body),
        "note": note,
    }
    return _Parcel(given.guid, columns)


def _store(conn: Connection, parcel: _Parcel, found: Effects) -> bool:
    at = storage.now(conn)
    mine = delivery.c.guid == parcel.guid
    before = conn.execute(select(delivery.c.decided_at, delivery.c.payload_sha256).where(mine)).first()
    # The GUID is not signed, the body is: another body under a known GUID is another delivery.
    if before and before.decided_at is not None and before.payload_sha256 == parcel.digest:
        again = {"received_count": delivery.c.received_count + 1}
        conn.execute(update(delivery).where(mine).values(again))
        return False
    _keep(conn, found, at)
    woken = wake_all(conn, _wanted(conn, parcel, found), at)
    _file(conn, parcel, woken, at, is_known=before is not None)
    return True


def _file(conn: Connection, parcel: _Parcel, woken: dict[str, int], at: int, *, is_known: bool) -> None:
    """The delivery, and what has to be looked at before it is decided."""
    dialect, decided_at = conn.dialect.name, None if woken else at
    row = {"guid": parcel.guid, "received_at": at, "decided_at": decided_at, **parcel.columns}
    conn.execute(_filing(dialect), row)
    if is_known:
        conn.execute(delete(delivery_awaits).where(delivery_awaits.c.guid == parcel.guid))
    if woken:
        rows = [{"guid": parcel.guid, "lane": key, "gen": gen} for key, gen in woken.items()]
        conn.execute(_awaiting(dialect), rows)


@cache
def _filing(dialect: str) -> Executable:
    names = ("guid", "event", "action", "received_at", "payload", "payload_sha256", "note", "decided_at")
    given: dict[str, Any] = {name: bindparam(name) for name in names}
    row = storage.insert_into(dialect, delivery).values(received_count=1, **given)
    again = {name: row.excluded[name] for name in names[1:] if name != "received_at"}
    again["received_count"] = delivery.c.received_count + 1
    return row.on_conflict_do_update(index_elements=[delivery.c.guid], set_=again)  # type: ignore[no-any-return]


@cache
def _awaiting(dialect: str) -> Executable:
    row = storage.insert_into(dialect, delivery_awaits)
    # In its way can only be the same delivery, stored at the same moment by another server.
    newer = {"gen": row.excluded.gen}
    return row.on_conflict_do_update(index_elements=["guid", "lane"], set_=newer)  # type: ignore[no-any-return]


def _keep(conn: Connection, found: Effects, at: int) -> None:
    for push in found.pushes:
        seen.keep_push(conn, push, at)
    for review in found.reviews:
        seen.keep_review(conn, review, at)
    if found.errands:
        errands.hasten(conn, found.errands, at)


def _matters(conn: Connection, lane: Lane, is_default: bool) -> bool:
    """Most pushed branches are nobody's base and not gated; only for the others is there anything to look at."""
    if lane.head or lane.ref == EVERY_BRANCH or is_default:
        return True
    base = lane.ref.removeprefix(LANDED).removeprefix("refs/heads/")
    where = (decision.c.repository_id == lane.repository_id) & (decision.c.base_ref == base)
    if conn.execute(select(decision.c.id).where(where).limit(1)).first() is not None:
        return True
    return lane.ref.startswith(LANDED) and may_be_gated(conn, lane.repository_id, base)


def _wanted(conn: Connection, parcel: _Parcel, found: Effects) -> list[Lane]:
    is_default = any(lane.ref == EVERY_BRANCH for lane in found.lanes)
    wanted = [lane for lane in found.lanes if _matters(conn, lane, is_default)]
    return [*_groups(conn, str(parcel.columns["event"]), found), *wanted]


def _groups(conn: Connection, event: str, found: Effects) -> tuple[Lane, ...]:
    """What happens to a pull request may be about one that waits in a merge queue, whose group is green by now."""
    if event not in ("pull_request", "pull_request_review") or not found.lanes:
        return ()
    return groups(conn, found.lanes[0].repository_id)
