"""no_agents: a project that takes no agent-written code (`mode: forbid`) refuses every commit that names an agent."""

from dataclasses import dataclass

from foureyes.shared.case import Case
from foureyes.shared.classes import Class, CommitClass
from foureyes.shared.policy import Policy
from foureyes.shared.rule import Event, Rule
from foureyes.shared.verdict import Outcome, Reason, Verdict

NAME = "no_agents"


@dataclass(frozen=True)
class Params:
    forbidden: bool


def params(policy: Policy) -> Params:
    return Params(forbidden=policy.mode == "forbid")


def check(case: Case, params: Params) -> Verdict:
    if not params.forbidden:
        return Verdict(
            NAME, Outcome.PASS, (Reason("agents-allowed", "the policy takes agent-written changes"),)
        )
    found = [c for c in case.classes if c.cls is Class.AI or c.agents or c.unread]
    if not found:
        return Verdict(NAME, Outcome.PASS, (Reason("no-agent-named", "no commit names an agent"),))
    return Verdict(NAME, Outcome.BLOCK, tuple(Reason("agent-written", _text(c), c.commit) for c in found))


def _text(commit: CommitClass) -> str:
    text = "this project takes no agent-written changes"
    named = commit.cls is Class.AI or commit.agents
    return text if named else f"{text}, and a note on the commit could not be read and may name an agent"


RULE = Rule(NAME, frozenset({Event.PUSH, Event.RECORD, Event.POLICY}), ("commits", "pushes"), params, check)
