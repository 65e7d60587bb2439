"""How git files notes about commits: a tree whose paths, without their slashes, are the commits' ids."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

ReadTrees = Callable[[Iterable[str]], Iterable[bytes | None]]
"""The raw tree behind each name, None where there is none."""


def find_notes(root: str, commits: Collection[str], read: ReadTrees) -> dict[str, str]:
    """Commit -> blob of its note, of those that have one below the tree `root`. git spreads many notes over folders,
    aa/bbcc...: only those are read that hold any of these commits, a level at a time.
    """
    found: dict[str, str] = {}
    level = {"": root} if commits else {}
    digits = len(next(iter(commits), ""))
    while level:
        deeper: dict[str, str] = {}
        for place, raw in zip(level, read(level.values()), strict=True):
            for is_tree, name, oid in tree_entries(raw or b"", digits):
                (deeper if is_tree else found)[place + name] = oid
        begun = {commit[:length] for length in set(map(len, deeper)) for commit in commits}
        level = {place: oid for place, oid in deeper.items() if place in begun and len(place) < digits}
    return {commit: blob for commit, blob in found.items() if commit in commits}


def tree_entries(raw: bytes, digits: int) -> Iterator[tuple[bool, str, str]]:
    """(is a tree, name, id of `digits`) of a tree as git stores it: mode, name, NUL, the id's bytes. Files and trees
    alone.
    """
    for mode, name, oid in re.findall(rb"([0-7]+) ([^\0]+)\0(.{%d})" % (digits // 2), raw, re.DOTALL):
        if mode in (b"40000", b"100644", b"100755"):
            yield mode == b"40000", name.decode("utf-8", "replace"), oid.hex()
