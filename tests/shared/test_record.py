"""The record's format: every field there and back, one canonical spelling, nothing else taken."""

import dataclasses
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support_record import COMMIT, RECORD, TREE

import foureyes.shared.record as record_module
from foureyes.shared.canonical import canonical_bytes
from foureyes.shared.facts import Change
from foureyes.shared.record import (
    PREDICATE_TYPE,
    Agent,
    Contributor,
    Operator,
    Parent,
    Record,
    RecordError,
    Reviewed,
    Tool,
    Totals,
    Witnessed,
    parse_record,
    record_bytes,
    statement,
)

_TEXT = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
_COUNT = st.integers(0, 10_000)
_OIDS = st.text("0123456789abcdef", min_size=40, max_size=40)
_MODES = st.sampled_from(["000000", "100644", "120000", "160000"])
_CHANGES = st.builds(
    Change, _TEXT, st.sampled_from("AMDT"), _MODES, _MODES, _OIDS, _OIDS, _COUNT, _COUNT, st.booleans()
)
_CONTRIBUTORS = st.builds(
    Contributor,
    path=_TEXT,
    side=st.sampled_from(["added", "removed"]),
    start=_COUNT,
    count=_COUNT,
    cls=st.sampled_from(["ai", "human", "unknown"]),
    agent=_TEXT,
    confidence=st.sampled_from(["high", "medium", "low", ""]),
)


def _many(inner):
    return st.lists(inner, max_size=3).map(tuple)


_RECORDS = st.builds(
    Record,
    commit=_OIDS,
    tree=_OIDS,
    id=_TEXT,
    repository=_TEXT,
    cls=st.sampled_from(["ai", "human", ""]),
    files=_many(_CHANGES),
    agents=_many(st.builds(Agent, _TEXT, _TEXT, _TEXT, _TEXT, _many(_TEXT))),
    contributors=_many(_CONTRIBUTORS),
    operator=st.builds(Operator, _TEXT, _TEXT, _TEXT),
    lineage=_many(st.builds(Parent, _OIDS, _TEXT)),
    witness=st.none() | st.builds(Witnessed, _TEXT, _COUNT, _TEXT),
    hooks=_many(_TEXT),
    tool=st.builds(Tool, _TEXT, _TEXT),
    operators=_many(st.builds(Operator, _TEXT, _TEXT, _TEXT)),
    reviews=_many(st.builds(Reviewed, _TEXT, _TEXT, _TEXT, _COUNT)),
    unlisted=st.just(()),
)


@given(_RECORDS)
def test_round_trip(record):
    data = record_bytes(record)
    assert parse_record(data) == record
    assert record_bytes(parse_record(data)) == data


def test_the_statement_is_in_toto_about_commit_and_tree():
    made = statement(RECORD)
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [
        {"name": "commit", "digest": {"gitCommit": COMMIT}},
        {"name": "tree", "digest": {"gitTree": TREE}},
    ]
    assert made["predicateType"] == PREDICATE_TYPE == "urn:foureyes:record:v1"


def test_a_record_without_the_later_fields_is_the_same_bytes_as_ever():
    plain = replace(RECORD, operators=(), reviews=())
    predicate = statement(plain)["predicate"]
    assert not {"operators", "reviews"} & set(predicate)
    assert set(statement(RECORD)["predicate"]) - set(predicate) == {"operators", "reviews"}
    assert predicate["operator"] == statement(RECORD)["predicate"]["operator"], "where older readers look"


@pytest.mark.parametrize("name", ["operators", "reviews"])
def test_a_record_cannot_name_a_crowd(name):
    crowd = replace(RECORD, **{name: getattr(RECORD, name)[:1] * 51})
    assert parse_record(record_bytes(replace(RECORD, **{name: getattr(crowd, name)[:50]})))
    with pytest.raises(RecordError, match="more than 50"):
        parse_record(record_bytes(crowd))


def test_totals_are_counted_from_the_files():
    assert RECORD.totals == Totals(files=3, added=2, deleted=41, files_deleted=1)
    assert statement(RECORD)["predicate"]["totals"] == {
        "files": 3,
        "added": 2,
        "deleted": 41,
        "filesDeleted": 1,
    }


def test_names_on_the_wire():
    predicate = statement(RECORD)["predicate"]
    assert set(predicate["files"][0]) == {
        "path", "status", "oldMode", "newMode", "oldBlob", "newBlob", "added", "deleted", "binary",
    }  # fmt: skip
    assert predicate["class"] == "ai"
    assert predicate["contributors"][1]["class"] == "human"
    assert "unlisted" not in predicate


