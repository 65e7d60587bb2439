"""When each open pull request was last read, by GitHub's clock, so that the sweep need not ask again what is known."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from foureyes.github_app.pull_query import PullAnswer
from foureyes.github_app.storage import insert
from foureyes.github_app.sweep_tables import pull_read


@dataclass(frozen=True)
class Read:
    head: str
    at: int
    """Milliseconds, by GitHub's clock; everything that happened before is in what was read."""


def keep_reads(conn: Connection, installation_id: int, answers: Iterable[PullAnswer]) -> None:
    """A lane that could not be looked at to its end stays pending, so that what was read for it is not lost."""
    for answer in sorted(answers, key=lambda answer: answer.pull.number):
        pull = answer.pull
        key = {"repository_id": pull.repository.id, "pull": pull.number}
        if not pull.is_open:
            mine = (pull_read.c.repository_id == pull.repository.id) & (pull_read.c.pull == pull.number)
            conn.execute(delete(pull_read).where(mine))
            continue
        row = {"installation_id": installation_id, "head": pull.head, "read_at": answer.ground.read_at}
        statement = insert(conn, pull_read).values(key | row)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=list(key), set_=row, where=pull_read.c.read_at < statement.excluded.read_at
            )
        )


def of(conn: Connection, repository_id: int, numbers: Collection[int]) -> dict[int, Read]:
    where = (pull_read.c.repository_id == repository_id) & pull_read.c.pull.in_(list(numbers))
    return {row.pull: Read(row.head, row.read_at) for row in conn.execute(select(pull_read).where(where))}
