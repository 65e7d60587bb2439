"""The lines alone that a record gives to anybody: for a reader who waits, and has hundreds of records to look at."""

from collections.abc import Set
from typing import Any, NamedTuple

from foureyes.shared import in_toto
from foureyes.shared.strict_json import JsonError, read

PREDICATE_TYPE = "urn:foureyes:record:v1"


class LinesError(ValueError):
    """Completes "the record was not read: ..." for a person."""


class Lines(NamedTuple):
    """As `record.Contributor`, of the added side: from `first` to `last`, counted from 1."""

    path: str
    first: int
    last: int
    cls: str
    agent: str
    model: str
    evidence: str
    confidence: str


_FIELDS = ("path", "start", "count", "class", "agent", "model", "evidence", "confidence")
_KINDS = (str, int, int, str, str, str, str, str)


def added_lines(data: bytes, paths: Set[str]) -> tuple[str, tuple[Lines, ...]]:
    """Commit, and its ranges of these paths. What is asked of the rest of a record, `record.parse_record` asks. Raises
    LinesError.
    """
    try:
        subjects, predicate, _ = in_toto.take_apart(read(data), PREDICATE_TYPE)
    except (JsonError, in_toto.StatementError) as error:
        raise LinesError(str(error)) from None
    parts: Any = predicate.get("contributors")
    if not isinstance(parts, list) or not {dict}.issuperset(map(type, parts)):
        raise LinesError("it has no list of contributors")
    wanted = [part for part in parts if part.get("side") == "added" and _is_one_of(part.get("path"), paths)]
    return subjects[0][2], tuple(map(_lines, wanted))


def _is_one_of(path: object, paths: Set[str]) -> bool:
    return isinstance(path, str) and path in paths


def _lines(part: dict[str, Any]) -> Lines:
    values: tuple[Any, ...] = tuple(map(part.get, _FIELDS))
    if tuple(map(type, values)) != _KINDS:
        raise LinesError("a range of lines lacks a field")
    path, start, count, *rest = values
    return Lines(path, start, start + count - 1, *rest)
