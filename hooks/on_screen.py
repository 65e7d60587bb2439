"""What others wrote, as it can be shown to a person: anybody can put anything into a commit."""

import shutil
import sys
import time


def columns() -> int:
    """Of the terminal, 100 at most, for text is not read well in longer lines; 0 where nobody looks."""
    return min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else 0


def day(at: int | None) -> str:
    """`2026-11-22`, UTC; empty for a time that no calendar has."""
    try:
        year, month, day, *_ = time.gmtime(at) if at is not None else (0, 0, 0)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{year:04}-{month:02}-{day:02}" if 0 < year < 10_000 else ""


def printable(text: str, most: int = 80) -> str:
    """One line that does to a terminal nothing but stand there."""
    shown = text
    if not text.isprintable():
        shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def title_of(message: str) -> str:
    """The first line of a commit's message."""
    return printable(message.strip().split("\n")[0], 200)
