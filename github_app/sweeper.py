"""Goes on the sweep's errands, one after the other: what GitHub did not tell, GitHub is asked.

A turn is short and leaves its place behind, so that no installation waits for another and a restart loses nothing.
"""

import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from foureyes.github_app import errands, logs, storage
from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.deps import Deps
from foureyes.github_app.errands import DELIVERIES, INSTALLATIONS, PULLS, RECORDS, Errand
from foureyes.github_app.limiter import Purpose, purpose
from foureyes.github_app.mirror import Mirror
from foureyes.github_app.redaction import redact
from foureyes.github_app.storage import now, writing
from foureyes.github_app.superseded import is_superseded
from foureyes.github_app.sweep_deliveries import DeliverySweep
from foureyes.github_app.sweep_installations import sweep_installations
from foureyes.github_app.sweep_pulls import PullSweep
from foureyes.github_app.sweep_records import RecordSweep
from foureyes.shared.facts import Repository

TURN = 30.0
"""Seconds after which a turn stops at the next good place."""
TIDY = 3_600.0
"""Seconds from one look at the mirrors to the next."""
_LONGEST_WAIT = 3_600_000

_log = logging.getLogger(__name__)


@dataclass
class Sweeper:
    """One per process; of several, each takes the errands that the others have not."""

    deps: Deps
    every: float
    """Seconds from one round of an errand to the next."""
    clock: Callable[[], float] = time.monotonic
    woken: Counter[str] = field(default_factory=Counter)
    """What was found to be looked at again, by why."""
    _tidy_at: float = 0.0
    _held: Errand | None = None
    """The one that it is about, or was when the database went away."""

    def begin(self) -> None:
        """At start: nobody watched for a while, so that everything is asked now. Raises SQLAlchemyError."""
        with writing(self.deps.engine) as conn:
            at = now(conn)
            errands.expect(conn, [(INSTALLATIONS, 0), (DELIVERIES, 0)], at)
            errands.hurry(conn, at, alone=storage.is_sqlite(self.deps.engine))

    def turn(self, is_over: Callable[[], bool] = lambda: False) -> bool:
        """One turn of one errand; False if none is due, or a newer foureyes works. It ends at the next good place once
        `is_over`: then somebody else can go on at once. Raises SQLAlchemyError.
        """
        with writing(self.deps.engine) as conn:
            if is_superseded(conn):
                return False
            at, left = now(conn), self._held
            if left is not None:
                errands.put_off(conn, left, "the database was gone", at, self._backoff(left))
            taken = errands.take(conn, uuid.uuid4().hex, at)
        self._held = taken
        if taken is None:
            self._tidy()
            return False
        with logs.about(errand=taken.key), purpose(Purpose.SWEEP):
            self._go(taken, is_over)
        self._held = None
        return True

    def _tidy(self) -> None:
        """Where nothing is to be asked there is time for the mirrors of this machine."""
        if self.clock() >= self._tidy_at:
            self._tidy_at = self.clock() + TIDY
            self.deps.mirrors.tidy(self.deps.engine)

    def _go(self, taken: Errand, is_over: Callable[[], bool]) -> None:
        try:
            place, done = self._ask(taken, is_over)
        except SQLAlchemyError:
            raise
        except RetryLater as error:
            self._put_off(taken, error.why, int(error.after * 1000))
        except GitHubError as error:
            self._put_off(taken, error.why, self._backoff(taken))
        except Exception as error:  # noqa: BLE001 - one errand must not end all others
            _log.exception("an errand of the sweep failed")
            self._put_off(taken, f"{type(error).__name__}: {error}", self._backoff(taken))
        else:
            with writing(self.deps.engine) as conn:
                if done:
                    errands.finish(conn, taken, now(conn), int(self.every * 1000), place)
                else:
                    errands.go_on(conn, taken, place, now(conn))

    def _ask(self, taken: Errand, is_over: Callable[[], bool]) -> tuple[str, bool]:
        """Where to go on, and whether the round is done."""
        deps, late = self.deps, self._late(is_over)
        if taken.key == INSTALLATIONS:
            sweep_installations(deps.engine, deps.github)
            return "", True
        if taken.key == DELIVERIES:
            return DeliverySweep(deps.engine, deps.github, late, self.woken).turn(taken.place)
        client = deps.github.installation(taken.installation_id)
        if taken.key.startswith(PULLS):
            place = PullSweep(deps.engine, client, late, self.woken).turn(taken.place)
        elif taken.key.startswith(RECORDS):
            mirror_of = self._mirrors(client)
            place = RecordSweep(deps.engine, client, mirror_of, late, self.woken).turn(taken.place)
        else:
            raise LookupError(f"{taken.key} is of a newer version")
        return place, not place

    def _mirrors(self, client: InstallationClient) -> Callable[[int, str], Mirror]:
        def mirror_of(repository: int, slug: str) -> Mirror:
            owner, _, name = slug.partition("/")
            return self.deps.mirrors.of(client, Repository(repository, owner, name))

        return mirror_of

    def _late(self, is_over: Callable[[], bool]) -> Callable[[], bool]:
        end = self.clock() + TURN
        return lambda: is_over() or self.clock() >= end

    def _backoff(self, taken: Errand) -> int:
        most = min(int(self.every * 1000), _LONGEST_WAIT)
        return min(most, 2_000 << min(taken.tries, 10)) + random.randrange(1_000)  # noqa: S311 - nothing secret

    def _put_off(self, taken: Errand, why: str, wait: int) -> None:
        told = redact(why)
        _log.warning("the sweep waits %.0f s with %s: %s", wait / 1000, taken.key, told)
        with writing(self.deps.engine) as conn:
            errands.put_off(conn, taken, told, now(conn), wait)
