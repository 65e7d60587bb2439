"""Who wrote and who removed each line. Hunks are real git's; what must come out is known by construction."""

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support_git import run

from foureyes.shared.attribution import Committing, Edit, attribute, is_doubtful, wanted
from foureyes.shared.diff import GIT_PATCH_ARGS, FileDiff, Hunk, parse_patch
from foureyes.shared.facts import Change
from foureyes.shared.line_trace import Hand, split
from foureyes.shared.stored_form import as_stored

CLAUDE = Hand("claude-code", "2.1", "opus", "s1", "agent-hook")
CODEX = Hand("codex", "", "gpt", "s2", "shell-snapshot")
SHELL = Hand("claude-code", evidence="journal")
HUMAN = Committing(witnessed=True)
BY_AGENT = Committing(agent=SHELL)
NOBODY = Committing()
ZERO, SOME = "0" * 40, "1" * 40
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.fixture
def diff(tmp_path):
    """Git's hunks between two contents, as the change of a path."""

    def make(path: str, old: bytes | None, new: bytes | None, binary: bool = False) -> FileDiff:
        names = []
        for name, content in (("old", old), ("new", new)):
            (tmp_path / name).write_bytes(content or b"")
            names.append(name)
        options = [option for option in GIT_PATCH_ARGS if option not in ("-r", "--no-relative")]
        patch = run(["git", "diff", "--no-index", *options, *names], tmp_path, ok=False).stdout
        hunks = tuple(hunk for section in parse_patch(patch) for hunk in section.hunks)
        status = "A" if old is None else "D" if new is None else "M"
        added = sum(hunk.new_count for hunk in hunks)
        deleted = sum(hunk.old_count for hunk in hunks)
        blobs = (ZERO if old is None else SOME, ZERO if new is None else SOME)
        return FileDiff(Change(path, status, "100644", "100644", *blobs, added, deleted, binary), hunks)

    return make


def hands(contributors, path="f"):
    """Per side: line number -> (class, agent). Fails on a line that comes twice."""
    found = {"added": {}, "removed": {}}
    for c in contributors:
        if c.path != path:
            continue
        for line in range(c.start, c.start + c.count):
            assert line not in found[c.side], "a line came twice"
            found[c.side][line] = (c.cls, c.agent)
    return found


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


AI, AI2, PERSON, DARK = ("ai", "claude-code"), ("ai", "codex"), ("human", ""), ("unknown", "")


def judge(diff, old, new, edits, committing=HUMAN):
    return hands(attribute((diff("f", old, new),), edits, {"f": (old, new)}, committing))


def test_p1_lines_appended_to_a_human_file(diff):
    old, new = text("a", "b"), text("a", "b", "c", "d")
    assert judge(diff, old, new, [Edit("f", old, new, CLAUDE)]) == {"added": {3: AI, 4: AI}, "removed": {}}


def test_p2_interleaved(diff):
    v0 = text("a", "b", "c", "d")
    v1 = text("a", "ai 1", "b", "c", "d")
    v2 = text("a", "ai 1", "me 1", "b", "me 2", "c", "d")
    v3 = text("a", "ai 1", "me 1", "ai 2", "b", "me 2", "c", "ai 3", "d")
    v4 = text("a", "ai 1", "me 1", "ai 2", "b", "me 2", "c", "ai 3", "d", "me 3")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", v2, v3, CODEX)]
    expected = {2: AI, 3: PERSON, 4: AI2, 6: PERSON, 8: AI2, 10: PERSON}
    assert judge(diff, v0, v4, edits) == {"added": expected, "removed": {}}


def test_p3_a_human_rewrites_one_of_the_agents_lines(diff):
    v0, v1, v2 = text("a"), text("a", "x", "y", "z"), text("a", "x", "Y!", "z")
    assert judge(diff, v0, v2, [Edit("f", v0, v1, CLAUDE)]) == {
        "added": {2: AI, 3: PERSON, 4: AI},
        "removed": {},
    }


def test_p4_an_agent_reformats_human_lines(diff):
    v0, v1 = text("if x:", "  a", "  b", "c"), text("if x:", "    a", "    b", "c")
    found = judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)])
    assert found == {"added": {2: AI, 3: AI}, "removed": {2: AI, 3: AI}}


def test_p5_blank_lines(diff):
    v0, v1 = text("a", "b"), text("a", "", "b", "", "")
    assert judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)])["added"] == {2: AI, 4: AI, 5: AI}


def test_p6_an_agent_that_only_reads(diff):
    v0, v1 = text("a"), text("a", "b")
    found = judge(diff, v0, v1, [Edit("f", v0, v0, CLAUDE), Edit("f", v1, v1, CLAUDE)])
    assert found == {"added": {2: PERSON}, "removed": {}}


