"""recorded: every commit has a class that evidence establishes, or as many humans looked as `unattested` asks for.

This is what makes a skipped hook gain nothing: no record is a state with a cost, not an absence.
"""

from dataclasses import dataclass

from foureyes.shared.case import APPROVAL_FACTS, Case, known
from foureyes.shared.classes import Class, CommitClass
from foureyes.shared.policy import Policy
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "recorded"


@dataclass(frozen=True)
class Params:
    """This rule has no parameters of its own: the tiers' `unattested` cells are its measure."""


def params(_policy: Policy) -> Params:
    return Params()


def check(case: Case, _params: Params) -> Verdict:
    missing = [c for c in case.classes if c.cls is Class.UNATTESTED]
    if not known(case.facts.commits):
        return Verdict(
            NAME, Outcome.BLOCK, (Reason("nothing-to-merge", "the base holds all of its commits"),)
        )
    if not case.classes:
        return _without_class(case)
    if not missing:
        text = "every commit has a record that holds"
        return Verdict(NAME, Outcome.PASS, (Reason("all-recorded", text),))
    return Verdict(NAME, _outcome(case), tuple(_reason(c) for c in missing))


def _outcome(case: Case) -> Outcome:
    enough = len(case.approvals.counted) >= case.needed_for(Class.UNATTESTED)
    return Outcome.PASS if enough else Outcome.WAIT


def _reason(commit: CommitClass) -> Reason:
    return Reason("claimed" if commit.claimed else "no-record", commit.why, commit.commit)


def _without_class(case: Case) -> Verdict:
    text = "only merges that git makes by itself: nobody says who wrote this change"
    return Verdict(NAME, _outcome(case), (Reason("no-commits", text),))


RULE = Rule(
    NAME,
    frozenset({Event.PUSH, Event.RECORD, Event.REVIEW, Event.PEOPLE, Event.POLICY, Event.TIME}),
    APPROVAL_FACTS,
    params,
    check,
)
