"""A repository as it is protected, what its branches lack, and the command that gives them that. Pure."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from foureyes.github_app.branch_rules import BranchRules, Ruleset
from foureyes.github_app.publish import NAME

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
    app_name: str = ""
    """As its checks show it."""
    rulesets: tuple[Ruleset, ...] = ()
    """All that there are, in force or not."""
    workflow: int | None = None
    """GitHub's own App of workflows, where a job of our name was seen."""

    @property
    def gh(self) -> str:
        return "gh api" if self.host == GITHUB else f"gh api --hostname {shlex.quote(self.host)}"


Rule = dict[str, Any]


def missing_rules(of: Protected, rules: BranchRules) -> tuple[Rule, ...]:
    """All that a branch lacks, as one ruleset may hold it."""
    wanted = []
    if of.app is not None and not (is_pinned(of, rules) and (rules.up_to_date or rules.queue)):
        wanted.append(check_rule(of.app, queue=rules.queue))
    if not rules.pull_request:
        wanted.append(pull_request_rule())
    if rules.force_push:
        wanted.append({"type": "non_fast_forward"})
    if rules.deletion:
        wanted.append({"type": "deletion"})
    return tuple(wanted)


def ruleset(name: str, branches: Sequence[BranchRules], rules: Iterable[Rule]) -> dict[str, Any]:
    """A ruleset in GitHub's form. Rulesets add up, so that one more never weakens what is there."""
    include = [name for one in branches for name in one.include]
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": list(rules),
    }


def create(of: Protected, made: dict[str, Any]) -> str:
    """The command that creates it, by a name that no ruleset here has, in force or not: GitHub takes each once."""
    taken = {known.name.casefold() for known in of.rulesets}
    names = chain([made["name"]], (f"{made['name']} ({number})" for number in count(2)))
    body = made | {"name": next(name for name in names if name.casefold() not in taken)}
    text = json.dumps(body, separators=(",", ":"), sort_keys=True)
    return f"printf %s {shlex.quote(text)} | {of.gh} -X POST repos/{of.slug}/rulesets --input -"


def check_rule(app: int, *, queue: bool = False) -> Rule:
    """A queue brings each up to date by itself."""
    check: dict[str, Any] = {"context": NAME, "integration_id": app}
    parameters = {"required_status_checks": [check], "strict_required_status_checks_policy": not queue}
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


def all_at_once(of: Protected) -> str:
    """One command for all that a ruleset can mend, "" for none."""
    lacking = [(rules, missing) for rules in of.branches if (missing := missing_rules(of, rules))]
    lacking = [(rules, missing) for rules, missing in lacking if not rules.line or rules.names]
    if not lacking or of.app is None:
        return ""
    # a queue's branch may share a rule with others, which have to be up to date
    lacking.sort(key=lambda one: not one[0].queue)
    kinds = {rule["type"]: rule for _rules, missing in lacking for rule in missing}
    return create(of, ruleset("foureyes", [rules for rules, _missing in lacking], kinds.values()))


def is_pinned(of: Protected, rules: BranchRules) -> bool:
    return of.app is not None and any(check.name == NAME and check.app == of.app for check in rules.checks)
