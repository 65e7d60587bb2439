"""Fuzz targets for what an admin writes or GitHub enforces: an organisation's floor, cases beside a policy, the stored
credentials, and the rules of a branch. Used as those of support_fuzz.py.
"""

import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support_facts import change, facts

from foureyes.github_app import branch_rules, credentials
from foureyes.github_app.client import GitHubError
from foureyes.shared import floor, patterns, policy_text
from foureyes.shared.evaluate import evaluate
from foureyes.shared.policy_cases import read_cases
from foureyes.shared.verdict import Outcome

LENIENT = 'version: 1\nroster: ["@ana", "@raj"]\nprotected: ["nothing-here/**"]\n'
CASES = b"""teams: {"@acme/engineers": [ana, raj]}
cases:
  - name: an agent's change waits
    change: ["infra/network.tf", {path: infra/a, status: D, mode: "100755"}]
    class: ai
    by: olga
    operator: olga
    approvals: [ana]
    expect: wait
    needed: 2
"""
FLOORS = [
    b'version: 1\nroster: ["@ana", "@raj", "@lee"]\nprotected: ["infra/**"]\n',
    b'version: 1\nroster: ["@ana", "@raj", "@lee", "@mia"]\nbranches: ["release/*"]\nsystems:\n  pay: {paths: ["infra/"], tier: 1}\n'
    b"tiers:\n  1: {ai: 3, unattested: 3, human: 2, stale: head}\n",
]
STORED = b"""# Written by foureyes.
FOUREYES_APP_ID=7
FOUREYES_GITHUB_URL=https://github.com
FOUREYES_PRIVATE_KEY_FILE=app-0123456789ab.pem
FOUREYES_WEBHOOK_SECRET=0123456789abcdef0123
"""
RULES: dict[str, Any] = {
    "rules": [
        {"type": "required_status_checks", "ruleset_id": 3, "parameters": {
            "strict_required_status_checks_policy": True,
            "required_status_checks": [{"context": "foureyes", "integration_id": 42}]}},
        {"type": "pull_request", "ruleset_id": 3, "parameters": {"required_approving_review_count": 1}},
        {"type": "non_fast_forward", "ruleset_id": 3}, {"type": "deletion", "ruleset_id": 3},
    ],
    "ruleset": {"name": "main", "bypass_actors": [
        {"actor_type": "Team", "actor_id": 5, "bypass_mode": "always"}, {"actor_type": "User", "actor_id": 6},
        {"actor_type": "RepositoryRole", "actor_id": 5}, {"actor_type": "OrganizationAdmin", "actor_id": None}]},
    "protection": {
        "required_status_checks": {"strict": False, "checks": [{"context": "foureyes", "app_id": 42}]},
        "required_pull_request_reviews": {"required_approving_review_count": 2, "bypass_pull_request_allowances": {
            "users": [{"login": "mia"}], "teams": [{"slug": "ops"}], "apps": [{"slug": "bot"}]}},
        "enforce_admins": {"enabled": False}, "allow_force_pushes": {"enabled": True},
        "allow_deletions": {"enabled": False},
    },
    "user": {"login": "mia"},
}  # fmt: skip


def floor_(data: bytes) -> bool:
    """Refused, and then nothing passes by it; or a floor that holds whatever the repository's own policy says."""
    text = data.decode("utf-8", "surrogateescape")
    changed = facts(changes=(change("infra/network.tf"),), reviews=(), floor=text)
    judged = evaluate(changed, policy_text.parse_policy(LENIENT)).verdict
    try:
        given = floor.parse_floor(text)
    except policy_text.PolicyError:
        assert not text or judged.outcome is not Outcome.PASS
        return False
    guarded = [system.paths for system in given.systems.values() if system.tier in (0, 1)]
    if any(patterns.Patterns.compile(lines).match("infra/network.tf") for lines in guarded):
        assert judged.outcome is not Outcome.PASS
    return True


@cache
def _by() -> Any:
    return policy_text.parse_policy('version: 1\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n')


def cases(data: bytes) -> bool:
    """Refused with a place for each problem, or cases that each say what they expect."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = read_cases(text, _by())
    except policy_text.PolicyError as error:
        found, problems = (), error.problems
    else:
        problems = ()
    assert found or problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
    assert all(1 <= one.line <= text.count("\n") + 1 for one in found)
    return bool(found)


def stored(data: bytes) -> bool:
    """Read, or told which line is wrong; never with what stands in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / credentials.FILE
        file.write_bytes(data)
        file.chmod(0o600)
        try:
            found = credentials.read(Path(folder))
        except credentials.CredentialsError as error:
            found, why = {}, str(error)
        else:
            why = ""
    assert "0123456789abcdef0123" not in why
    assert set(found) <= set(credentials.NAMES)
    assert not any("\n" in value for value in found.values())
    return bool(found)


class Rules:
    """Answers what doctor asks about a branch."""

    github = SimpleNamespace(app_id=42)

    def __init__(self, answers: Any) -> None:
        self.answers = answers if isinstance(answers, dict) else {}

    def get_all(self, _path: str) -> Any:
        listed = self.answers.get("rules")
        if not isinstance(listed, list):
            raise GitHubError("a list was expected")
        return iter(listed)

    def get(self, path: str) -> Any:
        if path.endswith("/workflow"):
            return self.answers
        kind = "ruleset" if "/rulesets/" in path else "user" if path.startswith("/user/") else "protection"
        return self.answers.get(kind)


def rules(answers: Any) -> bool:
    """Read, or not understood: nothing else."""
    client: Any = Rules(answers)
    try:
        branch_rules.read_rules(client, "acme/shop", "main", is_default=True)
        branch_rules.actions_may_approve(client, "acme/shop")
    except GitHubError:
        return False
    return True
