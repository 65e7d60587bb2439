"""What there is to say of commits that no record is kept of here: built now, published by others, or a claim."""

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from foureyes.hooks.journal import seen_commits
from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo

if TYPE_CHECKING:  # a reader waits for what these bring
    from foureyes.hooks.commits import Commit
    from foureyes.hooks.raw_commit import RawCommit
    from foureyes.shared.git_ai_note import NotedLines
    from foureyes.shared.record import Record


def commits_in(objects: Objects, oids: Iterable[str]) -> "dict[str, Commit]":
    from foureyes.hooks.commits import parse_commit

    asked = list(oids)
    read = zip(asked, objects.read(asked), strict=True)
    found = ((oid, parse_commit(oid, raw)) for oid, raw in read if raw is not None)
    return {oid: commit for oid, commit in found if commit is not None}


def raw_commits_in(objects: Objects, oids: Iterable[str]) -> "dict[str, RawCommit]":
    from foureyes.hooks.raw_commit import read_raw

    asked = list(oids)
    found = {oid: read_raw(raw) for oid, raw in zip(asked, objects.read(asked), strict=True) if raw}
    return {oid: commit for oid, commit in found.items() if commit is not None}


def noted_in(objects: Objects, oids: Set[str]) -> "dict[str, tuple[NotedLines, ...]]":
    """What notes of other tools say."""
    if not oids or not objects.refs("refs/notes/a"):
        return {}
    from foureyes.hooks.git_ai_notes import notes_in  # few repositories have any

    return notes_in(objects, oids)


def published_in(
    repo: Repo, objects: Objects, oids: Set[str], *, offline: bool
) -> dict[str, tuple[bytes, ...]]:
    """The published records of these commits; the remote is asked for those that are not in sight."""
    versions = objects.records(oids)
    missing = oids - set(versions)
    if not missing:
        return versions
    from foureyes.hooks.fetch_records import fetch_missing  # where all records are here, nobody needs these

    if fetch_missing(repo, missing, offline=offline):
        objects.look_again()
        versions |= objects.records(missing)
    return versions


def build_seen(repo: Repo, oids: Set[str]) -> "dict[str, Record]":
    """Records, made now, of those that the hooks here saw."""
    seen = seen_commits(repo, oids) if oids else set()
    return _build(repo, seen) if seen else {}


def _build(repo: Repo, oids: Iterable[str]) -> "dict[str, Record]":
    from foureyes.hooks.build import build  # what is published needs no building, and a reader waits for this
    from foureyes.hooks.builder import builder_in
    from foureyes.hooks.remote import Remote

    return build(repo, oids, builder_in(repo, Remote("", ""), ()))


def claims_of(commit: "Commit | RawCommit") -> tuple[str, ...]:
    from foureyes.hooks.catalogue import catalogue

    return catalogue().agents_in(commit.message, commit.author, commit.committer)
