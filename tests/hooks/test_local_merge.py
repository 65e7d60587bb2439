"""The merge that a pull request would make, in real repositories: clean, conflicting, unrelated, hidden, old git."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_git import commit, git, head, make_repo

from foureyes.hooks.commits import read_commits
from foureyes.hooks.local_merge import Merged, Steps, automatic_merge, merge, read_steps
from foureyes.hooks.repo import GitFailed, Repo
from foureyes.shared.facts import Held, Known, MergeState, Unknown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = make_repo(tmp_path / "repo")
    commit(path, {"a": "1\n2\n3\n4\n5\n", "b": "1\n"}, "base")
    return path


def paths(merged: Merged) -> dict[str, str]:
    assert isinstance(merged.changes, Known)
    return {change.path: change.status for change in merged.changes.value}


def state(merged: Merged) -> MergeState:
    assert isinstance(merged.merge, Known)
    return merged.merge.value.state


@pytest.fixture
def old_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A git that knows no `merge-tree --write-tree`: it prints its usage, as versions before 2.38 do."""
    real = shutil.which("git")
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *" merge-tree --write-tree "*) echo usage >&2; exit 129;; esac\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield


def diverged(path: Path, ours: dict[str, str | None], theirs: dict[str, str | None]) -> tuple[str, str]:
    """(base tip, head)"""
    git(path, "checkout", "-q", "-b", "work")
    mine = commit(path, theirs, "theirs")
    git(path, "checkout", "-q", "main")
    return commit(path, ours, "ours"), mine


def test_a_branch_ahead_needs_no_merge_even_for_an_old_git(path: Path, old_git: None) -> None:
    base = head(path)
    mine = commit(path, {"a": None, "c": "x\n"}, "mine")
    merged = merge(Repo.open(path), base, mine)
    assert (state(merged), paths(merged)) == (MergeState.CLEAN, {"a": "D", "c": "A"})
    assert merged.hidden == Known(())


def test_a_clean_merge_is_held_against_the_base_tip(path: Path) -> None:
    base, mine = diverged(path, {"b": "2\n"}, {"a": "1\n2\n3\n4\n6\n"})
    merged = merge(Repo.open(path), base, mine)
    assert (state(merged), paths(merged)) == (MergeState.CLEAN, {"a": "M"})
    git(path, "merge", "-q", "--no-edit", mine)
    assert isinstance(merged.merge, Known)
    assert merged.merge.value.tree == git(path, "rev-parse", "HEAD^{tree}")


def test_what_an_old_git_cannot_merge_is_unknown(path: Path, old_git: None) -> None:
    base, mine = diverged(path, {"b": "2\n"}, {"a": "9\n"})
    merged = merge(Repo.open(path), base, mine)
    for fact in (merged.merge, merged.changes, merged.hidden):
        assert isinstance(fact, Unknown)
        assert "2.38" in fact.why


def test_a_conflict_shows_what_the_head_changes(path: Path) -> None:
    base, mine = diverged(path, {"a": "x\n"}, {"a": "y\n", "c": "z\n"})
    merged = merge(Repo.open(path), base, mine)
    assert (state(merged), paths(merged)) == (MergeState.CONFLICT, {"a": "M", "c": "A"})


def test_histories_that_share_nothing_are_unrelated(path: Path) -> None:
    base = head(path)
    git(path, "checkout", "-q", "--orphan", "other")
    mine = commit(path, {"a": "other\n"}, "other")
    assert state(merge(Repo.open(path), base, mine)) is MergeState.UNRELATED


def test_what_a_criss_cross_history_hides_is_named(path: Path) -> None:
    """The head is a merge that keeps its own side: it takes back what the base had mended."""
    fixed, feature = diverged(path, {"a": "mended\n"}, {"c": "1\n"})
    git(path, "merge", "-q", "--no-edit", "--no-ff", feature)
    tip = head(path)
    git(path, "checkout", "-q", "work")
    git(path, "merge", "-q", "-s", "ours", "--no-edit", fixed)
    assert len(git(path, "merge-base", "--all", tip, "HEAD").split()) == 2
    merged = merge(Repo.open(path), tip, head(path))
    assert (state(merged), paths(merged)) == (MergeState.CLEAN, {"a": "M"})
    assert merged.hidden == Known(("a",))


