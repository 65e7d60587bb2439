"""The rules in force on a branch, and whether they let a merge or a push through."""

import re

from foureyes.github_app.sandbox.commit_status import CommitStatus
from foureyes.github_app.sandbox.state import (
    CheckRun,
    Json,
    Pull,
    Repository,
    Ruleset,
    User,
    World,
)

_SATISFIES = ("success", "neutral", "skipped")
"""GitHub lets all three through: whoever publishes must know."""


def rulesets_on(repository: Repository, branch: str) -> list[Ruleset]:
    return [r for r in repository.rulesets if r.enforcement == "active" and _covers(repository, r, branch)]


def _covers(repository: Repository, ruleset: Ruleset, branch: str) -> bool:
    is_default = branch == repository.default_branch

    def names(pattern: str) -> bool:
        if pattern in ("~ALL", "~DEFAULT_BRANCH"):
            return pattern == "~ALL" or is_default
        return re.fullmatch(_regex(pattern), f"refs/heads/{branch}") is not None

    return any(map(names, ruleset.include)) and not any(map(names, ruleset.exclude))


def _regex(pattern: str) -> str:
    """Of a pattern as Ruby's fnmatch reads it with FNM_PATHNAME: only `**/` goes over slashes."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    meant = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meant.get(part, re.escape(part)) for part in parts)


def rules_on(repository: Repository, branch: str) -> list[tuple[Ruleset, Json]]:
    return [(ruleset, rule) for ruleset in rulesets_on(repository, branch) for rule in ruleset.rules]


def has_rule(repository: Repository, branch: str, kind: str, actor: User | None = None) -> bool:
    return any(
        rule["type"] == kind and (actor is None or actor.id not in ruleset.bypass)
        for ruleset, rule in rules_on(repository, branch)
    )


def required_checks(
    repository: Repository, branch: str, actor: User | None = None
) -> list[tuple[str, int | None]]:
    """(name, App id or None) of every check that `actor` cannot bypass."""
    return [
        (check["context"], check.get("integration_id"))
        for ruleset, rule in rules_on(repository, branch)
        if rule["type"] == "required_status_checks" and (actor is None or actor.id not in ruleset.bypass)
        for check in rule["parameters"]["required_status_checks"]
    ]


def latest_run(repository: Repository, sha: str, name: str, app: int | None) -> CheckRun | None:
    """The newest run of that name; with an App id only that App's."""
    runs = [
        run
        for run in repository.check_runs
        if run.suite.head_sha == sha and run.name == name and app in (None, run.suite.app.id)
    ]
    return max(runs, key=lambda run: run.id, default=None)


def latest_status(repository: Repository, sha: str, name: str, app: int | None) -> CommitStatus | None:
    """The newest commit status of that name; with an App id only that App's."""
    found = [
        status
        for status in repository.statuses
        if (status.sha, status.context) == (sha, name) and app in (None, status.app and status.app.id)
    ]
    return max(found, key=lambda status: status.id, default=None)


def unsatisfied(repository: Repository, branch: str, sha: str, actor: User | None = None) -> list[str]:
    """One sentence for each required check that does not let this commit in. Where a check run and a commit status
    have its name, both must.
    """
    sentences = []
    for name, app in required_checks(repository, branch, actor):
        run, status = latest_run(repository, sha, name, app), latest_status(repository, sha, name, app)
        if run is None and status is None:
            sentences.append(f'Required status check "{name}" is expected.')
        elif run is not None and run.status != "completed":
            sentences.append(f'Required status check "{name}" is {run.status.replace("_", " ")}.')
        elif run is not None and run.conclusion not in _SATISFIES:
            sentences.append(f'Required status check "{name}" is failing.')
        elif status is not None and status.state != "success":
            sentences.append(f'Required status check "{name}" is {status.state}.')
    return sentences


def missing_checks(world: World, pull: Pull, actor: User | None = None) -> list[str]:
    """Why the merge button is shut; nothing with the merge check off."""
    if not world.merge_check:
        return []
    return unsatisfied(pull.repository, pull.base_ref, pull.head, actor)
