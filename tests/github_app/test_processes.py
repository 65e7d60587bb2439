"""The web side and the workers as processes of their own, on PostgreSQL; and how each of them ends."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from support_database import fresh_database
from support_git import CHECKOUT
from support_serve import (
    PATIENCE,
    OnlyTheProof,
    broken_github,
    deliver,
    get,
    pull_request,
    serving,
    settings_for,
)

from foureyes.github_app import serve, storage, tables, worker_command, wsgi
from foureyes.shared.errors import UserError

PAGE = (CHECKOUT / "docs" / "operations.md").read_text()
(_LINE,) = re.findall(r"^gunicorn ([^#\n]+)", PAGE, re.MULTILINE)
GUNICORN = [sys.executable, "-m", "gunicorn", *shlex.split(_LINE)]


@pytest.fixture(scope="module")
def github() -> Iterator[str]:
    with broken_github() as address:
        yield address


@pytest.fixture
def environment(github: str, tmp_path: Path) -> dict[str, str]:
    return settings_for(github, tmp_path / "data")


def refusal(command: object, environment: dict[str, str], *arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, env=environment)  # type: ignore[arg-type]
    assert isinstance(done.exception, UserError), done.output
    assert done.exception.why
    assert done.exception.next_step
    return str(done.exception)


def test_one_of_several_processes_is_refused_on_sqlite(environment: dict[str, str]) -> None:
    for command, arguments in ((serve.command, ["--web-only"]), (worker_command.command, [])):
        said = refusal(command, environment, *arguments)
        assert "needs PostgreSQL" in said
        assert "with SQLite only one can write" in said
    assert not Path(environment["FOUREYES_DATA"]).exists()


def test_a_worker_and_a_web_process_say_that_there_is_no_app(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"):
        environment[f"FOUREYES_{name}"] = ""
    assert "`foureyes worker` needs an App" in refusal(worker_command.command, environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="needs an App"):
        wsgi.create_application()


@contextmanager
def under_gunicorn(
    environment: dict[str, str], logs: Path, *more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Two web processes, as docs/operations.md starts them."""
    with logs.open("w") as errors:
        command = [*GUNICORN, *more]
        process = subprocess.Popen(command, env=environment, text=True, stderr=errors)
    try:
        yield process, _address(process, logs)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _address(process: subprocess.Popen[str], logs: Path) -> str:
    while process.poll() is None:
        for line in logs.read_text().splitlines():
            if "Listening at: " in line:
                return str(json.loads(line)["message"].split()[2])
        threading.Event().wait(0.05)
    raise AssertionError(logs.read_text())


def until(condition: object, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, what
        threading.Event().wait(0.05)


def test_gunicorn_hears_and_a_worker_looks_and_both_end_when_they_are_told_to(
    environment: dict[str, str], postgresql_server: str, tmp_path: Path
) -> None:
    """Nothing that was acknowledged is lost when the web side is restarted while a worker stays, and each process tells
    the deliveries that all web processes heard.
    """
    counts = tmp_path / "counts"
    counts.mkdir()
    logs = tmp_path / "gunicorn.log"
    with fresh_database(postgresql_server, f"t{uuid.uuid4().hex}") as url:
        environment["FOUREYES_DATABASE_URL"] = url
        together = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(counts)}
        engine = storage.connect(url)
        with serving(environment, "worker") as (worker, health):
            with under_gunicorn(together, logs) as (web, address):
                assert get(address, "/readyz")[0] == 200
                for number in range(1, 9):
                    assert deliver(address, f"d-{number}", pull_request(number)) == 202
                assert deliver(address, "d-9", pull_request(9), secret="guess") == 401
                told = get(address, "/metrics")[1]
                assert 'foureyes_deliveries_total{event="pull_request",result="stored"} 8.0' in told
                assert "foureyes_undecided_deliveries 8.0" in told
            assert web.returncode == 0
            assert deliver(health, "d-9", pull_request(9)) == 404
            assert get(health, "/readyz")[0] == 200

            def all_were_tried() -> bool:
                with storage.reading(engine) as conn:
                    tries = conn.execute(select(tables.work.c.tries)).scalars().all()
                return len(tries) == 8 and min(tries) > 0

            until(all_were_tried, "the worker did not look at what the web side heard")
            assert 'foureyes_look_seconds_count{result="again"}' in get(health, "/metrics")[1]
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
        engine.dispose()
    lines = [json.loads(line) for line in logs.read_text().splitlines()]
    assert {line["from"] for line in lines} >= {"gunicorn.error", "foureyes.github_app.web"}
    assert {line["delivery"] for line in lines if line["message"] == "stored"} == {
        f"d-{n}" for n in range(1, 9)
    }


def test_gunicorn_says_once_what_is_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        GUNICORN, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("foureyes: a web process of its own needs PostgreSQL\n") == 1
    assert "Traceback" not in done.stderr


def test_a_parent_and_its_children_never_share_a_connection(
    environment: dict[str, str], postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gunicorn --preload: the application is made before the processes are."""
    before = os.umask(0o077)
    with fresh_database(postgresql_server, f"t{uuid.uuid4().hex}") as url:
        for name, value in {**environment, "FOUREYES_DATABASE_URL": url}.items():
            monkeypatch.setenv(name, value)
        script = (
            "import os, sys\n"
            "from foureyes.github_app import wsgi\n"
            "client = wsgi.application.test_client()\n"
            "assert client.get('/readyz').status_code == 200\n"
            "children = []\n"
            "for _ in range(4):\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            "        os._exit(sum(client.get('/readyz').status_code != 200 for _ in range(10)))\n"
            "    children.append(child)\n"
            "assert all(client.get('/readyz').status_code == 200 for _ in range(10))\n"
            "sys.exit(sum(os.waitpid(child, 0)[1] for child in children))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    os.umask(before)
    assert done.returncode == 0, done.stderr


def test_a_stopping_server_stores_on_and_says_that_it_stops(environment: dict[str, str]) -> None:
    OnlyTheProof.asked.clear()
    OnlyTheProof.held.clear()
    environment["FOUREYES_DRAIN_SECONDS"] = "60"
    with serving(environment) as (process, address):
        assert deliver(address, "d-1", pull_request(1)) == 202
        assert OnlyTheProof.asked.wait(PATIENCE), "nobody looked"
        process.send_signal(signal.SIGTERM)
        until(lambda: get(address, "/readyz")[0] == 503, "it does not say that it stops")
        assert get(address, "/readyz")[1] == "stopping: what is being looked at is finished\n"
        assert deliver(address, "d-2", pull_request(2)) == 202
        assert get(address, "/healthz")[0] == 200
        OnlyTheProof.held.set()
        assert process.wait(PATIENCE) == 0


def test_a_github_that_cannot_be_reached_keeps_nobody_from_starting(environment: dict[str, str]) -> None:
    environment |= {"FOUREYES_GITHUB_URL": "https://github.invalid", "FOUREYES_SANDBOX_TOKEN": ""}
    with serving(environment) as (process, address):
        assert get(address, "/readyz")[0] == 200
        assert deliver(address, "d-1", pull_request(1)) == 202
        until(
            lambda: 'foureyes_look_seconds_count{result="again"}' in get(address, "/metrics")[1],
            "nobody looked",
        )
        assert get(address, "/readyz")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
