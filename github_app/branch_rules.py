"""What GitHub enforces on a branch, read from its rulesets and from the older branch protection."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from foureyes.github_app.answer_values import flag, listed, text
from foureyes.github_app.answer_values import number as number_of
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
    """The ruleset, or what of the older branch protection."""
    everyone: bool = False
    """Whoever may push at all."""


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
    last_push: bool = False
    """GitHub's own: somebody else than who pushed last has to approve."""
    code_owners: bool = False
    dismisses: bool = False
    """GitHub's own: a push takes approvals away."""
    squashes: bool = False
    """Nothing but squashes lands, by a ruleset or the queue, whatever the repository allows."""
    older: bool = False
    """Some of it is the older branch protection."""
    line: str = ""
    """Of the policy, where this is about branches that may yet be made under it; `branch` is then such a name."""
    names: tuple[str, ...] = ()
    """Patterns of a ruleset for all of these."""
    tried: bool = True
    """False: no name is known that GitHub could be asked about."""
    gated_by: tuple[str, ...] = ()
    """Lines of the policy."""

    @property
    def include(self) -> tuple[str, ...]:
        """As a ruleset names it."""
        return self.names or ("~DEFAULT_BRANCH" if self.is_default else f"refs/heads/{self.branch}",)


@dataclass(frozen=True)
class Ruleset:
    """As the repository lists it. `own`: it is the repository's, not the organisation's."""

    id: int
    name: str
    enforcement: str
    own: bool


def read_rules(
    client: InstallationClient, slug: str, branch: str, *, is_default: bool = False
) -> BranchRules:
    """Raises GitHubError."""
    found = _by_rulesets(client, slug, branch)
    classic, hidden = _classic(client, slug, branch)
    if classic is not None:
        old = understood(lambda: _from_classic(classic))
        found = _either(found, old)
    unseen = (*found.unseen, *hidden)
    return replace(found, branch=branch, is_default=is_default, unseen=unseen, older=classic is not None)


def rules_for_new(
    client: InstallationClient, slug: str, line: str, example: str, names: tuple[str, ...]
) -> BranchRules:
    """For a branch that is not there, as far as rulesets tell: the older protection is asked by branch alone. Raises
    GitHubError.
    """
    return replace(_by_rulesets(client, slug, example), branch=example, line=line, names=names)


def read_rulesets(client: InstallationClient, slug: str) -> tuple[Ruleset, ...]:
    """Every one for branches, in force or not. Raises GitHubError."""
    found = tuple(client.get_all(f"/repos/{slug}/rulesets"))
    return understood(
        lambda: tuple(
            Ruleset(
                int(one["id"]),
                str(one["name"]),
                str(one["enforcement"]),
                one.get("source_type") == "Repository",
            )
            for one in found
            if one.get("target", "branch") == "branch"
        )
    )


def _by_rulesets(client: InstallationClient, slug: str, branch: str) -> BranchRules:
    rules = tuple(client.get_all(f"/repos/{slug}/rules/branches/{segment(branch)}"))
    names, bypasses, unseen = _in_force(client, slug, rules)
    return replace(understood(lambda: _from_rules(rules, names)), bypasses=bypasses, unseen=unseen)


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
    return understood(lambda: flag(data["can_approve_pull_request_reviews"]))


def _from_rules(rules: Iterable[Mapping[str, Any]], names: Mapping[int, str]) -> BranchRules:
    """`non_fast_forward` and `deletion` refuse what else is free."""
    given: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        given.setdefault(rule["type"], []).append(rule)
    pulls = [rule.get("parameters") or {} for rule in given.get("pull_request", ())]
    checks: list[RequiredCheck] = []
    up_to_date = False
    for rule in given.get("required_status_checks", ()):
        named = names.get(rule["ruleset_id"])
        source = "a ruleset" if named is None else _called(named)
        asked = rule["parameters"]["required_status_checks"]
        # without a check to wait for GitHub asks for no update either
        up_to_date |= bool(asked) and flag(rule["parameters"]["strict_required_status_checks_policy"])
        checks += [RequiredCheck(check["context"], check.get("integration_id"), source) for check in asked]
    return BranchRules(
        branch="",
        is_default=False,
        checks=tuple(checks),
        up_to_date=up_to_date,
        queue="merge_queue" in given,
        pull_request=bool(pulls),
        approvals=max((int(pull.get("required_approving_review_count") or 0) for pull in pulls), default=0),
        force_push="non_fast_forward" not in given,
        deletion="deletion" not in given,
        last_push=any(pull.get("require_last_push_approval") for pull in pulls),
        code_owners=any(pull.get("require_code_owner_review") for pull in pulls),
        dismisses=any(pull.get("dismiss_stale_reviews_on_push") for pull in pulls),
        squashes=_squashes(pulls, given.get("merge_queue", ())),
    )


