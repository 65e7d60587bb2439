"""How much of GitHub one installation may use, and for what. GitHub says in each answer what is left of the hour; the
limits by the minute it only says once they are passed, so that they are kept here.

Nothing sleeps here for long: who may not ask now is told for how many seconds, and the lane is put back.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum

LARGEST_WAIT = 3600.0
SECONDARY_WAIT = 60.0
"""Seconds, where GitHub asks to wait and does not say how long."""
MOST_AT_ONCE = 20
"""Requests of one installation that run side by side; GitHub allows 100 over REST and GraphQL together."""

_PATIENCE = 10.0
_BURST_WAIT = 3.0


class Purpose(IntEnum):
    """What a request is for; the more urgent, the further down the budget it may go."""

    SWEEP = 0
    LOOK = 1
    RED = 2
    """A write that takes a success back, and the read that it needs."""


_KEPT_BACK = {Purpose.SWEEP: 0.25, Purpose.LOOK: 0.03, Purpose.RED: 0.0}
"""Part of the hour's budget that is left for what is more urgent."""

_purpose: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.LOOK)


@contextmanager
def purpose(of: Purpose) -> Iterator[None]:
    """What this thread asks for inside."""
    before = _purpose.set(of)
    try:
        yield
    finally:
        _purpose.reset(before)


@dataclass(frozen=True)
class Pace:
    """Points that may be spent at once, and per second after that: together no more than GitHub's minute."""

    burst: float
    per_second: float


DOCUMENTED = {"core": Pace(300, 10), "graphql": Pace(500, 25)}
"""900 points a minute for one REST endpoint, 2,000 for GraphQL; a write costs 5. Kept for all REST together."""


@dataclass
class _Budget:
    limit: int = 0
    remaining: int = 0
    """As GitHub last said; what is under way is not in it."""
    under_way: int = 0
    reset_at: float = 0.0
    known: bool = False

    def spent_to(self, part: float) -> bool:
        """No more than this part of it is left."""
        return self.remaining - self.under_way <= self.limit * part


class Limiter:
    """Of one installation, or of the App itself. Safe for many threads."""

    def __init__(
        self,
        paces: Mapping[str, Pace] = DOCUMENTED,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._paces = dict(paces)
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(at_once)
        self._budgets: dict[str, _Budget] = {}
        self._points = {name: (pace.burst, clock()) for name, pace in self._paces.items()}
        self._closed_until = 0.0

    @contextmanager
    def place(self, resource: str, points: int, of: Purpose | None = None) -> Iterator[float]:
        """Room for one request: yields 0, or the seconds until it may be asked for again, and then nothing may be sent.

        `resource` is GitHub's: `core` or `graphql`. `points` by GitHub's count: a read 1, a REST write 5.
        """
        wait = self._wait(resource, points, _purpose.get() if of is None else of)
        if wait > 0:
            yield wait
        elif not self._places.acquire(timeout=_PATIENCE):
            yield _PATIENCE
        else:
            budget = self._begin(resource)
            try:
                yield 0.0
            finally:
                with self._lock:
                    budget.under_way -= 1
                self._places.release()

    def told(self, headers: Mapping[str, str]) -> None:
        """What an answer says is left. A server whose limits are off sends nothing."""
        read = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
        if not all(value.isdigit() for value in read):
            return
        limit, remaining, reset = (int(value) for value in read)
        with self._lock:
            budget = self._budgets.setdefault(headers.get("x-ratelimit-resource", "core"), _Budget())
            # answers overtake each other: within one hour the lowest is the newest
            same_hour = budget.known and abs(budget.reset_at - reset) < 2
            budget.remaining = min(budget.remaining, remaining) if same_hour else remaining
            budget.limit, budget.reset_at, budget.known = limit, float(reset), True

    def close(self, seconds: float) -> None:
        """GitHub asks the whole installation to wait."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + min(seconds, LARGEST_WAIT))

    def remaining(self) -> dict[str, int]:
        """Resource -> points left of this hour, as far as GitHub has said."""
        with self._lock:
            now = self._clock()
            return {name: _left(budget, now) for name, budget in self._budgets.items() if budget.known}

    def _begin(self, resource: str) -> _Budget:
        with self._lock:
            budget = self._budgets.setdefault(resource, _Budget())
            budget.under_way += 1
            return budget

    def _wait(self, resource: str, points: int, of: Purpose) -> float:
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                return min(self._closed_until - now, LARGEST_WAIT)
            budget = self._budgets.get(resource)
            if budget is not None and now < budget.reset_at and budget.spent_to(_KEPT_BACK[of]):
                return min(budget.reset_at - now + 1, LARGEST_WAIT)
            wait = self._spend(resource, points, of, now)
        if 0 < wait <= _BURST_WAIT:
            self._sleep(wait)
            return 0.0
        return wait

    def _spend(self, resource: str, points: int, of: Purpose, now: float) -> float:
        """Seconds until the minute's limit allows it; up to _BURST_WAIT the points are taken in advance."""
        pace = self._paces.get(resource)
        if pace is None:
            return 0.0
        held, since = self._points[resource]
        # a clock that was set back takes nothing away
        held = min(pace.burst, held + max(0.0, now - since) * pace.per_second)
        floor = pace.burst / 2 if of is Purpose.SWEEP else 0.0
        wait = max(0.0, (floor + points - held) / pace.per_second)
        self._points[resource] = (held - points if wait <= _BURST_WAIT else held, now)
        return wait


def _left(budget: _Budget, now: float) -> int:
    return max(budget.remaining, 0) if now < budget.reset_at else budget.limit


def spread(seconds: float) -> float:
    """A little more, so that those who wait for the same moment do not all come back in it."""
    return seconds + random.uniform(0, min(10.0, 1.0 + seconds / 10))  # noqa: S311 - nothing secret
