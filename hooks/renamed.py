"""Files that a commit renamed: from which commits their lines came, as git's blame has it."""

import os
from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

from foureyes.hooks.blame_lines import read_blame
from foureyes.hooks.commits import Commit
from foureyes.hooks.repo import Repo
from foureyes.shared import paths
from foureyes.shared.diff import FileDiff
from foureyes.shared.errors import UserError
from foureyes.shared.renamed_lines import Origin, follow, renamed

MOST_BLAMED = 50
"""Files of one commit. Of more of them nothing is known, and their lines are nobody's."""

Origins: TypeAlias = dict[str, dict[int, Origin]]
"""Path -> line -> where it comes from."""
NOBODY = Origin("", "", 0)


def find_origins(repo: Repo, commit: Commit, diffs: Sequence[FileDiff], seen: Set[str]) -> Origins:
    """The lines of renamed files that come from commits in `seen`: those that our hooks saw, or that have a record."""
    moves = renamed(diffs) if len(commit.parents) == 1 else {}
    if not moves or not _touched(repo, commit.parents[0], set(moves.values())) & seen:
        return {}
    by_path = {diff.change.path: diff for diff in diffs}
    found: Origins = {}
    for at, (new, old) in enumerate(moves.items()):
        if at < MOST_BLAMED:
            origins = _blamed(repo, commit.parents[0], old, seen)
            found[new] = follow(by_path[new], by_path[old], origins)
        else:
            found[new] = dict.fromkeys(range(1, by_path[new].change.added + 1), NOBODY)
    return found


def _touched(repo: Repo, parent: str, names: Set[str]) -> set[str]:
    raw = sorted(paths.encode(name) for name in names)
    # A name with a line break cannot be asked for; then every commit may have touched it.
    named = (
        b""
        if any(b"\n" in name for name in raw)
        else b"--\n" + b"".join(b":(literal)%s\n" % name for name in raw)
    )
    answer = repo.ask("rev-list", "--stdin", input=parent.encode() + b"\n" + named)
    return set(answer.out.decode("ascii", "replace").split())


def _blamed(repo: Repo, parent: str, path: str, seen: Set[str]) -> Mapping[int, Origin]:
    try:
        lines = read_blame(repo, os.fsdecode(paths.encode(path)), parent, repo.work_tree or repo.git_dir)
    except UserError:
        return {}
    return {
        line.number: Origin(line.commit, line.path, line.number_then) for line in lines if line.commit in seen
    }
