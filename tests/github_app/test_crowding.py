"""One repository never holds all workers: another's head is looked at while the first one's looks hang."""

import threading

from sqlalchemy import Engine

from foureyes.github_app import lanes, storage
from foureyes.github_app.lanes import Claim, Done, Lane, Outcome
from foureyes.github_app.worker import Workers, take

PATIENCE = 30.0


def head(repository: int, number: int) -> Lane:
    return Lane(7, repository, f"acme/r{repository}", head=f"{number:040x}", pull=number)


def wake(engine: Engine, *woken: Lane) -> None:
    with storage.writing(engine) as conn:
        lanes.wake_all(conn, woken, storage.now(conn))


def test_a_crowded_repository_waits_and_others_do_not(engine: Engine) -> None:
    wake(engine, head(1, 1), head(1, 2), head(2, 3))
    claim = take(engine, 60_000, [1])
    assert claim is not None
    assert claim.lane.repository_id == 2
    assert take(engine, 60_000, [1, 2]) is None
    assert take(engine, 60_000) is not None


def test_others_go_on_while_looks_at_one_repository_hang(sqlite_engine: Engine) -> None:
    hanging, other, go_on = threading.Semaphore(0), threading.Event(), threading.Event()

    def judge(claim: Claim) -> Outcome:
        if claim.lane.repository_id == 1:
            hanging.release()
            go_on.wait(PATIENCE)
        else:
            other.set()
        return Done()

    workers = Workers(sqlite_engine, judge, threads=3)
    wake(sqlite_engine, head(1, 1), head(1, 2))
    workers.start()
    try:
        assert hanging.acquire(timeout=PATIENCE)
        assert hanging.acquire(timeout=PATIENCE)
        wake(sqlite_engine, *(head(1, number) for number in range(3, 9)))
        workers.wake()
        assert not hanging.acquire(timeout=0.2), "two of three is all that it gets"
        wake(sqlite_engine, head(2, 9))
        workers.wake()
        assert other.wait(PATIENCE)
    finally:
        go_on.set()
        assert workers.stop(PATIENCE)
