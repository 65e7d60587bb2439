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
MOST_OWED = 20
"""Deliveries that GitHub lists and fails to hand out; with more of them it is GitHub that is in trouble, and the errand
waits.
"""
MOST_TRIES = 24
"""Rounds in which one of them is asked for: two hours, as the sweep goes by default."""
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
    tries: int = 0
    """Rounds in which GitHub failed to hand it out."""


@dataclass(frozen=True)
class Place:
    """`seen`: deliveries up to this number are done with. `last`: the newest that the last round saw; those below it
    are looked for once more, since one that GitHub gave up after seconds is numbered before one that failed at once.
    `cursor`: how far down a round that began at `top` is. `owed`: those that GitHub failed to hand out so far.
    """

    seen: int = 0
    top: int = 0
    cursor: str = ""
    last: int = 0
    owed: tuple[Failed, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Place":
        kept = json.loads(text) if text else {}
        return cls(**kept | {"owed": tuple(Failed(**one) for one in kept.get("owed", ()))})

    def written(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


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
        if not place.top:
            place = self._ask_once_more(place)
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
            place = self._fetch_new(place, new)
            if len(new) < len(failed) or not following:
                return Place(place.last, last=max(top, place.last), owed=place.owed).written(), True
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

    def _ask_once_more(self, place: Place) -> Place:
        """For those that GitHub owes; what it fails on again and again is passed over in the end."""
        owed = tuple(replace(one, tries=one.tries + 1) for one in self._fetch(place.owed))
        for one in owed:
            if one.tries >= MOST_TRIES:
                _log.warning(
                    "a delivery is given up that GitHub fails to hand out", extra={"delivery": one.guid}
                )
        return replace(place, owed=tuple(one for one in owed if one.tries < MOST_TRIES))

    def _fetch_new(self, place: Place, new: Iterable[Failed]) -> Place:
        known = {one.id for one in place.owed}
        owed = (*place.owed, *self._fetch(one for one in new if one.id not in known))
        if len(owed) > MOST_OWED:
            raise GitHubError(f"GitHub hands out none of {len(owed)} deliveries", 502)
        return replace(place, owed=owed)

    def _fetch(self, failed: Iterable[Failed]) -> list[Failed]:
        """Answers those that GitHub failed to hand out: one of them must not hold up all others."""
        wanted = [one for one in failed if _matters(one)]
        with reading(self.engine) as conn:
            known = set(
                conn.execute(
                    select(delivery.c.guid).where(delivery.c.guid.in_([one.guid for one in wanted]))
                ).scalars()
            )
        owed = []
        for one in sorted(wanted, key=lambda one: one.id):
            if one.guid not in known:
                known.add(one.guid)
                if not self._take(one):
                    owed.append(one)
        return owed

    def _take(self, one: Failed) -> bool:
        """False: GitHub failed to."""
        try:
            data = self.github.as_app("GET", f"{PATH}/{one.id}").data
        except RetryLater:
            raise
        except GitHubError as error:
            if error.status >= 500:
                return False
            if error.status != 404:
                raise
            return True  # GitHub has forgotten it by now
        payload = understood(lambda: data["request"]["payload"])
        if not isinstance(payload, dict):
            return True
        if accept(self.engine, Delivery(one.guid, one.event, json.dumps(payload).encode(), payload)):
            self.woken["delivery"] += 1
            _log.info("a delivery that did not reach us was fetched", extra={"delivery": one.guid})
        return True


def _failed(item: Mapping[str, Any]) -> Failed:
    return Failed(int(item["id"]), str(item["guid"]), str(item["event"]), str(item["action"] or ""))


def _matters(one: Failed) -> bool:
    if one.event in ("check_run", "check_suite"):
        return one.action in _AGAIN
    return one.event in HANDLED and len(one.guid) <= 64
