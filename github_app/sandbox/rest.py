"""REST below /api/v3: finds the operation in GitHub's contract, checks token and body, answers as GitHub does.

An operation is one function under GitHub's operationId (`@handles("pulls/get", needs="pull_requests:read")`).
What the contract does not have, and what nobody wrote yet, answers 501 by name.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import contract, wrong_input
from foureyes.github_app.sandbox.access import may, sees
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.quota import spend
from foureyes.github_app.sandbox.state import App, Installation, Json, Pull, Repository, User, World
from foureyes.github_app.sandbox.tokens import Caller, authenticate

ROOT = "/api/v3"
_PER_PAGE = 30
_MOST_PER_PAGE = 100


@dataclass
class Ask:
    """One request, as its operation sees it."""

    world: World
    caller: Caller
    operation: contract.Operation
    query: Mapping[str, str]
    body: Json
    needs: str = ""

    def parameter(self, name: str) -> str:
        return self.operation.parameters[name]

    def number(self, name: str) -> int:
        value = self.parameter(name)
        if not value.isdecimal():
            raise Refusal.not_found()
        return int(value)

    @property
    def user(self) -> User:
        return self.caller.user

    @property
    def app(self) -> App:
        """The App whose JWT came with the request."""
        if self.caller.app is None:
            raise Refusal(401, "A JSON web token could not be decoded")
        return self.caller.app

    @property
    def installation(self) -> Installation:
        credential = self.caller.credential
        if credential is None or credential.installation is None:
            raise Refusal(403, "You must authenticate with an installation access token")
        return credential.installation

    def repository(self) -> Repository:
        """The repository of the path: 404 if the token does not see it, 403 if it may not do this there."""
        found = self.world.repository(self.parameter("owner"), self.parameter("repo"))
        credential = self.caller.credential
        if found is None or (credential is None and found.private):
            raise Refusal.not_found()
        if credential is None:
            if not self.needs.endswith(":read"):
                raise Refusal(401, "Requires authentication")
            return found
        if not sees(credential, found):
            raise Refusal.not_found()
        permission, _, level = self.needs.partition(":")
        if permission and not may(credential, found, permission, level):
            if credential.installation is not None:
                raise Refusal(403, "Resource not accessible by integration")
            if permission == "checks":
                raise Refusal(403, "You must authenticate via a GitHub App.")
            raise Refusal(403, "Must have write access to the repository")
        return found

    def pull(self) -> Pull:
        repository = self.repository()
        name = "pull_number" if "pull_number" in self.operation.parameters else "issue_number"
        pull = repository.pulls.get(self.number(name))
        if pull is None:
            raise Refusal.not_found()
        return pull

    def person(self, login: str) -> User:
        found = self.world.user(login)
        if found is None:
            raise Refusal.not_found()
        return found


@dataclass(frozen=True)
class Page:
    """A list that is paged: `shape` is asked only for what is on the page. `wrapped`: under this key, with a count."""

    items: Sequence[Any]
    shape: Callable[[Any], Any]
    wrapped: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Ask], Any]
_HANDLERS: dict[str, tuple[Handler, str]] = {}


def handles(operation: str, needs: str = "") -> Callable[[Handler], Handler]:
    """`needs`: `permission:level` that a token must have on the repository of the path."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[operation] = (handler, needs)
        return handler

    return register


def supported() -> frozenset[str]:
    return frozenset(_HANDLERS)


def respond(world: World, request: Request) -> Response:
    """The answer to one request below ROOT."""
    path = request.path.removeprefix(ROOT) or "/"
    operation = contract.operation(request.method, path)
    if operation is None or operation.id not in _HANDLERS:
        name = operation.id if operation else None
        message = f"sandbox: {request.method} {path} is not supported"
        return _json(501, {"message": message, "operation": name})
    try:
        caller = authenticate(world, request.headers.get("Authorization"))
        handler, needs = _HANDLERS[operation.id]
        body = _body(request)
        wrong_input.refuse_wrong(operation, body)
        with world.lock:
            answer = handler(Ask(world, caller, operation, request.args, body, needs))
            response = _response(request, answer)
    except Refusal as refusal:
        return _json(refusal.status, refusal.body)
    with world.lock:
        free = response.status_code == 304
        response.headers.update(spend(world, caller.bucket, "core", 0 if free else 1))
    response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    response.headers["X-GitHub-Api-Version-Selected"] = "2022-11-28"
    return response


def _body(request: Request) -> Json:
    raw = request.get_data()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "Body should be a JSON object")
    return body


def _response(request: Request, answer: Any) -> Response:
    if isinstance(answer, Page):
        return _unless_known(request, _paged(request, answer))
    if not isinstance(answer, Answer):
        answer = Answer(answer)
    response = Response(status=204) if answer.status == 204 else _json(answer.status, answer.body)
    response.headers.update(answer.headers)
    return _unless_known(request, response)


def _paged(request: Request, page: Page) -> Response:
    size = page_size(request.args)
    number = max(_integer(request.args, "page", 1), 1)
    last = max(-(-len(page.items) // size), 1)
    shown = [page.shape(item) for item in page.items[(number - 1) * size : number * size]]
    count = len(page.items) if page.count is None else page.count
    response = _json(200, {"total_count": count, page.wrapped: shown} if page.wrapped else shown)
    links = {"prev": number - 1, "first": 1} if number > 1 else {}
    links |= {"next": number + 1, "last": last} if number < last else {}
    if links:
        response.headers["Link"] = ", ".join(
            f'<{_with_page(request, target, size)}>; rel="{name}"' for name, target in links.items()
        )
    return response


def page_size(query: Mapping[str, str]) -> int:
    return min(max(_integer(query, "per_page", _PER_PAGE), 1), _MOST_PER_PAGE)


def _integer(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    return int(value) if value.isdecimal() else default


def _with_page(request: Request, page: int, size: int) -> str:
    query = request.args.to_dict() | {"page": str(page), "per_page": str(size)}
    return f"{request.base_url}?{urlencode(query)}"


def _unless_known(request: Request, response: Response) -> Response:
    """304 without a body if the caller has these bytes already; such an answer costs nothing."""
    if request.method != "GET" or response.status_code != 200:
        return response
    tag = f'W/"{hashlib.sha256(response.get_data()).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        response = Response(status=304)
    response.headers["ETag"] = tag
    return response


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
