"""What follows when refs move: pull requests follow their branches, test merges are made anew, people are told."""

from dataclasses import dataclass

from foureyes.github_app.sandbox import webhooks
from foureyes.github_app.sandbox.access import WEB_FLOW_EMAIL, allows
from foureyes.github_app.sandbox.repositories import ZERO, Signature
from foureyes.github_app.sandbox.state import (
    Activity,
    CheckSuite,
    Pull,
    Repository,
    TimelineEvent,
    User,
    World,
)

_MOST_TAGS = 3
"""More tags in one push raise no event at all."""


@dataclass(frozen=True)
class RefChange:
    ref: str
    before: str
    after: str

    @property
    def branch(self) -> str | None:
        prefix = "refs/heads/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else None


def changes_between(before: dict[str, str], after: dict[str, str]) -> list[RefChange]:
    refs = sorted(before.keys() | after.keys())
    changes = [RefChange(ref, before.get(ref, ZERO), after.get(ref, ZERO)) for ref in refs]
    return [change for change in changes if change.before != change.after]


def follow(
    world: World, repository: Repository, actor: User, changes: list[RefChange], kind: str | None = None
) -> None:
    """Refs of `repository` moved from before to after. `kind`: the activity, where it is not a plain push."""
    repository.pushed_at = world.now()
    tags = [change for change in changes if change.ref.startswith("refs/tags/")]
    for change in changes:
        _note_activity(world, repository, actor, change, kind)
        if change.branch is not None or (change in tags and len(tags) <= _MOST_TAGS):
            webhooks.push(world, repository, change.ref, change.before, change.after, actor)
    for change in changes:
        if change.branch is not None:
            _branch_moved(world, repository, actor, change, change.branch)


def _note_activity(
    world: World, repository: Repository, actor: User, change: RefChange, kind: str | None
) -> None:
    if change.branch is None:
        return
    if kind is None:
        if change.before == ZERO:
            kind = "branch_creation"
        elif change.after == ZERO:
            kind = "branch_deletion"
        else:
            kept = repository.git.is_ancestor(change.before, change.after)
            kind = "push" if kept else "force_push"
    repository.activity.append(
        Activity(world.next_id(), change.before, change.after, change.ref, world.now(), kind, actor)
    )


def _branch_moved(world: World, repository: Repository, actor: User, change: RefChange, branch: str) -> None:
    if change.after != ZERO:
        open_suites(world, repository, change.after, branch, actor)
    for base in list(world.repositories.values()):
        for pull in [p for p in base.pulls.values() if p.is_open]:
            if pull.head_repository is repository and pull.head_ref == branch:
                _head_moved(world, pull, actor, change)
            elif base is repository and pull.base_ref == branch:
                _base_moved(world, pull, actor, change)
        if change.before == ZERO:
            _note_restored(world, base, repository, actor, change, branch)


def _note_restored(
    world: World, base: Repository, home: Repository, actor: User, change: RefChange, branch: str
) -> None:
    """A deleted branch is back where its closed pull request had it."""
    for pull in base.pulls.values():
        same = (pull.head_repository, pull.head_ref, pull.head) == (home, branch, change.after)
        if same and not pull.is_open and pull.timeline:
            note(world, pull, "HeadRefRestoredEvent", actor)


def _head_moved(world: World, pull: Pull, actor: User, change: RefChange) -> None:
    if change.after == ZERO:
        note(world, pull, "HeadRefDeletedEvent", actor, head_ref=pull.head_ref)
        close(world, pull, actor)
        return
    bring_head(world, pull, change.after)
    if not pull.repository.git.is_ancestor(change.before, change.after):
        note(world, pull, "HeadRefForcePushedEvent", actor, before=change.before, after=change.after)
    pull.base = pull.repository.git.branch(pull.base_ref) or pull.base
    try_merge(world, pull)
    webhooks.pull_request(world, "synchronize", pull, actor, before=change.before, after=change.after)


