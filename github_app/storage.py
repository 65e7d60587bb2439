"""The tables, and how a transaction is opened. The same code runs on SQLite and on PostgreSQL.

All times are integer milliseconds since 1970, UTC. SQLite: write-ahead log, synchronous FULL, one writer at a
time in one process (`writing` holds a lock, since SQLite's own waiting is a series of 100 ms sleeps).
PostgreSQL: plain transactions, and the database's clock, since replicas must agree on when a lease ends.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from foureyes.shared.errors import UserError

metadata = MetaData()
_PENDING = text("gen > done_gen")

delivery = Table(
    "delivery",
    metadata,
    Column("guid", String(64), primary_key=True),
    Column("event", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("received_count", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # zlib
    Column("payload_sha256", String(64), nullable=False),
    Column("note", Text, nullable=False),  # why nothing was woken, or what was noticed
    Column("decided_at", BigInteger),
    Index("delivery_decided", "decided_at"),
)

# Which generation of which lane has to be done before a delivery is decided.
delivery_awaits = Table(
    "delivery_awaits",
    metadata,
    Column("guid", String(64), primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("gen", BigInteger, nullable=False),
    Index("delivery_awaits_lane", "lane", "gen"),
)

work = Table(
    "work",
    metadata,
    Column("key", Text, primary_key=True),
    Column("installation_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("head", String(64), nullable=False),
    Column("ref", Text, nullable=False),
    Column("pull", BigInteger),  # a hint: the last pull request heard of with this head
    Column("gen", BigInteger, nullable=False),
    Column("done_gen", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),  # GitHub asked us to wait until then
    Column("lease_until", BigInteger, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("done_at", BigInteger),
    Column("live", Boolean, nullable=False),  # the head still has an open pull request into a gated branch
    Column("green", Boolean, nullable=False),  # our check on it says success
    Column("look_at", BigInteger),  # when the sweep wakes it without an event
    Index("work_pending", "due_at", "key", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index("work_done", "done_at"),
    Index("work_repository", "repository_id"),
    Index("work_look", "live", "look_at"),
)

push_seen = Table(
    "push_seen",
    metadata,
    Column(
        "repository_id", BigInteger, primary_key=True, autoincrement=False
    ),  # where the branch is: a fork's own id
    Column("ref", Text, primary_key=True),  # refs/heads/...
    Column("after", String(64), primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),  # 0: GitHub named nobody
    Column(
        "pull_repository_id", BigInteger, primary_key=True
    ),  # 0: told by a push event, not by a pull request's
    Column("pull", BigInteger, primary_key=True, autoincrement=False),
    Column("before", String(64), nullable=False),
    Column("login", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("push_seen_pull", "pull_repository_id", "pull"),
)

review_seen = Table(
    "review_seen",
    metadata,
    Column("review_id", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("pull", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("state", String(32), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("head", String(64), nullable=False),
    Column("base", String(64), nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("review_seen_pull", "repository_id", "pull"),
)

record_seen = Table(
    "record_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("commit", String(64), primary_key=True),
    Column("sha256", String(64), primary_key=True),  # over the record and its envelopes' digests
    Column("record", LargeBinary, nullable=False),  # zlib
    Column("envelopes", Text, nullable=False),  # sha256 of each, sorted, by spaces
    Column("seen_at", BigInteger, nullable=False),
)

# One push's envelope covers many commits: kept once.
envelope_seen = Table(
    "envelope_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", String(64), primary_key=True),
    Column("envelope", LargeBinary, nullable=False),  # zlib
    Column("seen_at", BigInteger, nullable=False),
)

policy_seen = Table(
    "policy_seen",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("oid", String(64), primary_key=True),  # of the blob
    Column("text", Text, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # last time
)

# Whom a name in a policy meant when it was first seen there: an account's id, or a team's.
name_pinned = Table(
    "name_pinned",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("id", BigInteger, nullable=False),
    Column("pinned_at", BigInteger, nullable=False),
)

# An organisation's floor, as its policy file in its repository `.github` was.
floor_seen = Table(
    "floor_seen",
    metadata,
    Column("owner_id", BigInteger, primary_key=True, autoincrement=False),
    Column("oid", String(64), primary_key=True),  # of the blob
    Column("text", Text, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # last time
)

decision = Table(
    "decision",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("pull", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("base_ref", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("evaluator", String(64), nullable=False),
    Column("policy_oid", String(64), nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("facts", LargeBinary, nullable=False),  # zlib
    Column("facts_sha256", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("verdict", LargeBinary, nullable=False),  # canonical bytes
    Column("verdict_sha256", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("check_run_id", BigInteger),
    Column("floor_sha256", String(64)),  # "": none could be read; null: decided before this was kept
    Index("decision_pull", "repository_id", "pull", "made_at"),
    Index("decision_head", "repository_id", "head", "made_at"),
    Index("decision_base", "repository_id", "base_ref"),
    Index("decision_made", "made_at"),
)

# What came onto a gated branch, step by step along first parents, held against the decisions.
landing = Table(
    "landing",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ref", Text, primary_key=True),  # refs/heads/...
    Column("after", String(64), primary_key=True),
    Column("before", String(64), nullable=False),
    Column("head", String(64), nullable=False),  # of the pull request that it came from, "" for none
    Column("pull", BigInteger),
    Column("decision", String(26), nullable=False),  # "" for none
    Column("finding", String(32), nullable=False),  # `decided`, `observed` or an alert's kind
    Column("account_id", BigInteger, nullable=False),  # who pushed; 0: not witnessed
    Column("login", Text, nullable=False),
    Column("landed_at", BigInteger, nullable=False),  # when it was looked at
    Index("landing_head", "repository_id", "head"),
    Index("landing_time", "repository_id", "ref", "landed_at"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("ref", Text, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("pull", BigInteger),
    Column("decision", String(26), nullable=False),
    Column("grave", Boolean, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("check_run_id", BigInteger),  # null: not shown yet; 0: there is nowhere to show it
    Column("issue", BigInteger),  # the number of the issue that tells it
    UniqueConstraint("repository_id", "kind", "ref", "commit", name="alert_once"),
    Index("alert_time", "raised_at"),
)

# The record of a commit that a branch's record ref held at the last look.
record_shown = Table(
    "record_shown",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("branch", Text, primary_key=True),
    Column("commit", String(64), primary_key=True),
    Column("sha256", String(64), nullable=False),
)

# Whose review was asked for, once for each content of a pull request.
review_asked = Table(
    "review_asked",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pull", BigInteger, primary_key=True, autoincrement=False),
    Column("content", String(64), primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("refused", Boolean, nullable=False),  # GitHub lets nobody ask this account
)

_WRITES = "foureyes_writes"
_writer = threading.RLock()


def connect(url: str, *, busy_seconds: float = 5) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`. Opens nothing yet.

    `busy_seconds`: how long to wait for another process that writes to the SQLite file.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_seconds)
    try:
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=16)
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
    """One consistent snapshot. On SQLite it never waits for the writer."""
    with engine.connect() as conn, conn.begin():
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

    Raises UserError if the database was written by a newer version, and if it cannot be opened.
    """
    from foureyes.github_app.schema import upgrade

    with explained(engine), writing(engine) as conn:
        upgrade(conn)


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
            f"the database cannot be used: {where}: {str(error.orig).strip()}",
            why="what is acknowledged must be stored first",
            next_step="see that nothing else uses the file and that its folder can be written to"
            if is_sqlite(engine)
            else "check FOUREYES_DATABASE_URL and that the database server runs",
        ) from error


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
