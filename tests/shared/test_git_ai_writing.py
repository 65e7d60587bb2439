"""git-ai's notes as we write them: read back by the reader, and beside what git-ai wrote itself."""

import json
from dataclasses import replace

import pytest
from support_record import HUMAN, RECORD

from foureyes.shared.git_ai_note import parse_lines, parse_note
from foureyes.shared.git_ai_writing import note_of
from foureyes.shared.record import Contributor, Operator

SESSION = "07aaf9f92e5bf927e29c0700d92a1e29c1ae0128b00d38d95eb21c4d7bceaaf0"
AI = Contributor("src/a.py", "added", 3, 2, "ai", "claude-code", "2", "opus", SESSION, "agent-hook", "high")


def record(*parts: Contributor, **more):
    return replace(RECORD, contributors=parts, **more)


def lines(note: str) -> list[tuple[str, int, int, str]]:
    return [(one.path, one.first, one.last, one.agent.tool) for one in parse_lines(note.encode())]


def test_agents_lines_are_written_and_nobody_elses() -> None:
    parts = (
        AI,
        replace(AI, start=9, count=1),
        replace(AI, start=1, count=1, cls="human", agent="", session=""),
        replace(AI, side="removed"),
        replace(AI, path="with space.py", agent="codex", session=""),
        replace(AI, path="caf\\xe9"),
        replace(AI, path='a"b'),
        replace(AI, path="---"),
        replace(AI, path="logo.png", start=0, count=0),
    )
    note = note_of(record(*parts))
    assert note is not None
    assert lines(note) == [
        ("src/a.py", 3, 4, "claude-code"),
        ("src/a.py", 9, 9, "claude-code"),
        ("with space.py", 3, 4, "codex"),
    ]
    assert note.startswith(f"src/a.py\n  s_{SESSION[:14]}::t_")
    assert '"with space.py"\n  s_' in note
    assert "h_" not in note
    about = json.loads(note.split("\n---\n")[1])
    assert about["schema_version"] == "authorship/3.0.0"
    assert about["base_commit_sha"] == RECORD.commit
    assert about["prompts"] == {}
    assert about["sessions"][f"s_{SESSION[:14]}"]["human_author"] == "olga"
    assert note_of(record(*parts)) == note


def test_without_agents_there_is_no_note() -> None:
    assert note_of(HUMAN) is None
    assert note_of(record(replace(AI, cls="unknown"))) is None


def test_without_an_operator_nobody_is_named() -> None:
    note = note_of(record(AI, operator=Operator()))
    assert note is not None
    assert "human_author" not in note


def test_what_git_ai_wrote_stays_and_ours_is_not_doubled() -> None:
    own = (
        "src/a.py\n  s_11111111111111::t_22222222222222 1-2\nother\n  h_33333333333333 1\n---\n"
        '{"schema_version": "authorship/3.0.0", "prompts": {"p": {}}, "humans": {"h_33333333333333": {}}, '
        '"sessions": {"s_11111111111111": {"agent_id": {"tool": "cursor", "model": "x"}}}, "more": 1}'
    )
    note = note_of(record(AI), own)
    assert note is not None
    assert lines(note) == [("src/a.py", 1, 2, "cursor"), ("src/a.py", 3, 4, "claude-code")]
    about = json.loads(note.split("\n---\n")[1])
    assert (about["more"], about["prompts"], list(about["humans"])) == (1, {"p": {}}, ["h_33333333333333"])
    assert "other\n  h_33333333333333 1\n" in note
    assert note_of(record(AI), note) is None
    assert note_of(record(AI, replace(AI, path="new")), note) is not None


@pytest.mark.parametrize("sessions", ["", ', "sessions": []'])
def test_an_empty_note_of_git_ai_is_added_to(sessions: str) -> None:
    note = note_of(record(AI), f'---\n{{"schema_version": "authorship/3.1.0"{sessions}}}\n')
    assert note is not None
    assert len(parse_note(note.encode())) == 1


@pytest.mark.parametrize(
    "before",
    [
        "somebody's own words",
        "a\n---\n[]",
        'a\n---\n{"schema_version": "authorship/4.0.0"}',
        "a\n---\n" + "[" * 100_000,
    ],
    ids=["words", "a list", "another version", "deep"],
)
def test_a_note_of_another_format_is_not_touched(before: str) -> None:
    assert note_of(record(AI), before) is None
