"""What the App was told and keeps: who pushed which head, what a review was given on, records, policies.

These facts do not depend on what GitHub says later, which a force-push or a deletion can change. Rows are
added, never taken back, so that a repeated or a late delivery changes nothing.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, or_, select

from foureyes.github_app import tables
from foureyes.github_app.storage import insert
from foureyes.github_app.tables import envelope_seen, floor_seen, policy_seen, push_seen, record_seen
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.facts import Push
from foureyes.shared.people import Account, Kind

MOST_MOVES = 1_000
"""Pushes to a branch, newest first, among which those that followed a late one are looked for."""


@dataclass(frozen=True)
class PushSeen:
    """A push to a branch. `pull` is set if a pull request's own event told it."""

    repository_id: int
    """Where the branch is: the fork, for a pull request from a fork."""
    ref: str
    before: str
    after: str
    account: Account | None
    pull_repository_id: int = 0
    pull: int = 0


@dataclass(frozen=True)
class SeenReview:
    """A review as it was when it was submitted."""

    commit: str
    """The commit it was given on."""
    head: str
    base: str
    """As its event said: where the base branch was when the head was pushed, which can be long ago."""
    base_ref: str
    """Without `refs/heads/`."""
    state: str = ""
    at: int = 0
    """When its event came, in milliseconds."""
    tip: str = ""
    """Where the newest push to the base branch that was seen before it left that; "" for none, or the same."""
    by: int = field(default=0, compare=False)
    """Account id of who gave it, 0 for nobody known."""


@dataclass(frozen=True)
class ReviewSeen:
    id: int
    repository_id: int
    pull: int
    account: Account | None
    review: SeenReview


@dataclass(frozen=True)
class SeenRecord:
    record: bytes
    envelopes: tuple[bytes, ...]


@dataclass(frozen=True)
class SeenPolicy:
    oid: str
    text: str


@dataclass(frozen=True)
class SeenFloor:
    oid: str
    at: int
    """Milliseconds, by the database's clock."""


def keep_push(conn: Connection, push: PushSeen, at: int) -> None:
    who = push.account
    statement = insert(conn, push_seen).values(
        repository_id=push.repository_id, ref=push.ref, before=push.before, after=push.after,
        account_id=who.id if who else 0, login=who.login if who else "", kind=who.kind.value if who else "",
        pull_repository_id=push.pull_repository_id, pull=push.pull, seen_at=at,
    )  # fmt: skip
    conn.execute(statement.on_conflict_do_nothing())


def keep_review(conn: Connection, seen: ReviewSeen, at: int) -> None:
    """The first delivery of a submission is kept; it is the nearest to the moment itself."""
    given = seen.review
    statement = insert(conn, tables.review_seen).values(
        review_id=seen.id, repository_id=seen.repository_id, pull=seen.pull,
        account_id=seen.account.id if seen.account else 0, state=given.state, commit=given.commit,
        head=given.head, base=given.base, base_ref=given.base_ref, seen_at=at,
    )  # fmt: skip
    conn.execute(statement.on_conflict_do_nothing())


def pushes_seen(
    conn: Connection,
    repository_id: int,
    number: int,
    *,
    head_repository_id: int | None = None,
    head_ref: str = "",
    opened_at: int | None = None,
    commits: Collection[str] = (),
) -> tuple[Push, ...]:
    """Every witnessed push to a pull request's branch, oldest first, each step and account once.

    Those that the pull request's own events told; and, if the branch is named, those to the branch that
    brought one of `commits`, came at or after `opened_at` (ms), or made a head that such a one replaced. Earlier
    pushes of other commits to a branch of that name belong to its earlier uses.
    """
    where: ColumnElement[bool] = (push_seen.c.pull_repository_id == repository_id) & (
        push_seen.c.pull == number
    )
    if head_repository_id is not None and head_ref:
        on_branch = (push_seen.c.repository_id == head_repository_id) & (
            push_seen.c.ref == f"refs/heads/{head_ref}"
        )
        where = or_(where, on_branch)
    rows = conn.execute(
        select(push_seen).where(where).order_by(push_seen.c.seen_at, push_seen.c.account_id)
    ).all()

    def is_its(row: Row[Any]) -> bool:
        own = row.pull_repository_id == repository_id and row.pull == number
        return own or (opened_at is not None and row.seen_at >= opened_at)

    # the head that it was opened with was pushed before that, and can be pushed away
    wanted = {*commits, *(row.before for row in rows if is_its(row))}
    return tuple(
        dict.fromkeys(
            Push(row.after, _account(row.account_id, row.login, row.kind), row.before)
            for row in rows
            if is_its(row) or row.after in wanted
        )
    )


