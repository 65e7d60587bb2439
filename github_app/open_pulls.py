"""Every open pull request into a branch, in as few queries as there are pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from foureyes.github_app.answer_values import flag, oid, text
from foureyes.github_app.answer_values import number as number_of
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import operation, there, understood

MOST_PAGES = 200


@dataclass(frozen=True)
class OpenPull:
    number: int
    head: str
    base_ref: str


@dataclass(frozen=True)
class _Page:
    pulls: tuple[OpenPull, ...]
    total: int
    more: str
    """Where the list goes on, "" at its end."""


def ask_open_pulls(client: InstallationClient, slug: str, base: str | None) -> tuple[OpenPull, ...]:
    """Every open pull request into the branch; None: into any. Raises GitHubError: never a part."""
    owner, _, name = slug.partition("/")
    found: dict[int, OpenPull] = {}
    after: str | None = None
    for _number in range(MOST_PAGES):
        variables = {"owner": owner, "name": name, "base": base, "after": after}
        page = understood(partial(_page, client.graphql(operation("OpenPulls"), variables)))
        found |= {pull.number: pull for pull in page.pulls}
        if not page.more:
            # some may have been closed meanwhile
            if len(found) < page.total:
                raise GitHubError(f"GitHub lists {len(found)} of {page.total} open pull requests")
            return tuple(found[number] for number in sorted(found))
        after = page.more
    raise GitHubError(f"more than {MOST_PAGES * 100} open pull requests")


def _page(data: Mapping[str, Any]) -> _Page:
    page = there(data["repository"], "repository")["pullRequests"]
    info = page["pageInfo"]
    more = text(info["endCursor"]) if flag(info["hasNextPage"]) else ""
    return _Page(tuple(map(_open_pull, page["nodes"])), number_of(page["totalCount"]), more)


def _open_pull(node: Mapping[str, Any]) -> OpenPull:
    return OpenPull(number_of(node["number"]), oid(node["headRefOid"]), text(node["baseRefName"]))
