"""`foureyes log`: who made each commit, by record or by claim."""

import json
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import HOOKS_OFF, commit, git, make_repo, write
from support_hooked import copy_hooked, make_remote, push
from support_in_process import ended, said


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def log(repo: Path, *arguments: str) -> list[dict]:
    return json.loads(said(repo, "log", "--json", *arguments))


def test_each_commit_is_told_newest_first(repo: Path):
    commit(repo, {"f": "1\n2\n"}, "by an agent", env=CLAUDE_ENV)
    commit(repo, {"f": None, "g": "another\n"}, "by hand")
    write(repo, {"h": "x\n"})
    git(repo, "add", "h")
    git(repo, *HOOKS_OFF, "commit", "-qm", "unseen")
    told = log(repo, "HEAD~3..HEAD")
    assert [(one["title"], one["class"], one["agents"], one["witnessed"]) for one in told] == [
        ("unseen", None, [], False),
        ("by hand", "human", [], True),
        ("by an agent", "ai", ["claude-code"], True),
    ]
    assert [(one["added"], one["deleted"], one["files_deleted"]) for one in told[1:]] == [
        (1, 2, 1),
        (2, 0, 0),
    ]
    assert [one["commit"] for one in told] == git(repo, "rev-list", "-n3", "HEAD").split()
    assert [one["title"] for one in log(repo, "-n", "1")] == ["unseen"]
    lines = said(repo, "log", "HEAD~3..").splitlines()
    assert "Test Person ?" in lines[0]
    assert "Test Person  " in lines[1]
    assert "Claude Code" in lines[2]
    assert "+2 -0  by an agent" in lines[2]
    assert not any("\x1b" in line for line in lines)


def test_without_records_there_are_claims(tmp_path: Path):
    plain = make_repo(tmp_path / "plain")
    commit(plain, {"f": "x\n"}, "x\n\nCo-authored-by: Claude <noreply@anthropic.com>")
    first, second = log(plain)
    assert (first["class"], first["claims"], first["added"]) == (None, ["claude-code"], None)
    assert second["claims"] == []
    assert "~Claude Code" in said(plain, "log")


def test_a_colleagues_records_are_fetched_on_demand(repo: Path, tmp_path: Path):
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "clone"))
    assert log(tmp_path / "clone", "-n1", "--offline")[0]["class"] is None
    (told,) = log(tmp_path / "clone", "-n1")
    assert (told["class"], told["source"], told["operator"]) == ("ai", "remote", "olga")


def test_wrong_use(repo: Path, tmp_path: Path):
    for arguments in (("no-such",), ("--", "--all"), ("HEAD:README",)):
        status, _, told = ended(repo, "log", *arguments)
        assert (status, "names no commits here" in told) == (2, True)
    assert log(repo, "HEAD..HEAD") == []
    assert said(repo, "log", "HEAD..HEAD") == ""
    assert ended(repo, "log", "-n", "-3")[0] == 2


def test_what_a_colleague_put_into_a_commit_does_nothing_to_the_terminal(repo: Path):
    write(repo, {"f": "x\n"})
    git(repo, "add", "-A")
    odd = {"GIT_AUTHOR_NAME": "E\x1b[31mvil", "GIT_AUTHOR_DATE": "@99999999999999 +0000"}
    made = git(repo, "commit-tree", "-m", "ti\x1b]0;owned\x07tle", git(repo, "write-tree"), env=odd)
    git(repo, "update-ref", "HEAD", made)
    for command in ("log", "show", "verify", "blame"):
        _, told, _ = ended(repo, command, "f" if command == "blame" else "HEAD")
        assert made[:10] in told
        assert "\x1b" not in told
        assert "\x07" not in told
    assert "ti\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}tle" in said(repo, "log")
    assert "E\N{REPLACEMENT CHARACTER}[31mvil ?" in said(repo, "blame", "f")
