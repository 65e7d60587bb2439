"""What was published for heads that wait: pushing a record raises no event, since its ref is no branch. One
`git ls-remote` of the records' own namespace for each repository with such heads; it costs nothing of any budget.
"""

import logging
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from foureyes.github_app.client import InstallationClient
from foureyes.github_app.lanes import Lane
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.storage import now, reading, writing
from foureyes.github_app.sweep import wake_idle
from foureyes.github_app.sweep_query import Updated, ask_all_open
from foureyes.github_app.sweep_tables import repository_swept
from foureyes.github_app.tables import work
from foureyes.shared.record_ref import PREFIX, record_ref

MirrorOf = Callable[[int, str], Mirror]
"""The mirror of a repository, by its id and `owner/name`."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordSweep:
    engine: Engine
    client: InstallationClient
    mirror_of: MirrorOf
    is_late: Callable[[], bool]
    woken: Counter[str]

    def turn(self, place: str) -> str:
        """Goes on after the repository `place`; answers where to go on, "" at the end. Raises GitHubError."""
        for repository, slug in self._waiting(int(place or 0)):
            try:
                self._sweep(repository, slug)
            except GitError as error:
                _log.warning("the records of %s could not be listed: %s", slug, error.why)
            if self.is_late():
                return str(repository)
        return ""

    def _waiting(self, after: int) -> list[tuple[int, str]]:
        mine = (work.c.installation_id == self.client.installation_id) & work.c.live & ~work.c.green
        query = select(work.c.repository_id, work.c.slug).where(mine, work.c.repository_id > after).distinct()
        with reading(self.engine) as conn:
            by_id = {row.repository_id: row.slug for row in conn.execute(query)}
        return sorted(by_id.items())

    def _sweep(self, repository: int, slug: str) -> None:
        shown = self.mirror_of(repository, slug).remote_refs(PREFIX)
        before = self._before(repository)
        if shown == before:
            return
        changed = {
            ref for ref in shown.keys() | (before or {}).keys() if shown.get(ref) != (before or {}).get(ref)
        }
        concerned = [
            pull
            for pull in (ask_all_open(self.client, slug) if changed else ())
            if not pull.from_fork and record_ref(pull.head_ref) in changed
        ]
        with writing(self.engine) as conn:
            count = wake_idle(conn, [self._head(repository, slug, pull) for pull in concerned], now(conn))
            mine = repository_swept.c.repository_id == repository
            conn.execute(update(repository_swept).where(mine).values(records=_packed(shown)))
        if count:
            self.woken["records"] += count
            _log.info("%s: records for %d heads were published or changed", slug, count)

    def _before(self, repository: int) -> dict[str, str] | None:
        query = select(repository_swept.c.records).where(repository_swept.c.repository_id == repository)
        with reading(self.engine) as conn:
            packed = conn.execute(query).scalar()
        if packed is None:
            return None
        lines = zlib.decompress(packed).decode().splitlines()
        return {ref: oid for oid, ref in (line.split(" ", 1) for line in lines)}

    def _head(self, repository: int, slug: str, pull: Updated) -> Lane:
        return Lane(self.client.installation_id, repository, slug, pull.head, pull=pull.number)


def _packed(refs: dict[str, str]) -> bytes:
    return zlib.compress("".join(f"{oid} {ref}\n" for ref, oid in sorted(refs.items())).encode(), 6)
