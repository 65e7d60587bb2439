"""Others' notes about commits: git-ai's and Agent Trace's, read as claims, as anybody can write them; and ours, written
in their form on request.
"""

import time
from collections.abc import Iterable, Mapping, Set

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_notes, notes_of, read_blobs, tip_of
from foureyes.shared import git_ai_writing
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.git_ai_note import NotedLines
from foureyes.shared.others_notes import GIT_AI, READERS
from foureyes.shared.record import Record


def read_notes(repo: Repo, commits: Iterable[str]) -> dict[str, tuple[NotedLines, ...]]:
    """The lines that notes about these commits give to agents."""
    wanted = set(commits)
    if not wanted or not repo.ask("for-each-ref", "--count=1", *(reader.ref for reader in READERS)).out:
        return {}
    with Objects(repo.work_tree or repo.git_dir, repo.environment()) as objects:
        return notes_in(objects, wanted)


def notes_in(objects: Objects, commits: Set[str]) -> dict[str, tuple[NotedLines, ...]]:
    found: dict[str, tuple[NotedLines, ...]] = {}
    for ref, parse, _ in READERS:
        blobs = objects.notes(ref, commits) if objects.refs(ref) else {}
        for oid, content in zip(blobs, objects.read(blobs.values()), strict=True):
            lines = parse(content or b"")
            if lines:
                found[oid] = (*found.get(oid, ()), *lines)
    return found


def write_git_ai(repo: Repo, records: Mapping[str, Record]) -> int:
    """Add our records to git-ai's notes, keeping what is there; how many notes were written."""
    there = {oid: blob for oid, blob in notes_of(repo, GIT_AI).items() if oid in records}
    contents = read_blobs(repo, there.values())
    notes: dict[str, bytes] = {}
    for oid, record in records.items():
        before = contents.get(there.get(oid, ""), b"").decode("utf-8", "replace")
        note = git_ai_writing.note_of(record, before)
        if note is not None:
            notes[oid] = note.encode()
    keep_notes(repo, GIT_AI, notes, at=int(time.time()))
    return len(notes)


def write_beside_git_ai(repo: Repo, records: Mapping[str, Record]) -> int:
    """The same where git-ai is at work: it has written notes here, or listens to this person's git."""
    if not records:
        return 0
    listens = "git-ai" in (repo.config("trace2.eventTarget") or "")
    return write_git_ai(repo, records) if listens or tip_of(repo, GIT_AI) else 0


def agent_id(tool: str) -> str:
    """The catalogue's id for a name that others give to an agent."""
    return catalogue().by_tool(tool) or UNNAMED
