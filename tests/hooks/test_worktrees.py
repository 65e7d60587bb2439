"""Many worktrees of one repository at work at once (P28): nothing is lost, whatever they do.

FOUREYES_TEST_LONG=1 (`make test-long`): 30 commits in each of them, instead of 10.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import commit, git
from support_hooked import copy_hooked, make_remote, push, records

from foureyes.hooks.build import Builder, build
from foureyes.hooks.journal import journal_dir, read_journal
from foureyes.hooks.repo import Repo

COMMITS = 30 if os.environ.get("FOUREYES_TEST_LONG") else 10
OLGA = Builder("person@example.com", "olga", "", ())


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "my dépôt")


@pytest.fixture
def trees(repo: Path, tmp_path: Path) -> list[Path]:
    trees = [tmp_path / f"tree {number}" for number in range(8)]
    for number, tree in enumerate(trees):
        git(repo, "worktree", "add", "-q", "-b", f"branch-{number}", tree)
    return trees


def work(tree: Path) -> list[str]:
    """Commits by an agent and by a person in turn; their ids."""
    return [
        commit(tree, {tree.name: f"{n}"}, f"{n}", env=CLAUDE_ENV if n % 2 else None) for n in range(COMMITS)
    ]


def test_p28_8_worktrees_commit_at_once_and_nothing_is_lost(repo: Path, trees: list[Path]) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(work, trees))
    everything = [oid for oids in made for oid in oids]
    journal = read_journal(repo / ".git")
    assert len(set(everything)) == 8 * COMMITS
    assert set(everything) <= set(journal)
    assert all(len(journal[oid]) == 1 for oid in everything)
    assert len(list(journal_dir(repo / ".git").iterdir())) == 8
    found = build(Repo.open(repo), everything, OLGA)
    assert {oid: found[oid].cls for oid in everything} == {
        oid: "ai" if n % 2 else "human" for oids in made for n, oid in enumerate(oids)
    }


def test_p26_p28_two_worktrees_that_push_to_one_branch_in_turn_lose_no_record(
    repo: Path, trees: list[Path], tmp_path: Path
) -> None:
    """Whoever was too slow rebases and pushes again, as people do."""
    remote = make_remote(repo, tmp_path / "remote.git")

    def push_all(tree: Path) -> None:
        for n in range(COMMITS // 3):
            commit(
                tree, {f"{tree.name} {n}": f"{n}\n"}, f"{tree.name} {n}", env=CLAUDE_ENV if n % 2 else None
            )
            while "rejected" in push(tree, "origin", "HEAD:shared", ok=False):
                git(tree, "pull", "-q", "--rebase", "origin", "shared")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(push_all, trees[:2]))
    landed = git(remote, "log", "--format=%H %s", "main..shared").splitlines()
    assert len(landed) == 2 * (COMMITS // 3)
    found = records(remote, "shared")
    for line in landed:
        oid, _, title = line.partition(" ")
        assert found[oid].cls == ("ai" if int(title.split(" ")[-1]) % 2 else "human"), title
