"""Local notes: exact, read by git's own `notes`, and nothing lost by parallel writers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support_git import commit, git, make_repo, python_env

from foureyes.hooks.repo import GitFailed, Repo
from foureyes.hooks.store import NOTES, Put, commit_files, keep_records, read_records, tip_of


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def test_records_come_back_exactly_and_git_shows_them_as_notes(repo: Path):
    opened = Repo.open(repo)
    first, second = git(repo, "rev-parse", "HEAD"), commit(repo, {"f": "x\n"}, "x")
    keep_records(opened, {first: b'{"a":1}', second: b"\0\xff\nlast"}, at=1)
    keep_records(opened, {first: b'{"a":2}'}, at=2)
    assert read_records(opened, [first, second, "0" * 40]) == {first: b'{"a":2}', second: b"\0\xff\nlast"}
    assert git(repo, "notes", "--ref", "foureyes", "show", first) == '{"a":2}'
    assert git(repo, "rev-list", "--count", NOTES) == "2"


def test_many_notes_which_git_spreads_over_folders_are_found(repo: Path):
    opened = Repo.open(repo)
    commits = (f"commit refs/heads/many\ncommitter a <a@b> {n} +0000\ndata 0\n" for n in range(1, 400))
    git(repo, "fast-import", "--quiet", stdin="".join(commits).encode())
    many = git(repo, "rev-list", "many").split()
    keep_records(opened, dict.fromkeys(many, b"old"), at=1)
    git(repo, "notes", "--ref", "foureyes", "add", "-f", "-m", "by git itself", "HEAD")
    assert "/" in git(repo, "ls-tree", "-r", "--name-only", NOTES).splitlines()[0]
    keep_records(opened, {many[7]: b"new"}, at=2)
    assert read_records(opened, many) == {**dict.fromkeys(many, b"old"), many[7]: b"new"}
    assert git(repo, "notes", "--ref", "foureyes", "show", "HEAD") == "by git itself"


def test_parallel_writers_lose_nothing(repo: Path):
    oids = [commit(repo, {"f": f"{n}\n"}, f"{n}") for n in range(32)]
    code = (
        "import sys; from pathlib import Path; from foureyes.hooks.repo import Repo\n"
        "from foureyes.hooks.store import keep_records\n"
        "for oid in sys.argv[1:]: keep_records(Repo.open(Path.cwd()), {oid: oid.encode()}, at=1)\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, *oids[n::8]], cwd=repo, env={**os.environ, **python_env()}
        )
        for n in range(8)
    ]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert read_records(Repo.open(repo), oids) == {oid: oid.encode() for oid in oids}


def test_a_ref_that_someone_else_moved_is_not_overwritten(repo: Path):
    opened = Repo.open(repo)
    assert commit_files(opened, NOTES, "", [Put("a", b"1")], at=1)
    tip = tip_of(opened, NOTES)
    assert commit_files(opened, NOTES, tip, [Put("b", b"2")], at=2)
    moved = tip_of(opened, NOTES)
    assert not commit_files(opened, NOTES, tip, [Put("c", b"3")], at=3)
    assert tip_of(opened, NOTES) == moved
    assert git(repo, "ls-tree", "--name-only", NOTES).split() == ["a", "b"]


def test_a_git_that_says_it_in_other_words_overwrites_nothing_either(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.write_text(f'#!/bin/sh\n"{shutil.which("git")}" "$@" 2>/dev/null\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    test_a_ref_that_someone_else_moved_is_not_overwritten(repo)


def test_what_git_refuses_for_another_reason_is_an_error(repo: Path):
    with pytest.raises(GitFailed):
        commit_files(Repo.open(repo), "refs/notes/not..valid", "", [Put("a", b"1")], at=1)
