"""Counting a history: sums by class, agent, month and folder, in memory that grows with the names, not the commits."""

import heapq
import posixpath
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from foureyes.hooks.scan_history import Entry, HistoryCommit
from foureyes.hooks.scan_records import Told
from foureyes.shared import paths
from foureyes.shared.agents import Catalogue
from foureyes.shared.facts import AgentMark, Change
from foureyes.shared.history_signs import HistorySigns
from foureyes.shared.policy import Policy
from foureyes.shared.protection import protect

TOP_LEVEL = "(top level)"
_FOLDER_DEPTH = 2


class Kind(StrEnum):
    """What is known of a commit's author. CLAIMED and NONE cost the same at the gate."""

    AI = "ai"
    """A signed record says so."""
    CLAIMED = "ai (claimed)"
    """The commit, a note or an unsigned record names an agent."""
    HUMAN = "no agent (recorded)"
    """A signed record says that no agent took part, and nothing names one."""
    NONE = "no record"


@dataclass(frozen=True)
class Look:
    """All that can tell of an agent."""

    signs: HistorySigns
    told: dict[str, Told]

    def at(self, commit: HistoryCommit) -> tuple[Kind, tuple[AgentMark, ...]]:
        told = self.told.get(commit.oid)
        marks = self.signs.find(commit.message, commit.author, commit.committer)
        if told is None:
            return (Kind.CLAIMED if marks else Kind.NONE), marks
        marks += told.marks
        if told.says == "ai":
            return Kind.AI, marks
        if marks:
            return Kind.CLAIMED, marks
        return (Kind.HUMAN if told.says == "human" else Kind.NONE), marks


@dataclass
class Sum:
    commits: int = 0
    added: int = 0
    deleted: int = 0

    def add(self, added: int, deleted: int) -> None:
        self.commits += 1
        self.added += added
        self.deleted += deleted


@dataclass
class AgentSum(Sum):
    known_by: Counter[str] = field(default_factory=Counter)
    """Commits by where the agent is named; a commit can name it in several places."""
    models: Counter[str] = field(default_factory=Counter)


@dataclass
class PlaceSum(Sum):
    """A folder, or a system of the policy, with the commits and lines by which agents touched it."""

    tier: int | None = None
    files_deleted: int = 0


@dataclass(frozen=True, order=True)
class Deletion:
    """A commit that names an agent, by the lines it deleted."""

    lines: int
    files: int
    commit: str
    at: int | None
    agents: tuple[str, ...]
    kind: Kind
    mostly_in: str
    author: str
    title: str


