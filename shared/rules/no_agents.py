"""no_agents: a project that takes no agent-written code (`mode: forbid`) refuses every commit that names an agent."""

from dataclasses import dataclass

from foureyes.shared.case import Case
from foureyes.shared.classes import Class
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
    found = [c for c in case.classes if c.cls is Class.AI or c.agents]
    if not found:
        return Verdict(NAME, Outcome.PASS, (Reason("no-agent-named", "no commit names an agent"),))
    text = "this project takes no agent-written changes"
    return Verdict(NAME, Outcome.BLOCK, tuple(Reason("agent-written", text, c.commit) for c in found))


RULE = Rule(NAME, frozenset({Event.PUSH, Event.RECORD, Event.POLICY}), ("commits", "pushes"), params, check)
