"""Alerts: what the gate could not prevent and an admin has to know. Each is raised once and never taken back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from sqlalchemy import Connection, func, select, update

from foureyes.github_app.decisions import new_id
from foureyes.github_app.storage import insert
from foureyes.github_app.tables import alert


class Kind(StrEnum):
    """What is wrong."""

    BYPASS = "bypass"
    """Merged although the pull request did not pass, or before it was judged."""
    DIRECT = "direct push"
    """On a gated branch without a pull request."""
    MISMATCH = "mismatch"
    """What landed is not what was approved."""
    FORCED = "force push"
    """Commits were taken away from a gated branch."""
    RECORD = "record"
    """A provenance record that was seen is gone, or says something else."""
    RETROSPECTIVE = "retrospective"
    """A pure revert landed with one approval: what was taken back is to be looked at by people, in peace."""


@dataclass(frozen=True)
class Alert:
    """`grave`: it touches what the policy protects; otherwise a note. `text` is markdown."""

    repository_id: int
    slug: str
    kind: str
    ref: str
    """The branch, as `refs/heads/...`."""
    commit: str
    title: str
    text: str
    grave: bool
    pull: int | None = None
    decision: str = ""
    id: str = ""
    raised_at: int = 0
    """Milliseconds since 1970."""
    check_run_id: int | None = None
    issue: int | None = None
    """Number of the issue that tells it."""


_TOLD = tuple(alert.c[one.name] for one in fields(Alert))


def keep(conn: Connection, raised: Alert, at: int, *, anew: bool = False) -> bool:
    """False: the same was raised before. `anew`: it is known that it happened again, if it did before."""
    again = _times(conn, raised) if anew else 0
    row = asdict(raised) | {"id": new_id(at), "raised_at": at, "again": again}
    statement = insert(conn, alert).values(row).on_conflict_do_nothing()
    return conn.execute(statement.returning(alert.c.id)).first() is not None


def _times(conn: Connection, raised: Alert) -> int:
    same = (
        getattr(alert.c, name) == getattr(raised, name) for name in ("repository_id", "kind", "ref", "commit")
    )
    return conn.execute(select(func.count()).select_from(alert).where(*same)).scalar_one()


def listed(conn: Connection, slug: str = "", limit: int = 100) -> tuple[Alert, ...]:
    """Newest first; of one repository, or of all."""
    query = select(*_TOLD).order_by(alert.c.raised_at.desc(), alert.c.id.desc()).limit(limit)
    if slug:
        query = query.where(func.lower(alert.c.slug) == slug.lower())
    return tuple(Alert(**row) for row in conn.execute(query).mappings())


def unshown(conn: Connection, repository_id: int, kinds: Sequence[str]) -> tuple[Alert, ...]:
    """Those that no check shows yet, oldest first."""
    where = (
        (alert.c.repository_id == repository_id) & alert.c.check_run_id.is_(None) & alert.c.kind.in_(kinds)
    )
    query = select(*_TOLD).where(where).order_by(alert.c.raised_at, alert.c.id)
    return tuple(Alert(**row) for row in conn.execute(query).mappings())


def set_check_run(conn: Connection, alert_id: str, check_run_id: int) -> None:
    """0: there is nowhere to show it."""
    conn.execute(update(alert).where(alert.c.id == alert_id).values(check_run_id=check_run_id))


def without_issue(conn: Connection, repository_id: int, since: int, most: int) -> tuple[Alert, ...]:
    """Those raised since then that no issue tells, oldest first."""
    where = (alert.c.repository_id == repository_id) & alert.c.issue.is_(None) & (alert.c.raised_at >= since)
    query = select(*_TOLD).where(where).order_by(alert.c.raised_at, alert.c.id).limit(most)
    return tuple(Alert(**row) for row in conn.execute(query).mappings())


def set_issue(conn: Connection, alert_id: str, number: int) -> None:
    conn.execute(update(alert).where(alert.c.id == alert_id).values(issue=number))


def counts(conn: Connection) -> dict[tuple[str, bool], int]:
    """(kind, grave) -> how many were raised."""
    rows = conn.execute(
        select(alert.c.kind, alert.c.grave, func.count()).group_by(alert.c.kind, alert.c.grave)
    )
    return {(kind, bool(grave)): number for kind, grave, number in rows}
