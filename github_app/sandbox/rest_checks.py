"""Operations on check runs and suites: written by Apps alone."""

from foureyes.github_app.sandbox import checks, shapes, shapes_pull, webhooks
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.state import CheckRun, CheckSuite, Json, Repository


@handles("checks/create", "checks:write")
def create(ask: Ask) -> Answer:
    repository = ask.repository()
    run = checks.create(ask.world, repository, ask.installation.app, ask.body)
    return Answer(shapes_pull.check_run(ask.world, run), 201)


def _run(ask: Ask) -> CheckRun:
    number = ask.number("check_run_id")
    found = next((r for r in ask.repository().check_runs if r.id == number), None)
    if found is None:
        raise Refusal.not_found()
    return found


@handles("checks/update", "checks:write")
def update(ask: Ask) -> Json:
    run = _run(ask)
    if run.suite.app is not ask.installation.app:
        raise Refusal(
            403, "Invalid app_id `" + str(ask.installation.app.id) + "` - check run belongs to another App"
        )
    checks.update(ask.world, run, run.suite.app, ask.body)
    return shapes_pull.check_run(ask.world, run)


@handles("checks/get", "checks:read")
def get(ask: Ask) -> Json:
    return shapes_pull.check_run(ask.world, _run(ask))


@handles("checks/list-annotations", "checks:read")
def annotations(ask: Ask) -> Page:
    run = _run(ask)
    empty: Json = {"start_column": None, "end_column": None, "title": None, "raw_details": None}
    url = shapes.api(ask.world, f"/repos/{run.suite.repository.slug}/git/blobs")
    return Page(run.annotations, lambda a: empty | a | {"blob_href": f"{url}/{run.suite.head_sha}"})


@handles("checks/list-for-ref", "checks:read")
def list_for_ref(ask: Ask) -> Page:
    """`filter=latest` (the default) keeps the newest run of each name and App."""
    repository = ask.repository()
    head = commit_of(repository, ask.parameter("ref"))
    runs = [r for r in repository.check_runs if r.suite.head_sha == head]
    if name := ask.query.get("check_name"):
        runs = [r for r in runs if r.name == name]
    if app := ask.query.get("app_id"):
        runs = [r for r in runs if str(r.suite.app.id) == app]
    if status := ask.query.get("status"):
        runs = [r for r in runs if r.status == status]
    runs.sort(key=lambda r: r.id, reverse=True)
    if ask.query.get("filter", "latest") == "latest":
        newest = {(r.name, r.suite.app.id): r for r in reversed(runs)}
        runs = [r for r in runs if newest[(r.name, r.suite.app.id)] is r]
    return Page(runs, lambda r: shapes_pull.check_run(ask.world, r), "check_runs")


def commit_of(repository: Repository, ref: str) -> str:
    for expression in (ref, f"refs/{ref}", f"refs/heads/{ref}", f"refs/tags/{ref}"):
        if found := repository.git.commit_id(expression):
            return found
    raise Refusal(422, f"No commit found for SHA: {ref}")


def _suite_shape(ask: Ask, suite: CheckSuite) -> Json:
    repository = shapes.minimal_repository(ask.world, suite.repository)
    return shapes_pull.check_suite(ask.world, suite) | {"repository": repository}


@handles("checks/get-suite", "checks:read")
def get_suite(ask: Ask) -> Json:
    return _suite_shape(ask, _suite(ask))


def _suite(ask: Ask) -> CheckSuite:
    number = ask.number("check_suite_id")
    found = next((s for s in ask.repository().check_suites if s.id == number), None)
    if found is None:
        raise Refusal.not_found()
    return found


@handles("checks/list-suites-for-ref", "checks:read")
def list_suites_for_ref(ask: Ask) -> Page:
    repository = ask.repository()
    head = commit_of(repository, ask.parameter("ref"))
    suites = [s for s in repository.check_suites if s.head_sha == head]
    if app := ask.query.get("app_id"):
        suites = [s for s in suites if str(s.app.id) == app]
    return Page(suites, lambda s: _suite_shape(ask, s), "check_suites")


@handles("checks/rerequest-run", "checks:write")
def rerequest_run(ask: Ask) -> Answer:
    checks.rerequest(ask.world, _run(ask), ask.user)
    return Answer({}, 201)


@handles("checks/rerequest-suite", "checks:write")
def rerequest_suite(ask: Ask) -> Answer:
    webhooks.check_suite(ask.world, "rerequested", _suite(ask), ask.user)
    return Answer({}, 201)
