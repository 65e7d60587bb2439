"""The payload of Copilot CLI's own hooks, and of the cloud agent's: it does not name its event."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

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

_SESSION = r"[A-Za-z0-9-]{8,64}"


def fits(payload: Payload) -> bool:
    return "sessionId" in payload and _phase(payload) is not None and "hookEventName" not in payload


def read(payload: Payload, environment: Mapping[str, str], _named: str) -> ToolCall | None:
    phase = _phase(payload)
    if phase is None:
        return None
    session_id = text(payload, "sessionId")
    return make(
        "copilot-swe-agent" if environment.get("COPILOT_AGENT_JOB_ID") else "copilot-cli",
        session_id=session_id,
        phase=phase,
        cwd=text(payload, "cwd"),
        tool=text(payload, "toolName"),
        given=dict(part(payload, "toolArgs")) or payload.get("toolArgs"),
        version=_plain_version(environment.get("COPILOT_CLI_BINARY_VERSION", "")),
        model=last_model(text(payload, "transcriptPath")) or session_model(session_id, environment),
    )


def _phase(payload: Payload) -> Phase | None:
    if "toolResult" in payload:
        return "after"
    if "toolName" in payload:
        return "before"
    return "end" if "stopReason" in payload or "transcriptPath" in payload else None


def session_model(session_id: str, environment: Mapping[str, str]) -> str:
    """The model as Copilot's file of the session names it; no payload does. The file is written with a delay (1.0.102):
    until then it is the one that was asked for.
    """
    if not re.fullmatch(_SESSION, session_id):
        return ""
    home = Path(environment.get("HOME", os.sep))
    named = last_model(str(home / ".copilot" / "session-state" / session_id / "events.jsonl"))
    return named or plain_model(environment.get("COPILOT_MODEL"))


def _plain_version(value: str) -> str:
    return value if re.fullmatch(r"\d[\w.+-]{0,39}", value) else ""
