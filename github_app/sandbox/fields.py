"""The table of all fields that GraphQL answers, by GitHub's type names: `FIELDS[type][field]`."""

# ruff: noqa: ARG001, ARG005  (all entries of the table take the same arguments)

from datetime import UTC, datetime
from typing import Any

from foureyes.github_app.sandbox import fields_git, fields_people, fields_pull, fields_queue
from foureyes.github_app.sandbox.access import sees
from foureyes.github_app.sandbox.nodes import Context, Field, node_of, problem
from foureyes.github_app.sandbox.quota import look
from foureyes.github_app.sandbox.state import Organization, Repository, User


def _repository(context: Context, source: Any, arguments: dict[str, Any]) -> Repository:
    name = f"{arguments['owner']}/{arguments['name']}"
    return context.repository(context.world.repository(arguments["owner"], arguments["name"]), name)


def _organization(context: Context, source: Any, arguments: dict[str, Any]) -> Organization:
    found = context.world.organization(arguments["login"])
    if found is None:
        login = arguments["login"]
        raise problem("NOT_FOUND", f"Could not resolve to an Organization with the login of '{login}'.")
    return found


def _user(context: Context, source: Any, arguments: dict[str, Any]) -> User:
    found = context.world.user(arguments["login"])
    if found is None or found.type != "User":
        raise problem("NOT_FOUND", f"Could not resolve to a User with the login of '{arguments['login']}'.")
    return found


def _node(context: Context, source: Any, arguments: dict[str, Any]) -> Any:
    found = node_of(context.world, arguments["id"])
    repository = getattr(found, "repository", found if isinstance(found, Repository) else None)
    if found is None or (isinstance(repository, Repository) and not _visible(context, repository)):
        raise problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{arguments['id']}'")
    return found


def _visible(context: Context, repository: Repository) -> bool:
    return sees(context.credential, repository)


def _rate_limit(context: Context, source: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """This query's own cost counts already."""
    bucket = look(context.world, context.credential.bucket, "graphql")
    used = bucket["used"] + context.cost
    return bucket | {"used": used, "remaining": max(bucket["limit"] - used, 0)}


QUERY: dict[str, Field] = {
    "repository": _repository,
    "organization": _organization,
    "user": _user,
    "node": _node,
    "nodes": lambda c, s, a: [_node(c, s, {"id": node_id}) for node_id in a["ids"]],
    "viewer": lambda c, s, a: c.credential.user,
    "rateLimit": _rate_limit,
}


def _reset_at(context: Context, bucket: dict[str, Any], arguments: dict[str, Any]) -> str:
    return datetime.fromtimestamp(bucket["reset"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


RATE_LIMIT: dict[str, Field] = {
    "cost": lambda c, bucket, a: c.cost,
    "limit": lambda c, bucket, a: bucket["limit"],
    "used": lambda c, bucket, a: bucket["used"],
    "remaining": lambda c, bucket, a: bucket["remaining"],
    "resetAt": _reset_at,
}

FIELDS: dict[str, dict[str, Field]] = (
    {"Query": QUERY, "RateLimit": RATE_LIMIT}
    | fields_git.FIELDS
    | fields_people.FIELDS
    | fields_pull.FIELDS
    | fields_queue.FIELDS
)
