"""Workers and the sweep: what is due gets done, whatever fails. Waiting is for events, never for a time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, select, text

from foureyes.github_app import group_commit, lanes, storage
from foureyes.github_app import sweep as sweep_module
from foureyes.github_app.lanes import Claim, Done, Lane, Outcome, Retry
from foureyes.github_app.retention import Retention
from foureyes.github_app.sweep import sweep, wake_idle
from foureyes.github_app.tables import work
from foureyes.github_app.worker import Workers, look, settle, take

LANE = Lane(7, 9, "acme/shop", head="a" * 40, pull=412)
OTHER = Lane(7, 9, "acme/shop", head="b" * 40)
PATIENCE = 30.0
"""Seconds after which something that should have happened has not: only a failing test waits that long."""


def wake(engine: Engine, *woken: Lane) -> None:
    with storage.writing(engine) as conn:
        lanes.wake_all(conn, woken, storage.now(conn))


def row(engine: Engine, lane: Lane = LANE) -> dict[str, object]:
    with storage.reading(engine) as conn:
        return dict(conn.execute(select(work).where(work.c.key == lane.key)).mappings().one())


def turn(engine: Engine, judge: Callable[[Claim], Outcome]) -> bool:
    claim = take(engine, 60_000)
    assert claim is not None
    return settle(engine, claim, look(claim, judge))


@contextmanager
def working(engine: Engine, judge: Callable[[Claim], Outcome], threads: int = 2) -> Iterator[Workers]:
    workers = Workers(engine, judge, threads=threads)
    workers.start()
    try:
        yield workers
    finally:
        assert workers.stop(PATIENCE)


def test_a_look_is_finished_with_what_the_judge_says(engine: Engine) -> None:
    wake(engine, LANE)
    other = Lane(7, 9, "acme/shop", head="b" * 40)
    assert turn(engine, lambda _: Done(green=True, wake=(other,), look_again=5))
    after = row(engine)
    assert (after["done_gen"], after["live"], after["green"]) == (1, True, True)
    assert isinstance(after["done_at"], int)
    assert after["look_at"] == after["done_at"] + 5000
    assert row(engine, other)["gen"] == 1


@pytest.mark.parametrize("error", [RuntimeError("no luck"), KeyError("x"), OSError("down"), AssertionError()])
def test_a_judge_that_raises_leaves_the_lane_pending(engine: Engine, error: Exception) -> None:
    def fail(_claim: Claim) -> Outcome:
        raise error

    wake(engine, LANE)
    assert turn(engine, fail)
    after = row(engine)
    assert (after["done_gen"], after["tries"]) == (0, 1)
    assert str(after["last_error"]).startswith(type(error).__name__)


def test_a_failure_is_stored_without_secrets(engine: Engine) -> None:
    token = "ghs_12_" + "x" * 40

    def fail(_claim: Claim) -> Outcome:
        raise RuntimeError(
            f"GET https://x-access-token:{token}@git.example/ failed: Authorization: Bearer {token}"
        )

    wake(engine, LANE)
    turn(engine, fail)
    assert "ghs_" not in str(row(engine)["last_error"])
    with storage.writing(engine) as conn:
        conn.execute(work.update().values(due_at=0))
    turn(engine, lambda _: Retry(f"token {token}"))
    assert "ghs_" not in str(row(engine)["last_error"])


@pytest.mark.parametrize("why", ["nothing\0at all", "half a \ud800 pair", "bytes \udcff"])
def test_a_failure_that_no_database_can_keep_is_kept_with_another_sign(
    engine: Engine, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise nothing would ever count it, and a worker would try to store it until the lease ends."""
    caplog.set_level("CRITICAL")  # half a pair cannot be handed from one process of the tests to another
    wake(engine, LANE)
    assert turn(engine, lambda _: Retry(f"GitHub says {why}"))
    after = row(engine)
    assert (after["tries"], str(after["last_error"])[:12]) == (1, "GitHub says ")


