"""GraphQL's fields of merge queues."""

# ruff: noqa: ARG005  (all entries of the table take the same arguments)

from dataclasses import dataclass

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.nodes import Field, GitObject, connect
from foureyes.github_app.sandbox.rulesets import has_rule
from foureyes.github_app.sandbox.state import Pull, QueueEntry, Repository


@dataclass(frozen=True)
class MergeQueue:
    repository: Repository
    branch: str

    @property
    def waiting(self) -> list[QueueEntry]:
        return self.repository.queues.get(self.branch, [])


def queue_of(repository: Repository, branch: str) -> MergeQueue | None:
    """A branch has one if a rule says so."""
    return MergeQueue(repository, branch) if has_rule(repository, branch, "merge_queue") else None


def entry_of(pull: Pull) -> QueueEntry | None:
    waiting = pull.repository.queues.get(pull.base_ref, [])
    return next((entry for entry in waiting if entry.pull is pull), None)


def _position(entry: QueueEntry) -> int:
    return entry.pull.repository.queues[entry.pull.base_ref].index(entry) + 1


QUEUE: dict[str, Field] = {
    "id": lambda c, q, a: f"MQ_{q.repository.id}_{q.branch}",
    "repository": lambda c, q, a: q.repository,
    "entries": lambda c, q, a: connect(q.waiting, a, "entries"),
    "nextEntryEstimatedTimeToMerge": lambda c, q, a: None,
}
ENTRY: dict[str, Field] = {
    "id": lambda c, e, a: shapes.node_id("MQE", e.id),
    "baseCommit": lambda c, e, a: GitObject(e.pull.repository, e.base, "commit"),
    "headCommit": lambda c, e, a: GitObject(e.pull.repository, e.head, "commit"),
    "enqueuedAt": lambda c, e, a: e.enqueued_at,
    "enqueuer": lambda c, e, a: e.enqueuer,
    "estimatedTimeToMerge": lambda c, e, a: None,
    "jump": lambda c, e, a: False,
    "mergeQueue": lambda c, e, a: MergeQueue(e.pull.repository, e.pull.base_ref),
    "position": lambda c, e, a: _position(e),
    "pullRequest": lambda c, e, a: e.pull,
    "solo": lambda c, e, a: False,
    "state": lambda c, e, a: "AWAITING_CHECKS",
}
FIELDS: dict[str, dict[str, Field]] = {"MergeQueue": QUEUE, "MergeQueueEntry": ENTRY}
