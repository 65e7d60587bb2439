"""The sweep among the lanes: looks again where no event would say that something changed.

What this server never heard of is asked of GitHub in other modules, `sweep_*.py`; they wake lanes through here.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from foureyes.github_app.lanes import Lane, wake
from foureyes.github_app.tables import work

MOST = 200
"""Heads of one installation that are not green and that one sweep looks at again, so that a large one takes no other's
turn; the others come with the next sweeps.
"""
PACE = 20
"""Milliseconds from one head to the next, so that news that comes meanwhile is not put behind all of them."""


def sweep(conn: Connection, at: int, *, after_gap: bool = False) -> int:
    """Wakes live lanes whose time to look again has come; after a gap (we were not running) each green one too.

    Green ones go first: a green check that is no longer right is the one thing that cannot wait. A lane that is
    pending anyway is left alone. Returns how many were woken.
    """
    time_has_come: ColumnElement[bool] = work.c.look_at <= at
    if after_gap:
        time_has_come = time_has_come | work.c.green
    place = func.row_number().over(
        partition_by=(work.c.installation_id, work.c.green), order_by=(work.c.look_at, work.c.key)
    )
    idle = work.c.live & (work.c.gen == work.c.done_gen)
    ranked = select(work, place.label("place")).where(idle, time_has_come).subquery()
    # a green one is confirmed each hour or, where the hour's budget does not suffice, taken back
    first = or_(ranked.c.place <= MOST, ranked.c.green)
    found = conn.execute(select(ranked).where(first).order_by(ranked.c.place, ranked.c.key)).all()
    return _wake(conn, [(_lane(row), bool(row.green)) for row in found], at, routine=True)


def wake_idle(conn: Connection, found: Sequence[Lane], at: int) -> int:
    """Wakes those that are not going to be looked at anyway, the green ones first. Returns how many. One that is being
    looked at is woken: the look may have begun before what was found. So is one whose pending look is a routine one: it
    may have to wait for budget, and what was found need not.
    """
    keys = [lane.key for lane in found]
    rows = {row.key: row for row in conn.execute(select(work).where(work.c.key.in_(keys)))}
    woken = []
    for lane in found:
        row = rows.get(lane.key)
        if row is None or row.gen == row.done_gen or row.lease_until > at or row.routine:
            woken.append((lane, bool(row is not None and row.green)))
    return _wake(conn, woken, at)


def _wake(conn: Connection, found: Sequence[tuple[Lane, bool]], at: int, *, routine: bool = False) -> int:
    """`routine`: nothing was found, their time has come. Green ones never are: what cannot be looked at is taken back,
    so that leaving the budget to others would take back what was just going to be confirmed.
    """
    greens = [lane for lane, green in found if green]
    others = [lane for lane, green in found if not green]
    due = {lane.key: at for lane in greens} | {
        lane.key: at + 1 + place * PACE for place, lane in enumerate(others)
    }
    waiting = {lane.key for lane in others}
    # in key order, so that two transactions never wait for each other in a circle
    for lane in sorted((*greens, *others), key=lambda lane: lane.key):
        wake(conn, lane, due[lane.key], routine=routine and lane.key in waiting)
    return len(found)


def _lane(row: Row[Any]) -> Lane:
    return Lane(row.installation_id, row.repository_id, row.slug, row.head, "", row.pull)
