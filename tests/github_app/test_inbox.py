"""The inbox on both databases: stored with its work or not at all, and decided when its lanes are."""

import json
import random
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from foureyes.github_app import inbox, lanes, seen, storage
from foureyes.github_app.inbox import Delivery
from foureyes.github_app.lanes import Done, Retry
from foureyes.github_app.tables import delivery, delivery_awaits, push_seen, work

HEAD, BEFORE = "a" * 40, "b" * 40
LEASE = 60_000


def pull_request(guid: str = "g1", action: str = "opened", **over: Any) -> Delivery:
    payload: dict[str, Any] = {
        "action": action,
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "installation": {"id": 7},
        "sender": {"id": 1, "login": "olga", "type": "User"},
        "pull_request": {
            "number": 412,
            "head": {"sha": HEAD, "ref": "fix", "repo": {"id": 9}},
            "base": {"sha": "c" * 40, "ref": "main"},
        },
        **over,
    }
    return Delivery(guid, "pull_request", json.dumps(payload).encode(), payload)


def synchronize(guid: str = "g1") -> Delivery:
    return pull_request(guid, "synchronize", before=BEFORE, after=HEAD)


def push(guid: str, ref: str) -> Delivery:
    payload = {**pull_request().payload, "ref": ref, "before": BEFORE, "after": HEAD}
    return Delivery(guid, "push", json.dumps(payload).encode(), payload)


def look(engine: Engine, at: int, outcome: Done | Retry = Done()) -> str:  # noqa: B008 - frozen
    """One worker's turn; the key of the lane it had, or ``."""
    with storage.writing(engine) as conn:
        held = lanes.claim(conn, f"w{at}", at, LEASE)
        if held is None:
            return ""
        settle = lanes.finish if isinstance(outcome, Done) else lanes.retry_later
        assert settle(conn, held, outcome, at)  # type: ignore[arg-type]
        return held.lane.key


def decided(engine: Engine) -> dict[str, bool]:
    with storage.reading(engine) as conn:
        rows = conn.execute(select(delivery.c.guid, delivery.c.decided_at))
        return {guid: at is not None for guid, at in rows}


def later(engine: Engine) -> int:
    with storage.reading(engine) as conn:
        return storage.now(conn) + 1000


def test_a_delivery_is_stored_whole_together_with_its_work(engine: Engine) -> None:
    given = synchronize()
    assert inbox.accept(engine, given)
    with storage.reading(engine) as conn:
        row = conn.execute(select(delivery)).one()
        assert zlib.decompress(row.payload) == given.body
        assert (row.event, row.action, row.received_count, row.decided_at) == (
            "pull_request",
            "synchronize",
            1,
            None,
        )
        assert set(conn.execute(select(work.c.key)).scalars()) == {f"9:{HEAD}", f"9:{BEFORE}"}
        assert conn.execute(select(push_seen.c.login)).scalars().all() == ["olga"]


def test_a_delivery_is_decided_when_each_lane_it_woke_was_looked_at(engine: Engine) -> None:
    inbox.accept(engine, synchronize())
    at = later(engine)
    assert look(engine, at)
    assert decided(engine) == {"g1": False}
    assert look(engine, at + 1)
    assert decided(engine) == {"g1": True}
    with storage.reading(engine) as conn:
        assert conn.execute(select(delivery_awaits)).all() == []
        assert inbox.undecided(conn) == 0


def test_a_failed_look_decides_nothing(engine: Engine) -> None:
    inbox.accept(engine, pull_request())
    look(engine, later(engine), Retry("502"))
    assert decided(engine) == {"g1": False}


def test_a_look_that_began_before_the_delivery_does_not_decide_it(engine: Engine) -> None:
    inbox.accept(engine, pull_request("g1"))
    at = later(engine)
    with storage.writing(engine) as conn:
        held = lanes.claim(conn, "w", at, LEASE)
    assert held is not None
    inbox.accept(engine, pull_request("g2", "edited"))
    with storage.writing(engine) as conn:
        assert lanes.finish(conn, held, Done(), at)
    assert decided(engine) == {"g1": True, "g2": False}
    assert look(engine, at + 1)
    assert decided(engine) == {"g1": True, "g2": True}


def test_one_look_decides_all_that_joined(engine: Engine) -> None:
    for number in range(5):
        inbox.accept(engine, pull_request(f"g{number}", "edited"))
    look(engine, later(engine))
    assert set(decided(engine).values()) == {True}
    assert look(engine, later(engine)) == ""


