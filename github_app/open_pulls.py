"""Every open pull request into a branch, in as few queries as there are pages."""

from dataclasses import dataclass

from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import operation, there, understood

MOST_PAGES = 200


@dataclass(frozen=True)
class OpenPull:
    number: int
    head: str
    base_ref: str


def ask_open_pulls(client: InstallationClient, slug: str, base: str | None) -> tuple[OpenPull, ...]:
    """Every open pull request into the branch; None: into any. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    found: dict[int, OpenPull] = {}
    after: str | None = None
    for _page in range(MOST_PAGES):
        variables = {"owner": owner, "name": name, "base": base, "after": after}
        data = client.graphql(operation("OpenPulls"), variables)
        page = understood(lambda data=data: there(data["repository"], "repository")["pullRequests"])  # type: ignore[misc]
        for node in page["nodes"]:
            found[node["number"]] = OpenPull(node["number"], node["headRefOid"], node["baseRefName"])
        if not page["pageInfo"]["hasNextPage"]:
            return tuple(found[number] for number in sorted(found))
        after = page["pageInfo"]["endCursor"]
    raise GitHubError(f"more than {MOST_PAGES * 100} open pull requests")
