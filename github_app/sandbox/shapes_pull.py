"""Pull requests, reviews, check runs and their like as GitHub's REST answers and webhooks show them."""

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.access import association
from foureyes.github_app.sandbox.raw_diff import FileChange
from foureyes.github_app.sandbox.rulesets import missing_checks
from foureyes.github_app.sandbox.state import (
    CheckRun,
    CheckSuite,
    Comment,
    Json,
    Pull,
    Repository,
    Review,
    User,
    World,
)


def _end(world: World, repository: Repository | None, owner: User | None, ref: str, sha: str) -> Json:
    login = repository.owner.login if repository else (owner.login if owner else "unknown")
    holder = repository.owner if repository else owner
    return {
        "label": f"{login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": shapes.account(world, holder) if holder else shapes.account_or_ghost(world, None),
        "repo": None if repository is None else shapes.repository(world, repository),
    }


def pull_url(world: World, pull: Pull) -> str:
    return shapes.api(world, f"/repos/{pull.repository.slug}/pulls/{pull.number}")


def pull_page(world: World, pull: Pull) -> str:
    return f"{world.url}/{pull.repository.slug}/pull/{pull.number}"


def listed_pull(world: World, pull: Pull) -> Json:
    """`pull-request-simple`."""
    url, page = pull_url(world, pull), pull_page(world, pull)
    issue = shapes.api(world, f"/repos/{pull.repository.slug}/issues/{pull.number}")
    links = {
        "self": url,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": shapes.api(world, f"/repos/{pull.repository.slug}/pulls/comments{{/number}}"),
        "commits": f"{url}/commits",
        "statuses": shapes.api(world, f"/repos/{pull.repository.slug}/statuses/{pull.head}"),
    }
    assignees = [shapes.account(world, user) for user in pull.assignees]
    return {
        "url": url,
        "id": pull.id,
        "node_id": shapes.node_id("PR", pull.id),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "active_lock_reason": None,
        "title": pull.title,
        "user": shapes.account_or_ghost(world, pull.author),
        "body": pull.body,
        "labels": [],
        "milestone": None,
        "draft": pull.draft,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": [shapes.account(world, user) for user in pull.requested_reviewers],
        "requested_teams": [shapes.team(world, team) for team in pull.requested_teams],
        "head": _end(world, pull.head_repository, pull.author, pull.head_ref, pull.head),
        "base": _end(world, pull.repository, None, pull.base_ref, pull.base),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": association(pull.repository, pull.author),
        "auto_merge": None,
    }


def mergeable_state(world: World, pull: Pull) -> str:
    if pull.mergeable is False:
        return "dirty"
    if pull.draft:
        return "draft"
    return "blocked" if missing_checks(world, pull) else "clean"


