"""What a policy file is read beside: today, and the files that it is about. It never makes an error of what it says,
only warnings: a policy may come before its files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from foureyes.shared.patterns import PatternSets
from foureyes.shared.policy import PolicyFile
from foureyes.shared.policy_problem import Finding, Place


@dataclass(frozen=True)
class Around:
    """`files`: paths as git shows them, () where they are not known."""

    today: date
    files: tuple[str, ...] = ()


def warnings(file: PolicyFile, around: Around) -> Iterator[Finding]:
    yield from _ended(file, around.today)
    if around.files:
        yield from _without_files(list(_lines(file)), around.files)


def _ended(file: PolicyFile, today: date) -> Iterator[Finding]:
    for name, exemption in file.automation.items():
        if exemption.until < today:
            message = f"`{name}` ended on {exemption.until.isoformat()}: it exempts nothing any more"
            place: Place = ("automation", name, "until")
            yield Finding(place, message, "name a later day, or take it out", warning=True)


def _lines(file: PolicyFile) -> Iterator[tuple[Place, str]]:
    lists: list[tuple[Place, Sequence[str]]] = [(("protected",), file.protected)]
    lists += [(("systems", name, "paths"), system.paths) for name, system in file.systems.items()]
    for place, lines in lists:
        yield from (((*place, index), line) for index, line in enumerate(lines) if not line.startswith("!"))


def _without_files(lines: Sequence[tuple[Place, str]], files: Sequence[str]) -> Iterator[Finding]:
    sets = PatternSets.compile({str(number): (line,) for number, (_, line) in enumerate(lines)})
    met = {name for path in files for name in sets.matching(path)}
    for number, (place, line) in enumerate(lines):
        if str(number) not in met:
            hint = "`git ls-files` shows how they are spelled"
            yield Finding(place, f"`{line}` matches no file that is tracked here", hint, warning=True)
