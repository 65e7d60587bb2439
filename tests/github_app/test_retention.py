"""What is purged is old and decides nothing: every question that a verdict asks has the same answer before and after."""

import random
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, insert, select
from support_facts import facts
from support_gate import running_gate

from foureyes.github_app import decisions, landed, lanes, seen, storage, tables
from foureyes.github_app.decisions import Decision
from foureyes.github_app.judge import _decided_pulls
from foureyes.github_app.lanes import Done, Lane
from foureyes.github_app.retention import DAY_MS, Purged, Retention, purge
from foureyes.github_app.simulate import last_of_each
from foureyes.github_app.tables import (
    alert,
    decision,
    delivery,
    landing,
    push_seen,
    record_seen,
    review_seen,
    work,
)
from foureyes.shared.evaluate import evaluate
from foureyes.shared.policy_text import parse_policy

KEEP = Retention(deliveries=30, decisions=400)
NOW = 2_000 * DAY_MS
WITNESSED = (push_seen, review_seen, record_seen, tables.envelope_seen, tables.policy_seen, landing, alert)
POLICY = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
FACTS = facts()
VERDICT = evaluate(FACTS, parse_policy(POLICY)).verdict


def keep_delivery(engine: Engine, guid: str, decided_days_ago: float | None) -> None:
    at = None if decided_days_ago is None else NOW - int(decided_days_ago * DAY_MS)
    row = {
        "guid": guid, "event": "push", "action": "", "received_at": 1, "received_count": 1,
        "payload": zlib.compress(b"{}"), "payload_sha256": "0" * 64, "note": "", "decided_at": at,
    }  # fmt: skip
    with storage.writing(engine) as conn:
        conn.execute(insert(delivery).values(row))


def left(engine: Engine, table: Table, column: str) -> set[str]:
    with storage.reading(engine) as conn:
        return set(conn.execute(select(table.c[column])).scalars())


def test_deliveries_go_when_they_are_old_and_decided(engine: Engine) -> None:
    for guid, days in {"old": 31, "young": 29, "undecided": None}.items():
        keep_delivery(engine, guid, days)
    assert purge(engine, KEEP, NOW) == Purged(deliveries=1)
    assert left(engine, delivery, "guid") == {"young", "undecided"}
    assert not purge(engine, KEEP, NOW)


def test_0_days_keep_for_good(engine: Engine) -> None:
    keep_delivery(engine, "old", 1999)
    assert not purge(engine, Retention(0, 0), NOW)
    assert left(engine, delivery, "guid") == {"old"}


