"""A JSON Schema of the record, made from the types that it is written and read by: docs/record.schema.json."""

from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from foureyes.shared import in_toto, record_fields
from foureyes.shared.record import PREDICATE_TYPE, Record, Totals

_OID = "^([0-9a-f]{40}|[0-9a-f]{64})$"
_IN_SUBJECT = ("commit", "tree")


def schema() -> dict[str, Any]:
    """Draft 2020-12. Fields that are not listed are allowed, as the reader allows them: it reports and ignores them."""
    predicate = _of_type(Record, leave_out=(*_IN_SUBJECT, "unlisted"))
    predicate["properties"]["totals"] = _of_type(Totals)
    predicate["required"].append("totals")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "foureyes record of one commit",
        "description": "What the fields mean stands in docs/provenance.md.",
        "type": "object",
        "required": ["_type", "subject", "predicateType", "predicate"],
        "properties": {
            "_type": {"const": in_toto.STATEMENT_TYPE},
            "predicateType": {"const": PREDICATE_TYPE},
            "subject": {
                "type": "array",
                "prefixItems": [_subject("commit", "gitCommit"), _subject("tree", "gitTree")],
                "minItems": 2,
                "maxItems": 2,
            },
            "predicate": predicate,
        },
    }


def _subject(name: str, algorithm: str) -> dict[str, Any]:
    digest = {
        "type": "object",
        "required": [algorithm],
        "additionalProperties": False,
        "properties": {algorithm: {"type": "string", "pattern": _OID}},
    }
    return {
        "type": "object",
        "required": ["name", "digest"],
        "additionalProperties": False,
        "properties": {"name": {"const": name}, "digest": digest},
    }


def _of_type(kind: type, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    properties = {
        json_name: _of_hint(hint) | record_fields.limits(kind, name)
        for json_name, name, hint in record_fields.listed(kind)
        if name not in leave_out
    }
    required = [
        json_name
        for json_name, name, _ in record_fields.listed(kind)
        if json_name in properties and not record_fields.is_optional(kind, name)
    ]
    return {"type": "object", "required": required, "properties": properties}


_SIMPLE: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    bool: {"type": "boolean"},
}


def _of_hint(hint: Any) -> dict[str, Any]:
    if isinstance(hint, UnionType):
        [inner] = [part for part in get_args(hint) if part is not NoneType]
        return {"oneOf": [_of_hint(inner), {"type": "null"}]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _of_hint(get_args(hint)[0])}
    if is_dataclass(hint) and isinstance(hint, type):
        return _of_type(hint)
    return dict(_SIMPLE[hint])
