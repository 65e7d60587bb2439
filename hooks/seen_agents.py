"""The agents that took part in a commit, and the hooks' lines as they tell of them."""

import hashlib
from collections.abc import Iterable, Sequence

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.journal import Line
from foureyes.shared.agent_mark import AgentMark
from foureyes.shared.agents import EnvMark
from foureyes.shared.record import Agent, Contributor, Witnessed

_WITNESSES = {"post-commit", "post-merge", "post-applypatch"}
"""Hooks that see a commit come into being; post-rewrite only hears of it."""
_IN_COMMIT = {
    "author": "identity",
    "committer": "identity",
    "trailer": "trailer",
    "body": "trailer",
    "note": "note",
}


def in_order(
    lines: Sequence[Line],
    contributors: Iterable[Contributor],
    marks: Iterable[AgentMark],
    carried: Iterable[Agent],
) -> tuple[Agent, ...]:
    """Everyone who took part, nearest to the commit first: who ran git, who was seen writing, who is named in it, who
    took part in what it was made from.
    """
    seen = list(who_ran_git(lines))
    for part in contributors:
        if part.cls == "ai" and part.agent:
            seen.append(Agent(part.agent, part.version, part.model, part.session, (part.evidence,)))
    seen += [Agent(m.agent, "", m.model, m.session, (_IN_COMMIT.get(m.how, "trailer"),)) for m in marks]
    seen += [Agent(a.id, a.version, a.model, a.session, ("note",)) for a in carried]
    merged: list[Agent] = []
    for agent in seen:
        at = next((n for n, known in enumerate(merged) if _same(known, agent)), None)
        if at is None:
            merged.append(agent)
        else:
            merged[at] = _merge(merged[at], agent)
    return tuple(merged)


def _same(one: Agent, other: Agent) -> bool:
    return one.id == other.id and (not one.session or not other.session or one.session == other.session)


def _merge(one: Agent, other: Agent) -> Agent:
    return Agent(
        one.id,
        one.version or other.version,
        one.model or other.model,
        one.session or other.session,
        tuple(dict.fromkeys((*one.evidence, *other.evidence))),
    )


def who_ran_git(lines: Iterable[Line]) -> tuple[Agent, ...]:
    """Among the processes, nearest first, then by what only an agent's shell has in its environment."""
    found: list[Agent] = []
    for line in lines:
        if line.agent:
            found.append(Agent(line.agent, evidence=("journal",)))
        for mark in _env(line):
            if mark.strong:
                session = _session(mark.agent, mark.session) if mark.session else ""
                found.append(Agent(mark.agent, mark.version, mark.model, session, ("journal",)))
    return tuple(found)


def witnessed(lines: Iterable[Line]) -> bool:
    """A hook saw the commit come into being."""
    return any(line.hook in _WITNESSES for line in lines)


def hints_at_agent(lines: Iterable[Line]) -> bool:
    """Something in the environment or among the processes says agent, surely or not."""
    return any(line.agent or _env(line) for line in lines)


def may_be_a_persons(lines: Sequence[Line]) -> bool:
    return witnessed(lines) and not hints_at_agent(lines)


def witness(lines: Sequence[Line]) -> Witnessed | None:
    if not lines:
        return None
    line = next((line for line in lines if line.hook in _WITNESSES), lines[0])
    return Witnessed(line.hook, line.at, line.operation)


def _env(line: Line) -> tuple[EnvMark, ...]:
    return catalogue().by_env(dict(line.marks))


def _session(agent: str, session: str) -> str:
    return hashlib.sha256(f"{agent}:{session}".encode()).hexdigest()
