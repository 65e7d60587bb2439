"""shown: GitHub shows reviewers every guarded path that the merge changes.

A criss-cross history can leave the three-dot diff that people read empty while the merge changes a guarded file.
"""

from dataclasses import dataclass

from foureyes.shared.case import Case, known
from foureyes.shared.policy import Policy
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "shown"


@dataclass(frozen=True)
class Params:
    """This rule has no parameters."""


def params(_policy: Policy) -> Params:
    return Params()


def check(case: Case, _params: Params) -> Verdict:
    hidden = sorted(set(known(case.facts.hidden)) & case.protection.paths)
    if not hidden:
        return Verdict(NAME, Outcome.PASS, (Reason("all-shown", "GitHub shows reviewers all of this"),))
    text = "GitHub's diff does not show reviewers this change; rebase onto the base branch"
    return Verdict(NAME, Outcome.BLOCK, tuple(Reason("hidden", text, path) for path in hidden))


RULE = Rule(NAME, frozenset({Event.PUSH, Event.POLICY}), ("changes", "touched", "hidden"), params, check)