def test_p7_partial_staging_of_files_and_of_lines(diff):
    """Commit 1 holds file a and half of file b; commit 2 the rest of b."""
    a, b0, b1, b2 = text("1"), text("x"), text("x", "one"), text("x", "one", "two")
    edits = [Edit("a", None, a, CLAUDE), Edit("b", b0, b2, CLAUDE)]
    first = (diff("a", None, a), diff("b", b0, b1))
    found = attribute(first, edits, {"b": (b0, b1)}, HUMAN)
    assert hands(found, "a")["added"] == {1: AI}
    assert hands(found, "b") == {"added": {2: AI}, "removed": {}}
    found = attribute((diff("b", b1, b2),), edits, {"b": (b1, b2)}, HUMAN)
    assert hands(found, "b") == {"added": {3: AI}, "removed": {}}
    assert hands(found, "a") == {"added": {}, "removed": {}}


def test_p8_a_human_commit_after_the_agents(diff):
    """The old edits are still there and must not come back, also where a human had touched the file in between."""
    v0, v1, v2 = text("a"), text("a", "ai"), text("a", "ai", "me")
    assert judge(diff, v1, v2, [Edit("f", v0, v1, CLAUDE)]) == {"added": {3: PERSON}, "removed": {}}
    v1_formatted, v3 = text("A", "ai"), text("A", "ai", "me")
    assert judge(diff, v1_formatted, v3, [Edit("f", v0, v1, CLAUDE)]) == {"added": {3: PERSON}, "removed": {}}


def test_what_the_agent_did_after_the_commit_is_for_a_later_one(diff):
    v0, v1, v2 = text("a"), text("a", "one"), text("a", "ONE", "two")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", v1, v2, CODEX)]
    assert judge(diff, v0, v1, edits) == {"added": {2: AI}, "removed": {}}
    assert judge(diff, v1, v2, edits) == {"added": {2: AI2, 3: AI2}, "removed": {2: AI2}}
    human = text("a", "me")
    assert judge(diff, v0, human, [Edit("f", human, text("a", "me", "x"), CLAUDE)])["added"] == {2: PERSON}


def test_p27_deletions_are_the_agents(diff):
    old = text(*(f"line {n}" for n in range(300)))
    assert judge(diff, old, None, [Edit("f", old, None, CLAUDE)])["removed"] == dict.fromkeys(
        range(1, 301), AI
    )
    v1 = text(*(f"line {n}" for n in range(300) if n % 3))
    found = judge(diff, old, v1, [Edit("f", old, v1, CLAUDE)])
    assert found["removed"] == {n + 1: AI for n in range(0, 300, 3)}


def test_of_equal_lines_only_as_many_as_were_removed(diff):
    """The agent removes one brace of many, a human another: one each, whichever git names."""
    v0 = text("}", "a", "}", "b", "}", "c", "}")
    v1 = text("}", "a", "b", "}", "c", "}")
    v2 = text("a", "b", "}", "c", "}")
    found = judge(diff, v0, v2, [Edit("f", v0, v1, CLAUDE)])
    assert sorted(found["removed"].values()) == [AI, PERSON]


def test_git_may_align_equal_lines_otherwise(diff):
    """A block added before an equal end: git slides the hunk, the agent's lines stay its own."""
    v0 = text("def a():", "    return", "", "def b():", "    return", "")
    v1 = text("def a():", "    return", "", "def c():", "    return", "", "def b():", "    return", "")
    for committed in (v1, v1 + text("# me")):
        found = judge(diff, v0, committed, [Edit("f", v0, v1, CLAUDE)])
        assert sorted(found["added"].values()).count(AI) == 3
        assert sorted(found["added"].values()).count(PERSON) == committed.count(b"# me")


def test_lines_moved_about_by_one_hand_are_that_hands(diff):
    """Whichever half of a swap git shows as moved."""
    one, two = [f"one {n}" for n in range(5)], [f"two {n}" for n in range(5)]
    v0, v1 = text("start", *one, *two, "end"), text("start", *two, *one, "end")
    found = judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)])
    assert set(found["added"].values()) == set(found["removed"].values()) == {AI}
    found = judge(diff, v0, v1, [])
    assert set(found["added"].values()) == set(found["removed"].values()) == {PERSON}


def _with_hunks(*hunks: Hunk) -> FileDiff:
    added, deleted = sum(h.new_count for h in hunks), sum(h.old_count for h in hunks)
    return FileDiff(Change("f", "M", "100644", "100644", SOME, "2" * 40, added, deleted), hunks)


