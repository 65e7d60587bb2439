"""The comments on a pull request: read only for whose handle they mention, and only to exclude who wrote that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import MOST_PAGES, account, operation, there, understood
from foureyes.shared.people import Account


@dataclass(frozen=True)
class Said:
    author: Account | None
    text: str


def ask_comments(client: InstallationClient, slug: str, number: int) -> tuple[Said, ...]:
    """Raises GitHubError, also where not all of them can be had."""
    owner, _, name = slug.partition("/")
    found: list[Said] = []
    after = None
    for _page in range(MOST_PAGES):
        variables = {"owner": owner, "name": name, "number": number, "after": after}
        data = client.graphql(operation("Comments"), variables)
        page = _page_of(data)
        found += _said(page)
        if not page["pageInfo"]["hasNextPage"]:
            if len(found) != page["totalCount"]:
                raise GitHubError(f"GitHub lists {len(found)} of {page['totalCount']} comments")
            return tuple(found)
        after = page["pageInfo"]["endCursor"]
    raise GitHubError(f"more than {MOST_PAGES * 100} comments")


def _page_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    pull = understood(lambda: there(data["repository"]["pullRequest"], "pull request"))
    return understood(lambda: there(pull["comments"], "comments"))


def _said(page: Mapping[str, Any]) -> list[Said]:
    return understood(lambda: [Said(account(node["author"]), str(node["body"])) for node in page["nodes"]])
