"""Opening a repository: where everything is, and what a person reads when there is none."""

from pathlib import Path

import pytest
from support_git import git, make_repo, run

from foureyes.hooks import repo as repo_module
from foureyes.hooks.repo import GitFailed, Repo, git_version
from foureyes.shared.errors import UserError


def test_a_repository_is_found_from_below_and_with_spaces_and_accents(tmp_path: Path) -> None:
    top = make_repo(tmp_path / "my dépôt")
    below = top / "a" / "b"
    below.mkdir(parents=True)
    found = Repo.open(below)
    assert (found.work_tree, found.git_dir, found.common_dir) == (top, top / ".git", top / ".git")
    assert found.home == top / ".git" / "foureyes"


def test_a_linked_worktree_shares_the_common_folder(tmp_path: Path) -> None:
    top = make_repo(tmp_path / "main")
    git(top, "worktree", "add", "-q", tmp_path / "linked")
    found = Repo.open(tmp_path / "linked")
    assert found.common_dir == top / ".git"
    assert found.git_dir == top / ".git" / "worktrees" / "linked"
    assert found.git("rev-parse", "--abbrev-ref", "HEAD") == b"linked\n"


def test_what_a_hook_was_started_with_does_not_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = make_repo(tmp_path / "mine"), make_repo(tmp_path / "other")
    found = Repo.open(mine)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert Path(found.git("rev-parse", "--show-toplevel").decode().strip()) == mine


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not in a git repository") as error:
        Repo.open(tmp_path)
    assert "git init" in error.value.next_step


def test_a_bare_repository_is_refused_unless_asked_for(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(UserError, match="bare repository"):
        Repo.open(tmp_path / "bare.git")
    assert Repo.open(tmp_path / "bare.git", bare_ok=True).work_tree is None


def test_inside_the_git_folder_is_no_work_tree(tmp_path: Path) -> None:
    top = make_repo(tmp_path / "repo")
    with pytest.raises(UserError, match="not in a work tree"):
        Repo.open(top / ".git")


def test_no_git_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git was not found") as error:
        Repo.open(tmp_path)
    assert error.value.exit_code == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        Repo.open(tmp_path / "gone")


def _fake_git(folder: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\necho '{answer}'\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize(
    ("answer", "version"),
    [("git version 2.54.0.windows.1", (2, 54, 0)), ("git version 2.39.5 (Apple Git-154)", (2, 39, 5))],
)
def test_version_as_vendors_print_it(
    answer: str, version: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_git(tmp_path / "bin", answer, monkeypatch)
    assert git_version(tmp_path) == version


@pytest.mark.parametrize("answer", ["git version 2.29.9", "something else"])
def test_an_old_or_unknown_git_is_refused(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_git(tmp_path / "bin", answer, monkeypatch)
    with pytest.raises(UserError, match="too old"):
        git_version(tmp_path)


def test_a_failure_carries_gits_words_and_status(tmp_path: Path) -> None:
    found = Repo.open(make_repo(tmp_path / "repo"))
    with pytest.raises(GitFailed, match="Needed a single revision") as error:
        found.git("rev-parse", "--verify", "no-such-branch")
    assert error.value.status == 128


def test_config_tells_unset_from_empty(tmp_path: Path) -> None:
    top = make_repo(tmp_path / "repo")
    git(top, "config", "foureyes.empty", "")
    git(top, "config", "--add", "foureyes.two", "first")
    git(top, "config", "--add", "foureyes.two", "se\ncond")
    found = Repo.open(top)
    assert found.config("foureyes.none") is None
    assert found.config("foureyes.empty") == ""
    assert found.config("foureyes.two") == "se\ncond"
    assert found.config_all("foureyes.two", "--local") == ("first", "se\ncond")


def test_the_oldest_git_is_what_the_documents_say() -> None:
    assert repo_module.OLDEST_GIT == (2, 30)


def test_a_repository_of_another_user_is_left_to_whoever_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = make_repo(tmp_path / "some one's")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match="it belongs to another user") as refused:
        Repo.open(top)
    assert refused.value.next_step is not None
    trust = refused.value.next_step.split("`")[1]
    assert trust.startswith("git config --global --add safe.directory ")
    run(["sh", "-c", trust], tmp_path)
    assert Repo.open(top).work_tree == top
