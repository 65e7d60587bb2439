"""The in-toto Statement v1 around what we sign: who it is about (subjects), and what kind of statement it is.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

from foureyes.shared.canonical import Json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
Subject: TypeAlias = tuple[str, str, str]
"""Name, digest algorithm (`gitCommit`, `gitTree`), object id."""

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class StatementError(ValueError):
    """Completes "not read: ..." for a person."""


def is_oid(text: str) -> bool:
    """A full object id, SHA-1 or SHA-256, lower case."""
    return _OID.fullmatch(text) is not None


def build(subjects: Iterable[Subject], predicate_type: str, predicate: Json) -> dict[str, Json]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {kind: oid}} for name, kind, oid in subjects],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def take_apart(
    value: Json, predicate_type: str
) -> tuple[tuple[Subject, ...], dict[str, Json], tuple[str, ...]]:
    """Subjects, predicate, and the names of fields that are not ours. Raises StatementError; another predicate
    type, above all another version of ours, is refused by name.
    """
    if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
        raise StatementError("not an in-toto statement v1")
    found = value.get("predicateType")
    if found != predicate_type:
        raise StatementError(f"it is a {str(found)[:60]!r}, not a {predicate_type!r}")
    subjects, predicate = value.get("subject"), value.get("predicate")
    if not isinstance(subjects, list) or not subjects:
        raise StatementError("subject is missing or empty")
    if not isinstance(predicate, dict):
        raise StatementError("predicate is not an object")
    unlisted = sorted(set(value) - {"_type", "subject", "predicateType", "predicate"})
    return tuple(_subject(item) for item in subjects), predicate, tuple(unlisted)


def _subject(value: Json) -> Subject:
    if not isinstance(value, dict) or set(value) != {"name", "digest"}:
        raise StatementError("a subject is not a name and a digest")
    name, digest = value["name"], value["digest"]
    if not isinstance(name, str) or not isinstance(digest, dict) or len(digest) != 1:
        raise StatementError("a subject is not one name with one digest")
    [(kind, oid)] = digest.items()
    if not isinstance(oid, str) or not is_oid(oid):
        raise StatementError("a subject's digest is not a full object id")
    return name, kind, oid
