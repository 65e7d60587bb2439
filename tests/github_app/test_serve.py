"""`foureyes serve` as a real process on loopback: how it starts, what it refuses, what survives its death."""

import json
import signal
import socket
import sqlite3
import stat
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support_database import fresh_database
from support_serve import (
    PATIENCE,
    broken_github,
    deliver,
    get,
    pull_request,
    refused,
    rows,
    serving,
    settings_for,
    start,
)

from foureyes.github_app.listening import Listening
from foureyes.shared.errors import UserError


@pytest.fixture(scope="module")
def github() -> Iterator[str]:
    with broken_github() as address:
        yield address


@pytest.fixture
def environment(github: str, tmp_path: Path) -> dict[str, str]:
    return settings_for(github, tmp_path / "data")


def test_it_hears_what_is_signed_and_stops_when_it_is_told_to(environment: dict[str, str]) -> None:
    with serving(environment) as (process, address):
        assert get(address, "/healthz") == (200, "alive\n")
        assert get(address, "/readyz")[0] == 200
        assert deliver(address, "d-1", pull_request(1)) == 202
        assert deliver(address, "d-2", pull_request(2), secret="guess") == 401
        assert deliver(address, "d-3", b"[]") == 400
        assert (
            'foureyes_deliveries_total{event="pull_request",result="stored"} 1.0'
            in get(address, "/metrics")[1]
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert rows(environment, "select guid from delivery") == [("d-1",)]
    assert rows(environment, "select key, gen, done_gen from work") == [(f"9:{1:040x}", 1, 0)]


def test_it_runs_on_postgresql(environment: dict[str, str], postgresql_server: str) -> None:
    with fresh_database(postgresql_server, f"t{uuid.uuid4().hex}") as url:
        environment["FOUREYES_DATABASE_URL"] = url
        with serving(environment) as (process, address), serving(environment) as (second, other_address):
            assert deliver(address, "d-1", pull_request(1)) == 202
            assert deliver(other_address, "d-1", pull_request(1)) == 202
            assert "to be looked at: 1," in get(other_address, "/readyz")[1]
            for each in (process, second):
                each.send_signal(signal.SIGTERM)
            assert (process.wait(PATIENCE), second.wait(PATIENCE)) == (0, 0)
    assert not list(Path(environment["FOUREYES_DATA"]).glob("*.sqlite3"))


def test_what_it_stores_is_for_nobody_else(environment: dict[str, str]) -> None:
    with serving(environment):
        data = Path(environment["FOUREYES_DATA"])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.iterdir()]}
    assert modes["data"] == 0o700
    assert "foureyes.sqlite3" in modes
    assert not [name for name, mode in modes.items() if mode & 0o077]


def test_a_killed_server_has_lost_nothing_that_it_acknowledged(environment: dict[str, str]) -> None:
    with serving(environment) as (process, address):
        acknowledged = [f"d-{n}" for n in range(1, 101) if deliver(address, f"d-{n}", pull_request(n)) == 202]
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert len(acknowledged) == 100
    assert {
        guid for (guid,) in rows(environment, "select guid from delivery where decided_at is null")
    } == set(acknowledged)
    with serving(environment) as (_, address):
        assert get(address, "/readyz") == (
            200,
            "ready; to be looked at: 100, of them failing again and again: 0\n",
        )


def test_a_failed_look_stays_due_and_says_why(environment: dict[str, str]) -> None:
    with serving(environment) as (process, address):
        assert deliver(address, "d-1", pull_request(1)) == 202
        while not (
            tried := rows(environment, "select tries, last_error, gen > done_gen from work where tries > 0")
        ):
            assert process.poll() is None
            threading.Event().wait(0.05)
    ((_, last_error, pending),) = tried
    assert last_error
    assert pending == 1


def test_a_body_that_is_larger_than_github_sends_is_refused(environment: dict[str, str]) -> None:
    with serving(environment) as (_, address):
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=PATIENCE) as connection:
            size = 25 * 1024 * 1024 + 1
            connection.sendall(
                f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
        assert get(address, "/healthz")[0] == 200


def test_all_wrong_settings_are_said_at_once_and_nothing_is_written(environment: dict[str, str]) -> None:
    environment |= {"FOUREYES_WEBHOOK_SECRET": "", "FOUREYES_PRIVATE_KEY": "no", "FOUREYES_PORT": "x"}
    said = refused(environment)
    for name in ("WEBHOOK_SECRET is missing", "PRIVATE_KEY does not hold", "PORT must be"):
        assert f"FOUREYES_{name}" in said
    assert not Path(environment["FOUREYES_DATA"]).exists()


def test_a_loopback_github_that_is_no_sandbox_is_refused(environment: dict[str, str]) -> None:
    assert "not the sandbox of this token" in refused({**environment, "FOUREYES_SANDBOX_TOKEN": "another"})
    del environment["FOUREYES_SANDBOX_TOKEN"]
    assert "only `foureyes sandbox` may be used like that" in refused(environment)


def test_a_taken_port_is_refused_before_anything_is_written(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment["FOUREYES_PORT"] = str(taken.getsockname()[1])
        said = refused(environment)
    assert f"cannot listen on 127.0.0.1:{environment['FOUREYES_PORT']}: Address already in use" in said
    assert "set FOUREYES_PORT to another" in said
    assert not Path(environment["FOUREYES_DATA"]).exists()


@pytest.mark.parametrize("host", ["192.0.2.7", "300.1.1.1"])
def test_an_address_that_is_not_this_machine_s_is_told_as_that(host: str) -> None:
    with pytest.raises(UserError, match="set FOUREYES_HOST to an address of this machine"):
        Listening(lambda _environ, _start: [], host, 0)


def test_a_second_server_on_the_same_file_is_refused(environment: dict[str, str]) -> None:
    with serving(environment) as (_, address):
        assert "another foureyes serve uses" in refused(environment)
        assert get(address, "/healthz")[0] == 200


def test_a_folder_that_cannot_be_used_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused({**environment, "FOUREYES_DATA": str(tmp_path / "file" / "data")})
    assert "cannot keep data in" in said


@pytest.mark.parametrize("content", ["newer", "not a database"])
def test_a_database_that_is_not_ours_is_refused_and_left_alone(
    environment: dict[str, str], content: str
) -> None:
    data = Path(environment["FOUREYES_DATA"])
    data.mkdir()
    file = data / "foureyes.sqlite3"
    if content == "newer":
        database = sqlite3.connect(file)
        database.executescript(
            "create table alembic_version (version_num text); insert into alembic_version values ('r9999')"
        )
        database.close()
    else:
        file.write_bytes(b"this is a letter and no database\n" * 100)
    before = file.read_bytes()
    said = refused(environment)
    assert ("newer foureyes" if content == "newer" else "not a database") in said
    if content == "not a database":
        assert file.read_bytes() == before
    else:
        tables = rows(environment, "select name from sqlite_master")
        assert tables == [("alembic_version",)]


def test_checking_reads_the_settings_and_starts_nothing(environment: dict[str, str]) -> None:
    process = start(environment, "serve", "--check", "--json")
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert json.loads(said) == {"ok": True, "github": environment["FOUREYES_GITHUB_URL"]}
    assert not Path(environment["FOUREYES_DATA"]).exists()
