"""`foureyes show`: the record of one commit, for people and for programs."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from foureyes.hooks import paging
from foureyes.hooks.blame_lines import commit_of
from foureyes.hooks.catalogue import agents_around, catalogue
from foureyes.hooks.commits import Commit
from foureyes.hooks.journal import seen_commits
from foureyes.hooks.objects import Objects
from foureyes.hooks.on_screen import title_of
from foureyes.hooks.published import Listed, listings
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import NOTES
from foureyes.hooks.unrecorded import commits_in, published_in
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.record import (
    Agent,
    Contributor,
    Operator,
    Record,
    RecordError,
    parse_record,
    record_bytes,
    statement,
)

_KEPT, _FETCHED, _BUILT = "kept here", "from the remote", "built just now, not published"
_MOST_FILES = 20
_CLASSES = {
    "ai": "agent-written",
    "human": "a person's, as far as the hooks of this machine saw",
    "": "no class: nobody saw it being made, so it counts like an agent's",
}
_UNCLEAR = "no class: who wrote it was not clear, so it counts like an agent's"

_COLOURS = {"ai": "magenta", "human": "green", "": None}
_EVIDENCE = {
    "agent-hook": "its own hooks",
    "shell-snapshot": "what its commands left",
    "journal": "the git hooks",
    "identity": "author or committer",
    "trailer": "the message",
    "note": "an earlier record, or another tool's note",
}


@dataclass(frozen=True)
class Shown:
    commit: Commit
    record: Record
    raw: bytes
    source: str
    listed: tuple[Listed, ...]


@click.command("show")
@click.argument("commit", default="HEAD")
@click.option("--offline", is_flag=True, help="Ask no remote for a record that is missing.")
@click.option("--json", "as_json", is_flag=True, help="The record itself, in JSON.")
def command(commit: str, offline: bool, as_json: bool) -> None:
    """Show who wrote COMMIT (default: HEAD): agents, who ran them, lines, deletions, and what vouches for it."""
    shown = find(Repo.open(Path.cwd(), bare_ok=True), commit, offline=offline)
    if as_json:
        click.echo(json.dumps(_as_json(shown), indent=2))
    else:
        paging.show(_as_text(shown))


def find(repo: Repo, name: str, *, offline: bool = False) -> Shown:
    """A commit's record: the one that is kept, else the remote's, else what can be told here and now. For commits
    that the hooks here saw, this machine knows more than the remote. Raises UserError.
    """
    oid = commit_of(repo, name)
    with Objects(repo.work_tree or repo.git_dir, repo.environment()) as objects:
        commit = commits_in(objects, [oid])[oid]
        raw, source = next(iter(objects.read(objects.notes(NOTES, {oid}).values())), None), _KEPT
        if raw is None and not seen_commits(repo, {oid}):
            found = published_in(repo, objects, {oid}, offline=offline).get(oid, ())
            raw, source = next(iter(found), None), _FETCHED
        if raw is None:
            raw, source = _built(repo, oid), _BUILT
        return Shown(commit, _parsed(oid, raw), raw, source, listings(objects, commit, raw))


def _built(repo: Repo, oid: str) -> bytes:
    from foureyes.hooks.build import build  # what is kept needs no building, and a reader waits for this
    from foureyes.hooks.builder import builder_in
    from foureyes.hooks.remote import Remote

    built = build(repo, [oid], builder_in(repo, Remote("", ""), agents_around(os.environ))).get(oid)
    if built is None:
        raise UserError(
            f"what {oid[:10]} changed cannot be told: its parent is not in this clone",
            next_step="fetch more history: git fetch --deepen=1",
        )
    return record_bytes(built)


def _parsed(oid: str, raw: bytes) -> Record:
    try:
        return parse_record(raw)
    except RecordError as error:
        raise UserError(
            f"the record of {oid[:10]} was not read: {error}",
            why="to the gate this commit has no record",
            next_step="upgrade foureyes if a newer one wrote it",
        ) from error


def _as_json(shown: Shown) -> dict[str, object]:
    return {
        "commit": shown.commit.oid,
        "class": shown.record.cls or None,
        "source": {_KEPT: "kept", _FETCHED: "remote", _BUILT: "built"}[shown.source],
        "matches": _matches(shown),
        "published": [
            {"ref": listed.ref, "signed_by": listed.signed_by or None, "problem": listed.problem or None}
            for listed in shown.listed
        ],
        "record_sha256": sha256_hex(shown.raw),
        "record": statement(shown.record),
    }


def _matches(shown: Shown) -> bool:
    return (shown.record.commit, shown.record.tree) == (shown.commit.oid, shown.commit.tree)


def _as_text(shown: Shown) -> Iterator[str]:
    record, totals = shown.record, shown.record.totals
    title = title_of(shown.commit.message)
    yield f"{click.style(shown.commit.oid[:10], dim=True)}  {click.style(title, bold=True)}"
    cls = _UNCLEAR if not record.cls and record.witness else _CLASSES[record.cls]
    yield f"class      {click.style(cls, fg=_COLOURS[record.cls])}"
    agents = Counter(map(_agent, record.agents))
    told = [f"{text}{f', in {count} sessions' if count > 1 else ''}" for text, count in agents.items()]
    yield from _labelled("agents", told)
    ran = [_operator(one) for one in record.operators or (record.operator,) if one.claim or one.email]
    yield from _labelled("ran by" if record.agents else "recorded", ran)
    reviews = [
        f"as @{review.account}, by {review.agent}: that account does not count" for review in record.reviews
    ]
    yield from _labelled("reviewed", reviews)
    files = f"{totals.files:,} file{'' if totals.files == 1 else 's'}"
    gone = f", {totals.files_deleted:,} deleted" if totals.files_deleted else ""
    lines = f"{totals.added:,} line{'' if totals.added == 1 else 's'} added"
    yield f"changes    {files}{gone}; {lines}, {totals.deleted:,} deleted"
    yield from _labelled("lines", [_lines(record, side) for side in ("added", "removed")])
    yield from _labelled("files", _files(record))
    yield from _labelled("made from", [f"{parent.commit[:10]} ({parent.how})" for parent in record.lineage])
    yield from _labelled("record", _vouched(shown))


def _operator(one: Operator) -> str:
    return f"{f'@{one.claim}' if one.claim else one.email} (from {one.how})"


def _labelled(label: str, lines: Sequence[str]) -> Iterator[str]:
    for line in filter(None, lines):
        yield f"{label:<10} {line}"
        label = ""


def _agent(agent: Agent) -> str:
    known = catalogue().by_id.get(agent.id)
    name = " ".join(part for part in (known.name if known else agent.id, agent.version) if part)
    known_by = ", ".join(_EVIDENCE.get(kind, kind) for kind in agent.evidence)
    return f"{name}{f', {agent.model}' if agent.model else ''} (known by {known_by})"


def _lines(record: Record, side: str) -> str:
    counts: Counter[str] = Counter()
    for part in record.contributors:
        if part.side == side:
            counts[part.cls] += part.count
    words = {"ai": "by an agent", "human": "by a person", "unknown": "unknown"}
    told = [f"{counts[cls]:,} {word}" for cls, word in words.items() if counts[cls]]
    return f"{side}: {', '.join(told)}" if told else ""


def _files(record: Record) -> list[str]:
    by_path: dict[str, list[Contributor]] = {}
    for part in record.contributors:
        by_path.setdefault(part.path, []).append(part)
    told = []
    # What is destroyed most comes first: that is what a reader must not miss.
    for change in sorted(record.files, key=lambda change: (-change.deleted, change.path))[:_MOST_FILES]:
        size = "binary" if change.binary else f"+{change.added:,} -{change.deleted:,}"
        agent = _ranges(by_path.get(change.path, ()))
        told.append(f"{change.status} {change.path}  {size}{f'  agent: {agent}' if agent else ''}")
    if len(record.files) > _MOST_FILES:
        told.append(f"and {len(record.files) - _MOST_FILES:,} more; all of them with --json")
    return told


def _ranges(parts: Sequence[Contributor]) -> str:
    """Lines of the new file that an agent wrote, and of the old one that it removed (with a minus)."""
    told = []
    for part in parts:
        if part.cls == "ai" and part.count:
            last = part.start + part.count - 1
            span = str(part.start) if part.count == 1 else f"{part.start}-{last}"
            told.append(f"-{span}" if part.side == "removed" else span)
    return ", ".join(told[:8]) + (", ..." if len(told) > 8 else "")


def _vouched(shown: Shown) -> list[str]:
    told = [shown.source]
    if not _matches(shown):
        told.append("it is for another commit or tree: to the gate this commit has no record")
    if shown.record.unlisted:
        told.append(f"it has fields that this version does not know: {', '.join(shown.record.unlisted)}")
    signed = sorted({listed.signed_by for listed in shown.listed if listed.signed_by})
    told += [f"published, signed with {key}" for key in signed]
    told += sorted({listed.problem for listed in shown.listed if listed.problem})
    if shown.listed and not signed:
        told.append("published without a signature: shown as a claim")
    elif not shown.listed and shown.source == _KEPT:
        told.append("not published; a push or `foureyes publish` does that")
    return told