def test_a_dead_letter_is_an_error_in_the_log_and_stays_due(
    sqlite_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    wake(sqlite_engine, LANE)
    for _ in range(lanes.DEAD_AFTER):
        with storage.writing(sqlite_engine) as conn:
            conn.execute(work.update().values(due_at=0))
        turn(sqlite_engine, lambda _: Retry("502 from GitHub"))
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING"] * (lanes.DEAD_AFTER - 1) + ["ERROR"]
    assert "12 times in a row: 502 from GitHub" in caplog.messages[-1]
    with storage.reading(sqlite_engine) as conn:
        assert lanes.depth(conn, storage.now(conn)).dead == 1


def test_a_worker_that_lost_its_lease_settles_nothing(engine: Engine) -> None:
    wake(engine, LANE)
    late = take(engine, -1)
    held = take(engine, 60_000)
    assert late is not None
    assert held is not None
    assert not settle(engine, late, Done(green=True))
    assert not settle(engine, late, Retry("late"))
    assert row(engine)["owner"] == held.owner


def test_news_are_looked_at_by_running_workers(sqlite_engine: Engine) -> None:
    seen: dict[str, threading.Event] = {lane.key: threading.Event() for lane in heads(5)}

    def judge(claim: Claim) -> Outcome:
        seen[claim.lane.key].set()
        return Done()

    with working(sqlite_engine, judge) as workers:
        for lane in heads(5):
            wake(sqlite_engine, lane)
            workers.wake()
        assert all(event.wait(PATIENCE) for event in seen.values())
        assert workers.healthy
    assert not workers.healthy
    assert {row(sqlite_engine, lane)["done_gen"] for lane in heads(5)} == {1}


def heads(count: int) -> list[Lane]:
    return [Lane(7, 9, "acme/shop", head=f"{number:040x}") for number in range(count)]


def test_workers_outlive_a_database_that_goes_away(sqlite_engine: Engine) -> None:
    looked = threading.Event()

    def judge(_claim: Claim) -> Outcome:
        looked.set()
        return Done()

    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("alter table work rename to away"))
    with working(sqlite_engine, judge) as workers:
        workers.wake()
        with storage.writing(sqlite_engine) as conn:
            conn.execute(text("alter table away rename to work"))
        wake(sqlite_engine, LANE)
        assert looked.wait(PATIENCE)
        assert workers.healthy


def test_what_came_of_a_look_is_stored_when_the_database_is_back(
    sqlite_engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane does not wait for the end of its lease, nor is it looked at a second time."""
    monkeypatch.setattr("foureyes.github_app.worker._POLL_SECONDS", 0.01)
    looks: list[Claim] = []

    def judge(claim: Claim) -> Outcome:
        looks.append(claim)
        rename("work", "away")
        return Done(green=True)

    def rename(old: str, new: str) -> None:
        with storage.writing(sqlite_engine) as conn:
            conn.execute(text(f"alter table {old} rename to {new}"))

    wake(sqlite_engine, LANE)
    with working(sqlite_engine, judge, threads=1):
        until(lambda: "what came of a look could not be stored; tried again" in caplog.messages)
        rename("away", "work")
        until(lambda: row(sqlite_engine)["done_gen"] == 1)
    assert len(looks) == 1


def test_a_claim_of_which_the_database_did_not_tell_is_given_back(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends between the commit and its answer: nobody knows that the lane is theirs."""
    monkeypatch.setattr("foureyes.github_app.worker._POLL_SECONDS", 0.01)
    looks: list[Claim] = []
    ended: list[object] = []

    def commit(engine: Engine, job: group_commit.Job[object]) -> object:
        result = real(engine, job)
        if isinstance(result, Claim) and not ended:
            ended.append(result)
            raise ConnectionError("server closed the connection unexpectedly")
        return result

    def judge(claim: Claim) -> Outcome:
        looks.append(claim)
        return Done()

    real = group_commit.commit
    monkeypatch.setattr(group_commit, "commit", commit)
    wake(sqlite_engine, LANE)
    with working(sqlite_engine, judge, threads=1):
        until(lambda: row(sqlite_engine)["done_gen"] == 1)
    assert [(claim.tries, claim.unsure_until > 0) for claim in looks] == [(0, True)], (
        "who had it before may have left a write behind"
    )


def test_the_keeper_sees_that_the_clock_was_set_back(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = time.time_ns
    ahead = [3_600]
    monkeypatch.setattr("foureyes.github_app.storage.time.time_ns", lambda: real() + ahead[0] * 10**9)
    looked, begun = threading.Event(), threading.Event()

    def judge(claim: Claim) -> Outcome:
        (begun if claim.lane == OTHER else looked).set()
        return Done()

    wake(sqlite_engine, OTHER)
    workers = Workers(sqlite_engine, judge, threads=1, sweep_seconds=0.01)
    workers.start()
    try:
        assert begun.wait(PATIENCE)
        with storage.writing(sqlite_engine) as conn:
            lanes.wake(conn, LANE, storage.now(conn) + 600_000)
        ahead[0] = 0
        assert looked.wait(PATIENCE)
    finally:
        assert workers.stop(PATIENCE)
    assert "the clock was set back by 3600 s" in caplog.text or "set back by 3599 s" in caplog.text


def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE * 100)):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


