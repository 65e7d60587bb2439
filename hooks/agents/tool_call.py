"""What an agent's hook tells about one tool call, whichever of the agents told it."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from foureyes.hooks.agents import review
from foureyes.hooks.digest import sha256_hex

Phase = Literal["before", "after", "end"]
Kind = Literal["edit", "shell"]
Payload = Mapping[str, Any]
Originals = tuple[tuple[str, bytes | None], ...]

_EDIT_TOOLS = frozenset(
    str.split(
        # Claude Code, Droid, Cursor
        "edit write multiedit notebookedit create strreplace delete applypatch"
        # Codex, Copilot, VS Code
        " apply_patch str_replace_editor editfiles create_file replace_string_in_file edit_notebook_file"
        " multi_replace_string_in_file insert_edit_into_file"
        # Gemini CLI, Qwen Code, opencode
        " replace write_file notebook_edit patch"
        # Cline, Amp, Amazon Q, Auggie
        " editor replace_in_file write_to_file edit_file undo_edit fs_write save-file str-replace-editor"
        " remove-files"
    )
)
_SHELL_TOOLS = frozenset(
    str.split(
        "bash powershell shell execute run_shell_command run_in_terminal runinterminal exec_command local_shell"
        " run_commands execute_command execute_bash shell_command launch-process write_bash write_stdin"
    )
)
"""Small letters. A tool in neither list still counts as an edit if it is given a file and a content for it, and as a
shell if it is given a command, or a place where something is to go.
"""

_PATH_NAMES = ("file_path", "filePath", "path", "notebook_path", "absolute_path", "target_file", "file")
_PATH_LISTS = ("files", "paths", "filePaths", "file_paths")
_CONTENT_NAMES = frozenset(
    str.split(
        "content contents new_string newString new_str new_text newText file_text fileText code_edit edits"
        " replacements patch patchText"
    )
)
_COMMAND_NAMES = frozenset(
    str.split("command commands cmd script diff destination new_path newPath new_name newName tool_calls")
)
_BACKGROUND = ("run_in_background", "is_background", "isBackground", "background", "detach", "async")
_PLACE_NAMES = ("cwd", "workdir", "working_directory", "dir_path", "directory")
# Texts, here and beside: compiling them takes time that most calls need not spend.
_PATCH_LINE = r"(?m)^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\r?$"
_MODEL = rb'"(?:model|modelID|model_id)": ?"([A-Za-z0-9][A-Za-z0-9._:/@-]{0,79})"'
_PLAIN_MODEL = r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,79}"
_TAIL = 64 * 1024
_DEEPEST = 6


class ToolCall(NamedTuple):
    """One hook call of an agent. `kind` is `edit` (files are named) or `shell` (anything may change); `files` are as
    the agent names them; `originals` holds contents from before the call that the agent itself reports, `undo` pairs
    (new, old) that lead back to them from what is there now.
    """

    agent: str
    version: str
    model: str
    session: str
    """sha256 of the agent and its session id: enough to tell sessions apart, not to find one."""
    call: str
    cwd: str
    phase: Phase
    kind: Kind
    files: tuple[str, ...] = ()
    originals: Originals = ()
    undo: tuple[tuple[str, str], ...] = ()
    is_review: bool = False
    """The agent approves a pull request with this call."""
    elsewhere: tuple[str, ...] = ()
    """Work trees of other repositories that a shell command names."""
    goes_on: bool = False
    """The command runs in the background: the end of the call is not its end."""
    join: str = ""
    """The end of the session id, by which a commit made in one of its shells finds the session's model."""


def make(
    agent: str,
    *,
    session_id: str,
    phase: Phase,
    cwd: str,
    tool: str = "",
    given: object = None,
    given_id: str = "",
    pair: str = "",
    version: str = "",
    model: str = "",
    originals: object = None,
    undo: tuple[tuple[str, str], ...] = (),
) -> ToolCall | None:
    """The call behind what an agent told; None if it is about nothing that can change a file.

    `given` is the tool's input, `given_id` the agent's own id of the call, `pair` one that holds beyond the session,
    `originals` the one content that it reports (a text; None in a tuple: there was no file).
    """
    if not session_id and not tool:
        return None
    session_id = session_id or f"untold in {cwd}"
    files: tuple[str, ...] = ()
    kind: Kind = "shell"
    if phase != "end":
        found, files = _written(tool, given)
        if found is None:
            return None
        kind = found
    place = _place(cwd, given) if kind == "shell" else cwd
    return ToolCall(
        agent=agent,
        version=version,
        model=model,
        session=session_hash(agent, session_id),
        call=_call_id("", pair) if pair else _call_id(session_id, given_id or repr((tool, given))),
        cwd=place,
        phase=phase,
        kind=kind,
        files=files,
        originals=_originals(files, originals),
        undo=undo if len(files) == 1 else (),
        elsewhere=_elsewhere(place, given) if kind == "shell" and phase != "end" else (),
        goes_on=kind == "shell" and _goes_on(given),
        is_review=phase == "before" and review.is_approval(tool, given),
        join=session_id.rpartition("-")[2] if "-" in session_id else "",
    )


