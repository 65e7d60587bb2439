"""Holds requests, answers and webhooks to GitHub's published contracts (github_app/sandbox/contracts).

`validate_*` raise `Violation`. `ContractGuard` is WSGI middleware that checks everything which passes through it and
collects what is wrong; a test ends with `guard.check()`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from graphql import DocumentNode, GraphQLError, parse, validate
from graphql.execution.values import get_variable_values
from graphql.utilities import get_operation_ast
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from support_graphql import answer_errors
from werkzeug.datastructures import Headers, ImmutableMultiDict

from foureyes.github_app.sandbox import contract

HOST = "http://contract.invalid"
REST_ROOT = "/api/v3"
GRAPHQL_PATH = "/api/graphql"
ERROR = {"allOf": [{"$ref": "#/components/schemas/basic-error"}]}


class Violation(AssertionError):
    """Something that GitHub's contract does not allow; the text says where and what."""


def validate_request(
    method: str, url: str, body: bytes | Any = None, headers: Mapping[str, str] | None = None
) -> contract.Operation:
    """The operation that the request belongs to. `url` with or without host and /api/v3; `body` as bytes or as the
    value to be sent as JSON.
    """
    path, query = _below_root(url)
    operation = contract.operation(method, path)
    if operation is None:
        raise Violation(f"{method} {path} is not in the contract")
    wrong = _request_problem(method, path, tuple(query), _bytes(body), tuple((headers or {}).items()))
    if wrong:
        raise Violation(f"request {method} {path}: {wrong}")
    return operation


@lru_cache(maxsize=512)
def _request_problem(
    method: str, path: str, query: tuple[tuple[str, str], ...], body: bytes, headers: tuple[Any, ...]
) -> str:
    """ "" for none. The same requests come in many tests."""
    operation = contract.operation(method, path)
    assert operation is not None
    try:
        _openapi().validate_request(_request(operation, path, list(query), body, dict(headers)))
    except OpenAPIError as error:
        return _told(error)
    return ""


def validate_response(
    method: str, url: str, status: int, body: bytes | Any = None, headers: Mapping[str, str] | None = None
) -> None:
    """An error status that the operation does not list must still have GitHub's one form of an error."""
    path, query = _below_root(url)
    operation = contract.operation(method, path)
    where = f"answer {status} to {method} {path}"
    if operation is None:
        raise Violation(f"{where}: not in the contract")
    sent, kind = _bytes(body), Headers(dict(headers or {})).get("Content-Type", "application/json")
    if status in (204, 304):
        if sent:
            raise Violation(f"{where}: must have no body")
    elif status not in operation.statuses:
        _validate_error(where, status, sent)
    elif kind.startswith("application/json"):
        response = MockResponse(sent, status, dict(headers or {}), kind.partition(";")[0])
        try:
            _openapi().validate_response(_request(operation, path, query, b"", None), response)
        except OpenAPIError as error:
            raise Violation(f"{where}: {_told(error)}") from error


def validate_webhook(event: str, action: str | None, payload: Any) -> None:
    validator = _webhook_validator(event, action or "")
    if validator is None:
        raise Violation(f"webhook {event}.{action or ''} is not in the contract")
    if action and payload.get("action") != action:
        raise Violation(f"webhook {event}.{action}: its payload says action {payload.get('action')!r}")
    problems = [_one_line(error) for error in validator.iter_errors(payload)]
    if problems:
        raise Violation(f"webhook {event}.{action or ''}: " + "; ".join(problems))


def validate_graphql(
    query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
) -> None:
    """The document against the published schema, and the variables against the document."""
    schema = contract.graphql_schema()
    try:
        document = parsed(query)
    except GraphQLError as error:
        raise Violation(f"graphql: {error.message}") from error
    errors = list(_invalid(query))
    definition = get_operation_ast(document, operation)
    if not errors and definition is not None:
        values = get_variable_values(schema, definition.variable_definitions or (), dict(variables or {}))
        errors = values if isinstance(values, list) else []
    if errors:
        raise Violation("graphql: " + "; ".join(error.message for error in errors))


@lru_cache(maxsize=64)
def parsed(query: str) -> DocumentNode:
    return parse(query)


@lru_cache(maxsize=64)
def _invalid(query: str) -> tuple[GraphQLError, ...]:
    return tuple(validate(contract.graphql_schema(), parsed(query)))


def value_errors(document: Mapping[str, Any], pointer: str, value: Any) -> list[str]:
    """What the schema at this pointer of a contract document says against the value."""
    schema = {"allOf": [contract.resolve(document, pointer)], "components": document["components"]}
    return [_one_line(error) for error in _validator(schema).iter_errors(value)]


