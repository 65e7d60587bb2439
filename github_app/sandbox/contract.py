"""GitHub's published contracts as the sandbox and the tests read them: a subset of its REST and webhook
schemas (OpenAPI 3.0), its GraphQL schema, its permissions and its events, with the known deviations applied.

Where the data comes from: contracts/selection.json and refresh_contracts.py. Everything is read once and must
not be changed by the caller.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from graphql import GraphQLSchema, build_ast_schema, extend_schema, parse

FAULT_HEADER = "X-Sandbox-Fault"
"""On every answer that is wrong on purpose, with the fault's name: such an answer is not held to the contract."""


@dataclass(frozen=True)
class Operation:
    """One REST operation of the contract, as matched by a request."""

    id: str
    """GitHub's operationId, `checks/create`."""
    method: str
    template: str
    """`/repos/{owner}/{repo}/check-runs`."""
    parameters: Mapping[str, str]
    """Path parameters by GitHub's own names, decoded."""
    statuses: tuple[int, ...]
    """The answers that the contract lists."""
    for_apps: bool
    """An App's installation token or JWT can call it."""


@dataclass(frozen=True)
class Deviation:
    """A place where GitHub is known not to keep to what it publishes. `at` is the JSON pointer of the schema
    in `file`. `change` is laid over it: null removes a keyword, "+enum" appends to one. `sends` is a value
    that GitHub sends and the published schema refuses.
    """

    file: str
    at: str
    change: Mapping[str, Any]
    sends: Any
    reason: str


def operation(method: str, path: str) -> Operation | None:
    """The operation of a request below the API's root, without query; None if it is not in the contract."""
    return next(iter(_matches(method, path)), None)


def allowed_methods(path: str) -> tuple[str, ...]:
    """Every method that the contract has for this path."""
    return tuple(m for m in ("GET", "POST", "PUT", "PATCH", "DELETE") if _matches(m, path))


@cache
def operations() -> tuple[tuple[str, str, str], ...]:
    """(method, path template, operationId) of the whole contract."""
    return tuple(
        (method.upper(), template, spec["operationId"])
        for template, methods in rest()["paths"].items()
        for method, spec in methods.items()
    )


@cache
def rest() -> dict[str, Any]:
    """The OpenAPI document, deviations applied."""
    return _deviating("rest.json")


@cache
def webhooks() -> dict[str, Any]:
    """`events`: event -> action ("" where it has none) -> schema name; `components` as in OpenAPI."""
    return _deviating("webhooks.json")


def webhook_schema(event: str, action: str | None) -> dict[str, Any] | None:
    """An OpenAPI 3.0 schema with the components that it refers to; None if the event has no such action."""
    name = webhooks()["events"].get(event, {}).get(action or "")
    if name is None:
        return None
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "components": webhooks()["components"]}


@cache
def permissions() -> dict[str, list[str]]:
    """Every permission that a GitHub App can ask for -> its levels."""
    found: dict[str, list[str]] = as_published("permissions.json")
    return found


@cache
def events() -> dict[str, dict[str, Any]]:
    """Every webhook event -> `actions`, `receivers`, and `needs`: permission -> level to subscribe."""
    found: dict[str, dict[str, Any]] = as_published("events.json")
    return found


@cache
def graphql_schema() -> GraphQLSchema:
    """The published schema with extensions.graphql laid over it."""
    published = build_ast_schema(parse(text("schema.graphql"), no_location=True), assume_valid=True)
    return extend_schema(published, parse(text("extensions.graphql"), no_location=True), assume_valid=True)


@cache
def deviations() -> tuple[Deviation, ...]:
    return tuple(Deviation(**item) for item in as_published("deviations.json"))


def as_published(name: str) -> Any:
    """One file of contracts/, untouched."""
    return json.loads(text(name))


def text(name: str) -> str:
    return (files(__package__) / "contracts" / name).read_text("utf-8")


def resolve(document: Any, pointer: str) -> Any:
    """What an RFC 6901 pointer points to. Raises KeyError or IndexError."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def deviate(document: Any, deviation: Deviation) -> None:
    """Lays one deviation over the document in place."""
    target = resolve(document, deviation.at)
    for key, value in deviation.change.items():
        if value is None:
            target.pop(key)
        elif key.startswith("+"):
            target[key[1:]] = [*target.get(key[1:], []), *value]
        else:
            target[key] = copy.deepcopy(value)


def _deviating(name: str) -> dict[str, Any]:
    document: dict[str, Any] = as_published(name)
    for deviation in deviations():
        if deviation.file == name:
            deviate(document, deviation)
    return document


def _matches(method: str, path: str) -> list[Operation]:
    found = []
    for pattern, template, verb, spec in _routes():
        if verb == method.upper() and (match := pattern.fullmatch(path)):
            found.append(_operation(template, verb, spec, match))
    return found


def _operation(template: str, method: str, spec: dict[str, Any], match: re.Match[str]) -> Operation:
    statuses = tuple(int(status) for status in spec["responses"])
    decoded = {name: unquote(value) for name, value in match.groupdict().items()}
    return Operation(
        spec["operationId"], method, template, decoded, statuses, spec["x-github"]["enabledForGitHubApps"]
    )


@cache
def _routes() -> tuple[tuple[re.Pattern[str], str, str, dict[str, Any]], ...]:
    """The most concrete first: fewest parameters, then none that may hold slashes, then the longest."""
    routes = []
    for template, methods in rest()["paths"].items():
        for method, spec in methods.items():
            multi = _multi_segment(spec)
            order = (template.count("{"), bool(multi), -len(template))
            routes.append((order, (_pattern(template, multi), template, method.upper(), spec)))
    return tuple(route for _, route in sorted(routes, key=lambda item: item[0]))


def _pattern(template: str, multi: frozenset[str]) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>.+)" if match[1] in multi else f"(?P<{match[1]}>[^/]+)"

    return re.compile(re.sub(r"\{(\w+)\}", group, template))


def _multi_segment(spec: dict[str, Any]) -> frozenset[str]:
    """Parameters whose value may hold slashes: references and file paths."""
    parameters = (
        resolve(rest(), item["$ref"][1:]) if "$ref" in item else item for item in spec.get("parameters", [])
    )
    return frozenset(item["name"] for item in parameters if item.get("x-multi-segment"))
