"""Every way that a database can have come: from each older revision, with rows in every table, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Engine, Integer, LargeBinary, MetaData, Table, select

from foureyes.github_app import storage, tables
from foureyes.github_app.schema import _scripts, upgrade
from foureyes.shared.errors import UserError

REVISIONS = [step.revision for step in reversed(list(_scripts()[1].walk_revisions()))]
ROWS = 3
FLOOR = -42
"""Until r0003 an organisation's floor was kept among the policies, under its owner's id with a minus sign."""


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = storage.connect(database_url)
    yield engine
    engine.dispose()


def bring(engine: Engine, revision: str) -> None:
    with storage.writing(engine) as conn:
        upgrade(conn, revision)


def found_tables(engine: Engine) -> dict[str, Table]:
    found = MetaData()
    found.reflect(engine)
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def value(column: Any, number: int) -> object:
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if isinstance(column.type, Integer):
        return number
    return bytes([number]) if isinstance(column.type, LargeBinary) else f"{column.name} {number}"


def fill(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        for table in found_tables(engine).values():
            for number in range(1, ROWS + 1):
                conn.execute(table.insert().values({c.name: value(c, number) for c in table.columns}))


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with storage.reading(engine) as conn:
        return {
            name: sorted((dict(row) for row in conn.execute(select(table)).mappings()), key=str)
            for name, table in found_tables(engine).items()
        }


def test_there_is_one_line_of_revisions_and_one_end() -> None:
    script = _scripts()[1]
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert len(REVISIONS) == len(list(Path(script.dir).glob("r*.py")))


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_an_older_revision_are_all_there_after_it(empty: Engine, revision: str) -> None:
    bring(empty, revision)
    fill(empty)
    before = rows(empty)
    storage.migrate(empty)
    storage.check_schema(empty)
    after = rows(empty)
    assert len(before) >= 9
    for name, old in before.items():
        kept = [{key: row[key] for key in old[0] if key in row} for row in after[name]]
        wanted = [{key: row[key] for key in row if key in after[name][0]} for row in old]
        assert kept == wanted, name
    with storage.reading(empty) as conn:
        assert compare_metadata(MigrationContext.configure(conn), tables.metadata) == []


@pytest.mark.parametrize("revision", ["r0001", "r0002"])
def test_floors_that_were_kept_among_the_policies_move_to_their_own_table(
    empty: Engine, revision: str
) -> None:
    bring(empty, revision)
    policies = found_tables(empty)["policy_seen"]
    row = {"repository_id": FLOOR, "oid": "o", "text": "version: 1", "good": True, "seen_at": 7}
    with storage.writing(empty) as conn:
        conn.execute(policies.insert().values(row))
        conn.execute(policies.insert().values({**row, "repository_id": 9}))
    storage.migrate(empty)
    after = rows(empty)
    assert [one["repository_id"] for one in after["policy_seen"]] == [9]
    assert after["floor_seen"] == [
        {"owner_id": 42, "oid": "o", "text": "version: 1", "good": True, "seen_at": 7}
    ]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_server_of_this_version_does_not_work_on_older_tables(tmp_path: Path, revision: str) -> None:
    engine = storage.connect(f"sqlite:///{tmp_path / 'f.sqlite3'}")
    bring(engine, revision)
    with pytest.raises(UserError, match="foureyes db migrate"):
        storage.check_schema(engine)
    engine.dispose()
