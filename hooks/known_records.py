"""What is known of many commits at once: records kept, published or built now, and what their messages claim."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.commits import Commit
from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import NOTES
from foureyes.hooks.unrecorded import build_seen, claims_of, commits_in, noted_in, published_in
from foureyes.shared.git_ai_note import NotedLines
from foureyes.shared.record import Record, RecordError, parse_record

KEPT, FETCHED, BUILT = "kept", "remote", "built"


@dataclass(frozen=True)
class Known:
    """`record` is None if there is none; `commit` is None if it is not here. `claims` are agents that the
    message or the author's name tells of; `noted` are lines that notes of others give to agents. Both are looked at
    only where there is no record.
    """

    commit: Commit | None
    record: Record | None = None
    source: str = ""
    claims: tuple[str, ...] = ()
    noted: tuple[NotedLines, ...] = ()


def read_known(repo: Repo, oids: Iterable[str], *, offline: bool) -> dict[str, Known]:
    """By commit id, for those that are here. Of commits that the hooks here saw, this machine knows more than the
    remote. Nothing is stored but what the remote had. A constant number of processes.
    """
    commits = set(oids)
    with Objects(repo.work_tree or repo.git_dir, repo.environment()) as objects:
        blobs = objects.notes(NOTES, commits)
        found = _parsed_all(zip(blobs, objects.read(blobs.values()), strict=True), KEPT)
        missing = commits - set(found)
        found |= {oid: (record, BUILT) for oid, record in build_seen(repo, missing).items()}
        missing -= set(found)
        published = published_in(repo, objects, missing, offline=offline)
        found |= _parsed_all(((oid, versions[0]) for oid, versions in published.items()), FETCHED)
        read = commits_in(objects, commits)
        noted = noted_in(objects, missing - set(found))
    return {
        oid: _known(read.get(oid), found.get(oid), noted.get(oid, ()))
        for oid in commits
        if oid in read or oid in found
    }


def _known(commit: Commit | None, found: tuple[Record, str] | None, noted: tuple[NotedLines, ...]) -> Known:
    if found is not None or commit is None:
        return Known(commit, *(found or ()))
    return Known(commit, claims=claims_of(commit), noted=noted)


def _parsed_all(read: Iterable[tuple[str, bytes | None]], source: str) -> dict[str, tuple[Record, str]]:
    found = {}
    for oid, raw in read:
        with contextlib.suppress(RecordError):
            found[oid] = (parse_record(raw or b""), source)
    return found


def agent_name(agent: str) -> str:
    """As people know it."""
    known = catalogue().by_id.get(agent)
    return known.name if known else agent
