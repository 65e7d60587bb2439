"""`foureyes doctor OWNER/REPO`: does GitHub hold a merge until the check says so? Read with the caller's own token."""

import json
import os
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import click

from foureyes.github_app import repository_findings
from foureyes.github_app.branch_rules import actions_may_approve, read_rules
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.optional_permissions import optional_permissions, permission_findings
from foureyes.github_app.org_floor import PATH as FLOOR_PATH
from foureyes.github_app.org_floor import ask_floor, floor_problem
from foureyes.github_app.own_token import find_token
from foureyes.github_app.personal_client import PersonalGitHub
from foureyes.github_app.policy_in_force import first_problem
from foureyes.github_app.publish import NAME
from foureyes.github_app.pull_query import POLICY_PATH, Ground, ask_head, understood
from foureyes.github_app.redaction import HIDDEN, redact
from foureyes.github_app.repository_findings import GITHUB, Protected, findings
from foureyes.github_app.settings import Settings, read_github_url
from foureyes.shared.branches import is_gated
from foureyes.shared.errors import UserError
from foureyes.shared.finding import Finding, State
from foureyes.shared.floor import combine, parse_floor
from foureyes.shared.policy import Policy
from foureyes.shared.policy_text import PolicyError, parse_policy

MOST_BRANCHES = 20
RECENT = 10
"""Pull requests whose heads are asked for our check, to learn the App's id."""

_NO_COMMIT = "0" * 40
_SLUG = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_COLOURS = {State.GOOD: "green", State.PROBLEM: "red", State.NOTE: "yellow", State.UNKNOWN: "yellow"}


def run(repository: str, app: int | None, as_json: bool) -> int:
    """What the command does; 1: a problem was found. Raises UserError."""
    url = read_github_url(os.environ)
    slug = repository.removeprefix(f"{url}/").removesuffix(".git").rstrip("/")
    if not _SLUG.fullmatch(slug):
        raise UserError(
            f"{repository!r} does not name a repository", next_step="write it like acme/shop", exit_code=2
        )
    token = find_token(url, os.environ)
    client = InstallationClient(PersonalGitHub(Settings(0, "not the App", (), github_url=url), token), 0)
    try:
        found, extra = examine(client, slug, app or _app_from_environment(), urlsplit(url).netloc)
    except GitHubError as error:
        why = redact(error.why.replace(token, HIDDEN))
        raise UserError(
            f"{slug} could not be read: {why}", next_step="see that your token may read it"
        ) from None
    problems = [finding for finding in found if finding.state is State.PROBLEM]
    click.echo(
        (_as_json(found, extra) if as_json else _as_text(found, extra, len(problems))).replace(token, HIDDEN)
    )
    return 1 if problems else 0


def examine(
    client: InstallationClient, slug: str, app: int | None, host: str = GITHUB
) -> tuple[tuple[Finding, ...], str]:
    """Every finding, and one command that mends all that a ruleset can mend, "" for none. Raises GitHubError."""
    ground, _shown = ask_head(client, slug, _NO_COMMIT)
    slug = ground.repository.slug
    policy, about_policy = _policy(ground)
    policy, about_floor = _with_floor(client, ground, policy)
    asks = optional_permissions(policy) if policy is not None else {}
    published = _apps(client, slug) if app is None or asks else {}
    seen = () if app is not None else tuple(published)
    known = app if app is not None else (seen[0] if len(seen) == 1 else None)
    branches, left_out = _gated(client, ground, policy)
    rules = tuple(
        read_rules(client, slug, name, is_default=name == ground.default_branch) for name in branches
    )
    of = Protected(slug, known, rules, actions_may_approve(client, slug), seen, host)
    found = [about_policy, *about_floor, *permission_findings(asks, published.get(known or 0)), *findings(of)]
    if left_out:
        what = f"{left_out} more gated branches were not looked at"
        found.append(Finding("branches", State.UNKNOWN, what))
    return tuple(found), _all_at_once(of)


def _policy(ground: Ground) -> tuple[Policy | None, Finding]:
    blob = ground.policy
    if blob is None:
        what = f"there is no {POLICY_PATH} on `{ground.default_branch}`: foureyes publishes nothing here"
        return None, Finding("policy", State.PROBLEM, what)
    try:
        policy = parse_policy(blob.text or "")
    except PolicyError as error:
        what = f"{POLICY_PATH} has an error: {blob.problem or first_problem(error)}"
        return None, Finding("policy", State.PROBLEM, what, f"foureyes policy check {POLICY_PATH}")
    if policy.mode == "observe":
        what = "the policy only observes: every change gets in. `mode: enforce` makes it wait"
        return policy, Finding("policy", State.NOTE, what)
    return policy, Finding("policy", State.GOOD, f"{POLICY_PATH} can be read")