def pushes_elsewhere(
    conn: Connection,
    repository_id: int,
    base_ref: str,
    *,
    head_repository_id: int | None,
    commits: Collection[str],
    heads: Collection[str],
) -> tuple[Push, ...]:
    """Witnessed pushes, to any branch, of one of `commits` or of `heads` (which may be gone): in the repository, in the
    one that the pull request comes from, and as any pull request's own events told. Only those with an account.

    A head that the base branch had too is the base's own: the branch once stood there.
    """
    here = [repository_id, *([head_repository_id] if head_repository_id else [])]
    where = push_seen.c.repository_id.in_(here) | (push_seen.c.pull_repository_id == repository_id)
    where = where & push_seen.c.after.in_(list({*commits, *heads})) & (push_seen.c.account_id != 0)
    order = (push_seen.c.after, push_seen.c.account_id, push_seen.c.before, push_seen.c.seen_at)
    rows = conn.execute(select(push_seen).where(where).order_by(*order)).all()
    base = (repository_id, f"refs/heads/{base_ref}")
    of_base = {row.after for row in rows if (row.repository_id, row.ref) == base}.difference(commits)
    return tuple(
        dict.fromkeys(
            Push(row.after, _account(row.account_id, row.login, row.kind), row.before)
            for row in rows
            if row.after not in of_base
        )
    )


def reviews_seen(conn: Connection, review_ids: Collection[int]) -> dict[int, SeenReview]:
    """Review -> what it was given on. One whose submission was never delivered to us is left out."""
    rows = conn.execute(
        select(tables.review_seen).where(tables.review_seen.c.review_id.in_(list(review_ids)))
    )
    return {
        row.review_id: SeenReview(
            row.commit, row.head, row.base, row.base_ref, row.state, row.seen_at, by=row.account_id
        )
        for row in rows
    }


def branch_was(conn: Connection, repository_id: int, branch: str, at: int) -> str:
    """Where the pushes to the branch that were seen by then left it, "" for none. One that was told late, after those
    that followed it, does not put the branch back.
    """
    of_branch = (push_seen.c.repository_id == repository_id) & (push_seen.c.ref == f"refs/heads/{branch}")
    newest_first = (push_seen.c.seen_at.desc(), push_seen.c.after)
    moves = select(push_seen.c.before, push_seen.c.after).where(of_branch & (push_seen.c.seen_at <= at))
    newest = conn.execute(moves.order_by(*newest_first).limit(1)).first()
    if newest is None or not conn.execute(moves.where(push_seen.c.before == newest.after).limit(1)).first():
        return newest.after if newest else ""
    rows = conn.execute(moves.order_by(*newest_first).limit(MOST_MOVES)).all()
    return _end_of({row.before: row.after for row in reversed(rows)}, newest.after)


def _end_of(moved: Mapping[str, str], start: str) -> str:
    """`start` itself where the moves from it come round: the branch was put back there on purpose."""
    seen, tip = {start}, start
    while tip in moved:
        tip = moved[tip]
        if tip in seen:
            return start
        seen.add(tip)
    return tip


def keep_record(
    conn: Connection, repository_id: int, commit: str, record: bytes, envelopes: Sequence[bytes], at: int
) -> bool:
    """True if this form of the commit's record was not known yet. Earlier forms stay."""
    by_digest = {sha256_hex(envelope): envelope for envelope in envelopes}
    for digest, envelope in by_digest.items():
        row = insert(conn, envelope_seen).values(
            repository_id=repository_id, sha256=digest, envelope=zlib.compress(envelope, 1), seen_at=at
        )
        conn.execute(row.on_conflict_do_nothing())
    listed = " ".join(sorted(by_digest))
    statement = insert(conn, record_seen).values(
        repository_id=repository_id, commit=commit,
        sha256=sha256_hex(f"{sha256_hex(record)} {listed}".encode()),
        record=zlib.compress(record, 1), envelopes=listed, seen_at=at,
    )  # fmt: skip
    is_new = statement.on_conflict_do_nothing().returning(record_seen.c.sha256)
    return conn.execute(is_new).first() is not None


