"""Reading the journal: every whole line counts, nothing else does."""

import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_git import git, make_repo

from foureyes.hooks.journal import (
    Line,
    append_line,
    journal_dir,
    parse_line,
    read_journal,
    seen_commits,
    worktree_id,
)
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

A, B = "a" * 40, "b" * 64


def _journal(common: Path, name: str, text: str) -> None:
    journal_dir(common).mkdir(parents=True, exist_ok=True)
    (journal_dir(common) / name).write_text(text)


def test_lines_of_all_worktrees_are_found_by_commit(tmp_path: Path) -> None:
    _journal(
        tmp_path, "main", f"v1\t{A}\t1790000000\tpost-commit\t\tcodex-cli\tCODEX_CI=1 CODEX_VERSION=0.169.0\n"
    )
    _journal(
        tmp_path,
        "linked-x",
        f"v1\t{B}\t5\tpost-merge\tpull\t\t\nv1\t{A}\t6\tpost-commit\trebase (pick)\t\t\n",
    )
    found = read_journal(tmp_path)
    assert found[B] == (Line(B, 5, "post-merge", "pull", "", (), "linked-x"),)
    assert found[A] == (
        Line(A, 6, "post-commit", "rebase (pick)", "", (), "linked-x"),
        Line(
            A,
            1790000000,
            "post-commit",
            "",
            "codex-cli",
            (("CODEX_CI", "1"), ("CODEX_VERSION", "0.169.0")),
            "main",
        ),
    )


def test_a_line_tells_how_far_the_evidence_went_and_older_ones_do_not() -> None:
    told = {"": None, "\t": None, "\t0": 0, "\t1795347200123456789": 1795347200123456789}
    for more, reached in told.items():
        line = parse_line(f"v1\t{A}\t5\tpost-commit\t\t\t{more}", "main")
        assert line is not None
        assert line.reached == reached


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path) == {}


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"v1\t{A}\t1\tpost-commit\t\t",
        f"v2\t{A}\t1\tpost-commit\t\t\t",
        f"v1\t{A[:-1]}\t1\tpost-commit\t\t\t",
        f"v1\t{A}\tyesterday\tpost-commit\t\t\t",
        f"v1\t{A}\t1\tpost-commit\t\t\t\textra",
        f"v1\t{A}\t1\tpost-commit\t\t\t\t179534720012",
        f"v1\t{A}\t1\tpost-commit\t\t\t\t0\t",
        f"v1\t{A}\t\tpost-commit\t\t\t",
    ],
)
def test_a_torn_or_foreign_line_witnesses_nothing(line: str, tmp_path: Path) -> None:
    assert parse_line(line, "main") is None
    _journal(tmp_path, "main", f"{line}\nv1\t{B}\t1\tpost-commit\t\t\t\n{line}")
    assert set(read_journal(tmp_path)) == {B}


def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (journal_dir(tmp_path) / "main").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be read"):
        read_journal(tmp_path)


def test_what_an_agents_own_hook_saw_is_appended_privately(tmp_path: Path) -> None:
    repo = Repo.open(make_repo(tmp_path / "repo"))
    append_line(repo, A, 12.9, "checkpoint", "gemini-cli", marks=(("GEMINI_CLI", "1"),))
    append_line(repo, B, 13, "checkpoint", "gemini-cli", reached=1795347200123456789)
    assert read_journal(repo.common_dir)[A] == (
        Line(A, 12, "checkpoint", "", "gemini-cli", (("GEMINI_CLI", "1"),), "main"),
    )
    assert [line.reached for line in read_journal(repo.common_dir)[B]] == [1795347200123456789]
    assert seen_commits(repo, {B, "c" * 40}) == {B}
    assert stat.S_IMODE(journal_dir(repo.common_dir).stat().st_mode) == 0o700
    assert stat.S_IMODE((journal_dir(repo.common_dir) / "main").stat().st_mode) == 0o600


@given(st.text(), st.text())
def test_no_value_can_forge_a_second_line_or_field(agent: str, value: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo(None, Path(folder), Path(folder))
        append_line(repo, A, 1, "checkpoint", agent, marks=(("X", value), ("Y", "1")))
        (line,) = read_journal(Path(folder))[A]
        assert line.marks[-1] == ("Y", "1")
        assert len(line.marks) == 2


def test_a_linked_worktree_called_main_has_a_file_of_its_own(tmp_path: Path) -> None:
    top = make_repo(tmp_path / "repo")
    git(top, "worktree", "add", "-q", "-b", "other", tmp_path / "main")
    assert worktree_id(Repo.open(top)) == "main"
    assert worktree_id(Repo.open(tmp_path / "main")) == "linked-main"
