"""`foureyes install --global`: one command for all repositories, beside what they have."""

import json
import os
from pathlib import Path

import pytest
from support_git import commit, foureyes, git, make_repo, message, run
from support_newer_git import needs_newer_git, use_newer_git

from foureyes.hooks import cli, config_hooks, everywhere
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.doctor import examine
from foureyes.hooks.journal import read_journal
from foureyes.hooks.repo import Repo
from foureyes.hooks.status import read

AGENT = {"QWEN_CODE": "1"}


def test_a_git_that_cannot_is_told_why_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    before = (Path.home() / ".gitconfig").read_text()
    assert cli.run(["install", "--global", "--login", "olga"]) == 1
    said = capsys.readouterr().err
    assert "core.hooksPath" in said
    assert "in each repository" in said
    assert (Path.home() / ".gitconfig").read_text() == before
    assert not (Path.home() / ".config" / "foureyes").exists()


@pytest.mark.parametrize("other", ["--write", "--repo"])
def test_what_is_for_one_repository_does_not_go_with_it(
    other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["install", "--global", other]) == 2
    assert "--global is for no repository" in capsys.readouterr().err


@needs_newer_git
class TestWithANewerGit:
    @pytest.fixture(autouse=True)
    def newer_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_newer_git(tmp_path, monkeypatch)

    @pytest.fixture
    def installed(self, tmp_path: Path) -> str:
        """What the configuration was before."""
        before = (Path.home() / ".gitconfig").read_text()
        foureyes(tmp_path, "install", "--global", "--login", "olga", env={"PATH": os.environ["PATH"]})
        return before

    def test_every_repository_is_served_also_one_made_later(self, installed: str, tmp_path: Path) -> None:
        for name in ("one", "my dépôt"):
            repo = make_repo(tmp_path / name)
            oid = commit(repo, {"a": "1"}, "x", env=AGENT)
            assert [line.hook for line in read_journal(repo / ".git")[oid]] == ["post-commit"]
            assert "Assisted-by: qwen-code" in message(repo)
        assert git(tmp_path / "one", "config", "foureyes.login") == "olga"
        status = read(Repo.open(tmp_path / "one"))
        assert (status.how, status.missing, status.is_good) == (everywhere.HOW, (), True)

    def test_worktrees_and_other_hooks_work_beside_it(self, installed: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        (repo / ".git" / "hooks" / "post-commit").write_text("#!/bin/sh\ntouch theirs\n")
        (repo / ".git" / "hooks" / "post-commit").chmod(0o755)
        git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked")
        oid = commit(tmp_path / "linked", {"a": "1"}, "x")
        assert read_journal(repo / ".git")[oid][0].worktree == "linked-linked"
        assert (tmp_path / "linked" / "theirs").exists()

    def test_a_repository_with_hooks_of_its_own_is_left_to_them(self, installed: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        foureyes(repo, "install")
        oid = commit(repo, {"a": "1"}, "x", env=AGENT)
        assert len(read_journal(repo / ".git")[oid]) == 1
        foureyes(repo, "uninstall")
        oid = commit(repo, {"a": "2"}, "x", env=AGENT)
        assert len(read_journal(repo / ".git")[oid]) == 1

    def test_records_go_out_at_a_push(self, installed: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        commit(repo, {"a": "1"}, "x", env=AGENT)
        git(tmp_path, "init", "-q", "--bare", "remote.git")
        git(repo, "push", "-q", tmp_path / "remote.git", "main")
        assert "refs/foureyes/b/" in git(tmp_path / "remote.git", "for-each-ref")

    def test_doctor_proves_it_and_finds_what_is_missing(self, installed: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo", first_commit=False)
        found = {f.subject: f for f in examine(Repo.open(repo))}
        assert "throwaway commit recorded" in found["proof"].what
        assert not (repo / ".git" / "foureyes").exists()
        git(repo, "config", "--global", "--remove-section", "hook.foureyes-everywhere-post-commit")
        found = {f.subject: f for f in examine(Repo.open(repo))}
        assert found["hooks"].mend == "foureyes install --global"
        assert "was not recorded" in found["proof"].what

    def test_one_repository_can_stay_out(self, installed: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo", first_commit=False)
        for event in EVENTS:
            git(repo, "config", f"hook.foureyes-everywhere-{event}.enabled", "false")
        commit(repo, {"a": "1"}, "x", env=AGENT)
        assert not (repo / ".git" / "foureyes").exists()
        assert message(repo) == "x"

    def test_a_second_time_changes_nothing_and_uninstall_brings_the_configuration_back(
        self, installed: str, tmp_path: Path
    ) -> None:
        once = (Path.home() / ".gitconfig").read_text()
        env = {"PATH": os.environ["PATH"]}
        answer = json.loads(foureyes(tmp_path, "install", "--global", "--json", env=env))
        assert answer["hooks"]["how"] == everywhere.HOW
        assert (Path.home() / ".gitconfig").read_text() == once != installed
        foureyes(tmp_path, "uninstall", "--global", env=env)
        assert (Path.home() / ".gitconfig").read_text() == installed
        assert not (Path.home() / ".config" / "foureyes").exists()

    def test_where_there_was_no_configuration_none_is_left(self, tmp_path: Path) -> None:
        (Path.home() / ".gitconfig").unlink()
        (Path.home() / ".claude").mkdir()
        before = sorted(Path.home().rglob("*"))
        env = {"PATH": os.environ["PATH"]}
        foureyes(tmp_path, "install", "--global", "--login", "olga", env=env)
        foureyes(tmp_path, "install", "--global", env=env)
        foureyes(tmp_path, "uninstall", "--global", env=env)
        assert sorted(Path.home().rglob("*")) == before

    def test_scripts_that_are_gone_are_one_line_and_the_commit_stands(
        self, installed: str, tmp_path: Path
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        for file in everywhere.folder().iterdir():
            file.unlink()
        done = run(["git", "commit", "-q", "--allow-empty", "-m", "x"], repo)
        assert [line.split(":")[0] for line in done.stderr.decode().splitlines()] == ["foureyes"]
        assert message(repo) == "x"

    def test_a_folder_that_cannot_be_written_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (Path.home() / ".config").mkdir()
        (Path.home() / ".config" / "foureyes").write_text("a file where the folder should be")
        before = (Path.home() / ".gitconfig").read_text()
        foureyes(tmp_path, "install", "--global", env={"PATH": os.environ["PATH"]}, ok=False)
        assert (Path.home() / ".gitconfig").read_text() == before
