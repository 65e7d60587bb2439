"""`foureyes simulate`: a new policy on stored decisions, on a real database."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support_database import migrated
from support_facts import PULL, RITA, SAM, change, commit, facts, record, review
from support_git import foureyes
from support_in_process import ended as in_process

from foureyes.github_app import decisions, storage
from foureyes.github_app.simulate import last_of_each
from foureyes.github_app.simulation import Tried, simulate
from foureyes.shared.content import of
from foureyes.shared.evaluate import VERSION, evaluate
from foureyes.shared.facts import Known, PullFacts, Repository, Witness
from foureyes.shared.policy_text import parse_policy

OLD = """\
version: 1
roster: ["@acme/reviewers"]
protected: ["infra/**"]
"""
THREE = OLD + "tiers: {1: {ai: 3, unattested: 3}}\n"
DAY = 86_400_000
START = 1_795_348_800_000  # 2026-11-22T12:00:00Z, a Sunday


def judged(
    number: int, approvals: int, *, path: str = "infra/main.tf", day: int = 0, slug: str = "acme/shop"
) -> PullFacts:
    owner, _, name = slug.partition("/")
    changes = (change(path),)
    given = Witness("a" * 40, "main", Known(of(changes, parse_policy(OLD))))
    reviews = tuple(
        replace(review(who, number=n), witness=given) for n, who in enumerate((RITA, SAM)[:approvals])
    )
    pull = replace(PULL, number=number, repository=Repository(len(slug), owner, name))
    return facts(
        pull=pull, at=f"2026-11-{22 + day:02}T12:00:00Z", changes=changes, reviews=reviews,
        commits=(commit(record=record()),),
    )  # fmt: skip


def keep(conn: Any, known: PullFacts, at: int, policy: str = OLD) -> decisions.Decision:
    verdict = evaluate(known, parse_policy(policy)).verdict
    made = decisions.decide(
        known, verdict, policy=policy, policy_oid="0" * 40, evaluator=VERSION, title="x", at=at
    )
    decisions.store(conn, made)
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Pull request 1 passed after two looks, 2 waits, 3 touches nothing; one week later 4 passed."""
    folder = tmp_path / "data"
    folder.mkdir()
    with migrated(f"sqlite:///{folder / 'foureyes.sqlite3'}") as engine, storage.writing(engine) as conn:
        keep(conn, judged(1, 1), START)
        keep(conn, judged(1, 2), START + 1000)
        keep(conn, judged(2, 1), START + 2000)
        keep(conn, judged(3, 0, path="docs/x"), START + 3000)
        keep(conn, judged(4, 2, day=2), START + 2 * DAY)
    return folder


def ended(data: Path, policy: str, *arguments: str) -> tuple[int, str, str]:
    (data / "new.yml").write_text(policy)
    argv = ("simulate", "--policy", "new.yml", *arguments)
    return in_process(data, *argv, env={"FOUREYES_DATA": str(data)})


def test_it_is_a_command(data: Path) -> None:
    (data / "new.yml").write_text(OLD)
    out = foureyes(data, "simulate", "--policy", "new.yml", env={"FOUREYES_DATA": str(data)})
    assert "0 would be judged otherwise." in out


def test_a_stricter_policy_shows_who_would_wait_by_week_and_by_reviewer(data: Path) -> None:
    status, out, err = ended(data, THREE)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "4 pull requests of acme/shop, 2026-11-22 to 2026-11-24, judged by new.yml"
    assert lines[2] == "3 would be judged otherwise: 3 with more people"
    assert [line.split()[0] for line in lines[3:6]] == ["#1", "#2", "#4"]
    assert "Passed (2) → Blocked (3)" in lines[3]
    assert "not enough eligible reviewers" in lines[3]
    assert lines[7].split("  ")[0] == "week"
    assert lines[8].split() == ["2026-W47", "3", "2", "→", "2", "4", "→", "6"]
    assert lines[9].split() == ["2026-W48", "1", "1", "→", "1", "2", "→", "3"]
    # 6 approvals asked for in 2 weeks, 2 people who can give them; then 9
    assert lines[12].split() == ["@rita", "1.5", "→", "2.2"]
    assert lines[13].split() == ["@sam", "1.5", "→", "2.2"]


