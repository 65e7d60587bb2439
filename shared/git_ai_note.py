"""Notes of git-ai (`refs/notes/ai`, `authorship/3`): which agents' sessions wrote lines of a commit. Anyone can write
one, so it is a claim like a trailer.

A list of files with ranges of lines for each session, a line of three hyphens, one JSON object that describes the
sessions. Older notes call a session a prompt.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SCHEMA = re.compile(r"authorship/3\.[0-9]+\.[0-9]+")
_ENTRY = re.compile(r"  (\S+) [0-9][0-9,-]*")
_DIVIDER = "---"


@dataclass(frozen=True)
class NotedAgent:
    """As the note names it."""

    tool: str
    model: str


def parse_note(data: bytes) -> tuple[NotedAgent, ...]:
    """The agents of all sessions that lines are attributed to, each once. Empty for a note of another format, and
    for one that says that people wrote it all.
    """
    lines = data.decode("utf-8", "replace").split("\n")
    for at, line in enumerate(lines):
        if line == _DIVIDER:  # a file can have this name, so the first one that JSON follows
            about = _description("\n".join(lines[at + 1 :]))
            if about is not None:
                return tuple(dict.fromkeys(_agents(lines[:at], about)))
    return ()


def _description(text: str) -> dict[str, object] | None:
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or not _SCHEMA.fullmatch(str(about.get("schema_version"))):
        return None
    return about


def _agents(attested: list[str], about: dict[str, object]) -> Iterator[NotedAgent]:
    sessions: dict[str, object] = {}
    for part in (about.get("prompts"), about.get("sessions")):
        sessions |= part if isinstance(part, dict) else {}
    for line in attested:
        entry = _ENTRY.fullmatch(line)
        session = sessions.get(entry[1].partition("::")[0]) if entry else None
        agent = session.get("agent_id") if isinstance(session, dict) else None
        if isinstance(agent, dict):
            yield NotedAgent(str(agent.get("tool", "")), str(agent.get("model", "")))