def _with_floor(
    client: InstallationClient, ground: Ground, policy: Policy | None
) -> tuple[Policy | None, tuple[Finding, ...]]:
    """The ruling policy, and what is to be said about the organisation's floor, if this token can see one."""
    blob = ask_floor(client, ground.repository.owner)
    if blob is None:
        return policy, ()
    if problem := floor_problem(blob):
        what = f"the organisation's floor has an error, so nothing passes: {problem}"
        return policy, (Finding("floor", State.PROBLEM, what, f"foureyes policy check {FLOOR_PATH}"),)
    if policy is None:
        return None, ()
    return combine(parse_floor(blob.text or ""), policy), (
        Finding("floor", State.GOOD, f"the organisation's floor ({FLOOR_PATH}) holds here too"),
    )


def _gated(client: InstallationClient, ground: Ground, policy: Policy | None) -> tuple[tuple[str, ...], int]:
    """Names of gated branches, the default branch first, and how many were left out."""
    default = ground.default_branch
    if policy is None or not policy.branches:
        return (default,), 0
    listed = understood(
        lambda: [str(one["name"]) for one in client.get_all(f"/repos/{ground.repository.slug}/branches")]
    )
    names = [name for name in listed if name != default and is_gated(name, policy, default)]
    return (default, *names[: MOST_BRANCHES - 1]), max(0, len(names) - MOST_BRANCHES + 1)


def _apps(client: InstallationClient, slug: str) -> dict[int, Mapping[str, str]]:
    """Ids of the Apps that published a check of our name lately, each with the permissions that it asks for."""
    asked = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(RECENT)}
    pulls = client.get(f"/repos/{slug}/pulls", asked)
    found: dict[int, Mapping[str, str]] = {}
    for head in dict.fromkeys(understood(lambda: [str(pull["head"]["sha"]) for pull in pulls])):
        data = client.get(
            f"/repos/{slug}/commits/{head}/check-runs", {"check_name": NAME, "filter": "latest"}
        )
        found |= understood(partial(_publishers, data))
    return found


def _publishers(data: Any) -> dict[int, Mapping[str, str]]:
    return {int(run["app"]["id"]): dict(run["app"].get("permissions") or {}) for run in data["check_runs"]}


def _all_at_once(of: Protected) -> str:
    lacking = [(rules, repository_findings.missing_rules(of, rules)) for rules in of.branches]
    lacking = [(rules, missing) for rules, missing in lacking if missing]
    if not lacking or of.app is None:
        return ""
    kinds = {rule["type"]: rule for _rules, missing in lacking for rule in missing}
    branches = [rules for rules, _missing in lacking]
    made = repository_findings.ruleset("foureyes", branches, kinds.values())
    return repository_findings.create(of, made)


def _app_from_environment() -> int | None:
    given = os.environ.get("FOUREYES_APP_ID", "")
    return int(given) if given.isdecimal() else None


def _as_json(found: tuple[Finding, ...], all_at_once: str) -> str:
    listed = [
        {"subject": f.subject, "state": f.state.value, "what": f.what, "mend": f.mend or None} for f in found
    ]
    good = not any(f.state is State.PROBLEM for f in found)
    return json.dumps({"good": good, "findings": listed, "mend_all": all_at_once or None}, indent=2)


def _as_text(found: tuple[Finding, ...], all_at_once: str, problems: int) -> str:
    width = max(len(finding.subject) for finding in found) + 2
    lines = []
    for finding in found:
        state = click.style(f"{finding.state.value:9}", fg=_COLOURS[finding.state])
        lines.append(f"{state}{finding.subject:{width}}{finding.what.replace('`', '')}")
        if finding.mend:
            lines.append(f"{'':{9 + width}}{click.style('→', bold=True)} {finding.mend}")
    if all_at_once:
        lines += ["", "All of it in one ruleset:", all_at_once]
    count = f"{problems} {'problem' if problems == 1 else 'problems'} found."
    return "\n".join([*lines, "", count if problems else "Merging waits for the check here."])
