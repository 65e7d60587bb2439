"""The right to write to GitHub: who looked at a lane may say so only while the lane is theirs, and no newer foureyes
works on the database.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from foureyes.github_app import group_commit, lanes, storage
from foureyes.github_app.lanes import Claim
from foureyes.github_app.superseded import is_superseded


def _nothing(_conn: Connection) -> None:
    return None


def may_write(engine: Engine, claim: Claim, also: Callable[[Connection], None] = _nothing) -> bool:
    """Asked right before a write. False: another worker has the lane by now, or a newer foureyes works, and
    may have shown something newer.

    True: the lease is as long as it can be from here on, longer than any request takes, so that nobody else looks
    before the write has ended; and `also` was stored in the same transaction.
    """

    def take(conn: Connection) -> bool:
        if is_superseded(conn) or not lanes.renew(conn, claim, storage.now(conn), claim.lease_ms):
            return False
        also(conn)
        return True

    return group_commit.commit(engine, take)
