"""Mirrors that nobody needs any more: of a repository that is in no installation, a day after it was used last; and any
that was not used for a month. They are caches: what is looked at again is fetched again.
"""

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, select

from foureyes.github_app import mirror_bounds
from foureyes.github_app.mirror_bounds import A_DAY, last_used
from foureyes.github_app.storage import reading
from foureyes.github_app.sweep_tables import repository_swept

A_MONTH = 30 * A_DAY
MOST = 20
"""Of one round; the others go with the next."""


def drop_unused(folder: Path, engine: Engine, now: float) -> int:
    """One round over the mirrors in `folder`; `now` in seconds since 1970. Returns how many were dropped."""
    _drop_left(folder, now - A_DAY)
    old = {int(path.stem): path for path in folder.glob("*.git") if path.stem.isdigit()}
    old = {repository: path for repository, path in old.items() if last_used(path) < now - A_DAY}
    covered = _covered(engine, sorted(old))
    dropped = 0
    for repository, path in sorted(old.items()):
        if dropped < MOST:
            age = A_MONTH if repository in covered else A_DAY
            dropped += mirror_bounds.drop_unused(path, now - age)
    return dropped


def _drop_left(folder: Path, before: float) -> None:
    """What a process left that was killed while it made or threw away a mirror."""
    for path in (*folder.glob("discarded-*"), *folder.glob("new-*")):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path, ignore_errors=True)


def _covered(engine: Engine, repositories: Collection[int]) -> set[int]:
    """Those that the sweep finds in an installation, with a policy; a fork is in none, and is used as long as a pull
    request from it is looked at.
    """
    found: set[int] = set()
    wanted = list(repositories)
    # in small steps: a database takes only so many values in one statement
    for start in range(0, len(wanted), 500):
        some = repository_swept.c.repository_id.in_(wanted[start : start + 500])
        with reading(engine) as conn:
            found |= set(conn.execute(select(repository_swept.c.repository_id).where(some)).scalars())
    return found
