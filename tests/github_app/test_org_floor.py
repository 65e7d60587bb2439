"""G60 end to end: what the organisation's floor asks for, wherever a repository's own policy asks for less."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate
from support_sweep import sweeping

from foureyes.github_app import decisions, storage
from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Claim, Outcome
from foureyes.github_app.replay import replay

PLACE = "acme/.github"
FILE = ".github/foureyes-floor.yml"
FLOOR = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["docs/**"]\n'
LAX = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers", "@olga2"]\nprotected: ["infra/**"]\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def put_floor(gate: Gate, text: str | None) -> None:
    if PLACE not in gate.sandbox.world.repositories:
        gate.control("POST", "repositories", repository=PLACE, files={"README.md": "acme\n"})
        gate.control("POST", "roles", repository=PLACE, login="noor", role="admin")
        gate.control("POST", "roles", repository=PLACE, login="olga", role="write")
    gate.push("noor", "main", gate.change({FILE: text}, gate.tip(slug=PLACE)), slug=PLACE)
    gate.settle()


def docs(gate: Gate) -> int:
    number = gate.open("olga", "feat", gate.change({"docs/new.md": "x\n"}))
    gate.settle()
    return number


def test_G60_a_path_of_the_floor_is_protected_everywhere(gate: Gate) -> None:
    put_floor(gate, FLOOR)
    number = docs(gate)
    assert gate.verdict(number) == "in_progress"
    assert "of the organisation" in (gate.check(number).summary or "")
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G60_who_is_on_the_repositorys_roster_alone_does_not_count(gate: Gate) -> None:
    gate.control("POST", "users", login="olga2")
    gate.control("POST", "roles", repository=SHOP, login="olga2", role="write")
    put_floor(gate, FLOOR)
    gate.push("noor", "main", gate.change({".github/foureyes.yml": LAX}))
    number = docs(gate)
    gate.approve(number, "olga2", "rita")
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")


def test_a_floor_that_comes_takes_a_success_back_at_once(gate: Gate) -> None:
    number = docs(gate)
    assert gate.verdict(number) == "success"
    put_floor(gate, FLOOR)
    assert gate.verdict(number) == "in_progress"


def test_a_floor_that_another_server_was_told_of_is_seen_at_once(gate: Gate) -> None:
    """Two servers, one database: one hears of the push, the other looks at the heads that it wakes."""
    put_floor(gate, FLOOR.replace("docs", "other"))
    number = docs(gate)
    here, there = gate.judge, judge_with(gate.settings, gate.engine)
    gate.judge = there
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "success"

    def share(claim: Claim) -> Outcome:
        return here(claim) if claim.lane.ref else there(claim)

    gate.judge = share
    put_floor(gate, FLOOR)
    assert gate.verdict(number) == "in_progress"


def test_that_a_floor_is_gone_is_seen_at_once_by_servers_that_were_not_told(gate: Gate) -> None:
    put_floor(gate, FLOOR.replace("docs", "other"))
    here, there = gate.judge, judge_with(gate.settings, gate.engine)
    gate.judge = there
    number = docs(gate)
    assert gate.verdict(number) == "success"

    def share(claim: Claim) -> Outcome:
        return here(claim) if claim.lane.ref else there(claim)

    gate.judge = share
    put_floor(gate, None)
    assert gate.verdict(number) == "failure"
    put_floor(gate, FLOOR.replace("docs", "other"))
    assert gate.verdict(number) == "success"


def test_a_floor_that_was_there_and_is_gone_breaks_the_verdict(gate: Gate) -> None:
    put_floor(gate, FLOOR)
    number = docs(gate)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "success"
    put_floor(gate, None)
    assert gate.verdict(number) == "failure"
    assert "floor" in (gate.check(number).title or "")
    put_floor(gate, FLOOR.replace("docs", "elsewhere"))
    assert gate.verdict(number) == "success"


@pytest.mark.parametrize("text", ["", "version: 9\n", FLOOR.replace("docs/**", "!docs/**")])
def test_a_floor_with_an_error_breaks_every_verdict_but_is_mended_by_the_last_good(
    gate: Gate, text: str
) -> None:
    put_floor(gate, FLOOR)
    gate.push("noor", "main", gate.change({".github/foureyes.yml": LAX}, gate.tip(slug=PLACE)), slug=PLACE)
    gate.control("POST", "roles", repository=PLACE, login="rita", role="write")
    gate.control("POST", "roles", repository=PLACE, login="sam", role="write")
    number = docs(gate)
    put_floor(gate, text)
    assert gate.verdict(number) == "failure"
    head = gate.change({FILE: FLOOR}, gate.tip(slug=PLACE))
    gate.push("olga", "mend", head, slug=PLACE)
    body = {"title": "t", "head": "mend", "base": "main", "body": ""}
    mending = gate.as_person("olga", "POST", f"/repos/{PLACE}/pulls", body)["number"]
    gate.settle()
    place = gate.sandbox.world.repositories[PLACE]
    (run,) = [run for run in place.check_runs if run.suite.head_sha == head and run.name == "foureyes"]
    assert (run.status, run.conclusion) == ("in_progress", None)
    for login in ("rita", "sam"):
        gate.as_person(login, "POST", f"/repos/{PLACE}/pulls/{mending}/reviews", {"event": "APPROVE"})
    gate.settle()
    assert run.conclusion == "success"


def test_a_server_that_requires_a_floor_passes_nothing_without_one(gate: Gate) -> None:
    gate.judge = judge_with(replace(gate.settings, org_floor_required=True), gate.engine)
    number = docs(gate)
    assert gate.verdict(number) == "failure"
    assert "requires a floor" in (gate.check(number).summary or "")


def test_a_decision_under_a_floor_is_made_again_from_what_was_stored(gate: Gate) -> None:
    put_floor(gate, FLOOR)
    number = docs(gate)
    with storage.reading(gate.engine) as conn:
        made = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert made is not None
    assert made.outcome == "wait"
    assert replay(made).differences == ()


def test_G37_a_floor_of_which_nobody_told_is_found_by_the_sweep(gate: Gate) -> None:
    put_floor(gate, FLOOR.replace("docs", "other"))
    swept = sweeping(gate)
    number = docs(gate)
    swept.round()
    assert gate.verdict(number) == "success"
    gate.deaf = True
    gate.push("noor", "main", gate.change({FILE: FLOOR}, gate.tip(slug=PLACE)), slug=PLACE)
    swept.round()
    assert gate.verdict(number) == "in_progress"


def test_G37_a_floor_that_comes_into_the_apps_sight_is_found_by_the_sweep(gate: Gate) -> None:
    """Its repository was added to the installation: nothing was pushed, and what was green without it is not any more."""
    (installation,) = gate.sandbox.world.installations.values()
    installation.repositories = [gate.sandbox.world.repositories[SHOP]]
    swept = sweeping(gate)
    number = docs(gate)
    gate.deaf = True
    put_floor(gate, FLOOR)
    swept.round()
    assert gate.verdict(number) == "success"
    swept.deps.floors.cache.clear()
    installation.repositories.append(gate.sandbox.world.repositories[PLACE])
    swept.round()
    assert gate.verdict(number) == "in_progress"


def test_a_floor_costs_one_query_a_minute(gate: Gate) -> None:
    put_floor(gate, FLOOR)
    number = docs(gate)
    gate.forget_calls()
    gate.wake(number)
    gate.settle()
    assert sum(gate.calls.values()) == 1, gate.paths
