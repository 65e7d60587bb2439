"""What our plugin for opencode sends (opencode_plugin.js), also from inside its fork Kilo."""

from collections.abc import Mapping

from foureyes.hooks.agents.tool_call import Payload, Phase, ToolCall, make, part, plain_model, text

_PHASES: dict[str, Phase] = {
    "tool.execute.before": "before",
    "tool.execute.after": "after",
    "session.idle": "end",
}


def fits(payload: Payload) -> bool:
    return text(payload, "event") in _PHASES and isinstance(payload.get("input"), dict)


def read(payload: Payload, environment: Mapping[str, str], _named: str) -> ToolCall | None:
    call = part(payload, "input")
    return make(
        "kilo-cli" if environment.get("KILO") else "opencode",
        session_id=text(call, "sessionID"),
        phase=_PHASES[text(payload, "event")],
        cwd=text(payload, "directory"),
        tool=text(call, "tool"),
        given=dict(part(call, "args") or part(part(payload, "output"), "args")),
        given_id=text(call, "callID"),
        model=plain_model(payload.get("model")),
    )
