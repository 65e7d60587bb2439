import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event, inspect, text

from foureyes.github_app import schema, seen, storage, tables
from foureyes.github_app.seen import SeenPolicy
from foureyes.github_app.settings import sqlite_url
from foureyes.shared.errors import UserError


def test_migrations_make_exactly_the_tables_that_the_code_uses(engine: Engine) -> None:
    with storage.reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        # Alembic does not compare primary keys.
        for table in tables.metadata.tables.values():
            found = inspect(conn).get_pk_constraint(table.name)["constrained_columns"]
            assert set(found) == {column.name for column in table.primary_key}


def test_migrating_again_changes_nothing_and_keeps_the_rows(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        conn.execute(text("insert into policy_seen values (1, 'oid', 'text', true, 5)"))
    storage.migrate(engine)
    storage.check_schema(engine)
    with storage.reading(engine) as conn:
        assert conn.execute(text("select seen_at from policy_seen")).scalar_one() == 5


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        conn.execute(text("update alembic_version set version_num = 'r9999'"))
    with pytest.raises(UserError, match=r"newer foureyes .*r9999"):
        storage.migrate(engine)
    with pytest.raises(UserError, match="newer foureyes"):
        storage.check_schema(engine)
    with storage.reading(engine) as conn:
        assert conn.execute(text("select version_num from alembic_version")).scalar_one() == "r9999"


def test_floors_that_were_kept_among_the_policies_are_found_where_they_belong(database_url: str) -> None:
    engine = storage.connect(database_url)
    at_revision(engine, "r0002")
    with storage.writing(engine) as conn:
        conn.execute(
            text("insert into policy_seen values (-7, 'oid', 'floor', true, 5), (7, 'p', 'policy', true, 6)")
        )
    storage.migrate(engine)
    with storage.reading(engine) as conn:
        assert seen.last_good_floor(conn, 7) == SeenPolicy("oid", "floor")
        assert seen.last_good_policy(conn, 7) == SeenPolicy("p", "policy")
        assert not seen.policy_ever_seen(conn, -7)
    engine.dispose()


def at_revision(engine: Engine, revision: str) -> None:
    """An empty database as an older version left it."""
    config, script = schema._scripts()

    def steps(rev: Any, _context: Any) -> Any:
        return script._upgrade_revs(revision, rev)

    with storage.writing(engine) as conn, EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=conn, transactional_ddl=True)
        environment.run_migrations()


def test_an_empty_database_is_not_current(database_url: str) -> None:
    engine = storage.connect(database_url)
    with pytest.raises(UserError, match="not set up for this version"):
        storage.check_schema(engine)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = storage.connect(database_url)
    with storage.writing(engine) as conn:
        conn.execute(text("create table decision (mine integer)"))  # the last step trips over it
    with pytest.raises(UserError, match="cannot be used"):
        storage.migrate(engine)
    with storage.reading(engine) as conn:
        assert inspect(conn).get_table_names() == ["decision"]
    engine.dispose()


def test_a_folder_whose_name_is_odd_holds_a_database(tmp_path: Path) -> None:
    folder = tmp_path / "a b;c:d%20e"
    folder.mkdir()
    engine = storage.connect(sqlite_url(folder / "f.sqlite3"))
    storage.migrate(engine)
    engine.dispose()
    assert (folder / "f.sqlite3").is_file()


def test_an_exception_takes_back_what_a_transaction_wrote(engine: Engine) -> None:
    def write_and_fail() -> None:
        with storage.writing(engine) as conn:
            conn.execute(text("insert into policy_seen values (1, 'oid', 'text', true, 5)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with storage.reading(engine) as conn:
        assert conn.execute(text("select count(*) from policy_seen")).scalar_one() == 0


def test_sqlite_is_durable_and_does_not_block_readers(sqlite_engine: Engine) -> None:
    with storage.writing(sqlite_engine) as writer:
        writer.execute(text("insert into policy_seen values (1, 'oid', 'text', true, 5)"))
        with storage.reading(sqlite_engine) as reader:
            assert reader.execute(text("pragma journal_mode")).scalar_one() == "wal"
            assert reader.execute(text("pragma synchronous")).scalar_one() == 2  # FULL
            assert reader.execute(text("select count(*) from policy_seen")).scalar_one() == 0


def test_a_database_that_another_process_holds_is_an_error_that_says_so(sqlite_engine: Engine) -> None:
    holder = sqlite3.connect(storage.database_file(sqlite_engine) or "", isolation_level=None)
    holder.execute("begin immediate")
    other = storage.connect(sqlite_engine.url.render_as_string(), busy_seconds=0)
    with pytest.raises(UserError, match="database is locked"):
        storage.migrate(other)
    other.dispose()
    holder.close()


def test_a_full_disk_wants_room_and_names_what_may_go(tmp_path: Path) -> None:
    engine = storage.connect(sqlite_url(tmp_path / "f.sqlite3"))

    @event.listens_for(engine, "connect")
    def small(connection: Any, _record: object) -> None:
        connection.execute("pragma max_page_count=3").close()

    with pytest.raises(UserError, match="disk is full") as told:
        storage.migrate(engine)
    assert "make room" in str(told.value)
    engine.dispose()


def test_a_writer_has_the_file_from_its_first_moment(sqlite_engine: Engine) -> None:
    """Else two processes could both read, and the second to write would be told that it is too late."""
    other = sqlite3.connect(storage.database_file(sqlite_engine) or "", timeout=0, isolation_level=None)
    with storage.writing(sqlite_engine), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("begin immediate")
    other.execute("begin immediate")
    other.close()


def test_both_databases_tell_the_time(engine: Engine) -> None:
    with storage.reading(engine) as conn:
        first, second = storage.now(conn), storage.now(conn)
    assert 1_700_000_000_000 < first <= second


def test_a_database_that_does_not_answer_is_given_up_soon_unless_its_address_says_otherwise() -> None:
    """Else every worker waits a quarter of an hour for a machine that is gone."""
    asked: dict[str, Any] = {}

    def connecting(_dialect: object, _record: object, _args: object, given: dict[str, Any]) -> None:
        asked.update(given)
        raise ConnectionError

    for query, seconds in (("", 10), ("?connect_timeout=3", "3")):
        engine = storage.connect(f"postgresql://db.example/foureyes{query}")
        event.listen(engine, "do_connect", connecting)
        with pytest.raises(ConnectionError), storage.reading(engine):
            pass
        assert (asked["connect_timeout"], asked["tcp_user_timeout"]) == (seconds, 30_000)


def test_what_is_read_together_is_of_one_moment(engine: Engine) -> None:
    count = text("select count(*) from policy_seen")
    with storage.reading(engine) as before:
        assert before.execute(count).scalar_one() == 0
        with storage.writing(engine) as conn:
            conn.execute(text("insert into policy_seen values (1, 'oid', 'text', true, 5)"))
        assert before.execute(count).scalar_one() == 0
    with storage.reading(engine) as after:
        assert after.execute(count).scalar_one() == 1
    with storage.writing(engine) as conn:  # the connection writes again
        conn.execute(text("delete from policy_seen"))
