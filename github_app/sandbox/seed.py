"""The organisation that a new sandbox starts with: acme, its people and teams, the repository acme/shop, the App."""

import secrets
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from foureyes.github_app.sandbox.repositories import GitRepository, Signature
from foureyes.github_app.sandbox.shapes import GHOST
from foureyes.github_app.sandbox.state import (
    App,
    Installation,
    Organization,
    Repository,
    Ruleset,
    Team,
    User,
    World,
)
from foureyes.github_app.sandbox.tokens import person_token

CHECK = "foureyes"
PEOPLE = {
    "olga": 1,
    "rita": 2,
    "sam": 3,
    "ben": 4,
    "ana": 5,
    "raj": 6,
    "mia": 7,
    "kim": 8,
    "lee": 9,
    "noor": 10,
}
TEAMS = {
    "engineers": ("olga", "ben", "ana", "raj", "mia", "kim", "lee", "noor"),
    "reviewers": ("rita", "sam"),
    "payments-oncall": ("lee", "noor"),
}
OWNER = "noor"
"""Owner of the organisation, and the one person who may bypass the rules of acme/shop."""
POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**", "services/payments/**"]\n'
FILES = {
    ".github/foureyes.yml": POLICY,
    "README.md": "# shop\n\nThe shop of acme.\n",
    "docs/handbook.md": "# Handbook\n\nHow we work.\n",
    "infra/network.tf": 'resource "network" "main" {\n  range = "10.0.0.0/16"\n}\n',
    "infra/storage.tf": 'resource "bucket" "orders" {\n  name = "orders"\n}\n',
    "services/payments/charge.py": "def charge(amount: int) -> int:\n    return amount\n",
    "services/payments/refund.py": "def refund(amount: int) -> int:\n    return -amount\n",
}
APP_PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "read",
    "merge_queues": "read",
    "checks": "write",
    "members": "read",
}
APP_EVENTS = (
    "pull_request",
    "pull_request_review",
    "push",
    "check_run",
    "merge_group",
    "repository",
)


def seed(world: World, app_key: str = "") -> App:
    """Fills an empty world; the App is already installed on all repositories of acme.

    `app_key` is the App's private key as PEM; without one a new one is made.
    """
    web_flow = User(19864447, "web-flow", name="GitHub", emails=("noreply@github.com",))
    world.add_user(web_flow)
    world.add_user(User(GHOST, "ghost"))
    for login, number in PEOPLE.items():
        add_person(world, login, number)
    acme = add_organization(world, "acme", OWNER)
    for login in PEOPLE:
        acme.members.setdefault(PEOPLE[login], "member")
    shop = add_repository(world, acme, "shop", FILES)
    for slug, logins in TEAMS.items():
        members = [world.users[PEOPLE[login]] for login in logins]
        acme.teams[slug] = Team(world.next_id(), slug, acme, members, {shop.id: "write"})
    app = add_app(world, acme, "foureyes", APP_PERMISSIONS, APP_EVENTS, app_key)
    install(world, app, acme)
    check = {"context": CHECK, "integration_id": app.id}
    parameters = {"required_status_checks": [check], "strict_required_status_checks_policy": False}
    rules = [{"type": "required_status_checks", "parameters": parameters}]
    bypass = [{"actor_id": PEOPLE[OWNER], "actor_type": "User", "bypass_mode": "always"}]
    ruleset = Ruleset(world.next_id(), "two humans", ("~DEFAULT_BRANCH",), rules, bypass_actors=bypass)
    shop.rulesets.append(ruleset)
    return app


def add_person(world: World, login: str, number: int | None = None, *, type_: str = "User") -> User:
    """An account with a verified address LOGIN@acme.example and a token."""
    user = User(
        id=number or world.next_id(),
        login=login,
        type=type_,
        name=login.capitalize(),
        emails=(f"{login}@acme.example",) if type_ == "User" else (),
    )
    world.add_user(user)
    person_token(world, user)
    return user


def add_organization(world: World, login: str, owner: str) -> Organization:
    organization = Organization(world.next_id(), login, "2020-01-01T00:00:00Z")
    person = world.user(owner)
    if person is not None:
        organization.members[person.id] = "admin"
    world.organizations[login.lower()] = organization
    return organization


def add_repository(
    world: World,
    owner: Organization | User,
    name: str,
    files: dict[str, str] | None = None,
    *,
    parent: Repository | None = None,
    private: bool = False,
) -> Repository:
    """A bare repository, with one commit on `main` if files are given; a fork has the branches of its parent."""
    number = world.next_id()
    git = GitRepository(world.data_dir / "repositories" / f"{number}.git").create()
    now = world.now()
    repository = Repository(number, owner, name, git, now, now, private=private, parent=parent)
    if parent is not None:
        git.run("fetch", "--quiet", str(parent.git.path), "+refs/heads/*:refs/heads/*")
    elif files is not None:
        who = Signature("acme", "setup@acme.example", "2024-01-01T00:00:00Z")
        git.first_commit("main", files, "Set up the shop\n", who)
    return world.add_repository(repository)


def new_key() -> str:
    """An RSA private key as PEM, as GitHub hands one out for an App."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return pem.decode()


@cache
def _public(private: str) -> str:
    key = serialization.load_pem_private_key(private.encode(), None)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


def add_app(
    world: World,
    owner: Organization | User,
    slug: str,
    permissions: dict[str, str],
    events: tuple[str, ...],
    private_key: str = "",
) -> App:
    private = private_key or new_key()
    number = world.next_id()
    bot = world.add_user(User(world.next_id(), f"{slug}[bot]", "Bot", slug, graphql_login=slug))
    app = App(
        id=number,
        slug=slug,
        name=slug,
        owner=owner,
        private_key=private,
        public_key=_public(private),
        webhook_secret=secrets.token_hex(20),
        bot=bot,
        permissions=permissions,
        events=events,
        created_at=world.now(),
    )
    world.apps[number] = app
    return app


def install(
    world: World, app: App, account: Organization, repositories: list[Repository] | None = None
) -> Installation:
    installation = Installation(
        world.next_id(), app, account, dict(app.permissions), app.events, world.now(), repositories
    )
    world.installations[installation.id] = installation
    return installation