def test_both_ways_to_show_a_swap_are_the_hands_that_made_it():
    """Git may show the one half as moved or the other, and then no equal line tells whose it is."""
    v0, v1 = text("A", "b"), text("b", "A")
    moved_down = _with_hunks(Hunk(1, 1, 0, 0, (b"A",), ()), Hunk(2, 0, 2, 1, (), (b"A",)))
    moved_up = _with_hunks(Hunk(0, 0, 1, 1, (), (b"b",)), Hunk(2, 1, 2, 0, (b"b",), ()))
    for shown in (moved_down, moved_up):
        for edits, who in (([Edit("f", v0, v1, CLAUDE)], AI), ([], PERSON)):
            found = hands(attribute((shown,), edits, {"f": (v0, v1)}, HUMAN))
            assert [*found["added"].values(), *found["removed"].values()] == [who, who]


def test_one_moved_line_does_not_stand_for_many():
    """Changed line ends of a human's beside a line that an agent moved: nobody is named rather than the wrong one."""
    v0 = text("A", "b", "c")
    v1 = text("b", "c", "A")
    all_of_it = _with_hunks(Hunk(1, 3, 1, 3, (b"A", b"b", b"c"), (b"b", b"c", b"A")))
    found = hands(attribute((all_of_it,), [Edit("f", v0, v1, CLAUDE)], {"f": (v0, v1)}, HUMAN))
    assert found == {"added": {1: PERSON, 2: PERSON, 3: AI}, "removed": {1: AI, 2: PERSON, 3: PERSON}}


def test_line_ends_of_some_lines_are_not_the_agents_that_put_another_back(diff):
    v0 = text("a", "b", "c", "q", "z")
    v1, v2 = text("a", "b", "c", "z", "n"), text("a", "b", "c", "q", "z", "n")
    committed = b"a\r\nb\r\nc\r\nq\nz\nn\n"
    found = judge(diff, v0, committed, [Edit("f", v0, v1, CODEX), Edit("f", v1, v2, CODEX)])
    assert found["added"] == {1: PERSON, 2: PERSON, 3: PERSON, 6: AI2}
    assert found["removed"] == {1: PERSON, 2: PERSON, 3: PERSON}


def test_an_equal_line_tells_whose_it_is_where_two_agents_could_be():
    v0 = text("a", "}", "q", "z")
    v1, v2 = text("a", "}", "z", "n"), text("a", "}", "q", "z", "n")
    v3 = text("a", "}", "x", "}", "q", "z", "n")
    edits = [Edit("f", v0, v1, CODEX), Edit("f", v1, v2, CODEX), Edit("f", v2, v3, CLAUDE)]
    shown = _with_hunks(Hunk(1, 0, 2, 2, (), (b"}", b"x")), Hunk(4, 0, 7, 1, (), (b"n",)))
    found = hands(attribute((shown,), edits, {"f": (v0, v3)}, HUMAN))
    assert found["added"] == {2: AI, 3: AI, 7: AI2}


def test_both_ways_to_slide_a_block_are_the_agents():
    """`x }` was added after a `}`: git may name its own brace or the one before."""
    v0, v1 = text("a", "}", "z"), text("a", "}", "x", "}", "z")
    after = _with_hunks(Hunk(2, 0, 3, 2, (), (b"x", b"}")))
    before = _with_hunks(Hunk(1, 0, 2, 2, (), (b"}", b"x")))
    for shown, lines in ((after, (3, 4)), (before, (2, 3))):
        found = hands(attribute((shown,), [Edit("f", v0, v1, CLAUDE)], {"f": (v0, v1)}, HUMAN))
        assert found["added"] == dict.fromkeys(lines, AI)
        # The same block, with a line of a human's own beside it.
    v2 = text("a", "}", "x", "}", "z", "me")
    before = _with_hunks(Hunk(1, 0, 2, 2, (), (b"}", b"x")), Hunk(3, 0, 6, 1, (), (b"me",)))
    edits = [Edit("f", v0, v1, CLAUDE)]
    found = hands(attribute((before,), edits, {"f": (v0, v2)}, HUMAN))
    assert found["added"] == {2: AI, 3: AI, 6: PERSON}
    # And one taken away: git names the brace before, the agent took the one after.
    gone = _with_hunks(Hunk(2, 2, 1, 0, (b"}", b"x"), ()))
    found = hands(attribute((gone,), [Edit("f", v1, v0, CODEX)], {"f": (v1, v0)}, HUMAN))
    assert found["removed"] == {2: AI2, 3: AI2}


def test_reading_and_later_work_are_no_work_on_this_commit(diff):
    """So what an agent commits counts as its own, as in any file that it was not seen to edit."""
    v0, v1, v2 = text("a"), text("a", "b"), text("a", "c")
    for edits in ([], [Edit("f", v1, v1, CODEX)], [Edit("f", v1, v2, CODEX)]):
        assert judge(diff, v0, v1, edits, BY_AGENT)["added"] == {2: AI}


