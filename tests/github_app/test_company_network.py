"""Behind a proxy and with a CA of one's own: the API and git alike, and nothing is believed without that CA."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support_gate import Gate, running_gate
from support_tls import Network, company_network

from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Retry


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running_gate(tmp_path_factory.mktemp("company")) as gate:
        yield gate


@pytest.fixture
def network(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    with company_network(tmp_path, urlsplit(gate.sandbox.url).port or 0) as network:
        monkeypatch.setenv("HTTPS_PROXY", network.proxy)
        settings = replace(gate.settings, github_url=network.url, data=tmp_path / "data")
        gate.judge = judge_with(settings, gate.engine, gate.observe)
        yield network


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_pull_request_is_judged_through_the_proxy_by_the_companys_ca(
    gate: Gate, network: Network, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(network.ca))
    number = gate.open("olga", f"through-{name.lower()}", gate.change({"docs/x.md": name}))
    gate.settle()
    assert gate.verdict(number) == "success"
    assert set(network.through) == {urlsplit(network.url).netloc}
    assert len(network.through) >= 2, "the API and git"


def test_without_that_ca_nothing_is_read_and_nothing_secret_is_told(gate: Gate, network: Network) -> None:
    number = gate.open("olga", "unknown-ca", gate.change({"docs/x.md": "unknown"}))
    gate.settle()
    outcome = gate.outcomes[-1]
    assert isinstance(outcome, Retry)
    assert "could not be reached" in outcome.why
    assert "ghs_" not in outcome.why
    assert gate.runs(gate.pull(number).head) == []
