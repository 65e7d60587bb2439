"""The organisation's floor before a pull request exists: from a file, or from GitHub by way of gh."""

import json
from pathlib import Path

import pytest
from support_git import commit, git
from support_hooked import copy_hooked, made_once, make_remote
from support_in_process import ended

from foureyes.hooks.floor_file import read_floor
from foureyes.shared.errors import UserError

POLICY = 'version: 1\nroster: ["@ana", "@raj", "@mia"]\nprotected: ["infra/**"]\n'
FLOOR = 'version: 1\nroster: ["@ana", "@raj", "@mia"]\nprotected: ["docs/**"]\n'
WHERE = "git@github.com:acme/shop.git"


def _changes_docs(folder: Path) -> Path:
    """A branch that changes docs/, which only the floor protects."""
    repo = copy_hooked(folder / "repo")
    commit(repo, {".github/foureyes.yml": POLICY, "docs/a": "1\n"}, "policy")
    make_remote(repo, folder / "remote.git")
    git(repo, "remote", "set-head", "origin", "main")
    git(repo, "remote", "set-url", "origin", WHERE)
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"docs/a": "2\n"}, "words")
    (folder / "foureyes-floor.yml").write_text(FLOOR)
    return folder


@pytest.fixture
def made() -> Path:
    return made_once(_changes_docs)


def gh(folder: Path, prints: str, status: int = 0, said: str = "") -> dict[str, str]:
    """A stand-in that answers one request for the file."""
    import os

    folder.mkdir(exist_ok=True)
    (folder / "answer").write_text(prints)
    program = folder / "gh"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {folder}/asked\ncat {folder}/answer\necho "{said}" >&2\nexit {status}\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_check_says_that_the_floor_is_not_known_and_how_it_can_be(made: Path) -> None:
    status, out, err = ended(made / "repo", "check", "--login", "olga")
    assert (status, err) == (0, "")
    assert "Not known here: whether acme has a floor that asks for more: --ask-github reads it" in out


def test_check_judges_by_both_files(made: Path) -> None:
    floor = str(made / "foureyes-floor.yml")
    status, out, err = ended(made / "repo", "check", "--login", "olga", "--floor", floor)
    assert (status, err) == (3, "")
    assert "protected paths of the organisation" in out
    assert "whether acme has a floor" not in out


def test_check_asks_github_by_way_of_gh(made: Path, tmp_path: Path) -> None:
    env = gh(tmp_path / "bin", FLOOR)
    status, out, err = ended(made / "repo", "check", "--login", "olga", "--ask-github", env=env)
    assert (status, err) == (3, "")
    asked = (tmp_path / "bin/asked").read_text()
    assert "--hostname github.com repos/acme/.github/contents/.github/foureyes-floor.yml" in asked
    env = gh(tmp_path / "bin", "", 1, "gh: Not Found (HTTP 404)")
    status, out, _ = ended(made / "repo", "check", "--login", "olga", "--ask-github", env=env)
    assert status == 0
    assert "a floor of acme that your token may not see; GitHub shows none" in out
    env = gh(tmp_path / "bin", "", 4, "gh: not logged in")
    status, out, err = ended(made / "repo", "check", "--login", "olga", "--ask-github", env=env)
    assert (status, out) == (1, "")
    assert "the floor of acme could not be read: gh: not logged in" in err


def test_a_floor_with_errors_is_told_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "foureyes-floor.yml"
    for text, told in (
        ("version: 2\n", "1:10: error: the version must be 1"),
        ("\xff", "1:1: error: the file is not UTF-8"),
    ):
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError) as refused:
            read_floor(file)
        assert f"{file}:{told}" in refused.value.what
    assert read_floor(None).text is None
    assert read_floor(None).note == ""


def test_policy_check_tells_what_cannot_work_together(made: Path) -> None:
    policy, floor = made / "policy.yml", made / "foureyes-floor.yml"
    policy.write_text(POLICY)
    status, out, _ = ended(made, "policy", "check", "policy.yml", "--floor", str(floor))
    assert status == 0
    assert out.splitlines()[1].startswith(
        f"with {floor}: protected (tier 1), protected of the organisation (tier 1)"
    )
    policy.write_text(POLICY.replace('"@ana", "@raj", "@mia"', '"@ana", "@ben", "@lee"'))
    status, out, _ = ended(made, "policy", "check", "policy.yml", "--floor", str(floor))
    assert status == 1
    assert "tier 1 asks for 2 humans, and on both rosters is @ana" in out
    told = json.loads(ended(made, "policy", "check", "policy.yml", "--floor", str(floor), "--json")[1])
    assert (told["good"], len(told["with_floor"])) == (False, 1)


def test_policy_check_reads_a_floor_as_one(made: Path, tmp_path: Path) -> None:
    assert ended(made, "policy", "check", "foureyes-floor.yml")[0] == 0
    (tmp_path / "foureyes-floor.yml").write_text(FLOOR.replace("docs/**", "!docs/**"))
    status, out, _ = ended(tmp_path, "policy", "check", "foureyes-floor.yml")
    assert status == 1
    assert "a floor takes nothing out" in out


CASE = """\
- name: words need two as well
  change: [docs/a]
  class: ai
  by: olga
  approvals: [ana]
  expect: {expect}
"""


def test_policy_test_tries_both_together(made: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(POLICY)
    for expect, arguments in (("pass", ()), ("wait", ("--floor", str(made / "foureyes-floor.yml")))):
        (tmp_path / "cases.yml").write_text(CASE.format(expect=expect))
        argv = ("policy", "test", "cases.yml", "--policy", "policy.yml", *arguments)
        status, out, err = ended(tmp_path, *argv)
        assert (status, err) == (0, ""), out


def test_a_case_says_who_is_in_the_floors_teams_too(made: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(POLICY)
    (tmp_path / "floor.yml").write_text(FLOOR.replace('["@ana", "@raj", "@mia"]', '["@acme/all"]'))
    (tmp_path / "cases.yml").write_text(CASE.format(expect="wait"))
    argv = ("policy", "test", "cases.yml", "--policy", "policy.yml", "--floor", "floor.yml")
    status, _, err = ended(tmp_path, *argv)
    assert status == 1
    assert "@acme/all is on the roster, and nobody says who is in it" in err
