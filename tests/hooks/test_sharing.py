"""A repository in which several users commit: what is ours there is for whoever git's own files are for, and no more."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support_agent import Agent
from support_git import commit, git, make_repo, run
from support_hooked import install, make_remote, push

from foureyes.hooks import sharing
from foureyes.hooks.capture_files import render
from foureyes.hooks.catalogue import catalogue

OTHER = 54321
"""A user, and a group, that no system has."""


def work_in(repo: Path) -> None:
    """Everything that a person's work writes into our folder: journal, evidence, records."""
    make_remote(repo, repo.parent / "remote.git")
    Agent(repo).write("f", "ai 1\n")
    commit(repo, {"f": "ai 1\nhuman 2\n"}, "both")
    push(repo, "origin", "HEAD")


def modes(repo: Path) -> dict[str, int]:
    home = repo / ".git" / "foureyes"
    return {str(path.relative_to(home)): path.stat().st_mode & 0o7777 for path in (home, *home.rglob("*"))}


def shared(repo: Path) -> Path:
    git(make_repo(repo), "init", "-q", "--shared=group")
    return repo


def test_where_gits_files_are_the_groups_ours_are_too_and_nobody_elses(tmp_path: Path):
    repo = shared(tmp_path / "repo")
    before = os.umask(0o077)
    try:
        install(repo)
        work_in(repo)
    finally:
        os.umask(before)
    found = modes(repo)
    assert {"journal/main", "evidence/clock", "lock", "capture.sh"} <= found.keys()
    for name, mode in found.items():
        wanted = 0o2770 if (repo / ".git" / "foureyes" / name).is_dir() else 0o660
        assert (name, oct(mode)) == (name, oct(wanted))


def test_elsewhere_nobody_else_gets_in(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    install(repo)
    work_in(repo)
    found = modes(repo)
    assert found["."] == 0o700
    assert {
        name for name in ("journal/main", "evidence/clock", "lock", "begun-main") if found[name] != 0o600
    } == set()


def test_a_repository_that_is_shared_later_is_opened_by_the_next_install_and_closed_again(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    install(repo)
    work_in(repo)
    git(repo, "init", "-q", "--shared=group")
    install(repo)
    assert {oct(mode & 0o7) for mode in modes(repo).values()} == {"0o0"}
    assert {oct(mode & 0o60) for mode in modes(repo).values()} == {"0o60"}
    git(repo, "config", "core.sharedRepository", "false")
    install(repo)
    assert modes(repo)["."] == 0o700


def as_other(folder: Path, *arguments: str) -> str:
    """git there, as another user of another group; what it says on stderr."""
    people = {
        f"GIT_{who}_{what}": "o@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    safe = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(folder)}
    own = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    told = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **people, **safe, **own},
        user=OTHER,
        group=OTHER,
        extra_groups=[],
        capture_output=True,
        check=True,
    )
    return told.stderr.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can commit as somebody else")
def test_the_commit_of_another_user_is_noted_in_the_same_journal():
    # Not below pytest's own folder, which every run of pytest closes to others.
    with TemporaryDirectory(prefix="shared-") as name:
        Path(name).chmod(0o711)
        try:
            as_other(Path(name), "version")
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("git, or the folder for temporary files, is for root alone")
        _two_users(shared(Path(name) / "repo"))


def _two_users(repo: Path) -> None:
    install(repo)
    commit(repo, {"f": "1\n"}, "the first user's")
    for path in (repo, *repo.rglob("*")):
        os.chown(path, -1, OTHER)
        path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o700) >> 3)
    assert as_other(repo, "commit", "-q", "--allow-empty", "-m", "the second user's") == ""
    noted = (repo / ".git" / "foureyes" / "journal" / "main").read_text().splitlines()
    assert noted[-1].split("\t")[1] == git(repo, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("value", "mode"),
    [("group", 0o660), ("TRUE", 0o660), ("0660", 0o660), ("660", 0o660), ("0640", 0o600), ("false", 0o600)],
)
def test_hooks_of_all_repositories_ask_git_for_whom_a_new_journal_is(tmp_path: Path, value: str, mode: int):
    repo = shared(tmp_path / "repo")
    install(repo)
    home = repo / ".git" / "foureyes"
    note = render(catalogue(), style="none", python="", path=())["note.sh"]
    script = f"{note}\nfoureyes_note {'1' * 40}"
    (home / "journal").rmdir()
    git(repo, "config", "core.sharedRepository", value)
    given = {
        "foureyes_everywhere": "1",
        "foureyes_common": ".git",
        "foureyes_tree": "main",
        "foureyes_hook": "x",
    }
    run(["sh", "-c", script], repo, env=given)
    found = modes(repo)
    assert (found["journal"] & 0o777, found["journal/main"]) == (mode | (mode & 0o440) >> 2, mode)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, False), ("umask", False), ("false", False), ("0", False), ("0640", False), ("0600", False),
        ("nonsense", False), ("group", True), ("true", True), ("1", True), ("", True), ("all", True),
        ("World", True), ("2", True), ("0660", True), ("0664", True), ("0770", True),
    ],
)  # fmt: skip
def test_the_values_that_git_knows(value: str | None, wanted: bool):
    assert sharing.is_wanted(value) is wanted


def test_a_folder_that_is_not_there_is_as_gits_own_will_have_it(tmp_path: Path):
    sharing.make_folder(tmp_path / "foureyes")
    assert (tmp_path / "foureyes").stat().st_mode & 0o7777 == 0o700
    (tmp_path / "git").mkdir()
    (tmp_path / "git").chmod(0o2775)
    sharing.make_folder(tmp_path / "git" / "foureyes")
    assert (tmp_path / "git" / "foureyes").stat().st_mode & 0o7777 == 0o2770
    assert not sharing.is_shared(tmp_path / "gone" / "foureyes")
