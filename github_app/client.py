"""The only module that imports PyGithub: how the App speaks with GitHub's API.

PyGithub signs the App's JWT and carries the requests. Its own throttle and retries are off: a query would be held
back as a write, a write could be repeated after an answer that never arrived, and a rate limit would put a worker to
sleep past its lease. Its connection object keeps the request in itself, so each thread has its own. Budgets are kept
per installation (limiter.py). A proxy and a CA of one's own come from the environment, as for every program.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github import Auth, Github, GithubException
from github.Requester import Requester

from foureyes.github_app.answer import Answer as Answer
from foureyes.github_app.answer import GitHubError as GitHubError
from foureyes.github_app.answer import OutcomeUnknown as OutcomeUnknown
from foureyes.github_app.answer import RetryLater as RetryLater
from foureyes.github_app.answer import began_at, judged, next_page, until_reset
from foureyes.github_app.limiter import DOCUMENTED, Limiter, Purpose, spread
from foureyes.github_app.revalidated import Revalidated
from foureyes.github_app.settings import Settings
from foureyes.github_app.trust import ca_file

TIMEOUT = 15
"""Seconds for one request; shorter than any lease, so that no write outlives the right to make it."""
API_VERSION = "2022-11-28"
MOST_PAGES = 100

_TRIES = 3
_PAUSES = (0.2, 1.0)
_TOKEN_MARGIN = 120.0
_JWT_AGE = 200.0
"""Seconds; PyGithub makes them for 300."""


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    expires_at: float
    permissions: Mapping[str, str] = field(default_factory=dict)


Observer = Callable[[str, str, int], None]
"""Told of each request: verb, path, status (0: no answer)."""

APP = 0
"""In place of an installation's number: what the App asks for itself."""


@lru_cache(maxsize=4)
def _read_key(pem: str) -> Any:
    """Once: reading it takes longer than signing with it."""
    return load_pem_private_key(pem.encode(), password=None)


def tell_nobody(_verb: str, _path: str, _status: int) -> None:
    return None


@dataclass(frozen=True)
class _Request:
    installation: int
    verb: str
    path: str
    params: Mapping[str, str] | None
    body: object
    headers: Mapping[str, str]
    of: Purpose | None = None

    @property
    def where(self) -> str:
        return f"{self.verb} {self.path}"


