"""Operations on accounts, published keys, organisations, teams and collaborators."""

from foureyes.github_app.sandbox import shapes, webhooks
from foureyes.github_app.sandbox.access import allows, role
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.state import ROLES, Json, Key, Organization, Team, User

_SPOKEN = {"pull": "read", "push": "write"}


@handles("users/get-authenticated")
def get_me(ask: Ask) -> Json:
    if ask.user.type == "Bot":
        raise Refusal(403, "Resource not accessible by integration")
    email = ask.user.emails[0] if ask.user.emails else None
    return shapes.public_user(ask.world, ask.user) | {"email": email}


@handles("users/get-by-username")
def get_user(ask: Ask) -> Json:
    login = ask.parameter("username")
    found: User | Organization | None = ask.world.user(login) or ask.world.organization(login)
    if found is None or (
        isinstance(found, User) and found.type == "Bot" and not found.login.endswith("[bot]")
    ):
        raise Refusal.not_found()
    return shapes.public_user(ask.world, found)


@handles("users/get-by-id")
def get_user_by_id(ask: Ask) -> Json:
    found = ask.world.users.get(ask.number("account_id"))
    if found is None:
        raise Refusal.not_found()
    return shapes.public_user(ask.world, found)


@handles("users/list-public-keys-for-user")
def list_keys(ask: Ask) -> Page:
    person = ask.person(ask.parameter("username"))
    return Page(person.keys, lambda k: {"id": k.id, "key": k.key, "created_at": k.created_at})


def _signing_key(key: Key) -> Json:
    return {"id": key.id, "key": key.key, "title": key.title, "created_at": key.created_at}


@handles("users/list-ssh-signing-keys-for-user")
def list_signing_keys(ask: Ask) -> Page:
    return Page(ask.person(ask.parameter("username")).signing_keys, _signing_key)


@handles("users/list-gpg-keys-for-user")
def list_gpg_keys(ask: Ask) -> Page:
    ask.person(ask.parameter("username"))
    return Page([], _signing_key)


@handles("users/list-ssh-signing-keys-for-authenticated-user")
def list_own_signing_keys(ask: Ask) -> Page:
    return Page(ask.user.signing_keys, _signing_key)


@handles("users/create-ssh-signing-key-for-authenticated-user")
def add_signing_key(ask: Ask) -> Answer:
    words = str(ask.body["key"]).split()
    taken = {k.key for u in ask.world.users.values() for k in u.signing_keys}
    text = " ".join(words[:2])
    if len(words) < 2 or text in taken:
        raise Refusal.invalid("SigningKey", "key", "invalid" if len(words) < 2 else "already_exists")
    key = Key(ask.world.next_id(), text, str(ask.body.get("title") or ""), ask.world.now())
    ask.user.signing_keys.append(key)
    return Answer(_signing_key(key), 201)


@handles("users/delete-ssh-signing-key-for-authenticated-user")
def remove_signing_key(ask: Ask) -> Answer:
    number, keys = ask.number("ssh_signing_key_id"), ask.user.signing_keys
    if all(key.id != number for key in keys):
        raise Refusal.not_found()
    ask.user.signing_keys = [key for key in keys if key.id != number]
    return Answer(status=204)


def _organization(ask: Ask) -> Organization:
    """An installation needs `members: read`, and sees only the organisation where it is."""
    found = ask.world.organization(ask.parameter("org"))
    if found is None:
        raise Refusal.not_found()
    credential = ask.caller.credential
    if credential is None:
        raise Refusal(401, "Requires authentication")
    if credential.installation is not None:
        if credential.installation.account is not found:
            raise Refusal.not_found()
        if not allows(credential.permissions or {}, "members", "read"):
            raise Refusal(403, "Resource not accessible by integration")
    return found


@handles("orgs/get")
def get_organization(ask: Ask) -> Json:
    found = ask.world.organization(ask.parameter("org"))
    if found is None:
        raise Refusal.not_found()
    return shapes.organization(ask.world, found) | {
        "html_url": f"{ask.world.url}/{found.login}",
        "has_organization_projects": False,
        "has_repository_projects": False,
        "public_repos": sum(r.owner is found for r in ask.world.repositories.values()),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "type": "Organization",
        "created_at": found.created_at,
        "updated_at": found.created_at,
        "archived_at": None,
    }


def _team(ask: Ask) -> Team:
    """A secret or foreign team does not exist for who may not see it."""
    found = _organization(ask).teams.get(ask.parameter("team_slug"))
    if found is None:
        raise Refusal.not_found()
    return found


def _own(ask: Ask, organization: Organization) -> None:
    if organization.members.get(ask.user.id) != "admin":
        raise Refusal(403, "You must be an organization owner.")


@handles("teams/get-by-name")
def get_team(ask: Ask) -> Json:
    return shapes.full_team(ask.world, _team(ask))


