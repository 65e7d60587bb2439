"""Check runs: only Apps make them, and the newest of a name on a commit is the one that counts."""

from foureyes.github_app.sandbox import webhooks
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.pushes import suite_of
from foureyes.github_app.sandbox.state import App, CheckRun, Json, Repository, User, World

_LONGEST_TEXT = 65535
_MOST_ANNOTATIONS = 50


def create(world: World, repository: Repository, app: App, fields: Json) -> CheckRun:
    head = str(fields["head_sha"])
    if len(head) != 40 or repository.git.commit_id(head) != head:
        raise Refusal(422, f"No commit found for SHA: {head}")
    branch = next((n for n, o in repository.git.refs("refs/heads/").items() if o == head), None)
    short = branch.removeprefix("refs/heads/") if branch else None
    run = CheckRun(
        id=world.next_id(),
        suite=suite_of(world, repository, head, short, app.id),
        name=str(fields["name"]),
        status="queued",
        conclusion=None,
        started_at=str(fields.get("started_at") or world.now()),
        completed_at=None,
    )
    _apply(world, run, fields)
    repository.check_runs.append(run)
    webhooks.check_run(world, "created", run, app.bot)
    if run.status == "completed":
        webhooks.check_run(world, "completed", run, app.bot)
    return run


def update(world: World, run: CheckRun, app: App, fields: Json) -> None:
    was_completed = run.status == "completed"
    _apply(world, run, fields)
    if run.status == "completed" and not was_completed:
        webhooks.check_run(world, "completed", run, app.bot)


def _apply(world: World, run: CheckRun, fields: Json) -> None:
    """A conclusion completes; another status takes the conclusion away again."""
    if "name" in fields:
        run.name = str(fields["name"])
    if "external_id" in fields:
        run.external_id = str(fields["external_id"])
    if "details_url" in fields:
        run.details_url = str(fields["details_url"])
    if fields.get("started_at"):
        run.started_at = str(fields["started_at"])
    _apply_output(run, fields.get("output"))
    status, conclusion = fields.get("status"), fields.get("conclusion")
    if conclusion is not None:
        run.status, run.conclusion = "completed", str(conclusion)
        run.completed_at = str(fields.get("completed_at") or world.now())
    elif status == "completed" and run.conclusion is None:
        raise Refusal(422, "Invalid request.\n\nFor 'status' completed a 'conclusion' is required.")
    elif status is not None and status != "completed":
        run.status, run.conclusion, run.completed_at = str(status), None, None


def _apply_output(run: CheckRun, output: Json | None) -> None:
    if output is None:
        return
    for part in ("summary", "text"):
        if len(str(output.get(part) or "")) > _LONGEST_TEXT:
            message = f"Only {_LONGEST_TEXT} characters are allowed; {part} has more."
            raise Refusal(422, f"Invalid request.\n\n{message}")
    annotations = list(output.get("annotations") or [])
    if len(annotations) > _MOST_ANNOTATIONS:
        raise Refusal(422, "Invalid request.\n\nNo more than 50 annotations per request.")
    run.title = output.get("title", run.title)
    run.summary = output.get("summary", run.summary)
    run.text = output.get("text", run.text)
    run.annotations += annotations


def rerequest(world: World, run: CheckRun, actor: User) -> None:
    """*Re-run* was clicked."""
    webhooks.check_run(world, "rerequested", run, actor)


def request_action(world: World, run: CheckRun, actor: User, identifier: str) -> None:
    """A button of the check was clicked."""
    webhooks.check_run(world, "requested_action", run, actor, requested_action={"identifier": identifier})
