"""Operations on commit statuses: whoever may write to a repository publishes one under any name."""

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.commit_status import CommitStatus
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.rest_checks import commit_of
from foureyes.github_app.sandbox.state import Json, Repository

_MOST = 1_000
"""Of one name on one commit."""


@handles("repos/create-commit-status", "statuses:write")
def create(ask: Ask) -> Answer:
    repository, sha = ask.repository(), ask.parameter("sha")
    if repository.git.commit_id(sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    context = str(ask.body.get("context") or "default")
    if sum((one.sha, one.context) == (sha, context) for one in repository.statuses) >= _MOST:
        raise Refusal(422, "This SHA and context has reached the maximum number of statuses.")
    credential = ask.caller.credential
    installation = credential.installation if credential else None
    made = CommitStatus(
        id=ask.world.next_id(),
        sha=sha,
        context=context,
        state=str(ask.body["state"]),
        creator=ask.user,
        app=installation.app if installation else None,
        created_at=ask.world.now(),
        description=ask.body.get("description"),
        target_url=ask.body.get("target_url"),
    )
    repository.statuses.append(made)
    return Answer(_status(ask, repository, made) | {"creator": shapes.account(ask.world, made.creator)}, 201)


@handles("repos/list-commit-statuses-for-ref", "statuses:read")
def listed(ask: Ask) -> Page:
    """All of them, newest first."""
    repository = ask.repository()
    found = _on(repository, commit_of(repository, ask.parameter("ref")))

    def shape(one: CommitStatus) -> Json:
        return _status(ask, repository, one) | {"creator": shapes.account(ask.world, one.creator)}

    return Page(found, shape)


@handles("repos/get-combined-status-for-ref", "statuses:read")
def combined(ask: Ask) -> Json:
    """The newest of each name. Without any, GitHub says pending."""
    repository = ask.repository()
    sha = commit_of(repository, ask.parameter("ref"))
    newest = {one.context: one for one in reversed(_on(repository, sha))}
    states = {one.state for one in newest.values()}
    state = "success" if states == {"success"} else "failure" if states & {"failure", "error"} else "pending"
    url = shapes.api(ask.world, f"/repos/{repository.slug}")
    return {
        "state": state,
        "sha": sha,
        "total_count": len(newest),
        "statuses": [_status(ask, repository, one) for one in newest.values()],
        "repository": shapes.minimal_repository(ask.world, repository),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }


def _on(repository: Repository, sha: str) -> list[CommitStatus]:
    return sorted((one for one in repository.statuses if one.sha == sha), key=lambda one: -one.id)


def _status(ask: Ask, repository: Repository, status: CommitStatus) -> Json:
    return {
        "id": status.id,
        "node_id": shapes.node_id("SC", status.id),
        "url": shapes.api(ask.world, f"/repos/{repository.slug}/statuses/{status.sha}"),
        "avatar_url": shapes.account(ask.world, status.creator)["avatar_url"],
        "state": status.state,
        "context": status.context,
        "description": status.description,
        "target_url": status.target_url,
        "created_at": status.created_at,
        "updated_at": status.created_at,
    }
