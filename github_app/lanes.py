"""Lanes: one row of work per repository and head, so that a newer event joins an older one.

`wake` raises a lane's generation. A worker claims the newest generation under a lease and finishes exactly
the one it claimed: what arrives meanwhile leaves the lane pending, and a worker that lost its lease can
finish nothing. Nothing is ever dropped: what fails stays due, later and later.

Each function takes an open transaction (`storage.writing`) and the time in milliseconds (`storage.now`).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from random import random

from sqlalchemy import ColumnElement, Connection, Executable, and_, bindparam, case, func, select, update

from foureyes.github_app.storage import insert_into
from foureyes.github_app.tables import delivery, delivery_awaits, work

EVERY_BRANCH = "*"
"""As a lane's `ref`: the default branch moved, so that any pull request may be judged by another policy."""

LANDED = "landed:"
"""Before a branch in a lane's `ref`: what came onto it is held against the decisions."""

GROUP = "group:"
"""Before a branch in a lane's `ref`: the lane's head is what a merge queue made to be merged into the branch."""

DEAD_AFTER = 12
"""Failures in a row after which a lane counts as a dead letter. It is tried on, once an hour."""

_LONGEST_WAIT = 3_600_000
_STALLED_MS = 60_000
"""After which no request is under way any more that somebody made about a lane and did not see the end of."""
_UNSURE = "unsure:"
"""In place of an owner: until the time that follows, what was written last may still arrive at GitHub."""
_LONGEST_ERROR = 2_000
_FEW = 8
"""Lanes that may be looked at in any order."""


@dataclass(frozen=True)
class Lane:
    """What is to be looked at: a `head` commit, or (after a push) the pull requests into a branch `ref`."""

    installation_id: int
    repository_id: int
    slug: str
    """`owner/name` as last heard."""
    head: str = ""
    ref: str = ""
    """`refs/heads/...`, EVERY_BRANCH or LANDED with a branch; empty for a head, GROUP with a branch for a group's."""
    pull: int | None = None
    """A hint: a pull request heard of with this head."""

    @property
    def key(self) -> str:
        return f"{self.repository_id}:{self.head}" if self.head else f"{self.repository_id}:push:{self.ref}"


@dataclass(frozen=True)
class Claim:
    """A lane in the hands of one worker until its lease ends."""

    lane: Lane
    gen: int
    owner: str
    lease_until: int
    tries: int = 0
    """Failures in a row before this."""
    lease_ms: int = 0
    """How long it lasts when it is renewed."""
    unsure_until: int = 0
    """Until then a write of an earlier look, whose end nobody saw, may still arrive and hide what this look shows."""
    routine: bool = False
    """Time alone asks for this look, of a head that shows no success: it leaves a part of the budget to all others."""
    deliveries: tuple[str, ...] = field(default=(), compare=False)
    """Some of those that wait for this look, oldest first: for the log."""


@dataclass(frozen=True)
class Done:
    """The lane was looked at and what GitHub shows is right."""

    live: bool = True
    """The head still has an open pull request into a gated branch, so that it is looked at again."""
    green: bool = False
    """Our check on the head says success now."""
    wake: tuple[Lane, ...] = ()
    """Lanes found to need a look: the head that a pull request moved to."""
    look_again: float = 3600
    """Seconds until the sweep looks without an event; less where a record may still arrive."""


@dataclass(frozen=True)
class Retry:
    """It could not be looked at. `why` is for the log and for the operator of the server."""

    why: str
    after: float | None = None
    """Seconds that the other side asked us to wait (`Retry-After`); None: our own backoff."""
    unsure: bool = False
    """Something was written, and nobody knows whether GitHub has done it, has not, or is about to."""


Outcome = Done | Retry


def live(conn: Connection, installation_id: int) -> tuple[Lane, ...]:
    """Every head of the installation that still has an open pull request into a gated branch."""
    found = conn.execute(
        select(work).where(work.c.installation_id == installation_id, work.c.live).order_by(work.c.key)
    )
    return tuple(
        Lane(row.installation_id, row.repository_id, row.slug, row.head, "", row.pull) for row in found
    )


