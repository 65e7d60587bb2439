"""The sweep: looks again where no event would say that something changed.

It wakes lanes that this server knows. What it never heard of (a pull request opened while every delivery was lost)
it does not find; the next push to a branch that it goes into does.
"""

from sqlalchemy import ColumnElement, Connection, select

from foureyes.github_app.lanes import Lane, wake
from foureyes.github_app.storage import work


def sweep(conn: Connection, at: int, *, after_gap: bool = False) -> int:
    """Wakes every live lane whose time to look again has come; after a gap (we were not running) each green one too.

    Green ones go first: a green check that is no longer right is the one thing that cannot wait. A lane that is
    pending anyway is left alone. Returns how many were woken.
    """
    time_has_come: ColumnElement[bool] = work.c.look_at <= at
    if after_gap:
        time_has_come = time_has_come | work.c.green
    idle = work.c.live & (work.c.gen == work.c.done_gen)
    found = conn.execute(select(work).where(idle, time_has_come).order_by(work.c.key)).all()
    for row in found:
        lane = Lane(row.installation_id, row.repository_id, row.slug, row.head, "", row.pull)
        wake(conn, lane, at if row.green else at + 1)
    return len(found)
