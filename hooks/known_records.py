"""What is known of many commits at once: records kept, published or built now, and what their messages claim."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.commits import Commit, read_commits
from foureyes.hooks.journal import seen_commits
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_records
from foureyes.shared.git_ai_note import NotedLines
from foureyes.shared.record import Record, RecordError, parse_record

KEPT, FETCHED, BUILT = "kept", "remote", "built"


@dataclass(frozen=True)
class Known:
    """`record` is None if there is none; `commit` is None if it was not asked for. `claims` are agents that the
    message or the author's name tells of; `noted` are lines that notes of others give to agents. Both are looked at
    only where there is no record.
    """

    commit: Commit | None
    record: Record | None = None
    source: str = ""
    claims: tuple[str, ...] = ()
    noted: tuple[NotedLines, ...] = ()


def read_known(
    repo: Repo, oids: Iterable[str], *, offline: bool, with_commits: bool = True
) -> dict[str, Known]:
    """By commit id, for those that are here. Of commits that the hooks here saw, this machine knows more than the
    remote. Nothing is stored but what the remote had. A constant number of processes.
    """
    commits = set(oids)
    found = {
        oid: (record, KEPT) for oid, raw in read_records(repo, commits).items() if (record := _parsed(raw))
    }
    missing = commits - set(found)
    seen = seen_commits(repo, missing) if missing else set()
    if seen:
        built = _build(repo, seen)
        found |= {oid: (record, BUILT) for oid, record in built.items()}
        missing -= set(built)
    if missing:
        found |= _published(repo, missing, offline=offline)
    bare = missing - set(found)
    notes = _notes(repo, bare) if bare else {}
    read = read_commits(repo, commits if with_commits else bare)
    return {
        oid: _known(read.get(oid), found.get(oid), notes.get(oid, ()))
        for oid in commits
        if oid in read or oid in found
    }


def _build(repo: Repo, oids: Iterable[str]) -> dict[str, Record]:
    from foureyes.hooks.build import build  # what is published needs no building, and a reader waits for this
    from foureyes.hooks.builder import builder_in
    from foureyes.hooks.remote import Remote

    return build(repo, oids, builder_in(repo, Remote("", ""), ()))


def _published(repo: Repo, oids: Set[str], *, offline: bool) -> dict[str, tuple[Record, str]]:
    from foureyes.hooks.fetch_records import (
        fetch_missing,
    )  # where all records are kept here, nobody needs these
    from foureyes.hooks.published import published_versions

    versions = published_versions(repo, oids)
    missing = oids - set(versions)
    if fetch_missing(repo, missing, offline=offline):
        versions |= published_versions(repo, missing)
    return {
        oid: (record, FETCHED) for oid, found in versions.items() if (record := _parsed(found[0])) is not None
    }


def _notes(repo: Repo, oids: Set[str]) -> dict[str, tuple[NotedLines, ...]]:
    from foureyes.hooks.git_ai_notes import read_notes

    return read_notes(repo, oids)


def _known(commit: Commit | None, found: tuple[Record, str] | None, noted: tuple[NotedLines, ...]) -> Known:
    if found is not None or commit is None:
        return Known(commit, *(found or ()))
    marks = catalogue().find_marks(commit.message, commit.author, commit.committer)
    return Known(commit, claims=tuple(dict.fromkeys(mark.agent for mark in marks)), noted=noted)


def _parsed(raw: bytes) -> Record | None:
    try:
        return parse_record(raw)
    except RecordError:
        return None


def agent_name(agent: str) -> str:
    """As people know it."""
    known = catalogue().by_id.get(agent)
    return known.name if known else agent