@dataclass
class Tally:
    look: Look
    policy: Policy | None
    boundary: frozenset[str]
    keep: int
    """How many of the largest deletions to keep."""
    by_kind: dict[Kind, Sum] = field(default_factory=lambda: {kind: Sum() for kind in Kind})
    agents: dict[str, AgentSum] = field(default_factory=dict)
    months: dict[str, dict[Kind, Sum]] = field(default_factory=dict)
    folders: dict[str, PlaceSum] = field(default_factory=dict)
    systems: dict[str, PlaceSum] = field(default_factory=dict)
    deletions: list[Deletion] = field(default_factory=list)
    people: dict[str, Sum] = field(default_factory=dict)
    """Authors of the commits in which an agent is named, that are no agents themselves."""
    merges: int = 0
    merges_by_agents: int = 0
    cut_off: int = 0
    """Commits at the edge of a shallow clone: counted as commits, never by lines."""
    binary: int = 0
    """Changes to files that git takes for binary, whose lines are not counted."""
    first: int | None = None
    last: int | None = None

    def add(self, commit: HistoryCommit) -> None:
        kind, marks = self.look.at(commit)
        if len(commit.parents) > 1:
            self.merges += 1
            self.merges_by_agents += bool(marks)
            return
        if commit.oid in self.boundary:
            self.cut_off += 1
            commit.raw, commit.counts = [], []
        added, deleted = commit.sums()
        self.by_kind[kind].add(added, deleted)
        self._add_month(commit.at, kind, added, deleted)
        if marks:
            self._add_agents(commit, kind, marks, added, deleted)

    def _add_month(self, at: int | None, kind: Kind, added: int, deleted: int) -> None:
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        month = self.months.get(name := month_of(at))
        if month is None:
            month = self.months[name] = {kind: Sum() for kind in Kind}
        month[kind].add(added, deleted)

    def _add_agents(
        self, commit: HistoryCommit, kind: Kind, marks: tuple[AgentMark, ...], added: int, deleted: int
    ) -> None:
        agents = tuple(dict.fromkeys(mark.agent for mark in marks))
        for agent in agents:
            found = self.agents.setdefault(agent, AgentSum())
            found.add(added, deleted)
            found.known_by.update({mark.how for mark in marks if mark.agent == agent})
            found.models.update({mark.model for mark in marks if mark.agent == agent and mark.model})
        if not any(mark.how == "author" for mark in marks):
            self.people.setdefault(commit.author.name, Sum()).add(added, deleted)
        entries = list(commit.entries())
        self.binary += sum(entry.binary for entry in entries)
        self._add_folders(entries)
        self._add_systems(entries)
        if deleted or any(entry.status == "D" for entry in entries):
            self._keep_deletion(commit, kind, agents, entries)

    def _add_folders(self, entries: Iterable[Entry]) -> None:
        for folder, several in _by_folder(entries).items():
            _add_place(self.folders.setdefault(folder, PlaceSum()), several)

    def _add_systems(self, entries: Iterable[Entry]) -> None:
        if self.policy is None:
            return
        by_path = {paths.decode(entry.path): entry for entry in entries}
        for hit in protect(self.policy, map(change_of, by_path.values())).hits:
            place = self.systems.setdefault(hit.system, PlaceSum(tier=hit.tier))
            _add_place(place, [by_path[path] for path in hit.paths])

    def _keep_deletion(
        self, commit: HistoryCommit, kind: Kind, agents: tuple[str, ...], entries: list[Entry]
    ) -> None:
        by_folder = {
            folder: (sum(e.deleted for e in several), sum(e.status == "D" for e in several))
            for folder, several in _by_folder(entries).items()
        }
        files = sum(entry.status == "D" for entry in entries)
        lines = sum(entry.deleted for entry in entries)
        title = commit.message.lstrip(b"\n").partition(b"\n")[0].decode("utf-8", "replace")
        deletion = Deletion(
            lines, files, commit.oid, commit.at, agents, kind,
            max(sorted(by_folder), key=by_folder.__getitem__), commit.author.name, title,
        )  # fmt: skip
        if len(self.deletions) < self.keep:
            heapq.heappush(self.deletions, deletion)
        elif self.keep:
            heapq.heappushpop(self.deletions, deletion)


def change_of(entry: Entry) -> Change:
    """As the gate sees it, without the contents' ids."""
    return Change(
        paths.decode(entry.path),
        entry.status,
        entry.old_mode,
        entry.new_mode,
        "",
        "",
        entry.added,
        entry.deleted,
    )


def month_of(at: int | None) -> str:
    """`2026-11`, in UTC; empty for no time, or one that no calendar has."""
    if at is None or at >= 253402300800:
        return ""
    moment = time.gmtime(at)
    return f"{moment.tm_year:04}-{moment.tm_mon:02}"


def names(catalogue: Catalogue) -> dict[str, str]:
    return {agent.id: agent.name for agent in catalogue.agents}


def _by_folder(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        folder = posixpath.dirname(paths.decode(entry.path))
        parts = folder.split("/")[:_FOLDER_DEPTH]
        found.setdefault("/".join(parts) + "/" if folder else TOP_LEVEL, []).append(entry)
    return found


def _add_place(place: PlaceSum, entries: Iterable[Entry]) -> None:
    several = list(entries)
    place.add(sum(entry.added for entry in several), sum(entry.deleted for entry in several))
    place.files_deleted += sum(entry.status == "D" for entry in several)
