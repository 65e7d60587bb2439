"""The notes of git-ai in a repository: read as claims, as anybody can write them; written on request."""

from collections.abc import Iterable

from foureyes.hooks.repo import Repo
from foureyes.hooks.store import notes_of, read_blobs
from foureyes.shared.git_ai_note import NotedLines, parse_lines

NOTES = "refs/notes/ai"


def read_notes(repo: Repo, commits: Iterable[str]) -> dict[str, tuple[NotedLines, ...]]:
    """What the notes say about these commits."""
    wanted = set(commits)
    blobs = {oid: blob for oid, blob in notes_of(repo, NOTES).items() if oid in wanted} if wanted else {}
    contents = read_blobs(repo, blobs.values())
    found = {oid: parse_lines(contents[blob]) for oid, blob in blobs.items() if blob in contents}
    return {oid: lines for oid, lines in found.items() if lines}
