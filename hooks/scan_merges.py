"""The last merges of a branch, and which of them would have waited for two humans under a policy."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from foureyes.hooks.scan_count import Kind, Look, change_of
from foureyes.hooks.scan_history import Depth, HistoryCommit, read_log
from foureyes.hooks.scan_objects import Objects
from foureyes.shared.classes import Class
from foureyes.shared.facts import Change
from foureyes.shared.hindsight import look_back
from foureyes.shared.landing import How, Landing, landing
from foureyes.shared.policy import Policy

LAST = 100
_FURTHEST = 50 * LAST
_CLASS = {
    Kind.AI: Class.AI,
    Kind.CLAIMED: Class.UNATTESTED,
    Kind.HUMAN: Class.HUMAN,
    Kind.NONE: Class.UNATTESTED,
}
AGENT, NO_RECORD = "an agent is named", "no record"


@dataclass(frozen=True)
class Landed:
    """One merge: a commit on the branch, or those of one pull request that landed one by one, newest first."""

    how: How
    pull: int | None
    tips: tuple[HistoryCommit, ...]
    changes: tuple[Change, ...]


@dataclass
class Waits:
    """What was seen of the last merges."""

    looked_at: int = 0
    by_how: Counter[str] = field(default_factory=Counter)
    with_agents: int = 0
    for_two: int = 0
    for_one: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Of those that wait for two: why the class is what it is."""
    systems: Counter[str] = field(default_factory=Counter)
    """Of those that wait for two: the systems that ask for it."""

    def add(self, landed: Landed, kinds: set[Kind], policy: Policy) -> None:
        self.looked_at += 1
        self.by_how[landed.how.value] += 1
        agents = bool(kinds & {Kind.AI, Kind.CLAIMED})
        self.with_agents += agents
        cls = max((_CLASS[kind] for kind in kinds), default=Class.UNATTESTED)
        seen = look_back(policy, landed.changes, cls)
        if seen.needed >= 2:
            self.for_two += 1
            self.reasons[AGENT if agents else NO_RECORD] += 1
            self.systems.update(seen.systems)
        elif seen.needed == 1:
            self.for_one += 1


def look_at_merges(objects: Objects, tip: str, since: int | None, look: Look, policy: Policy) -> Waits:
    """Of the last merges, newest first; their commits are read once more. Raises GitFailed, DiffError."""
    found = last_merges(objects, tip, since)
    waits = Waits()
    if not found:
        return waits
    oldest = found[-1].tips[-1]
    known = _read_range(objects, tip, oldest, look)
    members = _members(found, tip, known)
    for landed in found:
        waits.add(landed, {known[oid].kind for oid in members[landed.tips[0].oid]}, policy)
    return waits


def last_merges(objects: Objects, tip: str, since: int | None) -> list[Landed]:
    found: list[Landed] = []
    for number, commit in enumerate(read_log(objects, (tip,), since, Depth.PATHS, "--first-parent", "-m")):
        how = landing(commit.message.decode("utf-8", "replace"), len(commit.parents))
        if number >= _FURTHEST or (len(found) >= LAST and not _continues(found[-1], how)):
            break
        if how is None or commit.oid in objects.boundary:
            continue
        changes = tuple(change_of(entry) for entry in commit.entries())
        if found and _continues(found[-1], how):
            before = found[-1]
            found[-1] = replace(before, tips=(*before.tips, commit), changes=before.changes + changes)
        else:
            found.append(Landed(how.how, how.pull, (commit,), changes))
    return found


def _continues(landed: Landed, how: Landing | None) -> bool:
    """Several commits of one pull request, put on the branch one by one."""
    return how is not None and how.how is How.TRAILER is landed.how and how.pull == landed.pull


@dataclass(frozen=True)
class _Known:
    parents: tuple[str, ...]
    kind: Kind


def _read_range(objects: Objects, tip: str, oldest: HistoryCommit, look: Look) -> dict[str, _Known]:
    """All commits that came in since before the oldest merge."""
    without = tuple(f"^{parent}" for parent in oldest.parents[:1])
    return {
        commit.oid: _Known(commit.parents, look.at(commit)[0])
        for commit in read_log(objects, (tip, *without), None, Depth.COMMITS)
    }


def _members(found: list[Landed], tip: str, known: dict[str, _Known]) -> dict[str, list[str]]:
    """The commits that each merge brought in, by its newest commit; merges themselves are left out."""
    seen = set(_first_parents(tip, known))
    members: dict[str, list[str]] = {}
    for landed in reversed(found):
        sides = [parent for commit in landed.tips for parent in commit.parents[1:]]
        brought = [commit.oid for commit in landed.tips] + _reach(sides, known, seen)
        members[landed.tips[0].oid] = [oid for oid in brought if len(known[oid].parents) < 2]
    return members


def _first_parents(tip: str, known: dict[str, _Known]) -> Iterator[str]:
    oid: str | None = tip
    while oid in known:
        yield oid
        oid = next(iter(known[oid].parents), None)


def _reach(starts: list[str], known: dict[str, _Known], seen: set[str]) -> list[str]:
    """Commits reached from `starts` that were not seen before, which they then are."""
    found = []
    waiting = list(starts)
    while waiting:
        oid = waiting.pop()
        if oid in known and oid not in seen:
            seen.add(oid)
            found.append(oid)
            waiting += known[oid].parents
    return found
