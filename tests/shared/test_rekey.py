"""Carrying agents' lines from commit to commit. Hunks are real git's; a line's text begins with who wrote it."""

import hashlib
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_git import run

from foureyes.shared.diff import GIT_PATCH_ARGS, FileDiff, parse_patch
from foureyes.shared.facts import Change
from foureyes.shared.record import Contributor
from foureyes.shared.rekey import Source, carry, is_alike, is_taken_over, is_whole, leave, source_gone

ZERO = "0" * 40
LONG = "and this is more text than two hands write by chance"


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def blob(content: bytes | None) -> str:
    return ZERO if content is None else hashlib.sha1(content).hexdigest()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("diff")


def make(folder, old: bytes | None, new: bytes | None, path: str = "f", binary: bool = False) -> FileDiff:
    """Git's own hunks between two contents."""
    for name, content in (("old", old), ("new", new)):
        (folder / name).write_bytes(content or b"")
    options = [option for option in GIT_PATCH_ARGS if option not in ("-r", "--no-relative")]
    out = run(["git", "diff", "--no-index", *options, "old", "new"], folder, ok=False).stdout
    hunks = () if binary else tuple(hunk for section in parse_patch(out) for hunk in section.hunks)
    status = "A" if old is None else "D" if new is None else "M"
    change = Change(path, status, "100644", "100644", blob(old), blob(new), binary=binary)
    return FileDiff(change, hunks)


@pytest.fixture
def diff(folder):
    return partial(make, folder)


def hand_of(line: bytes) -> str:
    return "ai" if line.startswith(b"ai") else "human"


def told(diff: FileDiff, *, known: bool = True) -> tuple[Contributor, ...]:
    """One part for each line, as its text says; `known` False: nobody knows."""
    found = []
    for hunk in diff.hunks:
        for side, start, lines in (
            ("removed", hunk.old_start, hunk.removed),
            ("added", hunk.new_start, hunk.added),
        ):
            for number, line in enumerate(lines, start):
                cls = hand_of(line) if known else "unknown"
                more = ("claude", "1", "opus", "s1", "agent-hook", "high") if cls == "ai" else ()
                found.append(Contributor(diff.change.path, side, number, 1, cls, *more))
    return tuple(found) or (
        Contributor(diff.change.path, "added", 0, 0, "ai" if known else "unknown", "claude" if known else ""),
    )


def ai_lines(parts: tuple[Contributor, ...], side: str = "added") -> list[int]:
    return [n for p in parts if (p.cls, p.side) == ("ai", side) for n in range(p.start, p.start + p.count)]


def carried(new: FileDiff, old: FileDiff, *, trusted: bool, blobs: dict[str, bytes] | None = None):
    return carry([new], told(new, known=False), Source((old,), told(old), trusted), blobs or {})


def test_lines_move_with_what_is_above_them_and_only_agents_are_carried(diff) -> None:
    source = diff(text("a", "b"), text("a", "ai 1", "human 2", "ai 3", "b"))
    new = diff(text("top", "a", "b"), text("top", "a", "ai 1", "human 2", "ai 3", "b"))
    parts = carried(new, source, trusted=True)
    assert ai_lines(parts) == [3, 5]
    assert {part.cls for part in parts} == {"ai", "unknown"}
    assert parts[0] == Contributor(
        "f", "added", 3, 1, "ai", "claude", "1", "opus", "s1", "agent-hook", "high"
    )


def test_a_rewritten_line_is_not_carried(diff) -> None:
    source = diff(text("a"), text("a", "ai 1", "ai 2", "ai 3"))
    new = diff(text("a"), text("a", "ai 1", "another 2", "ai 3"))
    assert ai_lines(carried(new, source, trusted=True)) == [2, 4]


def test_a_line_is_carried_once(diff) -> None:
    source = diff(text("a"), text("a", "ai same"))
    new = diff(text("a"), text("a", "ai same", "ai same"))
    assert len(ai_lines(carried(new, source, trusted=True))) == 1


def test_removed_lines_are_carried_from_a_trusted_source(diff) -> None:
    source = diff(text("a", "ai gone", "b"), text("a", "b"))
    new = diff(text("top", "a", "ai gone", "b"), text("top", "a", "b"))
    assert ai_lines(carried(new, source, trusted=True), "removed") == [3]


def test_what_is_known_to_be_an_agents_stays_so(diff) -> None:
    source = diff(text("a"), text("a", "ai 1"))
    codex = Contributor("f", "added", 2, 1, "ai", "codex")
    assert carry([source], (codex,), Source((source,), told(source), True), {}) == (codex,)


def test_a_person_who_committed_an_agents_lines_is_overruled(diff) -> None:
    source = diff(text("a"), text("a", "ai 1"))
    human = Contributor("f", "added", 2, 1, "human", evidence="journal", confidence="low")
    (part,) = carry([source], (human,), Source((source,), told(source), True), {})
    assert (part.cls, part.agent) == ("ai", "claude")