def _base_moved(world: World, pull: Pull, actor: User, change: RefChange) -> None:
    git = pull.repository.git
    if change.after == ZERO:
        return
    if not git.is_ancestor(change.before, change.after):
        note(world, pull, "BaseRefForcePushedEvent", actor, before=change.before, after=change.after)
    if git.is_ancestor(pull.head, change.after):
        mark_merged(world, pull, actor, change.after)
    else:
        try_merge(world, pull)


def bring_head(world: World, pull: Pull, head: str) -> None:
    """The pull request shows another head; a fork's commits are brought into the base repository."""
    git = pull.repository.git
    if pull.head_repository is not None and pull.head_repository is not pull.repository:
        git.fetch(pull.head_repository.git, head)
    git.update_ref(f"refs/pull/{pull.number}/head", head)
    if pull.head != head and pull.head_repository is not pull.repository:
        open_suites(world, pull.repository, head, None, pull.author)
    pull.head = head
    pull.updated_at = world.now()


def try_merge(world: World, pull: Pull) -> None:
    """`refs/pull/N/merge`, with the parents (base tip, head); gone while they conflict."""
    git = pull.repository.git
    base = git.branch(pull.base_ref)
    ref = f"refs/pull/{pull.number}/merge"
    tree = git.merge_tree(base, pull.head) if base else None
    pull.mergeable = tree is not None
    if base is None or tree is None:
        pull.merge_commit = None
        git.delete_ref(ref)
        return
    who = github_signature(world)
    message = f"Merge {pull.head} into {base}"
    pull.merge_commit = git.commit_tree(tree, [base, pull.head], message, who, who)
    pull.repository.made_by_github.add(pull.merge_commit)
    git.update_ref(ref, pull.merge_commit)


def github_signature(world: World) -> Signature:
    return Signature("GitHub", WEB_FLOW_EMAIL, world.now())


def mark_merged(world: World, pull: Pull, actor: User, commit: str) -> None:
    """Merged by the button, or because the base branch came to hold the head."""
    now = world.now()
    pull.merged_at, pull.merged_by, pull.merge_commit = now, actor, commit
    note(world, pull, "MergedEvent", actor, commit=commit, merge_ref_name=pull.base_ref)
    close(world, pull, actor)


def pulls_with(repository: Repository, sha: str) -> list[Pull]:
    """Pull requests that hold a commit: as head, or anywhere in their range. Open ones first, as GitHub lists them."""
    holding = [
        pull
        for pull in repository.pulls.values()
        if sha in (pull.head, pull.merge_commit if pull.merged_at else None)
        or sha in repository.git.range(pull.base, pull.head)
    ]
    return sorted(holding, key=lambda pull: (not pull.is_open, -pull.number))


def close(world: World, pull: Pull, actor: User) -> None:
    pull.state = "closed"
    pull.closed_at = pull.updated_at = world.now()
    pull.repository.git.delete_ref(f"refs/pull/{pull.number}/merge")
    note(world, pull, "ClosedEvent", actor)
    webhooks.pull_request(world, "closed", pull, actor)


def note(world: World, pull: Pull, kind: str, actor: User | None, **details: object) -> TimelineEvent:
    event = TimelineEvent(world.next_id(), kind, actor, world.now(), details)
    pull.timeline.append(event)
    pull.updated_at = event.created_at
    return event


def open_suites(
    world: World, repository: Repository, head: str, branch: str | None, actor: User | None
) -> None:
    """Every App that may write checks gets a suite for the new head, and is told so unasked."""
    for installation in world.installations_on(repository):
        if allows(installation.permissions, "checks", "write"):
            suite = suite_of(world, repository, head, branch, installation.app.id)
            if actor is not None:
                webhooks.check_suite(world, "requested", suite, actor)


def suite_of(world: World, repository: Repository, head: str, branch: str | None, app_id: int) -> CheckSuite:
    """The App's one suite for a commit, made if there is none yet."""
    for suite in repository.check_suites:
        if suite.head_sha == head and suite.app.id == app_id:
            return suite
    suite = CheckSuite(world.next_id(), repository, head, branch, world.apps[app_id], world.now())
    repository.check_suites.append(suite)
    return suite
