"""What a scan found, put in order: the one object behind the terminal, the page and the JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from foureyes.hooks.scan_count import AgentSum, Deletion, Kind, PlaceSum, Sum, Tally
from foureyes.hooks.scan_history import Depth
from foureyes.hooks.scan_merges import Waits

FORMAT = 1
_LONGEST_GAP = 24
SomeSum = TypeVar("SomeSum", bound=Sum)


@dataclass(frozen=True)
class Scanned:
    """What was read."""

    repository: str
    """The folder's name."""
    branch: str
    tip: str
    since: str
    """The day, as git read what was asked for; empty: from the beginning."""
    depth: Depth
    complete: bool
    """False: interrupted, or git could not read on."""
    notes: tuple[str, ...]
    """What kept the figures from being whole."""


@dataclass(frozen=True)
class Report:
    scanned: Scanned
    tally: Tally
    waits: Waits | None
    """None: not looked at."""
    policy_from: str
    """Where the policy was found; empty: there is none, and `suggested` stands in for it."""
    suggested: tuple[str, ...]
    """Folders, as patterns."""
    names: Mapping[str, str]
    """Agent ids -> what people call them."""
    top: int
    people: bool

    @property
    def commits(self) -> int:
        return sum(found.commits for found in self.tally.by_kind.values())

    @property
    def with_agents(self) -> int:
        return self.tally.by_kind[Kind.AI].commits + self.tally.by_kind[Kind.CLAIMED].commits

    @property
    def lines_counted(self) -> bool:
        return self.scanned.depth is Depth.LINES

    @property
    def agents(self) -> list[tuple[str, AgentSum]]:
        """(id, sum), the most commits first."""
        return _most(self.tally.agents)

    @property
    def folders(self) -> list[tuple[str, PlaceSum]]:
        return _most(self.tally.folders)

    @property
    def systems(self) -> list[tuple[str, PlaceSum]]:
        """Strictest tier first."""
        return sorted(
            self.tally.systems.items(), key=lambda item: (item[1].tier or 0, -item[1].commits, item[0])
        )

    @property
    def months(self) -> list[tuple[str, dict[Kind, Sum]]]:
        """In order, the empty ones between them too: but not decades, for a date can be anything."""
        empty = {kind: Sum() for kind in Kind}
        found: list[tuple[str, dict[Kind, Sum]]] = []
        for name in sorted(name for name in self.tally.months if name):
            between = _between(found[-1][0], name) if found else []
            if len(between) <= _LONGEST_GAP:
                found += [(month, empty) for month in between]
            found.append((name, self.tally.months[name]))
        return found

    @property
    def deletions(self) -> list[Deletion]:
        return sorted(self.tally.deletions, key=lambda found: (-found.lines, -found.files, found.commit))

    @property
    def authors(self) -> list[tuple[str, Sum]]:
        return _most(self.tally.people)

    def name(self, agent: str) -> str:
        return self.names.get(agent, agent)


def _most(found: Mapping[str, SomeSum]) -> list[tuple[str, SomeSum]]:
    return sorted(
        found.items(), key=lambda item: (-item[1].commits, -item[1].added - item[1].deleted, item[0])
    )


def _between(first: str, last: str) -> list[str]:
    """The months after the first and before the last, no more than are looked at."""
    year, month = int(first[:4]), int(first[5:])
    found: list[str] = []
    while len(found) <= _LONGEST_GAP:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        name = f"{year:04}-{month:02}"
        if name >= last:
            break
        found.append(name)
    return found


def share(part: int, whole: int) -> str:
    """`0 %`, `<0.1 %`, `3.4 %`, `57 %`, `99.9 %`: never 0 for what is there, never 100 for what is not all."""
    if part >= whole or not part:
        return "100 %" if part else "0 %"
    percent = 100 * part / whole
    if 9.95 <= percent < 99:
        return f"{percent:.0f} %"
    return "<0.1 %" if percent < 0.1 else f"{min(percent, 99.9):.1f} %"
