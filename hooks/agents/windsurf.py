"""The payload of Windsurf's hooks. It may hold raw control characters, which the reader of JSON lets pass."""

from collections.abc import Mapping

from foureyes.hooks.agents.tool_call import Payload, Phase, ToolCall, make, part, plain_model, text

_EVENTS: dict[str, tuple[Phase, str]] = {
    "pre_write_code": ("before", "edit"),
    "post_write_code": ("after", "edit"),
    "pre_run_command": ("before", "shell"),
    "post_run_command": ("after", "shell"),
    "pre_mcp_tool_use": ("before", "mcp__"),
    "post_mcp_tool_use": ("after", "mcp__"),
    "post_cascade_response": ("end", ""),
    "post_cascade_response_with_transcript": ("end", ""),
}


def fits(payload: Payload) -> bool:
    return "agent_action_name" in payload and "trajectory_id" in payload


def read(payload: Payload, _environment: Mapping[str, str], _named: str) -> ToolCall | None:
    event = _EVENTS.get(text(payload, "agent_action_name"))
    if event is None:
        return None
    phase, tool = event
    told = part(payload, "tool_info")
    # Before and after carry different details; what both have pairs them.
    kept = {name: told[name] for name in ("file_path", "command_line", "command", "cwd") if name in told}
    return make(
        "windsurf",
        session_id=text(payload, "trajectory_id"),
        phase=phase,
        cwd=text(told, "cwd") or text(payload, "cwd") or _folder(text(told, "file_path")),
        tool=tool,
        given=kept,
        given_id=f"{text(payload, 'execution_id')}:{sorted(kept.items())!r}" if kept else "",
        model=plain_model(payload.get("model_name")),
    )


def _folder(file: str) -> str:
    return file.rpartition("/")[0]
