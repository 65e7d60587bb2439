"""Records in the making: what is known of a batch of commits, and of those that they were made from."""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from foureyes.hooks import seen_agents
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.commit_map import FILTERED
from foureyes.hooks.commits import Commit, read_changes
from foureyes.hooks.edits import Edits, Found, Moment, moment_of, tick_of
from foureyes.hooks.git_ai_notes import agent_id, read_notes
from foureyes.hooks.journal import Line
from foureyes.hooks.landed import Unread, landed
from foureyes.hooks.left_behind import doubtful_paths, without_left_behind
from foureyes.hooks.lineage import CONTENT, RENAME, TWIN, Links, is_replay, is_sure
from foureyes.hooks.moved_away import has_unexplained, not_held
from foureyes.hooks.renamed import Origins
from foureyes.hooks.repo import Repo
from foureyes.hooks.seen_reviews import each_once
from foureyes.hooks.store import read_blobs
from foureyes.hooks.version import VERSION
from foureyes.shared import attribution, rekey
from foureyes.shared.agent_mark import NOTE, AgentMark
from foureyes.shared.diff import FileDiff
from foureyes.shared.git_ai_note import NotedLines
from foureyes.shared.line_trace import Hand
from foureyes.shared.merged_lines import keep_own
from foureyes.shared.noted_lines import add_noted
from foureyes.shared.record import (
    MOST_NAMED,
    Agent,
    Contributor,
    Operator,
    Parent,
    Record,
    Tool,
)
from foureyes.shared.renamed_lines import added_lines, relabel
from foureyes.shared.taken_lines import taken_over
from foureyes.shared.trailers import provenance_ids

_MOST_STEPS = 100


@dataclass(frozen=True)
class Builder:
    """Who builds, and where. `agents` are those that run this very process: then nothing is called human."""

    email: str
    login: str
    repository: str
    agents: tuple[str, ...]


