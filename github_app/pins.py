"""Whom a name in a policy means: the account or the team that had it when it was first seen there.

A login that was given up can be somebody else's by tomorrow, and a team of the same name another team. A pin lasts as
long as the policy holds the name.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select

from foureyes.github_app.storage import insert, now, reading, writing
from foureyes.github_app.tables import name_pinned


@dataclass(frozen=True)
class Pins:
    """Of one repository. Names are compared as GitHub does, whatever their case."""

    engine: Engine
    repository_id: int

    def read(self) -> dict[str, int]:
        """Name, in lower case -> id of the account or team."""
        mine = name_pinned.c.repository_id == self.repository_id
        with reading(self.engine) as conn:
            return {row.name: row.id for row in conn.execute(select(name_pinned).where(mine))}

    def keep(self, found: Mapping[str, int], gone: Collection[str]) -> None:
        """Adds those found, and forgets those that the policy names no more. Writes nothing where nothing changed."""
        if not found and not gone:
            return
        mine = name_pinned.c.repository_id == self.repository_id
        with writing(self.engine) as conn:
            if gone:
                conn.execute(name_pinned.delete().where(mine & name_pinned.c.name.in_(sorted(gone))))
            for name, number in found.items():
                row = insert(conn, name_pinned).values(
                    repository_id=self.repository_id, name=name, id=number, pinned_at=now(conn)
                )
                conn.execute(row.on_conflict_do_nothing())