class ContractGuard:
    """Wraps the sandbox's WSGI application. Answers marked with `contract.FAULT_HEADER` are wrong on purpose and not
    judged; a request that is wrong on purpose is made inside `with guard.expecting("why"):`.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.violations: list[str] = []
        self.seen: dict[str, int] = {}
        """operationId (or "graphql") -> number of exchanges that were judged."""
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not (path == GRAPHQL_PATH or path.startswith(REST_ROOT)):
            return self.app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        sent = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = BytesIO(sent)
        told: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            told[:] = [int(status.split()[0]), headers]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        answer = self.app(environ, remember)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        self._judge(environ, sent, told[0], Headers(told[1]), body)
        return [body]

    def webhook(self, event: str, payload: Any) -> None:
        """For the sandbox's deliveries: called with the event's name and the payload as sent."""
        action = payload.get("action") if isinstance(payload, dict) else None
        self._collect(f"webhook:{event}", lambda: validate_webhook(event, action, payload))

    def check(self) -> None:
        """Raises Violation with everything that was wrong since the last call."""
        with self._lock:
            found, self.violations = self.violations, []
        if found:
            raise Violation(f"{len(found)} violations of GitHub's contract:\n  " + "\n  ".join(found))

    @contextmanager
    def expecting(self, part: str) -> Iterator[None]:
        """Something wrong is done on purpose: at least one violation that contains `part` must come, and none else."""
        self.check()
        yield
        with self._lock:
            found, self.violations = self.violations, []
        others = [text for text in found if part not in text]
        if others or not found:
            raise Violation(f"expected a violation with {part!r}, found: {found}")

    def _judge(
        self, environ: dict[str, Any], sent: bytes, status: int, headers: Headers, body: bytes
    ) -> None:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode()
        fault = contract.FAULT_HEADER in headers
        if path == GRAPHQL_PATH:
            self._collect("graphql", lambda: _graphql_exchange(sent, status, body, fault))
            return
        url = quote(path) + ("?" + environ["QUERY_STRING"] if environ.get("QUERY_STRING") else "")
        operation = contract.operation(method, _below_root(url)[0])
        name = operation.id if operation else f"{method} {path}"
        kind = {"Content-Type": environ.get("CONTENT_TYPE") or "application/json"}
        self._collect(name, lambda: validate_request(method, url, sent, kind))
        if not fault and operation is not None:
            self._collect(None, lambda: _rest_answer(method, url, status, body, headers))

    def _collect(self, name: str | None, judge: Callable[[], object]) -> None:
        try:
            judge()
        except Violation as violation:
            with self._lock:
                self.violations.append(str(violation))
        if name is not None:
            with self._lock:
                self.seen[name] = self.seen.get(name, 0) + 1


def _rest_answer(method: str, url: str, status: int, body: bytes, headers: Headers) -> None:
    if status >= 500:
        raise Violation(f"answer {status} to {method} {url} without {contract.FAULT_HEADER}: {body[:200]!r}")
    validate_response(method, url, status, body, dict(headers))


def _graphql_exchange(sent: bytes, status: int, body: bytes, fault: bool) -> None:
    request = _json("graphql request", sent)
    if not isinstance(request, dict) or "query" not in request:
        raise Violation(f"graphql request has no query: {sent[:200]!r}")
    validate_graphql(request["query"], request.get("variables"), request.get("operationName"))
    if fault or status in (401, 403, 429):
        return
    answer = _json("graphql answer", body)
    if status != 200 or not isinstance(answer, dict) or not ({"data", "errors"} & set(answer)):
        raise Violation(f"graphql: answer {status} has neither data nor errors: {body[:200]!r}")
    problems = answer_errors(contract.graphql_schema(), parsed(request["query"]), answer)
    if problems:
        raise Violation("graphql: answer is not of the schema: " + "; ".join(problems[:5]))


def _validate_error(where: str, status: int, sent: bytes) -> None:
    if not 400 <= status < 500:
        raise Violation(f"{where}: the operation has no such answer")
    problems = [_one_line(error) for error in _error_validator().iter_errors(_json(where, sent))]
    if problems or "message" not in _json(where, sent):
        raise Violation(f"{where}: not GitHub's form of an error: {sent[:200]!r} {problems}")


def _json(where: str, sent: bytes) -> Any:
    try:
        return json.loads(sent)
    except ValueError as error:
        raise Violation(f"{where}: not JSON: {sent[:200]!r}") from error


def _request(
    operation: contract.Operation,
    path: str,
    query: list[tuple[str, str]],
    body: bytes,
    headers: Mapping[str, str] | None,
) -> MockRequest:
    kind = Headers(dict(headers or {})).get("Content-Type", "application/json").partition(";")[0]
    request = MockRequest(
        HOST, operation.method, path, operation.template, None, dict(operation.parameters), dict(headers or {}),
        None, body, kind,
    )  # fmt: skip
    request.parameters.query = ImmutableMultiDict(query)
    return request


def _below_root(url: str) -> tuple[str, list[tuple[str, str]]]:
    parts = urlsplit(url)
    path = parts.path.removeprefix(REST_ROOT)
    return unquote(path), parse_qsl(parts.query, keep_blank_values=True)


def _bytes(body: bytes | Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _told(error: BaseException) -> str:
    """openapi-core wraps the schema's errors; they say more than the wrapper."""
    cause = error.__cause__ or error
    problems = [_one_line(inner) for inner in getattr(cause, "schema_errors", ())]
    return "; ".join(problems) or f"{error}: {cause}" if cause is not error else str(error)


def _one_line(error: Any) -> str:
    """The error that is nearest to the cause, where alternatives were tried."""
    best = min(error.context, key=lambda e: -len(e.absolute_path), default=None) if error.context else None
    where = "/".join(str(part) for part in error.absolute_path) or "(whole)"
    inner = f" ({_one_line(best)})" if best is not None else ""
    return f"{where}: {error.message[:300]}{inner}"


@cache
def _openapi() -> OpenAPI:
    # Checked once by a test of its own, not at each load.
    spec = {**contract.rest(), "servers": [{"url": HOST}]}
    return OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))


@cache
def _webhook_validator(event: str, action: str) -> Any:
    schema = contract.webhook_schema(event, action)
    return None if schema is None else _validator(schema)


@cache
def _error_validator() -> Any:
    return _validator({**ERROR, "components": contract.rest()["components"]})


def _validator(schema: Mapping[str, Any]) -> Any:
    return OAS30Validator(schema, format_checker=oas30_format_checker)
