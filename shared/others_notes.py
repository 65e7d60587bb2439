"""Notes of other tools about commits: where they lie, and which agents each names. Anyone who may push can write one,
so it is a claim: it names an agent, and never takes one away.
"""

from collections.abc import Callable
from typing import NamedTuple

from foureyes.shared import agent_trace, git_ai_note
from foureyes.shared.git_ai_note import NotedLines

GIT_AI = "refs/notes/ai"
AGENT_TRACE = "refs/notes/agent-trace"


class Reader(NamedTuple):
    ref: str
    lines: Callable[[bytes], tuple[NotedLines, ...]]
    """The lines that a note gives to agents."""
    is_readable: Callable[[bytes], bool]


READERS = (
    Reader(GIT_AI, git_ai_note.parse_lines, git_ai_note.is_readable),
    Reader(AGENT_TRACE, agent_trace.parse_trace, agent_trace.is_readable),
)
