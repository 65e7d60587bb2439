import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support_database import fresh_database, migrated, postgresql
from support_repository import Bare

from foureyes.github_app.mirror import Mirror, Remote


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'foureyes.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql_server")
    with fresh_database(server, f"t{uuid.uuid4().hex}") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with our tables, once per kind."""
    with migrated(database_url) as engine:
        yield engine


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    with migrated(f"sqlite:///{tmp_path / 'foureyes.sqlite3'}") as engine:
        yield engine


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """A repository to fetch from."""
    return Bare.make(tmp_path / "origin.git")


@pytest.fixture
def mirror(tmp_path: Path, bare: Bare) -> Mirror:
    """Of it, empty."""
    return Mirror(tmp_path / "mirrors" / "7.git", Remote(bare.url, protocols=("file",)))