def test_one_round_is_bounded_and_the_next_goes_on(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foureyes.github_app.retention.BATCH", 2)
    monkeypatch.setattr("foureyes.github_app.retention.MOST_BATCHES", 2)
    for number in range(7):
        keep_delivery(sqlite_engine, f"g{number}", 50)
    assert [purge(sqlite_engine, KEEP, NOW).deliveries for _ in range(3)] == [4, 3, 0]


def test_lanes_of_heads_that_nobody_has_open_go(engine: Engine) -> None:
    long_ago = NOW - 31 * DAY_MS
    ends = {
        "ended": Done(live=False), "open": Done(live=True), "green": Done(live=False, green=True),
        "woken": Done(live=False), "taken": Done(live=False),
    }  # fmt: skip
    keys = {}
    with storage.writing(engine) as conn:
        for number, (name, done) in enumerate(ends.items()):
            lane = Lane(7, 9, "acme/shop", head=f"{number:040x}")
            keys[lane.key] = name
            lanes.wake(conn, lane, long_ago)
            held = lanes.claim(conn, name, long_ago, 60_000)
            assert held is not None
            assert lanes.finish(conn, held, done, long_ago)
            if name in ("woken", "taken"):
                lanes.wake(conn, lane, NOW)
            if name == "taken":
                conn.execute(work.update().where(work.c.key == lane.key).values(owner="w", gen=1))
    assert purge(engine, KEEP, NOW) == Purged(lanes=1)
    assert {keys[key] for key in left(engine, work, "key")} == {"open", "green", "woken", "taken"}


def made(chance: random.Random, number: int) -> Decision:
    at = NOW - chance.randrange(1, 1000) * DAY_MS
    made = decisions.decide(
        FACTS, VERDICT, policy=POLICY, policy_oid="f" * 40, evaluator="1", title=str(number), at=at
    )
    pull = chance.randrange(1, 5)
    head = chance.choice("abc") * 40
    return replace(made, pull=pull, head=head, base_ref=chance.choice(["main", "next"]))


def answers(engine: Engine) -> dict[str, Any]:
    """Everything that anybody asks the decisions, and all of what was witnessed."""
    found: dict[str, Any] = {}
    with storage.reading(engine) as conn:
        for pull in range(1, 6):
            found[f"latest {pull}"] = decisions.latest(conn, FACTS.pull.repository.id, pull)
        for head in "abc":
            lane = Lane(7, FACTS.pull.repository.id, "", head=head * 40)
            found[f"pulls of {head}"] = sorted(_decided_pulls(conn, lane))
            for base in ("main", "next"):
                for pull in (None, 1, 2, 3, 4):
                    found[f"on {head} {base} {pull}"] = decisions.latest_on_head(
                        conn, FACTS.pull.repository.id, head * 40, base, pull
                    )
                found[f"base {base}"] = conn.execute(
                    select(func.count()).select_from(decision).where(decision.c.base_ref == base)
                ).scalar_one() > 0  # fmt: skip
        found["simulated"] = list(last_of_each(conn, FACTS.pull.repository.slug, 100))
        for table in (landing, alert):
            ids = conn.execute(select(table.c.decision).order_by(table.c.decision)).scalars().all()
            found[f"named by {table.name}"] = [decisions.load(conn, one) for one in ids]
        for table in WITNESSED:
            found[table.name] = sorted(map(str, conn.execute(select(table)).all()))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_changes_by_a_purge(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    all_made = [made(chance, number) for number in range(60)]
    repository = FACTS.pull.repository
    with storage.writing(engine) as conn:
        for one in all_made:
            decisions.store(conn, one)
        named, merged = chance.sample(all_made, 2)
        conn.execute(insert(landing).values(
            repository_id=repository.id, ref="refs/heads/main", after="d" * 40, before="e" * 40,
            head=merged.head, pull=merged.pull, decision=merged.id, finding="decided", account_id=1,
            login="olga", landed_at=1,
        ))  # fmt: skip
        conn.execute(insert(alert).values(
            id="A" * 26, repository_id=repository.id, slug=repository.slug, kind="record", ref="refs/heads/main",
            commit="d" * 40, decision=named.id, grave=True, title="", text="", raised_at=1,
        ))  # fmt: skip
    before = answers(engine)
    purged = purge(engine, KEEP, NOW)
    assert purged.decisions > 10
    assert answers(engine) == before
    kept = left(engine, decision, "id")
    assert {one.id for one in all_made if one.pull == merged.pull} <= kept, (
        "what landed keeps its whole story"
    )
    assert {one.id for one in all_made if one.made_at >= NOW - 400 * DAY_MS} <= kept


def test_what_was_witnessed_long_ago_is_still_there(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        seen.keep_push(conn, seen.PushSeen(9, "refs/heads/fix", "b" * 40, "a" * 40, None), 1)
        seen.keep_record(conn, 9, "a" * 40, b"record", [b"envelope"], 1)
        seen.keep_policy(conn, 9, "o", POLICY, True, 1)
    keep_delivery(engine, "old", 1000)
    assert purge(engine, KEEP, NOW).deliveries == 1
    with storage.reading(engine) as conn:
        assert landed.waiting(conn, 9, "refs/heads/fix")
        assert seen.records_seen(conn, 9, ["a" * 40])
        assert seen.policy_ever_seen(conn, 9)


def test_a_pull_request_is_judged_alike_before_and_after_everything_is_purged(tmp_path: Path) -> None:
    with running_gate(tmp_path) as gate:
        commit = gate.change({"infra/network.tf": b"one\n"})
        number = gate.open("olga", "feature", commit, by="raj")
        gate.settle()
        gate.review("rita", number)
        gate.settle()
        gate.review("sam", number)
        gate.settle()
        assert gate.verdict(number) == "success"

        def judged_afresh() -> tuple[str, str, str]:
            # So that the check has to be written anew, and a decision with it.
            gate.check(number).external_id = "gone"
            gate.wake(number)
            gate.settle()
            with storage.reading(gate.engine) as conn:
                newest = decisions.latest(conn, gate.pull(number).repository.id, number)
            assert newest is not None
            return gate.verdict(number), newest.verdict, newest.policy_sha256

        before = judged_afresh()
        with storage.reading(gate.engine) as conn:
            later = storage.now(conn) + 401 * DAY_MS
        purged = purge(gate.engine, KEEP, later)
        assert purged.deliveries > 3
        assert purged.decisions > 1
        assert judged_afresh() == before
