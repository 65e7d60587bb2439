"""Who wrote each line of a file: git's blame, and what the records of its commits say.

Whoever asks waits: git starts before anything else is done, and nothing is loaded that the answer does not need.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from foureyes.hooks.blame_lines import Blamed, begin_blame, commit_of, end_blame
from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo

if TYPE_CHECKING:  # loaded below, while git is at work
    from foureyes.shared.record_lines import Lines

_COLOURS = {"ai": "magenta", "human": "green", "claimed": "yellow"}


class Line(NamedTuple):
    """`cls`: `ai`, `human`, `unknown` as the record says; `claimed`: no record, but the commit names an agent, or a
    note of git-ai does; `uncommitted`.
    """

    blamed: Blamed
    cls: str
    agent: str = ""
    model: str = ""
    evidence: str = ""
    confidence: str = ""


def plain(arguments: Sequence[str]) -> int | None:
    """The command for who reads it through a pipe: `FILE`, and no option but these two. None: click has to read it."""
    options = {word for word in arguments if word.startswith("-")}
    files = [word for word in arguments if word not in options]
    if len(files) != 1 or options - {"--json", "--offline"} or sys.stdout.isatty():
        return None
    lines = tell(files[0], "", offline="--offline" in options)
    told = [as_json(files[0], "", lines)] if "--json" in options else as_text(lines)
    sys.stdout.writelines(f"{text}\n" for text in told)
    return 0


def tell(file: str, rev: str, *, offline: bool) -> list[Line]:
    """The file in this folder, as of `rev` or as it lies here. Raises UserError."""
    cwd = Path.cwd()
    with Objects(cwd) as objects:
        if rev:
            repo = Repo.open(cwd, bare_ok=True)
            begun = begin_blame(file, commit_of(repo, rev), cwd)
        else:
            begun = begin_blame(file, "", cwd)
            try:
                repo = Repo.open(cwd)
            except BaseException:
                begun.communicate()
                raise
        return _tell(repo, objects, end_blame(file, begun), offline=offline)


def _tell(repo: Repo, objects: Objects, blamed: Sequence[Blamed], *, offline: bool) -> list[Line]:
    from foureyes.hooks.store import NOTES

    commits = {line.commit for line in blamed if line.commit}
    paths = {line.path for line in blamed}
    blobs = objects.notes(NOTES, commits)
    known = _read(zip(blobs, objects.each(blobs.values()), strict=True), paths)
    claimed: dict[str, list[Lines]] = {}
    if commits - known.keys():
        known |= _built(repo, commits - known.keys())
    if commits - known.keys():
        from foureyes.hooks.unrecorded import published_in  # not needed where all records are here

        published = published_in(repo, objects, commits - known.keys(), offline=offline)
        known |= _read(((oid, versions[0]) for oid, versions in published.items()), paths)
        claimed = _claimed(objects, commits - known.keys())
    return [_line(line, known.get(line.commit, ()), claimed.get(line.commit, ())) for line in blamed]


def _read(raw: Iterable[tuple[str, bytes | None]], paths: set[str]) -> "dict[str, Sequence[Lines]]":
    from foureyes.shared.record_lines import LinesError, added_lines

    found: dict[str, Sequence[Lines]] = {}
    for oid, data in raw:
        try:
            commit, lines = added_lines(data or b"", paths)
        except LinesError:
            continue
        if commit == oid:
            found[oid] = lines
    return found


def _built(repo: Repo, oids: set[str]) -> "dict[str, Sequence[Lines]]":
    """Of commits that the hooks here saw, and that are in no push yet."""
    from foureyes.hooks.unrecorded import build_seen
    from foureyes.shared.record_lines import Lines

    return {
        oid: [
            Lines(p.path, p.start, p.start + p.count - 1, p.cls, p.agent, p.model, p.evidence, p.confidence)
            for p in record.contributors
            if p.side == "added"
        ]
        for oid, record in build_seen(repo, oids).items()
    }


def _claimed(objects: Objects, oids: set[str]) -> "dict[str, list[Lines]]":
    """What notes of others say, and for all else what the commit itself says."""
    from foureyes.hooks.unrecorded import claims_of, noted_in, raw_commits_in
    from foureyes.shared.record_lines import Lines

    found: dict[str, list[Lines]] = {}
    for oid, commit in raw_commits_in(objects, oids).items():
        found[oid] = [Lines("", 0, 0, "claimed", agent, "", "message", "") for agent in claims_of(commit)[:1]]
    for oid, noted in noted_in(objects, oids).items():
        from foureyes.hooks.git_ai_notes import agent_id

        found[oid][:0] = [
            Lines(n.path, n.first, n.last, "claimed", agent_id(n.agent.tool), n.agent.model, "note", "")
            for n in noted
        ]
    return found


def _line(line: Blamed, known: "Iterable[Lines]", claimed: "Iterable[Lines]") -> Line:
    if not line.commit:
        return Line(line, "uncommitted")
    for part in (*known, *claimed):
        here = part.path == line.path and part.first <= line.number_then <= part.last
        if here or not part.path:
            return Line(line, *part[3:])
    return Line(line, "unknown")


def as_text(lines: Sequence[Line], style: Callable[..., str] = lambda text, **_: text) -> Iterator[str]:
    from foureyes.hooks.on_screen import day

    names = [_name(line.cls, line.agent, line.model, line.blamed.author) for line in lines]
    width = min(max(map(len, names), default=0), 28)
    digits = len(str(len(lines)))

    @cache
    def before(commit: str, cls: str, name: str, at: int) -> str:
        who = style(f"{name[:width]:<{width}}", fg=_COLOURS.get(cls))
        return f"{style(f'{commit[:10]:<10}', dim=True)} {who} {day(at) if commit else '':<10}"

    for (blamed, cls, *_), name in zip(lines, names, strict=True):
        yield f"{before(blamed.commit, cls, name, blamed.at)} {blamed.number:>{digits}}) {blamed.text}"


@cache
def _name(cls: str, agent: str, model: str, author: str) -> str:
    if cls in {"ai", "claimed"}:
        name = _agent_name(agent) or "an agent"
        return ("~" if cls == "claimed" else "") + name + (f" {model}" if model else "")
    if cls == "uncommitted":
        return "not committed"
    from foureyes.hooks.on_screen import printable

    return printable(author) + ("" if cls == "human" else " ?")


def _agent_name(agent: str) -> str:
    from foureyes.hooks.catalogue import catalogue

    known = catalogue().by_id.get(agent)
    return known.name if known else agent


def as_json(file: str, rev: str, lines: Sequence[Line]) -> str:
    import json

    counts = Counter(line.cls for line in lines)
    told = {
        "file": file,
        "rev": rev or None,
        "totals": {cls: counts[cls] for cls in ("ai", "human", "unknown", "claimed", "uncommitted")},
        "lines": [
            {
                "line": line.blamed.number,
                "class": line.cls,
                "agent": line.agent or None,
                "model": line.model or None,
                "evidence": line.evidence or None,
                "confidence": line.confidence or None,
                "commit": line.blamed.commit or None,
                "line_then": line.blamed.number_then,
                "path_then": line.blamed.path,
                "author": line.blamed.author,
                "at": line.blamed.at,
                "text": line.blamed.text,
            }
            for line in lines
        ],
    }
    return json.dumps(told, indent=2)