@pytest.mark.parametrize(
    ("line", "expected"), [("}", []), (f"ai {LONG}", [3])], ids=["a bracket", "a line of its own"]
)
def test_without_trust_only_what_is_beyond_chance_is_carried(diff, line: str, expected: list[int]) -> None:
    source = diff(text("a", "b"), text("a", "ai" if line == "}" else line, "b"))
    source = replace(source, hunks=diff(text("a", "b"), text("a", line, "b")).hunks)
    new = diff(text("other", "x"), text("other", "x", line))
    parts = carry(
        [new],
        told(new, known=False),
        Source((source,), (Contributor("f", "added", 2, 1, "ai", "claude"),), False),
        {},
    )
    assert ai_lines(parts) == expected
    assert {part.confidence for part in parts if part.cls == "ai"} <= {"low"}


def test_without_trust_a_short_line_needs_its_surroundings(diff) -> None:
    around = [f"line {n} {LONG}" for n in range(8)]
    contents = [text(*around[:4], *ai, *around[4:]) for ai in ((), ("}",))]
    source = diff(contents[0], contents[1])
    upstream = [text("top", *around[:4], *ai, *around[4:]) for ai in ((), ("}",))]
    elsewhere = [text(*around[:6], *ai, *around[6:]) for ai in ((), ("}",))]
    by = Source((source,), (Contributor("f", "added", 5, 1, "ai", "claude"),), False)
    for old, new, expected in ((*upstream, [6]), (*elsewhere, [])):
        made = diff(old, new)
        blobs = {blob(content): content for content in (*contents, old, new)}
        assert ai_lines(carry([made], told(made, known=False), by, blobs)) == expected
        assert ai_lines(carry([made], told(made, known=False), by, {})) == []


def test_the_very_same_change_is_the_same_however_short(diff) -> None:
    source = diff(text("a"), text("a", "ai"))
    assert ai_lines(carried(source, source, trusted=False)) == [2]


def test_without_trust_a_removed_line_needs_what_came_instead(diff) -> None:
    long = f"human {LONG}"
    by_agent = diff(text("a", long, "b"), text("a", "ai instead", "b"))
    parts = (
        Contributor("f", "removed", 2, 1, "ai", "claude"),
        Contributor("f", "added", 2, 1, "ai", "claude"),
    )
    by = Source((by_agent,), parts, False)
    same = diff(text("top", "a", long, "b"), text("top", "a", "ai instead", "b"))
    other = diff(text("top", "a", long, "b"), text("top", "a", "human instead", "b"))
    short = replace(by, diffs=(diff(text("a", "}", "b"), text("a", "b")),))
    assert ai_lines(carry([same], told(same, known=False), by, {}), "removed") == [3]
    assert ai_lines(carry([other], told(other, known=False), by, {}), "removed") == []
    new = diff(text("top", "a", "}", "b"), text("top", "a", "b"))
    assert ai_lines(carry([new], told(new, known=False), short, {}), "removed") == []


def test_a_renamed_file_is_found_by_its_content(diff) -> None:
    source = diff(None, text("ai 1", "ai 2"))
    new = diff(None, text("ai 1", "ai 2"), path="renamed")
    parts = carried(new, source, trusted=True)
    assert ai_lines(parts) == [1, 2]
    assert {part.path for part in parts} == {"renamed"}


def test_other_files_are_left_alone(diff) -> None:
    source = diff(text("a"), text("a", "ai 1"))
    new = diff(text("x"), text("x", "y"), path="g")
    assert carried(new, source, trusted=True) == told(new, known=False)
    person = diff(text("a"), text("a", "human 1"))
    assert carried(person, person, trusted=True) == told(person, known=False)


def test_entries_without_lines(diff) -> None:
    binary = diff(b"a", b"ai", path="logo", binary=True)
    other = diff(b"a", b"b", path="logo", binary=True)
    for new, trusted, cls in (
        (binary, True, "ai"),
        (binary, False, "ai"),
        (other, True, "ai"),
        (other, False, "unknown"),
    ):
        (part,) = carried(new, binary, trusted=trusted)
        assert (part.cls, part.path, part.start, part.count) == (cls, "logo", 0, 0)
    own = (Contributor("logo", "added", 0, 0, "ai", "codex"),)
    assert carry([binary], own, Source((binary,), told(binary), True), {}) == own


