"""Kinds of repositories and of trouble: P23, and what item 7 of the faults says of folders, disks and interpreters."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import cast

import pytest
from support_git import commit, git, make_repo, message, run, write
from support_newer_git import needs_newer_git, use_newer_git

from foureyes.hooks import cli, config_hooks, place
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.install import install
from foureyes.hooks.journal import journal_dir, read_journal
from foureyes.hooks.place import Settings
from foureyes.hooks.proof import rehearse
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

AGENT = {"QWEN_CODE": "1"}


@pytest.fixture(autouse=True)
def hook_files_with_any_git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "newer_git" not in request.node.name:
        monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


def recorded(repo: Path, oid: str) -> list[str]:
    return [line.worktree for line in read_journal(Repo.open(repo).common_dir).get(oid, ())]


def test_a_bare_repository_with_worktrees(tmp_path: Path) -> None:
    """P23"""
    source = make_repo(tmp_path / "source")
    git(tmp_path, "clone", "-q", "--bare", source, tmp_path / "my dépôt.git")
    bare = tmp_path / "my dépôt.git"
    for name in ("one", "two words"):
        git(bare, "worktree", "add", "-q", "-b", name.split()[0], tmp_path / name)
    done = install(tmp_path / "one")
    assert done.repo.common_dir == bare
    assert done.milliseconds is not None
    for name in ("one", "two words"):
        oid = commit(tmp_path / name, {"a": name}, "x", env=AGENT)
        assert recorded(tmp_path / name, oid) == [f"linked-{name.replace(' ', '-')}"]
        assert "Assisted-by: qwen-code" in message(tmp_path / name)
    with pytest.raises(UserError, match="bare repository"):
        install(bare)


def test_a_worktree_whose_own_configuration_names_another_hooks_folder_leaves_the_others_theirs(
    tmp_path: Path,
) -> None:
    """P23"""
    repo, side = make_repo(tmp_path / "repo"), tmp_path / "side"
    install(repo)
    git(repo, "worktree", "add", "-q", "-b", "side", side)
    git(repo, "config", "extensions.worktreeConfig", "true")
    (tmp_path / "hooks").mkdir()
    git(side, "config", "--worktree", "core.hooksPath", tmp_path / "hooks")
    for login in (None, "olga"):
        assert install(side, login=login).needs_a_person
        assert recorded(repo, commit(repo, {"a": str(login)}, "in the other one")) == ["main"]
    assert not install(side, write=True).needs_a_person
    assert recorded(side, commit(side, {"a": "1"}, "here")) == ["linked-side"]
    assert recorded(repo, commit(repo, {"b": "1"}, "in the other one")) == ["main"]
    assert place.in_place(Repo.open(side), cast(Settings, place.read_settings(Repo.open(side)))) == EVENTS


def test_a_submodule_and_its_superproject_are_two_repositories(tmp_path: Path) -> None:
    """P23"""
    inner = make_repo(tmp_path / "inner")
    outer = make_repo(tmp_path / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub dir")
    done = install(outer / "sub dir")
    assert done.repo.common_dir == outer / ".git" / "modules" / "sub dir"
    oid = commit(outer / "sub dir", {"a": "1"}, "x", env=AGENT)
    assert recorded(outer / "sub dir", oid) == ["main"]
    above = commit(outer, {}, "move the submodule")
    assert recorded(outer, above) == []
    install(outer)
    assert recorded(outer, commit(outer, {"b": "1"}, "y")) == ["main"]


def test_a_repository_whose_folder_is_elsewhere(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--separate-git-dir", tmp_path / "the real one", tmp_path / "work")
    install(tmp_path / "work")
    oid = commit(tmp_path / "work", {"a": "1"}, "x", env=AGENT)
    assert recorded(tmp_path / "work", oid) == ["main"]


def test_a_repository_behind_a_link(tmp_path: Path) -> None:
    make_repo(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert install(tmp_path / "link").settings.how == "files"
    oid = commit(tmp_path / "link", {"a": "1"}, "x")
    assert recorded(tmp_path / "real", oid) == ["main"]


def test_a_template_of_hooks_is_kept(tmp_path: Path) -> None:
    template = tmp_path / "template"
    write(template, {"hooks/post-commit": "#!/bin/sh\ntouch theirs\n"})
    (template / "hooks" / "post-commit").chmod(0o755)
    git(tmp_path, "init", "-q", "--template", template, "repo")
    assert install(tmp_path / "repo").kept == ("post-commit",)
    oid = commit(tmp_path / "repo", {"a": "1"}, "x")
    assert recorded(tmp_path / "repo", oid) == ["main"]
    assert (tmp_path / "repo" / "theirs").exists()


@needs_newer_git
@pytest.mark.parametrize("how", ["config", "files"])
def test_a_repository_with_reftables_newer_git(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_newer_git(tmp_path, monkeypatch)
    if how == "files":
        monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    git(tmp_path, "init", "-q", "--ref-format=reftable", "repo")
    repo = tmp_path / "repo"
    assert install(repo).settings.how == how
    for number in "12":
        assert recorded(repo, commit(repo, {"a": number}, "x", env=AGENT)) == ["main"]
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked")
    oid = commit(tmp_path / "linked", {"a": "3"}, "x", env=AGENT)
    assert recorded(repo, oid) == ["linked-linked"]


@needs_newer_git
def test_configuration_of_one_worktree_newer_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hooks path that is set for one worktree only: the proof is made as that worktree sees it."""
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))
    use_newer_git(tmp_path, monkeypatch)
    repo = make_repo(tmp_path / "repo")
    install(repo)
    git(repo, "config", "extensions.worktreeConfig", "true")
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked")
    git(tmp_path / "linked", "config", "--worktree", "core.hooksPath", "/dev/null")
    assert rehearse(Repo.open(repo)).recorded
    assert not rehearse(Repo.open(tmp_path / "linked")).recorded


