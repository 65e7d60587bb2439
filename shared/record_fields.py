"""How the record's types are written as JSON and read back, by their own annotations: camelCase names, every field
required, no value taken that is not of the listed kind.
"""

import re
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

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

    def at(self, value: Any, step: str) -> "Source":
        return Source(value, self.place + step, self.unlisted)


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
    value = source.value
    if not isinstance(value, dict):
        raise FieldError(f"{source.place} is not an object")
    hints = {name: hint for name, hint in _hints(kind).items() if name not in leave_out}
    names = {_json_name(name): name for name in hints}
    source.unlisted.update(f"{source.place}.{name}" for name in set(value) - set(names))
    found = {}
    for json_name, name in names.items():
        if json_name not in value:
            if is_optional(kind, name):
                continue
            raise FieldError(f"{source.place}.{json_name} is missing")
        found[name] = _read(source.at(value[json_name], f".{json_name}"), hints[name])
        _check((kind.__name__, name), found[name], f"{source.place}.{json_name}")
    return found


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


def _check(name: tuple[str, str], value: Any, place: str) -> None:
    allowed, shape = _ALLOWED.get(name), _SHAPES.get(name)
    if allowed is not None and value not in allowed:
        raise FieldError(f"{place} is none of {', '.join(map(repr, allowed))}")
    if shape is not None and not shape.fullmatch(value):
        raise FieldError(f"{place} is not a {'mode' if shape is _MODE else 'full object id'}")


def _read(source: Source, hint: Any) -> Any:
    value = source.value
    if isinstance(hint, UnionType):
        [inner] = [part for part in get_args(hint) if part is not NoneType]
        return None if value is None else _read(source, inner)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise FieldError(f"{source.place} is not a list")
        return tuple(_read(source.at(item, f"[{i}]"), get_args(hint)[0]) for i, item in enumerate(value))
    if is_dataclass(hint) and isinstance(hint, type):
        return hint(**fields_of(source, hint))
    if type(value) is not hint:
        raise FieldError(f"{source.place} is not {_SPOKEN[hint]}")
    if hint is int and value < 0:
        raise FieldError(f"{source.place} is negative")
    return value


_SPOKEN = {str: "text", int: "a whole number", bool: "true or false"}
_hints = cache(get_type_hints)


def _json_name(name: str) -> str:
    """`old_mode` -> `oldMode`; `cls` -> `class`, a word that Python keeps for itself."""
    if name == "cls":
        return "class"
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
