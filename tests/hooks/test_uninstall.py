"""`foureyes uninstall` in every kind of repository: every file is as it was, byte for byte and with its mode."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support_git import commit, git, make_repo
from support_newer_git import needs_newer_git, use_newer_git

from foureyes.hooks import cli, config_hooks
from foureyes.hooks.install import install
from foureyes.hooks.journal import read_journal

Contents = dict[str, tuple[int, bytes]]


def contents(*folders: Path) -> Contents:
    """Every file, link and folder below: mode and content."""
    found = {}
    for path in (path for folder in folders for path in folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        linked = os.fsencode(path.readlink()) if path.is_symlink() else content
        found[str(path)] = (path.lstat().st_mode, linked)
    return found


def plain(top: Path) -> Path:
    return make_repo(top / "mein Repo é")


def with_hooks(top: Path) -> Path:
    repo = make_repo(top / "repo")
    for event, mode in (("post-commit", 0o755), ("pre-push", 0o700), ("post-merge", 0o644)):
        (repo / ".git" / "hooks" / event).write_bytes(b"#!/bin/sh\r\n\xff no end")
        (repo / ".git" / "hooks" / event).chmod(mode)
    return repo


def with_linked_hooks(top: Path) -> Path:
    """One script for several events, and a link to a hook that is written before it, and to one that comes after."""
    repo = make_repo(top / "repo")
    hooks = repo / ".git" / "hooks"
    (hooks / "post-merge").write_text("#!/bin/sh\necho ran >>ran\n")
    (hooks / "post-merge").chmod(0o755)
    for event, target in (("post-commit", hooks / "post-merge"), ("post-rewrite", "post-merge")):
        (hooks / event).symlink_to(target)
    return repo


def submodule(top: Path) -> Path:
    inner, outer = make_repo(top / "inner"), make_repo(top / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub dir é")
    return outer / "sub dir é"


def worktree_of_bare(top: Path) -> Path:
    git(top, "clone", "-q", "--bare", make_repo(top / "source"), top / "bare é.git")
    git(top / "bare é.git", "worktree", "add", "-q", "-b", "one", top / "one two")
    return top / "one two"


def linked_worktree(top: Path) -> Path:
    repo = make_repo(top / "repo")
    git(repo, "worktree", "add", "-q", "-b", "one", top / "linked")
    return top / "linked"


def folder_elsewhere(top: Path) -> Path:
    git(top, "init", "-q", "--separate-git-dir", top / "the real one", top / "work")
    return top / "work"


def no_hooks_folder(top: Path) -> Path:
    git(top, "init", "-q", "--template=", top / "repo")
    return top / "repo"


def sha256(top: Path) -> Path:
    git(top, "init", "-q", "--object-format=sha256", top / "repo")
    return top / "repo"


def with_hooks_of_its_own(top: Path) -> Path:
    repo = make_repo(top / "repo")
    (repo / ".githooks").mkdir()
    (repo / ".githooks" / "post-commit").write_bytes(b"#!/bin/sh\ntrue")
    (repo / ".githooks" / "post-commit").chmod(0o755)
    git(repo, "config", "core.hooksPath", ".githooks")
    return repo


def reftable(top: Path) -> Path:
    git(top, "init", "-q", "--ref-format=reftable", top / "repo")
    return top / "repo"


KINDS = [
    *(plain, with_hooks, with_linked_hooks, submodule, worktree_of_bare, linked_worktree, folder_elsewhere),
    *(no_hooks_folder, sha256, with_hooks_of_its_own),
]


def there_and_back(repo: Path, top: Path, monkeypatch: pytest.MonkeyPatch, *, write: bool = False) -> None:
    monkeypatch.chdir(repo)
    for folder in (".claude", ".config"):
        (Path.home() / folder).mkdir()
    settings = Path.home() / ".claude" / "settings.json"
    settings.write_text('{"model": "x" , "hooks": {}}')
    before = contents(top, Path.home())
    install(repo, login="olga", agents=("claude-code",), write=write)
    assert contents(top, Path.home()) != before
    assert cli.run(["uninstall", "--forget"]) == 0
    assert contents(top, Path.home()) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hook_files(kind: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    there_and_back(kind(tmp_path), tmp_path, monkeypatch, write=kind is with_hooks_of_its_own)


def test_a_hook_that_is_a_link_to_another_runs_as_before_and_comes_back_after_several_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    repo = with_linked_hooks(tmp_path)
    before = contents(repo / ".git" / "hooks")
    for _ in range(2):
        install(repo, login="olga")
    (repo / "ran").unlink(missing_ok=True)
    commit(repo, {"f": "x\n"}, "x")
    git(repo, "commit", "-q", "--amend", "--no-edit")
    assert (repo / "ran").read_text() == "ran\n" * 3
    assert all(line.hook != "post-merge" for lines in read_journal(repo / ".git").values() for line in lines)
    monkeypatch.chdir(repo)
    assert cli.run(["uninstall"]) == 0
    assert contents(repo / ".git" / "hooks") == before


@needs_newer_git
@pytest.mark.parametrize("kind", [*KINDS, reftable], ids=lambda kind: kind.__name__)
def test_config_hooks(kind: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_newer_git(tmp_path, monkeypatch)
    (tmp_path / "top").mkdir()
    there_and_back(kind(tmp_path / "top"), tmp_path / "top", monkeypatch)


def test_what_was_committed_meanwhile_stays_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    repo = with_hooks(tmp_path)
    before = contents(repo / ".git" / "hooks")
    install(repo, login="olga")
    made = commit(repo, {"a": "1"}, "x")
    monkeypatch.chdir(repo)
    assert cli.run(["uninstall", "--forget"]) == 0
    assert contents(repo / ".git" / "hooks") == before
    assert git(repo, "rev-parse", "HEAD") == made
    assert not [path for path in (repo / ".git").rglob("*foureyes*")]


def test_an_agents_file_that_broke_does_not_keep_the_hooks_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    repo = with_hooks(tmp_path)
    before = contents(repo / ".git")
    install(repo, login="olga", agents=("claude-code",))
    (Path.home() / ".claude" / "settings.json").write_text("{")
    monkeypatch.chdir(repo)
    assert cli.run(["uninstall", "--forget"]) == 1
    assert contents(repo / ".git") == before
    shown = capsys.readouterr().out
    assert "git hooks     taken out" in shown
    assert "agents        Claude Code: hooks NOT removed: " in shown


@pytest.mark.parametrize("value", ["", "/dev/null", "elsewhere"])
def test_a_hooks_path_that_was_set_later_hides_nothing_of_ours(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    repo = with_hooks(tmp_path)
    before = contents(repo / ".git" / "hooks")
    install(repo, login="olga")
    git(repo, "config", "core.hooksPath", value)
    monkeypatch.chdir(repo)
    assert cli.run(["uninstall", "--forget"]) == 0
    assert contents(repo / ".git" / "hooks") == before


def test_a_repository_that_was_moved_comes_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    (Path.home() / ".config").mkdir()
    before = contents(Path.home())
    install(plain(tmp_path / "here"), login="olga", agents=("claude-code", "opencode"))
    (tmp_path / "here").rename(tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there" / "mein Repo é")
    assert cli.run(["uninstall", "--forget"]) == 0
    assert contents(Path.home()) == before


@pytest.mark.parametrize("scope", ["--local", pytest.param("--global", marks=needs_newer_git)])
def test_a_login_that_was_configured_before_another_was_given_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    if scope == "--global":
        use_newer_git(tmp_path, monkeypatch)
    repo = make_repo(tmp_path / "repo")
    git(repo, "config", scope, "foureyes.login", "olga")
    monkeypatch.chdir(repo)
    which = () if scope == "--local" else ("--global",)
    for login in ("bob", "carol"):
        assert cli.run(["install", "--login", login, *which]) == 0
        assert git(repo, "config", scope, "foureyes.login") == login
    assert cli.run(["uninstall", *which]) == 0
    assert git(repo, "config", scope, "--get-all", "foureyes.login") == "olga"


@pytest.mark.parametrize(
    "which", [(), pytest.param(("--global",), marks=needs_newer_git)], ids=["here", "all"]
)
def test_a_second_uninstall_says_that_nothing_was_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    which: tuple[str, ...],
) -> None:
    if which:
        use_newer_git(tmp_path, monkeypatch)
    monkeypatch.chdir(make_repo(tmp_path / "repo"))
    for command, told in (
        ("install", ""),
        ("uninstall", "taken out"),
        ("uninstall", "none of ours were"),
    ):
        assert cli.run([command, *which]) == 0
        assert told in capsys.readouterr().out
