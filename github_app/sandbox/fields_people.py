"""GraphQL fields of accounts, organisations, teams and Apps."""

# ruff: noqa: ARG001, ARG005  (all entries of the table take the same arguments)

from typing import Any

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.nodes import Connection, Context, Field, connect, problem
from foureyes.github_app.sandbox.state import App, Organization, Repository, Team, User


def _account(context: Context, owner: User | Organization, kind: str) -> str:
    return shapes.node_id(kind[0], owner.id)


def _repositories(context: Context, owner: Any, arguments: dict[str, Any]) -> Connection:
    owned = [r for r in context.world.repositories.values() if r.owner is owner]
    return connect(owned, arguments, "repositories")


def _repository(context: Context, owner: User | Organization, arguments: dict[str, Any]) -> Repository:
    name = arguments["name"]
    return context.repository(context.world.repository(owner.login, name), name)


def _graphql_login(context: Context, bot: User, arguments: dict[str, Any]) -> str:
    """GraphQL writes `dependabot`, where REST writes `dependabot[bot]`."""
    return bot.graphql_login or bot.login.removesuffix("[bot]")


ACTOR: dict[str, Field] = {
    "id": lambda c, owner, a: _account(c, owner, getattr(owner, "type", "Organization")),
    "databaseId": lambda c, owner, a: owner.id,
    "login": lambda c, owner, a: owner.login,
    "avatarUrl": lambda c, owner, a: f"{c.world.url}/avatars/{owner.id}",
    "url": lambda c, owner, a: f"{c.world.url}/{owner.login}",
    "resourcePath": lambda c, owner, a: f"/{owner.login}",
    "createdAt": lambda c, owner, a: owner.created_at,
    "updatedAt": lambda c, owner, a: owner.created_at,
}
OWNER: dict[str, Field] = {
    "name": lambda c, owner, a: getattr(owner, "name", owner.login) or None,
    "repositories": _repositories,
    "repository": _repository,
}
USER: dict[str, Field] = {
    "email": lambda c, user, a: "",
    "isViewer": lambda c, user, a: user is c.credential.user,
    "isSiteAdmin": lambda c, user, a: False,
}


def _team(context: Context, organization: Organization, arguments: dict[str, Any]) -> Team | None:
    context.require("members")
    return organization.teams.get(arguments["slug"])


def _members(context: Context, team: Team, arguments: dict[str, Any]) -> Connection:
    query = (arguments.get("query") or "").lower()
    found = [user for user in team.members if query in user.login.lower()]
    return connect(found, arguments, "members")


def _teams(context: Context, organization: Organization, arguments: dict[str, Any]) -> Connection:
    context.require("members")
    return connect(list(organization.teams.values()), arguments, "teams")


ORGANIZATION: dict[str, Field] = {
    "team": _team,
    "teams": _teams,
}
TEAM: dict[str, Field] = {
    "id": lambda c, team, a: shapes.node_id("T", team.id),
    "databaseId": lambda c, team, a: team.id,
    "name": lambda c, team, a: team.slug,
    "slug": lambda c, team, a: team.slug,
    "combinedSlug": lambda c, team, a: f"{team.organization.login}/{team.slug}",
    "organization": lambda c, team, a: team.organization,
    "members": _members,
    "privacy": lambda c, team, a: "VISIBLE",
    "url": lambda c, team, a: f"{c.world.url}/orgs/{team.organization.login}/teams/{team.slug}",
}


def _app_field(name: str) -> Field:
    def resolve(context: Context, app: App, arguments: dict[str, Any]) -> Any:
        shape = shapes.integration(context.world, app)
        if name not in shape:
            raise problem("INTERNAL", f"sandbox: App.{name} is not supported")
        return shape[name]

    return resolve


APP: dict[str, Field] = {
    "id": lambda c, app, a: shapes.node_id("A", app.id),
    "databaseId": lambda c, app, a: app.id,
    "slug": _app_field("slug"),
    "name": _app_field("name"),
    "clientId": _app_field("client_id"),
    "createdAt": _app_field("created_at"),
    "updatedAt": _app_field("updated_at"),
    "description": _app_field("description"),
    "url": _app_field("html_url"),
}
FIELDS: dict[str, dict[str, Field]] = {
    "User": ACTOR | OWNER | USER,
    "Bot": ACTOR | {"login": _graphql_login},
    "Organization": ACTOR | OWNER | ORGANIZATION,
    "Team": TEAM,
    "App": APP,
}