def test_stopping_lets_a_look_finish_and_begins_no_other(sqlite_engine: Engine) -> None:
    started, go_on = threading.Event(), threading.Event()
    looked: list[str] = []

    def judge(claim: Claim) -> Outcome:
        looked.append(claim.lane.key)
        started.set()
        go_on.wait(PATIENCE)
        return Done()

    first, second = heads(2)
    wake(sqlite_engine, first)
    workers = Workers(sqlite_engine, judge, threads=1)
    workers.start()
    assert started.wait(PATIENCE)
    wake(sqlite_engine, second)
    assert not workers.stop(0), "the look is still running"
    go_on.set()
    assert workers.stop(PATIENCE)
    assert looked == [first.key]
    assert (row(sqlite_engine, first)["done_gen"], row(sqlite_engine, second)["done_gen"]) == (1, 0)


def test_a_long_look_keeps_its_lane(sqlite_engine: Engine) -> None:
    renewed = threading.Event()

    def judge(claim: Claim) -> Outcome:
        for _ in range(int(PATIENCE * 100)):
            if int(str(row(sqlite_engine)["lease_until"])) > claim.lease_until:
                renewed.set()
                break
            renewed.wait(0.01)
        return Done()

    wake(sqlite_engine, LANE)
    workers = Workers(sqlite_engine, judge, threads=1, renew_seconds=0.01)
    workers.start()
    assert renewed.wait(PATIENCE)
    assert workers.stop(PATIENCE)
    assert row(sqlite_engine)["done_gen"] == 1


def settled(engine: Engine, lane: Lane, done: Done, at: int) -> None:
    with storage.writing(engine) as conn:
        lanes.wake(conn, lane, at)
        held = lanes.claim(conn, f"{lane.key}-{at}", at, 60_000)
        assert held is not None
        assert held.lane == lane
        assert lanes.finish(conn, held, done, at)


def swept(engine: Engine, at: int, after_gap: bool = False) -> list[str]:
    """Keys of what the sweep made due, in the order in which it will be looked at."""
    with storage.writing(engine) as conn:
        count = sweep(conn, at, after_gap=after_gap)
        pending = select(work.c.key).where(work.c.gen > work.c.done_gen).order_by(work.c.due_at, work.c.key)
        keys = list(conn.execute(pending).scalars())
        assert len(keys) == count
        conn.execute(work.update().values(done_gen=work.c.gen))
    return keys


