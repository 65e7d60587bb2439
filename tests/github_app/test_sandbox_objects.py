"""The sandbox reads what lies by itself from git's files: it must say the same as git says of the same in a pack."""

from pathlib import Path

import pytest
from support_repository import Bare

from foureyes.github_app.sandbox import objects_on_disk
from foureyes.github_app.sandbox.repositories import GitRepository

ABSENT = "1" * 40


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare.make(tmp_path / "some.git")


def packed(bare: Bare) -> GitRepository:
    """The same repository, of which git has to be asked."""
    bare.git("repack", "-a", "-d", "-q")
    bare.git("prune-packed", "-q")
    return GitRepository(bare.path)


def test_objects_are_those_of_git(bare: Bare) -> None:
    commit = bare.commit({"a": "1\n", "empty": "", "zeros": b"\0\0"})
    bare.ref("refs/heads/main", commit)
    bare.ref("refs/tags/v1", tag := bare.git("mktag", stdin=TAG.format(commit).encode()))
    tree = bare.git("rev-parse", f"{commit}^{{tree}}")
    blobs = [bare.blob(content) for content in (b"1\n", b"", b"\0\0")]
    oids = (commit, tag, tree, *blobs)
    plain = GitRepository(bare.path)
    assert [objects_on_disk.kind(bare.path, oid) for oid in oids] == ["commit", "tag", "tree"] + ["blob"] * 3
    said = [(plain.resolve(oid), plain.type_of(oid), plain.read(oid), plain.commit_id(oid)) for oid in oids]
    of_git = packed(bare)
    assert [objects_on_disk.read(bare.path, oid) for oid in oids] == [None] * 6
    assert [(of_git.resolve(o), of_git.type_of(o), of_git.read(o), of_git.commit_id(o)) for o in oids] == said
    assert said[1][3] == commit, "what a tag names"


def test_what_is_no_object_here_is_none(bare: Bare) -> None:
    bare.ref("refs/heads/main", bare.commit({"a": "1\n"}))
    git = GitRepository(bare.path)
    for name in (ABSENT, ABSENT[:39], "", "../../config", "main^{tree}x"):
        assert objects_on_disk.kind(bare.path, name) is None
        assert (git.resolve(name), git.commit_id(name)) == (None, None)
    broken = bare.path / "objects" / ABSENT[:2] / ABSENT[2:]
    broken.parent.mkdir()
    broken.write_bytes(b"no object")
    assert objects_on_disk.kind(bare.path, ABSENT) is None
    assert objects_on_disk.read(bare.path, ABSENT) is None


def test_histories_are_those_of_git(bare: Bare) -> None:
    base = bare.commit({"a": "1\n"})
    one, other = bare.commit({"a": "2\n"}, base), bare.commit({"b": "2\n"}, base)
    merge, alone = bare.commit({"c": "1\n"}, one, other), bare.commit({"d": "1\n"})
    tail = bare.commit({"c": "2\n"}, merge)
    for number, oid in enumerate((tail, alone)):
        bare.ref(f"refs/heads/{number}", oid)
    commits = (base, one, other, merge, tail, alone)
    pairs = [(left, right) for left in commits for right in commits]

    def said(git: GitRepository) -> list[object]:
        between = [(git.range(*pair), git.is_ancestor(*pair), git.merge_base(*pair)) for pair in pairs]
        return [between, git.commits_of(list(commits))]

    plain = said(GitRepository(bare.path))
    assert said(packed(bare)) == plain


def test_a_parent_that_git_does_not_read_is_none(bare: Bare) -> None:
    base = bare.commit({"a": "1\n"})
    text = bare.git("cat-file", "commit", base).replace("committer ", f"parent {base}\ncommitter ") + "\n"
    odd = bare.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=text.encode())
    assert bare.git("rev-list", odd) == odd
    git = GitRepository(bare.path)
    assert git.commit(odd).parents == ()
    assert not git.is_ancestor(base, odd)


TAG = "object {}\ntype commit\ntag v1\ntagger Olga <olga@acme.example> 1700000000 +0000\n\nv1\n"
