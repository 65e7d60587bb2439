"""G39: somebody else publishes under our name. Only the ruleset's pin keeps that out, and doctor looks for it."""

from collections.abc import Iterator

import pytest
import requests
from click.testing import CliRunner
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app.sandbox import checks
from foureyes.github_app.sandbox.state import CheckRun
from foureyes.hooks.doctor import command


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running_gate(tmp_path_factory.mktemp("names")) as gate:
        yield gate


@pytest.fixture
def pinned(gate: Gate, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the ruleset names the App, or takes the check from any source."""
    (ruleset,) = gate.sandbox.world.repositories[SHOP].rulesets
    (check,) = ruleset.rules[0]["parameters"]["required_status_checks"]
    kept = dict(check)
    if not request.param:
        del check["integration_id"]
    yield request.param
    check.update(kept)


def status(gate: Gate, login: str, head: str, context: str = "foureyes") -> None:
    body = {"state": "success", "context": context, "description": "two humans approved"}
    gate.as_person(login, "POST", f"/repos/{SHOP}/statuses/{head}", body)


def merges(gate: Gate, number: int) -> bool:
    answer = requests.put(
        f"{gate.sandbox.url}/api/v3/repos/{SHOP}/pulls/{number}/merge",
        headers={"Authorization": f"Bearer {gate.sandbox.token('olga')}"},
        timeout=20,
    )
    assert answer.status_code in (200, 405)
    gate.settle()  # what was merged has the App look at all that is open: not at the next test's
    return bool(answer.status_code == 200)


def our_run(gate: Gate, head: str) -> CheckRun:
    (run,) = [run for run in gate.runs(head) if run.suite.app is gate.sandbox.app]
    return run


@pytest.mark.parametrize("pinned", [True, False], indirect=True)
@pytest.mark.parametrize("heard", [True, False])
def test_G39_a_commit_status_with_our_name_opens_only_what_is_not_pinned(
    gate: Gate, pinned: bool, heard: bool
) -> None:
    """`heard` False: before the App has looked, when its own check does not yet stand beside the status."""
    gate.deaf = not heard
    branch = f"status-{pinned}-{heard}"
    number = gate.open("olga", branch, gate.change({"infra/network.tf": f"{branch}\n"}))
    head = gate.pull(number).head
    gate.settle()
    status(gate, "olga", head)
    gate.settle()
    gate.deaf = False
    assert merges(gate, number) is (not pinned and not heard)
    if heard:
        run = our_run(gate, head)
        gate.wake(number)
        gate.settle()
        assert our_run(gate, head) is run
        assert (run.status, run.conclusion) == ("in_progress", None), "a status is no fact of ours"


@pytest.mark.parametrize("pinned", [True, False], indirect=True)
def test_G39_another_apps_check_with_our_name_opens_only_what_is_not_pinned(gate: Gate, pinned: bool) -> None:
    other = gate.control("POST", "apps", slug=f"other-{pinned}".lower(), permissions={"checks": "write"})
    branch = f"app-{pinned}"
    number = gate.open("olga", branch, gate.change({"infra/network.tf": f"{branch}\n"}))
    head = gate.pull(number).head
    gate.settle()
    shop = gate.sandbox.world.repositories[SHOP]
    with gate.sandbox.world.lock:
        fields = {"name": "foureyes", "head_sha": head, "status": "completed", "conclusion": "success"}
        checks.create(gate.sandbox.world, shop, gate.sandbox.world.apps[other["id"]], fields)
    gate.wake(number)
    gate.settle()
    assert our_run(gate, head).status == "in_progress"
    assert merges(gate, number) is not pinned


@pytest.mark.parametrize("pinned", [True, False], indirect=True)
def test_G39_doctor_fails_while_the_rule_names_no_app(
    gate: Gate, pinned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "FOUREYES_GITHUB_URL": gate.sandbox.url,
        "FOUREYES_SANDBOX_TOKEN": gate.sandbox.world.token,
        "GH_TOKEN": gate.sandbox.token("noor"),
    }.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(command, [SHOP, "--app", str(gate.sandbox.app.id)], standalone_mode=False)
    assert done.return_value == 1, "other rules are missing in any case"
    assert ("must name the App" in done.output) is (not pinned)
