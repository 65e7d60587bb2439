"""One repository never holds all workers: another's head is looked at while the first one's looks hang."""

import threading

import pytest
from sqlalchemy import Engine

from foureyes.github_app import lanes, storage, worker
from foureyes.github_app.lanes import Claim, Done, Lane, Outcome
from foureyes.github_app.worker import Workers, put_back, take

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


def test_a_lane_put_back_still_says_that_a_write_may_arrive_late(engine: Engine) -> None:
    wake(engine, head(1, 1))
    assert take(engine, lease_ms=0) is not None
    took_over = take(engine, 60_000)
    assert took_over is not None
    assert took_over.unsure_until
    put_back(engine, took_over)
    again = take(engine, 60_000)
    assert again is not None
    assert (again.unsure_until, again.tries) == (took_over.unsure_until, took_over.tries)


def test_a_claim_let_go_unread_counts_as_one_that_took_over(engine: Engine) -> None:
    wake(engine, head(1, 1))
    assert take(engine, lease_ms=0) is not None
    took_over = take(engine, 60_000)
    assert took_over is not None
    with storage.writing(engine) as conn:
        assert lanes.let_go(conn, took_over.owner, storage.now(conn))
    again = take(engine, 60_000)
    assert again is not None
    assert again.unsure_until


@pytest.mark.parametrize("at_once", [False, True])
def test_others_go_on_while_looks_at_one_repository_hang(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    if at_once:
        # the first three ask who is busy before any of them has begun
        firsts = iter(range(3))
        asked = lambda crowded: () if next(firsts, None) is not None else crowded  # noqa: E731
        monkeypatch.setattr(worker, "take", lambda *given: take(*given[:2], asked(given[2])))
    hanging, other, go_on = threading.Semaphore(0), threading.Event(), threading.Event()

    def judge(claim: Claim) -> Outcome:
        if claim.lane.repository_id == 1:
            hanging.release()
            go_on.wait(PATIENCE)
        else:
            other.set()
        return Done()

    workers = Workers(sqlite_engine, judge, threads=3)
    wake(sqlite_engine, head(1, 1), head(1, 2), head(1, 3))
    workers.start()
    try:
        assert hanging.acquire(timeout=PATIENCE)
        assert hanging.acquire(timeout=PATIENCE)
        wake(sqlite_engine, *(head(1, number) for number in range(4, 9)))
        workers.wake()
        assert not hanging.acquire(timeout=0.2), "two of three is all that it gets"
        wake(sqlite_engine, head(2, 9))
        workers.wake()
        assert other.wait(PATIENCE)
    finally:
        go_on.set()
        assert workers.stop(PATIENCE)
