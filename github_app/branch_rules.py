"""What GitHub enforces on a branch, read from its rulesets and from the older branch protection."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater, segment
from foureyes.github_app.pull_query import understood

_REFUSED = (401, 403, 404)


@dataclass(frozen=True)
class RequiredCheck:
    name: str
    app: int | None
    """The App whose check it has to be; None: anybody's."""
    source: str
    """The ruleset's name, or "branch protection"."""


@dataclass(frozen=True)
class Bypass:
    who: str
    mode: str
    """`always`, `pull_request` or `exempt`."""
    source: str


@dataclass(frozen=True)
class BranchRules:
    branch: str
    is_default: bool
    checks: tuple[RequiredCheck, ...] = ()
    up_to_date: bool = False
    queue: bool = False
    pull_request: bool = False
    approvals: int = 0
    """GitHub's own count."""
    force_push: bool = True
    """Someone without a bypass may force-push."""
    deletion: bool = True
    bypasses: tuple[Bypass, ...] = ()
    unseen: tuple[str, ...] = ()
    """What this token may not see."""
    rulesets: tuple[str, ...] = ()
    """Names of those that the rules come from."""


def read_rules(client: InstallationClient, slug: str, branch: str, *, is_default: bool) -> BranchRules:
    """Raises GitHubError."""
    rules = tuple(client.get_all(f"/repos/{slug}/rules/branches/{segment(branch)}"))
    names, bypasses, unseen = _rulesets(client, slug, rules)
    classic, hidden = _classic(client, slug, branch)
    found = understood(lambda: _from_rules(rules, names))
    if classic is not None:
        old = understood(lambda: _from_classic(classic))
        bypasses = (*bypasses, *old.bypasses)
        found = _either(found, old)
    return BranchRules(
        branch, is_default, found.checks, found.up_to_date, found.queue, found.pull_request, found.approvals,
        found.force_push, found.deletion, bypasses, (*unseen, *hidden), tuple(names.values()),
    )  # fmt: skip


def actions_may_approve(client: InstallationClient, slug: str) -> bool | None:
    """None: this token may not see it."""
    try:
        data = client.get(f"/repos/{slug}/actions/permissions/workflow")
    except RetryLater:
        raise
    except GitHubError as error:
        if error.status in (*_REFUSED, 409):
            return None
        raise
    return understood(lambda: bool(data["can_approve_pull_request_reviews"]))


def _from_rules(rules: Iterable[Mapping[str, Any]], names: Mapping[int, str]) -> BranchRules:
    checks: list[RequiredCheck] = []
    kinds: set[str] = set()
    approvals, up_to_date = 0, False
    for rule in rules:
        kinds.add(rule["type"])
        given = rule.get("parameters") or {}
        if rule["type"] == "required_status_checks":
            named = names.get(rule["ruleset_id"])
            source = "a ruleset" if named is None else _called(named)
            up_to_date = up_to_date or bool(given["strict_required_status_checks_policy"])
            checks += [
                RequiredCheck(check["context"], check.get("integration_id"), source)
                for check in given["required_status_checks"]
            ]
        elif rule["type"] == "pull_request":
            approvals = max(approvals, int(given.get("required_approving_review_count") or 0))
    return BranchRules(
        "", False, tuple(checks), up_to_date, "merge_queue" in kinds, "pull_request" in kinds, approvals,
        "non_fast_forward" not in kinds, "deletion" not in kinds,
    )  # fmt: skip


def _rulesets(
    client: InstallationClient, slug: str, rules: Iterable[Mapping[str, Any]]
) -> tuple[dict[int, str], tuple[Bypass, ...], tuple[str, ...]]:
    """Names of the rulesets that the rules come from, who may bypass each, and what cannot be seen."""
    names: dict[int, str] = {}
    bypasses: list[Bypass] = []
    unseen: list[str] = []
    for number in dict.fromkeys(understood(lambda: [int(rule["ruleset_id"]) for rule in rules])):
        try:
            data = client.get(f"/repos/{slug}/rulesets/{number}")
        except RetryLater:
            raise
        except GitHubError as error:
            if error.status not in _REFUSED:
                raise
            unseen.append(f"ruleset {number}")
            continue
        names[number] = understood(lambda data=data: str(data["name"]))  # type: ignore[misc]
        name = _called(names[number])
        actors = data.get("bypass_actors")
        if actors is None:
            unseen.append(f"who may bypass {name}")
        else:
            bypasses += understood(lambda: [_bypass(client, actor, name) for actor in actors])  # noqa: B023
    return names, tuple(bypasses), tuple(unseen)


def _called(name: str) -> str:
    return f'ruleset "{name}"'


_KINDS = {
    "Integration": "the App",
    "RepositoryRole": "everyone with the repository role",
    "Team": "the team",
    "User": "the user",
}
_ROLES = {2: "maintain", 4: "write", 5: "admin"}


def _bypass(client: InstallationClient, actor: Mapping[str, Any], source: str) -> Bypass:
    kind, number = str(actor["actor_type"]), actor.get("actor_id")
    if kind == "OrganizationAdmin":
        who = "every owner of the organisation"
    elif kind == "DeployKey":
        who = "every deploy key"
    elif kind == "RepositoryRole":
        who = f"everyone with the role {_ROLES.get(int(number or 0), number)}"
    elif kind == "User":
        who = _login(client, number)
    else:
        who = f"{_KINDS.get(kind, kind)} {number}"
    return Bypass(who, str(actor.get("bypass_mode", "always")), source)


def _login(client: InstallationClient, number: object) -> str:
    try:
        return f"@{client.get(f'/user/{number}')['login']}"
    except RetryLater:
        raise
    except (GitHubError, KeyError, TypeError):
        return f"the user {number}"


def _classic(
    client: InstallationClient, slug: str, branch: str
) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
    try:
        data = client.get(f"/repos/{slug}/branches/{segment(branch)}/protection")
    except RetryLater:
        raise
    except GitHubError as error:
        if "Branch not protected" in error.why:
            return None, ()
        if error.status in _REFUSED:
            return None, ("the older branch protection",)
        raise
    return (data, ()) if isinstance(data, dict) else (None, ("the older branch protection",))


def _from_classic(data: Mapping[str, Any]) -> BranchRules:
    source = "branch protection"
    required = data.get("required_status_checks") or {}
    listed = required.get("checks")
    if listed is None:
        listed = [{"context": name, "app_id": None} for name in required.get("contexts", ())]
    reviews = data.get("required_pull_request_reviews")
    enforced = bool((data.get("enforce_admins") or {}).get("enabled"))
    bypass = () if enforced else (Bypass("every admin of the repository", "always", source),)
    return BranchRules(
        "",
        False,
        tuple(RequiredCheck(check["context"], check.get("app_id"), source) for check in listed),
        bool(required.get("strict")),
        False,
        reviews is not None,
        int((reviews or {}).get("required_approving_review_count") or 0),
        bool((data.get("allow_force_pushes") or {}).get("enabled")),
        bool((data.get("allow_deletions") or {}).get("enabled")),
        bypass,
    )


def _either(one: BranchRules, other: BranchRules) -> BranchRules:
    """GitHub applies both, so that the stricter holds."""
    return BranchRules(
        "",
        False,
        one.checks + other.checks,
        one.up_to_date or other.up_to_date,
        one.queue or other.queue,
        one.pull_request or other.pull_request,
        max(one.approvals, other.approvals),
        one.force_push and other.force_push,
        one.deletion and other.deletion,
    )