def _places(value, place=()):
    """Every key of the statement, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*place, key)
            yield from _places(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _places(inner, (*place, at))


def _changed(value, place, change):
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    change(inner, place[-1])
    return json.dumps(copy).encode()


def _set(new):
    return lambda inner, key: inner.__setitem__(key, new)


_KEYS = list(_places(statement(RECORD)))
OPTIONAL = (("predicate", "operators"), ("predicate", "reviews"))
"""Fields that came later."""


@pytest.mark.parametrize("place", _KEYS, ids=lambda place: ".".join(map(str, place)))
def test_every_field_is_required_but_for_later_ones_and_is_of_its_kind(place):
    made = statement(RECORD)
    assert parse_record(json.dumps(made).encode()) == RECORD
    without = _changed(made, place, lambda inner, key: inner.pop(key))
    if place in OPTIONAL:
        assert getattr(parse_record(without), place[-1]) == ()
    else:
        with pytest.raises(RecordError):
            parse_record(without)
    wrong = [3.5, {"x": [1]}, [[]]] if place[-1] == "witness" else [None, 3.5, {"x": [1]}, [[]]]
    for value in wrong:
        with pytest.raises(RecordError):
            parse_record(_changed(made, place, _set(value)))


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (("predicateType",), "urn:foureyes:record:v2", "urn:foureyes:record:v2"),
        (("_type",), "https://in-toto.io/Statement/v0.1", "not an in-toto statement v1"),
        (("subject", 0, "digest"), {"gitCommit": "abc"}, "full object id"),
        (("subject", 0, "digest"), {"sha1": COMMIT}, "one commit and its tree"),
        (("predicate", "class"), "robot", "predicate.class is none of"),
        (("predicate", "files", 0, "status"), "R", r"predicate.files\[0\].status is none of"),
        (("predicate", "files", 0, "oldMode"), "644", r"predicate.files\[0\].oldMode is not a mode"),
        (("predicate", "files", 1, "newBlob"), "", r"predicate.files\[1\].newBlob is not a full object id"),
        (("predicate", "files", 0, "added"), -1, "negative"),
        (("predicate", "files", 0, "added"), True, "not a whole number"),
        (("predicate", "files", 0, "binary"), 0, "not true or false"),
        (("predicate", "files", 1, "deleted"), 39, "totals are not those of its files"),
        (("predicate", "totals", "deleted"), 0, "totals are not those of its files"),
        (("predicate", "lineage", 0, "commit"), "e" * 39, "full object id"),
        (("predicate", "contributors", 0, "side"), "both", "side is none of"),
        (("predicate", "operator", "claim"), "olga\nadmin", "control characters"),
    ],
)
def test_wrong_values_are_refused_by_name(place, value, why):
    with pytest.raises(RecordError, match=why):
        parse_record(_changed(statement(RECORD), place, _set(value)))


def test_unlisted_fields_are_reported_and_change_nothing():
    made = statement(RECORD)
    made["cosigner"] = "x"
    made["predicate"]["mood"] = "calm"
    made["predicate"]["files"][1]["owner"] = "me"
    made["predicate"]["witness"]["moon"] = "full"
    parsed = parse_record(canonical_bytes(made))
    assert replace(parsed, unlisted=()) == RECORD
    assert parsed.unlisted == (
        "cosigner",
        "predicate.files[1].owner",
        "predicate.mood",
        "predicate.witness.moon",
    )
    assert record_bytes(parsed) == record_bytes(RECORD)


def test_unlisted_cannot_be_set_from_outside():
    made = statement(RECORD)
    made["predicate"]["unlisted"] = []
    made["predicate"]["commit"] = "f" * 40
    parsed = parse_record(canonical_bytes(made))
    assert parsed.unlisted == ("predicate.commit", "predicate.unlisted")
    assert parsed.commit == COMMIT


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"null", record_bytes(RECORD) + b"x"])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(RecordError):
        parse_record(data)


def test_a_record_longer_than_any_real_one_is_not_even_read(monkeypatch):
    monkeypatch.setattr(record_module, "MAX_BYTES", len(record_bytes(RECORD)))
    assert parse_record(record_bytes(RECORD)) == RECORD
    with pytest.raises(RecordError, match="longer than"):
        parse_record(record_bytes(RECORD) + b" ")


def test_every_field_of_the_types_is_exercised_here():
    """So that a field that is added is added to RECORD, and so to the tests above."""
    for value in (RECORD, *RECORD.files, RECORD.agents[0], RECORD.operator, RECORD.witness, RECORD.tool):
        for field in dataclasses.fields(value):
            if field.name not in ("unlisted", "added", "deleted", "binary"):
                assert getattr(value, field.name), field.name