@dataclass
class Batch:
    """All that is known of the commits asked for and of those that they were made from."""

    repo: Repo
    builder: Builder
    commits: Mapping[str, Commit]
    diffs: Mapping[str, tuple[FileDiff, ...]]
    journal: Mapping[str, tuple[Line, ...]]
    links: Links
    made: dict[str, Record]
    """Records that are kept, and those that were made on the way."""
    kept: frozenset[str]
    origins: Mapping[str, Origins]
    """Commit -> where the lines of files that it renamed come from."""
    found: dict[str, Found] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    merged: dict[str, list[tuple[FileDiff, ...]]] = field(default_factory=dict)
    """Of merges: the change against each further parent."""
    noted: dict[str, tuple[NotedLines, ...]] = field(default_factory=dict)
    """What notes of other tools say."""
    doubtful: set[str] = field(default_factory=set)
    """A person was seen making them, and yet not all of their lines can be called a person's."""
    underway: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Edits, contents and further parents, in a few processes for the whole batch."""
        todo = [self.commits[oid] for oid in self.diffs if oid not in self.made]
        changed = {
            oid: {diff.change.path: _blob(diff.change.new_blob) for diff in self.diffs[oid]}
            for oid in self.diffs
        }
        ticks = [tick_of(self._lines_then(oid)) for commit in todo for oid in commit.parents[:1]]
        since = min((tick for tick in ticks if tick is not None), default=math.inf)
        edits = Edits(self.repo, set().union(*(changed[commit.oid] for commit in todo)), since)
        places: dict[str, tuple[Set[str], Moment]] = {}
        for commit in todo:
            lines = self._lines_then(commit.oid)
            worktrees = {line.worktree for line in lines}
            before = tick_of([line for oid in commit.parents[:1] for line in self._lines_then(oid)])
            moment = moment_of(commit, lines)
            self.found[commit.oid] = edits.for_commit(changed[commit.oid], worktrees, moment, before)
            if lines and len(commit.parents) < 2:
                places[commit.oid] = (worktrees, moment)
        self._add_moved_away(edits, places, changed)
        self._pass_over_landed(todo)
        self.noted = read_notes(self.repo, (commit.oid for commit in todo))
        pairs = [(parent, commit.oid) for commit in todo for parent in commit.parents[1:]]
        for (_, oid), diffs in read_changes(self.repo, pairs).items():
            self.merged.setdefault(oid, []).append(diffs)
        wanted: set[str] = set()
        for commit in todo:
            followed = set(attribution.wanted(self.diffs[commit.oid], self.found[commit.oid].edits))
            sources = self._sources(commit.oid)
            shared = changed[commit.oid].keys() & set().union(*(changed[source] for source in sources))
            for oid, paths in ((commit.oid, followed | shared), *((source, shared) for source in sources)):
                for diff in self.diffs[oid]:
                    if diff.change.path in paths:
                        wanted |= {diff.change.old_blob, diff.change.new_blob}
        self.blobs = read_blobs(self.repo, wanted)

    def _lines_then(self, oid: str) -> tuple[Line, ...]:
        """When the content came into being: where a history was rewritten, with the commit that is gone."""
        was = [source for source, how in self.links.get(oid, {}).items() if how == FILTERED]
        return next((self.journal[one] for one in (oid, *was) if one in self.journal), ())

    def _add_moved_away(
        self,
        edits: Edits,
        places: Mapping[str, tuple[Set[str], Moment]],
        changed: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Edits of files that a person moved before committing them: the lines stay the agent's."""
        asked = {
            oid: edits.left(changed[oid], *place)
            for oid, place in places.items()
            if has_unexplained(self.diffs[oid], {edit.path: edit for edit in self.found[oid].edits})
        }
        for oid, names in not_held(self.repo, asked).items():
            found = self.found[oid]
            self.found[oid] = replace(found, edits=(*found.edits, *edits.of(names, *places[oid])))

    def _pass_over_landed(self, todo: Sequence[Commit]) -> None:
        open_ones = [
            Unread(commit.oid, commit.parents[0], diff, found.results_of(diff.change.path))
            for commit in todo
            if (found := self.found[commit.oid]).unread and commit.parents
            for diff in self.diffs[commit.oid]
            if diff.change.path in found.unread - found.open
        ]
        for oid, path in landed(self.repo, open_ones, self.journal):
            self.found[oid] = replace(self.found[oid], unread=self.found[oid].unread - {path})

    def _sources(self, oid: str) -> list[str]:
        return [source for source in self.links.get(oid, ()) if source in self.diffs]

    def record(self, oid: str) -> Record:
        if oid in self.made:
            return self.made[oid]
        self.underway.add(oid)
        commit, lines, diffs = self.commits[oid], self.journal.get(oid, ()), self.diffs[oid]
        ids = provenance_ids(commit.message)
        marks = self._marks(oid)
        sources = self._source_records(oid)
        named = [
            agent for _, how, made in sources if is_sure(how) for agent in made.agents if made.cls == "ai"
        ] + self._who_ran_gone(oid)
        own = self._own_lines(oid, marks, signs=bool(ids or named))
        parts, used = self._carry(oid, own, sources)
        parts = self._moved_lines(oid, parts, used)
        carried = [agent for agent in (*named, *_agents_of(parts, own))]
        agents = seen_agents.in_order(lines, own, marks, carried)
        mine = commit.author.email.lower() == self.builder.email.lower() != ""
        lineage = tuple(
            Parent(source, how)
            for source, how in self.links.get(oid, {}).items()
            if is_sure(how) or source in used
        )
        before = [made for source, how, made in sources if is_sure(how) or source in used]
        first, everyone = self._operators(oid, own, mine=mine, before=before)
        record = Record(
            commit=oid,
            tree=commit.tree,
            id=ids[0] if ids else "",
            repository=self.builder.repository,
            cls=self._class(oid, agents, mine=mine, signs=bool(ids or self.builder.agents)),
            files=tuple(diff.change for diff in diffs),
            agents=agents,
            contributors=parts,
            operator=first,
            lineage=lineage,
            witness=seen_agents.witness(lines),
            hooks=tuple(sorted({line.hook for line in lines})),
            tool=Tool("foureyes", VERSION),
            operators=everyone,
            reviews=each_once(
                review for _, how, made in sources if is_sure(how) or how == TWIN for review in made.reviews
            ),
        )
        self.made[oid] = record
        return record

    def _marks(self, oid: str) -> tuple[AgentMark, ...]:
        """Agents that the commit itself names, or a note of another tool."""
        commit = self.commits[oid]
        noted = dict.fromkeys(lines.agent for lines in self.noted.get(oid, ()))
        return (
            *catalogue().find_marks(commit.message, commit.author, commit.committer),
            *(AgentMark(agent_id(agent.tool), NOTE, model=agent.model) for agent in noted),
        )

    def _source_records(self, oid: str) -> list[tuple[str, str, Record]]:
        found = []
        for source, how in self.links.get(oid, {}).items():
            known = source in self.made or (source in self.diffs and source not in self.underway)
            if known and (source in self.made or len(self.underway) - len(self.made) < _MOST_STEPS):
                found.append((source, how, self.record(source)))
        return found

    def _who_ran_gone(self, oid: str) -> list[Agent]:
        """The agents that made what this was made from and what is gone, where there is no record of it either."""
        gone = [oid]
        for one in gone:
            sure = (source for source, how in self.links.get(one, {}).items() if is_sure(how))
            gone += [s for s in sure if s not in self.made and s not in self.diffs and s not in gone]
        return [agent for one in gone[1:] for agent in seen_agents.who_ran_git(self.journal.get(one, ()))]

    def _carry(
        self, oid: str, own: tuple[Contributor, ...], sources: Sequence[tuple[str, str, Record]]
    ) -> tuple[tuple[Contributor, ...], set[str]]:
        """The lines with what the sources' agents wrote; and from which sources any came."""
        parts, used = own, set()
        replayed = is_replay(self.journal.get(oid, ()))
        for source, how, made in sources:
            same = (
                how == TWIN and source in self.diffs and rekey.is_alike(self.diffs[oid], self.diffs[source])
            )
            if source in self.diffs and (is_sure(how) or same):
                was = rekey.Source(self.diffs[source], made.contributors, trusted=True)
                parts = rekey.leave(self.diffs[oid], parts, was)
        for source, how, made in sorted(sources, key=lambda item: not is_sure(item[1])):
            sure = how != TWIN or replayed or source in self.kept or self._ran(source)
            if made.cls == "ai" and sure and how != RENAME:
                told = rekey.source_gone(self.diffs[oid], made.files, made.contributors)
                if source in self.diffs:
                    told = rekey.Source(self.diffs[source], made.contributors, is_sure(how))
                more = rekey.carry(self.diffs[oid], parts, told, self.blobs)
                if more != parts:
                    parts = more
                    used.add(source)
        return parts, used

    def _moved_lines(
        self, oid: str, parts: tuple[Contributor, ...], used: set[str]
    ) -> tuple[Contributor, ...]:
        """The lines of renamed files with what the commits tell that they come from; adds those to `used` of which any
        agent's came. Where such a commit cannot be read, its lines are nobody's.
        """
        told: dict[tuple[str, int], Contributor] = {}
        of: dict[str, dict[tuple[str, int], Contributor]] = {}
        for path, lines in self.origins.get(oid, {}).items():
            for number, origin in lines.items():
                made = self.made.get(origin.commit)
                if made is not None and origin.commit not in of:
                    of[origin.commit] = added_lines(made.contributors)
                nobodys = Contributor(path, "added", number, 1, "unknown")
                part = of.get(origin.commit, {}).get((origin.path, origin.number), nobodys)
                if part.cls != "human":
                    told[path, number] = part
                if part.cls == "ai":
                    used.add(origin.commit)
                if made is None:
                    self.doubtful.add(oid)
        return relabel(parts, told)

    def _ran(self, oid: str) -> bool:
        return bool(seen_agents.who_ran_git(self.journal.get(oid, ())))

    def _class(self, oid: str, agents: Sequence[Agent], *, mine: bool, signs: bool) -> str:
        """`human` only where a person was seen making the commit and nothing at all says agent. `signs`: something
        does, though it names none.
        """
        if agents:
            return "ai"
        doubt = signs or self.found[oid].unread or oid in self.doubtful
        return "human" if mine and not doubt and self._by_a_person(oid, set()) else ""

    def _by_a_person(self, oid: str, asked: set[str]) -> bool:
        """Whether the hooks saw a person make it, and also what it was made from: whoever replays or amends what
        nobody saw, or what is in doubt, has not written it.
        """
        lines = self.journal.get(oid, ())
        if oid in asked:
            return True  # twins of each other: each of them is asked by itself
        if not seen_agents.may_be_a_persons(lines) or (asked and self._is_in_doubt(oid)):
            return False
        asked = asked | {oid}
        links = self.links.get(oid, {})
        before = [source for source, how in links.items() if is_sure(how)]
        if not before and oid in self.diffs:
            twins = [source for source, how in links.items() if how == TWIN and source in self.diffs]
            before = [s for s in twins if rekey.is_alike(self.diffs[oid], self.diffs[s])][:1]
        if not before and self._takes_from_unseen(oid, asked):
            return False
        if is_replay(lines):
            whole = [self.diffs[source] for source in before if source in self.diffs]
            if not before or not rekey.is_whole(self.diffs.get(oid, ()), whole):
                return False
        return all(self._by_a_person(source, asked) for source in before)

    def _is_in_doubt(self, oid: str) -> bool:
        """Whether an agent may have written some of it, though a person made it: of what is kept, the record tells."""
        if oid in self.kept:
            made = self.made[oid]
            return made.cls == "" and any(part.cls == "unknown" for part in made.contributors)
        return oid in self.doubtful or bool(oid in self.found and self.found[oid].unread)

    def _takes_from_unseen(self, oid: str, asked: set[str]) -> bool:
        """Whether a commit aside that no hook saw, or that is in doubt, is in it: squashed, picked or reset, and
        committed as one's own. Not where the hooks saw a person make such a commit before: others may have taken that
        over, too.
        """
        alike = [
            source
            for source, how in self.links.get(oid, {}).items()
            if how == CONTENT
            and {oid, source} <= self.diffs.keys()
            and rekey.is_taken_over(self.diffs[oid], self.diffs[source])
        ]
        unseen = [source for source in alike if not self.journal.get(source) or self._is_in_doubt(source)]
        return bool(unseen) and not any(
            self._by_a_person(source, asked) for source in alike if source not in unseen
        )

    def _own_lines(self, oid: str, marks: Sequence[AgentMark], *, signs: bool) -> tuple[Contributor, ...]:
        """Lines as the evidence and the journal tell them, without what earlier commits tell."""
        diffs, lines, found = self.diffs[oid], self.journal.get(oid, ()), self.found[oid]
        followed = set(attribution.wanted(diffs, found.edits))
        contents = {
            diff.change.path: (self.blobs.get(diff.change.old_blob), self.blobs.get(diff.change.new_blob))
            for diff in diffs
            if diff.change.path in followed
        }
        ran = seen_agents.who_ran_git(lines)
        first = ran[0] if ran else None
        # Replayed lines were written before, by whoever wrote them then; the replay tells nothing of them.
        if is_replay(lines) and self.links.get(oid):
            first = None
        hand = Hand(first.id, first.version, first.model, first.session, "journal") if first else None
        person = not (ran or signs or marks) and self._by_a_person(oid, set())
        committing = attribution.Committing(hand, person)
        parts = attribution.attribute(diffs, found.edits, contents, committing, found.elsewhere, found.unread)
        doubtful = doubtful_paths(parts) & {edit.path for edit in found.edits}
        if doubtful:
            found = found.given_back(doubtful)
            edits = without_left_behind(self.repo, self.commits[oid], found.edits, doubtful, self.journal)
            parts = attribution.attribute(diffs, edits, contents, committing, found.elsewhere, found.unread)
        if person:
            parts = relabel(parts, taken_over(diffs, parts, found.uncommitted))
        if person and attribution.is_doubtful(diffs, parts):
            self.doubtful.add(oid)
        if oid in self.merged:
            parts = keep_own(parts, diffs, self.merged[oid])
        noted = self.noted.get(oid, ())
        return add_noted(parts, noted, {one.agent.tool: agent_id(one.agent.tool) for one in noted})

    def _operators(
        self, oid: str, lines: Sequence[Contributor], *, mine: bool, before: Sequence[Record]
    ) -> tuple[Operator, tuple[Operator, ...]]:
        """The first of those who ran an agent, and all of them if they are several. Of a commit that was made from
        another's, whoever ran the agent then: those who made this one are its committer and pusher, and do not count
        anyway.
        """
        builder = self.builder
        own = Operator()
        if self.journal.get(oid) or mine or self.found[oid].edits:
            how = "foureyes.login" if builder.login else ("git" if builder.email else "")
            own = Operator(builder.login, builder.email, how)
        ran = self._ran(oid) or any(part.cls == "ai" for part in lines)
        earlier = [one for made in before if made.cls == "ai" for one in made.operators or (made.operator,)]
        named = [one for one in (*earlier, *((own,) if ran else ())) if one.claim or one.email]
        everyone = tuple({(one.claim or one.email).casefold(): one for one in reversed(named)}.values())[::-1]
        others = [one for one in everyone if (one.claim, one.email) != (own.claim, own.email)]
        if not others:
            return own, ()
        whole = (*others, *(one for one in everyone if one not in others))
        return others[0], whole[:MOST_NAMED] if len(whole) > 1 else ()


def _blob(oid: str) -> str:
    """ "" for no file."""
    return oid if oid.strip("0") else ""


def _agents_of(parts: Sequence[Contributor], own: Sequence[Contributor]) -> list[Agent]:
    """Agents of the carried lines alone."""
    if parts == own:
        return []
    before = {(part.agent, part.session) for part in own if part.cls == "ai"}
    found = [p for p in parts if p.cls == "ai" and p.agent and (p.agent, p.session) not in before]
    return [Agent(part.agent, part.version, part.model, part.session) for part in found]
