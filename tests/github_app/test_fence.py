"""The right to write, on both databases: as long as it takes, and nobody's but the lane's."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text
from support_gate import running_gate

from foureyes.github_app import client, lanes, storage
from foureyes.github_app.fence import may_write
from foureyes.github_app.lanes import Claim, Done, Lane, Outcome, Retry
from foureyes.github_app.settings import read_settings
from foureyes.github_app.tables import decision, work
from foureyes.github_app.worker import Workers, settle, take
from foureyes.shared.errors import UserError

LANE = Lane(7, 9, "acme/shop", head="a" * 40, pull=412)
LEASE = 60_000
SHORTEST = 30
"""Seconds: the least that the setting allows."""


def wake(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        lanes.wake(conn, LANE, storage.now(conn))


def ends_at(engine: Engine) -> int:
    with storage.reading(engine) as conn:
        return int(conn.execute(select(work.c.lease_until)).scalar_one())


def set_lease(engine: Engine, left: int) -> None:
    with storage.writing(engine) as conn:
        conn.execute(work.update().values(lease_until=storage.now(conn) + left))


def note(conn: Connection) -> None:
    conn.execute(text("insert into policy_seen values (1, 'oid', 'text', true, 5)"))


def notes(engine: Engine) -> int:
    with storage.reading(engine) as conn:
        return int(conn.execute(text("select count(*) from policy_seen")).scalar_one())


def test_who_has_the_lane_gets_a_whole_lease_to_write_in(engine: Engine) -> None:
    wake(engine)
    held = take(engine, LEASE)
    assert held is not None
    set_lease(engine, 5_000)
    before = ends_at(engine)
    assert may_write(engine, held, note)
    assert ends_at(engine) >= before + LEASE - 5_000
    assert notes(engine) == 1


def test_who_lost_the_lane_may_not_write_and_stores_nothing(engine: Engine) -> None:
    wake(engine)
    lost = take(engine, LEASE)
    assert lost is not None
    set_lease(engine, 0)
    assert not may_write(engine, lost, note), "the lease has ended, though nobody has the lane yet"
    held = take(engine, LEASE)
    assert held is not None
    assert not may_write(engine, lost, note)
    assert notes(engine) == 0
    assert may_write(engine, held)
    assert settle(engine, held, Done())
    assert not may_write(engine, held), "it is done"


def test_any_lease_is_longer_than_any_request() -> None:
    with pytest.raises(UserError, match=f"LEASE_SECONDS must be a whole number from {SHORTEST} to"):
        read_settings({"FOUREYES_LEASE_SECONDS": str(SHORTEST - 1)})
    assert client.TIMEOUT < SHORTEST


def test_a_worker_that_lost_its_lease_has_the_lane_looked_at_again(sqlite_engine: Engine) -> None:
    """It may have been stopped between asking and writing: nobody can take such a write back, only look again."""
    looks: list[Claim] = []

    def stopped_at_first(claim: Claim) -> Outcome:
        looks.append(claim)
        if len(looks) == 1:
            set_lease(sqlite_engine, 0)
            other = take(sqlite_engine, LEASE)
            assert other is not None
            assert settle(sqlite_engine, other, Done())
        return Done()

    wake(sqlite_engine)
    workers = Workers(sqlite_engine, stopped_at_first, threads=1)
    workers.start()
    end = time.monotonic() + 30
    while len(looks) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert workers.stop(30)
    assert len(looks) == 2


def outcomes(engine: Engine) -> list[str]:
    """Of every decision stored, oldest first."""
    with storage.reading(engine) as conn:
        return list(conn.execute(select(decision.c.outcome).order_by(decision.c.id)).scalars())


def test_an_older_look_never_overwrites_a_newer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker has read two approvals and is stopped; another sees that one of them asks for changes, and says so.
    The first one goes on.
    """
    with running_gate(tmp_path) as gate:
        number = gate.open("olga", "feature", gate.change({"infra/network.tf": b"one\n"}), by="raj")
        gate.review("rita", number)
        gate.settle()
        gate.review("sam", number)
        is_stopped: list[bool] = []

        def stopped(_judging: object, _judged: object) -> bool:
            if not is_stopped:
                is_stopped.append(True)
                set_lease(gate.engine, 0)
                gate.review("sam", number, "REQUEST_CHANGES")
                gate.settle()
                assert gate.verdict(number) == "failure"
            return True

        monkeypatch.setattr("foureyes.github_app.judge._Judging._stands", stopped)
        decided = outcomes(gate.engine)
        older = take(gate.engine, LEASE)
        assert older is not None
        outcome = gate.judge(older)
        assert is_stopped
        assert outcome == Retry("another worker has this lane")
        assert not settle(gate.engine, older, outcome)
        assert gate.verdict(number) == "failure"
        assert outcomes(gate.engine) == [*decided, "block"], "nor is it stored"
