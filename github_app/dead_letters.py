"""Dead letters: what failed so often that only a person can tell why. Nothing is dropped: each is tried every hour."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from foureyes.github_app.lanes import DEAD_AFTER, GROUP, LANDED
from foureyes.github_app.tables import delivery_awaits, work


@dataclass(frozen=True)
class Failing:
    """A lane whose last look failed. `waiting`: deliveries that are not decided before it was looked at."""

    lane: str
    slug: str
    about: str
    """For people: which pull request, commit or branch."""
    tries: int
    last_error: str
    due_at: int
    """Milliseconds since 1970: when it is tried next."""
    waiting: int

    @property
    def is_dead(self) -> bool:
        return self.tries >= DEAD_AFTER


def failing(conn: Connection, least: int = DEAD_AFTER, slug: str = "") -> tuple[Failing, ...]:
    """Those that failed at least so many times in a row, the longest first; of one repository, or of all."""
    waits = select(func.count()).where(delivery_awaits.c.lane == work.c.key).scalar_subquery()
    query = (
        select(work, waits.label("waiting"))
        .where(work.c.gen > work.c.done_gen, work.c.tries >= least)
        .order_by(work.c.tries.desc(), work.c.key)
    )
    if slug:
        query = query.where(func.lower(work.c.slug) == slug.lower())
    return tuple(
        Failing(
            row["key"], row["slug"], _about(row["head"], row["ref"], row["pull"]), row["tries"], row["last_error"],
            row["due_at"], row["waiting"],
        )
        for row in conn.execute(query).mappings()
    )  # fmt: skip


def retry_now(conn: Connection, keys: Sequence[str], at: int) -> int:
    """Makes them due, also before the time that GitHub asked us to wait for. Returns how many there were.

    How often they failed is not forgotten: whatever fails again is a dead letter still.
    """
    pending = (work.c.gen > work.c.done_gen) & work.c.key.in_(list(keys))
    return conn.execute(update(work).where(pending).values(due_at=at, not_before=0)).rowcount


def _about(head: str, ref: str, pull: int | None) -> str:
    branch = ref.removeprefix(LANDED).removeprefix(GROUP).removeprefix("refs/heads/")
    if head:
        commit = f"commit {head[:7]}"
        return f"#{pull}, {commit}" if pull is not None else commit
    if ref.startswith(LANDED):
        return f"what landed on {branch}"
    return "the default branch" if branch == "*" else f"pull requests into {branch}"
