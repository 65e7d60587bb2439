"""Lanes that nobody may look at any more: of an installation that is suspended or gone, or of a repository taken out
of it. They rest, instead of failing again and again. When the App comes back, everything is looked at anew.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from foureyes.github_app.sweep_tables import pull_read, repository_swept
from foureyes.github_app.tables import delivery, delivery_awaits, work


def rest_installations(conn: Connection, working: Collection[int], at: int) -> int:
    """All but those of the installations that work. Returns how many lanes were laid to rest."""
    return _rest(
        conn,
        work.c.installation_id.not_in(list(working)),
        pull_read.c.installation_id.not_in(list(working)),
        repository_swept.c.installation_id.not_in(list(working)),
        at,
    )


def rest_repositories(conn: Connection, installation: int, covered: Collection[int], at: int) -> int:
    """Those of the installation whose repositories it does not cover."""
    here = list(covered)
    return _rest(
        conn,
        (work.c.installation_id == installation) & work.c.repository_id.not_in(here),
        (pull_read.c.installation_id == installation) & pull_read.c.repository_id.not_in(here),
        (repository_swept.c.installation_id == installation) & repository_swept.c.repository_id.not_in(here),
        at,
    )


def _rest(
    conn: Connection,
    lanes: ColumnElement[bool],
    reads: ColumnElement[bool],
    swept: ColumnElement[bool],
    at: int,
) -> int:
    # What came after the list was asked for must have its look, which fails if it is right that the lane should rest.
    tried = (work.c.gen > work.c.done_gen) & (work.c.tries > 0)
    awake = or_(work.c.live & (work.c.gen == work.c.done_gen), tried)
    keys = list(conn.execute(select(work.c.key).where(lanes, awake)).scalars())
    rested = 0
    # in small steps: a database takes only so many values in one statement
    for start in range(0, len(keys), 500):
        # once more: on PostgreSQL a delivery may have woken one of them since
        rested += _rest_some(conn, work.c.key.in_(keys[start : start + 500]) & awake, at)
    conn.execute(delete(pull_read).where(reads))
    conn.execute(delete(repository_swept).where(swept))
    return rested


def _rest_some(conn: Connection, some: ColumnElement[bool], at: int) -> int:
    rested = {
        "done_gen": work.c.gen,
        "live": False,
        "green": False,
        "owner": "",
        "lease_until": 0,
        "tries": 0,
    }
    resting = update(work).where(some).values(**rested, last_error="").returning(work.c.key)
    keys = list(conn.execute(resting).scalars())
    waited = delete(delivery_awaits).where(delivery_awaits.c.lane.in_(keys)).returning(delivery_awaits.c.guid)
    guids = sorted(set(conn.execute(waited).scalars()))
    still = select(delivery_awaits.c.guid).where(delivery_awaits.c.guid == delivery.c.guid).exists()
    for start in range(0, len(guids), 500):
        those = delivery.c.guid.in_(guids[start : start + 500])
        undecided = and_(those, delivery.c.decided_at.is_(None), ~still)
        conn.execute(update(delivery).where(undecided).values(decided_at=at))
    return len(keys)
