"""What happened to open pull requests while nobody told us: of every repository of an installation, in one query for
many of them.

A pull request is looked at again if its last change is later than our last read of it, by GitHub's clock alike; one
that was never heard of is looked at for the first time; one that was open when it was last read and is not any more is
looked at a last time. A repository that never had a policy is left alone, but for the one that may hold the
organisation's floor.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, select

from foureyes.github_app import landed, pull_reads, seen
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.lanes import EVERY_BRANCH, GROUP, LANDED, Lane
from foureyes.github_app.org_floor import is_floor_repository
from foureyes.github_app.rest_lanes import rest_repositories
from foureyes.github_app.storage import insert, now, reading, writing
from foureyes.github_app.sweep import wake_idle
from foureyes.github_app.sweep_query import (
    LEFT,
    OPEN,
    Happened,
    Page,
    Updated,
    ask_happened,
    ask_page,
    ask_repositories,
)
from foureyes.github_app.sweep_tables import repository_swept
from foureyes.github_app.tables import push_seen, work

BATCH = 50
"""Repositories of one query: one point of the budget."""
MOST_PAGES = 50
"""Of one repository's list, 100 each; what is further down was changed longest ago, and waits for its next event."""

SURE = 30_000
"""Milliseconds. A look so soon after an event that GitHub's own copies may not have had all of it is made once more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Left:
    """How the last sweep left a repository; nothing in it: there was none, or it is not known."""

    until: int = 0
    tip: str = ""
    """Of the default branch, `ref`."""
    ref: str = ""


@dataclass(frozen=True)
class PullSweep:
    """`is_late` says that the turn is over; `woken` counts what is looked at again, by why."""

    engine: Engine
    client: InstallationClient
    is_late: Callable[[], bool]
    woken: Counter[str]

    @property
    def installation(self) -> int:
        return self.client.installation_id

    def turn(self, place: str) -> str:
        """Goes on after the repository `place`; answers where to go on, "" at the end. Raises GitHubError."""
        covered = ask_repositories(self.client)
        if not place:
            with writing(self.engine) as conn:
                rest_repositories(conn, self.installation, {one.id for one in covered}, now(conn))
        after = int(place or 0)
        left = [one for one in covered if one.id > after]
        while left:
            batch, left = left[:BATCH], left[BATCH:]
            for happened in ask_happened(self.client, batch):
                self._sweep(happened)
            if left and self.is_late():
                return str(batch[-1].id)
        return ""

    def _sweep(self, happened: Happened) -> None:
        with reading(self.engine) as conn:
            is_set_up = happened.has_policy or seen.policy_ever_seen(conn, happened.id)
            before = _swept(conn, happened.id)
        if not is_set_up:
            if is_floor_repository(happened.slug.partition("/")[2]):
                self._sweep_floor(happened, before)
            return
        pulls = self._since(happened.slug, OPEN, happened.pulls, before.until)
        # before the first sweep nobody can tell what was left long ago, and every green head is looked at anyway
        left = self._since(happened.slug, LEFT, happened.left, before.until) if before.until else []
        with writing(self.engine) as conn:
            at = now(conn)
            unread = _unread(conn, happened.id, pulls)
            unread["pull request"] += _unheard(conn, happened.id, left)
            for why, found in unread.items():
                self._wake(conn, happened, why, [self._head(happened, pull) for pull in found], at)
            self._wake(conn, happened, "group", self._groups(conn, happened), at)
            self._wake(conn, happened, "branch", self._branches(conn, happened, before), at)
            _keep(conn, self.installation, happened)

    def _sweep_floor(self, happened: Happened, before: Left) -> None:
        """Where every other repository's floor may stand, though this one has no policy of its own."""
        with writing(self.engine) as conn:
            self._wake(conn, happened, "branch", self._branches(conn, happened, before), now(conn))
            _keep(conn, self.installation, happened)

    def _since(self, slug: str, states: Sequence[str], first: Page, until: int) -> list[Updated]:
        """All that changed after `until`, from as many pages as that takes."""
        pulls, more = list(first.pulls), first.more
        for _number in range(MOST_PAGES):
            if not more or pulls[-1].at <= until:
                break
            page = ask_page(self.client, slug, states, more)
            pulls, more = [*pulls, *page.pulls], page.more
        return [pull for pull in pulls if pull.at > until]

    def _head(self, happened: Happened, pull: Updated) -> Lane:
        return Lane(self.installation, happened.id, happened.slug, pull.head, pull=pull.number)

    def _groups(self, conn: Connection, happened: Happened) -> list[Lane]:
        """What merge queues made and nobody told us of: of the pull requests that changed last, as those in a queue
        did. A queue waits for the check only so long.
        """
        made = {pull.group: pull for pull in happened.pulls.pulls if pull.group}
        lanes = [
            Lane(self.installation, happened.id, happened.slug, group, f"{GROUP}refs/heads/{pull.base_ref}")
            for group, pull in made.items()
        ]
        known = select(work.c.key).where(work.c.key.in_([lane.key for lane in lanes]))
        heard = set(conn.execute(known).scalars())
        return [lane for lane in lanes if lane.key not in heard]

    def _branches(self, conn: Connection, happened: Happened, before: Left) -> list[Lane]:
        """The default branch moved, and nobody told us of the push that brought it there; or it is another one, and
        whatever was told of that when it was one of many did not make anyone look at its policy.
        """
        ref = happened.default_ref
        is_another = before.ref not in ("", ref)
        if not is_another and self._knows(conn, happened, before.tip):
            return []
        found = [Lane(self.installation, happened.id, happened.slug, ref=f"{LANDED}{ref}")]
        # a floor that comes into sight holds for heads that were green without it
        if before.tip or is_floor_repository(happened.slug.partition("/")[2]):
            found.append(Lane(self.installation, happened.id, happened.slug, ref=EVERY_BRANCH))
        return found

    def _knows(self, conn: Connection, happened: Happened, tip: str) -> bool:
        here, ref = happened.default_tip, happened.default_ref
        if here == tip or _was_told(conn, happened.id, ref, here):
            return True
        return landed.last(conn, happened.id, ref) == here

    def _wake(self, conn: Connection, happened: Happened, why: str, found: list[Lane], at: int) -> None:
        count = wake_idle(conn, found, at)
        if count:
            self.woken[why] += count
            _log.info("%s: %d of kind %s to look at, unheard of or changed since", happened.slug, count, why)