def _elsewhere(place: str, given: object) -> tuple[str, ...]:
    from foureyes.hooks.agents.places import named_elsewhere  # an edit names nothing else

    return named_elsewhere(place, given)


def text(payload: Payload, *names: str) -> str:
    """The first of these fields that is a text, or nothing."""
    return next((value for name in names if isinstance(value := payload.get(name), str) and value), "")


def part(payload: Payload, *names: str) -> Payload:
    """The first of these fields that is an object (some agents send it as JSON in a text), or an empty one."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, str) and value.startswith("{"):
            try:
                value = json.loads(value, strict=False)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            return value
    return {}


def first_root(payload: Payload, *names: str) -> str:
    """The first folder of a list of workspace folders."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, list) and value and isinstance(value[0], str):
            return value[0]
    return ""


def session_hash(agent: str, session_id: str) -> str:
    return sha256_hex(f"{agent}:{session_id}".encode("utf-8", "surrogatepass"))


def plain_model(value: object) -> str:
    """A model's name as a payload tells it: a text, or an object with an `id`."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("modelID")
    return value if isinstance(value, str) and re.fullmatch(_PLAIN_MODEL, value) else ""


def last_model(transcript: str) -> str:
    """The model's name alone from the last lines of a transcript: nothing else is read out of it, and nothing of it
    is kept. A quotation of such a line inside the conversation has its quotes escaped, so it does not match.
    """
    try:
        with open(transcript, "rb") as file:  # noqa: PTH123 -- a str from JSON may hold NUL
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            names = re.findall(_MODEL, file.read(_TAIL))
    except (OSError, ValueError):
        return ""
    return names[-1].decode("ascii") if names else ""


def _written(tool: str, given: object) -> tuple[Kind | None, tuple[str, ...]]:
    """The kind of a tool, None for one that only looks, and the files that it is given."""
    name = tool.lower()
    if name in _SHELL_TOOLS or name.startswith(("mcp__", "mcp_", "mcp:")):
        return "shell", ()
    writes = name in _EDIT_TOOLS
    names = given.keys() if isinstance(given, dict) else set[str]()
    files = tuple(dict.fromkeys(_files(given, _DEEPEST))) if writes or _CONTENT_NAMES & names else ()
    if files:
        return "edit", files
    return ("shell" if writes or _COMMAND_NAMES & names else None), ()


def _files(given: object, deepest: int) -> Iterator[str]:
    if isinstance(given, str):
        if "*** Begin Patch" in given:
            yield from re.findall(_PATCH_LINE, given)
    elif isinstance(given, list):
        if deepest:
            for item in given:
                yield from _files(item, deepest - 1)
    elif isinstance(given, dict):
        for name, value in given.items():
            if name in _PATH_NAMES and isinstance(value, str) and value:
                yield value
            elif name in _PATH_LISTS and isinstance(value, list):
                yield from (item for item in value if isinstance(item, str) and item)
                yield from _files([item for item in value if isinstance(item, dict)], deepest - 1)
            elif deepest:
                yield from _files(value, deepest - 1)


def _goes_on(given: object) -> bool:
    return isinstance(given, dict) and (
        any(given.get(name) is True for name in _BACKGROUND) or given.get("mode") in ("async", "background")
    )


def _place(cwd: str, given: object) -> str:
    """Where a shell command runs: beside the session's folder some tools can be given one of their own."""
    own = text(given, *_PLACE_NAMES) if isinstance(given, dict) else ""
    return os.path.join(cwd, own) if own and "\0" not in own else cwd  # noqa: PTH118 -- texts of a payload


def _originals(files: tuple[str, ...], reported: object) -> Originals:
    if len(files) != 1 or reported is None:
        return ()
    if reported == (None,):
        return ((files[0], None),)
    return ((files[0], reported.encode("utf-8", "surrogatepass")),) if isinstance(reported, str) else ()


def _call_id(session_id: str, given: str) -> str:
    """Pairs before with after; agents without an id for a call are paired by what the tool was asked to do."""
    return sha256_hex(f"{session_id}\0{given}".encode("utf-8", "surrogatepass"))[:32]
