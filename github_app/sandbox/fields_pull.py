"""GraphQL fields of pull requests, reviews, timeline events, check suites and check runs."""

# ruff: noqa: ARG001, ARG005  (all entries of the table take the same arguments)

import re
from typing import Any

from foureyes.github_app.sandbox import shapes, shapes_pull
from foureyes.github_app.sandbox.access import association, can_push
from foureyes.github_app.sandbox.fields_git import branch_node, commit_node, pull_state
from foureyes.github_app.sandbox.fields_queue import entry_of, queue_of
from foureyes.github_app.sandbox.nodes import (
    Beside,
    Connection,
    Context,
    Field,
    GitObject,
    Happened,
    PullCommit,
    Said,
    Wanted,
    connect,
    type_name,
)
from foureyes.github_app.sandbox.raw_diff import FileChange
from foureyes.github_app.sandbox.rulesets import latest_run, required_checks
from foureyes.github_app.sandbox.state import CheckRun, CheckSuite, Pull, Review, Team, User

_PATCH = {"removed": "DELETED"}
_OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def changes(pull: Pull) -> list[FileChange]:
    git = pull.repository.git
    fork_point = git.merge_base(pull.base, pull.head)
    return git.changes(fork_point, pull.head) if fork_point else []


def _files(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    faults = context.world.faults
    shown = changes(pull)[: faults.caps["pull_files"]]
    if faults.files_list:
        shown = shown[:1] if faults.files_list == "first" else []
    return connect(shown, arguments, "files")


def _commits(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    found = pull.repository.git.commits_between(pull.base, pull.head)
    return connect([PullCommit(pull, commit) for commit in found], arguments, "commits")


def _seen_reviews(context: Context, pull: Pull) -> list[Review]:
    """Nobody sees another person's pending review."""
    return [r for r in pull.reviews if r.state != "PENDING" or r.user is context.credential.user]


def _reviews(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    states, author = arguments.get("states"), arguments.get("author")
    found = [r for r in _seen_reviews(context, pull) if not states or r.state in states]
    if author:
        found = [r for r in found if r.user is not None and r.user.login.lower() == author.lower()]
    return connect(found, arguments, "reviews")


def _latest_opinions(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    latest: dict[int, Review] = {}
    for review in _seen_reviews(context, pull):
        if review.user is not None and review.state in _OPINIONS:
            latest[review.user.id] = review
    found = list(latest.values())
    if arguments.get("writersOnly"):
        found = [r for r in found if r.user and can_push(context.world, pull.repository, r.user)]
    return connect(found, arguments, "latestOpinionatedReviews")


def _latest_reviews(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    latest = {r.user.id if r.user else 0: r for r in _seen_reviews(context, pull)}
    return connect(list(latest.values()), arguments, "latestReviews")


def _item_type(item: Any) -> str:
    """`HeadRefForcePushedEvent` -> `HEAD_REF_FORCE_PUSHED_EVENT`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type_name(item)).upper()


def _timeline(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    """Events, reviews, comments and commits in order of time; `totalCount` counts them all."""
    dated: list[tuple[str, Any]] = [(e.created_at, Happened(pull, e)) for e in pull.timeline]
    dated += [(r.submitted_at or "", r) for r in _seen_reviews(context, pull)]
    dated += [(c.created_at, Said(pull, c)) for c in pull.comments]
    commits = pull.repository.git.commits_between(pull.base, pull.head)
    dated += [(c.committer.date, PullCommit(pull, c)) for c in commits]
    items = [item for _, item in sorted(dated, key=lambda pair: pair[0])]
    wanted, since = arguments.get("itemTypes"), arguments.get("since")
    if since:
        items = [item for at, item in sorted(dated, key=lambda pair: pair[0]) if at >= str(since)]
    chosen = [item for item in items if wanted is None or _item_type(item) in wanted]
    return connect(chosen[arguments.get("skip") or 0 :], arguments, "timelineItems", total=len(items))


def _requests(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    everyone: list[User | Team] = [*pull.requested_reviewers, *pull.requested_teams]
    asked = [Wanted(pull, who) for who in everyone]
    return connect(asked, arguments, "reviewRequests")


def _participants(context: Context, pull: Pull, arguments: dict[str, Any]) -> Connection:
    people: list[User] = []
    for who in [pull.author, *(r.user for r in pull.reviews), *(c.user for c in pull.comments)]:
        if who is not None and who not in people:
            people.append(who)
    return connect(people, arguments, "participants")


def _mergeable(context: Context, pull: Pull, arguments: dict[str, Any]) -> str:
    return {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}[pull.mergeable]


PULL: dict[str, Field] = {
    "id": lambda c, p, a: shapes.node_id("PR", p.id),
    "databaseId": lambda c, p, a: p.id,
    "fullDatabaseId": lambda c, p, a: str(p.id),
    "number": lambda c, p, a: p.number,
    "state": lambda c, p, a: pull_state(p),
    "closed": lambda c, p, a: not p.is_open,
    "merged": lambda c, p, a: p.merged_at is not None,
    "isDraft": lambda c, p, a: p.draft,
    "isCrossRepository": lambda c, p, a: p.head_repository is not p.repository,
    "maintainerCanModify": lambda c, p, a: p.maintainer_can_modify,
    "locked": lambda c, p, a: False,
    "title": lambda c, p, a: p.title,
    "body": lambda c, p, a: p.body or "",
    "bodyText": lambda c, p, a: p.body or "",
    "createdAt": lambda c, p, a: p.created_at,
    "updatedAt": lambda c, p, a: p.updated_at,
    "closedAt": lambda c, p, a: p.closed_at,
    "mergedAt": lambda c, p, a: p.merged_at,
    "mergedBy": lambda c, p, a: p.merged_by,
    "author": lambda c, p, a: p.author,
    "authorAssociation": lambda c, p, a: association(p.repository, p.author),
    "url": lambda c, p, a: shapes_pull.pull_page(c.world, p),
    "permalink": lambda c, p, a: shapes_pull.pull_page(c.world, p),
    "repository": lambda c, p, a: p.repository,
    "baseRepository": lambda c, p, a: p.repository,
    "baseRef": lambda c, p, a: branch_node(p.repository, p.base_ref),
    "baseRefName": lambda c, p, a: p.base_ref,
    "baseRefOid": lambda c, p, a: p.base,
    "headRef": lambda c, p, a: branch_node(p.head_repository, p.head_ref) if p.head_repository else None,
    "headRefName": lambda c, p, a: p.head_ref,
    "headRefOid": lambda c, p, a: p.head,
    "headRepository": lambda c, p, a: p.head_repository,
    "headRepositoryOwner": lambda c, p, a: p.head_repository.owner if p.head_repository else None,
    "mergeable": _mergeable,
    "mergeStateStatus": lambda c, p, a: shapes_pull.mergeable_state(c.world, p).upper(),
    "potentialMergeCommit": lambda c, p, a: commit_node(p.repository, p.merge_commit) if p.is_open else None,
    "mergeCommit": lambda c, p, a: commit_node(p.repository, p.merge_commit) if p.merged_at else None,
    "changedFiles": lambda c, p, a: len(changes(p)),
    "additions": lambda c, p, a: sum(change.additions for change in changes(p)),
    "deletions": lambda c, p, a: sum(change.deletions for change in changes(p)),
    "isInMergeQueue": lambda c, p, a: entry_of(p) is not None,
    "isMergeQueueEnabled": lambda c, p, a: queue_of(p.repository, p.base_ref) is not None,
    "mergeQueue": lambda c, p, a: queue_of(p.repository, p.base_ref),
    "mergeQueueEntry": lambda c, p, a: entry_of(p),
    "autoMergeRequest": lambda c, p, a: None,
    "reviewDecision": lambda c, p, a: None,
    "stack": lambda c, p, a: None,
    "stackEntry": lambda c, p, a: None,
    "assignees": lambda c, p, a: connect(p.assignees, a, "assignees"),
    "comments": lambda c, p, a: connect([Said(p, comment) for comment in p.comments], a, "comments"),
    "totalCommentsCount": lambda c, p, a: len(p.comments),
    "participants": _participants,
    "reviewRequests": _requests,
    "files": _files,
    "commits": _commits,
    "reviews": _reviews,
    "latestReviews": _latest_reviews,
    "latestOpinionatedReviews": _latest_opinions,
    "timelineItems": _timeline,
}


def _can_push(context: Context, review: Review, arguments: dict[str, Any]) -> bool:
    return review.user is not None and can_push(context.world, review.pull.repository, review.user)


REVIEW: dict[str, Field] = {
    "id": lambda c, r, a: shapes.node_id("PRR", r.id),
    "databaseId": lambda c, r, a: r.id,
    "fullDatabaseId": lambda c, r, a: str(r.id),
    "state": lambda c, r, a: r.state,
    "body": lambda c, r, a: r.body,
    "comments": lambda c, r, a: connect([Beside(r, one) for one in r.comments], a, "comments"),
    "author": lambda c, r, a: r.user,
    "authorAssociation": lambda c, r, a: association(r.pull.repository, r.user),
    "authorCanPushToRepository": _can_push,
    "commit": lambda c, r, a: commit_node(r.pull.repository, r.commit_id),
    "createdAt": lambda c, r, a: r.submitted_at or r.pull.updated_at,
    "submittedAt": lambda c, r, a: r.submitted_at,
    "publishedAt": lambda c, r, a: r.submitted_at,
    "updatedAt": lambda c, r, a: r.submitted_at or r.pull.updated_at,
    "pullRequest": lambda c, r, a: r.pull,
    "repository": lambda c, r, a: r.pull.repository,
    "url": lambda c, r, a: shapes_pull.review(c.world, r)["html_url"],
}
EVENT: dict[str, Field] = {
    "id": lambda c, h, a: shapes.node_id("EV", h.event.id),
    "actor": lambda c, h, a: h.event.actor,
    "createdAt": lambda c, h, a: h.event.created_at,
}
ON_PULL: dict[str, Field] = EVENT | {"pullRequest": lambda c, h, a: h.pull}
NUMBERED: dict[str, Field] = ON_PULL | {"databaseId": lambda c, h, a: h.event.id}


def _detail(name: str) -> Field:
    return lambda c, happened, a: happened.event.details[name]


def _commit_detail(name: str) -> Field:
    return lambda c, happened, a: commit_node(happened.pull.repository, happened.event.details[name])


_FORCED: dict[str, Field] = ON_PULL | {
    "beforeCommit": _commit_detail("before"),
    "afterCommit": _commit_detail("after"),
}
_ASKED: dict[str, Field] = ON_PULL | {"requestedReviewer": _detail("requested_reviewer")}
_ASSIGNED: dict[str, Field] = EVENT | {
    "assignee": _detail("assignee"),
    "user": lambda c, h, a: (
        h.event.details["assignee"] if h.event.details["assignee"].type == "User" else None
    ),
    "assignable": lambda c, h, a: h.pull,
}
_BASE_CHANGED: dict[str, Field] = NUMBERED | {
    "previousRefName": _detail("previous_ref_name"),
    "currentRefName": _detail("current_ref_name"),
}
_DISMISSED: dict[str, Field] = NUMBERED | {
    "review": _detail("review"),
    "previousReviewState": _detail("previous_review_state"),
    "dismissalMessage": _detail("dismissal_message"),
}
_MERGED: dict[str, Field] = ON_PULL | {
    "mergeRefName": _detail("merge_ref_name"),
    "commit": _commit_detail("commit"),
}
EVENTS: dict[str, dict[str, Field]] = {
    "HeadRefForcePushedEvent": _FORCED | {"ref": lambda c, h, a: PULL["headRef"](c, h.pull, a)},
    "BaseRefForcePushedEvent": _FORCED | {"ref": lambda c, h, a: PULL["baseRef"](c, h.pull, a)},
    "HeadRefDeletedEvent": ON_PULL | {"headRefName": _detail("head_ref")},
    "HeadRefRestoredEvent": ON_PULL,
    "BaseRefChangedEvent": _BASE_CHANGED,
    "ReviewDismissedEvent": _DISMISSED,
    "ReviewRequestedEvent": _ASKED,
    "ReviewRequestRemovedEvent": _ASKED,
    "AssignedEvent": _ASSIGNED,
    "UnassignedEvent": _ASSIGNED,
    "ReadyForReviewEvent": ON_PULL,
    "ConvertToDraftEvent": ON_PULL,
    "ClosedEvent": EVENT,
    "ReopenedEvent": EVENT,
    "MergedEvent": _MERGED,
}


def _runs(context: Context, suite: CheckSuite, arguments: dict[str, Any]) -> Connection:
    """`LATEST` (the default) keeps the newest of each name."""
    wanted = arguments.get("filterBy") or {}
    runs = [r for r in suite.repository.check_runs if r.suite is suite]
    if (wanted.get("checkType") or "LATEST") == "LATEST":
        newest = {r.name: r for r in runs}
        runs = [r for r in runs if newest[r.name] is r]
    if wanted.get("checkName"):
        runs = [r for r in runs if r.name == wanted["checkName"]]
    if wanted.get("appId") is not None and suite.app.id != wanted["appId"]:
        runs = []
    statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else [])
    if statuses:
        runs = [r for r in runs if r.status.upper() in statuses]
    if wanted.get("conclusions"):
        runs = [r for r in runs if (r.conclusion or "").upper() in wanted["conclusions"]]
    return connect(runs, arguments, "checkRuns")


def _required(context: Context, run: CheckRun, arguments: dict[str, Any]) -> bool:
    repository = run.suite.repository
    pull = repository.pulls.get(arguments.get("pullRequestNumber") or 0)
    if pull is None:
        return False
    checks = required_checks(repository, pull.base_ref)
    return any(latest_run(repository, pull.head, name, app) is run for name, app in checks)


def _suite_field(name: str, *, upper: bool = False) -> Field:
    def resolve(context: Context, suite: CheckSuite, arguments: dict[str, Any]) -> Any:
        value = shapes_pull.check_suite(context.world, suite)[name]
        return value.upper() if upper and value else value

    return resolve


SUITE: dict[str, Field] = {
    "id": lambda c, s, a: shapes.node_id("CS", s.id),
    "databaseId": lambda c, s, a: s.id,
    "app": lambda c, s, a: s.app,
    "commit": lambda c, s, a: GitObject(s.repository, s.head_sha, "commit"),
    "repository": lambda c, s, a: s.repository,
    "branch": lambda c, s, a: branch_node(s.repository, s.head_branch) if s.head_branch else None,
    "status": _suite_field("status", upper=True),
    "conclusion": _suite_field("conclusion", upper=True),
    "createdAt": lambda c, s, a: s.created_at,
    "updatedAt": lambda c, s, a: s.created_at,
    "checkRuns": _runs,
}
RUN: dict[str, Field] = {
    "id": lambda c, r, a: shapes.node_id("CR", r.id),
    "databaseId": lambda c, r, a: r.id,
    "name": lambda c, r, a: r.name,
    "status": lambda c, r, a: r.status.upper(),
    "conclusion": lambda c, r, a: r.conclusion.upper() if r.conclusion else None,
    "externalId": lambda c, r, a: r.external_id or None,
    "title": lambda c, r, a: r.title,
    "summary": lambda c, r, a: r.summary,
    "text": lambda c, r, a: r.text,
    "startedAt": lambda c, r, a: r.started_at,
    "completedAt": lambda c, r, a: r.completed_at,
    "detailsUrl": lambda c, r, a: r.details_url,
    "url": lambda c, r, a: f"{c.world.url}/{r.suite.repository.slug}/runs/{r.id}",
    "checkSuite": lambda c, r, a: r.suite,
    "repository": lambda c, r, a: r.suite.repository,
    "isRequired": _required,
}
COMMENT: dict[str, Field] = {
    "id": lambda c, s, a: shapes.node_id("IC", s.comment.id),
    "databaseId": lambda c, s, a: s.comment.id,
    "fullDatabaseId": lambda c, s, a: str(s.comment.id),
    "author": lambda c, s, a: s.comment.user,
    "body": lambda c, s, a: s.comment.body,
    "createdAt": lambda c, s, a: s.comment.created_at,
    "updatedAt": lambda c, s, a: s.comment.created_at,
    "pullRequest": lambda c, s, a: s.pull,
}
BESIDE: dict[str, Field] = {
    "id": lambda c, s, a: shapes.node_id("PRRC", s.comment.id),
    "fullDatabaseId": lambda c, s, a: str(s.comment.id),
    "author": lambda c, s, a: s.comment.user,
    "body": lambda c, s, a: s.comment.body,
    "createdAt": lambda c, s, a: s.comment.created_at,
    "pullRequestReview": lambda c, s, a: s.review,
}
FILE: dict[str, Field] = {
    "path": lambda c, f, a: f.path,
    "additions": lambda c, f, a: f.additions,
    "deletions": lambda c, f, a: f.deletions,
    "changeType": lambda c, f, a: _PATCH.get(f.status, f.status.upper()),
}
FIELDS: dict[str, dict[str, Field]] = {
    "PullRequest": PULL,
    "PullRequestReview": REVIEW,
    "PullRequestReviewComment": BESIDE,
    "PullRequestCommit": {
        "id": lambda c, pc, a: f"PRC_{pc.pull.id}_{pc.commit.oid}",
        "commit": lambda c, pc, a: GitObject(pc.pull.repository, pc.commit.oid, "commit"),
        "pullRequest": lambda c, pc, a: pc.pull,
    },
    "PullRequestChangedFile": FILE,
    "ReviewRequest": {
        "id": lambda c, w, a: f"RR_{w.pull.id}_{w.reviewer.id}",
        "pullRequest": lambda c, w, a: w.pull,
        "requestedReviewer": lambda c, w, a: w.reviewer,
        "asCodeOwner": lambda c, w, a: False,
    },
    "IssueComment": COMMENT,
    "CheckSuite": SUITE,
    "CheckRun": RUN,
} | EVENTS
