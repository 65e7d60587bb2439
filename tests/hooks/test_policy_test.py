"""`foureyes policy test`: the command, as a person or a CI job runs it."""

import json
from pathlib import Path

import pytest
from support_git import foureyes
from support_in_process import ended as in_process
from support_policy import SHORT

CASES = """\
teams: {"@acme/engineers": [olga, ben, raj, ana]}
cases:
  - {name: the operator does not count, change: [infra/a], class: ai, by: olga, approvals: [olga, ben], expect: wait}
  - name: two others finish it
    change: [infra/a]
    class: ai
    by: olga
    approvals: [ben, raj]
    expect: pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/foureyes.yml").write_text(SHORT)
    (tmp_path / ".github/foureyes-tests.yml").write_text(CASES)
    return tmp_path


def ended(folder: Path, *arguments: str) -> tuple[int, str, str]:
    return in_process(folder, "policy", "test", *arguments)


def test_it_is_a_command(folder: Path) -> None:
    assert "0 of 2 cases differ" in foureyes(folder, "policy", "test")


def test_cases_that_hold_end_with_0(folder: Path) -> None:
    status, out, err = ended(folder)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "ok       the operator does not count",
        "ok       two others finish it",
        "0 of 2 cases differ",
    ]


def test_a_policy_that_asks_for_more_makes_a_case_differ(folder: Path) -> None:
    (folder / "new.yml").write_text(SHORT + "tiers: {1: {ai: 3, unattested: 3}}\n")
    status, out, _ = ended(folder, "--policy", "new.yml")
    assert status == 1
    lines = out.splitlines()
    assert lines[:2] == ["ok       the operator does not count", "DIFFERS  two others finish it"]
    assert lines[2].split() == ["expected", "got"]
    assert lines[3].split()[:3] == ["verdict", "pass", "wait"]
    assert "2 of 3 humans" in lines[3]
    assert lines[4].strip() == "at .github/foureyes-tests.yml:4"
    assert lines[5] == "1 of 2 cases differs"
    assert lines[3].index("pass") == lines[2].index("expected")
    assert lines[3].index("wait") == lines[2].index("got")


def test_the_same_for_programs(folder: Path) -> None:
    (folder / "other.yml").write_text(CASES.replace("expect: pass", "expect: pass\n    needed: 7"))
    status, out, _ = ended(folder, "other.yml", "--json")
    told = json.loads(out)
    assert (status, told["good"]) == (1, False)
    assert [(case["name"], case["line"], case["good"]) for case in told["cases"]] == [
        ("the operator does not count", 3, True),
        ("two others finish it", 4, False),
    ]
    assert told["cases"][1]["differences"] == [{"what": "needed", "expected": "7", "got": "2"}]
    assert (told["cases"][1]["outcome"], told["cases"][1]["needed"]) == ("pass", 2)


def test_a_team_that_owns_what_is_touched_and_is_empty_is_said(folder: Path) -> None:
    policy = SHORT.replace(
        'protected: ["infra/**"]', "systems: {i: {paths: [infra/**], tier: 0, owners: ['@acme/o']}}"
    )
    (folder / "new.yml").write_text(policy)
    status, out, _ = ended(folder, "--policy", "new.yml")
    assert status == 1
    assert "@acme/o owns what is touched, and this case puts nobody in it" in out


@pytest.mark.parametrize("text", ["- {name: x}\n", "cases: ]", "\udcff"])
def test_cases_that_are_not_understood_are_an_error_with_their_place(folder: Path, text: str) -> None:
    (folder / ".github/foureyes-tests.yml").write_bytes(text.encode("utf-8", "surrogateescape"))
    status, out, err = ended(folder)
    assert (status, out) == (1, "")
    assert ".github/foureyes-tests.yml:1:" in err
    assert "docs/policy.md" in err
    assert "Traceback" not in err


def test_a_policy_with_errors_tries_nothing(folder: Path) -> None:
    (folder / ".github/foureyes.yml").write_text("version: 2\n")
    status, out, err = ended(folder)
    assert (status, out) == (1, "")
    assert "the policy has" in err
    assert ".github/foureyes.yml:1:" in err


def test_a_missing_file_of_cases_is_said_so(folder: Path) -> None:
    (folder / ".github/foureyes-tests.yml").unlink()
    status, _, err = ended(folder)
    assert status == 1
    assert "foureyes-tests.yml cannot be read" in err
    assert "usually .github/foureyes-tests.yml" in err
