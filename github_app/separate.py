"""What a process needs that is one of several: a database that several can write, and an App that is there already."""

from collections.abc import Mapping

from foureyes.github_app.settings import Settings, is_first_run, read_database_url, read_settings
from foureyes.shared.errors import UserError


def read_separate_settings(environment: Mapping[str, str], what: str) -> Settings:
    """The settings of `what`, which is one of several processes. Raises UserError."""
    if is_first_run(environment):
        raise UserError(
            f"{what} needs an App, and there is none yet",
            why="it would not know for whom to work",
            next_step="run `foureyes serve` once and set it up, or `foureyes app credentials`; give this process the"
            " same FOUREYES_DATA, or FOUREYES_APP_ID, FOUREYES_PRIVATE_KEY_FILE and FOUREYES_WEBHOOK_SECRET",
        )
    refuse_sqlite(read_database_url(environment), what)
    return read_settings(environment)


def refuse_sqlite(url: str, what: str) -> None:
    """Raises UserError if the database at `url` can be written by one process only. `what` would be one of several."""
    if url.startswith("sqlite"):
        raise UserError(
            f"{what} needs PostgreSQL",
            why="it is one of several processes, and with SQLite only one can write",
            next_step="set FOUREYES_DATABASE_URL=postgresql://..., or run `foureyes serve` alone: it does all in one"
            " process",
        )
