"""What waits in a branch's merge queue, as GitHub lists it."""

from dataclasses import dataclass

from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import operation, there, understood


@dataclass(frozen=True)
class QueueEntry:
    """`made` is the commit that the queue made of the pull request, on top of `base`; "" while it has not."""

    pull: int
    head: str
    base_ref: str
    base: str
    made: str


def ask_queue(client: InstallationClient, slug: str, branch: str) -> tuple[QueueEntry, ...]:
    """All of it, or GitHubError. None waiting, or no queue at all, is empty."""
    owner, _, name = slug.partition("/")
    data = client.graphql(operation("Queue"), {"owner": owner, "name": name, "branch": branch})

    def read() -> tuple[QueueEntry, ...]:
        queue = there(data["repository"], "repository")["mergeQueue"]
        if queue is None:
            return ()
        entries = queue["entries"]
        if len(entries["nodes"]) != entries["totalCount"]:
            raise GitHubError(
                f"GitHub lists {len(entries['nodes'])} of {entries['totalCount']} waiting to merge"
            )
        return tuple(
            QueueEntry(
                int(node["pullRequest"]["number"]),
                node["pullRequest"]["headRefOid"],
                node["pullRequest"]["baseRefName"],
                (node["baseCommit"] or {}).get("oid", ""),
                (node["headCommit"] or {}).get("oid", ""),
            )
            for node in entries["nodes"]
            if node is not None and node["pullRequest"] is not None
        )

    return understood(read)


def group(entries: tuple[QueueEntry, ...], made: str) -> tuple[QueueEntry, ...]:
    """The entries that a group's commit holds, the first to merge first; empty if no entry is that commit."""
    by_commit = {entry.made: entry for entry in entries if entry.made}
    found: list[QueueEntry] = []
    at = by_commit.get(made)
    while at is not None and at not in found:
        found.append(at)
        at = by_commit.get(at.base)
    return tuple(reversed(found))
