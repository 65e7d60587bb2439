"""What the landings that were looked at say about a pull request: which of its commits a stored Pass has let into a
gated branch before, and what of late it may take back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from foureyes.github_app import merging
from foureyes.github_app.aged import Aged
from foureyes.github_app.landing import DECIDED
from foureyes.github_app.mirror import Mirror
from foureyes.github_app.range import RawCommit
from foureyes.github_app.tables import landing
from foureyes.shared import content
from foureyes.shared.exemption import REVERT_WITHIN
from foureyes.shared.facts import Landed

MOST_LATE = 20
"""Landings of the last day that a pull request is compared with."""


def landed_commits(conn: Connection, repository_id: int, commits: Iterable[RawCommit]) -> frozenset[str]:
    """Those that came onto some gated branch in a step that a stored Pass explains."""
    parents = {commit.oid: commit.parents for commit in commits}
    where = (landing.c.repository_id == repository_id) & (landing.c.finding == DECIDED)
    rows = conn.execute(
        select(landing.c.before, landing.c.after).where(where & landing.c.after.in_(list(parents)))
    )
    found: set[str] = set()
    for before, after in rows:
        found |= _reached(parents, after) - _reached(parents, before)
    return frozenset(found)


def not_let_in(commits: Sequence[RawCommit], landed: Collection[str]) -> frozenset[str]:
    """Commits that hold one which no stored Pass let in. A gated branch may hold such a one too: somebody pushed it
    there, or made a branch whose name the policy gates.
    """
    made_from: dict[str, list[str]] = {}
    for commit in commits:
        for parent in commit.parents:
            made_from.setdefault(parent, []).append(commit.oid)
    found: set[str] = set()
    waiting = [commit.oid for commit in commits if commit.oid not in landed]
    while waiting:
        oid = waiting.pop()
        if oid not in found:
            found.add(oid)
            waiting += made_from.get(oid, [])
    return frozenset(found)


def landed_heads(conn: Connection, repository_id: int, branch: str, heads: Iterable[str]) -> frozenset[str]:
    """Those that were the head of a pull request which a stored Pass let into the branch."""
    where = (landing.c.repository_id == repository_id) & (landing.c.ref == f"refs/heads/{branch}")
    where = where & (landing.c.finding == DECIDED) & landing.c.head.in_(list(heads))
    return frozenset(conn.execute(select(landing.c.head).where(where)).scalars())


def _reached(parents: Mapping[str, tuple[str, ...]], start: str) -> set[str]:
    """Within the range. What lies outside of it is below its base, with all that it was made from."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        oid = waiting.pop()
        if oid in parents and oid not in reached:
            reached.add(oid)
            waiting += parents[oid]
    return reached


@dataclass(frozen=True)
class Late:
    """What landed within the time in which a pure revert needs one approval. Digests are kept: they never change."""

    digests: Aged[tuple[int, str, str], str] = field(
        default_factory=lambda: Aged(timedelta(days=2).total_seconds())
    )

    def read(
        self, conn: Connection, mirror: Mirror, repository_id: int, branch: str, at_ms: int
    ) -> tuple[Landed, ...]:
        """Newest first. Raises GitError."""
        since = at_ms - int(REVERT_WITHIN.total_seconds() * 1000)
        where = (
            (landing.c.repository_id == repository_id)
            & (landing.c.ref == f"refs/heads/{branch}")
            & (landing.c.finding == DECIDED)
            & landing.c.pull.is_not(None)
            & (landing.c.landed_at >= since)
        )
        rows = conn.execute(
            select(landing).where(where).order_by(landing.c.landed_at.desc()).limit(MOST_LATE)
        )
        found = []
        for row in rows.all():
            if mirror.missing([row.before, row.after]):
                continue
            key = (repository_id, row.before, row.after)
            change = self.digests.get(key, lambda row=row: _digest(mirror, row.before, row.after))  # type: ignore[misc]
            found.append(Landed(row.pull, row.decision, _rfc3339(row.landed_at), change))
        return tuple(found)


def _digest(mirror: Mirror, before: str, after: str) -> str:
    return content.digest(merging.raw_changes(mirror, before, after))


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