@handles("teams/list-members-in-org")
def list_team_members(ask: Ask) -> Page:
    return Page(_team(ask).members, lambda u: shapes.account(ask.world, u))


def _membership(ask: Ask, team: Team, person: User) -> Json:
    login = team.organization.login
    url = shapes.api(ask.world, f"/orgs/{login}/teams/{team.slug}/memberships/{person.login}")
    return {"url": url, "role": "member", "state": "active"}


@handles("teams/get-membership-for-user-in-org")
def get_team_membership(ask: Ask) -> Json:
    team, person = _team(ask), ask.person(ask.parameter("username"))
    if person not in team.members:
        raise Refusal.not_found()
    return _membership(ask, team, person)


@handles("teams/add-or-update-membership-for-user-in-org")
def add_team_member(ask: Ask) -> Json:
    team, person = _team(ask), ask.person(ask.parameter("username"))
    _own(ask, team.organization)
    if person not in team.members:
        team.organization.members.setdefault(person.id, "member")
        team.members.append(person)
        webhooks.membership(ask.world, "added", team, person, ask.user)
    return _membership(ask, team, person)


@handles("teams/remove-membership-for-user-in-org")
def remove_team_member(ask: Ask) -> Answer:
    team, person = _team(ask), ask.person(ask.parameter("username"))
    _own(ask, team.organization)
    if person in team.members:
        team.members.remove(person)
        webhooks.membership(ask.world, "removed", team, person, ask.user)
    return Answer(status=204)


@handles("orgs/get-membership-for-user")
def get_membership(ask: Ask) -> Json:
    organization, person = _organization(ask), ask.person(ask.parameter("username"))
    if person.id not in organization.members:
        raise Refusal.not_found()
    return _organization_membership(ask, organization, person)


def _organization_membership(ask: Ask, organization: Organization, person: User) -> Json:
    url = shapes.api(ask.world, f"/orgs/{organization.login}")
    return {
        "url": f"{url}/memberships/{person.login}",
        "state": "active",
        "role": organization.members[person.id],
        "organization_url": url,
        "organization": shapes.organization(ask.world, organization),
        "user": shapes.account(ask.world, person),
    }


@handles("orgs/set-membership-for-user")
def set_membership(ask: Ask) -> Json:
    organization, person = _organization(ask), ask.person(ask.parameter("username"))
    _own(ask, organization)
    organization.members[person.id] = str(ask.body.get("role", "member"))
    return _organization_membership(ask, organization, person)


@handles("orgs/remove-membership-for-user")
def remove_membership(ask: Ask) -> Answer:
    """Who leaves the organisation leaves its teams."""
    organization, person = _organization(ask), ask.person(ask.parameter("username"))
    _own(ask, organization)
    organization.members.pop(person.id, None)
    for team in organization.teams.values():
        if person in team.members:
            team.members.remove(person)
            webhooks.membership(ask.world, "removed", team, person, ask.user)
    return Answer(status=204)


def _as_permission(name: str) -> str:
    """GitHub folds maintain into write and triage into read here."""
    return {"maintain": "write", "triage": "read"}.get(name, name)


def _collaborator(ask: Ask, person: User) -> Json:
    repository = ask.repository()
    level = ROLES.index(role(repository, person))
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    return shapes.account(ask.world, person) | {
        "role_name": role(repository, person),
        "permissions": {spoken: level >= ROLES.index(name) for spoken, name in names.items()},
    }


@handles("repos/get-collaborator-permission-level", "metadata:read")
def get_permission(ask: Ask) -> Json:
    repository, person = ask.repository(), ask.person(ask.parameter("username"))
    name = role(repository, person)
    return {"permission": _as_permission(name), "role_name": name, "user": _collaborator(ask, person)}


@handles("repos/list-collaborators", "metadata:read")
def list_collaborators(ask: Ask) -> Page:
    repository = ask.repository()
    people = [u for u in ask.world.users.values() if role(repository, u) not in ("none", "read")]
    return Page(people, lambda u: _collaborator(ask, u))


@handles("repos/check-collaborator", "metadata:read")
def check_collaborator(ask: Ask) -> Answer:
    if role(ask.repository(), ask.person(ask.parameter("username"))) in ("none", "read"):
        raise Refusal.not_found()
    return Answer(status=204)


@handles("repos/add-collaborator", "administration:write")
def add_collaborator(ask: Ask) -> Answer:
    repository, person = ask.repository(), ask.person(ask.parameter("username"))
    wanted = str(ask.body.get("permission", "push"))
    name = _SPOKEN.get(wanted, wanted)
    if name not in ROLES:
        raise Refusal.invalid("Repository", "permission")
    repository.collaborators[person.id] = name
    return Answer(status=204)


@handles("repos/remove-collaborator", "administration:write")
def remove_collaborator(ask: Ask) -> Answer:
    ask.repository().collaborators.pop(ask.person(ask.parameter("username")).id, None)
    return Answer(status=204)