def test_work_after_a_commit_does_not_reach_back_over_a_humans(diff):
    v0, v1, human, v2 = text("a"), text("a", "one"), text("a", "one", "me"), text("a", "ONE", "me")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", human, v2, CODEX)]
    assert judge(diff, v0, v1, edits) == {"added": {2: AI}, "removed": {}}
    assert judge(diff, v0, human, edits[:1])["added"] == {2: AI, 3: PERSON}


def test_what_was_changed_and_changed_back_is_nobodys(diff):
    v0, v1, v2 = text("a", "b"), text("a", "B"), text("a", "b", "c")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", v1, v0, CLAUDE)]
    assert judge(diff, v0, v2, edits) == {"added": {3: PERSON}, "removed": {}}


def test_who_committed_decides_about_lines_that_nobody_saw_written(diff):
    v0, v1, v2 = text("a"), text("a", "b"), text("a", "b", "c")
    seen, unseen = [Edit("f", v0, v1, CLAUDE)], []
    assert judge(diff, v0, v2, unseen, HUMAN)["added"] == {2: PERSON, 3: PERSON}
    assert judge(diff, v0, v2, unseen, NOBODY)["added"] == {2: DARK, 3: DARK}
    assert judge(diff, v0, v2, unseen, BY_AGENT)["added"] == {2: AI, 3: AI}
    assert judge(diff, v0, v2, seen, HUMAN)["added"] == {2: AI, 3: PERSON}
    assert judge(diff, v0, v2, seen, NOBODY)["added"] == {2: AI, 3: DARK}
    assert judge(diff, v0, v2, seen, BY_AGENT)["added"] == {2: AI, 3: DARK}


def test_confidence_says_how_it_is_known(diff):
    v0, v1, v2 = text("a"), text("a", "b"), text("a", "b", "c")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", v1, v2, CODEX)]
    seen = attribute((diff("f", v0, v2),), edits, {"f": (v0, v2)}, HUMAN)
    assert [(c.evidence, c.confidence, c.model, c.session) for c in seen] == [
        ("agent-hook", "high", "opus", "s1"),
        ("shell-snapshot", "medium", "gpt", "s2"),
    ]
    for committing, expected in (
        (BY_AGENT, ("ai", "journal", "low")),
        (HUMAN, ("human", "journal", "low")),
        (NOBODY, ("unknown", "", "")),
    ):
        [one] = attribute((diff("f", v0, v1),), [], {}, committing)
        assert (one.cls, one.evidence, one.confidence) == expected


def test_p21_a_file_moved_by_others_takes_its_lines_along(diff):
    lines = [f"line {n}" for n in range(20)]
    made, edited = text(*lines), text(*lines[:10], "me", *lines[10:])
    # Written by the agent and renamed before the commit that adds it.
    found = attribute((diff("new", None, edited),), [Edit("old", None, made, CLAUDE)], {}, HUMAN)
    expected = {n: AI for n in range(1, 22)} | {11: PERSON}
    assert hands(found, "new")["added"] == expected
    # Edited by the agent and renamed in the same commit, to a name that comes before the old one and to one after it.
    v0, v1 = text(*lines), text(*lines, "ai")
    for new in ("new", "really new"):
        changes = sorted((diff(new, None, v1), diff("old", v0, None)), key=lambda one: one.change.path)
        found = attribute(changes, [Edit("old", v0, v1, CLAUDE)], {}, HUMAN)
        assert hands(found, new)["added"] == {n: PERSON for n in range(1, 21)} | {21: AI}
        assert hands(found, "old")["removed"] == dict.fromkeys(range(1, 21), PERSON)
    # Another new file has nothing to do with it.
    found = attribute(
        (diff("new", None, text("q", "r", "line 1")),), [Edit("old", None, made, CLAUDE)], {}, HUMAN
    )
    assert set(hands(found, "new")["added"].values()) == {PERSON}


def test_a_move_by_the_agent_is_a_removal_and_an_addition_of_its_own(diff):
    v0 = text("a", "b")
    edits = [Edit("old", v0, None, CLAUDE), Edit("new", None, v0, CLAUDE)]
    found = attribute((diff("new", None, v0), diff("old", v0, None)), edits, {}, HUMAN)
    assert hands(found, "new")["added"] == {1: AI, 2: AI}
    assert hands(found, "old")["removed"] == {1: AI, 2: AI}


def test_an_agents_line_in_another_layout_is_nobodys(diff):
    """A person's formatter ran over it, or the person did."""
    v0, v1, v2 = text("a"), text("a", "\tone = 1", "two"), text("a", "    one  =  1", "2")
    found = judge(diff, v0, v2, [Edit("f", v0, v1, CLAUDE)])
    assert found["added"] == {2: DARK, 3: PERSON}


