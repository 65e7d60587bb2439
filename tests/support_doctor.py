"""`foureyes doctor OWNER/REPO` asked of the sandbox, and what it prints done as it says."""

import json
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from support_gate import SHOP, Gate

from foureyes.hooks.doctor import command


def ask_as(gate: Gate, monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    for name, value in {
        "FOUREYES_GITHUB_URL": gate.sandbox.url,
        "FOUREYES_SANDBOX_TOKEN": gate.sandbox.world.token,
        "GH_TOKEN": gate.sandbox.token(login),
    }.items():
        monkeypatch.setenv(name, value)


def doctor(*arguments: str) -> tuple[int, dict[str, Any]]:
    told = CliRunner().invoke(command, [SHOP, "--json", *arguments], standalone_mode=False)
    if told.exception:
        raise told.exception
    return told.return_value, json.loads(told.output)


def states(told: dict[str, Any]) -> dict[str, str]:
    return {finding["subject"]: finding["state"] for finding in told["findings"]}


def apply(gate: Gate, mend: str) -> None:
    """Runs the printed command, with a stand-in for `gh api`."""
    words = shlex.split(mend)
    assert words[:2] == ["printf", "%s"]
    assert words[3:5] == ["|", "gh"]
    assert words[5:9] == ["api", "--hostname", urlsplit(gate.sandbox.url).netloc, "-X"]
    gate.as_person("noor", words[9], f"/{words[10]}", json.loads(words[2]))


def finding(told: dict[str, Any], subject: str) -> dict[str, Any]:
    """The only one about it."""
    (found,) = [one for one in told["findings"] if one["subject"] == subject]
    return dict(found)
