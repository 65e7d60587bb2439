"""Which commits of a pushed branch have no record there yet."""

import hashlib
import os
from collections.abc import Iterable, Set
from typing import NamedTuple

from foureyes.hooks.journal import seen_commits
from foureyes.hooks.published import SEEN, published_commits
from foureyes.hooks.remote import Remote
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import kept_commits, tip_of
from foureyes.shared.record_ref import record_ref

_MOST_COMMITS = 1000
"""Of one push; the next one goes on with the rest."""
_MOST_LISTED = 50_000


class Branch(NamedTuple):
    """A branch of the remote, `refs/heads/...`, and the commit that it has, or is about to get."""

    ref: str
    tip: str


class Lacking(NamedTuple):
    """Oldest first. `left` is how many more there are that the hooks here saw: beyond what one push takes along."""

    commits: tuple[str, ...]
    left: int


def seen_ref(remote: Remote, ref: str) -> str:
    """Where this repository remembers a record ref of a remote."""
    return f"{SEEN}{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}/{ref.rpartition('/')[2]}"


def lacking(repo: Repo, remote: Remote, branch: Branch, *, again: bool) -> Lacking:
    """The branch's own commits that have no record on its record ref; `again`: all of them, those without one first.
    Of the default branch, whose commits are nobody else's, also those whose records an earlier push could not publish.
    """
    default, is_default = _default_branch(repo, remote, branch)
    others = (f"^{default}",) if default else ("--not", remote.tracked)
    commits = _listed(repo, branch.tip, *others)
    there = _recorded_there(repo, seen_ref(remote, record_ref(branch.ref)))
    if is_default:
        commits += _left_over(repo, branch.tip, commits, there, again=again)
    missing = [oid for oid in commits if oid not in there]
    wanted = missing + [oid for oid in commits if again and oid in there]
    left = 0
    if len(wanted) > _MOST_COMMITS:
        seen = seen_commits(repo, set(missing))
        left = max(0, len(seen) - _MOST_COMMITS)
        wanted = sorted(wanted, key=lambda oid: (oid not in seen, oid in there))[:_MOST_COMMITS]
    chosen = set(wanted)
    return Lacking(tuple(oid for oid in reversed(commits) if oid in chosen), left)


def _listed(repo: Repo, *asked: str) -> list[str]:
    """Newest first."""
    return repo.git("rev-list", f"--max-count={_MOST_LISTED}", *asked).decode("ascii").split()


def _left_over(repo: Repo, tip: str, new: Iterable[str], there: Set[str], *, again: bool) -> list[str]:
    """Older commits that the hooks here saw, or that a record is kept of, and that no record ref in sight has. `again`:
    and those that are on the branch's own.
    """
    older = repo.git("rev-list", f"--max-count={_MOST_COMMITS}", tip).decode("ascii").split()
    asked = set(older).difference(new)
    ours = (seen_commits(repo, asked) | kept_commits(repo)) & asked - there
    if ours:
        ours -= published_commits(repo)
    return [oid for oid in older if oid in ours or (again and oid in there and oid in asked)]


def _default_branch(repo: Repo, remote: Remote, branch: Branch) -> tuple[str, bool]:
    """The commit that the remote's default branch had, "" if it is not known; and whether it is this branch."""
    for name in ("HEAD", "main", "master"):
        ref = f"refs/remotes/{remote.name}/{name}"
        tip = tip_of(repo, ref)
        if tip:
            named = repo.ask("symbolic-ref", "-q", ref).out if name == "HEAD" else b""
            known = os.fsdecode(named).strip() or ref
            return tip, branch.ref == known.replace(f"refs/remotes/{remote.name}/", "refs/heads/", 1)
    return "", False


def _recorded_there(repo: Repo, ref: str) -> set[str]:
    listed = repo.ask("ls-tree", "-z", "--name-only", f"{ref}:records")
    return set(listed.out.decode("ascii", "replace").split("\0"))
