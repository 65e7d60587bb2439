"""The merge that a pull request would make, and what it changes, by the git that is here."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foureyes.hooks.commits import Commit
from foureyes.hooks.repo import GitFailed, Repo
from foureyes.shared import diff, paths
from foureyes.shared.destruction import emptied
from foureyes.shared.diff import GIT_DIFF_ARGS, GIT_RAW_ARGS
from foureyes.shared.errors import UserError
from foureyes.shared.facts import Change, Fact, Held, Known, Merge, MergeState, Touch, Unknown
from foureyes.shared.hidden import hidden
from foureyes.shared.in_toto import is_oid

_MERGES = (
    "-c", "merge.renames=true", "-c", "merge.directoryRenames=conflict", "-c", "merge.renameLimit=7000",
    "merge-tree", "--write-tree", "--no-messages", "--name-only", "-z",
)  # fmt: skip
_NO_SUCH_OPTION = 129
"""Git before 2.38 knows another `merge-tree`."""
_MOST_MERGES = 50
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Merged:
    merge: Fact[Merge]
    changes: Fact[tuple[Change, ...]]
    hidden: Fact[tuple[str, ...]]
    held: Held | None = None
    """As the server reads them: see facts.PullFacts."""


def merge(repo: Repo, base: str, head: str) -> Merged:
    bases = repo.ask("merge-base", "--all", base, head).out.decode("ascii").split()
    if not bases:
        _expect_whole(repo)
        return _whole(repo, Merge(MergeState.UNRELATED), base, _changes(repo, base, head))
    tree = head if bases == [base] else automatic_merge(repo, base, head)
    if tree is None:
        unread = Unknown(
            "git 2.38 or newer is needed to try the merge; or rebase, and there is nothing to try"
        )
        return Merged(unread, unread, unread)
    if not tree:
        return _whole(repo, Merge(MergeState.CONFLICT), bases[0], _changes(repo, bases[0], head))
    changes = _changes(repo, base, tree)
    unseen = hidden(changes, [_raw(repo, one, head) for one in bases if one != base])
    return _whole(repo, Merge(MergeState.CLEAN, tree), base, changes, unseen)


def _expect_whole(repo: Repo) -> None:
    """Raises UserError in a shallow clone: what both histories share may be what was not fetched."""
    if repo.git("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise UserError(
            "this clone is shallow, and what the change and its base have in common is not here",
            next_step="git fetch --unshallow",
        )


def _whole(
    repo: Repo, merge: Merge, old: str, changes: tuple[Change, ...], unseen: tuple[str, ...] = ()
) -> Merged:
    return Merged(Known(merge), Known(changes), Known(unseen), _held(repo, old, changes))


def _held(repo: Repo, old: str, changes: tuple[Change, ...]) -> Held | None:
    directory = emptied(changes)
    if directory is None:
        return None
    place = f"{old}:{os.fsdecode(paths.encode(directory))}"
    answer = repo.ask("ls-tree", "-r", "-z", "--name-only", place)
    return Held(directory, answer.out.count(b"\0")) if answer.status == 0 else None


def automatic_merge(repo: Repo, ours: str, theirs: str) -> str | None:
    """The tree; "" for a conflict; None where this git cannot tell. Raises GitFailed."""
    answer = repo.ask(*_MERGES, ours, theirs)
    if answer.status == _NO_SUCH_OPTION:
        return None
    tree = answer.out.split(b"\0")[0].decode("ascii", "replace")
    # a commit that is not here ends with 1 as well
    if answer.status not in (0, 1) or not is_oid(tree):
        raise GitFailed(("merge-tree",), answer.status, answer.words)
    return tree if answer.status == 0 else ""


def _changes(repo: Repo, old: str, new: str) -> tuple[Change, ...]:
    return tuple(part.change for part in diff.parse_diff(repo.git("diff-tree", *GIT_DIFF_ARGS, old, new)))


def _raw(repo: Repo, old: str, new: str) -> tuple[Change, ...]:
    return diff.parse_raw(repo.git("diff-tree", *GIT_RAW_ARGS, old, new))


@dataclass(frozen=True)
class Steps:
    """What single commits touch. `mechanical`: merges whose tree is the automatic merge of their parents."""

    touched: tuple[Touch, ...]
    mechanical: frozenset[str]


def read_steps(repo: Repo, commits: Sequence[Commit], trees: Mapping[str, str]) -> Steps:
    """`trees`: of the commits and their parents. A merge is held against the automatic merge of its parents; one that
    cannot be made here, against every parent: that can only show more.
    """
    mechanical: set[str] = set()
    pairs: dict[tuple[str, str], str] = {}
    merges = [commit for commit in commits if len(commit.parents) == 2][:_MOST_MERGES]
    made = {commit.oid: automatic_merge(repo, *commit.parents) for commit in merges}
    for commit in commits:
        tree = made.get(commit.oid)
        if tree == commit.tree:
            mechanical.add(commit.oid)
            continue
        olds = [tree] if tree else [trees[parent] for parent in commit.parents if parent in trees]
        for old in olds or [_EMPTY_TREE]:
            if old != commit.tree:
                pairs.setdefault((old, commit.tree), commit.oid)
    return Steps(tuple(_touches(repo, pairs)), frozenset(mechanical))


def _touches(repo: Repo, pairs: Mapping[tuple[str, str], str]) -> list[Touch]:
    if not pairs:
        return []
    asked = "".join(f"{old} {new}\n" for old, new in pairs).encode()
    found = diff.parse_stream(repo.git("diff-tree", "--stdin", *GIT_DIFF_ARGS, input=asked))
    return [
        Touch(one.path, pairs[old, new], one.old_mode, one.new_mode, one.new_blob)
        for old, new, parts in found
        for one in (part.change for part in parts)
    ]
