"""`foureyes serve --poll`, a real process that GitHub cannot reach: no webhook, no secret, the sweep alone."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import Gate, running_gate
from support_serve import CHECKOUT, PATIENCE, get, refused, serving


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.deaf = True
        yield gate


def environment(gate: Gate, data: Path) -> dict[str, str]:
    told = gate.sandbox.environment()
    del told["FOUREYES_WEBHOOK_SECRET"]
    return {
        **os.environ, **told, "PYTHONPATH": str(CHECKOUT / ".types"), "FOUREYES_DATA": str(data), "FOUREYES_PORT": "0",
    }  # fmt: skip


def test_a_pull_request_is_judged_without_any_webhook_and_the_text_says_so(
    gate: Gate, tmp_path: Path
) -> None:
    number = gate.open("olga", "polled", gate.change({"infra/network.tf": "polled\n"}))
    for login in ("rita", "sam"):
        gate.review(login, number)
    assert gate.sandbox.wait_delivered()
    gate.sandbox.world.courier.log.clear()
    with serving(environment(gate, tmp_path / "polling"), "serve", "--poll") as (process, address):
        while not (runs := gate.runs(gate.pull(number).head)) or runs[0].status != "completed":
            assert process.poll() is None
            threading.Event().wait(0.05)
        assert gate.verdict(number) == "success"
        assert "hears no webhooks" in (gate.check(number).text or "")
        assert get(address, "/webhook")[0] == 404
        metrics = get(address, "/metrics")[1]
        assert 'foureyes_swept_total{kind="pull request"} 1.0' in metrics
        assert 'foureyes_github_requests_total{result="ok"}' in metrics
        assert 'foureyes_github_budget_remaining{installation="0",resource="core"} 49' in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_polling_needs_an_app_and_no_secret_and_hearing_needs_one(gate: Gate, tmp_path: Path) -> None:
    told = environment(gate, tmp_path / "none")
    assert "WEBHOOK_SECRET" in refused(told, "serve")
    del told["FOUREYES_APP_ID"]
    said = refused(told, "serve", "--poll")
    assert "APP_ID" in said
    assert "WEBHOOK_SECRET" not in said
