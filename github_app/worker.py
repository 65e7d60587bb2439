"""Workers: threads that claim lanes, look, and finish. Whatever dies, a claimed lane comes back when its lease ends.

A worker outlives every failure, of a look and of the database: a lane must not be lost, nor the one who serves it.
"""
# ruff: noqa: BLE001

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, Engine

from foureyes.github_app import group_commit, lanes, logs, storage
from foureyes.github_app.errands import clock_went_back as hurry_errands
from foureyes.github_app.lanes import Claim, Done, Outcome, Retry
from foureyes.github_app.redaction import redact
from foureyes.github_app.retention import Retention, purge
from foureyes.github_app.superseded import is_superseded
from foureyes.github_app.sweep import sweep

Judge = Callable[[Claim], Outcome]
"""Looks at one lane and makes GitHub show what is right. It may raise; that is a Retry."""


class Errands(Protocol):
    """What the sweeper goes on."""

    def begin(self) -> None:
        """At start."""

    def turn(self, is_over: Callable[[], bool]) -> bool:
        """One turn, a short one once `is_over`; False if nothing is due."""


_log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
_FIRST_PURGE_SECONDS = 60.0
"""After the start, when what was missed is looked at first."""
_PURGE_SECONDS = 3600.0
_SET_BACK_MS = 2_000
_SUPERSEDED = "a newer foureyes works on this database"
_LONGEST_LOOK_SECONDS = 600
"""A look that hangs longer loses its lane to another worker."""


