"""What GraphQL fields are resolved on: git objects, connections and events, beside the state's own objects."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from foureyes.github_app.sandbox.access import allows, sees
from foureyes.github_app.sandbox.repositories import Commit
from foureyes.github_app.sandbox.state import (
    App,
    CheckRun,
    CheckSuite,
    Comment,
    Credential,
    Organization,
    Pull,
    Repository,
    Review,
    Team,
    TimelineEvent,
    User,
    World,
)

_MOST = 100


@dataclass
class Context:
    """Who asks, and what the query costs."""

    world: World
    credential: Credential
    cost: int = 1
    nodes: int = 0

    def repository(self, found: Repository | None, name: str) -> Repository:
        if found is None or not sees(self.credential, found):
            raise problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
        return found

    def require(self, permission: str) -> None:
        """An installation token reads only what it was given."""
        credential = self.credential
        if credential.installation and not allows(credential.permissions or {}, permission, "read"):
            raise problem("FORBIDDEN", "Resource not accessible by integration")


Field = Callable[[Context, Any, dict[str, Any]], Any]


def problem(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


@dataclass(frozen=True)
class GitObject:
    """A commit, tree or blob of one repository."""

    repository: Repository
    oid: str
    kind: str

    @property
    def commit(self) -> Commit:
        return self.repository.git.commit(self.oid)


@dataclass(frozen=True)
class GitRef:
    repository: Repository
    name: str
    oid: str


@dataclass(frozen=True)
class GitEntry:
    repository: Repository
    mode: str
    kind: str
    oid: str
    path: str
    size: int


@dataclass(frozen=True)
class GitActor:
    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Signed:
    repository: Repository
    commit: Commit


@dataclass(frozen=True)
class PullCommit:
    pull: Pull
    commit: Commit


@dataclass(frozen=True)
class Happened:
    """A timeline event with its pull request."""

    pull: Pull
    event: TimelineEvent


@dataclass(frozen=True)
class Said:
    pull: Pull
    comment: Comment


@dataclass(frozen=True)
class Beside:
    """What a review says beside a line."""

    review: Review
    comment: Comment


@dataclass(frozen=True)
class Wanted:
    """A review that was asked for."""

    pull: Pull
    reviewer: User | Team


@dataclass(frozen=True)
class Connection:
    """One window of a list. `filtered`: how many lie between after and before."""

    nodes: Sequence[Any]
    total: int
    start: int
    all_items: int
    filtered: int

    @property
    def end(self) -> int:
        return self.start + len(self.nodes)


def connect(
    items: Sequence[Any], arguments: dict[str, Any], name: str, *, total: int | None = None
) -> Connection:
    """The window that first/after or last/before ask for; one of them must be there, and not above 100."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise problem("MISSING_PAGINATION_BOUNDARIES", text)
    for bound, value in (("first", first), ("last", last)):
        if value is not None and not 0 < value <= _MOST:
            text = f"Requesting {value} records on the `{name}` connection exceeds the `{bound}` limit"
            raise problem("EXCESSIVE_PAGINATION", f"{text} of {_MOST} records.")
    start, end = 0, len(items)
    if arguments.get("after"):
        start = position(arguments["after"]) + 1
    if arguments.get("before"):
        end = position(arguments["before"])
    filtered = max(end - start, 0)
    if first is not None:
        end = min(end, start + first)
    else:
        start = max(start, end - int(last or 0))
    everything = len(items)
    return Connection(items[start:end], everything if total is None else total, start, everything, filtered)


def cursor(index: int) -> str:
    return base64.b64encode(f"cursor:v2:{index}".encode()).decode()


def position(text: str) -> int:
    try:
        return int(base64.b64decode(text).decode().removeprefix("cursor:v2:"))
    except ValueError:
        raise problem("INVALID_CURSOR_ARGUMENTS", f"`{text}` does not appear to be a valid cursor.") from None


def type_name(value: Any) -> str:
    """GitHub's name for the type of a value where an interface or union leaves it open."""
    if isinstance(value, User):
        return value.type
    if isinstance(value, Happened):
        return value.event.kind
    if isinstance(value, GitObject):
        return value.kind.capitalize()
    if isinstance(value, Signed):
        return "SshSignature" if value.commit.signature.startswith("-----BEGIN SSH") else "GpgSignature"
    return _TYPES[type(value)]


_TYPES: dict[type, str] = {
    App: "App",
    CheckRun: "CheckRun",
    CheckSuite: "CheckSuite",
    GitRef: "Ref",
    Organization: "Organization",
    Pull: "PullRequest",
    PullCommit: "PullRequestCommit",
    Repository: "Repository",
    Review: "PullRequestReview",
    Beside: "PullRequestReviewComment",
    Said: "IssueComment",
    Team: "Team",
    Wanted: "ReviewRequest",
}


def node_of(world: World, node_id: str) -> Any:
    """The object behind a node id, None if there is none."""
    prefix, _, rest = node_id.partition("_")
    repositories = list(world.repositories.values())
    if prefix == "C":
        number, _, oid = rest.partition("_")
        home = next((r for r in repositories if str(r.id) == number), None)
        return GitObject(home, oid, "commit") if home and home.git.commit_id(oid) == oid else None
    pulls = [pull for repository in repositories for pull in repository.pulls.values()]
    found: dict[str, Sequence[Any]] = {
        "U": list(world.users.values()),
        "B": list(world.users.values()),
        "O": list(world.organizations.values()),
        "T": [team for org in world.organizations.values() for team in org.teams.values()],
        "R": repositories,
        "A": list(world.apps.values()),
        "PR": pulls,
        "PRR": [review for pull in pulls for review in pull.reviews],
        "CR": [run for repository in repositories for run in repository.check_runs],
        "CS": [suite for repository in repositories for suite in repository.check_suites],
    }
    return next((item for item in found.get(prefix, ()) if str(item.id) == rest), None)
