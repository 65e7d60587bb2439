"""The inbox: a delivery is stored together with the work it causes, in one transaction, before it is acknowledged.

A delivery is decided once every lane it woke has been looked at. GitHub repeats one under the same GUID: it is
dropped only if it was decided, not merely seen, so that asking GitHub to deliver again always helps.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from foureyes.github_app import seen, storage
from foureyes.github_app.events import Effects, effects
from foureyes.github_app.lanes import EVERY_BRANCH, LANDED, Lane, groups, wake_all
from foureyes.github_app.policy_in_force import may_be_gated
from foureyes.github_app.storage import decision, delivery, delivery_awaits
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
    with storage.writing(engine) as conn:
        at = storage.now(conn)
        if not _is_news(conn, given, found.note, at):
            return False
        _keep(conn, found, at)
        is_default = any(lane.ref == EVERY_BRANCH for lane in found.lanes)
        wanted = [lane for lane in found.lanes if _matters(conn, lane, is_default)]
        woken = wake_all(conn, [*_groups(conn, given.event, found), *wanted], at)
        _await(conn, given.guid, woken, at)
    return True


def undecided(conn: Connection) -> int:
    """How many deliveries are stored and not decided."""
    return conn.execute(select(func.count()).where(delivery.c.decided_at.is_(None))).scalar_one()


def _is_news(conn: Connection, given: Delivery, note: str, at: int) -> bool:
    digest = sha256_hex(given.body)
    action = given.payload.get("action")
    row = storage.insert(conn, delivery).values(
        guid=given.guid,
        event=given.event,
        action=action if isinstance(action, str) and action.isidentifier() and len(action) <= 64 else "",
        received_at=at,
        received_count=1,
        payload=zlib.compress(given.body, 1),
        payload_sha256=digest,
        note=note,
    )
    again = {"received_count": delivery.c.received_count + 1}
    stored = row.on_conflict_do_update(index_elements=[delivery.c.guid], set_=again)
    before = conn.execute(stored.returning(delivery.c.decided_at, delivery.c.payload_sha256)).one()
    if before.payload_sha256 == digest:
        return before.decided_at is None
    # The GUID is not signed, the body is: another body under a known GUID is another delivery.
    other = {
        "event": given.event,
        "payload": zlib.compress(given.body, 1),
        "payload_sha256": digest,
        "note": note,
    }
    conn.execute(update(delivery).where(delivery.c.guid == given.guid).values(other))
    return True


def _keep(conn: Connection, found: Effects, at: int) -> None:
    for push in found.pushes:
        seen.keep_push(conn, push, at)
    for review in found.reviews:
        seen.keep_review(conn, review, at)


def _matters(conn: Connection, lane: Lane, is_default: bool) -> bool:
    """Most pushed branches are nobody's base and not gated; only for the others is there anything to look at."""
    if lane.head or lane.ref == EVERY_BRANCH or is_default:
        return True
    base = lane.ref.removeprefix(LANDED).removeprefix("refs/heads/")
    where = (decision.c.repository_id == lane.repository_id) & (decision.c.base_ref == base)
    if conn.execute(select(decision.c.id).where(where).limit(1)).first() is not None:
        return True
    return lane.ref.startswith(LANDED) and may_be_gated(conn, lane.repository_id, base)


def _groups(conn: Connection, event: str, found: Effects) -> tuple[Lane, ...]:
    """What happens to a pull request may be about one that waits in a merge queue, whose group is green by now."""
    if event not in ("pull_request", "pull_request_review") or not found.lanes:
        return ()
    return groups(conn, found.lanes[0].repository_id)


def _await(conn: Connection, guid: str, woken: dict[str, int], at: int) -> None:
    conn.execute(delete(delivery_awaits).where(delivery_awaits.c.guid == guid))
    if woken:
        rows = [{"guid": guid, "lane": key, "gen": gen} for key, gen in woken.items()]
        conn.execute(delivery_awaits.insert(), rows)
    decided_at = None if woken else at
    conn.execute(update(delivery).where(delivery.c.guid == guid).values(decided_at=decided_at))
