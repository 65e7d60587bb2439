"""Does a newer foureyes work on this database? Then this one stores what it hears, and looks at nothing any more: it
would publish what the newer one lets through no longer, and could misread what that one wrote.
"""

from functools import cache

from sqlalchemy import Connection, func, select

from foureyes.github_app.schema import newest_revision, require_current, revisions_of
from foureyes.github_app.storage import insert, now
from foureyes.github_app.tables import evaluator_at_work
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import VERSION


def begin_work(conn: Connection) -> None:
    """From here on older ones look at nothing. Raises UserError if we are the older one."""
    refuse_older(conn)
    row = insert(conn, evaluator_at_work).values(version=int(VERSION), since=now(conn))
    conn.execute(row.on_conflict_do_nothing())


def refuse_older(conn: Connection) -> None:
    """Raises UserError unless the tables are ours and no newer evaluator has worked on them."""
    require_current(conn)
    newest = _newest_evaluator(conn)
    if newest > int(VERSION):
        raise UserError(
            f"a newer foureyes works on this database (its evaluator is {newest}, ours {VERSION})",
            why="an older one would let through what the newer one does not",
            next_step="start that newer version again, or restore the database from before it",
        )


def is_superseded(conn: Connection) -> bool:
    """As `refuse_older`, cheap enough to be asked before every look and every write."""
    return revisions_of(conn) != {_ours()} or _newest_evaluator(conn) > int(VERSION)


@cache
def _ours() -> str:
    return newest_revision()


def _newest_evaluator(conn: Connection) -> int:
    return conn.execute(select(func.max(evaluator_at_work.c.version))).scalar_one() or 0
