"""Operations on pull requests: the same that people use, with their tokens."""

from dataclasses import replace
from typing import Any

from foureyes.github_app.sandbox import pulls, pushes, shapes, shapes_pull
from foureyes.github_app.sandbox.access import can_push
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.raw_diff import FileChange
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.state import Comment, Json, Organization, Pull, Review, TimelineEvent, User

_SORTS = {"created": "created_at", "updated": "updated_at"}


@handles("pulls/list", "pull_requests:read")
def list_pulls(ask: Ask) -> Page:
    found = list(ask.repository().pulls.values())
    state, head, base = ask.query.get("state", "open"), ask.query.get("head"), ask.query.get("base")
    if state != "all":
        found = [p for p in found if p.state == state]
    if base:
        found = [p for p in found if p.base_ref == base]
    if head:
        found = [p for p in found if head == _label(p)]
    key = _SORTS.get(ask.query.get("sort", "created"), "created_at")
    newest_first = ask.query.get("direction", "desc") == "desc"
    found.sort(key=lambda p: (getattr(p, key), p.number), reverse=newest_first)
    return Page(found, lambda p: shapes_pull.listed_pull(ask.world, p))


def _label(pull: Pull) -> str:
    owner = pull.head_repository.owner.login if pull.head_repository else ""
    return f"{owner}:{pull.head_ref}"


@handles("pulls/create", "pull_requests:write")
def create_pull(ask: Ask) -> Answer:
    repository = ask.repository()
    owner, _, branch = str(ask.body.get("head", "")).rpartition(":")
    home = repository
    if owner and owner.lower() != repository.owner.login.lower():
        forks = (r for r in ask.world.repositories.values() if r.parent is repository)
        found = next((r for r in forks if r.owner.login.lower() == owner.lower()), None)
        if found is None:
            raise Refusal.invalid("PullRequest", "head")
        home = found
    pull = pulls.open_pull(
        ask.world,
        repository,
        ask.user,
        head_repository=home,
        head_ref=branch,
        base_ref=str(ask.body["base"]),
        title=str(ask.body.get("title", "")),
        body=ask.body.get("body"),
        draft=bool(ask.body.get("draft", False)),
        maintainer_can_modify=bool(ask.body.get("maintainer_can_modify", False)),
    )
    return Answer(shapes_pull.full_pull(ask.world, pull), 201)


@handles("pulls/get", "pull_requests:read")
def get_pull(ask: Ask) -> Json:
    return shapes_pull.full_pull(ask.world, ask.pull())


@handles("pulls/update", "pull_requests:write")
def update_pull(ask: Ask) -> Json:
    pull = ask.pull()
    _only_author_or_writer(ask, pull)
    body = ask.body
    pulls.edit(
        ask.world, pull, ask.user, title=body.get("title"), body=body.get("body"), base=body.get("base")
    )
    if "state" in body:
        pulls.set_state(ask.world, pull, ask.user, str(body["state"]))
    return shapes_pull.full_pull(ask.world, pull)


def _only_author_or_writer(ask: Ask, pull: Pull) -> None:
    if ask.user is not pull.author and not can_push(ask.world, pull.repository, ask.user):
        raise Refusal(403, "Must have write access to the repository")


@handles("pulls/list-files", "pull_requests:read")
def list_files(ask: Ask) -> Page:
    """What GitHub shows of the three-dot diff: at most 3,000 files, and on demand a wrong list."""
    pull, faults = ask.pull(), ask.world.faults
    git = pull.repository.git
    fork_point = git.merge_base(pull.base, pull.head)
    changes = git.changes(fork_point, pull.head) if fork_point else []
    if faults.files_list == "empty":
        changes = []
    elif faults.files_list == "first":
        changes = changes[:1]

    def shape(change: FileChange) -> Json:
        patch = git.patch(fork_point or pull.base, pull.head, change.path)
        if faults.files_list == "renamed":
            change = replace(change, path=f"docs/{change.path}")
        entry = shapes_pull.file_entry(ask.world, pull.repository, change, pull.head)
        return entry if patch is None else entry | {"patch": patch}

    return Page(changes[: faults.caps["pull_files"]], shape)


@handles("pulls/list-commits", "pull_requests:read")
def list_commits(ask: Ask) -> Page:
    pull = ask.pull()
    found = pull.repository.git.commits_between(pull.base, pull.head)
    shown = found[: ask.world.faults.caps["pull_commits"]]
    return Page(shown, lambda c: shapes.commit(ask.world, pull.repository, c))


