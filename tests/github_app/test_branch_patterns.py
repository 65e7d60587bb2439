"""Branches that a policy gates and that are not there yet: GitHub's rules must hold for them from their first commit."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example as given_too
from hypothesis import given
from hypothesis import strategies as st
from support_doctor import apply, ask_as, doctor, finding, states
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app.branch_patterns import example, ruleset_names
from foureyes.github_app.sandbox.rulesets import _regex
from foureyes.shared.branches import gates


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        ask_as(gate, monkeypatch, "noor")
        yield gate


def with_branches(gate: Gate, lines: str) -> str:
    policy = f'version: 1\nbranches: {lines}\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    tip = gate.change({".github/foureyes.yml": policy})
    gate.push("noor", "main", tip)
    return tip


def test_what_it_prints_holds_for_branches_that_are_made_later(gate: Gate) -> None:
    app = str(gate.sandbox.app.id)
    tip = with_branches(gate, '["release/*"]')
    told = doctor("--app", app)[1]
    assert states(told)["release/*: new"] == "problem"
    assert (
        "required_status_checks, pull_request, non_fast_forward, deletion"
        in (finding(told, "release/*: new")["what"])
    )
    gate.push("noor", "release/1", tip)
    told = doctor("--app", app)[1]
    for one in told["findings"]:
        if one["state"] == "problem" and one["subject"].startswith("release/1"):
            apply(gate, one["mend"])
    told = doctor("--app", app)[1]
    assert states(told)["release/1: check"] == "ok", "named alone"
    assert states(told)["release/*: new"] == "problem"
    apply(gate, told["mend_all"])
    assert doctor("--app", app)[0] == 0
    gate.as_person("noor", "POST", f"/repos/{SHOP}/git/refs", {"ref": "refs/heads/release/2", "sha": tip})
    told = doctor("--app", app)[1]
    assert (told["good"], states(told)["release/2: check"]) == (True, "ok")


def test_a_name_that_is_no_pattern_and_has_no_branch_yet_is_one_too(gate: Gate) -> None:
    with_branches(gate, "[next]")
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    apply(gate, finding(told, "next: new")["mend"])
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["next: new"] == "ok"


@pytest.mark.parametrize(
    ("lines", "state"), [('["v?", "!v1"]', "problem"), ('["v{1}"]', "problem"), ('["v[0-9]"]', "unknown")]
)
def test_what_a_ruleset_cannot_say_is_left_to_a_person(gate: Gate, lines: str, state: str) -> None:
    """A pattern that takes in a branch that is not gated would keep it waiting for a check that never comes."""
    with_branches(gate, lines)
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    (found,) = [one for one in told["findings"] if one["subject"].endswith(": new")]
    assert (found["state"], found["mend"]) == (state, None)
    body = json.loads(shlex.split(told["mend_all"])[2])
    assert body["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]


def test_the_older_protection_may_hold_for_new_branches(gate: Gate) -> None:
    gate.push("noor", "release/1", with_branches(gate, '["release/*"]'))
    app = gate.sandbox.app.id
    gate.sandbox.world.repositories[SHOP].protection["release/1"] = {
        "required_status_checks": {
            "strict": True, "contexts": ["foureyes"], "checks": [{"context": "foureyes", "app_id": app}],
        },
        "required_pull_request_reviews": {"require_code_owner_reviews": False, "dismiss_stale_reviews": False},
        "enforce_admins": {"url": "https://x", "enabled": True},
    }  # fmt: skip
    code, told = doctor("--app", str(app))
    assert (finding(told, "release/*: new")["state"], code) == ("unknown", 1), told
    wrong = [one["subject"] for one in told["findings"] if one["state"] == "problem"]
    assert all(subject.startswith("main") for subject in wrong)


NAMES = st.lists(st.sampled_from(["a", "b", "ab", "x"]), min_size=1, max_size=4).map("/".join)
LINES = st.lists(st.sampled_from(["a", "ab", "a*", "*", "**", "?b", "x"]), min_size=1, max_size=3)


@given(LINES, st.booleans(), NAMES)
@given_too(["a", "**"], False, "a")
def test_both_languages_name_the_same_branches(parts: list[str], slash: bool, name: str) -> None:
    line = "/".join(parts)
    if slash and parts[-1] != "**":
        line += "/"
    named = any(re.fullmatch(_regex(pattern), f"refs/heads/{name}") for pattern in ruleset_names(line))
    assert named == gates((line,), name)
    assert gates((line,), example(line))
