"""What a person reads: title, open sections, folded sections, in markdown for the check and plain for a terminal."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from foureyes.shared.canonical import Json
from foureyes.shared.markup import plain
from foureyes.shared.verdict import Outcome

TITLE_LIMIT = 60
TEXT_LIMIT = 60_000
"""GitHub takes 65,535 characters in a check run's summary and text."""

WORDS = {
    Outcome.PASS: "Passed",
    Outcome.WAIT: "Waiting",
    Outcome.BLOCK: "Blocked",
    Outcome.BROKEN: "Error",
}


@dataclass(frozen=True)
class Section:
    """`heading` is bold in front of the first line. Lines are markdown."""

    heading: str
    lines: tuple[str, ...]

    def markdown(self) -> str:
        first, rest = self.lines[0], self.lines[1:]
        return "\n".join([f"**{self.heading}:** {first}", *(f"- {line}" for line in rest)])

    def folded(self) -> str:
        body = "\n".join(f"- {line}" for line in self.lines)
        return f"<details><summary>{self.heading}</summary>\n\n{body}\n\n</details>"

    def terminal(self) -> str:
        first, rest = self.lines[0], self.lines[1:]
        return "\n".join([f"  {self.heading}: {plain(first)}", *(f"    - {plain(line)}" for line in rest)])


@dataclass(frozen=True)
class Explanation:
    outcome: Outcome
    title: str
    sections: tuple[Section, ...]
    details: tuple[Section, ...] = ()
    click: bool = False
    """All that is missing is one click of a person who is named: shown as `action_required`."""
    digest: str = ""
    """The verdict's digest: what was published is unchanged where this and the text are."""
    data: Json = None
    """The same for programs."""

    @property
    def status(self) -> str:
        """GitHub's check run status. Waiting is not red."""
        return "in_progress" if self.conclusion is None else "completed"

    @property
    def conclusion(self) -> str | None:
        """Never `neutral` or `skipped`: both satisfy a required check."""
        if self.outcome is Outcome.PASS:
            return "success"
        if self.outcome is Outcome.WAIT:
            return "action_required" if self.click else None
        return "failure"

    @property
    def summary(self) -> str:
        return _limited("\n\n".join(section.markdown() for section in self.sections))

    @property
    def text(self) -> str:
        return _limited("\n\n".join(section.folded() for section in self.details))

    @property
    def terminal(self) -> str:
        return self.on_terminal(0)

    def on_terminal(self, columns: int) -> str:
        """Broken at words where there are so many columns, what goes on further in than it began; 0: not at all."""
        text = "\n".join([self.title, *(section.terminal() for section in self.sections)])
        return wrapped(text, columns)

    def to_json(self) -> Json:
        return {
            "outcome": self.outcome.name.lower(),
            "title": self.title,
            "status": self.status,
            "conclusion": self.conclusion,
            "sections": {s.heading: [plain(line) for line in s.lines] for s in self.sections},
            "details": {s.heading: [plain(line) for line in s.lines] for s in self.details},
            "digest": self.digest,
            "data": self.data,
        }


def wrapped(text: str, columns: int) -> str:
    """Names of files and commands are never broken: they are there to be copied."""
    if not columns:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        further = " " * (len(line) - len(line.lstrip(" ")) + 2)
        lines += textwrap.wrap(
            line, columns, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(lines)


def nothing_said(title: str) -> dict[str, Json]:
    """As `Explanation.to_json`, where nothing is judged: programs find the same keys."""
    return {
        "outcome": None,
        "title": title,
        "status": None,
        "conclusion": None,
        "sections": {},
        "details": {},
        "digest": "",
        "data": None,
    }


def combine(parts: Sequence[tuple[int, Explanation]]) -> Explanation:
    """Several open pull requests with one head share its check: the worst leads, the others are named below.

    Each part is (number of the pull request, its explanation). Raises ValueError for none: nothing is not a pass.
    """
    if not parts:
        raise ValueError("no pull request to explain")
    ordered = sorted(parts, key=lambda part: (-part[1].outcome, part[0]))
    number, worst = ordered[0]
    if len(ordered) == 1:
        return worst
    others = tuple(f"#{n}: {explanation.title}" for n, explanation in ordered)
    heading = f"One check for the {len(ordered)} pull requests with this head"
    shared = Section(heading, (f"what stands here is about #{number}, the strictest.", *others))
    return replace(
        worst,
        sections=(*worst.sections, shared),
        digest="+".join(f"{n}:{e.digest}" for n, e in sorted(parts, key=lambda part: part[0])),
        data={str(n): e.data for n, e in parts},
    )


def broken(problem: str, next_step: str) -> Explanation:
    """`problem` is one sentence that also makes the title. An error is never a pass."""
    sections = (Section("What happened", (problem,)), Section("Now", (next_step,)))
    return Explanation(Outcome.BROKEN, fitted(f"Error: {plain(problem)}"), sections)


def fitted(title: str) -> str:
    return title if len(title) <= TITLE_LIMIT else f"{title[: TITLE_LIMIT - 1].rstrip()}…"


def _limited(text: str) -> str:
    if len(text) <= TEXT_LIMIT:
        return text
    return f"{text[:TEXT_LIMIT]}\n\n… cut here; `--json` has all of it."
