"""A branch's merge queue: makes a commit of each pull request on top of those before it, and merges what is let in."""

from foureyes.github_app.sandbox import pushes, webhooks
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.repositories import ZERO
from foureyes.github_app.sandbox.rulesets import (
    has_rule,
    latest_run,
    missing_checks,
    required_checks,
    unsatisfied,
)
from foureyes.github_app.sandbox.state import Json, Pull, QueueEntry, Repository, User, World

BOT = 118344674
"""github-merge-queue[bot]"""


def enqueue(world: World, pull: Pull, actor: User, method: str = "merge") -> QueueEntry:
    """*Merge when ready*. Refuses what the merge button would refuse."""
    repository = pull.repository
    if not has_rule(repository, pull.base_ref, "merge_queue"):
        raise Refusal(422, "The base branch has no merge queue")
    if not pull.is_open or pull.draft or not pull.mergeable or missing_checks(world, pull):
        raise Refusal(422, "Pull Request is not mergeable")
    entry = QueueEntry(world.next_id(), pull, actor, world.now(), pull.head, method)
    waiting = repository.queues.setdefault(pull.base_ref, [])
    if any(other.pull is pull for other in waiting):
        raise Refusal(422, "Pull request is already in the merge queue")
    waiting.append(entry)
    webhooks.pull_request(world, "enqueued", pull, actor)
    base = waiting[-2].head if len(waiting) > 1 else repository.git.branch(pull.base_ref) or ZERO
    _build(world, entry, base)
    return entry


def told(entry: QueueEntry) -> Json:
    return {"pull": entry.pull.number, "base": entry.base, "head": entry.head, "branch": entry.branch}


def advance(world: World, repository: Repository, branch: str) -> list[int]:
    """Merges from the front what its checks let in, and takes out what they refuse. Returns the numbers merged."""
    merged = []
    while waiting := repository.queues.get(branch, []):
        entry = waiting[0]
        if world.merge_check and unsatisfied(repository, branch, entry.head):
            if _is_refused(repository, branch, entry.head):
                dequeue(world, entry, "CI_FAILURE")
                continue
            break
        del waiting[0]
        _merge(world, entry)
        merged.append(entry.pull.number)
    return merged


def dequeue(world: World, entry: QueueEntry, reason: str) -> None:
    """Out of the queue; those behind it are made anew without it."""
    waiting = entry.pull.repository.queues[entry.pull.base_ref]
    index = waiting.index(entry)
    behind = waiting[index + 1 :]
    waiting.remove(entry)
    _drop(world, entry, "dequeued")
    webhooks.pull_request(world, "dequeued", entry.pull, _bot(world), reason=reason)
    base = entry.base
    for other in behind:
        _drop(world, other, "invalidated")
        _build(world, other, base)
        base = other.head


def _build(world: World, entry: QueueEntry, base: str) -> None:
    pull, git = entry.pull, entry.pull.repository.git
    tree = git.merge_tree(base, entry.pull_head)
    if tree is None:
        raise Refusal(422, "merge conflict in the queue")
    parents = [base, entry.pull_head] if entry.method == "merge" else [base]
    who = pushes.github_signature(world)
    entry.base = base
    entry.head = git.commit_tree(tree, parents, f"{pull.title} (#{pull.number})\n", who, who)
    pull.repository.made_by_github.add(entry.head)
    git.update_ref(f"refs/heads/{entry.branch}", entry.head)
    change = pushes.RefChange(f"refs/heads/{entry.branch}", ZERO, entry.head)
    pushes.follow(world, pull.repository, _bot(world), [change])
    webhooks.merge_group(world, "checks_requested", entry, _bot(world))


def _drop(world: World, entry: QueueEntry, reason: str) -> None:
    git = entry.pull.repository.git
    git.delete_ref(f"refs/heads/{entry.branch}")
    change = pushes.RefChange(f"refs/heads/{entry.branch}", entry.head, ZERO)
    pushes.follow(world, entry.pull.repository, _bot(world), [change])
    webhooks.merge_group(world, "destroyed", entry, _bot(world), reason=reason)


def _merge(world: World, entry: QueueEntry) -> None:
    pull, repository = entry.pull, entry.pull.repository
    ref = f"refs/heads/{pull.base_ref}"
    old = repository.git.branch(pull.base_ref) or ZERO
    repository.git.update_ref(ref, entry.head, old)
    pushes.mark_merged(world, pull, entry.enqueuer, entry.head)
    pushes.follow(
        world, repository, _bot(world), [pushes.RefChange(ref, old, entry.head)], "merge_queue_merge"
    )
    _drop(world, entry, "merged")


def _is_refused(repository: Repository, branch: str, sha: str) -> bool:
    """A required check has ended and is red."""
    runs = [latest_run(repository, sha, name, app) for name, app in required_checks(repository, branch)]
    return any(
        run is not None and run.conclusion not in (None, "success", "neutral", "skipped") for run in runs
    )


def _bot(world: World) -> User:
    found = world.users.get(BOT)
    return found or world.add_user(User(BOT, "github-merge-queue[bot]", "Bot", "github-merge-queue"))
