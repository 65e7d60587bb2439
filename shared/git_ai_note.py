"""Notes of git-ai (`refs/notes/ai`, `authorship/3`): which agents' sessions wrote lines of a commit. Anyone can write
one, so it is a claim like a trailer.

A list of files with ranges of lines for each session, a line of three hyphens, one JSON object that describes the
sessions. Older notes call a session a prompt.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from foureyes.shared import paths

_SCHEMA = re.compile(r"authorship/3\.[0-9]+\.[0-9]+")
_ENTRY = re.compile(r"  (\S+) ([0-9][0-9,-]*)")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_DIVIDER = "---"
_OF_AGENT = re.compile(r"(?:s_)?[0-9a-f-]+")
"""Keys of an agent's session; those of people begin otherwise."""


@dataclass(frozen=True)
class NotedAgent:
    """As the note names it."""

    tool: str
    model: str


@dataclass(frozen=True)
class NotedLines:
    """Lines `first` to `last` of a file as the commit left it."""

    path: str
    first: int
    last: int
    agent: NotedAgent


def parse_note(data: bytes) -> tuple[NotedAgent, ...]:
    """The agents of all sessions that lines are attributed to, each once. Empty for a note of another format, and
    for one that says that people wrote it all.
    """
    return tuple(dict.fromkeys(lines.agent for lines in parse_lines(data)))


def parse_lines(data: bytes) -> tuple[NotedLines, ...]:
    """The ranges of lines that the note gives to agents' sessions. Those of people (`h_`) are left out: git-ai also
    writes them where nobody was seen. Empty for a note of another format.
    """
    parts = _parts(data)
    return tuple(_attested(*parts)) if parts else ()


def is_readable(data: bytes) -> bool:
    """False for a note of another format: what it says is not known."""
    return _parts(data) is not None


def _parts(data: bytes) -> tuple[list[str], dict[str, object]] | None:
    lines = data.decode("utf-8", "replace").split("\n")
    for at, line in enumerate(lines):
        if line == _DIVIDER:  # a file can have this name, so the first one that JSON follows
            about = _description("\n".join(lines[at + 1 :]))
            if about is not None:
                return lines[:at], about
    return None


def _description(text: str) -> dict[str, object] | None:
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or not _SCHEMA.fullmatch(str(about.get("schema_version"))):
        return None
    return about


def _attested(attested: list[str], about: dict[str, object]) -> Iterator[NotedLines]:
    sessions: dict[str, object] = {}
    for part in (about.get("prompts"), about.get("sessions")):
        sessions |= part if isinstance(part, dict) else {}
    path = ""
    for line in attested:
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            name = line[1:-1] if len(line) > 1 and line[0] == line[-1] == '"' else line
            path = paths.decode(name.encode())
            continue
        key = entry[1].partition("::")[0]
        noted = _agent(sessions.get(key), key)
        if noted is not None:
            for first, last in _RANGE.findall(entry[2]):
                yield NotedLines(path, int(first), int(last or first), noted)


def _agent(session: object, key: str) -> NotedAgent | None:
    """Which one is not told where the note does not describe the session, as many that were rewritten do not. None for
    people.
    """
    agent = session.get("agent_id") if isinstance(session, dict) else None
    if isinstance(agent, dict):
        return NotedAgent(str(agent.get("tool", "")), str(agent.get("model", "")))
    return NotedAgent("", "") if _OF_AGENT.fullmatch(key) else None
