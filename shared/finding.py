"""What a doctor finds, on a developer's machine or in a repository's protection."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    GOOD = "ok"
    PROBLEM = "problem"
    NOTE = "note"
    """Nothing is lost by it now."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """`subject` groups what is shown; `mend` is a command, or what a person has to do, "" where there is nothing."""

    subject: str
    state: State
    what: str
    mend: str = ""