def test_the_sweep_looks_again_when_the_time_has_come_green_ones_first(engine: Engine) -> None:
    waiting, green, ended, fresh = heads(4)
    settled(engine, waiting, Done(look_again=300), 1000)
    settled(engine, green, Done(green=True), 1001)
    settled(engine, ended, Done(live=False), 1002)
    settled(engine, fresh, Done(), 5_000_000)
    assert swept(engine, 300_999) == []
    assert swept(engine, 301_000) == [waiting.key]
    assert swept(engine, 3_601_001) == [green.key, waiting.key]


def test_of_very_many_the_green_ones_are_all_looked_at_and_the_others_in_turns(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "MOST", 1)
    *greens, first, second = heads(5)
    for number, lane in enumerate(greens):
        settled(engine, lane, Done(green=True), 1000 + number)
    settled(engine, first, Done(), 1010)
    settled(engine, second, Done(), 1011)
    assert swept(engine, 3_602_000) == [*sorted(lane.key for lane in greens), first.key]


def test_after_a_gap_every_green_head_is_looked_at_at_once(engine: Engine) -> None:
    waiting, green, ended = heads(3)
    settled(engine, waiting, Done(), 1000)
    settled(engine, green, Done(green=True), 1001)
    settled(engine, ended, Done(live=False, green=False), 1002)
    assert swept(engine, 2000) == []
    assert swept(engine, 2000, after_gap=True) == [green.key]


def test_what_time_alone_asks_for_is_routine_where_nothing_is_green(engine: Engine) -> None:
    waiting, green = heads(2)
    settled(engine, waiting, Done(), 1000)
    settled(engine, green, Done(green=True), 1001)
    with storage.writing(engine) as conn:
        assert sweep(conn, 10_000_000) == 2
        kinds = {row.key: row.routine for row in conn.execute(select(work.c.key, work.c.routine))}
        assert kinds == {waiting.key: True, green.key: False}
        assert wake_idle(conn, [waiting, green], 10_000_000) == 1, "what was found need not give way"
        assert not conn.execute(select(work.c.key).where(work.c.routine)).all()


def test_what_is_pending_anyway_is_not_woken_again(engine: Engine) -> None:
    settled(engine, LANE, Done(green=True), 1000)
    with storage.writing(engine) as conn:
        lanes.wake(conn, LANE, 2000)
        assert sweep(conn, 10_000_000, after_gap=True) == 0


def test_workers_sweep_at_start(sqlite_engine: Engine) -> None:
    settled(sqlite_engine, LANE, Done(green=True), 1000)
    looked = threading.Event()

    def judge(_claim: Claim) -> Outcome:
        looked.set()
        return Done(green=True)

    with working(sqlite_engine, judge):
        assert looked.wait(PATIENCE)


def test_the_keeper_purges_what_is_old(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foureyes.github_app.worker._FIRST_PURGE_SECONDS", 0.0)
    settled(sqlite_engine, LANE, Done(live=False), 1000)
    workers = Workers(sqlite_engine, lambda _claim: Done(), threads=1, keep=Retention(), renew_seconds=0.01)
    workers.start()

    def purged() -> bool:
        with storage.reading(sqlite_engine) as conn:
            return conn.execute(select(work.c.key)).first() is None

    until(purged)
    assert workers.stop(PATIENCE)
    assert purged()


def test_a_server_that_starts_again_on_sqlite_does_not_wait_for_leases_of_the_dead(
    sqlite_engine: Engine,
) -> None:
    wake(sqlite_engine, LANE)
    dead = take(sqlite_engine, 3_600_000)
    assert dead is not None
    looked = threading.Event()
    claims: list[Claim] = []

    def judge(claim: Claim) -> Outcome:
        claims.append(claim)
        looked.set()
        return Done()

    with working(sqlite_engine, judge):
        assert looked.wait(PATIENCE)
    assert (claims[0].lane, claims[0].tries, claims[0].unsure_until > 0) == (LANE, 1, True)
    assert not settle(sqlite_engine, dead, Done())
