"""What the stand-in knows besides its git repositories: accounts, pull requests, reviews, checks, deliveries.

Plain mutable objects behind one lock (`World.lock`); who changes them holds it. Times are RFC 3339 text in UTC with
whole seconds, as GitHub writes them. Ids are numeric; a node id is a prefix and that number.
"""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foureyes.github_app.sandbox.faults import Faults
from foureyes.github_app.sandbox.repositories import GitRepository

if TYPE_CHECKING:
    from foureyes.github_app.sandbox.commit_status import CommitStatus
    from foureyes.github_app.sandbox.courier import Courier

Json = dict[str, Any]
ROLES = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass
class Key:
    """A public key as an account publishes it."""

    id: int
    key: str
    title: str
    created_at: str


@dataclass(eq=False)
class User:
    """A person (`User`) or a program (`Bot`). `graphql_login`: GitHub spells some bots differently there."""

    id: int
    login: str
    type: str = "User"
    name: str = ""
    emails: tuple[str, ...] = ()
    created_at: str = "2020-01-01T00:00:00Z"
    graphql_login: str = ""
    keys: list[Key] = field(default_factory=list)
    signing_keys: list[Key] = field(default_factory=list)


@dataclass(eq=False)
class Team:
    id: int
    slug: str
    organization: "Organization"
    members: list[User] = field(default_factory=list)
    roles: dict[int, str] = field(default_factory=dict)
    """Repository id -> role."""


@dataclass(eq=False)
class Organization:
    id: int
    login: str
    created_at: str
    members: dict[int, str] = field(default_factory=dict)
    """User id -> `admin` or `member`."""
    teams: dict[str, Team] = field(default_factory=dict)
    base_role: str = "read"


@dataclass(eq=False)
class App:
    id: int
    slug: str
    name: str
    owner: Organization | User
    private_key: str
    public_key: str
    webhook_secret: str
    bot: User
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: str
    webhook_url: str = ""


@dataclass(eq=False)
class Installation:
    id: int
    app: App
    account: Organization
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: str
    repositories: list["Repository"] | None = None
    """None: all repositories of the account."""
    suspended_at: str | None = None

    def covers(self, repository: "Repository") -> bool:
        if self.repositories is not None:
            return repository in self.repositories
        return repository.owner is self.account


@dataclass
class Ruleset:
    """`rules` and `bypass_actors` in GitHub's own form: `{"type": ..., "parameters": {...}}`, `{"actor_type": ...}`."""

    id: int
    name: str
    include: tuple[str, ...]
    rules: list[Json]
    enforcement: str = "active"
    bypass_actors: list[Json] = field(default_factory=list)
    exclude: tuple[str, ...] = ()

    @property
    def bypass(self) -> tuple[int, ...]:
        """Ids of the people who may bypass. Roles and teams that may are shown, not acted on."""
        return tuple(a["actor_id"] for a in self.bypass_actors if a["actor_type"] == "User")


@dataclass
class Activity:
    id: int
    before: str
    after: str
    ref: str
    timestamp: str
    activity_type: str
    actor: User | None


@dataclass(eq=False)
class CheckSuite:
    id: int
    repository: "Repository"
    head_sha: str
    head_branch: str | None
    app: App
    created_at: str


@dataclass(eq=False)
class CheckRun:
    id: int
    suite: CheckSuite
    name: str
    status: str
    conclusion: str | None
    started_at: str | None
    completed_at: str | None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    external_id: str = ""
    details_url: str | None = None
    annotations: list[Json] = field(default_factory=list)


@dataclass(eq=False)
class Issue:
    id: int
    number: int
    author: User
    title: str
    body: str
    created_at: str
    labels: tuple[str, ...] = ()
    app: App | None = None
    """Whose token it came with; None: a person's."""
    state: str = "open"


@dataclass(eq=False)
class Review:
    id: int
    pull: "Pull"
    user: User | None
    state: str
    body: str
    commit_id: str | None
    submitted_at: str | None
    comments: "list[Comment]" = field(default_factory=list)
    """Beside lines."""


@dataclass(eq=False)
class Comment:
    id: int
    user: User | None
    body: str
    created_at: str


@dataclass(eq=False)
class TimelineEvent:
    """`kind` is the GraphQL type's name; `details` what that type shows besides actor and time."""

    id: int
    kind: str
    actor: User | None
    created_at: str
    details: Json = field(default_factory=dict)


@dataclass(eq=False)
class Pull:
    id: int
    number: int
    repository: "Repository"
    head_repository: "Repository | None"
    author: User | None
    title: str
    body: str | None
    head_ref: str
    head: str
    base_ref: str
    base: str
    """Base tip when the pull request was opened, retargeted or last pushed to: GitHub lets it grow old."""
    created_at: str
    updated_at: str
    draft: bool = False
    state: str = "open"
    merged_at: str | None = None
    merged_by: User | None = None
    closed_at: str | None = None
    merge_commit: str | None = None
    mergeable: bool | None = None
    maintainer_can_modify: bool = False
    assignees: list[User] = field(default_factory=list)
    requested_reviewers: list[User] = field(default_factory=list)
    requested_teams: list[Team] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    timeline: list[TimelineEvent] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state == "open"


