"""The payload of Gemini CLI's hooks: no id for a call, and the edit's original content in the answer."""

from collections.abc import Mapping

from foureyes.hooks.agents.tool_call import (
    Payload,
    Phase,
    ToolCall,
    last_model,
    make,
    part,
    plain_model,
    text,
)

_PHASES: dict[str, Phase] = {"BeforeTool": "before", "AfterTool": "after", "AfterAgent": "end"}


def fits(payload: Payload) -> bool:
    return text(payload, "hook_event_name") in _PHASES


def read(payload: Payload, _environment: Mapping[str, str], _named: str) -> ToolCall | None:
    shown = part(part(payload, "tool_response"), "returnDisplay")
    original: object = (
        text(shown, "originalContent") or None
    )  # an empty text stands for an empty file and for none
    return make(
        "gemini-cli",
        session_id=text(payload, "session_id"),
        phase=_PHASES[text(payload, "hook_event_name")],
        cwd=text(payload, "cwd"),
        tool=text(payload, "tool_name"),
        given=payload.get("tool_input"),
        model=plain_model(payload.get("model")) or last_model(text(payload, "transcript_path")),
        originals=(None,) if shown.get("isNewFile") is True else original,
    )
