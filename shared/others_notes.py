"""Notes of other tools about commits: where they lie, and which agents each names. Anyone who may push can write one,
so it is a claim: it names an agent, and never takes one away.
"""

from collections.abc import Callable

from foureyes.shared import agent_trace, git_ai_note
from foureyes.shared.git_ai_note import NotedLines

GIT_AI = "refs/notes/ai"
AGENT_TRACE = "refs/notes/agent-trace"
READERS: tuple[tuple[str, Callable[[bytes], tuple[NotedLines, ...]]], ...] = (
    (GIT_AI, git_ai_note.parse_lines),
    (AGENT_TRACE, agent_trace.parse_trace),
)
