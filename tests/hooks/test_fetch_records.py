"""Colleagues' records are asked for when they are missing, and a remote is not asked again and again."""

import os
import sys
from pathlib import Path

import pytest
from support_git import commit, git
from support_hooked import copy_hooked, make_remote, push

from foureyes.hooks.fetch_records import fetch_missing
from foureyes.hooks.published import published_record
from foureyes.hooks.repo import Repo


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A file with a line for each time that the remote was asked; `tmp_path/clone` is a colleague's clone."""
    repo = copy_hooked(tmp_path / "repo")
    make_remote(repo, tmp_path / "remote.git")
    git(repo, "switch", "-q", "-c", "work")
    commit(repo, {"a": "1"}, "x")
    push(repo, "origin", "work")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "-b", "work", "remote.git", clone)
    program = tmp_path / "upload-pack"
    program.write_text(
        f'#!/bin/sh\necho x >>{tmp_path}/asked\n[ -e {tmp_path}/up ] && exec git upload-pack "$@"\n'
    )
    program.chmod(0o755)
    git(clone, "config", "remote.origin.uploadpack", program)
    (tmp_path / "asked").touch()
    return tmp_path / "asked"


def later(clone: Path) -> None:
    for stamp in (clone / ".git" / "foureyes" / "fetched").iterdir():
        os.utime(stamp, (1, 1))


def test_a_remote_is_asked_once_in_a_while_whether_it_answers_or_not(asked: Path) -> None:
    clone = asked.parent / "clone"
    repo, made = Repo.open(clone), git(clone, "rev-parse", "HEAD")
    assert not fetch_missing(repo, {made}, offline=True)
    assert not fetch_missing(repo, set(), offline=False)
    assert asked.read_text() == ""
    assert [fetch_missing(repo, {made}, offline=False) for _ in range(3)] == [False, False, False]
    assert asked.read_text() == "x\n"
    (asked.parent / "up").touch()
    later(clone)
    assert published_record(repo, made) is None
    assert [fetch_missing(repo, {made}, offline=False) for _ in range(3)] == [True, False, False]
    assert asked.read_text() == "x\nx\n"
    assert published_record(repo, made) is not None


def test_a_git_dir_that_cannot_be_written_keeps_nobody_from_reading(asked: Path) -> None:
    clone = asked.parent / "clone"
    (clone / ".git" / "foureyes").write_text("in the way")
    assert not fetch_missing(Repo.open(clone), {"0" * 40}, offline=False)


def test_on_a_terminal_it_is_told_what_is_waited_for(
    asked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repo.open(asked.parent / "clone")
    fetch_missing(repo, {"0" * 40}, offline=False)
    assert capsys.readouterr().err == ""
    later(asked.parent / "clone")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch_missing(repo, {"0" * 40}, offline=False)
    assert capsys.readouterr().err == "foureyes: asking origin for records ...\r\x1b[K"