class GitHub:
    """The App itself. One per process; safe for many threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        observe: Observer = tell_nobody,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        timeout: int = TIMEOUT,
    ) -> None:
        self._settings = settings
        key = partial(_read_key, settings.private_key)
        self._app = Auth.AppAuth(settings.app_id, key) if settings.app_id else None
        self._observe = observe
        self._clock = clock
        self._sleep = sleep
        self._timeout = timeout
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._locks: dict[int, threading.Lock] = {}
        self._tokens: dict[int, _Token] = {}
        self._signed = ("", 0.0)
        self._limiters: dict[int, Limiter] = {}
        self.calls: Counter[str] = Counter()
        """Requests by what came of them: `ok`, `refused`, `failed`, `limited` by GitHub, `held back` by us."""
        self.revalidated = Revalidated()
        # At DEBUG PyGithub writes the headers that we give it, and with them the token.
        logging.getLogger("github").setLevel(logging.INFO)

    @property
    def app_id(self) -> int:
        return self._settings.app_id

    def installation(self, installation_id: int) -> "InstallationClient":
        return InstallationClient(self, installation_id)

    def as_app(
        self, verb: str, path: str, body: object = None, *, params: Mapping[str, str] | None = None
    ) -> Answer:
        """A request with the App's own JWT: installations, tokens, deliveries."""
        if self._app is None:
            raise GitHubError(f"{verb} {path}: there is no App yet")
        asked = _Request(APP, verb, path, params, body, {})
        return self._send(asked, self._jwt(self._app))

    def _jwt(self, app: Auth.AppAuth) -> str:
        """Signed anew every few minutes: signing takes longer than all else of a request."""
        with self._lock:
            value, signed_at = self._signed
            if not value or time.monotonic() - signed_at > _JWT_AGE:
                value = app.create_jwt()
                self._signed = value, time.monotonic()
            return value

    def as_nobody(self, verb: str, path: str) -> Answer:
        """A request without credentials, made once: what set-up asks before there is an App."""
        return self._once(_Request(APP, verb, path, None, None, {}), "")

    def token(self, installation_id: int) -> str:
        """A token of the installation with more than two minutes left; made by one thread while others wait."""
        return self._held(installation_id).value

    def may_write(self, installation_id: int, permission: str) -> bool:
        """Whether the installation has granted an optional permission, as GitHub said with its token."""
        return self._held(installation_id).permissions.get(permission) in ("write", "admin")

    def _held(self, installation_id: int) -> _Token:
        with self._lock:
            lock = self._locks.setdefault(installation_id, threading.Lock())
        with lock:
            held = self._tokens.get(installation_id)
            if held is None or held.expires_at - self._clock() < _TOKEN_MARGIN:
                held = self._mint(installation_id)
                self._tokens[installation_id] = held
            return held

    def forget_token(self, installation_id: int) -> None:
        """GitHub refused it: it was revoked, or permissions changed."""
        with self._lock:
            self._tokens.pop(installation_id, None)

    def _mint(self, installation_id: int) -> _Token:
        answer = self.as_app("POST", f"/app/installations/{installation_id}/access_tokens", {})
        try:
            expires = datetime.fromisoformat(answer.data["expires_at"]).astimezone(UTC).timestamp()
            granted = answer.data.get("permissions") or {}
            return _Token(str(answer.data["token"]), expires, {str(k): str(v) for k, v in granted.items()})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GitHubError("GitHub's answer to a request for a token was not understood") from error

    def now(self) -> float:
        return self._clock()

    def limiter(self, installation_id: int) -> Limiter:
        """One for all threads. Where GitHub documents no limits by the minute (Enterprise Server) none are kept."""
        with self._lock:
            found = self._limiters.get(installation_id)
            if found is None:
                paces = DOCUMENTED if self._settings.has_documented_limits else {}
                found = Limiter(paces, clock=self._clock, sleep=self._sleep)
                self._limiters[installation_id] = found
            return found

    def budgets(self) -> dict[int, dict[str, int]]:
        """Installation -> resource -> points left of this hour."""
        with self._lock:
            limiters = dict(self._limiters)
        return {number: limiter.remaining() for number, limiter in sorted(limiters.items())}

    def send(
        self,
        installation_id: int,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        urgent: bool = False,
    ) -> Answer:
        """Raises GitHubError for any status that is not 2xx, or 304 where `headers` ask for it. Reads are tried again,
        writes never. `urgent` may use the part of the budget that is kept for taking a success back.
        """
        of = Purpose.RED if urgent else None
        asked = _Request(installation_id, verb, path, params, body, dict(headers or {}), of)
        try:
            return self._send(asked, self.token(installation_id))
        except GitHubError as error:
            if error.status != 401:
                raise
            # refused before anything was done, so that one more try is no repetition
            self.forget_token(installation_id)
            return self._send(asked, self.token(installation_id))

    def _send(self, asked: "_Request", token: str) -> Answer:
        tries = _TRIES if asked.verb == "GET" or asked.path == self.graphql_path else 1
        for attempt in range(tries):
            try:
                return self._in_place(asked, token)
            except RetryLater:
                raise
            except GitHubError as error:
                if attempt + 1 == tries or not (error.status == 0 or error.status >= 500):
                    raise
                self._sleep(_PAUSES[attempt] * random.uniform(0.5, 1.5))  # noqa: S311 - nothing secret
        raise AssertionError("unreachable")

    def _in_place(self, asked: "_Request", token: str) -> Answer:
        limiter = self.limiter(asked.installation)
        is_query = asked.path == self.graphql_path
        points = 1 if asked.verb == "GET" or is_query else 5
        with limiter.place("graphql" if is_query else "core", points, asked.of) as wait:
            if wait > 0:
                self.calls["held back"] += 1
                raise RetryLater(f"{asked.where}: held back, the budget is used up", 429, spread(wait))
            try:
                return self._once(asked, token)
            except RetryLater as error:
                limiter.close(error.after)
                raise

    def _once(self, asked: "_Request", token: str) -> Answer:
        headers = {"Accept": "application/vnd.github+json", **asked.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        where, began = asked.where, time.monotonic()
        try:
            status, answered, text = self._requester().requestJson(
                asked.verb, asked.path, dict(asked.params or {}), headers, asked.body
            )
        except requests.Timeout as error:
            raise self._failed(asked, f"{where}: no answer within {self._timeout} s") from error
        except (requests.RequestException, RuntimeError, ValueError, AssertionError) as error:
            why = f"{where}: {type(error).__name__}: GitHub could not be reached"
            raise self._failed(asked, why) from error
        except GithubException as error:
            raise self._failed(asked, f"{where}: {type(error).__name__}") from error
        self._observe(asked.verb, asked.path, status)
        told = {name.lower(): str(value) for name, value in answered.items()}
        self.limiter(asked.installation).told(told)
        try:
            answer = judged(where, status, told, text, self._clock())
        except GitHubError as error:
            kind = "limited" if isinstance(error, RetryLater) else "failed" if status >= 500 else "refused"
            self.calls[kind] += 1
            raise
        self.calls["ok"] += 1
        return replace(answer, began=began_at(told, time.monotonic() - began, self._clock()))

    def _failed(self, asked: "_Request", why: str) -> GitHubError:
        self._observe(asked.verb, asked.path, 0)
        self.calls["failed"] += 1
        return GitHubError(why)

    @property
    def graphql_path(self) -> str:
        return self._settings.graphql_url

    def _requester(self) -> Requester:
        made = getattr(self._threads, "requester", None)
        if made is None:
            made = Github(
                base_url=self._settings.api_url, timeout=self._timeout, retry=None, per_page=100, lazy=True,
                user_agent="foureyes", seconds_between_requests=None, seconds_between_writes=None,
                api_version=API_VERSION, verify=ca_file() or True,
            ).requester  # fmt: skip
            self._threads.requester = made
        return made


class InstallationClient:
    """The App in one installation: what it may read and write there."""

    def __init__(self, github: GitHub, installation_id: int) -> None:
        self.github = github
        self.installation_id = installation_id

    def token(self) -> str:
        return self.github.token(self.installation_id)

    def may_write(self, permission: str) -> bool:
        """Of an optional permission; False: what needs it is off. Raises GitHubError."""
        return self.github.may_write(self.installation_id, permission)

    def get(self, path: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> Any:
        return self.github.send(self.installation_id, "GET", path, params=params, urgent=urgent).data

    def get_all(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Every item of every page. Raises GitHubError if there are more pages than we read: never a part."""
        asked = {"per_page": "100", **(params or {})}
        pages: list[dict[str, str]] = []
        while len(pages) < MOST_PAGES and asked not in pages:
            answer = self.github.send(self.installation_id, "GET", path, params=asked)
            if not isinstance(answer.data, list):
                raise GitHubError(f"GET {path}: a list was expected")
            yield from answer.data
            following = next_page(answer.headers)
            if following is None:
                return
            pages.append(asked)
            asked = following
        raise GitHubError(f"GET {path}: its pages do not end, or are more than {MOST_PAGES}")

    def unchanged_or_new(
        self, path: str, params: Mapping[str, str], needed: Callable[[Any], object]
    ) -> Answer:
        """A page that is asked for again and again: GitHub is asked each time, and a page that it says is the same
        costs none of the hour's budget. `needed` is what is kept of its data: the rest would fill the memory.
        """

        def ask(headers: Mapping[str, str]) -> Answer:
            answer = self.github.send(self.installation_id, "GET", path, params=params, headers=headers)
            return answer if answer.status == 304 else replace(answer, data=needed(answer.data))

        return self.github.revalidated.page((self.installation_id, path, tuple(sorted(params.items()))), ask)

    def post(self, path: str, body: object, *, urgent: bool = False) -> Any:
        return self.github.send(self.installation_id, "POST", path, body=body, urgent=urgent).data

    def patch(self, path: str, body: object, *, urgent: bool = False) -> Any:
        return self.github.send(self.installation_id, "PATCH", path, body=body, urgent=urgent).data

    def graphql(self, query: str, variables: Mapping[str, object]) -> Any:
        """The `data` of the answer. Any `errors` in it is a GitHubError: a part is never taken for the whole."""
        return self.graphql_answer(query, variables).data

    def graphql_answer(self, query: str, variables: Mapping[str, object]) -> Answer:
        """As `graphql`, with when it was asked."""
        body = {"query": query, "variables": dict(variables)}
        try:
            answer = self.github.send(self.installation_id, "POST", self.github.graphql_path, body=body)
        except GitHubError as error:
            if error.status == 404:  # whoever answered: not about what was asked for
                raise GitHubError(error.why, 502) from error
            raise
        data = answer.data
        if not isinstance(data, dict):
            raise GitHubError("GraphQL: an object was expected")
        if data.get("errors"):
            raise self._refusal(data["errors"], answer.headers)
        if not isinstance(data.get("data"), dict):
            raise GitHubError("GraphQL: no data")
        return replace(answer, data=data["data"])

    def _refusal(self, errors: object, headers: Mapping[str, str]) -> GitHubError:
        listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        kinds = {str(error.get("type", "")) for error in listed}
        said = "; ".join(str(error.get("message", ""))[:200] for error in listed[:3])
        if "RATE_LIMITED" in kinds or "secondary rate limit" in said.lower():
            later = RetryLater(f"GraphQL: {said}", 403, until_reset(headers, self.github.now()))
            self.github.limiter(self.installation_id).close(later.after)
            return later
        # of what was asked for, not of something in it
        is_none = kinds == {"NOT_FOUND"} and all(len(error.get("path") or ()) <= 2 for error in listed)
        return GitHubError(f"GraphQL: {said or 'refused'}", 404 if is_none else 200)


def segment(text: str) -> str:
    """One part of a path, so that a name can never reach another resource."""
    return quote(text, safe="")
