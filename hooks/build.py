"""Records, built when they are first needed: what the journal, the evidence and the commits themselves tell."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.commits import Commit, read_commits, read_diffs
from foureyes.hooks.edits import Edits, Found
from foureyes.hooks.journal import Line, read_journal
from foureyes.hooks.lineage import find_parents
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_blobs
from foureyes.hooks.version import VERSION
from foureyes.shared import attribution
from foureyes.shared.agents import EnvMark
from foureyes.shared.diff import FileDiff
from foureyes.shared.facts import AgentMark
from foureyes.shared.line_trace import Hand
from foureyes.shared.record import Agent, Contributor, Operator, Parent, Record, Tool, Witnessed
from foureyes.shared.trailers import provenance_ids

_WITNESSES = {"post-commit", "post-merge", "post-applypatch"}
"""Hooks that see a commit come into being; post-rewrite only hears of it."""
_IN_COMMIT = {"author": "identity", "committer": "identity", "trailer": "trailer", "body": "trailer"}


@dataclass(frozen=True)
class Builder:
    """Who builds, and where. `agents` are those that run this very process: then nothing is called human."""

    email: str
    login: str
    repository: str
    agents: tuple[str, ...]


@dataclass(frozen=True)
class _Sources:
    """All that is known of one commit before its record is made."""

    commit: Commit
    diffs: tuple[FileDiff, ...]
    lines: tuple[Line, ...]
    marks: tuple[AgentMark, ...]
    found: Found
    parents: tuple[Parent, ...]
    carried: tuple[Agent, ...]
    """Agents of records that this commit was made from."""


def build(repo: Repo, commits: Iterable[str], builder: Builder) -> dict[str, Record]:
    """The records of these commits, by id; a commit whose change cannot be read is left out. The number of processes
    does not depend on the number of commits.
    """
    known = read_commits(repo, commits)
    diffs = read_diffs(repo, list(known.values())) if known else {}
    ordered = [known[oid] for oid in diffs]
    if not ordered:
        return {}
    journal = read_journal(repo.common_dir)
    changed = {diff.change.path for found in diffs.values() for diff in found}
    edits = Edits(repo, changed)
    lineage = find_parents(repo, ordered, journal)
    sources = []
    for commit in ordered:
        lines = journal.get(commit.oid, ())
        paths = {diff.change.path for diff in diffs[commit.oid]}
        found = edits.for_commit(paths, lines[0].worktree if lines else "", commit.committed_at)
        marks = catalogue().find_marks(commit.message, commit.author, commit.committer)
        parents, carried = lineage.get(commit.oid, ((), ()))
        sources.append(_Sources(commit, diffs[commit.oid], lines, marks, found, parents, carried))
    contents = _contents(repo, sources)
    return {source.commit.oid: _record(source, contents, builder) for source in sources}


def _contents(repo: Repo, sources: Sequence[_Sources]) -> dict[str, bytes]:
    """Blobs of the files whose lines have to be followed, for the whole batch in one process."""
    oids = set()
    for source in sources:
        wanted = set(attribution.wanted(source.diffs, source.found.edits))
        for diff in source.diffs:
            if diff.change.path in wanted:
                oids |= {diff.change.old_blob, diff.change.new_blob}
    return read_blobs(repo, oids)


def _record(source: _Sources, blobs: Mapping[str, bytes], builder: Builder) -> Record:
    commit, lines = source.commit, source.lines
    ids = provenance_ids(commit.message)
    contributors = _contributors(source, blobs, signs=bool(ids or source.carried))
    agents = _agents(source, contributors)
    mine = commit.author.email.lower() == builder.email.lower() != ""
    return Record(
        commit=commit.oid,
        tree=commit.tree,
        id=ids[0] if ids else "",
        repository=builder.repository,
        cls=_class(source, agents, mine=mine, signs=bool(ids or builder.agents)),
        files=tuple(diff.change for diff in source.diffs),
        agents=agents,
        contributors=contributors,
        operator=_operator(builder) if lines or mine or source.found.edits else Operator(),
        lineage=source.parents,
        witness=_witness(lines),
        hooks=tuple(sorted({line.hook for line in lines})),
        tool=Tool("foureyes", VERSION),
    )


def _class(source: _Sources, agents: Sequence[Agent], *, mine: bool, signs: bool) -> str:
    """`human` only where a hook saw the commit come into being and nothing at all says agent. `signs`: something
    does, though it names none.
    """
    if agents:
        return "ai"
    witnessed = any(line.hook in _WITNESSES for line in source.lines)
    doubt = signs or source.found.unread or any(_env(line) for line in source.lines)
    return "human" if witnessed and mine and not doubt else ""


def _contributors(source: _Sources, blobs: Mapping[str, bytes], *, signs: bool) -> tuple[Contributor, ...]:
    wanted = set(attribution.wanted(source.diffs, source.found.edits))
    contents = {
        diff.change.path: (blobs.get(diff.change.old_blob), blobs.get(diff.change.new_blob))
        for diff in source.diffs
        if diff.change.path in wanted
    }
    lines = source.lines
    journaled = _journaled(lines)
    # Replayed lines were written before, by whoever wrote them then: nobody was seen writing them now.
    plain = any(line.hook in _WITNESSES and not line.operation for line in lines)
    witnessed = plain and not (signs or source.marks or any(_env(line) for line in lines))
    first = journaled[0] if journaled else None
    hand = Hand(first.id, first.version, first.model, first.session, "journal") if first else None
    committing = attribution.Committing(hand, witnessed and hand is None)
    return attribution.attribute(source.diffs, source.found.edits, contents, committing)


def _agents(source: _Sources, contributors: Sequence[Contributor]) -> tuple[Agent, ...]:
    """Everyone who took part, nearest to the commit first: who ran git, who was seen writing, who is named in it."""
    seen = list(_journaled(source.lines))
    for part in contributors:
        if part.cls == "ai" and part.agent:
            seen.append(Agent(part.agent, part.version, part.model, part.session, (part.evidence,)))
    seen += [
        Agent(m.agent, "", m.model, m.session, (_IN_COMMIT.get(m.how, "trailer"),)) for m in source.marks
    ]
    seen += [Agent(a.id, a.version, a.model, a.session, ("note",)) for a in source.carried]
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


def _journaled(lines: Sequence[Line]) -> tuple[Agent, ...]:
    """Who ran git: among the processes, nearest first, then by what only an agent's shell has in its environment."""
    found: list[Agent] = []
    for line in lines:
        if line.agent:
            found.append(Agent(line.agent, evidence=("journal",)))
        for mark in _env(line):
            if mark.strong:
                session = _session(mark.agent, mark.session) if mark.session else ""
                found.append(Agent(mark.agent, mark.version, mark.model, session, ("journal",)))
    return tuple(found)


def _env(line: Line) -> tuple[EnvMark, ...]:
    return catalogue().by_env(dict(line.marks))


def _session(agent: str, session: str) -> str:
    return hashlib.sha256(f"{agent}:{session}".encode()).hexdigest()


def _witness(lines: Sequence[Line]) -> Witnessed | None:
    if not lines:
        return None
    line = next((line for line in lines if line.hook in _WITNESSES), lines[0])
    return Witnessed(line.hook, line.at, line.operation)


def _operator(builder: Builder) -> Operator:
    if builder.login:
        return Operator(builder.login, builder.email, "foureyes.login")
    return Operator("", builder.email, "git" if builder.email else "")
