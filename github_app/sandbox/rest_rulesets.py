"""Operations on what protects a branch: rulesets, classic protection, and whether Actions may approve."""

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.access import may
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles
from foureyes.github_app.sandbox.rulesets import rules_on
from foureyes.github_app.sandbox.state import Json, Repository, Ruleset


@handles("repos/get-branch-rules", "metadata:read")
def branch_rules(ask: Ask) -> Page:
    repository = ask.repository()

    def shape(found: tuple[Ruleset, Json]) -> Json:
        ruleset, rule = found
        source = {"ruleset_source_type": "Repository", "ruleset_source": repository.slug}
        return rule | source | {"ruleset_id": ruleset.id}

    return Page(rules_on(repository, ask.parameter("branch")), shape)


def _ruleset(ask: Ask, repository: Repository, ruleset: Ruleset, *, whole: bool = True) -> Json:
    url = shapes.api(ask.world, f"/repos/{repository.slug}/rulesets/{ruleset.id}")
    shape: Json = {
        "id": ruleset.id,
        "name": ruleset.name,
        "target": "branch",
        "source_type": "Repository",
        "source": repository.slug,
        "enforcement": ruleset.enforcement,
        "node_id": shapes.node_id("RRS", ruleset.id),
        "_links": {"self": {"href": url}},
        "created_at": repository.created_at,
        "updated_at": repository.created_at,
    }
    if whole:
        named = {"include": list(ruleset.include), "exclude": list(ruleset.exclude)}
        shape["conditions"] = {"ref_name": named}
        shape["rules"] = ruleset.rules
        credential = ask.caller.credential
        if credential is not None and may(credential, repository, "administration", "write"):
            shape["bypass_actors"] = ruleset.bypass_actors
    return shape


@handles("repos/get-repo-rulesets", "metadata:read")
def list_rulesets(ask: Ask) -> Page:
    repository = ask.repository()
    return Page(repository.rulesets, lambda r: _ruleset(ask, repository, r, whole=False))


def _found_ruleset(ask: Ask) -> tuple[Repository, Ruleset]:
    repository, number = ask.repository(), ask.number("ruleset_id")
    found = next((r for r in repository.rulesets if r.id == number), None)
    if found is None:
        raise Refusal.not_found()
    return repository, found


@handles("repos/get-repo-ruleset", "metadata:read")
def get_ruleset(ask: Ask) -> Json:
    repository, found = _found_ruleset(ask)
    return _ruleset(ask, repository, found)


def _read_ruleset(ask: Ask, ruleset: Ruleset) -> None:
    body = ask.body
    name = str(body.get("name", ruleset.name))
    if any(other.name == name for other in ask.repository().rulesets if other is not ruleset):
        raise Refusal(422, "Validation Failed", errors=["Name must be unique"])
    ruleset.name = name
    ruleset.enforcement = str(body.get("enforcement", ruleset.enforcement))
    if "conditions" in body:
        named = body["conditions"].get("ref_name", {})
        ruleset.include, ruleset.exclude = (tuple(named.get(key, ())) for key in ("include", "exclude"))
    if "rules" in body:
        ruleset.rules = list(body["rules"])
    if "bypass_actors" in body:
        ruleset.bypass_actors = [{"bypass_mode": "always"} | actor for actor in body["bypass_actors"]]


@handles("repos/create-repo-ruleset", "administration:write")
def create_ruleset(ask: Ask) -> Answer:
    repository = ask.repository()
    ruleset = Ruleset(ask.world.next_id(), "", (), [])
    _read_ruleset(ask, ruleset)
    repository.rulesets.append(ruleset)
    return Answer(_ruleset(ask, repository, ruleset), 201)


@handles("repos/update-repo-ruleset", "administration:write")
def update_ruleset(ask: Ask) -> Json:
    repository, found = _found_ruleset(ask)
    _read_ruleset(ask, found)
    return _ruleset(ask, repository, found)


@handles("repos/delete-repo-ruleset", "administration:write")
def delete_ruleset(ask: Ask) -> Answer:
    repository, found = _found_ruleset(ask)
    repository.rulesets.remove(found)
    return Answer(status=204)


@handles("repos/get-branch-protection", "administration:read")
def get_branch_protection(ask: Ask) -> Json:
    """The older form of protection; shown, not acted on."""
    repository, branch = ask.repository(), ask.parameter("branch")
    if repository.git.branch(branch) is None:
        raise Refusal(404, "Branch not found")
    found = repository.protection.get(branch)
    if found is None:
        raise Refusal(404, "Branch not protected")
    return found


@handles("actions/get-github-actions-default-workflow-permissions-repository", "administration:read")
def get_workflow_permissions(ask: Ask) -> Json:
    repository = ask.repository()
    return {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": repository.actions_may_approve,
    }


@handles("actions/set-github-actions-default-workflow-permissions-repository", "administration:write")
def set_workflow_permissions(ask: Ask) -> Answer:
    repository = ask.repository()
    repository.actions_may_approve = bool(
        ask.body.get("can_approve_pull_request_reviews", repository.actions_may_approve)
    )
    return Answer(status=204)