def test_a_file_that_an_agent_had_deleted_and_somebody_brought_back_is_as_any_other(diff):
    v0, v1 = text("a line", "another line"), text("a line", "mine")
    gone = [Edit("f", v0, None, CLAUDE, earlier=True)]
    assert judge(diff, v0, v1, gone) == {"added": {2: PERSON}, "removed": {2: PERSON}}
    assert judge(diff, v0, v1, [replace(gone[0], earlier=False)])["removed"] == {2: AI}
    # Nobody has, where the commit before was of other files alone.
    assert judge(diff, v0, None, gone)["removed"] == {1: AI, 2: AI}


def test_p22_line_ends_and_final_newlines(diff):
    """CRLF in the working tree and LF in the repository: git's conversion is nobody's edit."""
    v0, v1 = b"a\nb\n", b"a\nb\nc\n"
    edits = [Edit("f", b"a\r\nb\r\n", b"a\r\nb\r\nc\r\n", CLAUDE)]
    assert judge(diff, v0, v1, edits) == {"added": {3: AI}, "removed": {}}
    v0, v1 = b"a\nb", b"a\nb\nc"
    assert judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)]) == {"added": {2: AI, 3: AI}, "removed": {2: AI}}
    assert judge(diff, None, v1, [Edit("f", None, v1, CLAUDE)])["added"] == dict.fromkeys((1, 2, 3), AI)
    v0, v1 = b"a\r\nb\r\n", b"a\nb\n"
    assert judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)])["added"] == {1: AI, 2: AI}
    edits = [Edit("f", v0 + b"x\n", v0 + b"y\n", CLAUDE)]
    assert judge(diff, v0, v1, edits)["added"] == {1: PERSON, 2: PERSON}


def test_entries_without_lines(diff):
    """Binary, empty and mode alone: one mark for the entry as such."""
    cases = [
        (None, b"\0\1\n", True, [Edit("f", None, b"\0\1\n", CLAUDE)], ("added", "ai")),
        (b"\0\1\n", b"\0\2\n", True, [Edit("f", b"\0\1\n", b"\0\2\n", CLAUDE)], ("added", "ai")),
        (b"\0\1\n", None, True, [Edit("f", b"\0\1\n", None, CLAUDE)], ("removed", "ai")),
        (b"\0\1\n", b"\0\2\n", True, [Edit("f", b"\0\1\n", b"\0\3\n", CLAUDE)], ("added", "human")),
        (None, b"", False, [Edit("f", None, b"", CLAUDE)], ("added", "ai")),
        (b"", None, False, [Edit("f", b"", None, CLAUDE)], ("removed", "ai")),
        (None, b"", False, [], ("added", "human")),
        (b"same\n", b"same\n", False, [], ("added", "human")),
    ]
    for old, new, binary, edits, expected in cases:
        [one] = attribute((diff("f", old, new, binary),), edits, {"f": (old, new)}, HUMAN)
        assert (one.start, one.count) == (0, 0)
        assert (one.side, one.cls) == expected


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([Edit("f", b"x\n", b"x\n", CLAUDE, fresh=True)], "ai"),
        ([Edit("f", b"x\n", b"x\n", CLAUDE)], "unknown"),
        ([Edit("g", b"x\n", b"x\n", CLAUDE, fresh=True)], "human"),
        ([], "human"),
    ],
)
def test_a_change_of_the_mode_alone(diff, edits, expected):
    same = diff("f", b"x\n", b"x\n")
    runnable = replace(same, change=replace(same.change, new_mode="100755"))
    [one] = attribute((runnable,), edits, {}, HUMAN)
    assert (one.start, one.count, one.cls) == (0, 0, expected)
    [untouched] = attribute((same,), edits, {}, HUMAN)
    assert untouched.cls == "human"


def test_a_mode_that_an_agent_changed_stands_beside_the_lines_of_others(diff):
    old, new = text("a"), text("a", "b")
    plain = diff("f", old, new)
    runnable = replace(plain, change=replace(plain.change, new_mode="100755"))
    found = attribute((runnable,), [Edit("f", old, old, CLAUDE, fresh=True)], {"f": (old, new)}, HUMAN)
    assert [(c.start, c.count, c.cls) for c in found] == [(2, 1, "human"), (0, 0, "ai")]


def test_only_changed_files_that_were_edited_need_their_content(diff):
    v0, v1 = text("a"), text("b")
    changes = (diff("m", v0, v1), diff("n", v0, v1), diff("a", None, v1), diff("d", v0, None))
    edits = [Edit(path, v0, v1, CLAUDE) for path in "mad"] + [Edit("n", v0, v0, CLAUDE)]
    assert wanted(changes, edits) == ("m",)
    assert attribute(changes, edits, {"m": (v0, v1)}, HUMAN)
    with pytest.raises(KeyError):
        attribute(changes, edits, {}, HUMAN)