def test_what_was_decided_is_not_looked_at_again_under_the_same_guid(engine: Engine) -> None:
    inbox.accept(engine, pull_request())
    look(engine, later(engine))
    assert [inbox.accept(engine, pull_request()) for _ in range(100)] == [False] * 100
    assert look(engine, later(engine)) == ""
    with storage.reading(engine) as conn:
        assert conn.execute(select(delivery.c.received_count)).scalars().all() == [101]


def test_what_was_only_seen_is_looked_at_again_at_once(engine: Engine) -> None:
    inbox.accept(engine, pull_request())
    at = later(engine)
    for number in range(3):
        look(engine, at + 10_000 * number, Retry("502"))
    assert inbox.accept(engine, pull_request())
    assert look(engine, at + 20_001)
    assert decided(engine) == {"g1": True}


def test_another_body_under_a_decided_guid_is_another_delivery(engine: Engine) -> None:
    inbox.accept(engine, pull_request())
    look(engine, later(engine))
    other = pull_request(action="closed")
    assert inbox.accept(engine, other)
    assert decided(engine) == {"g1": False}
    with storage.reading(engine) as conn:
        assert zlib.decompress(conn.execute(select(delivery.c.payload)).scalar_one()) == other.body


def test_an_event_without_work_is_decided_at_once_and_says_why(engine: Engine) -> None:
    assert inbox.accept(engine, Delivery("g1", "star", b"{}", {}))
    assert inbox.accept(engine, Delivery("g2", "push", b"{}", {}))
    assert decided(engine) == {"g1": True, "g2": True}
    with storage.reading(engine) as conn:
        notes = {guid: note for guid, note in conn.execute(select(delivery.c.guid, delivery.c.note))}
    assert notes["g1"] == "event star is not used"
    assert notes["g2"].startswith("not understood: push.")


def test_a_push_to_a_branch_that_is_nobodys_base_is_kept_and_wakes_nobody(engine: Engine) -> None:
    inbox.accept(engine, push("g1", "refs/heads/fix"))
    inbox.accept(engine, push("g2", "refs/heads/main"))
    assert decided(engine) == {"g1": True, "g2": False}
    with storage.reading(engine) as conn:
        assert set(conn.execute(select(push_seen.c.ref)).scalars()) == {"refs/heads/fix", "refs/heads/main"}
        keys = select(work.c.key).order_by(work.c.key)
        assert conn.execute(keys).scalars().all() == ["9:push:*", "9:push:landed:refs/heads/main"]


def test_a_push_to_a_branch_that_the_policy_gates_wakes_what_looks_at_what_landed(engine: Engine) -> None:
    policy = 'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    with storage.writing(engine) as conn:
        seen.keep_policy(conn, 9, "a" * 40, policy, True, 1)
    inbox.accept(engine, push("g1", "refs/heads/release/1"))
    inbox.accept(engine, push("g2", "refs/heads/fix"))
    with storage.reading(engine) as conn:
        assert conn.execute(select(work.c.key)).scalars().all() == ["9:push:landed:refs/heads/release/1"]


def test_the_same_delivery_many_times_at_once_is_one(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: inbox.accept(engine, synchronize()), range(12)))
    with storage.reading(engine) as conn:
        assert conn.execute(select(delivery.c.received_count)).scalars().all() == [12]
        assert len(conn.execute(select(delivery_awaits)).all()) == 2
    for number in range(2):
        look(engine, later(engine) + number)
    assert decided(engine) == {"g1": True}


def test_nothing_is_stored_if_not_all_of_it_can_be(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        conn.execute(text("alter table work rename to not_here"))
    with pytest.raises(SQLAlchemyError):
        inbox.accept(engine, synchronize())
    assert decided(engine) == {}
    with storage.reading(engine) as conn:
        assert conn.execute(select(push_seen)).all() == []


@pytest.mark.parametrize("characters", [1012, 253, 254])
def test_a_branch_of_any_length_is_stored_or_not_understood(engine: Engine, characters: int) -> None:
    """Else one name would be an error for ever, and GitHub's list of failed deliveries could not be read past it."""
    chance = random.Random(1)
    name = "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(characters))
    payload = push("g1", f"refs/heads/{name}").payload
    payload["repository"]["default_branch"] = name
    assert inbox.accept(engine, Delivery("g1", "push", json.dumps(payload).encode(), payload))
    assert decided(engine) == {"g1": characters > 253}
