"""`request_reviewers`: whose review is asked for, end to end; what is asked is no part of the verdict."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app import decisions, storage
from foureyes.github_app.judge import judge_with
from foureyes.github_app.replay import replay

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'
ASKING = POLICY + "request_reviewers: true\n"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.push("noor", "main", gate.change({".github/foureyes.yml": ASKING}))
        yield gate


def permit(gate: Gate, level: str = "write") -> None:
    """An owner of the organisation accepts the optional permission; the App gets a token that has it."""
    for installation in gate.sandbox.world.installations.values():
        installation.permissions["pull_requests"] = level
    gate.judge = judge_with(gate.settings, gate.engine, gate.observe)


def infra(gate: Gate, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, **options)


def opened(gate: Gate, branch: str = "feat", text: str = "changed\n") -> int:
    number = gate.open("olga", branch, infra(gate, text))
    gate.settle()
    return number


def asked(gate: Gate, number: int) -> set[str]:
    return {user.login for user in gate.pull(number).requested_reviewers}


def look(gate: Gate, number: int) -> None:
    gate.wake(number)
    gate.settle()


def take_back(gate: Gate, by: str, number: int, whom: str) -> None:
    path = f"/repos/{SHOP}/pulls/{number}/requested_reviewers"
    gate.as_person(by, "DELETE", path, {"reviewers": [whom]})
    gate.settle()


def test_nobody_is_asked_without_the_permission_and_with_it_as_many_as_are_missing(gate: Gate) -> None:
    number = opened(gate)
    assert asked(gate, number) == set()
    assert "pull_requests: write" in (gate.check(number).summary or "")
    permit(gate)
    look(gate, number)
    first = asked(gate, number)
    assert len(first) == 2
    assert "olga" not in first
    summary = gate.check(number).summary or ""
    assert all(f"@{login} (asked)" in summary for login in first)
    assert "pull_requests: write" not in summary
    gate.review(next(iter(first)), number)
    gate.settle()
    assert asked(gate, number) == first - {next(iter(first))}
    assert len(gate.runs(gate.pull(number).head)) == 1
    gate.forget_calls()
    look(gate, number)
    assert sum(gate.calls.values()) == 1, "the query; nothing is asked for twice"
    with storage.reading(gate.engine) as conn:
        made = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert made is not None
    assert replay(made).equal
    assert "asked" not in made.facts + made.verdict


def test_who_takes_themself_out_has_declined_and_what_others_take_back_stays_so(gate: Gate) -> None:
    permit(gate)
    number = opened(gate)
    gone, other = sorted(asked(gate, number))
    take_back(gate, gone, number, gone)
    assert len(asked(gate, number)) == 2, "somebody else was asked"
    assert gone not in asked(gate, number)
    take_back(gate, "olga", number, other)
    assert len(asked(gate, number)) == 1, "once for each content"
    gate.push("olga", "feat", infra(gate, "other content\n"))
    gate.settle()
    assert len(asked(gate, number)) == 2
    assert gone not in asked(gate, number), "nor for other content"


def test_whom_github_lets_nobody_ask_is_passed_over_and_trouble_changes_no_verdict(gate: Gate) -> None:
    gate.control("POST", "users", login="stranger")
    roster = ASKING.replace('["@acme/engineers", "@acme/reviewers"]', '["@stranger", "@rita", "@sam"]')
    gate.push("noor", "main", gate.change({".github/foureyes.yml": roster}))
    permit(gate)
    gate.fault("status", "POST */requested_reviewers", status=500, times=9)
    number = opened(gate)
    assert (gate.verdict(number), asked(gate, number)) == ("in_progress", set())
    gate.sandbox.world.faults.clear()
    look(gate, number)
    assert asked(gate, number) == {"rita", "sam"}
    gate.forget_calls()
    look(gate, number)
    assert gate.calls["POST requested_reviewers"] == 0