class LostClaim(Exception):
    """The database was gone before it could say whether a lane is `owner`'s."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


def take(engine: Engine, lease_ms: int, crowded: Collection[int] = ()) -> Claim | None:
    """Claims the lane that is due longest, under an owner's name of its own; none of `crowded` repositories, and none
    at all once a newer foureyes works. Raises LostClaim.
    """
    owner = uuid.uuid4().hex

    def claim(conn: Connection) -> Claim | None:
        if is_superseded(conn):
            return None
        made = lanes.claim(conn, owner, storage.now(conn), lease_ms, crowded)
        return made and replace(made, deliveries=lanes.awaiting(conn, made))

    try:
        return group_commit.commit(engine, claim)
    except Exception as error:
        raise LostClaim(owner) from error


def put_back(engine: Engine, claim: Claim) -> None:
    """Another is looked at first. Raises LostClaim."""
    try:
        group_commit.commit(engine, lambda conn: lanes.put_back(conn, claim, storage.now(conn)))
    except Exception as error:
        raise LostClaim(claim.owner) from error


def look(claim: Claim, judge: Judge) -> Outcome:
    """Never raises: a failure is a Retry, and the lane stays pending."""
    try:
        return judge(claim)
    except Exception as error:
        _log.exception("looking at %s failed", claim.lane.key)
        return Retry(redact(f"{type(error).__name__}: {error}"))


def settle(engine: Engine, claim: Claim, outcome: Outcome) -> bool:
    """Writes down what came of it; False if another worker has the lane by now."""
    if isinstance(outcome, Done):
        return group_commit.commit(engine, partial(_finish, claim, outcome))
    is_dead = claim.tries + 1 >= lanes.DEAD_AFTER
    _log.log(
        logging.ERROR if is_dead else logging.WARNING,
        "%s %s could not be looked at, %d times in a row: %s",
        claim.lane.slug,
        claim.lane.key,
        claim.tries + 1,
        outcome.why,
    )
    later = replace(outcome, why=redact(outcome.why))
    return group_commit.commit(engine, lambda conn: lanes.retry_later(conn, claim, later, storage.now(conn)))


def _finish(claim: Claim, outcome: Done, conn: Connection) -> bool:
    if is_superseded(conn):
        # what we showed last may be what the newer one no longer lets through
        return lanes.retry_later(conn, claim, Retry(_SUPERSEDED, 0.0), storage.now(conn))
    return lanes.finish(conn, claim, outcome, storage.now(conn))


def look_again(engine: Engine, claim: Claim) -> None:
    """After a lost lease: what this worker wrote last may have hidden what the other one had found."""
    group_commit.commit(engine, lambda conn: lanes.wake(conn, claim.lane, storage.now(conn)))


def _let_go(owner: str, conn: Connection) -> bool:
    return lanes.let_go(conn, owner, storage.now(conn))


class Workers:
    """`threads` workers, one keeper, which renews leases and sweeps among the lanes, and one sweeper, which goes on the
    sweep's errands to GitHub where there are any.
    """

    def __init__(
        self,
        engine: Engine,
        judge: Judge,
        *,
        threads: int = 4,
        lease_ms: int = 60_000,
        sweep_seconds: float = 300,
        renew_seconds: float | None = None,
        keep: Retention | None = None,
        errands: Errands | None = None,
    ) -> None:
        self._engine = engine
        self._judge = judge
        self._keep_days = keep
        self._lease_ms = lease_ms
        self._sweep_seconds = sweep_seconds
        self._renew_seconds = lease_ms / 3000 if renew_seconds is None else renew_seconds
        self._news = threading.Condition()
        self._heard = 0
        self._stopping = threading.Event()
        self._running: dict[str, tuple[Claim, float]] = {}
        self._beginning = threading.Lock()
        self._ahead: int | None = None
        """Milliseconds by which the database's clock is ahead of one that is never set."""
        self._superseded = False
        self._most_of_one = max(1, threads - 1)
        names = [f"worker-{number}" for number in range(1, threads + 1)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._keep, name="keeper", daemon=True))
        if errands is not None:
            run = partial(self._run_errands, errands)
            self._threads.append(threading.Thread(target=run, name="sweeper", daemon=True))

    def start(self) -> None:
        if storage.is_sqlite(self._engine):
            self._release_all()
        for thread in self._threads:
            thread.start()

    def _release_all(self) -> None:
        """One process writes to the file: who held a lane before it is not there any more."""
        try:
            group_commit.commit(self._engine, lanes.release_all)
        except Exception:
            _log.exception("the database could not be reached; lanes come back when their leases end")

    def wake(self) -> None:
        """There is news: someone looks now, not at the next poll."""
        with self._news:
            self._heard += 1
            self._news.notify_all()

    @property
    def healthy(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def stop(self, drain_seconds: float) -> bool:
        """Claims nothing more and lets what is being looked at finish. False if the time did not suffice: then those
        lanes come back when their leases end.
        """
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        deadline = time.monotonic() + drain_seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        lost = ""
        while not self._stopping.is_set():
            heard = self._heard
            try:
                if lost:
                    # nobody looks at it, and until its lease ends nobody else may
                    group_commit.commit(self._engine, partial(_let_go, lost))
                    lost = ""
                if not self._work_once():
                    self._rest(heard)
            except Exception as error:
                _log.exception("a worker could not reach the database")
                lost = error.owner if isinstance(error, LostClaim) else lost
                self._stopping.wait(_POLL_SECONDS)

    def _rest(self, heard: int) -> None:
        """Until there is news that came after `heard`, or the next poll."""
        with self._news:
            if self._heard == heard and not self._stopping.is_set():
                self._news.wait(_POLL_SECONDS)

    def _work_once(self) -> bool:
        claim = take(self._engine, self._lease_ms, self._crowded())
        if claim is None:
            return False
        if not self._begin(claim):
            put_back(self._engine, claim)
            return True
        try:
            with logs.about(lane=claim.lane.key, deliveries=" ".join(claim.deliveries)):
                outcome = look(claim, self._judge)
                if not self._settled(claim, outcome):
                    _log.warning("the lease ended before the look did")
                    look_again(self._engine, claim)
        finally:
            del self._running[claim.owner]
        return True

    def _begin(self, claim: Claim) -> bool:
        """False: while this one was claimed, others began with as many of its repository as may be looked at."""
        with self._beginning:
            if claim.lane.repository_id in self._crowded():
                return False
            self._running[claim.owner] = (claim, time.monotonic())
            return True

    def _settled(self, claim: Claim, outcome: Outcome) -> bool:
        """Tried again while the database does not answer: given up, the lane would wait for the end of its lease."""
        given_up = time.monotonic() + self._lease_ms / 1000
        while True:
            try:
                return settle(self._engine, claim, outcome)
            except Exception:
                if self._stopping.is_set() or time.monotonic() > given_up:
                    raise
                _log.exception("what came of a look could not be stored; tried again")
            self._stopping.wait(_POLL_SECONDS)

    def _crowded(self) -> list[int]:
        """Repositories that all workers but one are busy with: that one is for all others, however slow these are."""
        held = Counter(claim.lane.repository_id for claim, _ in list(self._running.values()))
        return [repository for repository, count in held.items() if count >= self._most_of_one]

    def _keep(self) -> None:
        next_sweep, next_purge, after_gap = 0.0, time.monotonic() + _FIRST_PURGE_SECONDS, True
        while not self._stopping.is_set():
            try:
                self._watch()
                self._renew()
                works = not self._superseded
                if works and time.monotonic() >= next_sweep:
                    self._sweep(after_gap)
                    next_sweep, after_gap = time.monotonic() + self._sweep_seconds, False
                if works and time.monotonic() >= next_purge:
                    next_purge = time.monotonic() + (0 if self._purge() else _PURGE_SECONDS)
            except Exception:
                _log.exception("the keeper could not reach the database")
            self._stopping.wait(min(self._renew_seconds, self._sweep_seconds))

    def _watch(self) -> None:
        """The clock, and who else works here."""
        with storage.reading(self._engine) as conn:
            at, before = storage.now(conn), self._superseded
            self._superseded = is_superseded(conn)
        if self._superseded and not before:
            _log.warning("%s: this one stores what it hears and looks at nothing. Stop it.", _SUPERSEDED)
        self._watch_the_clock(at)

    def _watch_the_clock(self, at: int) -> None:
        before, self._ahead = self._ahead, at - time.monotonic_ns() // 1_000_000
        if before is not None and before - self._ahead > _SET_BACK_MS:
            _log.warning("the clock was set back by %d s", (before - self._ahead) // 1000)
            with storage.writing(self._engine) as conn:
                lanes.clock_went_back(conn, at, self._lease_ms)
                hurry_errands(conn, at)
            self.wake()

    def _renew(self) -> None:
        oldest = time.monotonic() - _LONGEST_LOOK_SECONDS
        for claim, since in list(self._running.values()):
            if since > oldest:
                with storage.writing(self._engine) as conn:
                    lanes.renew(conn, claim, storage.now(conn), self._lease_ms)

    def _run_errands(self, errands: Errands) -> None:
        begun = False
        while not self._stopping.is_set():
            try:
                if not begun:
                    errands.begin()
                    begun = True
                if errands.turn(self._stopping.is_set):
                    self.wake()
                    continue
            except Exception:
                _log.exception("the sweeper could not reach the database")
            self._stopping.wait(_POLL_SECONDS)

    def _purge(self) -> bool:
        """One round. True: there may be more that is old."""
        if self._keep_days is None:
            return False
        with storage.reading(self._engine) as conn:
            at = storage.now(conn)
        purged = purge(self._engine, self._keep_days, at)
        if purged:
            _log.info(
                "purged what is old: %d deliveries, %d lanes, %d decisions",
                purged.deliveries,
                purged.lanes,
                purged.decisions,
            )
        return bool(purged)

    def _sweep(self, after_gap: bool) -> None:
        with storage.writing(self._engine) as conn:
            count = sweep(conn, storage.now(conn), after_gap=after_gap)
        if count:
            _log.info("the sweep looks at %d heads again", count)
            self.wake()
