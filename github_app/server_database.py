"""The server's database, for a command that is run beside the server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from foureyes.github_app import storage
from foureyes.github_app.settings import read_database_url
from foureyes.shared.errors import UserError


@contextmanager
def server_database(*, any_version: bool = False) -> Iterator[Engine]:
    """Where FOUREYES_DATA or FOUREYES_DATABASE_URL say it is. Raises UserError if it is not there, cannot be used, or
    (unless `any_version`) does not hold exactly our tables.
    """
    engine = storage.connect(read_database_url(os.environ))
    try:
        file = storage.database_file(engine)
        if file is not None and not file.is_file():
            raise UserError(
                f"there is no database: {file}",
                next_step="set FOUREYES_DATA or FOUREYES_DATABASE_URL as the server has them",
            )
        if not any_version:
            storage.check_schema(engine)
        with storage.explained(engine):
            yield engine
    finally:
        engine.dispose()