def wake(conn: Connection, lane: Lane, at: int, *, routine: bool = False) -> int:
    """Returns the generation in which what was just heard will have been seen. `routine`: nothing was heard.

    A lane that backs off becomes due at once, since news may be what it needed; not before the time that
    GitHub asked us to wait for.
    """
    row = {
        "key": lane.key, "installation_id": lane.installation_id, "repository_id": lane.repository_id,
        "slug": lane.slug, "head": lane.head, "ref": lane.ref, "pull": lane.pull, "due_at": at,
        "live": bool(lane.head), "routine": routine,
    }  # fmt: skip
    return int(conn.execute(_waking(conn.dialect.name), row).scalar_one())


def wake_all(conn: Connection, found: Iterable[Lane], at: int) -> dict[str, int]:
    """Key -> generation. In key order, so that two transactions never wait for each other in a circle."""
    by_key = {lane.key: lane for lane in found}
    return {key: wake(conn, by_key[key], at) for key in sorted(by_key)}


@cache
def _waking(dialect: str) -> Executable:
    """Made once: making it takes longer than running it."""
    new = {"gen": 1, "done_gen": 0, "not_before": 0, "lease_until": 0, "owner": "", "tries": 0}
    given = (
        "key", "installation_id", "repository_id", "slug", "head", "ref", "pull", "due_at", "live", "routine",
    )  # fmt: skip
    statement = insert_into(dialect, work).values(
        new | {"last_error": "", "green": False} | {name: bindparam(name) for name in given}
    )
    news = statement.excluded
    waits_already = (work.c.gen > work.c.done_gen) & (work.c.due_at < news.due_at)
    still = (work.c.gen == work.c.done_gen) | work.c.routine
    sooner = case((waits_already, work.c.due_at), else_=news.due_at)
    made: Executable = statement.on_conflict_do_update(
        index_elements=[work.c.key],
        set_={
            "gen": work.c.gen + 1,
            "due_at": case((work.c.not_before > sooner, work.c.not_before), else_=sooner),
            "installation_id": news.installation_id,
            "slug": news.slug,
            "ref": case((news.ref != "", news.ref), else_=work.c.ref),
            "pull": func.coalesce(news.pull, work.c.pull),
            "routine": still & news.routine,
        },
    ).returning(work.c.gen)
    return made


def groups(conn: Connection, repository_id: int) -> tuple[Lane, ...]:
    """Lanes of what waits in the repository's merge queues."""
    return tuple(
        Lane(row.installation_id, row.repository_id, row.slug, row.head, row.ref, row.pull)
        for row in conn.execute(_GROUPS, {"repository": repository_id})
    )


_GROUPS = select(work).where(
    work.c.repository_id == bindparam("repository"), work.c.live, work.c.ref.startswith(GROUP)
)


def claim(
    conn: Connection, owner: str, at: int, lease_ms: int, crowded: Collection[int] = ()
) -> Claim | None:
    """The lane that has been due longest, or None. `owner` must be new for each claim. Lanes of `crowded` repositories
    are left to wait.

    A lane whose last owner never came back counts one more failure: it may be what ended that worker.
    """
    due = _DUE.where(work.c.repository_id.not_in(list(crowded))) if crowded else _DUE
    row = conn.execute(due, {"at": at}).mappings().first()
    if row is None:
        return None
    taken_over, unsure_until = _left_behind(row["owner"], at)
    tries, lease_until = row["tries"] + taken_over, at + lease_ms
    mine = {"owner": owner, "lease_until": lease_until, "tries": tries}
    conn.execute(update(work).where(work.c.key == row["key"]).values(mine))
    lane = Lane(
        row["installation_id"], row["repository_id"], row["slug"], row["head"], row["ref"], row["pull"]
    )
    return Claim(lane, row["gen"], owner, lease_until, tries, lease_ms, unsure_until, bool(row["routine"]))


