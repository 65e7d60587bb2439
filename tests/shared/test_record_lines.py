"""The quick reading of a record's lines says what the whole one says."""

import json
from dataclasses import replace

import pytest
from support_record import COMMIT, RECORD

from foureyes.shared import record_lines
from foureyes.shared.record import PREDICATE_TYPE, Contributor, parse_record, record_bytes
from foureyes.shared.record_lines import Lines, LinesError, added_lines


def test_it_gives_the_added_lines_of_these_paths_alone():
    more = Contributor("other", "added", 1, 9, "ai", "codex")
    data = record_bytes(replace(RECORD, contributors=(*RECORD.contributors, more)))
    assert record_lines.PREDICATE_TYPE == PREDICATE_TYPE
    assert added_lines(data, {"other", "none"}) == (
        COMMIT,
        (Lines("other", 1, 9, "ai", "codex", "", "", ""),),
    )
    whole = [part for part in parse_record(data).contributors if part.side == "added"]
    assert [
        (one.path, one.first, one.last - one.first + 1, one.cls, one.evidence)
        for one in added_lines(data, {part.path for part in whole})[1]
    ] == [(part.path, part.start, part.count, part.cls, part.evidence) for part in whole]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contributors", None),
        ("contributors", ["x"]),
        ("contributors", [{"side": "added", "path": "f", "start": "1"}]),
        ("contributors", [{"side": "added", "path": "f", "start": True, "count": 1, "class": "ai"}]),
    ],
)
def test_what_is_no_record_is_not_read(field: str, value: object):
    statement = json.loads(record_bytes(RECORD))
    statement["predicate"][field] = value
    with pytest.raises(LinesError):
        added_lines(json.dumps(statement).encode(), {"f"})
    for data in (b"", b"[]", record_bytes(RECORD).replace(b"record:v1", b"record:v2")):
        with pytest.raises(LinesError):
            added_lines(data, {"f"})


def test_a_path_that_is_no_text_is_nobodys():
    statement = json.loads(record_bytes(RECORD))
    statement["predicate"]["contributors"][1]["path"] = ["infra/net.tf"]
    assert added_lines(json.dumps(statement).encode(), {"infra/net.tf", ""}) == (COMMIT, ())
