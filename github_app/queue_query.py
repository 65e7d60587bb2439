"""What waits in a branch's merge queue, as GitHub lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.answer_values import number, oid, text
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
        if len(entries["nodes"]) != number(entries["totalCount"]):
            raise GitHubError(
                f"GitHub lists {len(entries['nodes'])} of {entries['totalCount']} waiting to merge"
            )
        listed = [node for node in entries["nodes"] if node is not None and node["pullRequest"] is not None]
        return tuple(map(_entry, listed))

    return understood(read)


def _entry(node: Mapping[str, Any]) -> QueueEntry:
    pull = node["pullRequest"]
    base, made = (
        "" if node[name] is None else oid(node[name]["oid"]) for name in ("baseCommit", "headCommit")
    )
    return QueueEntry(number(pull["number"]), oid(pull["headRefOid"]), text(pull["baseRefName"]), base, made)


def group(entries: tuple[QueueEntry, ...], made: str) -> tuple[QueueEntry, ...]:
    """The entries that a group's commit holds, the first to merge first; empty if no entry is that commit."""
    by_commit = {entry.made: entry for entry in entries if entry.made}
    found: list[QueueEntry] = []
    at = by_commit.get(made)
    while at is not None and at not in found:
        found.append(at)
        at = by_commit.get(at.base)
    return tuple(reversed(found))
