"""What a change destroys, in figures that git counted: lines, files, where most of it was, how many tests."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from foureyes.shared.facts import Change
from foureyes.shared.paths import MAX_PATH_BYTES, encode

LINES, FILES = 500, 10
"""From this many deleted lines or whole files on, it is said first."""

_MOST_PLACES = 3
_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__)/|(^|[/_.-])(tests?|specs?)[_.-]|[_.-](tests?|specs?)\.", re.IGNORECASE
)


@dataclass(frozen=True)
class Place:
    """A directory, with a slash at its end ("" for the top), and what is deleted below it."""

    directory: str
    lines: int
    files: int


@dataclass(frozen=True)
class Destruction:
    lines: int
    """Deleted, in files that stay as well."""
    added: int
    files: int
    """Deleted as a whole."""
    tests: int
    """Of these, by their names."""
    largest: tuple[Place, ...]


def destruction(changes: Iterable[Change]) -> Destruction | None:
    """None: it is not much. Binary files count as files, not in lines."""
    changes = tuple(changes)
    gone = [change for change in changes if change.status == "D"]
    lines, added = sum(change.deleted for change in changes), sum(change.added for change in changes)
    if len(gone) < FILES and lines - added < LINES:
        return None
    tests = sum(bool(_TEST.search(change.path)) for change in gone)
    return Destruction(
        lines, added, len(gone), tests, _largest([c for c in changes if c.deleted or c.status == "D"])
    )


def emptied(changes: Iterable[Change]) -> str | None:
    """The deepest directory that holds all that is deleted as a whole, "" or with a slash at its end; None: it is not
    much, no whole file is among it, or the directory's name is too long to ask git about.
    """
    changes = tuple(changes)
    gone = [change.path for change in changes if change.status == "D"]
    if not gone or destruction(changes) is None:
        return None
    directory = common_directory(gone)
    return directory if len(encode(directory)) <= MAX_PATH_BYTES else None


def _largest(changes: list[Change]) -> tuple[Place, ...]:
    """The directories right below what all of them have in common."""
    top = common_directory([change.path for change in changes])
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for change in changes:
        below, slash, _ = change.path[len(top) :].partition("/")
        place = f"{top}{below}/" if slash else top
        lines[place] += change.deleted
        files[place] += change.status == "D"
    ordered = sorted(lines, key=lambda place: (-lines[place], -files[place], place))
    return tuple(Place(place, lines[place], files[place]) for place in ordered[:_MOST_PLACES])


def common_directory(paths: Iterable[str]) -> str:
    """The deepest directory that holds all of them, "" or with a slash at its end."""
    paths = tuple(paths)
    first, last = min(paths).split("/")[:-1], max(paths).split("/")[:-1]
    common = []
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        common.append(one)
    return "".join(f"{part}/" for part in common)
