"""What is said to whom when something happens: payloads from state, to every installed App that listens."""

import json
import uuid

from foureyes.github_app.sandbox import shapes, shapes_pull
from foureyes.github_app.sandbox.access import allows
from foureyes.github_app.sandbox.repositories import ZERO, Commit
from foureyes.github_app.sandbox.state import (
    App,
    CheckRun,
    CheckSuite,
    Delivery,
    Installation,
    Json,
    Organization,
    Pull,
    QueueEntry,
    Repository,
    Review,
    Team,
    User,
    World,
)


def _unasked(event: str, installation: Installation) -> bool:
    """What GitHub sends to an App that never subscribed to it."""
    return event == "check_suite" and allows(installation.permissions, "checks", "write")


def _send(
    world: World,
    event: str,
    payload: Json,
    repository: Repository | None,
    sender: User | None,
    installations: list[Installation] | None = None,
) -> None:
    if installations is None:
        installations = (
            world.installations_on(repository) if repository else list(world.installations.values())
        )
    if sender is not None:
        payload["sender"] = shapes.account(world, sender)
    if repository is not None:
        payload["repository"] = shapes.repository(world, repository)
        if isinstance(repository.owner, Organization):
            payload["organization"] = shapes.organization(world, repository.owner)
    for installation in installations:
        if event in installation.events or _unasked(event, installation):
            node = {"id": installation.id, "node_id": shapes.node_id("I", installation.id)}
            body = {"installation": node} | payload
            deliver(world, event, body, installation.app, installation, repository)


def deliver(
    world: World,
    event: str,
    payload: Json,
    app: App,
    installation: Installation | None,
    repository: Repository | None,
) -> Delivery:
    delivery = Delivery(
        id=world.next_id(),
        guid=str(uuid.uuid4()),
        app=app,
        installation=installation,
        repository=repository,
        event=event,
        action=payload.get("action"),
        body=json.dumps(payload).encode(),
    )
    world.courier.hand_over(delivery)
    return delivery


def pull_request(world: World, action: str, pull: Pull, sender: User | None, **more: object) -> None:
    payload: Json = {
        "action": action,
        "number": pull.number,
        "pull_request": shapes_pull.full_pull(world, pull),
    }
    _send(world, "pull_request", payload | more, pull.repository, sender)


def review_request(world: World, action: str, pull: Pull, sender: User, wanted: User | Team) -> None:
    if isinstance(wanted, Team):
        pull_request(world, action, pull, sender, requested_team=shapes.team(world, wanted))
    else:
        pull_request(world, action, pull, sender, requested_reviewer=shapes.account(world, wanted))


def pull_request_review(world: World, action: str, review: Review, sender: User, **more: object) -> None:
    payload: Json = {
        "action": action,
        "review": shapes_pull.review_in_webhook(world, review),
        "pull_request": shapes_pull.listed_pull(world, review.pull),
    }
    _send(world, "pull_request_review", payload | more, review.pull.repository, sender)


def push(world: World, repository: Repository, ref: str, before: str, after: str, sender: User) -> None:
    git = repository.git
    new = [] if after == ZERO else _new_commits(repository, before, after)
    forced = ZERO not in (before, after) and not git.is_ancestor(before, after)
    head = None if after == ZERO else git.commit_id(after)
    web = f"{world.url}/{repository.slug}"
    payload: Json = {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZERO,
        "deleted": after == ZERO,
        "forced": forced,
        "base_ref": None,
        "compare": f"{web}/compare/{before[:12]}...{after[:12]}",
        "commits": [_pushed_commit(repository, web, commit) for commit in new],
        "head_commit": _pushed_commit(repository, web, git.commit(head)) if head else None,
        "pusher": {"name": sender.login, "email": sender.emails[0] if sender.emails else None},
    }
    _send(world, "push", payload, repository, sender)


def _new_commits(repository: Repository, before: str, after: str) -> list[Commit]:
    """At most 2,048 commits, as GitHub lists them; a new branch shows what no other branch has."""
    git = repository.git
    if git.parents_here(after) == (before,):
        return [git.commit(after)]
    known = [before] if before != ZERO else [o for o in git.refs("refs/heads/").values() if o != after]
    excluded = [f"^{oid}" for oid in known]
    oids = git.text("rev-list", "--reverse", "--max-count=2048", after, *excluded).split()
    return git.commits_of(oids)