def _unread(conn: Connection, repository_id: int, pulls: Iterable[Updated]) -> dict[str, list[Updated]]:
    """By why they are looked at: `pull request` was not heard of, `to be sure` was read about when it happened."""
    listed = list(pulls)
    reads = pull_reads.of(conn, repository_id, [pull.number for pull in listed])
    unread: dict[str, list[Updated]] = {"pull request": [], "to be sure": []}
    for pull in listed:
        read = reads.get(pull.number)
        if read is None or read.head != pull.head or read.at < pull.at - SURE:
            unread["pull request"].append(pull)
        elif read.at < pull.at:
            unread["to be sure"].append(pull)
    return unread


def _unheard(conn: Connection, repository_id: int, left: Sequence[Updated]) -> list[Updated]:
    """Those that were still open when they were last read, with the head that they had then."""
    reads = pull_reads.of(conn, repository_id, [pull.number for pull in left])
    return [replace(pull, head=reads[pull.number].head) for pull in left if pull.number in reads]


def _was_told(conn: Connection, repository_id: int, ref: str, tip: str) -> bool:
    mine = (push_seen.c.repository_id == repository_id) & (push_seen.c.ref == ref)
    told = select(push_seen.c.after).where(
        mine, push_seen.c.after == tip, push_seen.c.pull_repository_id == 0
    )
    return conn.execute(told.limit(1)).first() is not None


def _swept(conn: Connection, repository_id: int) -> Left:
    row = conn.execute(
        select(repository_swept).where(repository_swept.c.repository_id == repository_id)
    ).first()
    return Left(row.until, row.tip, row.ref or "") if row is not None else Left()


def _keep(conn: Connection, installation: int, happened: Happened) -> None:
    row = {
        "installation_id": installation, "until": happened.until, "tip": happened.default_tip,
        "ref": happened.default_ref,
    }  # fmt: skip
    statement = insert(conn, repository_swept).values(repository_id=happened.id, records=None, **row)
    conn.execute(statement.on_conflict_do_update(index_elements=[repository_swept.c.repository_id], set_=row))
