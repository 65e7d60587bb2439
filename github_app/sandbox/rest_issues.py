"""Operations on issues; every pull request is one too."""

from foureyes.github_app.sandbox import rest_pulls, shapes
from foureyes.github_app.sandbox.access import association, can_push
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.state import Issue, Json, Pull, Repository


@handles("issues/list-for-repo", "issues:read")
def list_issues(ask: Ask) -> Page:
    repository = ask.repository()
    both: list[Issue | Pull] = [*repository.issues.values(), *repository.pulls.values()]
    state, labels = ask.query.get("state", "open"), {*ask.query.get("labels", "").split(",")} - {""}
    creator = ask.query.get("creator", "").lower()
    found = [one for one in both if state in ("all", one.state) and labels <= set(_labels(one))]
    found = [
        one
        for one in found
        if not creator or (one.author is not None and one.author.login.lower() == creator)
    ]
    found.sort(key=lambda one: one.number, reverse=ask.query.get("direction", "desc") == "desc")
    return Page(found, lambda one: _shape(ask, repository, one))


def _labels(one: Issue | Pull) -> tuple[str, ...]:
    return one.labels if isinstance(one, Issue) else ()


@handles("issues/create", "issues:write")
def create_issue(ask: Ask) -> Answer:
    """Whoever may not push has no say in the labels: GitHub drops them."""
    repository = ask.repository()
    credential = ask.caller.credential
    installation = credential.installation if credential else None
    may_label = installation is not None or can_push(ask.world, repository, ask.user)
    labels = tuple(str(label) for label in ask.body.get("labels", [])) if may_label else ()
    made = Issue(
        id=ask.world.next_id(),
        number=repository.next_number,
        author=ask.user,
        title=str(ask.body["title"]),
        body=str(ask.body.get("body") or ""),
        created_at=ask.world.now(),
        labels=labels,
        app=installation.app if installation else None,
    )
    repository.issues[made.number] = made
    return Answer(_issue(ask, repository, made), 201)


@handles("issues/get", "issues:read")
def get_issue(ask: Ask) -> Json:
    repository = ask.repository()
    found = repository.issues.get(ask.number("issue_number"))
    return rest_pulls.issue(ask, ask.pull()) if found is None else _issue(ask, repository, found)


def _shape(ask: Ask, repository: Repository, one: Issue | Pull) -> Json:
    return _issue(ask, repository, one) if isinstance(one, Issue) else rest_pulls.issue(ask, one)


def _issue(ask: Ask, repository: Repository, issue: Issue) -> Json:
    url = shapes.api(ask.world, f"/repos/{repository.slug}/issues/{issue.number}")
    return {
        "id": issue.id,
        "node_id": shapes.node_id("I", issue.id),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "user": shapes.account(ask.world, issue.author),
        "labels": [{"name": label} for label in issue.labels],
        "state": issue.state,
        "state_reason": None,
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": issue.created_at,
        "updated_at": issue.created_at,
        "closed_at": None,
        "closed_by": None,
        "author_association": association(repository, issue.author),
        "performed_via_github_app": shapes.integration(ask.world, issue.app) if issue.app else None,
        "url": url,
        "html_url": f"{ask.world.url}/{repository.slug}/issues/{issue.number}",
        "repository_url": shapes.api(ask.world, f"/repos/{repository.slug}"),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
    }
