"""A merge owns what differs from every parent, and nothing else."""

from foureyes.shared.diff import FileDiff, Hunk
from foureyes.shared.facts import Change
from foureyes.shared.merged_lines import keep_own
from foureyes.shared.record import Contributor


def diff(*hunks: Hunk, path: str = "f") -> FileDiff:
    return FileDiff(Change(path, "M", "100644", "100644", "1" * 40, "2" * 40), hunks)


def ai(side: str, start: int, count: int, path: str = "f") -> Contributor:
    return Contributor(
        path, side, start, count, "ai", "claude-code", evidence="agent-hook", confidence="high"
    )


def lines(parts) -> list[tuple[str, int, int, str]]:
    return [(part.side, part.start, part.count, part.cls) for part in parts]


def test_only_lines_that_are_new_to_all_parents_are_its_own() -> None:
    first = diff(Hunk(4, 2, 4, 4, (b"base", b"base 2"), (b"side 1", b"own 1", b"own 2", b"side 2")))
    side = diff(Hunk(4, 1, 5, 2, (b"base",), (b"own 1", b"own 2")))
    parts = keep_own((ai("removed", 4, 2), ai("added", 4, 4)), [first], [[side]])
    assert lines(parts) == [
        ("removed", 4, 1, "ai"),
        ("removed", 5, 1, "unknown"),
        ("added", 4, 1, "unknown"),
        ("added", 5, 2, "ai"),
        ("added", 7, 1, "unknown"),
    ]
    assert parts[3].agent == "claude-code"
    assert parts[2].agent == ""


def test_a_file_that_came_with_one_side_is_nobodys() -> None:
    first = diff(Hunk(0, 0, 1, 2, (), (b"a", b"b")))
    assert lines(keep_own((ai("added", 1, 2),), [first], [[]])) == [("added", 1, 2, "unknown")]


def test_every_further_parent_counts() -> None:
    first = diff(Hunk(0, 0, 1, 2, (), (b"a", b"b")))
    one, two = diff(Hunk(0, 0, 1, 1, (), (b"a",))), diff(Hunk(0, 0, 1, 2, (), (b"a", b"b")))
    parts = keep_own((ai("added", 1, 2),), [first], [[one], [two]])
    assert lines(parts) == [("added", 1, 1, "ai"), ("added", 2, 1, "unknown")]


def test_an_entry_without_lines_is_its_own_if_it_differs_from_all() -> None:
    entry = ai("added", 0, 0)
    assert keep_own((entry,), [diff()], [[diff()]]) == (entry,)
    assert lines(keep_own((entry,), [diff()], [[]])) == [("added", 0, 0, "unknown")]


def whole(path: str, status: str, *lines: bytes, blob: str = "3") -> FileDiff:
    """A file that came or went as a whole."""
    old, new = ("0", blob) if status == "A" else (blob, "0")
    hunk = Hunk(0, 0, 1, len(lines), (), lines) if status == "A" else Hunk(1, len(lines), 0, 0, lines, ())
    return FileDiff(Change(path, status, "000000", "100644", old * 40, new * 40), (hunk,))


def test_what_a_subtree_merge_puts_into_a_folder_is_as_it_was_in_the_parent() -> None:
    came = whole("lib/f", "A", b"a", b"b")
    parts = (ai("added", 1, 2, "lib/f"),)
    gone = whole("f", "D", b"a", b"b")
    assert lines(keep_own(parts, [came], [[gone, came]])) == [("added", 1, 2, "unknown")]
    replaced = FileDiff(Change("f", "M", "100644", "100644", "3" * 40, "5" * 40), ())
    assert lines(keep_own(parts, [came], [[replaced, came]])) == [("added", 1, 2, "unknown")]
    changed = whole("lib/f", "A", b"a", b"own", b"b", blob="4")
    parts = (ai("added", 1, 3, "lib/f"),)
    assert lines(keep_own(parts, [changed], [[gone, changed]])) == [
        ("added", 1, 1, "unknown"),
        ("added", 2, 1, "ai"),
        ("added", 3, 1, "unknown"),
    ]


def test_a_later_subtree_merge_owns_what_it_changed_on_both_sides() -> None:
    first = FileDiff(
        Change("lib/f", "M", "100644", "100644", "1" * 40, "4" * 40),
        (Hunk(2, 2, 2, 2, (b"old", b"theirs gone"), (b"theirs", b"own")),),
    )
    against = [
        whole("f", "D", b"a", b"old", b"theirs"),
        whole("lib/f", "A", b"a", b"theirs", b"own", blob="4"),
    ]
    parts = (ai("removed", 2, 2, "lib/f"), ai("added", 2, 2, "lib/f"))
    assert lines(keep_own(parts, [first], [against])) == [
        ("removed", 2, 1, "ai"),
        ("removed", 3, 1, "unknown"),
        ("added", 2, 1, "unknown"),
        ("added", 3, 1, "ai"),
    ]
