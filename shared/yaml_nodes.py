"""YAML without surprises, and with the line and column of everything.

Read from the parser's events, not its tree: so an alias is refused before it is expanded, and deep nesting before it
is built. A plain scalar is true, false, null, a decimal integer, an ISO date or a text; whatever a YAML reader might
take for something else has to be put in quotes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from foureyes.shared.policy_problem import Place, Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_PROBLEMS = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Some reader of YAML 1.1 or 1.2 takes these for booleans, nulls, numbers, times or a merge.
_SURPRISING = re.compile(
    r"""y|n|yes|no|on|off|true|false|null|<<|=
    |[-+]?0[xob][0-9a-f_]+
    |[-+]?[0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?
    |[-+]?\.[0-9][0-9_]*(e[-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
    |[-+]?\.?(inf|nan|infinity)
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([t]|[ \t]+)[0-9].*)?
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass
class Document:
    """`value` is made of dict, tuple, str, int, bool, date and None. `broken` are places that a problem has already
    been reported for; their value means nothing. `complete` False: the text could not be read to its end.
    """

    value: Any = None
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    broken: set[Place] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True

    def where(self, place: Place, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key; of the nearest thing around it if it is not there."""
        while place:
            for marks in (self.keys, self.values) if at_key else (self.values, self.keys):
                if place in marks:
                    return marks[place]
            place, at_key = place[:-1], True
        return (1, 1)


def read_yaml(text: str) -> Document:
    """Never raises: what is wrong is in `problems`."""
    document = Document()
    if problem := _unreadable(text):
        document.problems.append(problem)
        document.complete = False
        return document
    try:
        _Builder(document, yaml.parse(text, Loader=_LOADER)).build()
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(error, text))
        document.complete = False
    except _Stop:
        document.complete = False
    return document


def _unreadable(text: str) -> Problem | None:
    found = _UNPRINTABLE.search(text.removeprefix("\ufeff"))
    if found:
        before = text[: found.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(line, column, f"the character U+{ord(found[0]):04X} is not allowed", "take it out")
    if len(text.encode()) > MAX_BYTES:
        return Problem(
            1, 1, f"the file is larger than {MAX_BYTES // 1024} KiB", "use wider patterns, and fewer"
        )
    return None


class _Stop(Exception):
    """Reading on would only cost time."""


class _Builder:
    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self._document = document
        self._events = events

    def build(self) -> None:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.version or event.tags:
                    self._problem(event, "YAML directives (%YAML, %TAG) are not allowed", "take the line out")
                if self._document.values:
                    self._problem(
                        event, "a second document begins here", "a policy is one document: take out the ---"
                    )
                    return
                self._document.value = self._node(next(self._events), ())

    def _node(self, event: Any, place: Place) -> Any:
        document = self._document
        document.values[place] = _mark(event)
        if len(place) > MAX_DEPTH:
            self._problem(event, f"nested deeper than {MAX_DEPTH} levels")
            raise _Stop
        if isinstance(event, yaml.AliasEvent):
            hint = f'a pattern that begins with * needs quotes: "*{event.anchor}"'
            return self._broken(
                event, place, f"*{event.anchor} is a YAML alias, which is not allowed here", hint
            )
        if event.anchor is not None:
            self._problem(
                event, f"&{event.anchor} is a YAML anchor, which is not allowed here", "put it in quotes"
            )
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "put a pattern that begins with ! in quotes"
            self._broken(event, place, f"{shown} is a YAML tag, which is not allowed here", hint)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        return self._scalar(event, place)

    def _mapping(self, place: Place) -> dict[str | int, Any]:
        found: dict[str | int, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, place)
            mark = _mark(event)
            # A key that is refused still has a value to be read; no place of the language has such a name.
            inner = (*place, f"\0{mark}" if key is None else key)
            if key is not None and key in found:
                first = self._document.keys[inner][0]
                self._problem(event, f"`{key}` stands here twice", f"the first is on line {first}")
                inner = (*place, f"\0{mark}")
            self._document.keys[inner] = mark
            value = self._node(next(self._events), inner)
            if key is not None and key not in found:
                found[key] = value
        return found

    def _key(self, event: Any, place: Place) -> str | int | None:
        if not isinstance(event, yaml.ScalarEvent):
            where = (*place, f"\0{_mark(event)}")
            self._node(event, where)
            self._problem(event, "a key must be a text", "put it in quotes")
            return None
        before = len(self._document.problems)
        key = self._scalar(event, (*place, f"\0{_mark(event)}"))
        if event.tag is not None or event.anchor is not None:
            self._problem(event, "tags and anchors are not allowed here", "put the key in quotes")
            return None
        if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
            return key if len(self._document.problems) == before else None
        if len(self._document.problems) == before:
            self._problem(
                event, f"the key {event.value or 'is missing, or'} is not a text", "put it in quotes"
            )
        return None

    def _sequence(self, place: Place) -> tuple[Any, ...]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*place, len(found))))
        return tuple(found)

    def _scalar(self, event: Any, place: Place) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in {"", "~", "null"}:
            return None
        if text in {"true", "false"}:
            return text == "true"
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                return self._broken(event, place, f"there is no day {text}", "a date is written 2027-06-30")
        if _SURPRISING.fullmatch(text):
            message = f"`{text}` is not the same to all readers of YAML"
            return self._broken(event, place, message, _plain_form(text))
        return text

    def _broken(self, event: Any, place: Place, message: str, hint: str = "") -> None:
        self._document.broken.add(place)
        self._problem(event, message, hint)

    def _problem(self, event: Any, message: str, hint: str = "") -> None:
        self._document.problems.append(Problem(*_mark(event), message, hint))
        if len(self._document.problems) >= MAX_PROBLEMS:
            raise _Stop


def _mark(event: Any) -> tuple[int, int]:
    return (event.start_mark.line + 1, event.start_mark.column + 1)


def _plain_form(text: str) -> str:
    if text.lower() in {"y", "yes", "on", "true"}:
        return f'write true, or "{text}" if it is a name'
    if text.lower() in {"n", "no", "off", "false"}:
        return f'write false, or "{text}" if it is a name'
    return f'write "{text}" in quotes if it is a name; numbers are written like 2, dates like 2027-06-30'


_SYNTAX = (
    (
        "alphabetic or numeric character",
        "`*`, `&` or `!` begins something special in YAML",
        'use quotes: "*.tf"',
    ),
    ("mapping values are not allowed", "a colon is not expected here", "check the indentation above"),
    (
        "expected whitespace or line break",
        "`!` begins something special in YAML",
        'use quotes: "!infra/README.md"',
    ),
    ("end of stream", "a quote is not closed", "close it"),
    ("expected ',' or", "a comma or a closing bracket is missing", "look between here and the next line"),
    ("node content", "a value or a closing bracket is missing", "close the bracket"),
    ("expected key", "this line is not indented like the ones around it", "use two spaces a level"),
    ("expected '-' indicator", "this line is not indented like the ones around it", "use two spaces a level"),
    ("could not find expected ':'", "a colon is missing after a key", "write `key: value`"),
)

_BETWEEN = "close it, or look for the comma on the lines between"

_STARTS_EARLIER = (
    "while scanning a quoted",
    "while scanning an alias",
    "while scanning an anchor",
    "while scanning a tag",
    "while scanning a simple key",
)


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    if str(getattr(error, "context", "")).startswith(_STARTS_EARLIER):
        mark = getattr(error, "context_mark", mark)
    said = str(getattr(error, "problem", None) or error)
    if mark is None:
        return Problem(1, 1, f"the file is not YAML: {said}")
    line, column = mark.line + 1, mark.column + 1
    lines = text.split("\n")
    began = getattr(error, "context_mark", None)
    in_brackets = str(getattr(error, "context", "")).startswith("while parsing a flow")
    if began is not None and in_brackets and mark.line > began.line:
        where = f"the bracket on line {began.line + 1}, column {began.column + 1}"
        return Problem(line, column, f"{where} is not closed before here, or a comma is missing", _BETWEEN)
    here = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if here in {"@", "`"} and "cannot start any token" in said:
        return Problem(
            line, column, f"a text that begins with {here} needs quotes", 'write "@acme/engineers"'
        )
    if here == "\t":
        return Problem(
            line, column, "a tab stands where YAML takes only spaces", "indent with two spaces a level"
        )
    for sign, message, hint in _SYNTAX:
        if sign in said:
            return Problem(line, column, message, hint)
    return Problem(line, column, f"the file is not YAML here: {said}")
