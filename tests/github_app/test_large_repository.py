"""A repository that is larger than the server allows: its check says why and what to do, all others go on."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support_gate import Gate, running_gate

from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Retry

OTHER = "acme/other"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        settings = replace(gate.settings, mirror_mib=1)
        gate.judge = judge_with(settings, gate.engine, gate.observe)
        yield gate


def test_it_is_refused_with_the_reason_and_another_one_is_judged(gate: Gate) -> None:
    large = gate.clone.blob(os.urandom(3 * 1024 * 1024))
    number = gate.open("olga", "large", gate.change({"infra/large.tf": ("100644", large)}))
    gate.settle()
    check = gate.check(number)
    assert (check.status, check.conclusion) == ("completed", "failure")
    assert "could not be read" in (check.title or "") + (check.summary or "")
    assert "FOUREYES_MIRROR_MIB" in (check.summary or "")
    assert isinstance(gate.outcomes[-1], Retry)
    policy = gate.clone.git("show", f"{gate.tip()}:.github/foureyes.yml")
    gate.control("POST", "repositories", repository=OTHER, files={".github/foureyes.yml": policy})
    head = gate.change({"docs/new.md": "x\n"}, gate.tip(slug=OTHER))
    gate.push("noor", "feat", head, slug=OTHER)
    body = {"title": "Change", "head": "feat", "base": "main", "body": "text"}
    gate.as_person("noor", "POST", f"/repos/{OTHER}/pulls", body)
    gate.settle()
    runs = [run for run in gate.sandbox.world.repositories[OTHER].check_runs if run.name == "foureyes"]
    assert [run.conclusion for run in runs] == ["success"]
