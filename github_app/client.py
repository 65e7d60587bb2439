"""The only module that imports PyGithub: how the App speaks with GitHub's API.

PyGithub signs the App's JWT and carries the requests. Its own throttle and retries are off: a query would be held
back as a write, a write could be repeated after an answer that never arrived, and a rate limit would put a worker to
sleep past its lease. Its connection object keeps the request in itself, so each thread has its own.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from github import Auth, Github, GithubException
from github.Requester import Requester

from foureyes.github_app.settings import Settings

TIMEOUT = 15
"""Seconds for one request; shorter than any lease, so that no write outlives the right to make it."""
API_VERSION = "2022-11-28"
MOST_PAGES = 100

_TRIES = 3
_PAUSES = (0.2, 1.0)
_TOKEN_MARGIN = 120.0
_LONGEST_WAIT = 3600.0
_SECONDARY_WAIT = 60.0


class GitHubError(Exception):
    """GitHub did not give a usable answer. `why` completes "could not be read: ..."; `status` is 0 without one."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class RetryLater(GitHubError):
    """GitHub asks to wait: `after` seconds."""

    def __init__(self, why: str, status: int, after: float) -> None:
        super().__init__(why, status)
        self.after = after


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: Any


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    expires_at: float


Observer = Callable[[str, str, int], None]
"""Told of each request: verb, path, status (0: no answer)."""


def _nobody(_verb: str, _path: str, _status: int) -> None:
    return None


