"""Who is who and who may do what: accounts behind addresses, roles on repositories, permissions of tokens."""

import re

from foureyes.github_app.sandbox.state import (
    ROLES,
    Credential,
    Organization,
    Repository,
    User,
    World,
)

WEB_FLOW_EMAIL = "noreply@github.com"
_NOREPLY = re.compile(r"(?:(\d+)\+)?([^@+]+)@users\.noreply\.github\.com\Z", re.IGNORECASE)
_LEVELS = ("", "read", "write", "admin")


def account_of(world: World, email: str) -> User | None:
    """The account that GitHub connects with a git address: anyone can write anyone's address into a commit."""
    noreply = _NOREPLY.match(email)
    if noreply and noreply[1]:
        return world.users.get(int(noreply[1]))
    if noreply:
        return world.user(noreply[2])
    wanted = email.lower()
    return next((u for u in world.users.values() if wanted in (e.lower() for e in u.emails)), None)


def role(repository: Repository, user: User) -> str:
    """The strongest role by ownership, collaboration, organisation and teams; `none` without any."""
    found = [repository.collaborators.get(user.id, "none"), "none" if repository.private else "read"]
    owner = repository.owner
    if isinstance(owner, User):
        found.append("admin" if owner is user else "none")
    else:
        membership = owner.members.get(user.id)
        found.append({"admin": "admin", "member": owner.base_role}.get(membership or "", "none"))
        found += [t.roles.get(repository.id, "none") for t in owner.teams.values() if user in t.members]
    return max(found, key=ROLES.index)


def at_least(repository: Repository, user: User, needed: str) -> bool:
    return ROLES.index(role(repository, user)) >= ROLES.index(needed)


def can_push(world: World, repository: Repository, user: User) -> bool:
    """What `authorCanPushToRepository` says. An App's bot may push if its installation may write contents."""
    if at_least(repository, user, "write"):
        return True
    return any(
        i.app.bot is user and allows(i.permissions, "contents", "write")
        for i in world.installations_on(repository)
    )


def allows(permissions: dict[str, str], name: str, level: str) -> bool:
    if name == "metadata" and level == "read":
        return True
    return _LEVELS.index(permissions.get(name, "")) >= _LEVELS.index(level)


def sees(credential: Credential, repository: Repository) -> bool:
    """Whether the repository exists for this token; if not, GitHub answers as if there were none."""
    installation = credential.installation
    if installation is None:
        return role(repository, credential.user) != "none"
    if installation.suspended_at or not installation.covers(repository):
        return not repository.private and not installation.suspended_at
    return credential.repositories is None or repository.id in credential.repositories


def may(credential: Credential, repository: Repository, permission: str, level: str) -> bool:
    """Whether a token may read or write a kind of thing in a repository that it sees."""
    installation = credential.installation
    if installation is not None:
        if not installation.covers(repository):
            return level == "read" and not repository.private  # what anyone may read, an installation may
        return allows(credential.permissions or {}, permission, level)
    if permission == "checks" and level == "write":
        return False
    needed = "admin" if permission == "administration" else {"read": "read", "write": "write"}[level]
    if permission in ("pull_requests", "issues") and level == "write":
        needed = "read"
    return at_least(repository, credential.user, needed)


def association(repository: Repository, user: User | None) -> str:
    """GitHub's `author_association`."""
    if user is None:
        return "NONE"
    owner = repository.owner
    if owner is user:
        return "OWNER"
    if isinstance(owner, Organization) and user.id in owner.members:
        return "MEMBER"
    if user.id in repository.collaborators:
        return "COLLABORATOR"
    return "NONE"
