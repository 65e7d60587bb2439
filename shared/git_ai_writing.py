"""Records written as notes of git-ai (`authorship/3`), into what git-ai itself may have written before.

Only agents' lines are written. A person is never claimed (`h_`), for these notes mean that somebody was seen typing;
nor are removed lines, which the format does not know.
"""

import hashlib
import json
import re

from foureyes.shared import paths
from foureyes.shared.canonical import Json
from foureyes.shared.record import Contributor, Record

_SCHEMA = "authorship/3.0.0"
_READ = re.compile(r"authorship/3\.[0-9]+\.[0-9]+")
_DIVIDER = "---"


def note_of(record: Record, before: str = "") -> str | None:
    """The note's text. `before` is the note that is there already: what it says stays. None: there is nothing to add,
    or what is there is of another format and must not be touched.
    """
    attested, about = _taken_apart(before) if before else ({}, _empty(record))
    if about is None:
        return None
    sessions = dict(_entries(about.get("sessions")))
    added = False
    for path, parts in _by_file(record).items():
        there = attested.setdefault(path, [])
        for session, lines in _by_session(parts).items():
            if not any(entry.startswith(f"  {session}") for entry in there):
                there.append(f"  {session}::t_{_short(record.commit, session, path)} {_ranges(lines)}")
                sessions.setdefault(session, _session(lines[0], record))
                added = True
    if not added:
        return None
    body = "".join(f"{path}\n" + "".join(f"{entry}\n" for entry in found) for path, found in attested.items())
    return f"{body}{_DIVIDER}\n{json.dumps({**about, 'sessions': sessions}, indent=2)}\n"


def _empty(record: Record) -> dict[str, Json]:
    return {"schema_version": _SCHEMA, "base_commit_sha": record.commit, "prompts": {}}


def _taken_apart(text: str) -> tuple[dict[str, list[str]], dict[str, Json] | None]:
    head, found, tail = text.rpartition(f"\n{_DIVIDER}\n")
    if not found and text.startswith(f"{_DIVIDER}\n"):
        head, tail = "", text[len(_DIVIDER) + 1 :]
    try:
        about = json.loads(tail)
    except (ValueError, RecursionError):
        return {}, None
    if not isinstance(about, dict) or not _READ.fullmatch(str(about.get("schema_version"))):
        return {}, None
    attested: dict[str, list[str]] = {}
    entries: list[str] = []
    for line in head.split("\n") if head else ():
        if line.startswith("  "):
            entries.append(line)
        else:
            entries = attested.setdefault(line, [])
    return attested, about


def _entries(value: Json) -> dict[str, Json]:
    return dict(value) if isinstance(value, dict) else {}


def _by_file(record: Record) -> dict[str, list[Contributor]]:
    """By the name as the note has it; a name that the format cannot hold is left out."""
    found: dict[str, list[Contributor]] = {}
    for part in record.contributors:
        if (part.side, part.cls) == ("added", "ai") and part.count:
            name = _name(part.path)
            if name:
                found.setdefault(name, []).append(part)
    return found


def _name(path: str) -> str:
    try:
        name = paths.encode(path).decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if '"' in name or "\n" in name or name == _DIVIDER:
        return ""
    return f'"{name}"' if any(character.isspace() for character in name) else name


def _by_session(parts: list[Contributor]) -> dict[str, list[Contributor]]:
    found: dict[str, list[Contributor]] = {}
    for part in parts:
        found.setdefault(f"s_{(part.session or _short(part.agent))[:14]}", []).append(part)
    return found


def _session(part: Contributor, record: Record) -> dict[str, Json]:
    """The id is the hash that our records have of it: the agent's own never leaves the machine."""
    told: dict[str, Json] = {"agent_id": {"tool": part.agent, "id": part.session, "model": part.model}}
    who = record.operator.claim or record.operator.email
    return {**told, "human_author": who} if who else told


def _ranges(parts: list[Contributor]) -> str:
    ends = ((part.start, part.start + part.count - 1) for part in sorted(parts, key=lambda part: part.start))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:14]
