"""What a person or a test does to the sandbox itself, below /_sandbox/: people, repositories, Apps, checks."""

# ruff: noqa: ARG001, ARG005  (all entries of the table take the same arguments)

import json
import shlex
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import checks, control_faults, merge_queue, pulls, seed, webhooks
from foureyes.github_app.sandbox.rest import supported
from foureyes.github_app.sandbox.state import (
    ROLES,
    App,
    Json,
    Key,
    Organization,
    Pull,
    Repository,
    Team,
    User,
    World,
)

ROOT = "/_sandbox/"
Command = Callable[[World, Json], Any]


class Misuse(Exception):
    """The request is wrong; the text says what is missing or unknown."""


def respond(world: World, request: Request) -> Response:
    name = request.path.removeprefix(ROOT).strip("/")
    command = COMMANDS.get(f"{request.method} {name}")
    try:
        if command is None:
            raise Misuse(f"no such command; there are: {', '.join(sorted(COMMANDS))}")
        body = json.loads(request.get_data() or b"{}")
        with world.lock:
            answer = command(world, body)
    except (Misuse, ValueError, TypeError) as problem:
        return _json({"message": f"sandbox: {problem}"}, 422)
    except KeyError as missing:
        return _json({"message": f"sandbox: {missing.args[0]} is missing"}, 422)
    return Response(answer, 200) if isinstance(answer, str) else _json(answer, 200)


def _json(value: Any, status: int) -> Response:
    return Response(json.dumps(value, indent=2) + "\n", status, content_type="application/json")


def token_of(world: World, login: str) -> str:
    user = person(world, login)
    for token, credential in world.credentials.items():
        if credential.user is user and credential.installation is None:
            return token
    raise Misuse(f"{login} has no token")


def person(world: World, login: str) -> User:
    found = world.user(login)
    if found is None:
        raise Misuse(f"nobody is called {login!r}")
    return found


def repository(world: World, slug: str) -> Repository:
    found = world.repositories.get(slug.lower())
    if found is None:
        raise Misuse(f"there is no repository {slug!r}")
    return found


def pull(world: World, body: Json) -> Pull:
    found = repository(world, body["repository"]).pulls.get(int(body["number"]))
    if found is None:
        raise Misuse(f"{body['repository']} has no pull request {body['number']}")
    return found


def create_user(world: World, body: Json) -> Json:
    """`type`: User or Bot. `graphql_login`: where GraphQL spells a bot otherwise, as with Copilot."""
    login, kind = str(body["login"]), str(body.get("type", "User"))
    if world.user(login) or (body.get("id") in world.users):
        raise Misuse(f"{login} or this id is taken")
    user = seed.add_person(world, login, body.get("id"), type_=kind)
    user.graphql_login = str(body.get("graphql_login", ""))
    user.created_at = str(body.get("created_at", user.created_at))
    if "emails" in body:
        user.emails = tuple(body["emails"])
    if organization := body.get("organization"):
        world.organizations[organization.lower()].members[user.id] = "member"
    return {"id": user.id, "login": user.login, "token": token_of(world, login)}


def delete_user(world: World, body: Json) -> Json:
    """What the account opened and reviewed stays, by nobody."""
    gone = person(world, body["login"])
    del world.users[gone.id]
    world.credentials = {t: c for t, c in world.credentials.items() if c.user is not gone}
    for organization in world.organizations.values():
        organization.members.pop(gone.id, None)
        for team in organization.teams.values():
            team.members = [member for member in team.members if member is not gone]
    for home in world.repositories.values():
        for found in home.pulls.values():
            found.author = None if found.author is gone else found.author
            for review in found.reviews:
                review.user = None if review.user is gone else review.user
    return {}


def create_team(world: World, body: Json) -> Json:
    organization = world.organizations[str(body.get("organization", "acme")).lower()]
    members = [person(world, login) for login in body.get("members", [])]
    roles = {repository(world, slug).id: name for slug, name in body.get("repositories", {}).items()}
    team = Team(world.next_id(), str(body["slug"]), organization, members, roles)
    organization.teams[team.slug] = team
    webhooks.team(world, "created", team, owner(world, organization))
    return {"id": team.id, "slug": team.slug}


