"""`foureyes doctor OWNER/REPO`: does GitHub hold a merge until the check says so? Read with the caller's own token."""

import json
import os
import re
from dataclasses import replace
from urllib.parse import urlsplit

import click

from foureyes.github_app.branch_patterns import example, ruleset_names
from foureyes.github_app.branch_rules import (
    BranchRules,
    actions_may_approve,
    read_rules,
    read_rulesets,
    rules_for_new,
)
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.merge_methods import squash_findings
from foureyes.github_app.optional_permissions import optional_permissions, permission_findings
from foureyes.github_app.org_floor import PATH as FLOOR_PATH
from foureyes.github_app.org_floor import ask_floor, floor_problem
from foureyes.github_app.own_token import find_token, way_out
from foureyes.github_app.personal_client import PersonalGitHub
from foureyes.github_app.policy_in_force import first_problem
from foureyes.github_app.protected import GITHUB, Protected, all_at_once
from foureyes.github_app.publishers import Publisher, publishers
from foureyes.github_app.pull_query import POLICY_PATH, Ground, ask_head, understood
from foureyes.github_app.redaction import HIDDEN, redact
from foureyes.github_app.repository_findings import findings
from foureyes.github_app.settings import Settings, read_github_url
from foureyes.shared.branches import gates
from foureyes.shared.errors import UserError
from foureyes.shared.finding import Finding, State
from foureyes.shared.floor import combine, parse_floor
from foureyes.shared.markup import count
from foureyes.shared.policy import Policy
from foureyes.shared.policy_text import PolicyError, parse_policy

MOST_BRANCHES = 20
NOT_ALL_SEEN = 3

_NO_COMMIT = "0" * 40
_SLUG = re.compile(r"\w[\w-]*/[\w.-]*[\w-][\w.-]*", re.ASCII)
_COLOURS = {State.GOOD: "green", State.PROBLEM: "red", State.NOTE: "yellow", State.UNKNOWN: "yellow"}


def run(repository: str, app: int | None, as_json: bool) -> int:
    """What the command does; 1: a problem was found, 3: none, and not all could be seen. Raises UserError."""
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
        raise UserError(f"{slug} could not be read: {why}", next_step=way_out(error)) from None
    told = _as_json(found, extra) if as_json else _as_text(found, extra)
    click.echo(told.replace(token, HIDDEN))
    if _with_state(found, State.PROBLEM):
        return 1
    return NOT_ALL_SEEN if _with_state(found, State.UNKNOWN) else 0


def examine(
    client: InstallationClient, slug: str, app: int | None, host: str = GITHUB
) -> tuple[tuple[Finding, ...], str]:
    """Every finding, and one command that mends all that a ruleset can mend, "" for none. Raises GitHubError."""
    ground, _shown = ask_head(client, slug, _NO_COMMIT)
    slug = ground.repository.slug
    policy, about_policy = _policy(ground)
    policy, about_floor = _with_floor(client, ground, policy)
    asks = optional_permissions(policy) if policy is not None else {}
    seen = _publishers(client, slug, needed=app is None)
    ours = [one for one in seen if one.id == app or (app is None and not one.is_workflow)]
    mine = ours[0] if len(ours) == 1 else None
    branches, left_out = _branches(client, ground, policy)
    of = Protected(
        slug, app or (mine.id if mine else None), branches, actions_may_approve(client, slug),
        tuple(one.id for one in ours), host, mine.name if mine else "", read_rulesets(client, slug),
        next((one.id for one in seen if one.is_workflow), None),
    )  # fmt: skip
    granted = mine.permissions if mine else None
    found = [about_policy, *about_floor, *permission_findings(asks, granted), *findings(of)]
    found += squash_findings(client, slug, policy, branches, of.gh)
    if left_out:
        what = f"{left_out} more gated branches and patterns were not looked at"
        found.append(Finding("branches", State.UNKNOWN, what))
    return tuple(found), all_at_once(of)


def _publishers(client: InstallationClient, slug: str, *, needed: bool) -> tuple[Publisher, ...]:
    """A token may see the rules and not the checks: with the App's number nothing more is needed of them."""
    try:
        return publishers(client, slug)
    except GitHubError as error:
        if needed or error.status not in (403, 404):
            raise
        return ()


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


def _branches(
    client: InstallationClient, ground: Ground, policy: Policy | None
) -> tuple[tuple[BranchRules, ...], int]:
    """Of gated branches, the default branch first, and of those that may yet be made; and how many were left out."""
    default, slug = ground.default_branch, ground.repository.slug
    lines = policy.branches if policy is not None else ()
    listed = _named(client, slug) if lines else []
    names = [default, *(name for name in listed if name != default and gates(lines, name))]
    rules = []
    for name in names[:MOST_BRANCHES]:
        found = read_rules(client, slug, name, is_default=name == default)
        by = tuple(line for line in lines if not line.startswith("!") and gates((line,), name))
        rules.append(replace(found, gated_by=by))
    new = [line for line in dict.fromkeys(lines) if not line.startswith("!") and line not in listed]
    whole = not any(line.startswith("!") for line in lines)
    for line in new[:MOST_BRANCHES]:
        made_up, patterns = example(line), ruleset_names(line) if whole else ()
        if gates((line,), made_up):
            rules.append(rules_for_new(client, slug, line, made_up, patterns))
        else:
            rules.append(BranchRules(made_up, False, line=line, tried=False))
    return tuple(rules), max(0, len(names) - MOST_BRANCHES) + max(0, len(new) - MOST_BRANCHES)


def _named(client: InstallationClient, slug: str) -> list[str]:
    return understood(lambda: [str(one["name"]) for one in client.get_all(f"/repos/{slug}/branches")])


def _app_from_environment() -> int | None:
    given = os.environ.get("FOUREYES_APP_ID", "")
    return int(given) if given.isdecimal() else None


def _as_json(found: tuple[Finding, ...], all_at_once: str) -> str:
    listed = [
        {"subject": f.subject, "state": f.state.value, "what": f.what, "mend": f.mend or None} for f in found
    ]
    good = not _with_state(found, State.PROBLEM) and not _with_state(found, State.UNKNOWN)
    return json.dumps({"good": good, "findings": listed, "mend_all": all_at_once or None}, indent=2)


def _as_text(found: tuple[Finding, ...], all_at_once: str) -> str:
    width = max(len(finding.subject) for finding in found) + 2
    lines = []
    for finding in found:
        state = click.style(f"{finding.state.value:9}", fg=_COLOURS[finding.state])
        lines.append(f"{state}{finding.subject:{width}}{finding.what.replace('`', '')}")
        if finding.mend:
            lines.append(f"{'':{9 + width}}{click.style('→', bold=True)} {finding.mend}")
    if all_at_once:
        lines += ["", "All of it in one ruleset:", all_at_once]
    return "\n".join([*lines, "", _conclusion(found)])


def _conclusion(found: tuple[Finding, ...]) -> str:
    problems, unknown = (len(_with_state(found, state)) for state in (State.PROBLEM, State.UNKNOWN))
    if problems:
        return f"{count(problems, 'problem')} found."
    if unknown:
        return (
            f"No problem found, but {count(unknown, 'thing')} could not be seen: an admin's token sees most."
        )
    if any(finding.subject == "policy" for finding in _with_state(found, State.NOTE)):
        return "The rules are in order. Nothing waits for the check while the policy only observes."
    return "Merging waits for the check here."


def _with_state(found: tuple[Finding, ...], state: State) -> list[Finding]:
    return [finding for finding in found if finding.state is state]
