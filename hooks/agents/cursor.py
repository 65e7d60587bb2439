"""The payload of Cursor's hooks, of its editor and its command line."""

import re
from collections.abc import Mapping
from typing import Any

from foureyes.hooks.agents.tool_call import Payload, Phase, ToolCall, first_root, make, plain_model, text

ANSWER = "{}"
"""It reads an answer from every hook; an empty one decides nothing."""
_PHASES: dict[str, Phase] = {
    "preToolUse": "before",
    "postToolUse": "after",
    "postToolUseFailure": "after",
    "beforeShellExecution": "before",
    "afterShellExecution": "after",
    "afterFileEdit": "after",
    "afterTabFileEdit": "after",
    "stop": "end",
    "sessionEnd": "end",
}
_OWN_FIELDS = ("generation_id", "cursor_version")
_VERSION = r"\d[\w.+-]{0,39}"


def fits(payload: Payload) -> bool:
    return "conversation_id" in payload and any(name in payload for name in _OWN_FIELDS)


def read(payload: Payload, _environment: Mapping[str, str], _named: str) -> ToolCall | None:
    event = text(payload, "hook_event_name")
    phase = _PHASES.get(event)
    if phase is None:
        return None
    tool, given, given_id = (
        text(payload, "tool_name"),
        payload.get("tool_input"),
        text(payload, "tool_use_id"),
    )
    undo: tuple[tuple[str, str], ...] = ()
    if event.endswith("ShellExecution"):
        command = text(payload, "command")
        tool, given, given_id = "Shell", {"command": command}, f"{text(payload, 'generation_id')}:{command}"
    elif event.endswith("FileEdit"):
        tool, given = "Write", {"file_path": payload.get("file_path")}
        undo = _undo(payload.get("edits"))
        given_id = repr((text(payload, "generation_id"), given, undo))
    found = re.fullmatch(_VERSION, text(payload, "cursor_version"))
    return make(
        "cursor",
        session_id=text(payload, "conversation_id"),
        phase=phase,
        cwd=text(payload, "cwd") or first_root(payload, "workspace_roots"),
        tool=tool,
        given=given,
        given_id=given_id,
        version=found[0] if found else "",
        model=plain_model(payload.get("model")),
        undo=undo,
    )


def _undo(edits: Any) -> tuple[tuple[str, str], ...]:
    """The edits backwards, (new, old); nothing if one of them cannot be found again in the file."""
    pairs = []
    for edit in edits if isinstance(edits, list) else ():
        if (
            not isinstance(edit, dict)
            or not text(edit, "new_string")
            or not isinstance(edit.get("old_string"), str)
        ):
            return ()
        pairs.append((edit["new_string"], edit["old_string"]))
    return tuple(reversed(pairs))
