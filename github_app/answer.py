"""What GitHub answered: usable, a refusal, or a request to wait."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from foureyes.github_app.limiter import LARGEST_WAIT, SECONDARY_WAIT, spread
from foureyes.github_app.redaction import redact

_UNSURE = 60.0
"""Seconds by which our clock may be ahead of GitHub's, where GitHub does not tell its time."""


class GitHubError(Exception):
    """GitHub did not give a usable answer. `why` completes "could not be read: ..."; `status` is 0 without one,
    200 for a query that was refused.
    """

    def __init__(self, why: str, status: int = 0) -> None:
        self.why = redact(why)
        self.status = status
        super().__init__(self.why)


class RetryLater(GitHubError):
    """GitHub asks to wait: `after` seconds."""

    def __init__(self, why: str, status: int, after: float) -> None:
        super().__init__(why, status)
        self.after = after


class OutcomeUnknown(GitHubError):
    """A write that GitHub may have done, may not have done, or may be about to do."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: Any
    began: float = 0.0
    """When it was asked, by GitHub's clock, in seconds since 1970, rather too early than too late."""


def judged(where: str, status: int, headers: Mapping[str, str], text: str, now: float) -> Answer:
    """Raises GitHubError, RetryLater for what is no usable answer. `now` is in seconds since 1970."""
    try:
        data = json.loads(text) if text else None
    except ValueError as error:
        if 200 <= status < 300:
            raise GitHubError(f"{where}: the answer is not JSON", 502) from error
        data = None
    if 200 <= status < 300 or status == 304:
        return Answer(status, headers, data)
    said = str(data.get("message", "")) if isinstance(data, dict) else ""
    why = f"{where}: {status} {said[:200]}".rstrip()
    if (wait := _wait(status, headers, said, now)) is not None:
        raise RetryLater(why, status, wait)
    raise GitHubError(f"{why}{_clock_differs(headers, now)}" if status == 401 else why, status)


def _clock_differs(headers: Mapping[str, str], now: float) -> str:
    """GitHub takes no key of ours that was signed at another time than it is there."""
    try:
        ahead = now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return ""
    if abs(ahead) < _UNSURE:
        return ""
    which = "ahead of" if ahead > 0 else "behind"
    return f"; this machine's clock is {abs(ahead):.0f} s {which} GitHub's: set it right, best by NTP"


def _wait(status: int, headers: Mapping[str, str], said: str, now: float) -> float | None:
    """Seconds that GitHub asks us to wait; None: it is not about a limit."""
    if status not in (403, 429, 503):
        return None
    if headers.get("retry-after", "").isdigit():
        return spread(min(max(1.0, float(headers["retry-after"])), LARGEST_WAIT))
    if status != 503 and headers.get("x-ratelimit-remaining") == "0":
        return until_reset(headers, now)
    if status == 429 or "secondary rate limit" in said.lower() or "abuse" in said.lower():
        return spread(SECONDARY_WAIT)
    return None


def until_reset(headers: Mapping[str, str], now: float) -> float:
    reset = headers.get("x-ratelimit-reset", "")
    wait = float(reset) - now + 1 if reset.isdigit() else SECONDARY_WAIT
    return spread(min(max(1.0, wait), LARGEST_WAIT))


def began_at(headers: Mapping[str, str], elapsed: float, now: float) -> float:
    """When it was asked, by GitHub's own clock where it tells the time: what it says happened is by that clock."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp() - elapsed - 1
    except (KeyError, ValueError):
        return now - elapsed - _UNSURE


def next_page(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The query of the page that `Link: <...>; rel="next"` names. Only its query: the path stays ours."""
    for part in headers.get("link", "").split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return dict(parse_qsl(urlsplit(address.strip().strip("<>")).query))
    return None