def _pushed_commit(repository: Repository, web: str, commit: Commit) -> Json:
    parent = commit.parents[0] if commit.parents else repository.git.empty_tree()
    changes = repository.git.changes(parent, commit.oid)
    return shapes.simple_commit(commit) | {
        "distinct": True,
        "url": f"{web}/commit/{commit.oid}",
        "added": [c.path for c in changes if c.status == "added"],
        "removed": [c.path for c in changes if c.status == "removed"],
        "modified": [c.path for c in changes if c.status not in ("added", "removed")],
    }


def check_run(world: World, action: str, run: CheckRun, sender: User, **more: object) -> None:
    """Only to the App that owns the run when somebody asks something of it."""
    repository = run.suite.repository
    shape = shapes_pull.check_run(world, run)
    shape["check_suite"] = shapes_pull.check_suite(world, run.suite) | {
        "repository": shapes.minimal_repository(world, repository)
    }
    own = action in ("rerequested", "requested_action")
    listening = [i for i in world.installations_on(repository) if not own or i.app is run.suite.app]
    payload: Json = {"action": action, "check_run": shape}
    _send(world, "check_run", payload | more, repository, sender, listening)


def check_suite(world: World, action: str, suite: CheckSuite, sender: User) -> None:
    shape = shapes_pull.check_suite(world, suite) | {"runs_rerequestable": True, "rerequestable": True}
    own = [i for i in world.installations_on(suite.repository) if i.app is suite.app]
    _send(world, "check_suite", {"action": action, "check_suite": shape}, suite.repository, sender, own)


def merge_group(world: World, action: str, entry: QueueEntry, sender: User, **more: object) -> None:
    repository = entry.pull.repository
    group: Json = {
        "head_sha": entry.head,
        "head_ref": f"refs/heads/{entry.branch}",
        "base_sha": entry.base,
        "base_ref": f"refs/heads/{entry.pull.base_ref}",
        "head_commit": shapes.simple_commit(repository.git.commit(entry.head)),
    }
    _send(world, "merge_group", {"action": action, "merge_group": group} | more, repository, sender)


def default_branch_changed(world: World, repository: Repository, before: str, sender: User) -> None:
    payload: Json = {"action": "edited", "changes": {"default_branch": {"from": before}}}
    _send(world, "repository", payload, repository, sender)


def membership(world: World, action: str, team: Team, member: User, sender: User) -> None:
    payload = {
        "action": action,
        "scope": "team",
        "member": shapes.account(world, member),
        "team": shapes.team(world, team),
        "organization": shapes.organization(world, team.organization),
    }
    _send(world, "membership", payload, None, sender, _installed_on(world, team.organization))


def team(world: World, action: str, of: Team, sender: User) -> None:
    payload = {
        "action": action,
        "team": shapes.team(world, of),
        "organization": shapes.organization(world, of.organization),
    }
    _send(world, "team", payload, None, sender, _installed_on(world, of.organization))


def _installed_on(world: World, organization: Organization) -> list[Installation]:
    return [i for i in world.installations.values() if i.account is organization and not i.suspended_at]


def installation(world: World, action: str, of: Installation, sender: User) -> None:
    """`created`, `suspend`, `unsuspend`, ...: always delivered, to the App concerned."""
    covered = [r for r in world.repositories.values() if of.covers(r)]
    payload: Json = {
        "action": action,
        "installation": shapes.installation(world, of),
        "repositories": [_brief(r) for r in covered],
        "sender": shapes.account(world, sender),
    }
    deliver(world, "installation", payload, of.app, of, None)


def _brief(repository: Repository) -> Json:
    return {
        "id": repository.id,
        "node_id": shapes.node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.slug,
        "private": repository.private,
    }


def ping(world: World, app: App) -> None:
    payload = {"zen": "Two humans look.", "hook_id": app.id, "hook": hook_configuration(world, app)}
    deliver(world, "ping", payload, app, None, None)


def hook_configuration(world: World, app: App) -> Json:
    return {
        "type": "App",
        "id": app.id,
        "name": "web",
        "active": True,
        "app_id": app.id,
        "events": list(app.events),
        "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": app.webhook_url},
        "updated_at": app.created_at,
        "created_at": app.created_at,
        "deliveries_url": shapes.api(world, "/app/hook/deliveries"),
    }
