"""What a tool that may change anything put into the index and did not leave in the work tree: `git rm --cached`, or a
change that it staged and took back. Whoever commits the index commits that.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from foureyes.hooks import snapshot
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.hooks.tool_events import Pending, Ref, Touched
from foureyes.shared import paths


class _Entry(NamedTuple):
    """What a commit has of a path, and what the index has."""

    committed: Ref
    staged: Ref


def staged(repo: Repo, commit: str) -> dict[str, Ref]:
    """Path -> what the index has of it, where that is not what a commit has; nothing for "", no commit."""
    return {paths.decode(name): entry.staged for name, entry in _entries(repo, commit).items()}


def only_staged(repo: Repo, before: Pending, evidence: Evidence) -> Iterator[Touched]:
    """With what the work tree had before: what was only moved from there into the index is nobody's work."""
    then = dict(before.staged)
    changed = {
        name: entry
        for name, entry in _entries(repo, before.head).items()
        if entry.staged != then.get(paths.decode(name), entry.committed)
    }
    head = snapshot.head_of(repo) if changed else before.head
    if head != before.head:
        pending = _entries(repo, head).keys()
        changed = {name: entry for name, entry in changed.items() if name in pending}
    apart = _apart(repo) if changed else set()
    root = snapshot.root_of(repo)
    for name, entry in sorted(changed.items()):
        path = paths.decode(name)
        untracked = entry.staged is None and snapshot.content_at(root, name, evidence, keep=False) is not None
        if name in apart or untracked:
            yield Touched(path, before.contents.get(path, entry.committed), entry.staged)


def _apart(repo: Repo) -> set[bytes]:
    """Paths that the work tree has otherwise than the index, as git compares them."""
    return {name for _, name in snapshot.raw_diff(repo)}


def _entries(repo: Repo, commit: str) -> Mapping[bytes, _Entry]:
    found = {}
    for (_, mode, old, new, status), name in snapshot.raw_diff(repo, "--cached", commit) if commit else ():
        # What is in conflict, and a submodule, have no content here.
        if status != "U" and mode != "160000":
            found[name] = _Entry(*(f"g:{oid}" if oid.strip("0") else None for oid in (old, new)))
    return found
