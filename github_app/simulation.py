"""What another policy would have said of pull requests that were judged: differences, waits by week, load by person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import ValidationError

from foureyes.github_app.decisions import Decision
from foureyes.shared import facts as pull_facts
from foureyes.shared.explanation import WORDS
from foureyes.shared.facts import Known
from foureyes.shared.floor import ruling
from foureyes.shared.policy import Policy
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.rejudge import Rejudged, rejudge, strangers


@dataclass(frozen=True)
class Both:
    """One pull request under the policy that it was judged by, and under the other; both by this evaluator."""

    pull: int
    decision: str
    at: str
    """RFC 3339, of the facts."""
    before: Rejudged
    after: Rejudged

    @property
    def differs(self) -> bool:
        return _compared(self.before) != _compared(self.after)


def _compared(one: Rejudged) -> tuple[object, ...]:
    return one.outcome, one.needed, one.gated


@dataclass
class Week:
    pulls: int = 0
    waits: list[int] = field(default_factory=lambda: [0, 0])
    """Pull requests that somebody has to approve, before and after."""
    approvals: list[int] = field(default_factory=lambda: [0, 0])
    """Approvals asked for, before and after."""


@dataclass(frozen=True)
class Simulation:
    slug: str
    judged: tuple[Both, ...]
    """Oldest first."""
    unreadable: tuple[str, ...]
    """Decisions whose facts or policy this version cannot read."""
    strangers: tuple[str, ...]

    @property
    def differing(self) -> tuple[Both, ...]:
        return tuple(both for both in self.judged if both.differs)

    def weeks(self) -> dict[str, Week]:
        """ISO week, `2026-W47` -> its figures."""
        found: dict[str, Week] = {}
        for both in self.judged:
            week = found.setdefault(_week(both.at), Week())
            week.pulls += 1
            for side, one in enumerate((both.before, both.after)):
                week.waits[side] += one.needed > 0
                week.approvals[side] += one.needed
        return dict(sorted(found.items()))

    def load(self) -> dict[str, tuple[float, float]]:
        """Login -> approvals a week, before and after, if everyone who could give them gives as many. The heaviest
        first.
        """
        weeks = len(self.weeks()) or 1
        sums: dict[str, list[float]] = {}
        for both in self.judged:
            for side, one in enumerate((both.before, both.after)):
                for account in one.able if one.needed else ():
                    sums.setdefault(account.login, [0.0, 0.0])[side] += one.needed / len(one.able)
        loads = {login: (first / weeks, second / weeks) for login, (first, second) in sums.items()}
        return dict(sorted(loads.items(), key=lambda item: (-item[1][1], -item[1][0], item[0])))


@dataclass(frozen=True)
class Tried:
    """`floor` None: the one that each decision was made by stays. `default_branch`: "" where it is not known."""

    policy: Policy
    floor: str | None = None
    default_branch: str = ""


def simulate(slug: str, stored: Iterable[Decision], tried: Tried) -> Simulation:
    judged, unreadable = [], []
    names: dict[str, None] = {}
    for one in stored:
        try:
            facts = pull_facts.load(one.facts)
            before = parse_policy(one.policy)
        except (ValidationError, PolicyError):
            unreadable.append(one.id)
            continue
        then = facts if tried.floor is None else replace(facts, floor=Known(tried.floor))
        by = ruling(then.floor, tried.policy)
        names |= dict.fromkeys(strangers(facts.roster, by.value if isinstance(by, Known) else tried.policy))
        now = rejudge(then, tried.policy, tried.default_branch)
        judged.append(Both(one.pull, one.id, facts.at, rejudge(facts, before), now))
    ordered = sorted(judged, key=lambda both: (both.at, both.pull))
    return Simulation(slug, tuple(ordered), tuple(unreadable), tuple(names))


def _week(at: str) -> str:
    year, week, _ = datetime.fromisoformat(at).isocalendar()
    return f"{year}-W{week:02}"


def told(one: Rejudged) -> str:
    """`Waiting (2)`: the word of the verdict, and the humans that are asked for."""
    if not one.gated:
        return "not gated"
    word = WORDS[one.outcome]
    return f"{word} ({one.needed})" if one.needed else word


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Lines with aligned columns; those in `right` to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
