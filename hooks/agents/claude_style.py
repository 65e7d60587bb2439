"""The payload of Claude Code's hooks, which Codex, Qwen Code, Droid, VS Code and others send too, with names of their
own for some fields. Some of them also run hooks that were written for Claude Code, so who it really is comes from
the payload and the environment; for whom the hook was configured counts last.
"""

import re
from collections.abc import Mapping

from foureyes.hooks.agents import copilot
from foureyes.hooks.agents.tool_call import (
    Payload,
    Phase,
    ToolCall,
    first_root,
    last_model,
    make,
    part,
    plain_model,
    text,
)

_PHASES: dict[str, Phase] = {
    "PreToolUse": "before",
    "PostToolUse": "after",
    "PostToolUseFailure": "after",
    "Stop": "end",
    "SessionEnd": "end",
    # Amazon Q and Kiro write these small.
    "preToolUse": "before",
    "postToolUse": "after",
    "stop": "end",
}
_HOMES = {
    "/.claude/": "claude-code",
    "/.codex/": "codex-cli",
    "/.qwen/": "qwen-code",
    "/.factory/": "droid",
    "/.copilot/": "copilot-cli",
    "/GitHub.copilot-chat/": "copilot-vscode",
}
"""Where each keeps the transcripts that it names. Sources: runs; for Droid and VS Code their documentation."""
_OWN_FIELDS = {"turn_id": "codex-cli", "tool_call_id": "qwen-code", "hookEventName": "copilot-vscode"}
_OWN_TOOLS = {
    "run_in_terminal",
    "create_file",
    "replace_string_in_file",
    "editFiles",
    "insert_edit_into_file",
}
"""VS Code's. Source: its documentation."""
# Sources: runs of Copilot CLI, Gemini CLI and Qwen Code with a configuration for Claude Code; each sets its own
# variable in the hook's environment.
_OWN_VARIABLES = {
    "COPILOT_CLI": "copilot-cli",
    "GEMINI_SESSION_ID": "gemini-cli",
    "QWEN_CODE_SESSION_ID": "qwen-code",
}
_VERSION = r"claude-code[_/](\d+(?:[-.]\d+)*)[_/]"
_VERSIONS = {"copilot-cli": "COPILOT_CLI_BINARY_VERSION", "codex-cli": "CODEX_VERSION"}


def fits(payload: Payload) -> bool:
    return text(payload, "hook_event_name", "hookEventName") in _PHASES


def read(payload: Payload, environment: Mapping[str, str], named: str) -> ToolCall | None:
    agent = _agent(payload, environment, named)
    answer = part(payload, "tool_response")
    session_id = text(payload, "session_id", "sessionId", "conversation_id")
    model = plain_model(payload.get("model")) or last_model(text(payload, "transcript_path"))
    if not model and agent == "copilot-cli":
        model = copilot.session_model(session_id, environment)
    return make(
        agent,
        session_id=session_id,
        phase=_PHASES[text(payload, "hook_event_name", "hookEventName")],
        cwd=text(payload, "cwd") or first_root(payload, "workspace_roots"),
        tool=text(payload, "tool_name", "toolName"),
        given=payload.get("tool_input"),
        given_id=text(payload, "tool_use_id"),
        version=_version(agent, environment),
        model=model,
        originals=(None,)
        if "originalFile" in answer and answer["originalFile"] is None
        else answer.get("originalFile") or text(part(answer, "returnDisplay"), "originalContent") or None,
    )


def _agent(payload: Payload, environment: Mapping[str, str], named: str) -> str:
    transcript = text(payload, "transcript_path").replace("\\", "/")
    for home, agent in _HOMES.items():
        if home in transcript:
            return agent
    for field, agent in _OWN_FIELDS.items():
        if field in payload:
            return agent
    if text(payload, "tool_name") in _OWN_TOOLS:
        return "copilot-vscode"
    return next((agent for name, agent in _OWN_VARIABLES.items() if environment.get(name)), named)


def _version(agent: str, environment: Mapping[str, str]) -> str:
    if agent == "claude-code":
        found = re.match(_VERSION, environment.get("AI_AGENT", ""))
        return found[1].replace("-", ".") if found else ""
    found = re.fullmatch(r"\d[\w.+-]{0,39}", environment.get(_VERSIONS.get(agent, ""), ""))
    return found[0] if found else ""