def create_repository(world: World, body: Json) -> Json:
    owner_name, _, name = str(body["repository"]).partition("/")
    holder = world.organization(owner_name) or person(world, owner_name)
    parent = repository(world, body["fork_of"]) if body.get("fork_of") else None
    if world.repository(owner_name, name):
        raise Misuse(f"{body['repository']} is there already")
    made = seed.add_repository(
        world, holder, name, body.get("files"), parent=parent, private=bool(body.get("private"))
    )
    return {"id": made.id, "repository": made.slug, "clone_url": f"{world.url}/{made.slug}.git"}


def delete_repository(world: World, body: Json) -> Json:
    """Its pull requests elsewhere stay, with no head repository."""
    gone = repository(world, body["repository"])
    del world.repositories[gone.slug.lower()]
    for other in world.repositories.values():
        for found in other.pulls.values():
            if found.head_repository is gone:
                found.head_repository = None
    return {}


def set_default_branch(world: World, body: Json) -> Json:
    home, branch = repository(world, body["repository"]), str(body["branch"])
    if home.git.branch(branch) is None:
        raise Misuse(f"there is no branch {branch!r}")
    home.git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    before, home.default_branch = home.default_branch, branch
    webhooks.default_branch_changed(world, home, before, person(world, body.get("login", seed.OWNER)))
    return {}


def set_role(world: World, body: Json) -> Json:
    role = str(body["role"])
    if role not in ROLES:
        raise Misuse(f"role is one of {', '.join(ROLES)}")
    home = repository(world, body["repository"])
    home.collaborators[person(world, body["login"]).id] = role
    return {}


def add_key(world: World, body: Json) -> Json:
    """`kind`: `signing` or `authentication`. `created_at` may lie in the past: the gate asks how old a key is."""
    user, kind = person(world, body["login"]), str(body.get("kind", "signing"))
    if kind not in ("signing", "authentication"):
        raise Misuse("kind is signing or authentication")
    text = " ".join(str(body["key"]).split()[:2])
    key = Key(world.next_id(), text, "", str(body.get("created_at") or world.now()))
    (user.signing_keys if kind == "signing" else user.keys).append(key)
    return {"id": key.id}


def remove_key(world: World, body: Json) -> Json:
    user, number = person(world, body["login"]), int(body["id"])
    user.keys = [key for key in user.keys if key.id != number]
    user.signing_keys = [key for key in user.signing_keys if key.id != number]
    return {}


def create_app(world: World, body: Json) -> Json:
    """Another App, installed on all of its organisation, for instance one that reviews."""
    organization = world.organizations[str(body.get("organization", "acme")).lower()]
    permissions = dict(body.get("permissions", {"metadata": "read"}))
    app = seed.add_app(world, organization, str(body["slug"]), permissions, tuple(body.get("events", ())))
    app.webhook_url = str(body.get("webhook", ""))
    webhooks.installation(
        world, "created", seed.install(world, app, organization), owner(world, organization)
    )
    return app_credentials(world, app)


def owner(world: World, organization: Organization) -> User:
    return next(world.users[number] for number, role in organization.members.items() if role == "admin")


def suspend(world: World, body: Json) -> Json:
    """The App's installations stop working, or with `suspended: false` work again."""
    suspended = bool(body.get("suspended", True))
    app = _app(world, body)
    for installation in [i for i in world.installations.values() if i.app is app]:
        installation.suspended_at = world.now() if suspended else None
        action = "suspend" if suspended else "unsuspend"
        webhooks.installation(world, action, installation, owner(world, installation.account))
    return {}


def app_credentials(world: World, app: App) -> Json:
    installed = [i for i in world.installations.values() if i.app is app]
    return {
        "id": app.id,
        "slug": app.slug,
        "bot": {"id": app.bot.id, "login": app.bot.login},
        "installations": [i.id for i in installed],
        "private_key": app.private_key,
        "webhook_secret": app.webhook_secret,
        "webhook_url": app.webhook_url,
    }


