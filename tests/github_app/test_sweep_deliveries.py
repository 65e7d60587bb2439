"""Deliveries that did not arrive are fetched from the App's own list: what they witnessed is not lost (G37)."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from support_gate import Gate, running_gate
from support_sweep import Swept, sweeping

from foureyes.github_app import storage, sweep_deliveries
from foureyes.github_app.inbox import Delivery, accept
from foureyes.github_app.sweep_deliveries import Place
from foureyes.github_app.sweep_tables import errand
from foureyes.github_app.tables import delivery, review_seen


@pytest.fixture(scope="module")
def module_swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    with running_gate(tmp_path_factory.mktemp("deliveries")) as gate:
        yield sweeping(gate)


@pytest.fixture
def swept(module_swept: Swept) -> Swept:
    """Nobody answers at the App's webhook address; all that came before is known."""
    module_swept.gate.deaf = True
    module_swept.round()
    module_swept.gate.forget_calls()
    return module_swept


def fetched(gate: Gate) -> list[str]:
    return [path for path in gate.paths if path.startswith("GET /app/hook/deliveries/")]


def round_of(swept: Swept) -> None:
    assert swept.gate.sandbox.wait_delivered()
    swept.round(forgotten=False)


def test_G57_a_review_whose_delivery_failed_is_witnessed_all_the_same(swept: Swept) -> None:
    gate = swept.gate
    first = gate.change({"infra/network.tf": "witnessed\n"})
    number = gate.open("olga", "witnessed", first)
    reviews = [gate.review(login, number) for login in ("rita", "sam")]
    same = gate.change({"infra/network.tf": "witnessed\n"}, message="Say it better")
    gate.push("olga", "witnessed", same)
    round_of(swept)
    with storage.reading(gate.engine) as conn:
        seen = conn.execute(select(review_seen.c.review_id, review_seen.c.commit)).all()
    assert {tuple(row) for row in seen} >= {(review, first) for review in reviews}
    assert gate.verdict(number) == "success", "the content is what was approved, to the byte"


def test_each_is_fetched_once_and_those_that_ask_for_nothing_never(swept: Swept) -> None:
    gate = swept.gate
    gate.open("olga", "once", gate.change({"infra/network.tf": "once\n"}))
    round_of(swept)
    log = gate.sandbox.world.courier.log
    assert len(fetched(gate)) == len({d.guid for d in log if d.event in ("pull_request", "push")})
    assert [d.event for d in log if d.event == "check_suite"], "GitHub sends these to every App"
    gate.forget_calls()
    round_of(swept)
    assert fetched(gate) == []


def test_one_that_github_gave_up_on_after_others_is_fetched_too(swept: Swept) -> None:
    """A delivery that waits for an answer in vain has a lower number than one that was refused meanwhile."""
    gate = swept.gate
    gate.open("olga", "slow", gate.change({"infra/network.tf": "slow\n"}))
    assert gate.sandbox.wait_delivered()
    log = gate.sandbox.world.courier.log
    at, slow = next((at, sent) for at, sent in enumerate(log) if sent.event == "push")
    assert any(sent.id > slow.id and sent.event == "pull_request" for sent in log)
    log.pop(at)
    round_of(swept)
    log.insert(at, slow)
    round_of(swept)
    with storage.reading(gate.engine) as conn:
        assert slow.guid in set(conn.execute(select(delivery.c.guid)).scalars())


def test_one_that_is_stored_already_is_not_fetched(swept: Swept) -> None:
    gate = swept.gate
    gate.open("olga", "stored", gate.change({"infra/network.tf": "stored\n"}))
    assert gate.sandbox.wait_delivered()
    for sent in gate.sandbox.world.courier.log:
        accept(gate.engine, Delivery(sent.guid, sent.event, sent.body, json.loads(sent.body)))
    round_of(swept)
    assert fetched(gate) == []


