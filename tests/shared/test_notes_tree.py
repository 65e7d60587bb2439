"""How git files notes: read a level at a time, and only where a wanted commit can be. Real trees: test_objects.py."""

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.notes_tree import find_notes, tree_entries

COMMITS = [random.Random(n).randbytes(20).hex() for n in range(40)]


class Trees:
    """`entries`: path -> (mode, id); a folder's id is its path, as 40 digits."""

    def __init__(self, entries: dict[str, tuple[bytes, str]]) -> None:
        self.raw: dict[str, dict[str, tuple[bytes, str]]] = {}
        self.asked = 0
        for path, (mode, oid) in entries.items():
            folder, _, name = path.rpartition("/")
            self.raw.setdefault(_id(folder), {})[name] = mode, oid
            while folder:
                above, _, name = folder.rpartition("/")
                self.raw.setdefault(_id(above), {})[name] = b"40000", _id(folder)
                folder = above

    def read(self, names: Iterable[str]) -> list[bytes | None]:
        asked = list(names)
        self.asked += len(asked)
        found = [self.raw.get(name) for name in asked]
        return [None if tree is None else b"".join(_line(n, *e) for n, e in tree.items()) for tree in found]


def _id(folder: str) -> str:
    return folder.replace("/", "").encode().hex().ljust(40, "0")


def _line(name: str, mode: bytes, oid: str) -> bytes:
    return mode + b" " + name.encode() + b"\0" + bytes.fromhex(oid)


def spread(commit: str, deep: int) -> str:
    return "/".join([*(commit[2 * n : 2 * n + 2] for n in range(deep)), commit[2 * deep :]])


@given(st.lists(st.tuples(st.sampled_from(COMMITS), st.integers(0, 4)), unique_by=lambda one: one[0]))
def test_each_is_found_however_deep_it_lies(filed: list[tuple[str, int]]) -> None:
    notes = {commit: _id(commit[:20]) for commit, _ in filed}
    trees = Trees({spread(commit, deep): (b"100644", notes[commit]) for commit, deep in filed})
    wanted = set(COMMITS[::2])
    assert find_notes(_id(""), wanted, trees.read) == {c: o for c, o in notes.items() if c in wanted}


def test_only_folders_that_hold_a_wanted_commit_are_read() -> None:
    trees = Trees({spread(commit, 2): (b"100644", _id("x")) for commit in COMMITS})
    assert find_notes(_id(""), COMMITS[:1], trees.read) == {COMMITS[0]: _id("x")}
    assert trees.asked == 3
    assert find_notes(_id(""), [], trees.read) == {}
    assert trees.asked == 3


def test_links_submodules_and_folders_are_no_notes_and_nonsense_is_none() -> None:
    odd = {
        COMMITS[0]: (b"160000", _id("s")),
        COMMITS[1]: (b"120000", _id("l")),
        f"{COMMITS[2]}/x": (b"100644", _id("x")),
    }
    assert find_notes(_id(""), COMMITS, Trees(odd).read) == {}
    assert find_notes(_id("none"), COMMITS, Trees({}).read) == {}
    assert list(tree_entries(b"\0nonsense", 40)) == list(tree_entries(b"100644 x\0short", 40)) == []
