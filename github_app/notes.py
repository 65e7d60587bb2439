"""What notes of other tools say of commits: read with the records, and kept for good once seen. Anyone who may push can
write one, so that it is a claim: it names an agent, and takes none away.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from sqlalchemy import Connection, select

from foureyes.github_app.git_process import MIB
from foureyes.github_app.mirror import OURS, GitError, Mirror, Trouble
from foureyes.github_app.pull_query import PullAnswer
from foureyes.github_app.storage import insert
from foureyes.github_app.tables import note_seen
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.agents import Catalogue
from foureyes.shared.notes_tree import find_notes
from foureyes.shared.others_notes import READERS, Reader

Noted = Mapping[str, tuple[str, ...]]
"""Commit -> the names of the agents to which a note gives lines of it."""

REFSPECS = tuple(f"+{one.ref}*:{OURS}/{one.ref.removeprefix('refs/')}*" for one in READERS)
"""Patterns, because a repository without notes is normal and a pattern may match nothing."""

UNREAD = ""
"""In place of a name: there is a note too large to be read, or of a form that is not known, and nobody can say that it
names no agent.
"""

_MOST_TREES, _MOST_BYTES, _LONGEST_NOTE = 64 * MIB, 64 * MIB, 2 * MIB
_MOST_NAMES, _LONGEST_NAME = 20, 100


def read(mirror: Mirror, commits: Collection[str]) -> Noted:
    """From what was fetched. Fetches the blobs in one batch for each kind of note. Raises GitError."""
    tips = mirror.refs("notes")
    found: dict[str, dict[str, None]] = {}
    for reader in READERS:
        tip = tips.get(reader.ref.removeprefix("refs/notes/"), "")
        for commit, note in _read(mirror, tip, commits).items() if tip else ():
            found.setdefault(commit, {}).update(dict.fromkeys(_named(reader, note)))
    return {commit: tuple(names)[:_MOST_NAMES] for commit, names in found.items() if names}


def _named(reader: Reader, note: bytes | None) -> list[str]:
    if note is None or not reader.is_readable(note):
        return [UNREAD]
    return sorted({lines.agent.tool[:_LONGEST_NAME] or UNNAMED for lines in reader.lines(note)})


def _read(mirror: Mirror, tip: str, commits: Collection[str]) -> Mapping[str, bytes | None]:
    """Commit -> its note, None where it is too large. Where they are too many to be found: None for every commit."""
    there: Mapping[str, str] = dict.fromkeys(commits, "")
    try:
        there = find_notes(mirror.tree_of(tip), commits, partial(_trees, mirror))
        mirror.fetch_objects(there.values())
        contents = mirror.objects(there.values(), "blob", cap=_MOST_BYTES)
    except GitError as error:
        if error.trouble is not Trouble.TOO_BIG:
            raise
        return dict.fromkeys(there)
    notes = {commit: contents[blob] for commit, blob in there.items()}
    return {commit: note if len(note) <= _LONGEST_NOTE else None for commit, note in notes.items()}


def _trees(mirror: Mirror, oids: Iterable[str]) -> list[bytes]:
    asked = list(oids)
    found = mirror.objects(filter(None, asked), "tree", cap=_MOST_TREES)
    return [found.get(oid, b"") for oid in asked]


def keep(
    conn: Connection, repository_id: int, noted: Noted, catalogue: Catalogue, at: int, *, pull: int = 0
) -> None:
    """What notes said, also after they are gone. `pull`: they lie in the fork that this pull request comes from."""
    for commit, names in noted.items():
        for agent in {UNREAD if name == UNREAD else catalogue.by_tool(name) or UNNAMED for name in names}:
            row = insert(conn, note_seen).values(
                repository_id=repository_id, pull=pull, commit=commit, agent=agent, seen_at=at
            )
            conn.execute(row.on_conflict_do_nothing())


def seen(conn: Connection, answer: PullAnswer, commits: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Commit -> the agents that notes were ever seen to name: in the repository, and in the fork that the pull request
    comes from, also if that is gone by now.
    """
    home, fork = answer.pull.repository.id, answer.head_repository
    ours = (note_seen.c.repository_id == home) & note_seen.c.pull.in_((0, answer.pull.number))
    theirs = (note_seen.c.repository_id == (fork or home)) & (note_seen.c.pull == 0)
    rows = conn.execute(
        select(note_seen.c.commit, note_seen.c.agent)
        .where((ours | theirs) & note_seen.c.commit.in_(list(commits)))
        .order_by(note_seen.c.commit, note_seen.c.agent)
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for commit, agent in rows:
        found[commit] = (*found.get(commit, ()), agent)
    return found
