"""What is said on a pull request, in comments and in reviews: read only for whose handle it mentions, and only to
exclude who wrote that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.answer_values import flag, number, text
from foureyes.github_app.asking import is_repeated
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import MOST_PAGES, account, operation, there, understood
from foureyes.shared.people import Account, Kind


@dataclass(frozen=True)
class Said:
    author: Account | None
    text: str


def ask_comments(client: InstallationClient, slug: str, number: int) -> tuple[Said, ...]:
    """Raises GitHubError, also where not all of them can be had."""
    return _ask(client, slug, number, "Comments", "comments", _comment)


def ask_remarks(client: InstallationClient, slug: str, number: int) -> tuple[Said, ...]:
    """What reviews say, of any kind, in their own text and beside lines: one for each review. Raises GitHubError."""
    return _ask(client, slug, number, "Remarks", "reviews", _remarks)


def _ask(
    client: InstallationClient, slug: str, number: int, query: str, what: str, read: Callable[[Any], Said]
) -> tuple[Said, ...]:
    owner, _, name = slug.partition("/")
    found: list[Any] = []
    after = None
    for _page in range(MOST_PAGES):
        variables = {"owner": owner, "name": name, "number": number, "after": after}
        page = _page_of(client.graphql(operation(query), variables), what)
        found += understood(lambda page=page: list(page["nodes"]))  # type: ignore[misc]
        after = understood(lambda page=page: _next(page["pageInfo"]))  # type: ignore[misc]
        if not after:
            return understood(lambda page=page, found=found: _whole(found, page, what, read))  # type: ignore[misc]
    raise GitHubError(f"more than {MOST_PAGES} pages of {what}")


def _next(info: Mapping[str, Any]) -> str:
    """ "" after the last page."""
    return text(info["endCursor"]) if flag(info["hasNextPage"]) else ""


def _whole(
    nodes: list[Any], page: Mapping[str, Any], what: str, read: Callable[[Any], Said]
) -> tuple[Said, ...]:
    if len(nodes) != number(page["totalCount"]):
        raise GitHubError(f"GitHub lists {len(nodes)} of {page['totalCount']} {what}")
    if is_repeated(nodes):
        raise GitHubError(f"GitHub lists some {what} twice")
    return tuple(map(read, nodes))


def _page_of(data: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    pull = understood(lambda: there(data["repository"]["pullRequest"], "pull request"))
    return understood(lambda: there(pull[what], what))


def _comment(node: Mapping[str, Any]) -> Said:
    return Said(account(node["author"]), text(node["body"]))


def _remarks(node: Mapping[str, Any]) -> Said:
    author, beside = account(node["author"]), node["comments"]
    # of a bot's many comments none can exclude anybody
    if (
        author is not None
        and author.kind is Kind.USER
        and len(beside["nodes"]) != number(beside["totalCount"])
    ):
        raise GitHubError(
            f"GitHub lists {len(beside['nodes'])} of {beside['totalCount']} comments of a review"
        )
    return Said(author, "\n".join([text(node["body"]), *(text(one["body"]) for one in beside["nodes"])]))
