"""Which version of the tables a database holds, and how it gets to ours. The steps are in `migrations/`.

Alembic without its command-line files: one folder of revisions, run inside the caller's transaction.
"""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, String, column, select, table, text

from foureyes.github_app import sweep_tables  # noqa: F401 - so that all tables are known
from foureyes.shared.errors import UserError

_REVISIONS = Path(__file__).parent / "migrations"
_HERE = select(column("version_num", String)).select_from(table("alembic_version"))
_LOCK = 0x4EE7E5  # any fixed number: replicas that start together migrate one after the other


def upgrade(conn: Connection, to: str = "head") -> None:
    """To the newest revision, or to `to`. Raises UserError if the database is newer than this program."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config, script = _scripts()
    _refuse_newer(script, MigrationContext.configure(conn).get_current_heads())

    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs(to, revision)

    with EnvironmentContext(config, script, fn=steps) as environment:
        # The caller's transaction holds all of it, on SQLite as well.
        environment.configure(connection=conn, transactional_ddl=True)
        environment.run_migrations()


def require_current(conn: Connection) -> None:
    """Raises UserError unless the schema is exactly ours."""
    _, script = _scripts()
    found = MigrationContext.configure(conn).get_current_heads()
    _refuse_newer(script, found)
    if set(found) != set(script.get_heads()):
        raise UserError(
            "the database is not set up for this version of foureyes",
            next_step="foureyes db migrate (foureyes serve does it by itself when it starts)",
        )


def state_of(conn: Connection) -> tuple[str, str]:
    """(the revision that the database holds, "" for none; ours). Raises UserError if the database is newer."""
    _, script = _scripts()
    found = MigrationContext.configure(conn).get_current_heads()
    _refuse_newer(script, found)
    return ", ".join(found), ", ".join(script.get_heads())


def revisions_of(conn: Connection) -> set[str]:
    """Which the database holds, where it holds any; without reading the steps."""
    return set(conn.execute(_HERE).scalars())


def newest_revision() -> str:
    """Ours."""
    return str(_scripts()[1].get_current_head())


def _refuse_newer(script: ScriptDirectory, found: tuple[str, ...]) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    unknown = sorted(set(found) - known)
    if unknown:
        raise UserError(
            f"the database was written by a newer foureyes (schema {', '.join(unknown)})",
            why="an older program could misread what the newer one decided",
            next_step="start that newer version again, or restore the database from before it",
        )


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(_REVISIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a folder's name may hold spaces and colons
    return config, ScriptDirectory.from_config(config)
