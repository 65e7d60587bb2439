"""The sweep's errands as rows: in turn, by one at a time, from where the last turn stopped; and lanes that rest."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from foureyes.github_app import errands, lanes, storage
from foureyes.github_app.errands import Errand
from foureyes.github_app.inbox import Delivery, accept, undecided
from foureyes.github_app.lanes import Done, Lane
from foureyes.github_app.rest_lanes import rest_installations, rest_repositories
from foureyes.github_app.sweep import MOST, sweep, wake_idle
from foureyes.github_app.sweep_tables import errand, pull_read
from foureyes.github_app.tables import delivery, work


def expect(engine: Engine, *keys: tuple[str, int], at: int = 1000) -> None:
    with storage.writing(engine) as conn:
        errands.expect(conn, keys, at)


def take(engine: Engine, at: int, owner: str = "me") -> Errand | None:
    with storage.writing(engine) as conn:
        return errands.take(conn, f"{owner}-{at}", at)


def test_each_has_its_turn_however_long_one_takes(engine: Engine) -> None:
    expect(engine, ("pulls:1", 1), ("pulls:2", 2))
    seen = []
    for at in range(1000, 1006):
        taken = take(engine, at)
        assert taken is not None
        seen.append((taken.key, taken.place))
        with storage.writing(engine) as conn:
            errands.go_on(conn, taken, f"{at}", at + 1)
    assert seen == [
        ("pulls:1", ""), ("pulls:2", ""), ("pulls:1", "1000"), ("pulls:2", "1001"), ("pulls:1", "1002"),
        ("pulls:2", "1003"),
    ]  # fmt: skip


def test_nobody_takes_what_another_is_about_until_its_lease_ends(engine: Engine) -> None:
    expect(engine, ("deliveries", 0))
    first = take(engine, 2000)
    assert first is not None
    assert take(engine, 2001) is None
    second = take(engine, 2000 + errands.LEASE)
    assert second is not None
    with storage.writing(engine) as conn:
        errands.finish(conn, first, 300_000, 60_000, "lost")
        errands.finish(conn, second, 300_000, 60_000, "kept")
    with storage.reading(engine) as conn:
        row = conn.execute(select(errand)).one()
    assert (row.place, row.owner, row.done_at) == ("kept", "", 300_000)


def test_a_round_begins_an_interval_after_the_last_one_began(engine: Engine) -> None:
    expect(engine, ("deliveries", 0), at=1000)
    taken = take(engine, 1000)
    assert taken is not None
    with storage.writing(engine) as conn:
        errands.finish(conn, taken, 5_000, 60_000)
    assert take(engine, 60_999) is None
    assert take(engine, 61_000) is not None


def test_what_changes_while_a_round_goes_on_has_a_round_of_its_own(engine: Engine) -> None:
    began = 1_700_000_000_000
    key = ("pulls:1", 1)
    expect(engine, key, at=began)
    for due, turns in ((began, 1), (began + 2_000, 2)):
        with storage.writing(engine) as conn:
            errands.hasten(conn, [key], due - 1)  # before it begins, that changes nothing
        for turn in range(turns):
            taken = take(engine, due)
            assert taken is not None
            with storage.writing(engine) as conn:
                if turn == 0:
                    errands.hasten(conn, [key], due + 10)
                if turn < turns - 1:
                    errands.go_on(conn, taken, "half", due)
                else:
                    errands.finish(conn, taken, due + 100, 60_000)
        another = take(engine, due + 101)
        assert another is not None
        with storage.writing(engine) as conn:
            errands.finish(conn, another, due + 200, 60_000)
        assert take(engine, due + 60_100) is None


@pytest.mark.parametrize("why", ["nothing\0at all", "half a \ud800 pair"])
def test_a_failure_that_no_database_can_keep_is_kept_with_another_sign(engine: Engine, why: str) -> None:
    with storage.writing(engine) as conn:
        errands.expect(conn, [("installations", 0)], 0)
        taken = errands.take(conn, "w", 0)
        assert taken is not None
        errands.put_off(conn, taken, why, 0, 1_000)
    with storage.reading(engine) as conn:
        assert conn.execute(select(errand.c.tries)).scalar_one() == 1


def test_a_failure_waits_keeps_its_place_and_is_counted(engine: Engine) -> None:
    expect(engine, ("pulls:1", 1))
    for tries in range(3):
        at = 10_000 * (tries + 1)
        taken = take(engine, at)
        assert taken is not None
        assert taken.tries == tries
        with storage.writing(engine) as conn:
            errands.put_off(conn, taken, "502", at, 5_000)
        assert take(engine, at + 4_999) is None


@pytest.mark.parametrize("alone", [True, False])
def test_at_start_all_are_due_but_what_another_process_is_about(engine: Engine, alone: bool) -> None:
    expect(engine, ("deliveries", 0), ("pulls:1", 1), ("pulls:2", 2))
    held = take(engine, 1000)
    done = take(engine, 1001)
    assert held is not None
    assert done is not None
    with storage.writing(engine) as conn:
        errands.finish(conn, done, 1002, 10**9)
        errands.hurry(conn, 2000, alone=alone)
    keys = {taken.key for at in range(2000, 2004) if (taken := take(engine, at)) is not None}
    assert keys == {"deliveries", "pulls:1", "pulls:2"} - (set() if alone else {held.key})


def head(installation: int, repository: int, number: int) -> Lane:
    return Lane(
        installation, repository, f"acme/r{repository}", head=f"{repository:020x}{number:020x}", pull=number
    )


def push(number: int, installation: int, repository: int) -> Delivery:
    lane = head(installation, repository, number)
    payload = {
        "action": "opened", "installation": {"id": installation},
        "repository": {"id": repository, "full_name": lane.slug, "default_branch": "main"},
        "pull_request": {"number": number, "head": {"sha": lane.head, "ref": "f"}, "base": {"ref": "main"}},
    }  # fmt: skip
    return Delivery(f"d-{installation}-{repository}-{number}", "pull_request", b"{}", payload)


def pending(engine: Engine) -> set[tuple[int, int]]:
    with storage.reading(engine) as conn:
        rows = conn.execute(select(work).where(work.c.gen > work.c.done_gen)).all()
    return {(row.installation_id, row.repository_id) for row in rows}


def test_a_new_installation_is_asked_about_at_once_and_not_with_the_next_round(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        at = storage.now(conn)
        errands.expect(conn, [(errands.INSTALLATIONS, 0)], at)
        taken = errands.take(conn, "me", at)
        assert taken is not None
        errands.finish(conn, taken, at, 300_000)
        assert errands.take(conn, "me again", at + 1_000) is None
    payload = {
        "action": "created",
        "installation": {"id": 3},
        "sender": {"id": 1, "login": "olga", "type": "User"},
    }
    accept(engine, Delivery("d-new", "installation", b"{}", payload))
    with storage.writing(engine) as conn:
        hastened = errands.take(conn, "me", storage.now(conn))
    assert hastened is not None
    assert hastened.key == errands.INSTALLATIONS


def test_a_delivery_that_comes_while_lanes_are_laid_to_rest_has_its_look(engine: Engine) -> None:
    """On PostgreSQL; on SQLite it waits until they are."""
    accept(engine, push(1, 1, 10))
    with storage.writing(engine) as conn:
        conn.execute(work.update().values(done_gen=work.c.gen))
    news = Delivery("d-news", "pull_request", b"{}", push(1, 1, 10).payload)
    heard: list[bool] = []

    def hear(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE work") and not heard and not storage.is_sqlite(engine):
            heard.append(True)
            heard.append(accept(engine, news))

    event.listen(engine, "before_cursor_execute", hear)
    with storage.writing(engine) as conn:
        rest_repositories(conn, 1, {11}, storage.now(conn))
    if not heard:
        accept(engine, news)
    assert pending(engine) == {(1, 10)}
    with storage.reading(engine) as conn:
        decided_at = select(delivery.c.decided_at).where(delivery.c.guid == news.guid)
        assert conn.execute(decided_at).scalar_one() is None


def test_lanes_of_what_the_app_may_not_see_rest_and_their_deliveries_are_done_with(engine: Engine) -> None:
    for installation, repository in ((1, 10), (1, 11), (2, 20)):
        accept(engine, push(1, installation, repository))
    with storage.writing(engine) as conn:
        for installation, repository in ((1, 10), (1, 11), (2, 20)):
            row = {
                "repository_id": repository,
                "pull": 1,
                "installation_id": installation,
                "head": "a",
                "read_at": 5,
            }
            conn.execute(pull_read.insert().values(**row))
        assert rest_repositories(conn, 1, {10}, storage.now(conn)) == 0
    assert pending(engine) == {(1, 10), (1, 11), (2, 20)}, (
        "what came after the list was read has its look first"
    )
    with storage.writing(engine) as conn:
        conn.execute(work.update().values(tries=1))
        assert rest_repositories(conn, 1, {10}, storage.now(conn)) == 1
    assert pending(engine) == {(1, 10), (2, 20)}
    with storage.writing(engine) as conn:
        assert undecided(conn) == 2
        assert rest_installations(conn, {1}, storage.now(conn)) == 1
        assert rest_installations(conn, {1}, storage.now(conn)) == 0
    assert pending(engine) == {(1, 10)}
    with storage.reading(engine) as conn:
        assert undecided(conn) == 1
        assert conn.execute(select(pull_read.c.repository_id)).scalars().all() == [10]


def settled(engine: Engine, lane: Lane, at: int, *, green: bool = False) -> None:
    with storage.writing(engine) as conn:
        lanes.wake(conn, lane, at)
        held = lanes.claim(conn, f"{lane.key}-{at}", at, 60_000)
        assert held is not None
        assert lanes.finish(conn, held, Done(green=green, look_again=1), at)


def test_one_installation_takes_no_more_than_its_share_of_a_sweep(sqlite_engine: Engine) -> None:
    for number in range(MOST + 5):
        settled(sqlite_engine, head(1, 10, number), 1000)
    settled(sqlite_engine, head(2, 20, 1), 1000)
    settled(sqlite_engine, head(1, 10, 999), 1000, green=True)
    with storage.writing(sqlite_engine) as conn:
        assert sweep(conn, 10_000) == MOST + 2, "a green one is beside it"
        rows = conn.execute(select(work).where(work.c.gen > work.c.done_gen)).all()
        assert {row.installation_id for row in rows} == {1, 2}
        first = min(rows, key=lambda row: row.due_at)
        assert first.green
        assert max(row.due_at for row in rows) > 10_000 + MOST, (
            "spread, so that news is not put behind all of them"
        )
        assert sweep(conn, 20_000) == 5


def test_what_is_being_looked_at_is_looked_at_once_more(engine: Engine) -> None:
    """The look may have read GitHub before what the sweep found."""
    lane = head(1, 10, 1)
    with storage.writing(engine) as conn:
        lanes.wake(conn, lane, 1000)
        held = lanes.claim(conn, "one", 1000, 60_000)
        assert held is not None
        assert wake_idle(conn, [lane], 2000) == 1
        assert lanes.finish(conn, held, Done(), 3000)
        assert lanes.claim(conn, "two", 3000, 60_000) is not None


def test_what_waits_for_a_look_anyway_is_not_woken_by_the_sweep(engine: Engine) -> None:
    lane, other = head(1, 10, 1), head(1, 10, 2)
    settled(engine, lane, 1000)
    with storage.writing(engine) as conn:
        assert wake_idle(conn, [lane, other], 2000) == 2
        assert wake_idle(conn, [lane, other], 3000) == 0
