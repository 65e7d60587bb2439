"""One commit for all who wait to write: a commit costs a wait for the disk, however much is in it.

On SQLite whoever is first writes for everyone who came meanwhile: one transaction, a savepoint for each, so that
what fails takes nobody else with it. PostgreSQL groups commits by itself, so there each has a transaction of its own.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from foureyes.github_app import storage

T = TypeVar("T")
Job = Callable[[Connection], T]

_MOST = 64
"""Jobs in one transaction: the first of them waits for the last."""
_TRIES = 5
_AGAIN = ("40001", "40P01")
"""PostgreSQL ended the transaction because of another one: could not serialise, or each waited for the other."""
_PAUSE = 0.02
"""Seconds until it is tried again."""


def commit(engine: Engine, job: Job[T]) -> T:
    """What `job` gives, once it is on the disk. Raises what `job` raises, and then nothing of it is stored.

    A job may be run a second time if the first transaction came to nothing. It must not open one of its own.
    """
    if not storage.is_sqlite(engine):
        return _plainly(engine, job)
    asked = _Asked(job)
    queue = _queue(engine)
    queue.waiting.append(asked)
    with queue.turn:
        while not asked.settled:
            _settle(engine, _some_of(queue))
    if asked.error is not None:
        raise asked.error
    result: T = asked.value
    return result


def _plainly(engine: Engine, job: Job[T]) -> T:
    for _ in range(_TRIES - 1):
        try:
            with storage.writing(engine) as conn:
                return job(conn)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") not in _AGAIN:
                raise
        # the other one goes on meanwhile; at once, the two would often meet again
        time.sleep(_PAUSE)
    with storage.writing(engine) as conn:
        return job(conn)


class _Asked:
    """One who waits. Settled: it is on the disk, or `error` says why it is not."""

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        self.value: Any = None
        self.error: BaseException | None = None
        self.settled = False


class _Queue:
    def __init__(self) -> None:
        self.waiting: deque[_Asked] = deque()
        self.turn = Lock()


_queues: WeakKeyDictionary[Engine, _Queue] = WeakKeyDictionary()
_queues_lock = Lock()


def _queue(engine: Engine) -> _Queue:
    with _queues_lock:
        return _queues.setdefault(engine, _Queue())


def _some_of(queue: _Queue) -> list[_Asked]:
    """Whoever has the turn is the only one who takes from it."""
    return [queue.waiting.popleft() for _ in range(min(_MOST, len(queue.waiting)))]


def _settle(engine: Engine, batch: Sequence[_Asked]) -> None:
    try:
        if len(batch) > 1 and _together(engine, batch):
            return
        for asked in batch:
            _alone(engine, asked)
    except BaseException as error:
        # Whoever has the turn is being stopped: nobody else may wait for it for ever.
        for asked in batch:
            if not asked.settled:
                asked.error, asked.settled = error, True
        raise


def _alone(engine: Engine, asked: _Asked) -> None:
    try:
        with storage.writing(engine) as conn:
            asked.value, asked.error = asked.job(conn), None
    except Exception as error:  # noqa: BLE001 - it is the asker's
        asked.error = error
    asked.settled = True


def _together(engine: Engine, batch: Sequence[_Asked]) -> bool:
    """False: nothing of it was stored, because SQLite gave up the whole transaction or could not commit it. Then each
    has to try alone, or one that cannot be stored would keep the others out.
    """
    try:
        with storage.writing(engine) as conn:
            for asked in batch:
                _in_savepoint(conn, asked)
    except Exception:  # noqa: BLE001 - told to whom it concerns when they try alone
        return False
    for asked in batch:
        asked.settled = True
    return True


def _in_savepoint(conn: Connection, asked: _Asked) -> None:
    try:
        with conn.begin_nested():
            asked.value, asked.error = asked.job(conn), None
    except Exception as error:
        asked.error = error
        # A full or failing disk ends the transaction itself; going on would commit the rest piece by piece.
        if not conn.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            raise