def test_whole_and_alike(diff) -> None:
    one = diff(text("a"), text("a", "1", "2"))
    both = diff(text("a"), text("a", "1", "2", "3"))
    three = diff(text("a"), text("a", "3"))
    assert is_whole([one], [[both]])
    assert not is_whole([both], [[one]])
    assert is_whole([both], [[one], [three]])
    assert not is_whole([diff(text("a"), text("a", "3", "3"))], [[three]])
    assert is_whole([], [])
    assert is_alike([one], [both])
    assert is_alike([both], [one])
    assert not is_alike([one], [])
    assert not is_alike([three], [both])
    assert not is_taken_over([both], [one])
    long = diff(text("a"), text("a", LONG, f"{LONG} again"))
    assert is_taken_over([diff(text("a"), text("a", LONG, f"{LONG} again", "more"))], [long])
    assert not is_taken_over([long], [one])
    empty = FileDiff(Change("e", "A", "000000", "100644", ZERO, "1" * 40), ())
    assert is_whole([empty], [[empty]])
    assert not is_whole([empty], [[replace(empty, change=replace(empty.change, new_blob="2" * 40))]])


LINES = st.lists(st.sampled_from(["ai a", "ai b", "human c", "human d", "}", ""]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(base=LINES, source=LINES, new=LINES, trusted=st.booleans())
def test_nothing_is_invented_doubled_or_lost(folder, base, source, new, trusted) -> None:
    old, made = make(folder, text(*base), text(*source)), make(folder, text(*base), text(*new))
    before = told(made, known=False)
    parts = carry([made], before, Source((old,), told(old), trusted), {})
    if not made.hunks:
        return

    def covered(found):
        return sorted((p.side, n) for p in found for n in range(p.start, p.start + p.count))

    assert covered(parts) == covered(before)
    theirs = [line for hunk in old.hunks for line in hunk.added if hand_of(line) == "ai"]
    ours = [new[n - 1].encode() for n in ai_lines(parts)]
    assert all(ours.count(line) <= theirs.count(line) for line in ours)


def test_of_a_source_that_is_gone_its_record_tells_where_the_contents_are_the_same(folder):
    new, old = text("ai 1", "human 1"), text("ai 2")
    was = [make(folder, None, new, "a"), make(folder, old, None, "b"), make(folder, old, text("ai 3"), "c")]
    files = [diff.change for diff in was]
    parts = [part for diff in was for part in told(diff)]
    now = [
        make(folder, None, new, "x/a"),
        make(folder, old, None, "x/b"),
        make(folder, old, text("ai 4"), "c"),
    ]
    own = tuple(part for diff in now for part in told(diff, known=False))
    found = carry(now, own, source_gone(now, files, parts), {})
    assert [(p.path, p.side, p.start, p.count) for p in found if p.cls == "ai"] == [
        ("x/a", "added", 1, 1),
        ("x/b", "removed", 1, 1),
    ]


def test_of_two_files_with_the_same_content_that_are_gone_the_one_of_the_same_name_tells(folder):
    new = text("ai 1", "human 1")
    was = [make(folder, None, new, "a"), make(folder, None, new, "b")]
    parts = [*told(was[0], known=False), *told(was[1])]
    own = tuple(told(was[1], known=False))
    found = carry(was[1:], own, source_gone(was[1:], [diff.change for diff in was], parts), {})
    assert [(p.start, p.count) for p in found if p.cls == "ai"] == [(1, 1)]


def ran(diff: FileDiff) -> tuple[Contributor, ...]:
    """All of a change is said to be of the agent that ran git."""
    return tuple(
        replace(part, cls="ai", agent="codex", evidence="journal", confidence="low")
        for part in told(diff, known=False)
    )


def test_whoever_amends_a_commit_has_not_written_what_was_in_it(diff) -> None:
    before = text("base 1", "human goes")
    was = diff(before, text("base 1", "human 1", "ai 1"))
    now = diff(before, text("base 1", "human 1", "ai 1", "new"))
    found = leave([now], ran(now), Source((was,), told(was), True))
    assert [(p.side, p.start, p.count, p.cls, p.agent) for p in found] == [
        ("removed", 2, 1, "unknown", ""),
        ("added", 2, 1, "unknown", ""),
        ("added", 3, 2, "ai", "codex"),
    ]
    other = diff(None, text("new"), path="g")
    hooked = tuple(replace(part, evidence="agent-hook") for part in ran(now))
    for parts in (hooked, told(now)):
        assert leave([now], parts, Source((was,), told(was), True)) == parts
    assert leave([other], ran(other), Source((was,), told(was), True)) == ran(other)


@pytest.mark.parametrize(
    ("blob", "cls", "expected"), [("2", "human", "unknown"), ("2", "ai", "ai"), ("3", "human", "ai")]
)
def test_whoever_amends_a_commit_has_not_made_its_binary_files(blob: str, cls: str, expected: str) -> None:
    was, now = (
        FileDiff(Change("logo", "A", "000000", "100644", ZERO, name * 40, binary=True), ())
        for name in ("2", blob)
    )
    own = Contributor("logo", "added", 0, 0, "ai", "codex", evidence="journal", confidence="low")
    source = Source((was,), (Contributor("logo", "added", 0, 0, cls),), True)
    (part,) = leave([now], [own], source)
    assert part.cls == expected
