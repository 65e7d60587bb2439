"""mergeable: the pull request is open, not a draft, and its merge result is one that git and GitHub agree on."""

from dataclasses import dataclass

from foureyes.shared.case import Case, known
from foureyes.shared.facts import MergeState
from foureyes.shared.markup import code
from foureyes.shared.policy import Policy
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "mergeable"


@dataclass(frozen=True)
class Params:
    """This rule has no parameters."""


def params(_policy: Policy) -> Params:
    return Params()


def check(case: Case, _params: Params) -> Verdict:
    pull, merge = case.facts.pull, known(case.facts.merge)
    if not pull.is_open:
        return _refuse(Outcome.BLOCK, "closed", "the pull request is closed")
    if merge.state is MergeState.CONFLICT:
        return _refuse(
            Outcome.BLOCK, "conflict", f"it conflicts with {code(pull.base_ref)}; resolve the conflicts"
        )
    if merge.state is MergeState.UNRELATED:
        return _refuse(Outcome.BLOCK, "unrelated", f"it shares no history with {code(pull.base_ref)}")
    if merge.github_tree is not None and merge.github_tree != merge.tree:
        text = "GitHub merges this otherwise than git does; push again"
        return _refuse(Outcome.BLOCK, "merge-differs", text)
    if pull.draft:
        return _refuse(Outcome.WAIT, "draft", "it is a draft; mark it ready for review")
    return Verdict(NAME, Outcome.PASS, (Reason("merges", f"merges cleanly into {code(pull.base_ref)}"),))


def _refuse(outcome: Outcome, code: str, text: str) -> Verdict:
    return Verdict(NAME, outcome, (Reason(code, text),))


RULE = Rule(NAME, frozenset({Event.PULL, Event.PUSH}), ("merge",), params, check)