def test_the_same_policy_changes_nothing(data: Path) -> None:
    status, out, _ = ended(data, OLD)
    assert status == 0
    assert "0 would be judged otherwise." in out


def test_a_weaker_policy_lets_more_pass_and_asks_nobody(data: Path) -> None:
    _, out, _ = ended(data, OLD.replace("infra/**", "other/**"))
    assert "3 would be judged otherwise: 3 with fewer\n" in out
    assert "Waiting (2) → Passed " in out
    status, out, _ = ended(data, OLD.replace("infra/**", "other/**"), "--last", "2", "--json")
    told = json.loads(out)
    assert (status, told["judged"]) == (0, 2)
    assert told["approvals_a_week"] == {"rita": [0.5, 0.0], "sam": [0.5, 0.0]}
    _, out, _ = ended(data, OLD.replace("infra/**", "other/**"), "--last", "1")
    assert "Passed (2) → Passed" in out


def test_the_same_for_programs(data: Path) -> None:
    _, out, _ = ended(data, THREE, "--json")
    told = json.loads(out)
    assert (told["repository"], told["judged"]) == ("acme/shop", 4)
    first = told["differing"][0]
    assert (first["pull_request"], first["before"]["outcome"], first["after"]["outcome"]) == (
        1,
        "pass",
        "block",
    )
    assert (first["before"]["needed"], first["after"]["needed"]) == (2, 3)
    assert told["weeks"]["2026-W47"] == {"pull_requests": 3, "waits": [2, 2], "approvals": [4, 6]}
    assert told["approvals_a_week"] == {"rita": [1.5, 2.25], "sam": [1.5, 2.25]}


def test_only_the_newest_decision_of_the_last_pull_requests_is_judged(data: Path) -> None:
    engine = storage.connect(f"sqlite:///{data / 'foureyes.sqlite3'}")
    try:
        with storage.reading(engine) as conn:
            assert [one.pull for one in last_of_each(conn, "acme/shop", 2)] == [4, 3]
            every = {one.pull: one.made_at for one in last_of_each(conn, "acme/shop", 10)}
    finally:
        engine.dispose()
    assert every == {4: START + 2 * DAY, 3: START + 3000, 2: START + 2000, 1: START + 1000}


def test_people_that_no_stored_decision_knows_are_said(data: Path) -> None:
    _, out, _ = ended(data, OLD.replace('["@acme/reviewers"]', '["@acme/reviewers", "@acme/new"]'))
    assert (
        "Not known: who @acme/new is, for no stored decision asked. Nobody counts for that name here." in out
    )
    _, out, _ = ended(data, OLD.replace('["@acme/reviewers"]', '["@acme/reviewers", "@acme/new", "@kim"]'))
    assert (
        "who @acme/new and @kim are, for no stored decision asked. Nobody counts for those names here." in out
    )


def test_a_decision_that_cannot_be_read_is_counted_and_left_out(data: Path) -> None:
    stored = keep_one(data)
    policy = parse_policy(THREE)
    found = simulate(
        "acme/shop", [stored, replace(stored, facts="{}"), replace(stored, policy="[")], Tried(policy)
    )
    assert len(found.judged) == 1
    assert found.unreadable == (stored.id, stored.id)
    with migrated(f"sqlite:///{data / 'foureyes.sqlite3'}") as engine, storage.writing(engine) as conn:
        decisions.store(conn, replace(stored, id=decisions.new_id(START + 9 * DAY), pull=9, facts="{}"))
    _, out, _ = ended(data, OLD)
    assert "1 decision cannot be read by this version, and is left out." in out


def keep_one(data: Path) -> decisions.Decision:
    engine = storage.connect(f"sqlite:///{data / 'foureyes.sqlite3'}")
    try:
        with storage.reading(engine) as conn:
            return next(iter(last_of_each(conn, "acme/shop", 1)))
    finally:
        engine.dispose()


