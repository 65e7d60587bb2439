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
    """An open pull request. `at` is in milliseconds, by GitHub's clock."""

    number: int
    head: str
    at: int
    head_ref: str
    from_fork: bool


@dataclass(frozen=True)
class Happened:
    """One repository: its open pull requests by their last change, the newest first; `more` is where the list goes on,
    "" at its end. `until`: what happened before is in the answer.
    """

    id: int
    slug: str
    has_policy: bool
    default_ref: str
    default_tip: str
    pulls: tuple[Updated, ...]
    more: str
    until: int


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
        answer = client.unchanged_or_new("/installation/repositories", params)
        listed = understood(lambda answer=answer: _listed(answer.data["repositories"], _covered))  # type: ignore[misc]
        found |= {item.id: item for item in listed if item is not None}
        following = next_page(answer.headers)
        if following is None:
            return tuple(found[number] for number in sorted(found))
        params = following
    raise GitHubError(f"more than {MOST_PAGES * 100} repositories")


def ask_happened(client: InstallationClient, repositories: Sequence[Covered]) -> Iterator[Happened]:
    """One query for all; where GitHub refuses that because of one of them, the others are asked without it.

    Raises GitHubError where it is not about a repository.
    """
    try:
        answer = client.graphql_answer(operation("Happened"), {"ids": [one.node_id for one in repositories]})
    except RetryLater:
        raise
    except GitHubError as error:
        if error.status not in (0, 404):
            raise
        if len(repositories) > 1:
            half = len(repositories) // 2
            yield from ask_happened(client, repositories[:half])
            yield from ask_happened(client, repositories[half:])
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


def ask_open(client: InstallationClient, slug: str, after: str | None) -> tuple[tuple[Updated, ...], str]:
    """One page of the open pull requests, the newest change first, and where the next begins ("": the end)."""
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("MoreHappened"), {"owner": owner, "name": name, "after": after})
    return understood(lambda: _page(there(data["repository"], "repository")["pullRequests"]))


def ask_all_open(client: InstallationClient, slug: str) -> tuple[Updated, ...]:
    """Raises GitHubError: never a part."""
    found: dict[int, Updated] = {}
    after: str | None = None
    for _page in range(MOST_PAGES):
        pulls, more = ask_open(client, slug, after)
        found |= {pull.number: pull for pull in pulls}
        if not more:
            return tuple(found.values())
        after = more
    raise GitHubError(f"more than {MOST_PAGES * 100} open pull requests")


def _listed(items: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    return [read(item) for item in items]


def _installed(item: Mapping[str, Any]) -> Installed:
    return Installed(int(item["id"]), item.get("suspended_at") is not None)


def _covered(item: Mapping[str, Any]) -> Covered | None:
    return None if item.get("archived") else Covered(int(item["id"]), str(item["node_id"]))


def _happened(node: Mapping[str, Any], until: int) -> Happened:
    pulls, more = _page(node["pullRequests"])
    branch = node["defaultBranchRef"]
    return Happened(
        id=int(node["databaseId"]), slug=node["nameWithOwner"], has_policy=node["policy"] is not None,
        default_ref=f"refs/heads/{branch['name']}", default_tip=branch["target"]["oid"], pulls=pulls, more=more,
        until=until,
    )  # fmt: skip


def _page(connection: Mapping[str, Any]) -> tuple[tuple[Updated, ...], str]:
    info = connection["pageInfo"]
    return tuple(map(_updated, connection["nodes"])), info["endCursor"] if info["hasNextPage"] else ""


def _updated(node: Mapping[str, Any]) -> Updated:
    at = int(datetime.fromisoformat(node["updatedAt"]).timestamp() * 1000)
    return Updated(
        int(node["number"]), node["headRefOid"], at, node["headRefName"], bool(node["isCrossRepository"])
    )
