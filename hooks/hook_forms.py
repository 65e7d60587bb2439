"""The forms in which agents take hooks: how ours are put into the text of such a file, found there and taken out."""

import contextlib
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from foureyes.hooks import json_text
from foureyes.hooks.json_text import Node

_MARK = re.compile(r"\bfoureyes'? checkpoint [a-z0-9-]+")


class Form(Protocol):
    """Texts in, texts out; None stands for no file. All raise ValueError with the reason if the text is not of the
    form, and is therefore to be left alone.
    """

    def add(self, text: str | None, command: str, /) -> str: ...

    def remove(self, text: str, original: str | None, /) -> str | None: ...

    def has(self, text: str | None, /) -> bool: ...


def _is_ours(value: object) -> bool:
    return isinstance(value, str) and _MARK.search(value) is not None


@dataclass(frozen=True)
class JsonHooks:
    """Settings with `{"hooks": {EVENT: [...]}}`. `entry` makes the item of an event's list from the command."""

    events: tuple[str, ...]
    entry: Callable[[str], dict[str, Any]]
    beside: tuple[tuple[str, Any], ...] = ()
    """Members that a new file needs beside `hooks`."""
    comments: bool = True

    def add(self, text: str | None, command: str) -> str:
        if text is None or not text.strip():
            hooks = {event: [self.entry(command)] for event in self.events}
            return json.dumps({**dict(self.beside), "hooks": hooks}, indent=2) + "\n"
        if self.has(text) and not self._has_command(text, command):
            text = self.remove(text, None) or "{}"
        for event in self.events:
            hooks_node = self._hooks(text)
            root = json_text.parse(text)
            if hooks_node is None:
                text = json_text.insert(text, root, {event: [self.entry(command)]}, "hooks")
                continue
            listed = hooks_node.get(event)
            if listed is None:
                text = json_text.insert(text, hooks_node, [self.entry(command)], event)
            elif not any(_ours_in(item.value) for item in listed.children):
                text = json_text.insert(text, listed, self.entry(command))
        self._hooks(text)
        return text

    def remove(self, text: str, original: str | None) -> str | None:
        """`original` is what there was before ours came: a member that stood there empty stays."""
        while (found := self._first_ours(text)) is not None:
            text = json_text.remove(text, *found)
        before: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            before = json_text.parse(original).value if original else {}
        hooks = self._hooks(text)
        for event in self.events:
            if hooks is not None and hooks.value.get(event) == [] and event not in before.get("hooks", {}):
                text = json_text.remove(text, hooks, hooks.keys.index(event))
                hooks = self._hooks(text)
        if hooks is not None and not hooks.value and "hooks" not in before:
            root = json_text.parse(text)
            text = json_text.remove(text, root, root.keys.index("hooks"))
        left = json_text.parse(text).value
        return None if original is None and left in ({}, dict(self.beside)) else text

    def has(self, text: str | None) -> bool:
        hooks = self._hooks(text) if text and text.strip() else None
        return hooks is not None and all(
            any(_ours_in(item) for item in hooks.value.get(event, [])) for event in self.events
        )

    def _has_command(self, text: str, command: str) -> bool:
        hooks = self._hooks(text)
        return hooks is not None and all(
            any(item == self.entry(command) for item in hooks.value.get(event, [])) for event in self.events
        )

    def _hooks(self, text: str) -> Node | None:
        root = json_text.parse(text)
        if not self.comments:
            json.loads(text)
        if not isinstance(root.value, dict):
            raise ValueError("it is not an object")
        hooks = root.get("hooks")
        if hooks is not None and not (
            isinstance(hooks.value, dict) and all(_is_list_of_hooks(value) for value in hooks.value.values())
        ):
            raise ValueError("its hooks are not lists of hooks")
        return hooks

    def _first_ours(self, text: str) -> tuple[Node, int] | None:
        """The list and the place in it of the first hook of ours: a whole entry, or one hook in a group that holds
        others' too.
        """
        hooks = self._hooks(text)
        for listed in hooks.children if hooks else ():
            for number, item in enumerate(listed.children):
                inner = item.get("hooks")
                own = [_ours_in(hook.value) for hook in inner.children] if inner else []
                if inner is not None and any(own) and not all(own):
                    return inner, own.index(True)
                if _ours_in(item.value):
                    return listed, number
        return None


def _is_list_of_hooks(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and isinstance(item.get("hooks", []), list)
        and all(isinstance(hook, dict) for hook in item.get("hooks", []))
        for item in value
    )


def _ours_in(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    inner = item.get("hooks")
    if isinstance(inner, list) and inner:
        return any(_ours_in(hook) for hook in inner)
    return _is_ours(item.get("command")) or _is_ours(item.get("bash"))


@dataclass(frozen=True)
class TomlHooks:
    """Codex's `config.toml`, for those who keep their hooks there."""

    events: tuple[str, ...]
    seconds: int

    def add(self, text: str | None, command: str) -> str:
        text = text or ""
        if self.has(text):
            text = self.remove(text, "") or ""
        before = _toml(text)
        start = "" if not text or text.endswith("\n") else "\n"
        new = text + start + "".join(self._block(event, command) for event in self.events)
        after = _toml(new)
        for event in self.events:
            after["hooks"][event].pop()
            if not after["hooks"][event]:
                del after["hooks"][event]
        if {**before, "hooks": before.get("hooks", {})} != after:
            raise ValueError("hooks cannot be added to it without changing what it says")
        return new

    def remove(self, text: str, original: str | None) -> str | None:
        for event in self.events:
            pattern = re.escape(self._block(event, "COMMAND")).replace("COMMAND", "[^\n]*")
            text = re.sub(pattern, lambda found: "" if _is_ours(found[0]) else found[0], text)
        return None if original is None and not text.strip() else text

    def has(self, text: str | None) -> bool:
        hooks = _toml(text or "").get("hooks", {})
        return all(
            any(_ours_in(group) for group in hooks.get(event, []) if isinstance(group, dict))
            for event in self.events
        )

    def _block(self, event: str, command: str) -> str:
        return (
            f'\n[[hooks.{event}]]\n[[hooks.{event}.hooks]]\ntype = "command"\n'
            f"command = {json.dumps(command)}\ntimeout = {self.seconds}\n"
        )


def _toml(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@dataclass(frozen=True)
class OwnFile:
    """A file that is ours as a whole. `make` writes it from the command."""

    make: Callable[[str], str]
    mark: str = "foureyes"

    def add(self, text: str | None, command: str) -> str:
        if text is not None and not self.has(text):
            raise ValueError("another file of that name is there")
        return self.make(command)

    def remove(self, text: str, _original: str | None) -> str | None:
        return None if self.has(text) else text

    def has(self, text: str | None) -> bool:
        return text is not None and self.mark in text


def grouped(timeout: float, **more: Any) -> Callable[[str], dict[str, Any]]:
    """A group with one hook, as Claude Code has it, for all tools; `more` goes into the hook."""

    def entry(command: str) -> dict[str, Any]:
        return {"hooks": [{"type": "command", "command": command, "timeout": timeout, **more}]}

    return entry


def own_json(events: Sequence[str], entry: Callable[[str], dict[str, Any]]) -> Callable[[str], str]:
    def make(command: str) -> str:
        hooks = {event: [entry(command)] for event in events}
        return json.dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"

    return make
