"""A copy of the database while the server runs: whole, or not there at all."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine

from foureyes.github_app import storage
from foureyes.github_app.redaction import redact
from foureyes.shared.errors import UserError


def back_up(engine: Engine, target: Path, *, replace: bool = False) -> int:
    """Writes `target`, mode 0600, and returns its size in bytes. Raises UserError; then what was there is as it was."""
    if target.exists() and not replace:
        raise UserError(
            f"{target} is there already", next_step="name another file, or say --replace to write over it"
        )
    with _beside(target) as draft:
        file = storage.database_file(engine)
        if file is not None:
            _copy(file, draft)
        else:
            _dump(engine.url, draft)
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    return target.stat().st_size


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file that nobody else can read, in the target's folder, gone afterwards unless it was renamed."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise UserError(
            f"cannot write a backup to {target}: {error.strerror}",
            next_step="name a folder that this user can write to",
        ) from error
    os.close(number)
    try:
        yield Path(name)
    except OSError as error:
        raise UserError(f"cannot write a backup to {target}: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _copy(file: Path, draft: Path) -> None:
    """SQLite's online backup, of one snapshot: the server goes on writing."""
    address = f"{file.absolute().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(address, uri=True)) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy)
            # One file that can be carried elsewhere, without a log beside it.
            copy.execute("pragma journal_mode=delete")
            found = copy.execute("pragma quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise UserError(f"{file} cannot be backed up: {error}", next_step="foureyes db check") from error
    if found != "ok":
        raise UserError(
            f"{file} cannot be backed up: the copy is damaged: {found}", next_step="foureyes db check"
        )


def _dump(url: URL, draft: Path) -> None:
    """pg_dump's own format, for pg_restore. What it connects with stands in its environment, for nobody else to see."""
    program = shutil.which("pg_dump")
    if program is None:
        raise UserError(
            "pg_dump is not installed here",
            why="it is PostgreSQL's own way to a consistent copy",
            next_step="install PostgreSQL's client programs, or where they are: pg_dump --format=custom --file FILE",
        )
    command = [program, "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"]
    done = subprocess.run(
        command, env=os.environ | connection_environment(url), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = redact(_hidden(done.stderr.strip(), url)) or f"exit code {done.returncode}"
        raise UserError(
            f"pg_dump could not read the database: {said}",
            next_step="see that pg_dump is not older than the server, and check FOUREYES_DATABASE_URL",
        )


def connection_environment(url: URL) -> dict[str, str]:
    """How libpq's programs reach the database of `url`, as environment variables."""
    # Where both name one, the query's holds: `postgresql:///name?host=/run/postgresql`.
    found = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    known = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    given = {name: str(value) for name, value in known.items() if value is not None} | found
    if url.database:
        given["dbname"] = url.database
    return {_VARIABLES[name]: value for name, value in given.items() if name in _VARIABLES}


_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "service": "PGSERVICE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def _hidden(text: str, url: URL) -> str:
    return re.sub(re.escape(url.password), "***", text) if url.password else text


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
