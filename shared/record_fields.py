"""How the record's types are written as JSON and read back, by their own annotations: camelCase names, every field
required, no value taken that is not of the listed kind.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

_ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    ("Record", "cls"): ("ai", "human", ""),
    ("Contributor", "cls"): ("ai", "human", "unknown"),
    ("Contributor", "side"): ("added", "removed"),
    ("Contributor", "confidence"): ("high", "medium", "low", ""),
    ("Change", "status"): ("A", "M", "D", "T"),
}
_OPTIONAL = frozenset({("Record", "operators"), ("Record", "reviews")})
"""Came after the first version: left out where there is nothing to say, as records of that version do."""
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MODE = re.compile(r"[0-7]{6}")
_SHAPES: dict[tuple[str, str], re.Pattern[str]] = {
    ("Change", "old_mode"): _MODE,
    ("Change", "new_mode"): _MODE,
    ("Change", "old_blob"): _OID,
    ("Change", "new_blob"): _OID,
    ("Parent", "commit"): _OID,
}


class FieldError(ValueError):
    """Completes "the record was not read: ..." for a person."""


@dataclass
class Source:
    """A JSON value with its place (`predicate.files[3]`), and the unlisted names met so far."""

    value: Any
    place: str
    unlisted: set[str] = field(default_factory=set)


_Place: TypeAlias = tuple[Any, str]
"""The place around it and the step from there; put together only for who has to be told."""
_Reader: TypeAlias = Callable[[Any, _Place, set[str]], Any]


class _Field(NamedTuple):
    name: str
    step: str
    read: _Reader
    optional: bool
    plain: type | None
    """Its type, if that is all that is asked of it."""
    allowed: tuple[str, ...] | None
    shape: re.Pattern[str] | None


def write(value: Any, leave_out: tuple[str, ...] = ()) -> Any:
    """The JSON of a frozen value."""
    if is_dataclass(value):
        return {
            _json_name(item.name): write(getattr(value, item.name))
            for item in fields(value)
            if item.name not in leave_out
            and (getattr(value, item.name) or not is_optional(type(value), item.name))
        }
    if isinstance(value, tuple):
        return [write(item) for item in value]
    return value


def fields_of(source: Source, kind: type, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The constructor's arguments for a dataclass. Raises FieldError with the place of what is wrong."""
    return _fields(source.value, (None, source.place), source.unlisted, _plan(kind, leave_out))


def _fields(value: Any, place: _Place, unlisted: set[str], plan: Mapping[str, _Field]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"{_told(place)} is not an object")
    if value.keys() != plan.keys():
        unlisted.update(f"{_told(place)}.{name}" for name in value.keys() - plan.keys())
    found = {}
    for json_name, one in plan.items():
        if json_name in value:
            given = value[json_name]
            kind: type = type(given)
            if kind is one.plain and (kind is not int or given >= 0):
                found[one.name] = given
                continue
            here = (place, one.step)
            found[one.name] = one.read(given, here, unlisted)
            _check(one, found[one.name], here)
        elif not one.optional:
            raise FieldError(f"{_told(place)}{one.step} is missing")
    return found


@cache
def _plan(kind: type, leave_out: tuple[str, ...] = ()) -> dict[str, _Field]:
    return {
        json_name: _Field(
            name,
            f".{json_name}",
            _reader(hint),
            is_optional(kind, name),
            None if limits(kind, name) else hint,
            _ALLOWED.get((kind.__name__, name)),
            _SHAPES.get((kind.__name__, name)),
        )
        for json_name, name, hint in listed(kind)
        if name not in leave_out
    }


def _told(place: _Place) -> str:
    around, step = place
    return step if around is None else _told(around) + step


def listed(kind: type) -> list[tuple[str, str, Any]]:
    """JSON name, name and annotation of each field of a dataclass, in order."""
    return [(_json_name(name), name, hint) for name, hint in _hints(kind).items()]


def is_optional(kind: type, name: str) -> bool:
    return (kind.__name__, name) in _OPTIONAL


def limits(kind: type, name: str) -> dict[str, Any]:
    """What is asked of a field beyond its annotation, in the words of JSON Schema."""
    allowed, shape = _ALLOWED.get((kind.__name__, name)), _SHAPES.get((kind.__name__, name))
    told: dict[str, Any] = {}
    if allowed is not None:
        told["enum"] = list(allowed)
    if shape is not None:
        told["pattern"] = f"^(?:{shape.pattern})$"
    return told


def _check(one: _Field, value: Any, place: _Place) -> None:
    if one.allowed is not None and value not in one.allowed:
        raise FieldError(f"{_told(place)} is none of {', '.join(map(repr, one.allowed))}")
    if one.shape is not None and not one.shape.fullmatch(value):
        raise FieldError(f"{_told(place)} is not a {'mode' if one.shape is _MODE else 'full object id'}")


@cache
def _reader(hint: Any) -> _Reader:
    """Made once for each annotation: a history has thousands of records."""
    if isinstance(hint, UnionType):
        [inner] = [part for part in get_args(hint) if part is not NoneType]
        read = _reader(inner)
        return lambda value, place, unlisted: None if value is None else read(value, place, unlisted)
    if get_origin(hint) is tuple:
        return partial(_read_list, _reader(get_args(hint)[0]))
    if is_dataclass(hint) and isinstance(hint, type):
        plan = _plan(hint)
        return lambda value, place, unlisted: hint(**_fields(value, place, unlisted, plan))
    return partial(_read_plain, hint)


def _read_list(read: _Reader, value: Any, place: _Place, unlisted: set[str]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FieldError(f"{_told(place)} is not a list")
    return tuple(read(item, (place, f"[{number}]"), unlisted) for number, item in enumerate(value))


def _read_plain(hint: type, value: Any, place: _Place, _unlisted: set[str]) -> Any:
    if type(value) is not hint:
        raise FieldError(f"{_told(place)} is not {_SPOKEN[hint]}")
    if hint is int and value < 0:  # type: ignore[operator] # it is of the type hinted
        raise FieldError(f"{_told(place)} is negative")
    return value


_SPOKEN = {str: "text", int: "a whole number", bool: "true or false"}
_hints = cache(get_type_hints)


def _json_name(name: str) -> str:
    """`old_mode` -> `oldMode`; `cls` -> `class`, a word that Python keeps for itself."""
    if name == "cls":
        return "class"
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
