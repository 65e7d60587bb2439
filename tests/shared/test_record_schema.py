"""The JSON Schema of the record: current, and as strict as the reader where it can be."""

import copy
import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support_record import HUMAN, RECORD

from foureyes.shared.canonical import canonical_bytes
from foureyes.shared.record import RecordError, parse_record, statement
from foureyes.shared.record_schema import schema


@cache
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_the_published_schema_is_current(checkout: Path) -> None:
    published = checkout / "docs" / "record.schema.json"
    assert published.read_text() == json.dumps(schema(), indent=2) + "\n", (
        "write it anew: python -c 'import json; from foureyes.shared.record_schema import schema; "
        f"print(json.dumps(schema(), indent=2))' > {published}"
    )


@pytest.mark.parametrize("record", [RECORD, HUMAN])
def test_a_record_is_valid(record) -> None:
    validator().validate(statement(record))


def places(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from places(item, (*path, at))


WHOLE = json.loads(canonical_bytes(statement(RECORD)))
PLACES = list(places(WHOLE))


def at(value, path):
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("change", ["missing", "number", "text", "list"])
def test_what_the_schema_refuses_the_reader_refuses_too_and_the_other_way_round(path, change) -> None:
    value = copy.deepcopy(WHOLE)
    holder = at(value, path[:-1])
    if change == "missing":
        del holder[path[-1]]
    else:
        holder[path[-1]] = {"number": -1, "text": "\u00fc no such thing", "list": [[]]}[change]
    try:
        parse_record(canonical_bytes(value))
        accepted = True
    except RecordError as error:
        # That totals are sums, a schema cannot say.
        accepted = "totals" in str(error) and "totals" not in path
    assert validator().is_valid(value) == accepted


def test_more_fields_are_allowed_and_reported() -> None:
    value = copy.deepcopy(WHOLE)
    value["predicate"]["later"] = 1
    value["predicate"]["files"][0]["later"] = 1
    assert validator().is_valid(value)
    assert parse_record(canonical_bytes(value)).unlisted == ("predicate.files[0].later", "predicate.later")