def _left_behind(owner: str, at: int) -> tuple[bool, int]:
    """Whether the last owner never came back, and until when what it wrote may arrive. It may only have been stopped,
    in the middle of a write that nobody can take back.
    """
    if owner.startswith(_UNSURE):
        return False, int(owner.removeprefix(_UNSURE))
    return owner != "", at + _STALLED_MS if owner else 0


def _mark(unsure_until: int, at: int) -> str:
    return f"{_UNSURE}{unsure_until}" if unsure_until > at else ""


_DUE = (
    select(work)
    .where(
        work.c.gen > work.c.done_gen, work.c.due_at <= bindparam("at"), work.c.lease_until <= bindparam("at")
    )
    .order_by(work.c.due_at, work.c.key)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def awaiting(conn: Connection, held: Claim, most: int = 10) -> tuple[str, ...]:
    """GUIDs of deliveries that wait for this look, the newest of them, oldest first."""
    mine = and_(delivery_awaits.c.lane == held.lane.key, delivery_awaits.c.gen <= held.gen)
    found = select(delivery_awaits.c.guid).where(mine).order_by(delivery_awaits.c.gen.desc()).limit(most)
    return tuple(reversed(conn.execute(found).scalars().all()))


def renew(conn: Connection, held: Claim, at: int, lease_ms: int) -> bool:
    """Lengthens a lease that still stands; False if another worker has the lane."""
    statement = update(work).where(_held(held), work.c.lease_until > at).values(lease_until=at + lease_ms)
    return conn.execute(statement).rowcount == 1


def release_all(conn: Connection) -> int:
    """At the start of the only process that there is: whoever held a lane is gone. Returns how many were held."""
    held = work.c.lease_until != 0
    return conn.execute(update(work).where(held).values(lease_until=0)).rowcount


def let_go(conn: Connection, owner: str, at: int) -> bool:
    """Of a claim that nobody knows to be one: the database was gone before it could say so. Nothing was looked at, but
    the one who had the lane before may have left a write behind.
    """
    mark = f"{_UNSURE}{at + _STALLED_MS}"
    statement = update(work).where(work.c.owner == owner).values(owner=mark, lease_until=0)
    return conn.execute(statement).rowcount == 1


def put_back(conn: Connection, held: Claim, at: int) -> bool:
    """As it was before the claim: nothing was looked at. False if the claim is lost."""
    mark = _mark(held.unsure_until, at)
    return conn.execute(update(work).where(_held(held)).values(owner=mark, lease_until=0)).rowcount == 1


def clock_went_back(conn: Connection, at: int, lease_ms: int) -> None:
    """What was to come at a time that is far away again comes now, and no lease lasts longer than one does."""
    waits = (work.c.gen > work.c.done_gen) & (work.c.due_at > at)
    conn.execute(update(work).where(waits).values(due_at=at, not_before=0))
    conn.execute(update(work).where(work.c.live, work.c.green, work.c.look_at > at).values(look_at=at))
    too_long = work.c.lease_until > at + lease_ms
    conn.execute(update(work).where(too_long).values(lease_until=at + lease_ms))


def finish(conn: Connection, held: Claim, done: Done, at: int) -> bool:
    """Marks the claimed generation as done and wakes what was found; the lane itself for once more where something may
    still hide what was shown. False if the claim is lost.
    """
    mark = _mark(held.unsure_until, at)
    statement = (
        update(work)
        .where(_held(held))
        .values(
            done_gen=held.gen, owner=mark, lease_until=0, not_before=0, tries=0, last_error="", done_at=at,
            live=done.live and bool(held.lane.head), green=done.green,
            look_at=at + int(done.look_again * 1000),
        )
    )  # fmt: skip
    if conn.execute(statement).rowcount != 1:
        return False
    _green_first(conn, wake_all(conn, done.wake, at), at)
    if mark:
        wake(conn, held.lane, held.unsure_until)
    _decide_deliveries(conn, held, at)
    return True


def _green_first(conn: Connection, woken: Collection[str], at: int) -> None:
    """A green check that is no longer right, by a policy that came just now, is the one thing that cannot wait."""
    if len(woken) <= _FEW:
        return
    keys = sorted(woken)
    # in small steps: a database takes only so many values in one statement
    for start in range(0, len(keys), 500):
        others = work.c.key.in_(keys[start : start + 500]) & ~work.c.green & (work.c.due_at == at)
        conn.execute(update(work).where(others).values(due_at=at + 1))


def retry_later(
    conn: Connection, held: Claim, retry: Retry, at: int, chance: Callable[[], float] = random
) -> bool:
    """Leaves the generation pending, due after a backoff. False if the claim is lost.

    News that came meanwhile does not shorten the wait that the other side asked for. `chance` gives a number from
    0 to 1: what failed together must not come back together. A routine look that leaves the budget to others has not
    failed, and news need not wait with it.
    """
    asked = retry.after is not None
    gave_way = asked and held.routine
    wait = _asked_ms(retry.after, chance()) if retry.after is not None else backoff_ms(held.tries, chance())
    mark = _mark(at + _STALLED_MS if retry.unsure else held.unsure_until, at)
    statement = (
        update(work)
        .where(_held(held))
        .values(
            owner=mark, lease_until=0, tries=held.tries + (not gave_way),
            due_at=case((work.c.gen > held.gen, at), else_=at + wait) if gave_way else at + wait,
            not_before=at + wait if asked and not gave_way else 0, last_error=retry.why[:_LONGEST_ERROR],
        )
    )  # fmt: skip
    return conn.execute(statement).rowcount == 1


def backoff_ms(tries: int, chance: float) -> int:
    """1 s, 2 s, 4 s ... at most five minutes; an hour once it is a dead letter. Up to a quarter less by chance."""
    longest = _LONGEST_WAIT if tries + 1 >= DEAD_AFTER else min(300_000, 1000 << min(tries, 10))
    return longest - int(longest * chance / 4)


def _asked_ms(seconds: float, chance: float) -> int:
    """Never less than was asked for; by chance up to a tenth more, or half a minute."""
    asked = max(0, int(seconds * 1000))
    return asked + int(min(asked / 10, 30_000) * chance)


@dataclass(frozen=True)
class Depth:
    """What stands in the lanes: pending in all, those of them due now, those in work, and dead letters."""

    pending: int = 0
    due: int = 0
    running: int = 0
    dead: int = 0
    oldest_due_ms: int = 0
    """How long the one that has waited longest is overdue."""


def depth(conn: Connection, at: int) -> Depth:
    pending = work.c.gen > work.c.done_gen
    idle = and_(pending, work.c.due_at <= at, work.c.lease_until <= at)
    counts = select(
        func.count(),
        func.count().filter(idle),
        func.count().filter(work.c.lease_until > at),
        func.count().filter(work.c.tries >= DEAD_AFTER),
        func.min(work.c.due_at).filter(idle),
    ).where(pending)
    total, due, running, dead, oldest = conn.execute(counts).one()
    return Depth(total, due, running, dead, at - oldest if oldest is not None else 0)


def _held(held: Claim) -> ColumnElement[bool]:
    return and_(work.c.key == held.lane.key, work.c.owner == held.owner, work.c.done_gen < held.gen)


def _decide_deliveries(conn: Connection, held: Claim, at: int) -> None:
    mine = and_(delivery_awaits.c.lane == held.lane.key, delivery_awaits.c.gen <= held.gen)
    guids = [
        row.guid
        for row in conn.execute(delivery_awaits.delete().where(mine).returning(delivery_awaits.c.guid))
    ]
    if not guids:
        return
    still_waiting = select(delivery_awaits.c.guid).where(delivery_awaits.c.guid == delivery.c.guid).exists()
    conn.execute(
        update(delivery)
        .where(delivery.c.guid.in_(guids), delivery.c.decided_at.is_(None), ~still_waiting)
        .values(decided_at=at)
    )