@handles("pulls/list-reviews", "pull_requests:read")
def list_reviews(ask: Ask) -> Page:
    pull = ask.pull()
    mine = ask.caller.credential.user if ask.caller.credential else None
    seen = [r for r in pull.reviews if r.state != "PENDING" or r.user is mine]
    return Page(seen, lambda r: shapes_pull.review(ask.world, r))


@handles("pulls/create-review", "pull_requests:write")
def create_review(ask: Ask) -> Json:
    review = pulls.submit_review(
        ask.world,
        ask.pull(),
        ask.user,
        event=ask.body.get("event"),
        body=str(ask.body.get("body") or ""),
        commit_id=ask.body.get("commit_id"),
        beside=[str(one["body"]) for one in ask.body.get("comments") or []],
    )
    return shapes_pull.review(ask.world, review)


def _review(ask: Ask) -> Review:
    number = ask.number("review_id")
    found = next((r for r in ask.pull().reviews if r.id == number), None)
    if found is None:
        raise Refusal.not_found()
    return found


@handles("pulls/get-review", "pull_requests:read")
def get_review(ask: Ask) -> Json:
    return shapes_pull.review(ask.world, _review(ask))


@handles("pulls/dismiss-review", "pull_requests:write")
def dismiss_review(ask: Ask) -> Json:
    review = _review(ask)
    pulls.dismiss_review(ask.world, review, ask.user, str(ask.body["message"]))
    return shapes_pull.review(ask.world, review)


@handles("pulls/check-if-merged", "pull_requests:read")
def check_if_merged(ask: Ask) -> Answer:
    if ask.pull().merged_at is None:
        raise Refusal.not_found()
    return Answer(status=204)


@handles("pulls/merge", "contents:write")
def merge(ask: Ask) -> Json:
    parts = [ask.body.get("commit_title"), ask.body.get("commit_message")]
    commit = pulls.merge(
        ask.world,
        ask.pull(),
        ask.user,
        method=str(ask.body.get("merge_method", "merge")),
        sha=ask.body.get("sha"),
        message="\n\n".join(part for part in parts if part) or None,
    )
    return {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}


@handles("pulls/update-branch", "pull_requests:write")
def update_branch(ask: Ask) -> Answer:
    pull = ask.pull()
    pulls.update_branch(ask.world, pull, ask.user, ask.body.get("expected_head_sha"))
    url = shapes_pull.pull_page(ask.world, pull)
    return Answer({"message": "Updating pull request branch.", "url": url}, 202)


@handles("pulls/list-requested-reviewers", "pull_requests:read")
def list_requested_reviewers(ask: Ask) -> Json:
    pull = ask.pull()
    return {
        "users": [shapes.account(ask.world, user) for user in pull.requested_reviewers],
        "teams": [shapes.team(ask.world, team) for team in pull.requested_teams],
    }


@handles("pulls/request-reviewers", "pull_requests:write")
def request_reviewers(ask: Ask) -> Answer:
    return Answer(_ask_for_review(ask, remove=False), 201)


@handles("pulls/remove-requested-reviewers", "pull_requests:write")
def remove_requested_reviewers(ask: Ask) -> Json:
    return _ask_for_review(ask, remove=True)


def _ask_for_review(ask: Ask, *, remove: bool) -> Json:
    pull = ask.pull()
    owner = pull.repository.owner
    teams = owner.teams if isinstance(owner, Organization) else {}
    wanted = [teams[slug] for slug in ask.body.get("team_reviewers", []) if slug in teams]
    users = [ask.person(login) for login in ask.body.get("reviewers", [])]
    pulls.request_reviewers(ask.world, pull, ask.user, users, wanted, remove=remove)
    return shapes_pull.listed_pull(ask.world, pull)


@handles("issues/add-assignees", "issues:write")
def add_assignees(ask: Ask) -> Answer:
    return Answer(_assign(ask, remove=False), 201)


@handles("issues/remove-assignees", "issues:write")
def remove_assignees(ask: Ask) -> Json:
    return _assign(ask, remove=True)


def _assign(ask: Ask, *, remove: bool) -> Json:
    pull = ask.pull()
    people = [ask.person(str(login)) for login in ask.body.get("assignees", [])]
    pulls.assign(ask.world, pull, ask.user, people, remove=remove)
    return issue(ask, pull)


