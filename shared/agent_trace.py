"""Agent Trace 0.1 (https://github.com/cursor/agent-trace): records written as traces, and others' traces read.

It knows lines that are there, not lines that were removed: the counts of those go into its metadata. Anyone can write
a trace, so one that is read is a claim.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from foureyes.shared import paths
from foureyes.shared.canonical import Json
from foureyes.shared.git_ai_note import NotedAgent, NotedLines
from foureyes.shared.record import PREDICATE_TYPE, Contributor, Record

VERSION = "0.1.0"
_READ = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)?")
_LONGEST_MODEL = 250


def trace_of(record: Record, at: int) -> dict[str, Json]:
    """The trace of one commit. `at` is its time, in seconds since 1970. A path that is not UTF-8 is left out: JSON
    has no bytes.
    """
    by_path: dict[str, list[Contributor]] = {}
    for part in record.contributors:
        if part.side == "added" and part.count:
            by_path.setdefault(part.path, []).append(part)
    files: list[Json] = []
    for path, parts in by_path.items():
        name = _name(path)
        if name is not None:
            files.append({"path": name, "conversations": list(_conversations(parts))})
    return {
        "version": VERSION,
        "id": _id(record.commit),
        "timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "vcs": {"type": "git", "revision": record.commit},
        "tool": {"name": record.tool.name, "version": record.tool.version},
        "files": files,
        "metadata": {PREDICATE_TYPE: _metadata(record)},
    }


def _conversations(parts: Sequence[Contributor]) -> Iterator[Json]:
    by_hand: dict[tuple[str, str, str], list[Contributor]] = {}
    for part in parts:
        by_hand.setdefault((part.cls, part.model, part.session), []).append(part)
    for (cls, model, _), found in by_hand.items():
        contributor: dict[str, Json] = {"type": cls}
        if cls == "ai" and model:
            contributor["model_id"] = model[:_LONGEST_MODEL]
        ranges: list[Json] = [{"start_line": p.start, "end_line": p.start + p.count - 1} for p in found]
        yield {"contributor": contributor, "ranges": ranges}


def _metadata(record: Record) -> Json:
    totals = record.totals
    return {
        "class": record.cls,
        "agents": [agent.id for agent in record.agents],
        "operator": record.operator.claim or record.operator.email,
        "deleted": totals.deleted,
        "files_deleted": totals.files_deleted,
        "removed_by_agents": sum(
            p.count for p in record.contributors if (p.side, p.cls) == ("removed", "ai")
        ),
    }


def _id(commit: str) -> str:
    """A UUID that is the same for the same commit (version 8: made in our own way)."""
    digits = hashlib.sha256(f"{PREDICATE_TYPE}:{commit}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def _name(path: str) -> str | None:
    try:
        return paths.encode(path).decode("utf-8")
    except UnicodeDecodeError:
        return None


def parse_trace(data: bytes) -> tuple[NotedLines, ...]:
    """The ranges that a trace gives to AI (or to both: `mixed`). Empty for anything that is no trace."""
    trace = _trace(data)
    if trace is None:
        return ()
    tool = _object(trace.get("tool")).get("name")
    return tuple(_noted(trace, str(tool or "")))


def is_readable(data: bytes) -> bool:
    """False for anything that is no trace of a version that is known: what it says is not."""
    return _trace(data) is not None


def _trace(data: bytes) -> Mapping[str, object] | None:
    try:
        trace = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(trace, dict) or not _READ.fullmatch(str(trace.get("version"))):
        return None
    return trace


def _noted(trace: Mapping[str, object], tool: str) -> Iterator[NotedLines]:
    for file in _objects(trace.get("files")):
        path = paths.decode(str(file.get("path", "")).encode("utf-8", "replace"))
        for conversation in _objects(file.get("conversations")):
            for lines in _objects(conversation.get("ranges")):
                by = _object(lines.get("contributor")) or _object(conversation.get("contributor"))
                first, last = lines.get("start_line"), lines.get("end_line")
                if by.get("type") in {"ai", "mixed"} and type(first) is int and type(last) is int:
                    yield NotedLines(path, first, last, NotedAgent(tool, str(by.get("model_id", ""))))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
