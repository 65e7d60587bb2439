"""Agent Trace: what is written is what its README asks for, and any bytes are read."""

import json
import re
import uuid
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_record import HUMAN, RECORD

from foureyes.shared.agent_trace import is_readable, parse_trace, trace_of
from foureyes.shared.git_ai_note import NotedAgent, NotedLines
from foureyes.shared.record import Contributor

AI = Contributor(
    "src/é x.py", "added", 3, 2, "ai", "claude-code", "2", "anthropic/opus", "s1", "agent-hook", "high"
)


def record(*parts: Contributor):
    return replace(RECORD, contributors=parts)


def test_a_trace_names_lines_by_contributor() -> None:
    later = replace(AI, start=9, count=1)
    person = replace(AI, start=7, count=1, cls="human", model="", agent="", session="")
    gone = replace(AI, side="removed", count=4)
    entry = replace(AI, path="logo.png", start=0, count=0)
    odd = replace(AI, path="caf\\xe9")
    trace = trace_of(record(AI, person, later, gone, entry, odd), 1_790_000_000)
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", trace["version"])
    assert str(uuid.UUID(trace["id"])) == trace["id"]
    assert datetime.fromisoformat(trace["timestamp"]).timestamp() == 1_790_000_000
    assert trace["vcs"] == {"type": "git", "revision": RECORD.commit}
    (file,) = trace["files"]
    assert file == {
        "path": "src/é x.py",
        "conversations": [
            {
                "contributor": {"type": "ai", "model_id": "anthropic/opus"},
                "ranges": [{"start_line": 3, "end_line": 4}, {"start_line": 9, "end_line": 9}],
            },
            {"contributor": {"type": "human"}, "ranges": [{"start_line": 7, "end_line": 7}]},
        ],
    }
    (about,) = trace["metadata"].values()
    assert (about["deleted"], about["files_deleted"], about["removed_by_agents"]) == (41, 1, 4)
    assert about["operator"] == "olga"


def test_a_model_is_cut_and_may_be_unknown() -> None:
    (file,) = trace_of(record(replace(AI, model="m" * 300)), 0)["files"]
    assert file["conversations"][0]["contributor"]["model_id"] == "m" * 250
    (file,) = trace_of(record(replace(AI, model="")), 0)["files"]
    assert file["conversations"][0]["contributor"] == {"type": "ai"}
    assert trace_of(HUMAN, 0)["files"] == []


def test_what_is_written_is_read() -> None:
    data = json.dumps(trace_of(record(AI), 0)).encode()
    assert parse_trace(data) == (NotedLines("src/é x.py", 3, 4, NotedAgent("foureyes", "anthropic/opus")),)


def test_a_range_may_have_its_own_contributor_and_versions_two_parts() -> None:
    ranges = [
        {"start_line": 1, "end_line": 2, "contributor": {"type": "human"}},
        {"start_line": 3, "end_line": 3, "contributor": {"type": "mixed", "model_id": "x/y"}},
        {"start_line": "4", "end_line": 4},
        {"start_line": 5, "end_line": 5},
    ]
    trace = {
        "version": "1.0",
        "tool": {"name": "cursor"},
        "files": [{"path": "f", "conversations": [{"contributor": {"type": "ai"}, "ranges": ranges}]}],
    }
    assert parse_trace(json.dumps(trace).encode()) == (
        NotedLines("f", 3, 3, NotedAgent("cursor", "x/y")),
        NotedLines("f", 5, 5, NotedAgent("cursor", "")),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"version": "x"}',
        b"[" * 100_000,
        b'{"version": "0.1.0", "files": {}}',
        b'{"version": "0.1.0", "files": [1, {"conversations": 1}, {"conversations": [{"ranges": 2}]}]}',
    ],
)
def test_what_is_no_trace_names_nobody(data: bytes) -> None:
    assert parse_trace(data) == ()


@given(st.binary())
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    parse_trace(data)


def test_a_trace_of_a_version_that_is_not_known_is_not_read() -> None:
    assert is_readable(b'{"version": "0.1.0"}')
    assert not is_readable(b'{"version": "two"}')
    assert not is_readable(b"[]")