FLOOR = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["docs/**"]\n'


def test_the_floor_that_a_decision_was_made_by_stays_unless_another_is_named(data: Path) -> None:
    with migrated(f"sqlite:///{data / 'foureyes.sqlite3'}") as engine, storage.writing(engine) as conn:
        keep(conn, replace(judged(5, 0, path="docs/x", day=3), floor=Known(FLOOR)), START + 3 * DAY)
    _, out, _ = ended(data, OLD)
    assert "0 would be judged otherwise." in out, "also not the one that only the floor holds"
    (data / "floor.yml").write_text(FLOOR.replace("docs/**", "nothing/**"))
    status, out, _ = ended(data, OLD, "--floor", "floor.yml")
    assert status == 0
    assert "1 would be judged otherwise: 1 with fewer" in out
    assert "#5  2026-11-25  Waiting (2) → Passed" in out
    (data / "floor.yml").write_text(FLOOR.replace("docs/**", "!docs/**"))
    status, _, err = ended(data, OLD, "--floor", "floor.yml")
    assert status == 1
    assert "floor.yml:3:" in err


def test_a_pull_request_into_a_branch_that_is_not_gated_any_more_waits_for_nobody(data: Path) -> None:
    wide = OLD + 'branches: ["release/*"]\n'
    release = judged(6, 1, day=3)
    release = replace(release, pull=replace(release.pull, base_ref="release/1"))
    with migrated(f"sqlite:///{data / 'foureyes.sqlite3'}") as engine, storage.writing(engine) as conn:
        keep(conn, release, START + 3 * DAY, wide)
    _, out, _ = ended(data, wide)
    assert "0 would be judged otherwise." in out
    _, out, _ = ended(data, OLD)
    assert "1 would be judged otherwise: 1 no longer gated" in out
    assert "Waiting (2) → not gated  release/1 is not gated: nobody waits" in out
    told = json.loads(ended(data, OLD, "--json")[1])
    assert [one["after"]["gated"] for one in told["differing"]] == [False]
    _, out, _ = ended(data, OLD, "--default-branch", "release/1")
    assert "4 no longer gated" in out


def test_the_repository_has_to_be_named_if_there_are_several(data: Path) -> None:
    with migrated(f"sqlite:///{data / 'foureyes.sqlite3'}") as engine, storage.writing(engine) as conn:
        keep(conn, judged(1, 2, slug="acme/other"), START)
    status, out, err = ended(data, OLD)
    assert (status, out) == (2, "")
    assert "acme/other" in err
    assert "acme/shop" in err
    status, out, _ = ended(data, OLD, "--repository", "ACME/other")
    assert (status, out.split(" of ")[0]) == (0, "1 pull request")
    assert ended(data, OLD, "--repository", "acme/none")[0] == 2


def test_errors_say_what_to_do(data: Path, tmp_path: Path) -> None:
    status, _, err = ended(data, "version: 2\n")
    assert status == 1
    assert "new.yml:1:10: the version must be 1" in err
    empty = tmp_path / "empty"
    empty.mkdir()
    status, _, err = ended(empty, OLD)
    assert status == 1
    assert "foureyes scan --policy FILE" in err
    assert list(empty.iterdir()) == [empty / "new.yml"]
    with migrated(f"sqlite:///{empty / 'foureyes.sqlite3'}"):
        pass
    status, _, err = ended(empty, OLD)
    assert status == 1
    assert "no decision is stored yet" in err


def test_a_damaged_database_is_told_and_no_traceback(data: Path) -> None:
    database = sqlite3.connect(data / "foureyes.sqlite3")
    for damage, told in (
        ("update decision set facts = x'00'", "is damaged"),
        ("drop table decision", "the database cannot be used"),
    ):
        database.execute(damage)
        database.commit()
        status, out, err = ended(data, OLD, "--json")
        assert (status, out) == (1, "")
        assert told in json.loads(err)["error"]["what"]
    database.close()
