"""How the database is reached and a transaction opened. The same code runs on SQLite and on PostgreSQL.

SQLite: write-ahead log, synchronous FULL, one writer at a time in one process (`writing` holds a lock, since SQLite's
own waiting is a series of 100 ms sleeps).
PostgreSQL: plain transactions that write, snapshots to read, and the database's clock, since replicas must agree on
when a lease ends.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from foureyes.shared.errors import UserError

_WRITES = "foureyes_writes"
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""By itself each statement of PostgreSQL sees what was committed before it: two of them may not agree."""
_writer = threading.RLock()
_ANSWERS_SOON = {
    "connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
"""libpq's own patience with a machine that is gone, or a network that swallows everything, is a quarter of an hour."""


def connect(url: str, *, busy_seconds: float = 5) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`. Opens nothing yet.

    `busy_seconds`: how long to wait for another process that writes to the SQLite file.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_seconds)
    given = {name: value for name, value in _ANSWERS_SOON.items() if name not in parsed.query}
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True, pool_size=16, connect_args=given,
        )  # fmt: skip
    except ModuleNotFoundError as error:
        raise UserError(
            "PostgreSQL needs a driver, which is not installed here",
            next_step="pip install 'foureyes[postgres]'",
        ) from error


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def database_file(engine: Engine) -> Path | None:
    """The SQLite file; None on PostgreSQL."""
    return Path(engine.url.database or "") if is_sqlite(engine) else None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; committed at the end, rolled back by an exception.

    Not for two engines at once in one thread: the lock is one per process.
    """
    if not is_sqlite(engine):
        with engine.begin() as conn:
            yield conn
        return
    with _writer, engine.connect() as plain:
        conn = plain.execution_options(**{_WRITES: True})
        with conn.begin():
            yield conn


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent snapshot, in which nothing can be written. On SQLite it never waits for the writer."""
    with engine.connect() as plain:
        conn = plain if is_sqlite(engine) else plain.execution_options(**_SNAPSHOT)
        with conn.begin():
            yield conn


def now(conn: Connection) -> int:
    """Milliseconds, by the clock that all who share this database agree on."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(text("select extract(epoch from clock_timestamp()) * 1000")).scalar_one())
    return time.time_ns() // 1_000_000


def insert(conn: Connection, table: Table) -> Any:
    """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`, which both databases have."""
    return insert_into(conn.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    """As `insert`, for a statement that is made once and used often. `dialect`: `postgresql` or `sqlite`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def migrate(engine: Engine) -> None:
    """Brings the schema to this version, all or nothing.

    Raises UserError if a newer version has worked on the database, and if it cannot be opened.
    """
    from foureyes.github_app.schema import upgrade
    from foureyes.github_app.superseded import refuse_older

    with explained(engine), writing(engine) as conn:
        upgrade(conn)
        refuse_older(conn)


def check_schema(engine: Engine) -> None:
    """Raises UserError unless the database holds exactly this version's schema. Changes nothing."""
    from foureyes.github_app.schema import require_current

    with explained(engine), reading(engine) as conn:
        require_current(conn)


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Tells a database that cannot be used as a UserError."""
    try:
        yield
    except DBAPIError as error:
        where = database_file(engine) or engine.url.render_as_string(hide_password=True)
        raise UserError(
            f"the database cannot be used: {where}: {' '.join(str(error.orig).split())}",
            why="what is acknowledged must be stored first",
            next_step=_mended_by(engine, str(error.orig)),
        ) from error


def _mended_by(engine: Engine, said: str) -> str:
    if not is_sqlite(engine):
        return "check FOUREYES_DATABASE_URL and that the database server runs"
    if "disk is full" in said:
        return (
            "make room on its disk: mirrors in FOUREYES_DATA may be deleted at any time, the database may not"
        )
    return "see that nothing else uses the file and that its folder can be written to"


def _sqlite_engine(url: str, busy_seconds: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": busy_seconds, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        immediate = conn.get_execution_options().get(_WRITES, False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
