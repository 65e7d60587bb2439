"""Edits in the text of a JSON file that belongs to a person: what they wrote, comments and all, stays as it is.

Comments (`//`, `/* */`) and commas before a closing bracket are read as the editors do that allow them.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
# Comments that stand behind a value, on its line.
_NOTES = re.compile(r"(?:[ \t]*/\*[^\r\n]*?\*/)*(?:[ \t]*//[^\r\n]*)?")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_STRINGS = json.JSONDecoder()
_DEEPEST = 100


@dataclass
class Node:
    """A value and where it stands: `text[start:end]`. Children of an object have their key's start in `starts`."""

    start: int
    end: int
    value: Any
    depth: int
    children: "list[Node]" = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def get(self, key: str) -> "Node | None":
        """The member of that name; of several the last, which is the one that counts."""
        found = [child for name, child in zip(self.keys, self.children, strict=False) if name == key]
        return found[-1] if found and isinstance(self.value, dict) else None


def parse(text: str) -> Node:
    """Raises ValueError if it is no JSON, comments and last commas aside."""
    node = _Reader(text).value(_end(_SPACE, text, 0), 0)
    rest = _end(_SPACE, text, node.end)
    if rest != len(text):
        raise ValueError(f"something follows the end: character {rest + 1}")
    return node


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def value(self, at: int, depth: int) -> Node:
        first = self._text[at : at + 1]
        if first == '"':
            value, end = _STRINGS.raw_decode(self._text, at)
            return Node(at, end, value, depth)
        if first in ("{", "["):
            if depth > _DEEPEST:
                raise ValueError("too deep")
            return self._container(at, depth, "}" if first == "{" else "]")
        plain = _PLAIN.match(self._text, at)
        if plain is None:
            raise ValueError(f"no value at character {at + 1}")
        return Node(at, plain.end(), json.loads(plain[0]), depth)

    def _container(self, start: int, depth: int, close: str) -> Node:
        node = Node(start, start, {} if close == "}" else [], depth)
        at = _end(_SPACE, self._text, start + 1)
        while self._text[at : at + 1] != close:
            node.starts.append(at)
            if close == "}":
                key, at = self._key(at)
                node.keys.append(key)
            child = self.value(at, depth + 1)
            node.children.append(child)
            if isinstance(node.value, dict):
                node.value[node.keys[-1]] = child.value
            else:
                node.value.append(child.value)
            at = _end(_SPACE, self._text, child.end)
            if self._text[at : at + 1] == ",":
                at = _end(_SPACE, self._text, at + 1)
            elif self._text[at : at + 1] != close:
                raise ValueError(f"no comma or {close} at character {at + 1}")
        node.end = at + 1
        return node

    def _key(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] != '"':
            raise ValueError(f"no name at character {at + 1}")
        key, end = _STRINGS.raw_decode(self._text, at)
        colon = _end(_SPACE, self._text, end)
        if self._text[colon : colon + 1] != ":":
            raise ValueError(f"no colon at character {colon + 1}")
        return key, _end(_SPACE, self._text, colon + 1)


def indent_of(text: str) -> str:
    """One step of the file's own indentation; two blanks where it shows none."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def insert(text: str, container: Node, value: object, key: str | None = None) -> str:
    """The text with a value at the end of an array, or as the last member of an object (with `key`)."""
    unit, line = indent_of(text), "\r\n" if "\r\n" in text else "\n"
    whole = text[container.start : container.end]
    on_lines = "\n" in whole or "\r" in whole or not container.children
    inner = line + unit * (container.depth + 1)
    written = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    if on_lines:
        written += inner.join(json.dumps(value, ensure_ascii=False, indent=unit).split("\n"))
    else:
        written += json.dumps(value, ensure_ascii=False)
    if not container.children:
        inside = text[container.start + 1 : container.end - 1]
        closing = "" if inside.strip(" \t") else line + unit * container.depth
        at = container.start + 1
        return text[:at] + inner + written + closing + text[at:]
    before = inner if on_lines else " "
    last = _comma_after(text, container)
    end = container.children[-1].end if last is None else last + 1
    noted = _end(_NOTES, text, end)
    if last is None:
        return f"{text[:end]},{text[end:noted]}{before}{written}{text[noted:]}"
    return f"{text[:noted]}{before}{written},{text[noted:]}"


def remove(text: str, container: Node, index: int) -> str:
    """The text without one child. What `insert` put beside others goes to the byte."""
    child, last = container.children[index], len(container.children) - 1
    if index < last:
        return text[: container.starts[index]] + text[container.starts[index + 1] :]
    own_comma = _comma_after(text, container)
    end = child.end if own_comma is None else own_comma + 1
    if not index:
        before, after = text[container.start + 1 : container.starts[0]], text[end : container.end - 1]
        if not before.strip() and not after.strip():
            return text[: container.start + 1] + text[container.end - 1 :]
        return text[: container.start + 1 if not before.strip() else container.starts[0]] + text[end:]
    comma = _end(_SPACE, text, container.children[index - 1].end)
    notes = text[comma + 1 : container.starts[index]].rstrip()
    if "//" in notes and not text[end:].lstrip(" \t").startswith(("\n", "\r")):
        notes += "\n"
    return text[: comma if own_comma is None else comma + 1] + notes + text[end:]


def _comma_after(text: str, container: Node) -> int | None:
    """Where the comma is that follows the last child, if one does."""
    at = _end(_SPACE, text, container.children[-1].end)
    return at if text[at : at + 1] == "," else None
