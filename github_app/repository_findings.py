"""What is wrong with how a repository is protected. Pure."""

from collections.abc import Iterable

from foureyes.github_app.branch_rules import BranchRules, RequiredCheck
from foureyes.github_app.protected import (
    Protected,
    Rule,
    check_rule,
    create,
    is_pinned,
    missing_rules,
    pull_request_rule,
    ruleset,
)
from foureyes.github_app.publish import AFTER, NAME, OBSERVE
from foureyes.shared.finding import Finding, State
from foureyes.shared.markup import count


def findings(of: Protected) -> tuple[Finding, ...]:
    """Branch by branch, in the order in which a change meets the rules."""
    found: list[Finding] = [*_app(of), *_workflow(of), *_not_in_force(of)]
    for rules in of.branches:
        if rules.line:
            found += [_new_branches(of, rules), *_unseen(rules)]
            continue
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


def _app(of: Protected) -> list[Finding]:
    if of.app is not None:
        named = f" ({of.app_name}), as its checks show" if of.app_name else ""
        return [Finding("App", State.GOOD, f"foureyes is the App {of.app} here{named}")]
    if len(of.apps_seen) > 1:
        listed = ", ".join(map(str, of.apps_seen))
        what = f"several Apps publish a check named `{NAME}`: {listed}; say with --app which one is yours"
        return [Finding("App", State.PROBLEM, what)]
    what = (
        f"no check named `{NAME}` was published here lately, so the App's id is not known; say it with --app"
    )
    return [Finding("App", State.UNKNOWN, what)]


def _workflow(of: Protected) -> list[Finding]:
    if of.workflow is None:
        return []
    what = (
        f"a workflow publishes a check named `{NAME}` too. It is not foureyes, and where the rule names no App it "
        "would do in its place"
    )
    return [Finding("App", State.NOTE, what)]


def _not_in_force(of: Protected) -> list[Finding]:
    """One that is only tried out asks nobody for anything, and looks as if it did."""
    found = []
    for one in of.rulesets:
        if one.enforcement != "active":
            what = f'ruleset "{one.name}" is not in force ({one.enforcement}): what it asks for is not asked'
            mend = (
                f"{of.gh} -X PUT repos/{of.slug}/rulesets/{one.id} -f enforcement=active" if one.own else ""
            )
            found.append(Finding("rulesets", State.NOTE, what, mend))
    return found


def _new_branches(of: Protected, rules: BranchRules) -> Finding:
    """What a policy gates by a pattern is gated from its first commit on: so must GitHub's rules be."""
    subject = f"{rules.line}: new"
    if not rules.tried:
        what = "which rules a new branch of this name has could not be tried"
        return Finding(subject, State.UNKNOWN, what)
    missing = [rule["type"] for rule in missing_rules(of, rules)]
    if of.app is None and not any(check.name == NAME for check in rules.checks):
        missing.append("required_status_checks")
    if not missing:
        return Finding(subject, State.GOOD, "a new branch of this name is protected from the beginning")
    what = f"a new branch of this name is gated by the policy, and GitHub's rulesets lack {', '.join(missing)} for it"
    if not rules.names:
        what += "; this line cannot be written as a ruleset does, so name such branches there one by one"
        return Finding(subject, State.PROBLEM, what)
    if _older_holds(of, rules):
        return Finding(subject, State.UNKNOWN, f"{what}; the older branch protection may have it")
    mend = create(of, ruleset(f"foureyes: {rules.line}", [rules], missing_rules(of, rules))) if of.app else ""
    return Finding(subject, State.PROBLEM, what, mend)


def _older_holds(of: Protected, rules: BranchRules) -> bool:
    """A branch under this line has all from it, as its pattern there may promise for others."""
    return any(one.older and rules.line in one.gated_by and not missing_rules(of, one) for one in of.branches)


def _check(of: Protected, rules: BranchRules) -> Finding:
    ours = [check for check in rules.checks if check.name == NAME]
    subject = f"{rules.branch}: check"
    mend = "" if of.app is None else _mend(of, rules, "check", check_rule(of.app, queue=rules.queue))
    if not ours:
        return Finding(subject, State.PROBLEM, f"`{NAME}` is not required: merging waits for nobody", mend)
    by_workflow = of.workflow is not None and any(check.app == of.workflow for check in ours)
    if by_workflow and not is_pinned(of, rules):
        what = (
            f"`{NAME}` is required of workflows: whoever may push can write a job of that name that is green"
        )
        return Finding(subject, State.PROBLEM, what, mend)
    if of.app is None:
        if any(check.app for check in ours):
            return Finding(
                subject, State.UNKNOWN, f"`{NAME}` is required from the App {_apps(ours)}; is that yours?"
            )
        return Finding(subject, State.PROBLEM, _UNPINNED)
    if is_pinned(of, rules):
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
    similar = _githubs_own(rules)
    if similar:
        what = f"pull requests are required. GitHub's own rule besides is not the same: {'; '.join(similar)}"
        return Finding(subject, State.GOOD, what)
    return Finding(subject, State.GOOD, "pull requests are required; who approves is counted by foureyes")


def _githubs_own(rules: BranchRules) -> list[str]:
    """What GitHub's approvals do beside ours, in the words of who wonders whether that is not enough."""
    told = []
    if rules.approvals:
        told.append(
            f"it asks for {count(rules.approvals, 'approval')}, also of whoever ran the agent if somebody else opened "
            "the pull request. It knows no agents, and does no harm"
        )
    if rules.last_push:
        told.append(
            "that another than who pushed last approves leaves out one account: not who pushed before that, nor who "
            "ran the agent"
        )
    if rules.code_owners:
        told.append(
            "its code owners stand in CODEOWNERS, foureyes's in the policy: a change may wait for both"
        )
    if rules.dismisses:
        told.append(
            "it dismisses approvals when something is pushed, and what is dismissed counts here no more either, "
            "whatever `stale` says"
        )
    return told


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
        elif one.everyone and one.mode == "always":
            what = (
                f"{one.who} may bypass {one.source}: nobody has to wait. Take the role out of its bypass list"
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
