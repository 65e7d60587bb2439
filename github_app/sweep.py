"""The sweep: looks again where no event would say that something changed.

It wakes lanes that this server knows. What it never heard of (a pull request opened while every delivery was lost) it
does not find yet.
"""

from sqlalchemy import ColumnElement, Connection, select

from foureyes.github_app.lanes import EVERY_BRANCH, Lane, wake
from foureyes.github_app.storage import decision, work


def sweep(conn: Connection, at: int, *, after_gap: bool = False) -> int:
    """Wakes every live lane whose time to look again has come; after a gap (we were not running) each green one too.

    Green ones go first: a green check that is no longer right is the one thing that cannot wait. A lane that is
    pending anyway is left alone. Returns how many were woken.
    """
    time_has_come: ColumnElement[bool] = work.c.look_at <= at
    if after_gap:
        time_has_come = time_has_come | work.c.green
    found = _live_lanes(conn, work.c.live & (work.c.gen == work.c.done_gen) & time_has_come)
    for lane, green in found:
        wake(conn, lane, at if green else at + 1)
    return len(found)


def rewake_branch(conn: Connection, moved: Lane, at: int) -> int:
    """A branch that pull requests go into has moved: wakes the live lanes that were decided against it.

    The default branch carries the policy, so when it moves every live lane of the repository is looked at again.
    """
    where = work.c.live & (work.c.repository_id == moved.repository_id)
    if moved.ref != EVERY_BRANCH:
        base = moved.ref.removeprefix("refs/heads/")
        same = (decision.c.repository_id == work.c.repository_id) & (decision.c.head == work.c.head)
        where = where & select(decision.c.id).where(same, decision.c.base_ref == base).exists()
    found = _live_lanes(conn, where)
    for lane, _ in found:
        wake(conn, lane, at)
    return len(found)


def _live_lanes(conn: Connection, where: ColumnElement[bool]) -> list[tuple[Lane, bool]]:
    rows = conn.execute(select(work).where(where).order_by(work.c.key)).mappings()
    return [
        (
            Lane(row["installation_id"], row["repository_id"], row["slug"], row["head"], "", row["pull"]),
            row["green"],
        )
        for row in rows
    ]