def test_files_of_equal_lines_take_no_time(diff):
    """Beyond what an exact search could do: 60,000 equal lines, with a different one here and there."""
    lines = [f"mark {n}" if n % 997 == 0 else "}" for n in range(60_000)]
    v0 = text(*lines)
    v1 = text(*[line for n, line in enumerate(lines) if n % 1009], "end")
    found = judge(diff, v0, v1, [Edit("f", v0, v1, CLAUDE)])
    assert set(found["added"].values()) <= {AI, PERSON}
    assert len(found["removed"]) - len(found["added"]) == len(split(v0)) - len(split(v1))


@dataclass
class World:
    """A file edited by several hands. Every line text is used once, so its writer and remover are known."""

    lines: list[str]
    wrote: dict[str, tuple] = field(default_factory=dict)
    removed: dict[str, tuple] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    made: int = 0

    @property
    def content(self) -> bytes:
        return text(*self.lines)

    def work(self, chance: random.Random, hand: Hand | None, keep: bool) -> None:
        before, who = self.content, (AI if hand is CLAUDE else AI2 if hand is CODEX else PERSON)
        for _ in range(chance.randint(1, 3)):
            at = chance.randint(0, len(self.lines))
            if self.lines and chance.random() < 0.4:
                for gone in self.lines[at : at + chance.randint(1, 3)]:
                    self.lines.remove(gone)
                    self.removed[gone] = who
            if chance.random() < 0.7:
                fresh = [f"{self.made + n}" for n in range(chance.randint(1, 3))]
                self.made += len(fresh)
                self.lines[at:at] = fresh
                self.wrote.update(dict.fromkeys(fresh, who))
        if hand is not None and keep:
            self.edits.append(Edit("f", before, self.content, hand))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), turns=st.lists(st.sampled_from([CLAUDE, CODEX, None]), max_size=8))
def test_model_every_line_is_its_writers(tmp_path_factory, seed, turns):
    chance = random.Random(seed)
    world = World([f"base {n}" for n in range(chance.randint(0, 12))])
    old = list(world.lines)
    for hand in turns:
        world.work(chance, hand, keep=True)
    one = _by_real_git(tmp_path_factory, text(*old), world.content)
    found = hands(attribute((one,), world.edits, {"f": (text(*old), world.content)}, HUMAN))
    assert found["added"] == {
        n: world.wrote[line] for n, line in enumerate(world.lines, 1) if line in world.wrote
    }
    assert found["removed"] == {
        n: world.removed[line] for n, line in enumerate(old, 1) if line not in world.lines
    }


@settings(max_examples=150, deadline=None)
@given(
    versions=st.lists(
        st.lists(st.sampled_from(["}", "", "a", "b", "    x"]), max_size=9), min_size=2, max_size=6
    ),
    who=st.lists(st.sampled_from([CLAUDE, CODEX, None]), min_size=6, max_size=6),
    ends=st.booleans(),
    committing=st.sampled_from([HUMAN, NOBODY, BY_AGENT]),
)
def test_no_line_is_lost_or_doubled_or_given_to_an_agent_that_did_nothing(
    tmp_path_factory, versions, who, ends, committing
):
    """With few distinct lines, so that every alignment is ambiguous."""
    contents = [text(*lines)[: None if ends else -1] for lines in versions]
    edits = [
        Edit("f", before, after, hand)
        for before, after, hand in zip(contents, contents[1:], who, strict=False)
        if hand is not None
    ]
    old, new = contents[0], contents[-1]
    one = _by_real_git(tmp_path_factory, old, new)
    found = hands(attribute((one,), edits, {"f": (old, new)}, committing))
    assert set(found["added"]) == {
        n for h in one.hunks for n in range(h.new_start, h.new_start + h.new_count)
    }
    assert set(found["removed"]) == {
        n for h in one.hunks for n in range(h.old_start, h.old_start + h.old_count)
    }
    named = {agent for side in found.values() for cls, agent in side.values() if cls == "ai"}
    working = {edit.hand.agent for edit in edits if edit.before != edit.after}
    assert named <= working | ({SHELL.agent} if committing is BY_AGENT else set())
    if who[: len(contents) - 1] == [CLAUDE] * (len(contents) - 1):
        assert {pair for side in found.values() for pair in side.values()} <= {AI}


def _by_real_git(tmp_path_factory, old: bytes, new: bytes) -> FileDiff:
    folder = tmp_path_factory.getbasetemp()
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    options = [option for option in GIT_PATCH_ARGS if option not in ("-r", "--no-relative")]
    patch = run(["git", "diff", "--no-index", *options, "old", "new"], folder, ok=False).stdout
    hunks = tuple(hunk for section in parse_patch(patch) for hunk in section.hunks)
    counts = sum(hunk.new_count for hunk in hunks), sum(hunk.old_count for hunk in hunks)
    return FileDiff(Change("f", "M", "100644", "100644", SOME, "2" * 40, *counts), hunks)


