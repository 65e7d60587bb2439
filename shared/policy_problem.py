"""What is wrong with a policy file, said so that its author can mend it at once."""

from dataclasses import dataclass
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of the file to a value."""


@dataclass(frozen=True, order=True)
class Problem:
    """`line` and `column` count from 1."""

    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" + (
            f" ({self.hint})" if self.hint else ""
        )


class PolicyError(ValueError):
    """Everything that is wrong with a file, in the order of its lines. `warnings`: what is read all the same, and will
    probably not do what was meant.
    """

    def __init__(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...] = ()) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.warnings = warnings


@dataclass(frozen=True)
class Finding:
    """A problem that knows its place, and not yet its line. `at_key`: it is the key that is wrong."""

    place: Place
    message: str
    hint: str = ""
    at_key: bool = False
    warning: bool = False


def dotted(place: Place) -> str:
    """`systems.infra.paths[0]`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) and place[0] != "tiers" else f".{part}"
    return text.removeprefix(".") or "the file"
