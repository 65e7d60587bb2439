"""What agents wrote and nobody had committed, found in another file: nobody's."""

from collections.abc import Sequence

import pytest

from foureyes.shared.attribution import Edit
from foureyes.shared.change import Change
from foureyes.shared.diff import FileDiff, Hunk
from foureyes.shared.line_trace import Hand
from foureyes.shared.record import Contributor
from foureyes.shared.taken_lines import taken_over

CLAUDE = Hand("claude-code")
OLD, NEW = "1" * 40, "2" * 40
WRITTEN = ("def total(self) -> int:", "    return sum(part.count for part in self.parts)", "", "}")
MINE = Contributor("g", "added", 11, 4, "human")


def diff(*added: str, path: str = "g") -> FileDiff:
    """The lines were added after line 10."""
    hunk = Hunk(10, 0, 11, len(added), (), tuple(line.encode() for line in added), False, False)
    return FileDiff(Change(path, "M", "100644", "100644", OLD, NEW, len(added), 0, False), (hunk,))


def edit(*lines: str, path: str = "f", before: Sequence[str] = ()) -> Edit:
    def text(some: Sequence[str]) -> bytes:
        return "".join(f"{line}\r\n" for line in some).encode()

    return Edit(path, text(before), text((*before, *lines)), CLAUDE)


def test_lines_that_were_moved_before_anybody_had_committed_them_are_nobodys() -> None:
    found = taken_over((diff(*WRITTEN),), (MINE,), (edit(*WRITTEN),))
    assert {number: part.cls for (_, number), part in found.items()} == {11: "unknown", 12: "unknown"}
    assert set(found.values()) == {Contributor("g", "added", number, 1, "unknown") for number in (11, 12)}


@pytest.mark.parametrize(
    "edits",
    [
        (),
        (edit("", "}"),),
        (edit(*WRITTEN, path="g"),),
        (edit("import os", before=WRITTEN),),
        (edit(*WRITTEN, *(f"another line {n}" for n in range(3))),),
        (edit("import os"),),
    ],
    ids=[
        "none",
        "no telling lines",
        "this file's own",
        "there before",
        "less than half",
        "too little to tell",
    ],
)
def test_what_may_be_anybodys_stays_whose_it_is(edits: tuple[Edit, ...]) -> None:
    assert taken_over((diff(*WRITTEN, "import os"),), (MINE,), edits) == {}


def test_only_a_persons_added_lines_are_in_doubt() -> None:
    others = (
        Contributor("g", "added", 11, 1, "ai", "codex"),
        Contributor("g", "removed", 12, 1, "human"),
        Contributor("h", "added", 12, 1, "human"),
    )
    assert taken_over((diff(*WRITTEN),), others, (edit(*WRITTEN),)) == {}