def app_environment(world: World, app: App) -> dict[str, str]:
    """The settings with which an App process talks to this sandbox."""
    return {
        "FOUREYES_GITHUB_URL": world.url,
        "FOUREYES_APP_ID": str(app.id),
        "FOUREYES_PRIVATE_KEY": app.private_key,
        "FOUREYES_WEBHOOK_SECRET": app.webhook_secret,
        "FOUREYES_SANDBOX_TOKEN": world.token,
    }


def show_environment(world: World, body: Json) -> dict[str, str]:
    return app_environment(world, _app(world, body))


def show_exports(world: World, body: Json) -> str:
    """The same for a shell: `eval "$(curl -s .../exports)"`."""
    settings = show_environment(world, body).items()
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings)


def list_apps(world: World, body: Json) -> list[Json]:
    return [app_credentials(world, app) for app in world.apps.values()]


def _app(world: World, body: Json) -> App:
    slug = str(body.get("slug", "foureyes"))
    found = next((app for app in world.apps.values() if app.slug == slug), None)
    if found is None:
        raise Misuse(f"no App is called {slug!r}")
    return found


def set_webhook(world: World, body: Json) -> Json:
    _app(world, body).webhook_url = str(body["url"])
    return {}


def set_permissions(world: World, body: Json) -> Json:
    """What the App's installations were granted."""
    app = _app(world, body)
    for installation in world.installations.values():
        if installation.app is app:
            installation.permissions = dict(body["permissions"])
    return {}


def list_tokens(world: World, body: Json) -> Json:
    return {c.user.login: token for token, c in world.credentials.items() if c.installation is None}


def set_draft(world: World, body: Json) -> Json:
    pulls.set_draft(world, pull(world, body), person(world, body["login"]), bool(body["draft"]))
    return {}


def set_review_commit(world: World, body: Json) -> Json:
    """GitHub shows another commit for a review after some force-pushes, and none once it is collected."""
    found = next((r for r in pull(world, body).reviews if r.id == int(body["review"])), None)
    if found is None:
        raise Misuse("no such review")
    found.commit_id = body["commit"]
    return {}


def click_check(world: World, body: Json) -> Json:
    """*Re-run*, or with `action` one of the check's buttons."""
    runs = repository(world, body["repository"]).check_runs
    run = next((r for r in runs if r.id == int(body["check_run"])), None)
    if run is None:
        raise Misuse("no such check run")
    actor = person(world, body["login"])
    if "action" in body:
        checks.request_action(world, run, actor, str(body["action"]))
    else:
        checks.rerequest(world, run, actor)
    return {}


def send_ping(world: World, body: Json) -> Json:
    webhooks.ping(world, _app(world, body))
    return {}


COMMANDS: dict[str, Command] = {
    "POST users": create_user,
    "DELETE users": delete_user,
    "POST teams": create_team,
    "POST repositories": create_repository,
    "DELETE repositories": delete_repository,
    "POST default-branch": set_default_branch,
    "POST roles": set_role,
    "POST keys": add_key,
    "DELETE keys": remove_key,
    "POST apps": create_app,
    "GET apps": list_apps,
    "GET environment": show_environment,
    "GET exports": show_exports,
    "POST suspend": suspend,
    "POST webhook": set_webhook,
    "POST permissions": set_permissions,
    "GET tokens": list_tokens,
    "POST faults": control_faults.add_fault,
    "GET faults": control_faults.list_faults,
    "DELETE faults": control_faults.clear_faults,
    "POST settings": control_faults.set_settings,
    "GET deliveries": control_faults.list_deliveries,
    "POST release": control_faults.release,
    "POST draft": set_draft,
    "POST review-commit": set_review_commit,
    "POST click": click_check,
    "POST queue": lambda world, body: merge_queue.told(
        merge_queue.enqueue(
            world, pull(world, body), person(world, body["login"]), str(body.get("method", "merge"))
        )
    ),
    "POST queue-advance": lambda world, body: merge_queue.advance(
        world, repository(world, body["repository"]), str(body["branch"])
    ),
    "POST ping": send_ping,
    "GET operations": lambda world, body: sorted(supported()),
}
