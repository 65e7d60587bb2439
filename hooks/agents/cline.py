"""The payload of Cline's hooks, of its command line and its extension."""

import re
from collections.abc import Mapping

from foureyes.hooks.agents.tool_call import Payload, Phase, ToolCall, first_root, make, part, text

ANSWER = '{"cancel":false}'
"""Without it the tool call would not go on."""
_ENDS = ("taskComplete", "taskCancel")
_VERSION = r"\d[\w.+-]{0,39}"


def fits(payload: Payload) -> bool:
    return "taskId" in payload and ("hookName" in payload or "clineVersion" in payload)


def read(payload: Payload, _environment: Mapping[str, str], _named: str) -> ToolCall | None:
    phase: Phase
    if "postToolUse" in payload:
        phase, told, call = "after", part(payload, "postToolUse"), part(payload, "tool_result")
    elif "preToolUse" in payload:
        phase, told, call = "before", part(payload, "preToolUse"), part(payload, "tool_call")
    elif any(name in payload for name in _ENDS):
        phase, told, call = "end", {}, {}
    else:
        return None
    found = re.fullmatch(_VERSION, text(payload, "clineVersion"))
    return make(
        "cline",
        session_id=text(payload, "taskId"),
        phase=phase,
        cwd=first_root(payload, "workspaceRoots"),
        tool=text(told, "toolName") or text(call, "name"),
        given=dict(part(call, "input") or part(told, "parameters")),
        given_id=text(call, "id"),
        version=found[0] if found else "",
    )