def _squashes(pulls: Iterable[Mapping[str, Any]], queues: Iterable[Mapping[str, Any]]) -> bool:
    """What a queue makes is what lands; without one, what a rule lets people choose."""
    made = [(queue.get("parameters") or {}).get("merge_method") for queue in queues]
    return (
        all(how == "SQUASH" for how in made)
        if made
        else any(pull.get("allowed_merge_methods") == ["squash"] for pull in pulls)
    )


def _in_force(
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
            try:
                bypasses += understood(lambda: [_bypass(client, actor, name) for actor in listed(actors)])  # noqa: B023
            except RetryLater:
                raise
            except GitHubError:
                unseen.append(f"who may bypass {name}")
    return names, tuple(bypasses), tuple(unseen)


def _called(name: str) -> str:
    return f'ruleset "{name}"'


_MODES = ("always", "pull_request", "exempt")
_UNNUMBERED = ("OrganizationAdmin", "DeployKey")
_KINDS = {"Integration": "the App", "Team": "the team"}
_WRITE = 4
_ROLES = {2: "maintain", _WRITE: "write", 5: "admin"}


def _bypass(client: InstallationClient, actor: Mapping[str, Any], source: str) -> Bypass:
    """Raises ValueError for a kind, or a way, of which it is not known whom it lets past."""
    kind, mode = text(actor["actor_type"]), text(actor.get("bypass_mode", "always"))
    if mode not in _MODES:
        raise ValueError(f"bypass mode {mode!r}")
    number = None if kind in _UNNUMBERED else number_of(actor["actor_id"])
    if kind == "OrganizationAdmin":
        who = "every owner of the organisation"
    elif kind == "DeployKey":
        who = "every deploy key"
    elif kind == "RepositoryRole":
        who = f"everyone with the role {_ROLES.get(number_of(number), number)}"
    elif kind == "User":
        who = _login(client, number)
    else:
        who = f"{_KINDS[kind]} {number}"
    everyone = kind == "RepositoryRole" and number == _WRITE
    return Bypass(who, mode, source, everyone)


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
    asked = required.get("checks")
    if asked is None:
        asked = [{"context": name, "app_id": None} for name in required.get("contexts", ())]
    given = data.get("required_pull_request_reviews")
    reviews = given or {}
    enforced = bool((data.get("enforce_admins") or {}).get("enabled"))
    bypass = () if enforced else (Bypass("every admin of the repository", "always", source),)
    return BranchRules(
        branch="",
        is_default=False,
        checks=tuple(RequiredCheck(check["context"], check.get("app_id"), source) for check in asked),
        up_to_date=bool(asked and required.get("strict")),
        pull_request=given is not None,
        approvals=int(reviews.get("required_approving_review_count") or 0),
        force_push=bool((data.get("allow_force_pushes") or {}).get("enabled")),
        deletion=bool((data.get("allow_deletions") or {}).get("enabled")),
        bypasses=(*bypass, *_past_the_pull_request(reviews.get("bypass_pull_request_allowances") or {})),
        last_push=bool(reviews.get("require_last_push_approval")),
        code_owners=bool(reviews.get("require_code_owner_reviews")),
        dismisses=bool(reviews.get("dismiss_stale_reviews")),
    )


def _past_the_pull_request(allowed: Mapping[str, Any]) -> Iterator[Bypass]:
    source = "branch protection's rule that asks for a pull request"
    for user in allowed.get("users", ()):
        yield Bypass(f"@{user['login']}", "always", source)
    for team in allowed.get("teams", ()):
        yield Bypass(f"the team {team['slug']}", "always", source)
    for app in allowed.get("apps", ()):
        yield Bypass(f"the App {app.get('slug') or app['id']}", "always", source)


def _either(one: BranchRules, other: BranchRules) -> BranchRules:
    """GitHub applies both, so that the stricter holds."""
    return replace(
        one,
        checks=one.checks + other.checks,
        up_to_date=one.up_to_date or other.up_to_date,
        pull_request=one.pull_request or other.pull_request,
        approvals=max(one.approvals, other.approvals),
        force_push=one.force_push and other.force_push,
        deletion=one.deletion and other.deletion,
        bypasses=one.bypasses + other.bypasses,
        last_push=one.last_push or other.last_push,
        code_owners=one.code_owners or other.code_owners,
        dismisses=one.dismisses or other.dismisses,
    )
