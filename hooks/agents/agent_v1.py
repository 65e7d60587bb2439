"""The generic payload that tools without hooks of a known shape send, as git-ai defined it: `human` before an edit,
`ai_agent` after it. The two halves share nothing but the folder.
"""

import re
from collections.abc import Mapping

from foureyes.hooks.agents.tool_call import Payload, ToolCall, make, plain_model, text

_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
_TYPES = {"human", "ai_agent"}


def fits(payload: Payload) -> bool:
    return text(payload, "type") in _TYPES and isinstance(payload.get("repo_working_dir"), str)


def read(payload: Payload, _environment: Mapping[str, str], _named: str) -> ToolCall | None:
    before = text(payload, "type") == "human"
    files = payload.get("will_edit_filepaths" if before else "edited_filepaths")
    name = "-".join(text(payload, "agent_name").lower().split())
    place = text(payload, "repo_working_dir")
    return make(
        name if re.fullmatch(_NAME, name) else "agent-v1",
        session_id=text(payload, "conversation_id") or f"agent-v1:{place}",
        phase="before" if before else "after",
        cwd=place,
        # With files it is an edit; without, anything may have changed.
        tool="edit",
        given={"files": files} if isinstance(files, list) and files else {},
        pair=f"agent-v1:{place}",
        model=plain_model(payload.get("model")),
    )
