"""GraphQL at /api/graphql: GitHub's own schema, executed; every field has a resolver on state or git, or an error."""

# ruff: noqa: ARG005  (all entries of the table take the same arguments)

import json
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    execute_sync,
    parse,
    validate,
)
from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import contract
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.fields import FIELDS
from foureyes.github_app.sandbox.nodes import Context, Field, cursor, type_name
from foureyes.github_app.sandbox.quota import spend
from foureyes.github_app.sandbox.state import World
from foureyes.github_app.sandbox.tokens import authenticate

PATH = "/api/graphql"
_WINDOW: dict[str, Field] = {
    "nodes": lambda c, window, a: window.nodes,
    "totalCount": lambda c, window, a: window.total,
    "filteredCount": lambda c, window, a: window.filtered,
    "pageCount": lambda c, window, a: len(window.nodes),
    "edges": lambda c, w, a: [(cursor(w.start + i), node) for i, node in enumerate(w.nodes)],
    "pageInfo": lambda c, window, a: window,
}
_PAGE: dict[str, Field] = {
    "hasNextPage": lambda c, window, a: window.end < window.all_items,
    "hasPreviousPage": lambda c, window, a: window.start > 0,
    "startCursor": lambda c, window, a: cursor(window.start) if window.nodes else None,
    "endCursor": lambda c, window, a: cursor(window.end - 1) if window.nodes else None,
}
_EDGE: dict[str, Field] = {"cursor": lambda c, edge, a: edge[0], "node": lambda c, edge, a: edge[1]}


def respond(world: World, request: Request) -> Response:
    """Errors come with status 200, beside the data or instead of it."""
    try:
        credential = authenticate(world, request.headers.get("Authorization")).credential
        if request.method != "POST":
            raise Refusal(405, "Method Not Allowed")
        if credential is None:
            raise Refusal(401, "This endpoint requires you to be authenticated.")
        body = _body(request)
    except Refusal as refusal:
        return Response(
            json.dumps(refusal.body), refusal.status, content_type="application/json; charset=utf-8"
        )
    with world.lock:
        context = Context(world, credential)
        answer = run(context, body["query"], body.get("variables") or {}, body.get("operationName"))
        headers = spend(world, credential.bucket, "graphql", context.cost)
    return Response(json.dumps(answer), 200, headers, content_type="application/json; charset=utf-8")


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refusal(400, "A query attribute must be specified and must be a string.")
    return body


def run(context: Context, query: str, variables: dict[str, Any], operation: str | None) -> dict[str, Any]:
    document = _document(query)
    if not isinstance(document, DocumentNode):
        return {"errors": [_told(error) for error in document]}
    context.cost = cost(document, variables, operation)
    result = execute_sync(
        contract.graphql_schema(),
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation,
        field_resolver=_resolve,
        type_resolver=lambda value, info, abstract: type_name(value),
    )
    return _answer(result)


@lru_cache(maxsize=64)
def _document(query: str) -> DocumentNode | tuple[GraphQLError, ...]:
    """Clients say the same few queries again and again, and checking one costs more than executing it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return (error,)
    return tuple(validate(contract.graphql_schema(), document)) or document


def _answer(result: ExecutionResult) -> dict[str, Any]:
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_told(error) for error in result.errors]
    return answer


def _told(error: GraphQLError) -> dict[str, Any]:
    """GitHub puts the error's type beside its message."""
    shape: dict[str, Any] = {"message": error.message}
    kind = (error.extensions or {}).get("type")
    if kind:
        shape["type"] = kind
    if error.path:
        shape["path"] = list(error.path)
    if error.locations:
        shape["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    return shape


def _resolve(source: Any, info: GraphQLResolveInfo[Context], **arguments: Any) -> Any:
    name, field = info.parent_type.name, info.field_name
    resolver = _field(name, field)
    if resolver is None:
        raise GraphQLError(f"sandbox: {name}.{field} is not supported")
    return resolver(info.context, source, arguments)


def _field(name: str, field: str) -> Field | None:
    if name == "PageInfo":
        return _PAGE.get(field)
    if name in FIELDS and field in FIELDS[name]:
        return FIELDS[name][field]
    if name.endswith("Connection"):
        return _WINDOW.get(field)
    return _EDGE.get(field) if name.endswith("Edge") else None


def cost(document: DocumentNode, variables: dict[str, Any], operation: str | None) -> int:
    """GitHub's points: how often connections are asked for at most, by the hundred, at least one."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    chosen = next(
        (o for o in operations if operation and o.name and o.name.value == operation), operations[0]
    )
    requests = _requests(chosen.selection_set, 1, variables, fragments)
    return max(1, round(requests / 100))


def _requests(
    selections: SelectionSetNode,
    times: int,
    variables: dict[str, Any],
    fragments: dict[str, FragmentDefinitionNode],
) -> int:
    found = 0
    for node in selections.selections:
        inner, per = getattr(node, "selection_set", None), times
        if isinstance(node, FragmentSpreadNode):
            inner = fragments[node.name.value].selection_set
        elif isinstance(node, FieldNode) and (window := _window(node, variables)):
            found += times
            per = times * window
        if inner is not None:
            found += _requests(inner, per, variables, fragments)
    return found


def _window(node: FieldNode, variables: dict[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, IntValueNode):
                return int(value.value)
            if isinstance(value, VariableNode):
                return int(variables.get(value.name.value) or 0)
    return 0
