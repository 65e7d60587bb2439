"""Which agent's hook called, and what it told: decided by what it sends, not by the file that it was configured in."""

from collections.abc import Mapping
from types import ModuleType

from foureyes.hooks.agents import agent_v1, claude_style, cline, copilot, cursor, gemini, opencode, windsurf
from foureyes.hooks.agents.tool_call import Payload, ToolCall

_SHAPES: tuple[ModuleType, ...] = (
    opencode,
    cline,
    windsurf,
    cursor,
    agent_v1,
    gemini,
    copilot,
    claude_style,
)
"""Each has `fits(payload)` and `read(payload, environment, named)`; the most telling come first."""
_ANSWERS = {"cline": cline.ANSWER, "cursor": cursor.ANSWER}


def read(payload: Payload, environment: Mapping[str, str], named: str) -> ToolCall | None:
    """The tool call behind a payload; None if it is about nothing that can change a file, or of no known shape.
    `named` is the agent for which the hook was configured.
    """
    shape = _shape(payload)
    call: ToolCall | None = shape.read(payload, environment, named) if shape else None
    return call


def answer(payload: Payload | None, named: str) -> str:
    """What the agent expects on standard output, whatever else happens; mostly nothing."""
    shape = _shape(payload) if payload is not None else None
    agent = shape.__name__.rpartition(".")[2] if shape else named
    return _ANSWERS.get(agent, "")


def _shape(payload: Payload) -> ModuleType | None:
    return next((shape for shape in _SHAPES if shape.fits(payload)), None)