@dataclass(eq=False)
class Repository:
    id: int
    owner: Organization | User
    name: str
    git: GitRepository
    created_at: str
    pushed_at: str
    default_branch: str = "main"
    private: bool = False
    parent: "Repository | None" = None
    collaborators: dict[int, str] = field(default_factory=dict)
    """User id -> role."""
    pulls: dict[int, Pull] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    protection: dict[str, Json] = field(default_factory=dict)
    """Branch -> its classic protection in GitHub's own form: shown, not acted on."""
    actions_may_approve: bool = False
    activity: list[Activity] = field(default_factory=list)
    check_suites: list[CheckSuite] = field(default_factory=list)
    check_runs: list[CheckRun] = field(default_factory=list)
    statuses: "list[CommitStatus]" = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    queues: dict[str, "list[QueueEntry]"] = field(default_factory=dict)
    """Branch -> what waits to be merged into it, the next one first."""
    made_by_github: set[str] = field(default_factory=set)
    """Commits that GitHub itself made and signed: merge button, *Update branch*."""
    merge_methods: frozenset[str] = frozenset({"merge", "squash", "rebase"})
    """Allowed in its settings: shown, not acted on."""

    @property
    def slug(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def next_number(self) -> int:
        """Pull requests and issues are counted together."""
        return max((*self.pulls, *self.issues), default=0) + 1


@dataclass(eq=False)
class QueueEntry:
    """A pull request in a branch's merge queue. `head` is the commit that the queue made of it on top of `base`, and
    that the branch will be at if its checks let it in.
    """

    id: int
    pull: Pull
    enqueuer: User
    enqueued_at: str
    pull_head: str
    """The pull request's head when it was put in."""
    method: str
    base: str = ""
    head: str = ""

    @property
    def branch(self) -> str:
        return f"gh-readonly-queue/{self.pull.base_ref}/pr-{self.pull.number}-{self.base}"


@dataclass(eq=False)
class Delivery:
    """One attempt to hand a webhook over. A redelivery is another attempt with the same `guid`."""

    id: int
    guid: str
    app: App
    installation: Installation | None
    repository: Repository | None
    event: str
    action: str | None
    body: bytes
    redelivery: bool = False
    delivered_at: str = ""
    duration: float = 0.0
    status_code: int = 0
    status: str = "pending"
    headers: dict[str, str] = field(default_factory=dict)
    response: str = ""


@dataclass(frozen=True)
class Credential:
    """What a token may do. `user` acts; for an installation that is the App's bot."""

    user: User
    installation: Installation | None = None
    permissions: dict[str, str] | None = None
    """None: a person's token, which may do what the person may."""
    repositories: tuple[int, ...] | None = None
    expires_at: str = ""

    @property
    def bucket(self) -> str:
        """Whose rate limit is spent: all tokens of an installation share one."""
        return f"installation {self.installation.id}" if self.installation else f"user {self.user.id}"


class World:
    """All state of one sandbox. `courier` is set when it starts."""

    courier: "Courier"

    def __init__(self, data_dir: Path, *, merge_check: bool = True) -> None:
        self.data_dir = data_dir
        self.merge_check = merge_check
        self.url = ""
        self.token = ""
        """Proves to an App process that this is a sandbox which its starter knows."""
        self.lock = threading.RLock()
        self.clock_offset = timedelta()
        self.faults = Faults()
        self.users: dict[int, User] = {}
        self.organizations: dict[str, Organization] = {}
        self.repositories: dict[str, Repository] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.credentials: dict[str, Credential] = {}
        self.manifest_codes: dict[str, tuple[App, datetime]] = {}
        """What an App made from a manifest is handed out for, once, and until when."""
        self.quota: dict[tuple[str, str], tuple[int, int]] = {}
        self._ids = itertools.count(1001)

    def next_id(self) -> int:
        return next(self._ids)

    def time(self) -> datetime:
        return datetime.now(UTC) + self.clock_offset

    def now(self) -> str:
        return self.time().strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str) -> User | None:
        """The account of that login as REST spells it, whatever the case."""
        return next((u for u in self.users.values() if u.login.lower() == login.lower()), None)

    def organization(self, login: str) -> Organization | None:
        return self.organizations.get(login.lower())

    def repository(self, owner: str, name: str) -> Repository | None:
        return self.repositories.get(f"{owner}/{name}".lower())

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def add_repository(self, repository: Repository) -> Repository:
        self.repositories[repository.slug.lower()] = repository
        return repository

    def installations_on(self, repository: Repository) -> list[Installation]:
        return [i for i in self.installations.values() if i.covers(repository) and not i.suspended_at]
