"""Deliveries that GitHub could not hand over: fetched from the App's own list, and stored as if they had just come.

So what they witnessed is not lost: who pushed, and on what a review was given. GitHub keeps them for three days. What
it never tried to deliver is not in the list; that is found by what happened to the pull requests (sweep_pulls.py).
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Engine, select

from foureyes.github_app.answer import next_page
from foureyes.github_app.client import GitHub, GitHubError, RetryLater
from foureyes.github_app.events import HANDLED
from foureyes.github_app.inbox import Delivery, accept
from foureyes.github_app.pull_query import understood
from foureyes.github_app.storage import reading
from foureyes.github_app.tables import delivery

PATH = "/app/hook/deliveries"
PAGE = "100"
_AGAIN = ("rerequested", "requested_action")
"""Actions of check runs and suites that ask for anything."""

_NO_SUCH_PLACE = (400, 404, 422)
"""What GitHub may say of a cursor that is older than what it keeps."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failed:
    id: int
    guid: str
    event: str
    action: str


@dataclass(frozen=True)
class Place:
    """`seen`: deliveries up to this number are done with. `last`: the newest that the last round saw; those below it
    are looked for once more, since one that GitHub gave up after seconds is numbered before one that failed at once.
    `cursor`: how far down a round that began at `top` is.
    """

    seen: int = 0
    top: int = 0
    cursor: str = ""
    last: int = 0

    @classmethod
    def read(cls, text: str) -> "Place":
        return cls(**json.loads(text)) if text else cls()

    def written(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class DeliverySweep:
    engine: Engine
    github: GitHub
    is_late: Callable[[], bool]
    woken: Counter[str]

    def turn(self, text: str) -> tuple[str, bool]:
        """The list from its newest end down to what was done before. Answers where to go on, and whether the round is
        done. Raises GitHubError.
        """
        place = Place.read(text)
        while True:
            try:
                failed, following = self._page(place.cursor)
            except GitHubError as error:
                if not place.cursor or error.status not in _NO_SUCH_PLACE:
                    raise
                place = replace(place, cursor="")  # from the newest end again; what was fetched is known
                continue
            top = max(place.top, *(one.id for one in failed), 0)
            new = [one for one in failed if one.id > place.seen]
            self._fetch(new)
            if len(new) < len(failed) or not following:
                return Place(place.last, last=max(top, place.last)).written(), True
            place = replace(place, top=top, cursor=following)
            if self.is_late():
                return place.written(), False

    def _page(self, cursor: str) -> tuple[list[Failed], str]:
        params = {"per_page": PAGE, "status": "failure"} | ({"cursor": cursor} if cursor else {})
        try:
            answer = self.github.as_app("GET", PATH, params=params)
        except GitHubError as error:
            if cursor or error.status != 404:
                raise
            return [], ""  # an App without a webhook
        failed = understood(lambda: [_failed(item) for item in answer.data])
        following = next_page(answer.headers) or {}
        return failed, following.get("cursor", "")

    def _fetch(self, failed: Iterable[Failed]) -> None:
        wanted = [one for one in failed if _matters(one)]
        with reading(self.engine) as conn:
            known = set(
                conn.execute(
                    select(delivery.c.guid).where(delivery.c.guid.in_([one.guid for one in wanted]))
                ).scalars()
            )
        for one in sorted(wanted, key=lambda one: one.id):
            if one.guid not in known:
                known.add(one.guid)
                self._take(one)

    def _take(self, one: Failed) -> None:
        try:
            data = self.github.as_app("GET", f"{PATH}/{one.id}").data
        except RetryLater:
            raise
        except GitHubError as error:
            if error.status != 404:
                raise
            return  # GitHub has forgotten it by now
        payload = understood(lambda: data["request"]["payload"])
        if not isinstance(payload, dict):
            return
        if accept(self.engine, Delivery(one.guid, one.event, json.dumps(payload).encode(), payload)):
            self.woken["delivery"] += 1
            _log.info("a delivery that did not reach us was fetched", extra={"delivery": one.guid})


def _failed(item: Mapping[str, Any]) -> Failed:
    return Failed(int(item["id"]), str(item["guid"]), str(item["event"]), str(item["action"] or ""))


def _matters(one: Failed) -> bool:
    if one.event in ("check_run", "check_suite"):
        return one.action in _AGAIN
    return one.event in HANDLED and len(one.guid) <= 64