def test_what_the_emptied_directory_held_is_counted_as_the_server_does(path: Path) -> None:
    odd = os.fsdecode(b":(top)\xff")
    many: dict[str, str | None] = {f"{odd}/{n}": "1\n" for n in range(12)}
    root = commit(path, {**many, f"{odd}/kept/x": "1\n", ".gitattributes": "* -diff\n"}, "many")
    base, mine = diverged(path, {f"{odd}/new": "1\n", "b": "2\n"}, dict.fromkeys(many))
    repo = Repo.open(path)
    assert merge(repo, base, mine).held == Held(":(top)\\xff/", 14)
    assert merge(repo, root, mine).held == Held(":(top)\\xff/", 13)
    assert merge(repo, base, commit(path, {"b": "3\n"}, "little")).held is None
    git(path, "checkout", "-q", "work")
    conflicting = merge(repo, base, commit(path, {"b": "3\n"}, "conflicting"))
    assert (state(conflicting), conflicting.held) == (MergeState.CONFLICT, Held(":(top)\\xff/", 13))


def steps(path: Path, base: str) -> Steps:
    repo = Repo.open(path)
    listed = git(path, "rev-list", "HEAD", f"^{base}").split()
    commits = read_commits(repo, listed)
    parents = {parent for one in commits.values() for parent in one.parents}
    trees = {oid: one.tree for oid, one in (commits | read_commits(repo, parents)).items()}
    return read_steps(repo, [commits[oid] for oid in listed], trees)


def test_single_commits_are_touches_and_automatic_merges_are_none(path: Path) -> None:
    start = head(path)
    base, _mine = diverged(path, {"b": "2\n"}, {"c": "1\n"})
    git(path, "checkout", "-q", "work")
    git(path, "merge", "-q", "--no-edit", base)
    found = steps(path, base)
    assert found.mechanical == {head(path)}
    assert [touch.path for touch in found.touched] == ["c"]
    assert {touch.path for touch in steps(path, start).touched} == {"b", "c"}


def test_a_merge_is_no_automatic_one_for_an_old_git(path: Path, old_git: None) -> None:
    base, _mine = diverged(path, {"b": "2\n"}, {"c": "1\n"})
    git(path, "checkout", "-q", "work")
    git(path, "merge", "-q", "--no-edit", base)
    found = steps(path, base)
    assert found.mechanical == frozenset()
    assert {touch.path for touch in found.touched} == {"b", "c"}


def test_what_a_merge_does_by_hand_is_a_touch(path: Path) -> None:
    base, _mine = diverged(path, {"b": "2\n"}, {"c": "1\n"})
    git(path, "checkout", "-q", "work")
    git(path, "merge", "-q", "--no-commit", base)
    evil = commit(path, {"evil": "x\n"}, "merge")
    found = steps(path, base)
    assert found.mechanical == frozenset()
    assert ("evil", evil) in {(touch.path, touch.commit) for touch in found.touched}
    assert "b" not in {touch.path for touch in found.touched}


def test_a_merge_of_conflicting_parents_is_held_against_both(path: Path) -> None:
    base, _mine = diverged(path, {"a": "x\n"}, {"a": "y\n"})
    git(path, "checkout", "-q", "work")
    git(path, "merge", "-q", "-X", "ours", "--no-edit", base)
    found = steps(path, base)
    assert (found.mechanical, [touch.path for touch in found.touched if touch.commit == head(path)]) == (
        frozenset(),
        ["a"],
    )


def test_an_empty_range_and_a_root(path: Path) -> None:
    assert steps(path, head(path)) == Steps((), frozenset())
    git(path, "checkout", "-q", "--orphan", "root")
    git(path, "rm", "-rqf", ".")
    commit(path, {"r": "1\n"}, "root")
    assert [touch.path for touch in steps(path, "main").touched] == ["r"]


def test_a_merge_that_git_cannot_read_is_an_error(path: Path) -> None:
    with pytest.raises(GitFailed):
        automatic_merge(Repo.open(path), head(path), "0" * 40)
