"""What is kept of landings: which pushes were looked at, and where a branch stood then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from foureyes.github_app.landing import Landing
from foureyes.github_app.storage import insert
from foureyes.github_app.tables import landing, push_seen

NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Moved:
    """A branch went from `before` to `after`. `account_id` 0: nobody saw who did it."""

    before: str
    after: str
    account_id: int = 0
    login: str = ""
    late: bool = False
    """Heard of after what came later was looked at."""


def waiting(conn: Connection, repository_id: int, ref: str) -> tuple[Moved, ...]:
    """Pushes to the branch that were witnessed and not looked at, in the order in which they were heard of."""
    done = (
        select(landing.c.after)
        .where(
            landing.c.repository_id == push_seen.c.repository_id,
            landing.c.ref == push_seen.c.ref,
            landing.c.after == push_seen.c.after,
        )
        .exists()
    )
    mine = (push_seen.c.repository_id == repository_id) & (push_seen.c.ref == ref)
    query = (
        select(push_seen)
        .where(mine, push_seen.c.pull_repository_id == 0, ~done)
        .order_by(push_seen.c.seen_at, push_seen.c.after)
    )
    return tuple(Moved(row.before, row.after, row.account_id, row.login) for row in conn.execute(query))


def moved(conn: Connection, repository_id: int, ref: str, before: str, after: str) -> Moved:
    """That the branch went from there to there, by whom if one account alone was ever seen to do it."""
    mine = (push_seen.c.repository_id == repository_id) & (push_seen.c.ref == ref)
    this = (push_seen.c.before == before) & (push_seen.c.after == after)
    query = select(push_seen.c.account_id, push_seen.c.login).where(
        mine, this, push_seen.c.pull_repository_id == 0
    )
    by = {row.account_id: row.login for row in conn.execute(query)}
    return Moved(before, after, *next(iter(by.items()))) if len(by) == 1 else Moved(before, after)


def last(conn: Connection, repository_id: int, ref: str) -> str:
    """Where the branch stood when it was last looked at, "" for never."""
    where = (landing.c.repository_id == repository_id) & (landing.c.ref == ref)
    newest = select(landing.c.after).where(where).order_by(landing.c.landed_at.desc()).limit(1)
    return conn.execute(newest).scalar() or ""


def keep(
    conn: Connection, repository_id: int, ref: str, found: Sequence[tuple[Landing, Moved]], at: int
) -> None:
    """In the order of the branch: each a millisecond later than the one before, so that the last one is last."""
    for order, (step, moved) in enumerate(found):
        row = {
            "before": step.before,
            "head": step.source.head if step.source else "",
            "pull": step.source.pull if step.source else None,
            "decision": step.made.id if step.made else "",
            "finding": step.finding,
            "account_id": moved.account_id,
            "login": moved.login,
            "landed_at": 0 if moved.late else at + order,
        }
        key = {"repository_id": repository_id, "ref": ref, "after": step.after}
        statement = insert(conn, landing).values(key | row)
        conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=row))


def in_order(begin: str, pushes: Iterable[Moved]) -> tuple[Moved, ...]:
    """Each push after the one that it builds on, however late each was heard of."""
    left, ordered, at = list(pushes), [], begin
    while left:
        afters = {push.after for push in left}
        following = next((push for push in left if push.before == at), None)
        following = following or next((push for push in left if push.before not in afters), left[0])
        left.remove(following)
        ordered.append(following)
        at = following.after
    return tuple(ordered)
