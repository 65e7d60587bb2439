"""What is wrong with how a repository is protected, and the one command that mends each. Pure."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from foureyes.github_app.branch_rules import BranchRules, RequiredCheck
from foureyes.github_app.publish import AFTER, NAME, OBSERVE
from foureyes.shared.finding import Finding, State

GITHUB = "github.com"


@dataclass(frozen=True)
class Protected:
    """A repository as it is protected. `app` None: it is not known which App is ours."""

    slug: str
    app: int | None
    branches: tuple[BranchRules, ...]
    actions_approve: bool | None
    apps_seen: tuple[int, ...] = ()
    """Apps that published a check of our name."""
    host: str = GITHUB
    """Where gh has to ask."""

    @property
    def gh(self) -> str:
        return "gh api" if self.host == GITHUB else f"gh api --hostname {shlex.quote(self.host)}"


Rule = dict[str, Any]


def findings(of: Protected) -> tuple[Finding, ...]:
    """Branch by branch, in the order in which a change meets the rules."""
    found: list[Finding] = [*_app(of)]
    for rules in of.branches:
        found += [
            _check(of, rules),
            *_wrong_names(rules),
            _pull_request(of, rules),
            _up_to_date(of, rules),
            _force_push(of, rules),
            _deletion(of, rules),
            *_bypasses(rules),
            *_unseen(rules),
        ]
    return (*found, _actions(of))


def missing_rules(of: Protected, rules: BranchRules) -> tuple[Rule, ...]:
    """All that a branch lacks, as one ruleset may hold it."""
    wanted = []
    if of.app is not None and not (_is_pinned(of, rules) and (rules.up_to_date or rules.queue)):
        wanted.append(check_rule(of.app))
    if not rules.pull_request:
        wanted.append(pull_request_rule())
    if rules.force_push:
        wanted.append({"type": "non_fast_forward"})
    if rules.deletion:
        wanted.append({"type": "deletion"})
    return tuple(wanted)


def ruleset(name: str, branches: Sequence[BranchRules], rules: Iterable[Rule]) -> dict[str, Any]:
    """A ruleset in GitHub's form. Rulesets add up, so that one more never weakens what is there."""
    include = ["~DEFAULT_BRANCH" if one.is_default else f"refs/heads/{one.branch}" for one in branches]
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": list(rules),
    }


def create(of: Protected, made: dict[str, Any]) -> str:
    """The command that creates it, by a name that no ruleset seen here has: GitHub takes each name once."""
    taken = {name.casefold() for rules in of.branches for name in rules.rulesets}
    names = chain([made["name"]], (f"{made['name']} ({number})" for number in count(2)))
    body = made | {"name": next(name for name in names if name.casefold() not in taken)}
    text = json.dumps(body, separators=(",", ":"), sort_keys=True)
    return f"printf %s {shlex.quote(text)} | {of.gh} -X POST repos/{of.slug}/rulesets --input -"


def check_rule(app: int) -> Rule:
    check: dict[str, Any] = {"context": NAME, "integration_id": app}
    parameters = {"required_status_checks": [check], "strict_required_status_checks_policy": True}
    return {"type": "required_status_checks", "parameters": parameters}


def pull_request_rule() -> Rule:
    """Without approvals of GitHub's own: foureyes counts them."""
    return {
        "type": "pull_request",
        "parameters": {
            "required_approving_review_count": 0,
            "dismiss_stale_reviews_on_push": False,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_review_thread_resolution": False,
        },
    }


def _app(of: Protected) -> list[Finding]:
    if of.app is not None:
        return [Finding("App", State.GOOD, f"foureyes is the App {of.app} here")]
    if len(of.apps_seen) > 1:
        listed = ", ".join(map(str, of.apps_seen))
        what = f"several Apps publish a check named `{NAME}`: {listed}; say with --app which one is yours"
        return [Finding("App", State.PROBLEM, what)]
    what = (
        f"no check named `{NAME}` was published here lately, so the App's id is not known; say it with --app"
    )
    return [Finding("App", State.UNKNOWN, what)]


def _check(of: Protected, rules: BranchRules) -> Finding:
    ours = [check for check in rules.checks if check.name == NAME]
    subject = f"{rules.branch}: check"
    mend = "" if of.app is None else _mend(of, rules, "check", check_rule(of.app))
    if not ours:
        return Finding(subject, State.PROBLEM, f"`{NAME}` is not required: merging waits for nobody", mend)
    if of.app is None:
        if any(check.app for check in ours):
            return Finding(
                subject, State.UNKNOWN, f"`{NAME}` is required from the App {_apps(ours)}; is that yours?"
            )
        return Finding(subject, State.PROBLEM, _UNPINNED)
    if _is_pinned(of, rules):
        return Finding(subject, State.GOOD, f"`{NAME}` is required, and only the App {of.app} can give it")
    if any(check.app in (None, -1) for check in ours):
        return Finding(subject, State.PROBLEM, _UNPINNED, mend)
    what = f"`{NAME}` is required from another App ({_apps(ours)}), not from {of.app}"
    return Finding(subject, State.PROBLEM, what, mend)


