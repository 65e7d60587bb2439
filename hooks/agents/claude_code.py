"""The payload that Claude Code gives its hooks. Other agents send the same shape, or run Claude's own hook
configuration, so who it really is comes from the environment of the hook.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Phase = Literal["before", "after", "end"]
Kind = Literal["edit", "shell"]

_PHASES: dict[str, Phase] = {
    "PreToolUse": "before",
    "PostToolUse": "after",
    "PostToolUseFailure": "after",
    "Stop": "end",
    "SubagentStop": "end",
    "SessionEnd": "end",
}
_EDIT_TOOLS = {"Edit", "Write", "MultiEdit", "NotebookEdit"}
_SHELL_TOOLS = {"Bash", "PowerShell"}
# These run hooks that were written for Claude Code. Sources: runs of Copilot CLI 1.0, Gemini CLI and Qwen Code with
# such a configuration; each sets its own variable in the hook's environment.
_OTHERS = {
    "COPILOT_CLI": "copilot-cli",
    "GEMINI_SESSION_ID": "gemini-cli",
    "QWEN_CODE_SESSION_ID": "qwen-code",
}
_MODEL = re.compile(rb'"model":"([A-Za-z0-9][A-Za-z0-9._:/@-]{0,79})"')
_VERSION = re.compile(r"^claude-code_(\d+(?:-\d+)*)_")
_TAIL = 64 * 1024


@dataclass(frozen=True)
class ToolCall:
    """One hook call of an agent. `kind` is `edit` (files are named) or `shell` (anything may change); `files` are as
    the agent names them; `originals` holds contents from before the call that the agent itself reports.
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
    originals: tuple[tuple[str, bytes | None], ...] = ()


def read(payload: Mapping[str, Any], environment: Mapping[str, str]) -> ToolCall | None:
    """The call behind a payload; None if it is about nothing that can change a file, or is not of this shape."""
    phase = _PHASES.get(_text(payload, "hook_event_name"))
    session_id, tool = _text(payload, "session_id"), _text(payload, "tool_name")
    if phase is None or not session_id:
        return None
    kind: Kind = "edit" if tool in _EDIT_TOOLS else "shell"
    if phase != "end" and kind == "shell" and tool not in _SHELL_TOOLS and not tool.startswith("mcp__"):
        return None
    agent = next((name for variable, name in _OTHERS.items() if environment.get(variable)), "claude-code")
    files = _files(payload) if kind == "edit" and phase != "end" else ()
    return ToolCall(
        agent=agent,
        version=_version(environment) if agent == "claude-code" else "",
        model=_model(payload),
        session=hashlib.sha256(f"{agent}:{session_id}".encode()).hexdigest(),
        call=_call_id(payload, session_id, tool),
        cwd=_text(payload, "cwd"),
        phase=phase,
        kind=kind,
        files=files,
        originals=_originals(payload, files),
    )


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _files(payload: Mapping[str, Any]) -> tuple[str, ...]:
    given = payload.get("tool_input")
    if not isinstance(given, dict):
        return ()
    return tuple(value for name in ("file_path", "notebook_path") if (value := _text(given, name)))


def _call_id(payload: Mapping[str, Any], session_id: str, tool: str) -> str:
    """Pairs before with after; versions without `tool_use_id` are paired by what the tool was asked to do."""
    given = _text(payload, "tool_use_id") or repr((tool, payload.get("tool_input")))
    return hashlib.sha256(f"{session_id}\0{given}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _originals(payload: Mapping[str, Any], files: tuple[str, ...]) -> tuple[tuple[str, bytes | None], ...]:
    answer = payload.get("tool_response")
    if not isinstance(answer, dict) or "originalFile" not in answer or len(files) != 1:
        return ()
    original = answer["originalFile"]
    if original is None:
        return ((files[0], None),)
    return ((files[0], original.encode("utf-8", "surrogatepass")),) if isinstance(original, str) else ()


def _version(environment: Mapping[str, str]) -> str:
    found = _VERSION.match(environment.get("AI_AGENT", ""))
    return found.group(1).replace("-", ".") if found else ""


def _model(payload: Mapping[str, Any]) -> str:
    """From the payload, else the name alone from the last lines of the transcript: nothing else is read out of it,
    and nothing of it is kept.
    """
    given = payload.get("model")
    if isinstance(given, dict):
        given = given.get("id")
    if isinstance(given, str) and _MODEL.fullmatch(f'"model":"{given}"'.encode("utf-8", "replace")):
        return given
    try:
        with open(_text(payload, "transcript_path"), "rb") as file:  # noqa: PTH123 -- a str from JSON may hold NUL
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            names = _MODEL.findall(file.read(_TAIL))
    except (OSError, ValueError):
        return ""
    return names[-1].decode("ascii") if names else ""
