"""Two versions on one database, as during a rolling upgrade: the older one stores what it hears and no more."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, select, text

from foureyes.github_app import inbox, lanes, storage, superseded
from foureyes.github_app.fence import may_write
from foureyes.github_app.inbox import Delivery
from foureyes.github_app.lanes import Done, Lane
from foureyes.github_app.schema import upgrade
from foureyes.github_app.superseded import begin_work
from foureyes.github_app.tables import metadata, work
from foureyes.github_app.worker import Workers, settle, take
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import VERSION

LANE = Lane(7, 9, "acme/shop", head="a" * 40, pull=412)
LEASE = 60_000
HEARD = ("delivery", "delivery_awaits", "push_seen", "review_seen", "work")
"""Tables that a process writes which only hears."""
FIRST_TO_RUN_BESIDE_NEWER_ONES = "r0015"


def with_newer_evaluator(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        conn.execute(text(f"insert into evaluator_at_work values ({int(VERSION) + 1}, 1)"))


def with_newer_tables(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        conn.execute(text("update alembic_version set version_num = 'r9999'"))


@pytest.fixture(params=[with_newer_evaluator, with_newer_tables])
def newer(request: pytest.FixtureRequest) -> Callable[[Engine], None]:
    found: Callable[[Engine], None] = request.param
    return found


def wake(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        begin_work(conn)
        lanes.wake(conn, LANE, storage.now(conn))


def test_an_older_evaluator_writes_nothing_once_a_newer_one_works(
    engine: Engine, newer: Callable[[Engine], None]
) -> None:
    wake(engine)
    held = take(engine, LEASE)
    assert held is not None
    assert may_write(engine, held)
    newer(engine)
    assert not may_write(engine, held), "an older verdict never goes over a newer one"


def test_what_an_older_one_just_showed_is_looked_at_again_by_the_newer(
    engine: Engine, newer: Callable[[Engine], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    wake(engine)
    held = take(engine, LEASE)
    assert held is not None
    newer(engine)
    assert settle(engine, held, Done(green=True))
    assert take(engine, LEASE) is None, "the older one takes nothing"
    monkeypatch.setattr(superseded, "is_superseded", lambda conn: False)
    monkeypatch.setattr("foureyes.github_app.worker.is_superseded", lambda conn: False)
    again = take(engine, LEASE)
    assert again is not None
    assert again.lane == LANE


def test_an_older_one_stores_what_it_hears(engine: Engine, newer: Callable[[Engine], None]) -> None:
    newer(engine)
    assert inbox.accept(engine, Delivery("guid-1", "ping", b"{}", {}))


def test_an_older_one_that_starts_is_refused_and_changes_nothing(engine: Engine) -> None:
    with_newer_evaluator(engine)
    with pytest.raises(UserError, match="a newer foureyes works on this database") as told:
        storage.migrate(engine)
    assert "start that newer version again" in str(told.value)
    with pytest.raises(UserError), storage.writing(engine) as conn:
        begin_work(conn)


def test_the_keeper_of_an_older_one_says_so_once_and_sweeps_nothing(
    sqlite_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with_newer_evaluator(sqlite_engine)
    with storage.writing(sqlite_engine) as conn:
        lanes.wake(conn, LANE, 1)
        conn.execute(work.update().values(done_gen=1, green=True, look_at=1))
    workers = Workers(sqlite_engine, lambda _claim: Done())
    with caplog.at_level(logging.WARNING):
        workers._watch()
        workers._watch()
    assert [line.message for line in caplog.records] == [
        "a newer foureyes works on this database: this one stores what it hears and looks at nothing. Stop it."
    ]
    assert workers._superseded


def test_what_an_older_process_hears_fits_into_newer_tables(tmp_path: Path) -> None:
    """Each column that came later may be left out: the older one does not know it."""
    engine = storage.connect(f"sqlite:///{tmp_path / 'f.sqlite3'}")
    with storage.writing(engine) as conn:
        upgrade(conn, FIRST_TO_RUN_BESIDE_NEWER_ONES)
    before = MetaData()
    before.reflect(engine, only=HEARD)
    for name in HEARD:
        here, known = metadata.tables[name], set(before.tables[name].columns.keys())
        assert known <= set(here.columns.keys()), name
        later = [column for column in here.columns if column.name not in known]
        assert all(column.nullable or column.server_default is not None for column in later), name
    engine.dispose()


def test_the_version_of_the_evaluator_is_a_number_that_grows(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        begin_work(conn)
        begin_work(conn)
        assert conn.execute(select(superseded.evaluator_at_work.c.version)).scalars().all() == [int(VERSION)]
