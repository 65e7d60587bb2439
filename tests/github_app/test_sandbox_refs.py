"""The sandbox reads refs from git's files: it must say what git says, and ask git where the files do not tell."""

from pathlib import Path

import pytest

from foureyes.github_app.sandbox import refs_on_disk
from foureyes.github_app.sandbox.repositories import GitRepository, Signature

WHO = Signature("acme", "setup@acme.example", "2024-01-01T00:00:00Z")
NAMES = (
    "refs/heads/a",
    "refs/heads/a-b",
    "refs/heads/z/y/x",
    "refs/heads/zä",
    "refs/notes/foureyes",
    "refs/tags/v1",
)
ASKED = (
    "refs",
    "refs/",
    "refs/heads",
    "refs/heads/",
    "refs/heads/a",
    "refs/heads/z",
    "refs/none",
    "refs/heads/*",
)


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    made = GitRepository(tmp_path / "some.git").create()
    made.first_commit("main", {"README.md": "hello\n", "docs/a.md": "a\n"}, "First\n", WHO)
    for name in NAMES:
        made.update_ref(name, "refs/heads/main")
    return made


def by_git(git: GitRepository, prefix: str) -> list[tuple[str, str]]:
    lines = git.run("for-each-ref", "--format=%(refname) %(objectname)", prefix).decode().splitlines()
    return [(name, oid) for name, oid in (line.rsplit(" ", 1) for line in lines)]


@pytest.mark.parametrize("prefix", ASKED)
def test_refs_are_those_of_git_in_its_order(git: GitRepository, prefix: str) -> None:
    found = by_git(git, prefix)
    assert list(git.refs(prefix).items()) == found
    (git.path / "refs/heads/a.lock").write_text("")  # somebody is about to move it
    assert list(git.refs(prefix).items()) == found
    git.run("pack-refs", "--all")
    assert refs_on_disk.below(git.path, prefix) is None
    assert list(git.refs(prefix).items()) == found


@pytest.mark.parametrize("packed", [False, True])
def test_a_name_means_what_it_means_now(git: GitRepository, packed: bool) -> None:
    if packed:
        git.run("pack-refs", "--all")
    first = git.text("rev-parse", "HEAD")
    names = ("HEAD", "refs/heads/main", "HEAD^{commit}", "refs/heads/z/y/x")
    assert [git.resolve(name) for name in names] == [first] * 4
    assert git.resolve("HEAD:docs/a.md") == git.text("rev-parse", "HEAD:docs/a.md")
    second = git.commit_tree(git.empty_tree(), [first], "Second\n", WHO, WHO)
    git.update_ref("refs/heads/main", second)
    assert [git.resolve(name) for name in names] == [second] * 3 + [first]
    assert git.resolve("HEAD:docs/a.md") is None
    git.run("symbolic-ref", "HEAD", "refs/heads/a")
    assert git.resolve("HEAD") == first
    git.delete_ref("refs/heads/a")
    assert git.resolve("HEAD") is None
    assert [git.branch(name) for name in ("a", "a/b", "../main", "main@{0}", "z")] == [None] * 5


def test_a_ref_to_a_ref_is_asked_of_git(git: GitRepository) -> None:
    git.run("symbolic-ref", "refs/heads/follows", "refs/heads/main")
    assert git.branch("follows") == git.branch("main")
    assert list(git.refs().items()) == by_git(git, "refs/")