def test_who_removes_what_had_landed_is_told_though_a_person_had_written_beside_it(diff):
    v0, v1 = text("a", "b"), text("a", "ai 1", "ai 2", "b")
    base, v3 = text("a", "ai 1", "ai 2", "b", "by hand"), text("a", "by hand")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", base, v3, CODEX)]
    assert judge(diff, base, v3, edits) == {"added": {}, "removed": {2: AI2, 3: AI2, 4: AI2}}


def test_an_agent_that_takes_a_file_back_to_where_an_earlier_edit_began_has_done_that(diff):
    """Nothing of the first edit landed exactly, for a person wrote beside it; it began with what is committed now."""
    made, landed = text("ai 1", "ai 2"), text("ai 1", "ai 2", "me")
    deletes = [Edit("f", None, made, CODEX), Edit("f", landed, None, CLAUDE)]
    assert judge(diff, landed, None, deletes) == {"added": {}, "removed": {1: AI, 2: AI, 3: AI}}
    before, landed, last = text("a"), text("a", "ai", "me"), text("a", "ai", "me", "me too")
    restores = [Edit("f", before, text("a", "ai"), CODEX), Edit("f", last, before, CLAUDE)]
    assert judge(diff, landed, before, restores) == {"added": {}, "removed": {2: AI, 3: AI}}


def test_a_person_deletes_what_an_agent_makes_and_takes_away_again_after_that(diff):
    made = text("ai 1", "ai 2")
    edits = [Edit("f", None, made, CLAUDE, fresh=True), Edit("f", made, None, CLAUDE, fresh=True)]
    assert judge(diff, text("me"), None, edits) == {"added": {}, "removed": {1: PERSON}}


def test_an_edit_that_had_landed_beside_a_persons_takes_nothing_from_who_comes_later(diff):
    v0, v1 = text("a", "b"), text("a", "ai 1", "b")
    base, v3 = text("a", "ai 1", "b", "by hand", "c"), text("A!", "ai 1", "b", "c", "more")
    edits = [Edit("f", v0, v1, CLAUDE), Edit("f", text("A!", "ai 1", "b", "c"), v3, CODEX)]
    expected = {"added": {1: PERSON, 5: AI2}, "removed": {1: PERSON, 4: PERSON}}
    assert judge(diff, base, v3, edits) == expected


def test_p20_what_a_stash_took_away_and_brought_back_stays_the_agents(diff):
    base = text(*"abcdefgh")
    stashed = base + text("written by one")
    other = text("written by two") + base
    edits = [
        Edit("f", base, stashed, CLAUDE),
        Edit("f", base, other, CODEX),  # committed meanwhile: it gave exactly the parent's content
    ]
    new = other + text("written by one", "typed by a person")
    made = judge(diff, other, new, edits)["added"]
    assert made == {10: ("ai", "claude-code"), 11: ("human", "")}


def test_short_lines_that_come_back_prove_nothing(diff):
    base, old = text("first"), text("first", "second")
    edits = [Edit("f", base, base + text("}"), CLAUDE), Edit("f", base, old, CODEX)]
    assert judge(diff, old, old + text("}"), edits)["added"] == {3: ("human", "")}


def fresh(path: str, before: bytes, after: bytes) -> Edit:
    return Edit(path, before, after, CLAUDE, fresh=True)


def test_what_an_agent_did_and_undid_may_have_been_staged_in_between(diff):
    base, changed = text("a", "b", "c"), text("a", "{", "c")
    edits = [fresh("f", base, changed), fresh("f", changed, base)]
    assert judge(diff, base, changed, edits) == {"added": {2: DARK}, "removed": {2: DARK}}
    by_hand = text("by hand", "a", "b", "c")
    assert judge(diff, base, by_hand, edits) == {"added": {1: PERSON}, "removed": {}}
    landed = [Edit("f", base, changed, CLAUDE), Edit("f", changed, base, CLAUDE)]
    assert judge(diff, base, changed, landed) == {"added": {2: PERSON}, "removed": {2: PERSON}}


def test_what_an_agent_wrote_and_took_away_again_may_have_been_staged_in_between(diff):
    base = text("a", "b")
    edits = [
        Edit("f", base, text("a", "}", "b"), CLAUDE),
        Edit("f", text("a", "}", "b"), text("x", "a", "b"), CODEX),
    ]
    assert judge(diff, base, text("a", "}", "b"), edits) == {"added": {2: AI}, "removed": {}}
    found = judge(diff, base, text("a", "}", "by hand", "b"), edits)["added"]
    assert found == {2: DARK, 3: PERSON}
    assert judge(diff, base, text("a", "}", "b", "c"), edits, BY_AGENT)["added"] == {2: DARK, 4: DARK}