def records_seen(
    conn: Connection, repository_id: int, commits: Collection[str]
) -> dict[str, tuple[SeenRecord, ...]]:
    """Commit -> every form in which its record was ever seen, oldest first.

    Commits without one are left out.
    """
    where = (record_seen.c.repository_id == repository_id) & record_seen.c.commit.in_(list(commits))
    rows = conn.execute(
        select(record_seen).where(where).order_by(record_seen.c.seen_at, record_seen.c.sha256)
    ).all()
    digests = {digest for row in rows for digest in row.envelopes.split()}
    of_repository = envelope_seen.c.repository_id == repository_id
    bodies = select(envelope_seen).where(of_repository & envelope_seen.c.sha256.in_(sorted(digests)))
    envelopes = {row.sha256: zlib.decompress(row.envelope) for row in conn.execute(bodies)}
    found: dict[str, tuple[SeenRecord, ...]] = {}
    for row in rows:
        seen = SeenRecord(
            zlib.decompress(row.record), tuple(envelopes[digest] for digest in row.envelopes.split())
        )
        found[row.commit] = (*found.get(row.commit, ()), seen)
    return found


def keep_policy(conn: Connection, repository_id: int, oid: str, text: str, good: bool, at: int) -> None:
    _keep_text(conn, policy_seen.c.repository_id, repository_id, SeenPolicy(oid, text), good, at)


def last_good_policy(conn: Connection, repository_id: int) -> SeenPolicy | None:
    """The policy that was in force last and could be read."""
    return _last_good(conn, policy_seen.c.repository_id, repository_id)


def policy_ever_seen(conn: Connection, repository_id: int) -> bool:
    """False: the repository was never set up, so that nothing is published there."""
    return _ever_seen(conn, policy_seen.c.repository_id, repository_id)


def keep_floor(conn: Connection, owner_id: int, oid: str, text: str, good: bool, at: int) -> None:
    _keep_text(conn, floor_seen.c.owner_id, owner_id, SeenPolicy(oid, text), good, at)


def last_good_floor(conn: Connection, owner_id: int) -> SeenPolicy | None:
    """The organisation's floor that held last and could be read."""
    return _last_good(conn, floor_seen.c.owner_id, owner_id)


def newest_floor(conn: Connection, owner_id: int) -> SeenFloor | None:
    """Good or not, as it was when it was read last, by whichever server; `oid` is "" where it was gone."""
    newest = select(floor_seen.c.oid, floor_seen.c.seen_at).where(floor_seen.c.owner_id == owner_id)
    row = conn.execute(newest.order_by(floor_seen.c.seen_at.desc()).limit(1)).first()
    return SeenFloor(row.oid, row.seen_at) if row else None


def floor_ever_seen(conn: Connection, owner_id: int) -> bool:
    return _ever_seen(conn, floor_seen.c.owner_id, owner_id)


def _keep_text(conn: Connection, key: Column[int], whose: int, text: SeenPolicy, good: bool, at: int) -> None:
    values = {key.name: whose, "oid": text.oid, "text": text.text, "good": good, "seen_at": at}
    statement = insert(conn, key.table).values(values)
    newer = {"good": good, "seen_at": at}
    conn.execute(statement.on_conflict_do_update(index_elements=[key.name, "oid"], set_=newer))


def _last_good(conn: Connection, key: Column[int], whose: int) -> SeenPolicy | None:
    table = key.table
    newest = select(table).where((key == whose) & table.c.good).order_by(table.c.seen_at.desc()).limit(1)
    row = conn.execute(newest).first()
    return SeenPolicy(row.oid, row.text) if row else None


def _ever_seen(conn: Connection, key: Column[int], whose: int) -> bool:
    return conn.execute(select(key).where(key == whose).limit(1)).first() is not None


def _account(id: int, login: str, kind: str) -> Account | None:
    return Account(id, login, Kind(kind)) if id else None
