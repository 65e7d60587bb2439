"""From which commits a commit was made: amended, rebased and picked ones keep their Provenance-Id."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from foureyes.hooks.commits import Commit
from foureyes.hooks.journal import Line
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_records
from foureyes.shared.in_toto import is_oid
from foureyes.shared.record import Agent, Parent, RecordError, parse_record
from foureyes.shared.trailers import provenance_ids

_MOST_SEARCHED = 5000

Lineage: TypeAlias = dict[str, tuple[tuple[Parent, ...], tuple[Agent, ...]]]
"""Commit -> what it was made from, and the agents of their records."""


def find_parents(repo: Repo, commits: Sequence[Commit], journal: Mapping[str, Sequence[Line]]) -> Lineage:
    """Older commits, of any ref or reflog, with a Provenance-Id of these, and those that `post-rewrite` named.
    Carries agents over, never `human`: what an agent wrote stays an agent's, whoever replays it.
    """
    sources = {commit.oid: _rewritten(journal.get(commit.oid, ())) for commit in commits}
    wanted = {c.oid: set(provenance_ids(c.message)) for c in commits if _replayed(c, journal)}
    searched = [commit for commit in commits if wanted.get(commit.oid)]
    if searched:
        since = min(commit.authored_at for commit in searched)
        carriers = _carriers(repo, set().union(*wanted.values()), since)
        for commit in searched:
            for oid, (ids, at) in carriers.items():
                if oid != commit.oid and ids & wanted[commit.oid] and at <= commit.committed_at:
                    sources[commit.oid].setdefault(oid, "provenance-id")
    records = read_records(repo, {parent for parents in sources.values() for parent in parents})
    agents = {oid: _agents(record) for oid, record in records.items()}
    return {
        oid: (
            tuple(Parent(parent, how) for parent, how in parents.items()),
            tuple(agent for parent in parents for agent in agents.get(parent, ())),
        )
        for oid, parents in sources.items()
        if parents
    }


def _rewritten(lines: Sequence[Line]) -> dict[str, str]:
    """What `post-rewrite` said that the commit was before: a hint, for it is empty under some hook managers."""
    found = {}
    for line in lines:
        was = dict(line.marks).get("FOUREYES_WAS", "")
        if line.hook == "post-rewrite" and is_oid(was) and was != line.commit:
            found[was] = line.operation or "rewrite"
    return found


def _replayed(commit: Commit, journal: Mapping[str, Sequence[Line]]) -> bool:
    """Made again from another one: then git keeps the author's time, or the journal knows the operation."""
    lines = journal.get(commit.oid, ())
    return not lines or commit.authored_at != commit.committed_at or any(line.operation for line in lines)


def _carriers(repo: Repo, ids: set[str], since: int) -> dict[str, tuple[set[str], int]]:
    """Commit -> its Provenance-Ids and when it was made, of all commits in sight that have one of `ids`."""
    asked = (
        "--all",
        "--reflog",
        f"--max-count={_MOST_SEARCHED}",
        f"--since=@{since}",
        "-z",
        "--format=%H %ct%n%B",
    )
    grep = (f"--grep={one}" for one in sorted(ids))
    # HEAD by name too: a commit on a detached HEAD is in no branch.
    answer = repo.ask("log", "--fixed-strings", *grep, *asked, "HEAD")
    found: dict[str, tuple[set[str], int]] = {}
    for entry in answer.out.decode("utf-8", "replace").split("\0"):
        head, _, message = entry.partition("\n")
        oid, _, at = head.partition(" ")
        if oid and set(provenance_ids(message)) & ids:
            found[oid] = (set(provenance_ids(message)) & ids, int(at))
    return found


def _agents(record: bytes) -> tuple[Agent, ...]:
    try:
        parsed = parse_record(record)
    except RecordError:
        return ()
    return parsed.agents if parsed.cls == "ai" else ()