def issue(ask: Ask, pull: Pull) -> Json:
    """Every pull request is an issue too."""
    url = shapes.api(ask.world, f"/repos/{pull.repository.slug}/issues/{pull.number}")
    shown = shapes_pull.listed_pull(ask.world, pull)
    same = (
        "title body user labels state locked active_lock_reason assignee assignees milestone closed_at "
        "created_at updated_at author_association number html_url"
    )
    return {name: shown[name] for name in same.split()} | {
        "id": pull.id,
        "node_id": shown["node_id"],
        "url": url,
        "repository_url": shapes.api(ask.world, f"/repos/{pull.repository.slug}"),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "comments": len(pull.comments),
        "pull_request": {
            "url": shown["url"],
            "html_url": shown["html_url"],
            "diff_url": shown["diff_url"],
            "patch_url": shown["patch_url"],
            "merged_at": pull.merged_at,
        },
        "draft": pull.draft,
        "closed_by": shapes.maybe_account(ask.world, pull.merged_by),
    }


@handles("issues/list-comments", "issues:read")
def list_comments(ask: Ask) -> Page:
    pull = ask.pull()
    return Page(pull.comments, lambda c: shapes_pull.comment(ask.world, pull, c))


@handles("issues/create-comment", "issues:write")
def create_comment(ask: Ask) -> Answer:
    pull = ask.pull()
    comment = Comment(ask.world.next_id(), ask.user, str(ask.body["body"]), ask.world.now())
    pull.comments.append(comment)
    pull.updated_at = comment.created_at
    return Answer(shapes_pull.comment(ask.world, pull, comment), 201)


_REST_NAMES = {
    "AssignedEvent": "assigned",
    "UnassignedEvent": "unassigned",
    "ReviewRequestedEvent": "review_requested",
    "ReviewRequestRemovedEvent": "review_request_removed",
    "ReviewDismissedEvent": "review_dismissed",
    "HeadRefForcePushedEvent": "head_ref_force_pushed",
    "HeadRefDeletedEvent": "head_ref_deleted",
    "HeadRefRestoredEvent": "head_ref_restored",
    "BaseRefForcePushedEvent": "base_ref_force_pushed",
    "BaseRefChangedEvent": "base_ref_changed",
    "ReadyForReviewEvent": "ready_for_review",
    "ConvertToDraftEvent": "convert_to_draft",
    "MergedEvent": "merged",
    "ClosedEvent": "closed",
    "ReopenedEvent": "reopened",
}


@handles("issues/list-events-for-timeline", "issues:read")
def list_timeline(ask: Ask) -> Page:
    pull = ask.pull()
    return Page(pull.timeline, lambda event: _timeline_event(ask, pull, event))


def _timeline_event(ask: Ask, pull: Pull, event: TimelineEvent) -> Json:
    world, details = ask.world, event.details
    actor = shapes.maybe_account(world, event.actor)
    shape: Json = {
        "id": event.id,
        "node_id": shapes.node_id("EV", event.id),
        "url": shapes.api(world, f"/repos/{pull.repository.slug}/issues/events/{event.id}"),
        "actor": actor,
        "event": _REST_NAMES[event.kind],
        "commit_id": details.get("commit"),
        "commit_url": None,
        "created_at": event.created_at,
        "performed_via_github_app": None,
    }
    if isinstance(details.get("assignee"), User):
        shape["assignee"] = shapes.account(world, details["assignee"])
    wanted: Any = details.get("requested_reviewer")
    if wanted is not None:
        shape["review_requester"] = actor
        if isinstance(wanted, User):
            shape["requested_reviewer"] = shapes.account(world, wanted)
        else:
            shape["requested_team"] = shapes.team(world, wanted)
    if event.kind == "ReviewDismissedEvent":
        shape["dismissed_review"] = {
            "state": details["previous_review_state"].lower(),
            "review_id": details["review"].id,
            "dismissal_message": details["dismissal_message"],
            "dismissal_commit_id": details["dismissal_commit"],
        }
    return shape


@handles("repos/list-pull-requests-associated-with-commit", "pull_requests:read")
def pulls_of_commit(ask: Ask) -> Page:
    repository = ask.repository()
    found = pushes.pulls_with(repository, ask.parameter("commit_sha"))
    return Page(found, lambda p: shapes_pull.listed_pull(ask.world, p))
