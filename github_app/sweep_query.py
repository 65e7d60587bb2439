"""What the sweep asks: which installations and repositories there are, and what happened in them since."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from foureyes.github_app.answer import next_page
from foureyes.github_app.client import GitHub, GitHubError, InstallationClient, RetryLater
from foureyes.github_app.pull_query import operation, seen_until, there, understood

T = TypeVar("T")

MOST_PAGES = 100

OPEN = ("OPEN",)
LEFT = ("CLOSED", "MERGED")


@dataclass(frozen=True)
class Installed:
    id: int
    suspended: bool


@dataclass(frozen=True)
class Covered:
    """A repository of an installation."""

    id: int
    node_id: str


@dataclass(frozen=True)
class Updated:
    """A pull request. `at`, of its last change, is in milliseconds, by GitHub's clock."""

    number: int
    head: str
    at: int
    head_ref: str
    from_fork: bool
    base_ref: str = ""
    group: str = ""
    """What a merge queue made of it, "" while it has not."""


@dataclass(frozen=True)
class Happened:
    """One repository. `until`: what happened before is in the answer."""

    id: int
    slug: str
    has_policy: bool
    default_ref: str
    default_tip: str
    pulls: "Page"
    """Those that are open."""
    left: "Page"
    """Those that are closed or merged."""
    until: int


@dataclass(frozen=True)
class Page:
    """Pull requests by their last change, the newest first; `more` is where the list goes on, "" at its end."""

    pulls: tuple[Updated, ...]
    more: str


def ask_installations(github: GitHub) -> tuple[Installed, ...]:
    """Of the App, those that are suspended too. Raises GitHubError."""
    found: list[Installed] = []
    params: dict[str, str] | None = {"per_page": "100"}
    for _page in range(MOST_PAGES):
        answer = github.as_app("GET", "/app/installations", params=params)
        found += understood(partial(_listed, answer.data, _installed))
        params = next_page(answer.headers)
        if params is None:
            return tuple(found)
    raise GitHubError(f"more than {MOST_PAGES * 100} installations")


def ask_repositories(client: InstallationClient) -> tuple[Covered, ...]:
    """By id; archived ones, which nothing can be merged into, left out. Raises GitHubError: never a part."""
    found: dict[int, Covered] = {}
    params = {"per_page": "100"}
    for _page in range(MOST_PAGES):
        answer = client.unchanged_or_new("/installation/repositories", params, _all_covered)
        found |= {item.id: item for item in answer.data}
        following = next_page(answer.headers)
        if following is None:
            return tuple(found[number] for number in sorted(found))
        params = following
    raise GitHubError(f"more than {MOST_PAGES * 100} repositories")


def ask_happened(
    client: InstallationClient, repositories: Sequence[Covered], *, queues: bool = True
) -> Iterator[Happened]:
    """One query for all; where GitHub refuses that because of one of them, the others are asked without it, and where
    it is too much for GitHub, half of them. `queues`: what waits to be merged too; an App that may not read that is
    told all the rest.

    Raises GitHubError where it is not about a repository.
    """
    asked = {"ids": [one.node_id for one in repositories], "queues": queues}
    try:
        answer = client.graphql_answer(operation("Happened"), asked)
    except RetryLater:
        raise
    except GitHubError as error:
        refused, alone = error.status in (200, 404), len(repositories) == 1
        if refused and queues:
            yield from ask_happened(client, repositories, queues=False)
            return
        if not refused and (alone or error.status < 500):
            raise
        if not alone:
            half = len(repositories) // 2
            yield from ask_happened(client, repositories[:half], queues=queues)
            yield from ask_happened(client, repositories[half:], queues=queues)
        return
    until = seen_until(answer.began)
    for node in understood(lambda: list(answer.data["nodes"])):
        if (
            node
            and node["__typename"] == "Repository"
            and not node["isArchived"]
            and node["defaultBranchRef"]
        ):
            yield understood(partial(_happened, node, until))


def ask_page(client: InstallationClient, slug: str, states: Sequence[str], after: str | None) -> Page:
    """The page after that. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    variables = {"owner": owner, "name": name, "states": list(states), "after": after}
    data = client.graphql(operation("MoreHappened"), variables)
    return understood(lambda: _page(there(data["repository"], "repository")["pullRequests"]))


def ask_all_open(client: InstallationClient, slug: str) -> tuple[Updated, ...]:
    """Raises GitHubError: never a part."""
    found: dict[int, Updated] = {}
    after: str | None = None
    for _number in range(MOST_PAGES):
        page = ask_page(client, slug, OPEN, after)
        found |= {pull.number: pull for pull in page.pulls}
        if not page.more:
            return tuple(found.values())
        after = page.more
    raise GitHubError(f"more than {MOST_PAGES * 100} open pull requests")


def _listed(items: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    return [read(item) for item in items]


def _installed(item: Mapping[str, Any]) -> Installed:
    return Installed(int(item["id"]), item.get("suspended_at") is not None)


def _covered(item: Mapping[str, Any]) -> Covered | None:
    return None if item.get("archived") else Covered(int(item["id"]), str(item["node_id"]))


def _all_covered(data: Any) -> list[Covered]:
    listed = understood(lambda: _listed(data["repositories"], _covered))
    return [item for item in listed if item is not None]


def _happened(node: Mapping[str, Any], until: int) -> Happened:
    branch = node["defaultBranchRef"]
    return Happened(
        id=int(node["databaseId"]), slug=node["nameWithOwner"], has_policy=node["policy"] is not None,
        default_ref=f"refs/heads/{branch['name']}", default_tip=branch["target"]["oid"],
        pulls=_page(node["pullRequests"]), left=_page(node["left"]), until=until,
    )  # fmt: skip


def _page(connection: Mapping[str, Any]) -> Page:
    info = connection["pageInfo"]
    return Page(tuple(map(_updated, connection["nodes"])), info["endCursor"] if info["hasNextPage"] else "")


def _updated(node: Mapping[str, Any]) -> Updated:
    at = int(datetime.fromisoformat(node["updatedAt"]).timestamp() * 1000)
    made = (node.get("mergeQueueEntry") or {}).get("headCommit") or {}
    return Updated(
        int(node["number"]), node["headRefOid"], at, node["headRefName"], bool(node["isCrossRepository"]),
        node["baseRefName"], made.get("oid", ""),
    )  # fmt: skip