def full_pull(world: World, pull: Pull) -> Json:
    """`pull-request`: with the counts, which only this form has."""
    git = pull.repository.git
    fork_point = git.merge_base(pull.base, pull.head)
    changes = git.changes(fork_point, pull.head) if fork_point else []
    return listed_pull(world, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": pull.mergeable if pull.is_open else None,
        "rebaseable": False,
        "mergeable_state": mergeable_state(world, pull) if pull.is_open else "unknown",
        "merged_by": shapes.maybe_account(world, pull.merged_by),
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(git.commits_between(pull.base, pull.head)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def minimal_pull(world: World, pull: Pull) -> Json:
    def end(ref: str, sha: str, repository: Repository) -> Json:
        url = shapes.api(world, f"/repos/{repository.slug}")
        return {"ref": ref, "sha": sha, "repo": {"id": repository.id, "url": url, "name": repository.name}}

    return {
        "id": pull.id,
        "number": pull.number,
        "url": pull_url(world, pull),
        "head": end(pull.head_ref, pull.head, pull.head_repository or pull.repository),
        "base": end(pull.base_ref, pull.base, pull.repository),
    }


def review(world: World, of: Review) -> Json:
    """REST spells the state in capitals; `review_in_webhook` does not."""
    url, page = pull_url(world, of.pull), pull_page(world, of.pull)
    html = f"{page}#pullrequestreview-{of.id}"
    shape: Json = {
        "id": of.id,
        "node_id": shapes.node_id("PRR", of.id),
        "user": shapes.maybe_account(world, of.user),
        "body": of.body,
        "state": of.state,
        "html_url": html,
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": of.commit_id,
        "author_association": association(of.pull.repository, of.user),
    }
    return shape if of.submitted_at is None else shape | {"submitted_at": of.submitted_at}


def review_in_webhook(world: World, of: Review) -> Json:
    return review(world, of) | {"state": of.state.lower(), "submitted_at": of.submitted_at}


def _pulls_of(world: World, suite: CheckSuite) -> list[Json]:
    """Open pull requests with that head; GitHub lists none that come from a fork."""
    repository = suite.repository
    return [
        minimal_pull(world, p)
        for p in repository.pulls.values()
        if p.is_open and p.head == suite.head_sha and p.head_repository is repository
    ]


def check_run(world: World, run: CheckRun) -> Json:
    repository = run.suite.repository
    url = shapes.api(world, f"/repos/{repository.slug}/check-runs/{run.id}")
    page = f"{world.url}/{repository.slug}/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": shapes.node_id("CR", run.id),
        "head_sha": run.suite.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": page,
        "details_url": run.details_url or page,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": shapes.integration(world, run.suite.app),
        "pull_requests": _pulls_of(world, run.suite),
    }


def check_suite(world: World, suite: CheckSuite) -> Json:
    repository = suite.repository
    url = shapes.api(world, f"/repos/{repository.slug}/check-suites/{suite.id}")
    runs = [run for run in repository.check_runs if run.suite is suite]
    done = bool(runs) and all(run.status == "completed" for run in runs)
    conclusions = {run.conclusion for run in runs}
    worst = next((c for c in ("failure", "action_required", "success") if c in conclusions), "neutral")
    return {
        "id": suite.id,
        "node_id": shapes.node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": "completed" if done else ("in_progress" if runs else "queued"),
        "conclusion": worst if done else None,
        "url": url,
        "before": None,
        "after": suite.head_sha,
        "pull_requests": _pulls_of(world, suite),
        "app": shapes.integration(world, suite.app),
        "created_at": suite.created_at,
        "updated_at": suite.created_at,
        "head_commit": shapes.simple_commit(repository.git.commit(suite.head_sha)),
        "latest_check_runs_count": len(runs),
        "check_runs_url": f"{url}/check-runs",
    }


def comment(world: World, pull: Pull, of: Comment) -> Json:
    issue = shapes.api(world, f"/repos/{pull.repository.slug}/issues")
    return {
        "id": of.id,
        "node_id": shapes.node_id("IC", of.id),
        "url": f"{issue}/comments/{of.id}",
        "html_url": f"{pull_page(world, pull)}#issuecomment-{of.id}",
        "issue_url": f"{issue}/{pull.number}",
        "user": shapes.maybe_account(world, of.user),
        "body": of.body,
        "created_at": of.created_at,
        "updated_at": of.created_at,
        "author_association": association(pull.repository, of.user),
    }


def file_entry(world: World, repository: Repository, change: FileChange, commit: str) -> Json:
    """`diff-entry` without its patch."""
    web = f"{world.url}/{repository.slug}"
    contents = shapes.api(world, f"/repos/{repository.slug}/contents/{change.path}?ref={commit}")
    entry: Json = {
        "sha": change.oid,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{web}/blob/{commit}/{change.path}",
        "raw_url": f"{web}/raw/{commit}/{change.path}",
        "contents_url": contents,
    }
    return entry if change.previous is None else entry | {"previous_filename": change.previous}