class GitHub:
    """The App itself. One per process; safe for many threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        observe: Observer = _nobody,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        timeout: int = TIMEOUT,
    ) -> None:
        self._settings = settings
        self._app = Auth.AppAuth(settings.app_id, settings.private_key) if settings.app_id else None
        self._observe = observe
        self._clock = clock
        self._sleep = sleep
        self._timeout = timeout
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._locks: dict[int, threading.Lock] = {}
        self._tokens: dict[int, _Token] = {}
        # At DEBUG PyGithub writes the headers that we give it, and with them the token.
        logging.getLogger("github").setLevel(logging.INFO)

    @property
    def app_id(self) -> int:
        return self._settings.app_id

    def installation(self, installation_id: int) -> "InstallationClient":
        return InstallationClient(self, installation_id)

    def as_app(self, verb: str, path: str, body: object = None) -> Answer:
        """A request with the App's own JWT: installations, tokens, deliveries."""
        if self._app is None:
            raise GitHubError(f"{verb} {path}: there is no App yet")
        return self._send(verb, path, self._app.create_jwt(), body=body)

    def as_nobody(self, verb: str, path: str) -> Answer:
        """A request without credentials, made once: what set-up asks before there is an App."""
        return self._once(verb, path, "", None, None)

    def token(self, installation_id: int) -> str:
        """A token of the installation with more than two minutes left; made by one thread while others wait."""
        with self._lock:
            lock = self._locks.setdefault(installation_id, threading.Lock())
        with lock:
            held = self._tokens.get(installation_id)
            if held is None or held.expires_at - self._clock() < _TOKEN_MARGIN:
                held = self._mint(installation_id)
                self._tokens[installation_id] = held
            return held.value

    def forget_token(self, installation_id: int) -> None:
        """GitHub refused it: it was revoked, or permissions changed."""
        with self._lock:
            self._tokens.pop(installation_id, None)

    def _mint(self, installation_id: int) -> _Token:
        answer = self.as_app("POST", f"/app/installations/{installation_id}/access_tokens", {})
        try:
            expires = datetime.fromisoformat(answer.data["expires_at"]).astimezone(UTC).timestamp()
            return _Token(str(answer.data["token"]), expires)
        except (KeyError, TypeError, ValueError) as error:
            raise GitHubError("GitHub's answer to a request for a token was not understood") from error

    def send(
        self,
        installation_id: int,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """Raises GitHubError for any status that is not 2xx. Reads are tried again, writes never."""
        try:
            return self._send(verb, path, self.token(installation_id), params, body)
        except GitHubError as error:
            if error.status != 401:
                raise
            # refused before anything was done, so that one more try is no repetition
            self.forget_token(installation_id)
            return self._send(verb, path, self.token(installation_id), params, body)

    def _send(
        self, verb: str, path: str, token: str, params: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        tries = _TRIES if verb == "GET" or path == self._graphql_path else 1
        for attempt in range(tries):
            try:
                return self._once(verb, path, token, params, body)
            except RetryLater:
                raise
            except GitHubError as error:
                if attempt + 1 == tries or not (error.status == 0 or error.status >= 500):
                    raise
                self._sleep(_PAUSES[attempt])
        raise AssertionError("unreachable")

    def _once(
        self, verb: str, path: str, token: str, params: Mapping[str, str] | None, body: object
    ) -> Answer:
        headers = {"Accept": "application/vnd.github+json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        where = f"{verb} {path}"
        try:
            status, answered, text = self._requester().requestJson(
                verb, path, dict(params or {}), headers, body
            )
        except requests.Timeout as error:
            self._observe(verb, path, 0)
            raise GitHubError(f"{where}: no answer within {self._timeout} s") from error
        except (requests.RequestException, RuntimeError, ValueError, AssertionError) as error:
            self._observe(verb, path, 0)
            raise GitHubError(f"{where}: {type(error).__name__}: GitHub could not be reached") from error
        except GithubException as error:
            self._observe(verb, path, 0)
            raise GitHubError(f"{where}: {type(error).__name__}") from error
        self._observe(verb, path, status)
        return self._judged(
            where, status, {name.lower(): str(value) for name, value in answered.items()}, text
        )

    def _judged(self, where: str, status: int, headers: Mapping[str, str], text: str) -> Answer:
        try:
            data = json.loads(text) if text else None
        except ValueError as error:
            if 200 <= status < 300:
                raise GitHubError(f"{where}: the answer is not JSON", 502) from error
            data = None
        if 200 <= status < 300:
            return Answer(status, headers, data)
        said = str(data.get("message", "")) if isinstance(data, dict) else ""
        why = f"{where}: {status} {said[:200]}".rstrip()
        if (wait := self._wait(status, headers, said)) is not None:
            raise RetryLater(why, status, wait)
        raise GitHubError(why, status)

    def _wait(self, status: int, headers: Mapping[str, str], said: str) -> float | None:
        """Seconds that GitHub asks us to wait; None: it is not about a limit."""
        if status not in (403, 429, 503):
            return None
        if headers.get("retry-after", "").isdigit():
            return min(max(1.0, float(headers["retry-after"])), _LONGEST_WAIT)
        if status != 503 and headers.get("x-ratelimit-remaining") == "0":
            return self.until_reset(headers)
        if status == 429 or "secondary rate limit" in said.lower() or "abuse" in said.lower():
            return _SECONDARY_WAIT
        return None

    def until_reset(self, headers: Mapping[str, str]) -> float:
        reset = headers.get("x-ratelimit-reset", "")
        wait = float(reset) - self._clock() + 1 if reset.isdigit() else _SECONDARY_WAIT
        return min(max(1.0, wait), _LONGEST_WAIT)

    @property
    def _graphql_path(self) -> str:
        return self._settings.graphql_url

    def _requester(self) -> Requester:
        made = getattr(self._threads, "requester", None)
        if made is None:
            made = Github(
                base_url=self._settings.api_url, timeout=self._timeout, retry=None, per_page=100, lazy=True,
                user_agent="foureyes", seconds_between_requests=None, seconds_between_writes=None,
                api_version=API_VERSION,
            ).requester  # fmt: skip
            self._threads.requester = made
        return made


class PersonalGitHub(GitHub):
    """GitHub as one person sees it, with that person's own token: it reads, and writes nothing."""

    def __init__(self, settings: Settings, token: str, *, observe: Observer = _nobody) -> None:
        super().__init__(settings, observe=observe)
        self._personal = token

    def token(self, installation_id: int) -> str:  # noqa: ARG002
        return self._personal

    def as_app(self, verb: str, path: str, body: object = None) -> Answer:  # noqa: ARG002
        raise GitHubError(f"{verb} {path}: only the App may ask this")

    def send(
        self,
        installation_id: int,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        if verb != "GET" and path != self._graphql_path:
            raise GitHubError(f"{verb} {path}: nothing is written with a person's token")
        return super().send(installation_id, verb, path, params=params, body=body)


class InstallationClient:
    """The App in one installation: what it may read and write there."""

    def __init__(self, github: GitHub, installation_id: int) -> None:
        self.github = github
        self.installation_id = installation_id

    def token(self) -> str:
        return self.github.token(self.installation_id)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self.github.send(self.installation_id, "GET", path, params=params).data

    def get_all(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Every item of every page. Raises GitHubError if there are more pages than we read: never a part."""
        asked = {"per_page": "100", **(params or {})}
        for _page in range(MOST_PAGES):
            answer = self.github.send(self.installation_id, "GET", path, params=asked)
            if not isinstance(answer.data, list):
                raise GitHubError(f"GET {path}: a list was expected")
            yield from answer.data
            following = _next(answer.headers)
            if following is None:
                return
            asked = following
        raise GitHubError(f"GET {path}: more than {MOST_PAGES} pages")

    def post(self, path: str, body: object) -> Any:
        return self.github.send(self.installation_id, "POST", path, body=body).data

    def patch(self, path: str, body: object) -> Any:
        return self.github.send(self.installation_id, "PATCH", path, body=body).data

    def graphql(self, query: str, variables: Mapping[str, object]) -> Any:
        """The `data` of the answer. Any `errors` in it is a GitHubError: a part is never taken for the whole."""
        body = {"query": query, "variables": dict(variables)}
        answer = self.github.send(self.installation_id, "POST", self.github._graphql_path, body=body)
        data = answer.data
        if not isinstance(data, dict):
            raise GitHubError("GraphQL: an object was expected")
        if data.get("errors"):
            raise self._refusal(data["errors"], answer.headers)
        if not isinstance(data.get("data"), dict):
            raise GitHubError("GraphQL: no data")
        return data["data"]

    def _refusal(self, errors: object, headers: Mapping[str, str]) -> GitHubError:
        listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        kinds = {str(error.get("type", "")) for error in listed}
        said = "; ".join(str(error.get("message", ""))[:200] for error in listed[:3])
        if "RATE_LIMITED" in kinds or "secondary rate limit" in said.lower():
            return RetryLater(f"GraphQL: {said}", 403, self.github.until_reset(headers))
        return GitHubError(f"GraphQL: {said or 'refused'}", 404 if kinds == {"NOT_FOUND"} else 0)


def segment(text: str) -> str:
    """One part of a path, so that a name can never reach another resource."""
    return quote(text, safe="")


def _next(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The query of the page that `Link: <...>; rel="next"` names. Only its query: the path stays ours."""
    for part in headers.get("link", "").split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return dict(parse_qsl(urlsplit(address.strip().strip("<>")).query))
    return None
