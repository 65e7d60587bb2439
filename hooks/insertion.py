"""Our lines put into the files of hook managers: as text, so that everything else stays as it was written.

Each function answers the new text, or None where it is better written by a person. A configuration is read again
afterwards: it must say what it said, and ours, and nothing else.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from foureyes.hooks import managers
from foureyes.hooks.capture_files import EVENTS, native_line

_SHELL = re.compile(r"#! *\S*(?:/env +)?(?:\S*/)?(?:ba|da|k|z)?sh\b")
_ENDS_EARLY = re.compile(r"^\s*(?:exit|exec)\b", re.MULTILINE)


def into_script(text: str, event: str, *, shebang: bool) -> str | None:
    """A hook script of sh. Ours goes last, where what the others decide is known; first, if they may end before."""
    line = native_line(event)
    if line in text:
        return text
    first, _, rest = text.partition("\n")
    if first.startswith("#!") and not _SHELL.match(first):
        return None
    if not text:
        return f"#!/bin/sh\n{line}\n" if shebang else f"{line}\n"
    if _ENDS_EARLY.search(text):
        return f"{first}\n{line}\n{rest}" if first.startswith("#!") else f"{line}\n{text}"
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}\n"


def into_lefthook(text: str) -> str | None:
    """lefthook's YAML: a command of ours in each hook, beside the commands or jobs that are there."""
    for event in EVENTS:
        before = _load(text)
        if before is None:
            return None
        hook = before.get(event)
        if isinstance(hook, dict) and _has_ours(hook):
            continue
        new = _into_lefthook_hook(text, event)
        if new is None or not _only_added(before, _load(new), event):
            return None
        text = new
    return text


def _has_ours(hook: Mapping[str, Any]) -> bool:
    jobs = hook.get("jobs") or []
    return "foureyes" in (hook.get("commands") or {}) or any(job.get("name") == "foureyes" for job in jobs)


def _into_lefthook_hook(text: str, event: str) -> str | None:
    command = managers.lefthook_command(event)
    hook = _child(_compose(text), event)
    if hook is None:
        return _ending_in_break(text) + managers.lefthook_yaml((event,))
    commands, jobs = _child(hook, "commands"), _child(hook, "jobs")
    pairs = [f"{key}: {managers.scalar(value)}" for key, value in command.items()]
    if _is_block(commands, yaml.MappingNode):
        return _after(text, commands, ["foureyes:", *(f"  {pair}" for pair in pairs)])
    if _is_block(jobs, yaml.SequenceNode):
        return _after(text, jobs, ["- name: foureyes", *(f"  {pair}" for pair in pairs)])
    if commands is None and jobs is None and _is_block(hook, yaml.MappingNode):
        return _after(text, hook, ["commands:", "  foureyes:", *(f"    {pair}" for pair in pairs)])
    return None


def _only_added(before: Mapping[str, Any], after: Mapping[str, Any] | None, event: str) -> bool:
    if after is None or {k: v for k, v in after.items() if k != event} != {
        k: v for k, v in before.items() if k != event
    }:
        return False
    ours = managers.lefthook_command(event)
    hook, was = after.get(event), before.get(event) or {}
    if not isinstance(hook, dict):
        return False
    jobs = [*(was.get("jobs") or []), {"name": "foureyes", **ours}]
    with_command = {**was, "commands": {**(was.get("commands") or {}), "foureyes": ours}}
    return hook in (with_command, {**was, "jobs": jobs})


def into_pre_commit(text: str) -> str | None:
    """pre-commit's YAML: one local repository more, at the end."""
    before = _load(text)
    repos = _child(_compose(text), "repos") if before else None
    if before is None or not _is_block(repos, yaml.SequenceNode):
        return None
    if any(f"foureyes-{event}" in text for event in EVENTS):
        return text
    new = _after(text, repos, managers.pre_commit_yaml().splitlines())
    return new if _load(new) == {**before, "repos": [*before["repos"], managers.pre_commit_repo()]} else None


def into_prek(text: str) -> str | None:
    """prek's TOML, likewise."""
    if any(f"foureyes-{event}" in text for event in EVENTS):
        return text
    new = _ending_in_break(text) + managers.prek_toml()
    try:
        before, after = tomllib.loads(text), tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return None
    wanted = {**before, "repos": [*before.get("repos", []), managers.pre_commit_repo()]}
    return new if after == wanted else None


def _load(text: str) -> dict[str, Any] | None:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
    return found if isinstance(found, dict) else {} if found is None else None


def _compose(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _is_block(node: yaml.Node | None, kind: type[yaml.CollectionNode]) -> bool:
    return isinstance(node, kind) and not node.flow_style and bool(node.value)


def _after(text: str, collection: yaml.Node | None, lines: list[str]) -> str:
    """`lines` as one more element of a block collection, as deep as its others."""
    assert collection is not None  # noqa: S101 -- seen by _is_block
    indent = " " * collection.start_mark.column
    end = _last_leaf(collection).end_mark
    rows = text.splitlines(keepends=True)
    at = end.line + (1 if end.column else 0)
    if rows and not rows[-1].endswith("\n"):
        rows[-1] += "\n"
    return "".join([*rows[:at], *(f"{indent}{line}\n" for line in lines), *rows[at:]])


def _last_leaf(node: yaml.Node) -> yaml.Node:
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _ending_in_break(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
