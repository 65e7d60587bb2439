"""SQLite has one writer, and it is in one process: whoever comes second is refused."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from foureyes.github_app import storage
from foureyes.shared.errors import UserError


@contextmanager
def one_writer(engine: Engine, data: Path) -> Iterator[None]:
    """Makes the folders. Holds a lock beside the SQLite file; raises UserError if another process has it."""
    file = storage.database_file(engine)
    _make_folder(data)
    if file is None:
        yield
        return
    _make_folder(file.parent)
    with _lock_file(file.with_name(f"{file.name}.lock")) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"another foureyes serve uses {file}",
                why="with SQLite one process writes",
                next_step="stop the other one, or use PostgreSQL (FOUREYES_DATABASE_URL) for several",
            ) from error
        yield


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_keep(error) from error


def _lock_file(path: Path) -> IO[str]:
    try:
        return path.open("w")
    except OSError as error:
        raise _cannot_keep(error) from error


def _cannot_keep(error: OSError) -> UserError:
    return UserError(
        f"cannot keep data in {error.filename}: {error.strerror}",
        why="a delivery is acknowledged only after it was stored",
        next_step="set FOUREYES_DATA to a folder that this user can write to",
    )
