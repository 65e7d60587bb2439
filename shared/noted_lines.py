"""Lines that another tool's note gives to an agent, in the record of the commit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from foureyes.shared.git_ai_note import NotedLines
from foureyes.shared.record import Contributor


def add_noted(
    parts: Sequence[Contributor], noted: Sequence[NotedLines], ids: Mapping[str, str]
) -> tuple[Contributor, ...]:
    """The contributors, where what no agent was seen to write is an agent's if a note says so. `ids`: the catalogue's
    id for each name that the notes use. A note can be written by anyone: it adds an agent and takes none away.
    """
    by_path: dict[str, list[NotedLines]] = {}
    for lines in noted:
        by_path.setdefault(lines.path, []).append(lines)
    return tuple(told for part in parts for told in _split(part, by_path.get(part.path, ()), ids))


def _split(part: Contributor, noted: Sequence[NotedLines], ids: Mapping[str, str]) -> Iterator[Contributor]:
    if part.side != "added" or part.cls == "ai" or not part.count or not noted:
        yield part
        return
    numbers = range(part.start, part.start + part.count)
    for lines, run in groupby(numbers, key=lambda number: _noted_at(number, noted)):
        found = list(run)
        if lines is None:
            yield replace(part, start=found[0], count=len(found))
        else:
            agent, model = ids.get(lines.agent.tool, ""), lines.agent.model
            yield Contributor(
                part.path, "added", found[0], len(found), "ai", agent, "", model, "", "note", "low"
            )


def _noted_at(number: int, noted: Sequence[NotedLines]) -> NotedLines | None:
    return next((lines for lines in noted if lines.first <= number <= lines.last), None)
