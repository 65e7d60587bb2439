"""One commit for all who wait: what fails takes nobody along, and nobody is told of what is not on the disk."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from foureyes.github_app import group_commit, storage
from foureyes.github_app.tables import policy_seen

PATIENCE = 30.0


def put(number: int) -> Callable[[Connection], int]:
    def job(conn: Connection) -> int:
        row = {"repository_id": number, "oid": "o", "text": "", "good": True, "seen_at": 1}
        conn.execute(policy_seen.insert().values(row))
        return number

    return job


def stored(engine: Engine) -> list[int]:
    with storage.reading(engine) as conn:
        ids = select(policy_seen.c.repository_id).order_by(policy_seen.c.repository_id)
        return list(conn.execute(ids).scalars())


@contextmanager
def counted_commits(engine: Engine) -> Iterator[list[int]]:
    """Commits of transactions that wrote, each as the number of rows that it put."""
    seen: list[int] = []

    def committed(conn: Connection) -> None:
        seen.append(conn.execute(text("select count(*) from policy_seen")).scalar_one())

    event.listen(engine, "commit", committed)
    yield seen
    event.remove(engine, "commit", committed)


def all_at_once(engine: Engine, jobs: list[Callable[[Connection], Any]]) -> list[Any]:
    """Their results or errors, asked for while a first writer holds the file, so that they wait together."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_conn: Connection) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    def ask(job: Callable[[Connection], Any]) -> Any:
        try:
            return group_commit.commit(engine, job)
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            return error

    with ThreadPoolExecutor(len(jobs) + 1) as pool:
        first = pool.submit(group_commit.commit, engine, hold)
        assert begun.wait(PATIENCE)
        asked = [pool.submit(ask, job) for job in jobs]
        waiting = group_commit._queue(engine).waiting if storage.is_sqlite(engine) else jobs
        while len(waiting) < len(jobs):
            threading.Event().wait(0.001)
        go_on.set()
        first.result()
        return [one.result() for one in asked]


def test_those_who_wait_share_one_commit(sqlite_engine: Engine) -> None:
    with counted_commits(sqlite_engine) as commits:
        assert all_at_once(sqlite_engine, [put(n) for n in range(1, 9)]) == list(range(1, 9))
    assert commits == [0, 8], "the first writer's, and one for all eight"
    assert stored(sqlite_engine) == list(range(1, 9))


def test_on_postgresql_each_has_a_transaction_of_its_own(engine: Engine) -> None:
    assert all_at_once(engine, [put(n) for n in range(1, 9)]) == list(range(1, 9))
    assert stored(engine) == list(range(1, 9))


def test_what_fails_takes_nobody_along_and_leaves_nothing(engine: Engine) -> None:
    def half(conn: Connection) -> None:
        put(77)(conn)
        raise ZeroDivisionError

    one, error, twice, two = all_at_once(engine, [put(1), half, put(1), put(2)])
    assert isinstance(error, ZeroDivisionError)
    assert two == 2
    # Both put the same row: one of them, whoever came first, has it.
    assert sorted(isinstance(each, IntegrityError) for each in (one, twice)) == [False, True]
    assert stored(engine) == [1, 2]


def test_nobody_is_told_before_it_is_on_the_disk(sqlite_engine: Engine) -> None:
    """The commit fails: for those together first, then for the one of them that breaks it."""

    def breaking(conn: Connection) -> int:
        conn.execute(text("create table parent (id integer primary key)"))
        conn.execute(text("create table child (p references parent deferrable initially deferred)"))
        conn.execute(text("insert into child values (5)"))  # the constraint is looked at by the commit
        return 0

    one, error, two = all_at_once(sqlite_engine, [put(1), breaking, put(2)])
    assert (one, two) == (1, 2)
    assert isinstance(error, IntegrityError)
    assert stored(sqlite_engine) == [1, 2]


def test_a_transaction_that_sqlite_gives_up_is_made_again_without_the_culprit(sqlite_engine: Engine) -> None:
    """As with a full disk: the whole transaction is gone, and what was written before in it."""

    def give_up(conn: Connection) -> None:
        put(66)(conn)
        conn.exec_driver_sql("rollback")
        raise OSError("disk full")

    one, error, two = all_at_once(sqlite_engine, [put(1), give_up, put(2)])
    assert (one, two) == (1, 2)
    assert isinstance(error, Exception)
    assert stored(sqlite_engine) == [1, 2]


def test_one_that_is_stopped_leaves_the_next_its_turn(sqlite_engine: Engine) -> None:
    def stopped(_conn: Connection) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        group_commit.commit(sqlite_engine, stopped)
    assert group_commit.commit(sqlite_engine, put(1)) == 1


def test_a_database_that_cannot_be_written_to_is_an_error_for_each(sqlite_engine: Engine) -> None:
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("alter table policy_seen rename to away"))
    found = all_at_once(sqlite_engine, [put(1), put(2)])
    assert [type(error) for error in found] == [OperationalError, OperationalError]


def test_many_threads_lose_nothing(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: group_commit.commit(engine, put(n)), range(1, 101))) == [
            *range(1, 101)
        ]
    assert stored(engine) == [*range(1, 101)]


def test_two_transactions_that_wait_for_each_other_both_get_through(engine: Engine) -> None:
    """PostgreSQL ends one of them; its deliveries must not be refused for that."""
    if storage.is_sqlite(engine):
        pytest.skip("SQLite has one writer")
    for number in (1, 2):
        group_commit.commit(engine, put(number))
    met = threading.Barrier(2)

    def crossing(first: int, second: int) -> Callable[[Connection], int]:
        tries: list[int] = []

        def job(conn: Connection) -> int:
            tries.append(1)
            for number in (first, second):
                here = policy_seen.c.repository_id == number
                conn.execute(policy_seen.update().where(here).values(seen_at=policy_seen.c.seen_at + 1))
                if number == first and len(tries) == 1:
                    met.wait(PATIENCE)
            return len(tries)

        return job

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(group_commit.commit, engine, crossing(*way)) for way in ((1, 2), (2, 1))]
        # who tries again may come first at what the other one was promised, so that both may have to
        assert max(one.result() for one in both) > 1
    with storage.reading(engine) as conn:
        assert set(conn.execute(select(policy_seen.c.seen_at)).scalars()) == {3}
