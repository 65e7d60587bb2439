"""Records and notes of a pull request from a fork. They lie in the fork, where its owner can write them, so they count
for pull requests from that fork alone: kept under its own id, and never mixed with those of our branches.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from foureyes.github_app import alert_text, alerts, notes, records
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.pull_query import PullAnswer
from foureyes.github_app.records import Published
from foureyes.github_app.tables import record_shown
from foureyes.shared.agents import Catalogue
from foureyes.shared.facts import Repository

MirrorOf = Callable[[Repository], Mirror]

NOTHING = Published({}, ())


@dataclass(frozen=True)
class Found:
    """`published` None: the fork could not be read. `why` says why there may be no record."""

    published: Published | None
    why: str = ""
    noted: notes.Noted = field(default_factory=dict)


def read(answer: PullAnswer, mirror_of: MirrorOf, commits: Collection[str]) -> Found:
    """What the fork's record ref for the branch holds now, for these commits. A fork that nobody can read is no error:
    its commits have no record.
    """
    owner, slash, name = answer.head_slug.partition("/")
    if answer.head_repository is None or not slash:
        return Found(None, "the fork is gone, or the App may not read it")
    mirror = mirror_of(Repository(answer.head_repository, owner, name))
    try:
        with mirror.rebuilt_if_damaged():
            mirror.fetch([records.refspec(answer.pull.head_ref), *notes.REFSPECS])
            found = records.read_published(mirror, answer.pull.head_ref, commits)
            return Found(found, found.why, notes.read(mirror, commits))
    except GitError:
        return Found(None, f"those of the fork {answer.head_slug} could not be read")


def keep(
    conn: Connection,
    answer: PullAnswer,
    commits: Collection[str],
    found: Found,
    catalogue: Catalogue,
    at: int,
) -> None:
    """What was read; a record that vanished since the last look is an alert."""
    fork = answer.head_repository
    if found.published is None or fork is None:
        return
    repository = answer.pull.repository
    branch = f"{answer.head_slug.partition('/')[0]}:{answer.pull.head_ref}"
    gone = records.watch(
        conn, repository.id, _shown_as(answer, fork), commits, found.published, kept_under=fork
    )
    for commit, problem in gone:
        alerts.keep(conn, alert_text.of_record(repository.slug, repository.id, branch, commit, problem), at)
    records.keep(conn, fork, found.published, at)
    notes.keep(conn, fork, found.noted, catalogue, at)
    notes.keep(conn, repository.id, found.noted, catalogue, at, pull=answer.pull.number)


def kept_under(conn: Connection, answer: PullAnswer) -> tuple[int, ...]:
    """Under which ids records for this pull request were ever kept: of its fork, also if that is gone by now."""
    begin = _shown_as(answer, "")
    mine = (record_shown.c.repository_id == answer.pull.repository.id) & record_shown.c.branch.startswith(
        begin, autoescape=True
    )
    rows = conn.execute(select(record_shown.c.branch).where(mine).distinct()).scalars()
    return tuple(sorted(int(str(branch).removeprefix(begin)) for branch in rows))


def _shown_as(answer: PullAnswer, fork: object) -> str:
    """In place of a branch's name; no branch can have it, for none holds a colon."""
    return f"pull:{answer.pull.number}:{fork}"