def test_a_round_that_runs_out_of_time_goes_on_where_it_stopped(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = swept.gate
    number = gate.open("olga", "stopped", gate.change({"infra/network.tf": "stopped\n"}))
    for _ in range(2):
        gate.review("rita", number)
    assert gate.sandbox.wait_delivered()
    failed = {d.guid for d in gate.sandbox.world.courier.log if d.event in ("pull_request", "push")}
    once = sweep_deliveries.DeliverySweep(gate.engine, swept.deps.github, lambda: True, swept.sweeper.woken)
    monkeypatch.setattr(sweep_deliveries, "PAGE", "2")
    place, turns = place_of(gate), 0
    done = False
    while not done:
        place, done = once.turn(place)
        turns += 1
        assert turns < 50
    assert turns > 2
    with storage.reading(gate.engine) as conn:
        assert failed <= set(conn.execute(select(delivery.c.guid)).scalars())
    assert Place.read(place).cursor == ""
    gate.forget_calls()
    while not (ended := once.turn(place))[1]:
        place = ended[0]
    assert fetched(gate) == [], "what was listed a second time is known"


def test_a_place_that_github_knows_no_more_is_given_up(swept: Swept) -> None:
    """The server was down for longer than GitHub keeps deliveries, in the middle of a round."""
    gate = swept.gate
    gate.open("olga", "place", gate.change({"infra/network.tf": "place\n"}))
    assert gate.sandbox.wait_delivered()
    once = sweep_deliveries.DeliverySweep(gate.engine, swept.deps.github, lambda: False, swept.sweeper.woken)
    before = Place.read(place_of(gate))
    gate.fault("status", "GET /api/v3/app/hook/deliveries", status=422)
    place, done = once.turn(replace(before, cursor="gone").written())
    assert done
    assert gate.sandbox.world.faults.listed() == [], "it was said"
    assert Place.read(place).last > before.last
    failed = {d.guid for d in gate.sandbox.world.courier.log if d.event in ("pull_request", "push")}
    with storage.reading(gate.engine) as conn:
        assert failed <= set(conn.execute(select(delivery.c.guid)).scalars())


def place_of(gate: Gate) -> str:
    with storage.reading(gate.engine) as conn:
        return str(conn.execute(select(errand.c.place).where(errand.c.key == "deliveries")).scalar_one())


def test_what_github_has_forgotten_and_what_is_odd_is_passed_over(swept: Swept) -> None:
    gate = swept.gate
    number = gate.open("olga", "odd", gate.change({"infra/network.tf": "odd\n"}))
    assert gate.sandbox.wait_delivered()
    gate.fault("status", "GET /api/v3/app/hook/deliveries/*", status=404, message="Not Found")
    round_of(swept)
    assert gate.verdict(number) == "in_progress"


def test_one_that_github_fails_to_hand_out_holds_up_no_other_and_is_passed_over_in_the_end(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = swept.gate
    monkeypatch.setattr(sweep_deliveries, "MOST_TRIES", 3)
    number = gate.open("olga", "owed", gate.change({"infra/network.tf": "owed\n"}))
    assert gate.sandbox.wait_delivered()
    log = gate.sandbox.world.courier.log
    owed = next(sent for sent in log if sent.event == "push")
    gate.fault("status", f"GET /api/v3/app/hook/deliveries/{owed.id}", status=502, times=100)
    round_of(swept)
    wanted = {sent.guid for sent in log if sent.event in ("pull_request", "push")}
    with storage.reading(gate.engine) as conn:
        assert wanted - set(conn.execute(select(delivery.c.guid)).scalars()) == {owed.guid}
    assert gate.verdict(number) == "in_progress"
    assert [one.guid for one in Place.read(place_of(gate)).owed] == [owed.guid]
    for _ in range(2):
        round_of(swept)
    assert Place.read(place_of(gate)).owed != ()
    round_of(swept)
    assert Place.read(place_of(gate)).owed == ()
    gate.forget_calls()
    gate.sandbox.world.faults.clear()
    round_of(swept)
    assert fetched(gate) == []


def test_what_github_owed_for_a_while_is_fetched_once_it_hands_it_out(swept: Swept) -> None:
    gate = swept.gate
    gate.open("olga", "late", gate.change({"infra/network.tf": "late\n"}))
    assert gate.sandbox.wait_delivered()
    owed = next(sent for sent in gate.sandbox.world.courier.log if sent.event == "push")
    gate.fault("status", f"GET /api/v3/app/hook/deliveries/{owed.id}", status=502, times=3)
    round_of(swept)
    assert [one.guid for one in Place.read(place_of(gate)).owed] == [owed.guid]
    round_of(swept)
    assert Place.read(place_of(gate)).owed == ()
    with storage.reading(gate.engine) as conn:
        assert owed.guid in set(conn.execute(select(delivery.c.guid)).scalars())


def test_where_github_hands_out_hardly_any_the_errand_waits(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = swept.gate
    monkeypatch.setattr(sweep_deliveries, "MOST_OWED", 1)
    gate.open("olga", "none", gate.change({"infra/network.tf": "none\n"}))
    assert gate.sandbox.wait_delivered()
    before = place_of(gate)
    gate.fault("status", "GET /api/v3/app/hook/deliveries/*", status=502, times=100)
    round_of(swept)
    gate.sandbox.world.faults.clear()
    with storage.reading(gate.engine) as conn:
        row = conn.execute(select(errand).where(errand.c.key == "deliveries")).one()
    assert (row.tries, row.place) == (1, before)
    round_of(swept)
    assert Place.read(place_of(gate)).owed == ()


def test_an_app_without_webhooks_has_no_such_list_and_that_is_no_error(swept: Swept) -> None:
    swept.gate.fault("status", "GET /api/v3/app/hook/deliveries", status=404, message="Not Found")
    round_of(swept)
    with storage.reading(swept.gate.engine) as conn:
        row = conn.execute(select(errand).where(errand.c.key == "deliveries")).one()
    assert (row.tries, row.last_error) == (0, "")


def test_a_list_that_cannot_be_read_is_asked_again_and_holds_up_nothing_else(swept: Swept) -> None:
    gate = swept.gate
    number = gate.open("olga", "unread", gate.change({"infra/network.tf": "unread\n"}))
    gate.fault("status", "GET /api/v3/app/hook/deliveries", status=502, times=3)
    round_of(swept)
    assert gate.verdict(number) == "in_progress", "found by what happened to the pull requests"
    with storage.reading(gate.engine) as conn:
        row = conn.execute(select(errand).where(errand.c.key == "deliveries")).one()
    assert row.tries == 1
    assert "502" in row.last_error
    round_of(swept)
    assert fetched(gate)


def test_a_database_that_goes_away_in_a_turn_holds_the_errand_up_for_seconds(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not until its lease ends."""
    engine = swept.gate.engine

    def gone(*_: object) -> None:
        raise OperationalError("select", {}, Exception("server closed the connection unexpectedly"))

    swept.round()
    swept.sweeper.begin()
    with monkeypatch.context() as patch:
        patch.setattr("foureyes.github_app.errands.finish", gone)
        with pytest.raises(OperationalError):
            swept.sweeper.turn()
    swept.sweeper.turn()
    with storage.reading(engine) as conn:
        found = conn.execute(select(errand).where(errand.c.tries == 1)).one()
        assert (found.last_error, found.lease_until) == ("the database was gone", 0)
        assert found.due_at - storage.now(conn) <= 3_000