_UNPINNED = (
    f"`{NAME}` is required from any source: everyone who may write commit statuses can publish a green one. The "
    "rule must name the App (integration_id)"
)


def _apps(checks: Iterable[RequiredCheck]) -> str:
    return ", ".join(sorted({str(check.app) for check in checks if check.app}))


def _is_pinned(of: Protected, rules: BranchRules) -> bool:
    return of.app is not None and any(check.name == NAME and check.app == of.app for check in rules.checks)


def _wrong_names(rules: BranchRules) -> list[Finding]:
    wrong = sorted({check.name for check in rules.checks if check.name in (OBSERVE, AFTER)})
    return [
        Finding(
            f"{rules.branch}: check",
            State.PROBLEM,
            f"`{name}` is required; it is never a verdict: grey lets everything in, and on most commits it "
            "never comes. Take it out of the rule",
        )
        for name in wrong
    ]


def _pull_request(of: Protected, rules: BranchRules) -> Finding:
    subject = f"{rules.branch}: pull"
    if not rules.pull_request:
        what = "pull requests are not required: who may push can push past every review"
        return Finding(subject, State.PROBLEM, what, _mend(of, rules, "pull request", pull_request_rule()))
    if rules.approvals:
        what = (
            f"pull requests are required. GitHub's own rule of {rules.approvals} besides is not the same: it counts "
            "whoever ran the agent if somebody else opened the pull request, and knows no agents. It does no harm"
        )
        return Finding(subject, State.GOOD, what)
    return Finding(subject, State.GOOD, "pull requests are required; who approves is counted by foureyes")


def _up_to_date(of: Protected, rules: BranchRules) -> Finding:
    subject = f"{rules.branch}: base"
    if rules.queue:
        return Finding(subject, State.GOOD, "a merge queue: what merges is what was checked")
    if rules.up_to_date:
        return Finding(subject, State.GOOD, "branches have to be up to date: what merges is what was checked")
    what = (
        "branches need not be up to date: the base can move in the same files between the check and the merge. "
        "foureyes takes a green check back as soon as it hears of it, and raises an alert if it was too late"
    )
    mend = "" if of.app is None else _mend(of, rules, "up to date", check_rule(of.app))
    return Finding(subject, State.PROBLEM, what, mend)


def _force_push(of: Protected, rules: BranchRules) -> Finding:
    subject = f"{rules.branch}: force"
    if not rules.force_push:
        return Finding(subject, State.GOOD, "force-pushes are refused")
    what = "force-pushes are allowed: what was reviewed can be taken away"
    return Finding(
        subject, State.PROBLEM, what, _mend(of, rules, "no force-push", {"type": "non_fast_forward"})
    )


def _deletion(of: Protected, rules: BranchRules) -> Finding:
    subject = f"{rules.branch}: delete"
    if not rules.deletion:
        return Finding(subject, State.GOOD, "the branch cannot be deleted")
    what = "the branch can be deleted, and made anew with other content"
    return Finding(subject, State.PROBLEM, what, _mend(of, rules, "no deletion", {"type": "deletion"}))


def _bypasses(rules: BranchRules) -> list[Finding]:
    found = []
    for one in rules.bypasses:
        subject = f"{rules.branch}: bypass"
        if one.mode == "exempt":
            what = (
                f"{one.who} is exempt from {one.source}: GitHub keeps no trace of that. Use `always` instead"
            )
            found.append(Finding(subject, State.PROBLEM, what))
        else:
            only = " on pull requests" if one.mode == "pull_request" else ""
            what = f"{one.who} may bypass {one.source}{only}; each use raises an alert (`foureyes alerts`)"
            found.append(Finding(subject, State.NOTE, what))
    if not found and not rules.unseen and rules.checks:
        found.append(Finding(f"{rules.branch}: bypass", State.GOOD, "nobody may bypass the rules"))
    return found


def _unseen(rules: BranchRules) -> list[Finding]:
    return [
        Finding(f"{rules.branch}: seen", State.UNKNOWN, f"{what}: your token may not see it; an admin's may")
        for what in rules.unseen
    ]


def _actions(of: Protected) -> Finding:
    if of.actions_approve is None:
        return Finding("Actions", State.UNKNOWN, "whether workflows may approve: your token may not see it")
    if not of.actions_approve:
        return Finding("Actions", State.GOOD, "workflows cannot approve pull requests")
    mend = f"{of.gh} -X PUT repos/{of.slug}/actions/permissions/workflow -F can_approve_pull_request_reviews=false"
    what = "workflows may approve pull requests; foureyes never counts them, GitHub's own rule does"
    return Finding("Actions", State.PROBLEM, what, mend)


def _mend(of: Protected, rules: BranchRules, what: str, rule: Rule) -> str:
    return create(of, ruleset(f"foureyes: {what}, {rules.branch}", [rules], [rule]))