def test_what_an_agent_wrote_in_another_worktree_is_its_own_here_too(diff):
    base, new = text("a"), text("a", "from elsewhere", "by hand")
    away = [Edit("f", base, text("a", "from elsewhere"), CODEX), Edit("f", base, base, CODEX)]
    found = hands(attribute((diff("f", base, new),), (), {}, HUMAN, away))
    assert found["added"] == {2: AI2, 3: PERSON}


def doubtful(diff, old, new, edits):
    diffs = (diff("f", old, new),)
    return is_doubtful(diffs, attribute(diffs, edits, {"f": (old, new)}, HUMAN))


def test_telling_lines_and_removals_that_cannot_be_told_apart_cast_doubt_on_a_persons_commit(diff):
    base, changed = text("a", "b", "c"), text("a", "{", "c")
    edits = [fresh("f", base, changed), fresh("f", changed, base)]
    assert doubtful(diff, base, changed, edits), "a removal"
    added = text("a", "b", "{", "c")
    edits = [fresh("f", base, added), fresh("f", added, base)]
    assert doubtful(diff, base, added, edits), "nothing else is there"
    assert not doubtful(diff, base, text("a", "b", "{", "by hand", "c"), edits)
    again = text("a", "b", "a longer one", "c")
    edits = [fresh("f", again, text("a longer one", *"abc", "a longer one")), fresh("f", base, again)]
    assert not doubtful(diff, again, text("more", "a", "b", "a longer one", "c"), edits)


def test_p20_what_a_stash_took_away_and_brought_back_stays_removed_by_the_agent(diff):
    base = text("first line", "second line", "third line", "fourth line")
    stashed = text("first line", "written instead", "third line", "fourth line")
    meanwhile = text("by another") + base
    edits = [Edit("f", base, stashed, CLAUDE), Edit("f", base, meanwhile, CODEX)]
    popped = text("by another", "first line", "written instead", "third line", "fourth line, by hand")
    found = judge(diff, meanwhile, popped, edits)
    assert found == {"added": {3: AI, 5: PERSON}, "removed": {3: AI, 5: PERSON}}
    alone = text("by another", "first line", "third line", "fourth line")
    assert judge(diff, meanwhile, alone, edits)["removed"] == {3: DARK}, (
        "by the agent, or once more by a person"
    )
    twice = meanwhile + text("second line")
    edits[1] = Edit("f", base, twice, CODEX)
    assert judge(diff, twice, alone, edits)["removed"] == {3: PERSON, 6: PERSON}, "it could be any of them"


def test_where_it_is_known_how_the_commit_came_about_nothing_set_aside_matters(diff):
    v0, v1 = text("first line", "second line"), text("first line", "written instead")
    again, by_hand = text("first line", "second line", "third line"), text("first line", "third line")
    edits = [
        Edit("f", v0, v1, CLAUDE),
        Edit("f", v1, again, CODEX),
        Edit("f", by_hand, text("third line"), CODEX),
    ]
    found = judge(diff, again, text("third line"), edits)
    assert found == {"added": {}, "removed": {1: AI2, 2: PERSON}}


def test_p22_what_git_stores_in_another_form_is_whose_it_was_in_the_work_tree(diff):
    base, new = text("one", "two"), text("one", "by the agent", "two")
    edits = [Edit("f", base.decode().encode("utf-16"), new.decode().encode("utf-16"), CLAUDE)]
    assert judge(diff, base, new, edits)["added"] == {2: AI}
    after = text("one", "by the agent", "two", "by hand")
    assert judge(diff, base, after, edits)["added"] == {2: AI, 4: PERSON}
    stored = as_stored(b"\0by the agent", [LFS])
    edits = [Edit("f", None, b"\0by the agent", CLAUDE)]
    assert judge(diff, None, stored, edits)["added"] == dict.fromkeys((1, 2, 3), AI)


def test_where_a_filter_hides_what_an_agent_changed_no_line_is_a_persons(diff):
    base, new = text("one", "two"), text("one", "tnega eht yb", "two")
    edits = [Edit("f", b"\0eno\0\nowt\0\n", b"\0eno\0\nby the agent\nowt\0\n", CLAUDE)]
    assert judge(diff, base, new, edits)["added"] == {2: DARK}
    assert judge(diff, base, new, edits, BY_AGENT)["added"] == {2: DARK}
    assert judge(diff, base, None, edits)["removed"] == {1: PERSON, 2: PERSON}
    [one] = attribute((diff("f", None, b"\0", binary=True),), [Edit("f", None, b"x", CLAUDE)], {}, HUMAN)
    assert one.cls == "unknown"


def test_of_a_path_that_cannot_be_followed_no_line_is_a_persons(diff):
    base, new = text("one"), text("one", "two")
    changes = (diff("f", base, new), diff("g", base, new))
    found = attribute(changes, (), {}, HUMAN, (), {"f"})
    assert (hands(found)["added"], hands(found, "g")["added"]) == ({2: DARK}, {2: PERSON})
