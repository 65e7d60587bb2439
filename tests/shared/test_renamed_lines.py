"""Which file became which, and whose its lines stay."""

from foureyes.shared.diff import FileDiff, Hunk
from foureyes.shared.facts import Change
from foureyes.shared.record import Contributor
from foureyes.shared.renamed_lines import Origin, added_lines, follow, relabel, renamed

ZERO = "0" * 40


def came(path: str, *lines: str, blob: str = "1" * 40) -> FileDiff:
    hunks = (Hunk(0, 0, 1, len(lines), (), tuple(line.encode() for line in lines)),) if lines else ()
    return FileDiff(Change(path, "A", "000000", "100644", ZERO, blob, len(lines), 0), hunks)


def went(path: str, *lines: str, blob: str = "2" * 40) -> FileDiff:
    hunks = (Hunk(1, len(lines), 0, 0, tuple(line.encode() for line in lines), ()),) if lines else ()
    return FileDiff(Change(path, "D", "100644", "000000", blob, ZERO, 0, len(lines)), hunks)


def test_p21_a_file_that_came_is_the_most_alike_of_those_that_went():
    gone = [went("a", *"abcd"), went("b", *"abcx", blob="3" * 40)]
    assert renamed([*gone, came("new", *"abxy")]) == {"new": "b"}
    assert renamed([*gone, came("new", *"abcd")]) == {"new": "a"}
    assert renamed([*gone, came("new", *"anop")]) == {}
    assert renamed([*gone, came("one", *"abcd"), came("two", *"abcdefg")]) == {"one": "a", "two": "a"}


def test_p21_equal_content_is_the_same_file_however_many_went():
    gone = [went(f"f{n}", "x", blob=f"{n:040}") for n in range(100)]
    assert renamed([*gone, came("new", "x", blob=f"{90:040}")]) == {"new": "f90"}


def test_nothing_becomes_of_nothing():
    assert renamed([came("new", "x")]) == {}
    assert renamed([went("old", "x"), came("empty")]) == {}
    assert renamed([went("empty"), came("new", "x")]) == {}


def test_p21_lines_keep_their_origin_in_order():
    origins = {1: Origin("c", "f", 7), 2: Origin("c", "f", 9), 4: Origin("d", "f", 1)}
    found = follow(came("new", *"xabdb"), went("old", *"abcd"), origins)
    assert found == {2: origins[1], 3: origins[2], 4: origins[4]}


def test_p21_only_lines_that_are_no_agents_take_what_is_told():
    mine = Contributor("new", "added", 1, 4, "human", evidence="journal", confidence="low")
    theirs = Contributor(
        "old", "added", 7, 2, "ai", "codex", session="s", evidence="agent-hook", confidence="high"
    )
    assert added_lines([theirs, Contributor("old", "removed", 1, 1, "human")]) == {
        ("old", 7): theirs,
        ("old", 8): theirs,
    }
    told = {("new", 2): theirs, ("new", 3): theirs, ("other", 1): theirs}
    assert [(p.path, p.start, p.count, p.cls, p.agent) for p in relabel([mine], told)] == [
        ("new", 1, 1, "human", ""),
        ("new", 2, 2, "ai", "codex"),
        ("new", 4, 1, "human", ""),
    ]
    own = Contributor("new", "added", 1, 4, "ai", "claude-code")
    removed = Contributor("new", "removed", 1, 4, "human")
    entry = Contributor("new", "added", 0, 0, "human")
    assert relabel([own, removed, entry], told) == (own, removed, entry)
