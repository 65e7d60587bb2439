"""`foureyes blame`: who wrote each line of a file, agents included: one `git blame`, and the records."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from foureyes.hooks import paging
from foureyes.hooks.blame_lines import Blamed, read_blame
from foureyes.hooks.known_records import Known, agent_name, read_known
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Contributor

_COLOURS = {"ai": "magenta", "human": "green", "claimed": "yellow"}


@dataclass(frozen=True)
class Line:
    """`cls`: `ai`, `human`, `unknown` as the record says; `claimed`: no record, but the commit names an agent, or a
    note of git-ai does; `uncommitted`.
    """

    blamed: Blamed
    cls: str
    agent: str = ""
    model: str = ""
    evidence: str = ""
    confidence: str = ""


@click.command("blame")
@click.argument("file")
@click.option("--rev", default="", help="The file as of this commit; by default as it lies here.")
@click.option("--offline", is_flag=True, help="Ask no remote for records that are missing.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(file: str, rev: str, offline: bool, as_json: bool) -> None:
    """Show who wrote each line of FILE: an agent, a person whom the hooks saw, or nobody that is known (?).

    A ~ marks a claim: there is no record, but the commit's message, its author's name, or a note of git-ai
    or Agent Trace names an agent.
    """
    repo = Repo.open(Path.cwd(), bare_ok=bool(rev))
    lines = tell(repo, read_blame(repo, file, rev, Path.cwd()), offline=offline)
    if as_json:
        click.echo(json.dumps(_as_json(file, rev, lines), indent=2))
    else:
        paging.show(_as_text(lines))


def tell(repo: Repo, blamed: Sequence[Blamed], *, offline: bool) -> list[Line]:
    """Each line with what its commit's record says of it."""
    commits = {line.commit for line in blamed if line.commit}
    known = read_known(repo, commits, offline=offline, with_commits=False)
    ranges = {oid: _by_path(one) for oid, one in known.items()}
    return [_line(line, known, ranges) for line in blamed]


def _by_path(known: Known) -> dict[str, list[Contributor]]:
    found: dict[str, list[Contributor]] = {}
    for part in known.record.contributors if known.record else ():
        if part.side == "added":
            found.setdefault(part.path, []).append(part)
    return found


def _line(
    line: Blamed, known: Mapping[str, Known], ranges: Mapping[str, Mapping[str, Sequence[Contributor]]]
) -> Line:
    if not line.commit:
        return Line(line, "uncommitted")
    about = known.get(line.commit)
    if about is None:
        return Line(line, "unknown")
    for part in ranges[line.commit].get(line.path, ()):
        if part.start <= line.number_then < part.start + part.count:
            return Line(line, part.cls, part.agent, part.model, part.evidence, part.confidence)
    for noted in about.noted:
        if noted.path == line.path and noted.first <= line.number_then <= noted.last:
            from foureyes.hooks.git_ai_notes import agent_id

            return Line(line, "claimed", agent_id(noted.agent.tool), noted.agent.model, "note")
    if about.claims:
        return Line(line, "claimed", about.claims[0], evidence="message")
    return Line(line, "unknown")


def _as_text(lines: Sequence[Line]) -> Iterator[str]:
    names = [_name(line) for line in lines]
    width = min(max(map(len, names), default=0), 28)
    digits = len(str(len(lines)))
    for line, name in zip(lines, names, strict=True):
        at = datetime.fromtimestamp(line.blamed.at, UTC).strftime("%Y-%m-%d") if line.blamed.commit else ""
        who = click.style(f"{name[:width]:<{width}}", fg=_COLOURS.get(line.cls))
        commit = click.style(f"{line.blamed.commit[:10]:<10}", dim=True)
        yield f"{commit} {who} {at:<10} {line.blamed.number:>{digits}}) {line.blamed.text}"


def _name(line: Line) -> str:
    if line.cls in {"ai", "claimed"}:
        name = agent_name(line.agent) or "an agent"
        return ("~" if line.cls == "claimed" else "") + name + (f" {line.model}" if line.model else "")
    if line.cls == "uncommitted":
        return "not committed"
    return line.blamed.author + ("" if line.cls == "human" else " ?")


def _as_json(file: str, rev: str, lines: Sequence[Line]) -> dict[str, object]:
    counts = Counter(line.cls for line in lines)
    return {
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
