"""`foureyes status`: what is told is what holds."""

import json
from pathlib import Path

import pytest
from support_git import commit, git, make_repo, run

from foureyes.hooks import cli, config_hooks, place
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.hooks.status import Status, read


@pytest.fixture(autouse=True)
def hook_files_with_any_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


def installed(path: Path) -> Path:
    repo = make_repo(path)
    place.write_settings(
        Repo.open(repo), place.put_in_place(Repo.open(repo), place.settings_for(style="assisted-by"))
    )
    return repo


def status(repo: Path) -> Status:
    return read(Repo.open(repo))


def test_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "repo"))
    assert cli.run(["status"]) == 1
    assert "foureyes install" in capsys.readouterr().out
    assert cli.run(["status", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["recording"], answer["hooks"]["how"], answer["journal"]["last"]) == (False, None, None)


def test_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = installed(tmp_path / "repo")
    git(repo, "config", "foureyes.login", "olga")
    oid = commit(repo, {"a": "1"}, "x", env={"QWEN_CODE": "1"})
    monkeypatch.chdir(repo)
    assert cli.run(["status"]) == 0
    shown = capsys.readouterr().out
    assert f"1 commit seen; the last one {oid[:10]}" in shown
    assert "@olga (from git config)" in shown
    assert cli.run(["status", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["journal"]["last"]["commit"] == oid
    assert answer["recording"] is True


def test_of_two_commits_in_one_second_the_later_is_the_last_one(tmp_path: Path) -> None:
    repo = installed(tmp_path / "repo")
    commit(repo, {"a": "1"}, "x")
    later = commit(repo, {"a": "2"}, "y")
    (journal,) = (repo / ".git" / "foureyes" / "journal").iterdir()
    lines = [line.split("\t") for line in journal.read_text().splitlines()]
    journal.write_text("".join("\t".join([*line[:2], "1796028077", *line[3:]]) + "\n" for line in lines))
    last = status(repo).last
    assert last is not None
    assert last.commit == later


def test_commits_that_no_hook_saw_are_counted(tmp_path: Path) -> None:
    repo = installed(tmp_path / "repo")
    seen = commit(repo, {"a": "1"}, "x")
    git(repo, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "unseen")
    now = status(repo)
    assert now.unpushed[1] == seen
    assert now.unseen == (now.unpushed[0], now.unpushed[2])


def test_pushed_commits_are_looked_up_among_the_published_records(tmp_path: Path) -> None:
    repo = installed(tmp_path / "repo")
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "remote", "add", "origin", tmp_path / "remote.git")
    assert status(repo).published is None
    git(repo, "push", "-q", "origin", "main")
    assert status(repo).published is None  # made before the hooks were there
    commit(repo, {"a": "0"}, "w")
    git(repo, "push", "-q", "--no-verify", "origin", "main")
    assert status(repo).published is None  # on the default branch: it has landed
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1"}, "x")
    git(repo, "push", "-q", "--no-verify", "origin", "side")
    commit(repo, {"a": "2"}, "y")
    assert status(repo).published is False
    git(repo, "push", "-q", "origin", "side")
    assert status(repo).published is True
    assert status(repo).unpushed == ()


def test_a_hook_that_is_gone_or_cannot_run_is_named(tmp_path: Path) -> None:
    repo = installed(tmp_path / "repo")
    assert status(repo).is_good
    (repo / ".git" / "hooks" / "post-commit").unlink()
    (repo / ".git" / "hooks" / "pre-push").chmod(0o644)
    assert status(repo).missing == ("post-commit", "pre-push")
    assert not status(repo).is_good


def test_what_went_wrong_in_an_agents_hook_is_told(tmp_path: Path) -> None:
    repo = installed(tmp_path / "repo")
    for number in range(5):
        Evidence(Repo.open(repo).home).note_problem(f"problem {number}")
    assert status(repo).problems == ("problem 2", "problem 3", "problem 4")


def test_an_empty_repository(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    run(["git", "init", "-q"], tmp_path / "repo")
    now = status(tmp_path / "repo")
    assert (now.seen, now.unpushed, now.published, now.last) == (0, (), None, None)


def test_a_journal_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = installed(tmp_path / "repo")
    (repo / ".git" / "foureyes" / "journal" / "main").mkdir()
    monkeypatch.chdir(repo)
    assert cli.run(["status"]) == 1
    assert "journal of the hooks cannot be read" in capsys.readouterr().err