def test_a_full_disk_is_one_line_and_the_commit_stands(tmp_path: Path) -> None:
    """Writing to this device fails as on a full disk."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    repo = make_repo(tmp_path / "repo")
    install(repo)
    (journal_dir(repo / ".git") / "main").symlink_to("/dev/full")
    for env in ({}, AGENT):
        write(repo, {"a": f"{env}"})
        git(repo, "add", "a")
        done = run(["git", "commit", "-qm", "subject"], repo, env=env)
        (said,) = done.stderr.decode().splitlines()
        assert said.startswith("foureyes: this commit was not recorded")
        assert message(repo).splitlines()[0] == "subject"


def test_a_full_disk_during_install_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A write fails as on a full disk: what was there before is there, and nothing else."""
    real = os.fdopen
    room = written = 0

    def fdopen(descriptor: int, *arguments: object, **options: object) -> object:
        nonlocal written
        written += 1
        if written > room:
            os.close(descriptor)
            raise OSError(28, "No space left on device")
        return real(descriptor, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", fdopen)
    room = 10_000
    install(make_repo(tmp_path / "first"))
    needed = written
    repo = make_repo(tmp_path / "repo")
    before = {p: p.read_bytes() for p in (repo / ".git").rglob("*") if p.is_file()}
    monkeypatch.chdir(repo)
    # The scripts are alike; what comes after them is not.
    for there_is in (0, 1, needed // 2, *range(needed - 9, needed)):
        written, room = 0, there_is
        assert cli.run(["install", "--json"]) == 1
        error = json.loads(capsys.readouterr().err)["error"]
        assert "No space left on device" in error["what"]
        assert {p: p.read_bytes() for p in (repo / ".git").rglob("*") if p.is_file()} == before
    written, room = 0, needed
    assert cli.run(["install", "--json"]) == 0


@pytest.mark.parametrize("what", [".", "foureyes", "foureyes/journal"])
def test_a_repository_that_cannot_be_written(what: str) -> None:
    """A commit that git itself can make is made. Root may write everything, so there git runs as nobody."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        repo = make_repo(top / "repo")
        install(repo)
        write(repo, {"a": "1"})
        git(repo, "add", "a")
        user = 65534 if os.geteuid() == 0 else None
        if user is not None:
            for path in (repo, *repo.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        closed = repo / ".git" / what
        closed.chmod(0o555)
        try:
            done = subprocess.run(
                ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
                cwd=repo,
                env={**os.environ, **AGENT, "HOME": name, "XDG_CONFIG_HOME": name},
                capture_output=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        finally:
            closed.chmod(0o755)
        said = done.stderr.decode().splitlines()
        if what == ".":
            assert done.returncode != 0
            assert not any(line.startswith("foureyes") for line in said)
        else:
            assert done.returncode == 0
            assert len(said) <= 1
            assert all(line.startswith("foureyes: ") for line in said)


@pytest.mark.parametrize("more", [(), ("--amend",)])
def test_scripts_that_are_gone_are_one_line_and_the_commit_stands(
    more: tuple[str, ...], tmp_path: Path
) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    for script in (repo / ".git" / "foureyes").glob("*.sh"):
        script.unlink()
    done = run(["git", "commit", "-q", "--allow-empty", "-m", "x", *more], repo, env=AGENT)
    (said,) = done.stderr.decode().splitlines()
    assert said == "foureyes: not recorded, its scripts are gone or not readable; run: foureyes install"
    assert message(repo) == "x"


def test_a_missing_interpreter_at_a_push_is_one_line(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    push = repo / ".git" / "foureyes" / "push.sh"
    settings = json.loads((repo / ".git" / "foureyes" / "settings").read_text())
    push.write_text(push.read_text().replace(settings["python"], "/gone/python3"))
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    done = run(["git", "push", "-q", tmp_path / "remote.git", "main"], repo)
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith("foureyes: ")
    assert "foureyes install" in said
