"""Commits and their changes as git's raw objects have them: one process for all commits asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from foureyes.hooks.raw_commit import read_raw
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_blobs
from foureyes.shared.diff import GIT_DIFF_ARGS, FileDiff, parse_stream
from foureyes.shared.people import Identity

_Key = TypeVar("_Key")

# git knows these without an object behind them.
_EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


@dataclass(frozen=True)
class Commit:
    """Times are seconds since 1970."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    authored_at: int
    committer: Identity
    committed_at: int
    message: str


def read_commits(repo: Repo, oids: Iterable[str]) -> dict[str, Commit]:
    """By id; ids that are no commit are left out."""
    found: dict[str, Commit] = {}
    for oid, raw in read_blobs(repo, oids).items():
        commit = parse_commit(oid, raw)
        if commit is not None:
            found[oid] = commit
    return found


def read_diffs(repo: Repo, commits: Sequence[Commit]) -> dict[str, tuple[FileDiff, ...]]:
    """The change of each commit against its first parent, or against nothing. A commit whose parent is not here (at
    the edge of a shallow clone) is left out: what it changed cannot be told.
    """
    known = {commit.oid: commit for commit in commits}
    missing = {commit.parents[0] for commit in commits if commit.parents} - set(known)
    known |= read_commits(repo, missing)
    pairs: dict[str, tuple[str, str]] = {}
    for commit in commits:
        if not commit.parents:
            pairs[commit.oid] = (_EMPTY_TREE[len(commit.oid)], commit.tree)
        elif commit.parents[0] in known:
            pairs[commit.oid] = (known[commit.parents[0]].tree, commit.tree)
    return _read_pairs(repo, pairs)


def read_changes(repo: Repo, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[FileDiff, ...]]:
    """The change from one commit to another, for pairs of them; pairs that are not all here are left out."""
    known = read_commits(repo, {oid for pair in pairs for oid in pair})
    trees = {
        (old, new): (known[old].tree, known[new].tree) for old, new in pairs if old in known and new in known
    }
    return _read_pairs(repo, trees)


def _read_pairs(repo: Repo, pairs: Mapping[_Key, tuple[str, str]]) -> dict[_Key, tuple[FileDiff, ...]]:
    if not pairs:
        return {}
    asked = "".join(f"{old} {new}\n" for old, new in pairs.values()).encode()
    out = repo.git("diff-tree", "--stdin", *GIT_DIFF_ARGS, input=asked)
    answers = [diffs for _, _, diffs in parse_stream(out)]
    return dict(zip(pairs, answers, strict=True))


def parse_commit(oid: str, raw: bytes) -> Commit | None:
    """None: it is no commit."""
    read = read_raw(raw)
    if read is None:
        return None
    author, committer = (Identity(who.name, who.email) for who in (read.author, read.committer))
    return Commit(
        oid, read.tree, read.parents, author, read.author.at, committer, read.committer.at, read.message
    )
