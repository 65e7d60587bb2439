"""From which pull request GitHub says that a commit came. It only names candidates: trees decide."""

from collections.abc import Mapping
from typing import Any

from foureyes.github_app.answer_values import number as number_of
from foureyes.github_app.answer_values import oid as oid_of
from foureyes.github_app.answer_values import text
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.landing import Source
from foureyes.github_app.pull_query import operation, there, understood


def ask_stands(client: InstallationClient, slug: str, number: int, head: str, branch: str) -> bool:
    """Whether the pull request, with this head and into this branch, is open or merged. One that was closed, or goes
    elsewhere now, lets nothing in any more, whatever was decided about it. Raises GitHubError.
    """
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("LastLook"), {"owner": owner, "name": name, "number": number})

    def read() -> bool:
        pull = there(there(data["repository"], "repository")["pullRequest"], "pull request")
        here = (oid_of(pull["headRefOid"]), text(pull["baseRefName"])) == (head, branch)
        return here and pull["state"] in ("OPEN", "MERGED")

    return understood(read)


def ask_came_from(client: InstallationClient, slug: str, oid: str, branch: str) -> tuple[Source, ...]:
    """Merged pull requests into the branch whose merge is this commit. Raises GitHubError."""
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("CameFrom"), {"owner": owner, "name": name, "oid": oid})

    def read() -> tuple[Source, ...]:
        commit = there(there(data["repository"], "repository")["object"], f"commit {oid}")
        listed = commit["associatedPullRequests"]["nodes"] if commit["associatedPullRequests"] else []
        return tuple(
            _source(node)
            for node in listed
            if node["baseRefName"] == branch and (node["mergeCommit"] or {}).get("oid") == oid
        )

    return understood(read)


def _source(node: Mapping[str, Any]) -> Source:
    return Source(oid_of(node["headRefOid"]), number_of(node["number"]))
