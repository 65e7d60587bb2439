"""Each command of docs/operations.md is run, in the page's order, on a service of two processes with PostgreSQL and the
sandbox. What is only checked without being run (containers, installing) is in DRY; what another test runs is in ELSEWHERE.
"""

import json
import re
import shlex
import subprocess
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from support_database import fresh_database
from support_git import CHECKOUT
from support_in_process import ended
from support_sandbox import SHOP, World, running_sandbox
from support_serve import PATIENCE, get, serving

from foureyes.github_app import decisions, storage
from foureyes.github_app.tables import decision

PAGE = (CHECKOUT / "docs" / "operations.md").read_text()
SHOWN = "foureyes has no GitHub App yet."
"""Begins the one block that shows what is printed (held to what is printed in test_deploy.py)."""
DRY = ("pip install ", "docker compose ", "umask 077 && docker compose ")
ELSEWHERE = {
    "test_database_command.py": ("foureyes db backup ", "foureyes db check", "install -m 0600 ", "rm -f ", "createdb ",
                                 "pg_restore ", "FOUREYES_DATABASE_URL=postgresql:///foureyes_restored foureyes db check"),
    "test_processes.py": ("gunicorn -c ",),
    "test_deploy.py": ("foureyes app credentials ", "FOUREYES_URL=https://foureyes.example.org foureyes serve"),
    "test_serve.py": ("foureyes serve",),
}  # fmt: skip


def commands() -> list[str]:
    """Every line of every fenced block, without what is said after `#`."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks if not block.startswith(SHOWN) for line in block.splitlines()]
    return [found for line in lines if (found := re.sub(r"(^|\s+)#.*", "", line).strip())]


@dataclass
class Place:
    """Where the page's commands are run: its names stand for those that there are here."""

    world: World
    health: str
    """Of the worker."""
    names: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def run(self, line: str) -> str:
        self.done.append(line)
        for name, value in self.names.items():
            line = line.replace(name, value)
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.variables[name] = value
            return ""
        if words[0] == "curl":
            return subprocess.run(words, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        assert words[0] == "foureyes", line
        code, out, err = ended(self.world.folder, *words[1:], env=self.variables)
        # doctor says by its exit code whether GitHub holds the merge; here it need not
        assert code == 0 or (words[1] == "doctor" and code == 1), (line, out, err)
        return out


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Iterator[Place]:
    """One process hears, another works, started as the page says; one pull request was decided."""
    folder = tmp_path_factory.mktemp("operations")
    with ExitStack() as open_now:
        url = open_now.enter_context(fresh_database(postgresql_server, f"t{uuid.uuid4().hex}"))
        world = open_now.enter_context(running_sandbox(folder))
        environment = {
            **world.sandbox.environment(), "FOUREYES_DATA": str(folder / "data"), "FOUREYES_PORT": "0",
            "FOUREYES_DATABASE_URL": url, "PYTHONPATH": str(CHECKOUT / ".types"), "PATH": "/usr/bin:/bin",
        }  # fmt: skip
        (folder / "app.pem").write_text(world.sandbox.app.private_key)
        (folder / "app.pem").chmod(0o600)
        web_line, worker_line = (one for one in commands() if "--web-only" in one or one.endswith(" worker"))
        _, web = open_now.enter_context(serving(environment, *shlex.split(web_line)[1:]))
        set_port, *worker_words = shlex.split(worker_line)
        assert set_port.startswith("FOUREYES_PORT=")
        _, health = open_now.enter_context(serving(environment, *worker_words[1:]))
        world.sandbox.set_webhook_url(f"{web}/webhook")
        world.open_pull()
        names = {
            "OWNER/REPO": SHOP, "http://127.0.0.1:8080": web, "/etc/foureyes/app.pem": str(folder / "app.pem"),
            "=12345": f"={world.sandbox.app.id}", "=...": f"={world.sandbox.app.webhook_secret}",
            "01KA9S3V7Q4M8E2Z6T5N1R0CBD": decided(url), " d.json": f" {folder / 'd.json'}",
        }  # fmt: skip
        assert get(health, "/readyz")[0] == 200
        variables = {
            name: value for name, value in environment.items()
            if name.startswith("FOUREYES_") and name not in ("FOUREYES_APP_ID", "FOUREYES_PRIVATE_KEY")
        }  # fmt: skip
        place = Place(world, health, names, {**variables, "GH_TOKEN": world.sandbox.token("noor")})
        place.done += [web_line, worker_line]
        yield place


def decided(url: str) -> str:
    """The decision that the worker made, once it is there."""
    engine = storage.connect(url)
    end = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            with storage.reading(engine) as conn:
                found = conn.execute(decision.select().where(decision.c.check_run_id.is_not(None))).first()
                if found is not None:
                    made = decisions.load(conn, found.id)
                    assert made is not None
                    return made.id
            time.sleep(0.05)
    finally:
        engine.dispose()
    raise AssertionError("nothing was decided")


def dry(line: str) -> bool:
    return line.startswith(DRY)


def elsewhere(line: str) -> bool:
    return any(line.startswith(starts) for starts in ELSEWHERE.values())


def test_each_command_is_run_here_or_accounted_for(place: Place) -> None:
    if not place.world.sandbox.wait_delivered():
        pytest.fail("the web process does not answer")
    told = {}
    for line in commands():
        if not (dry(line) or elsewhere(line) or line in place.done) or line.endswith("serve --check"):
            told[line] = place.run(line)
    left = [line for line in commands() if line not in place.done and not dry(line) and not elsewhere(line)]
    assert left == []
    assert told["curl -fsS http://127.0.0.1:8080/readyz"].startswith("ready; ")
    assert "foureyes_heads{" in told["curl -fsS http://127.0.0.1:8080/metrics"]
    assert told["foureyes serve --check"].startswith("the settings hold")
    assert told["foureyes alerts"] == "No alerts.\n"
    assert json.loads(told["foureyes dead-letters list OWNER/REPO --json"]) == []
    assert "equal" in told["foureyes replay 01KA9S3V7Q4M8E2Z6T5N1R0CBD"]
    assert json.loads(told["foureyes doctor OWNER/REPO --json"])
    counted = get(place.health, "/metrics")[1]
    assert 'foureyes_decisions_total{outcome="wait"} 1.0' in counted
    assert re.search(r'foureyes_decision_reasons_total{outcome="wait",reason="[a-z-]+"} 1\.0', counted)
    assert re.search(r'foureyes_github_requests_total{result="ok"} [1-9]', counted)


def test_what_is_said_to_be_run_elsewhere_is_read_from_the_page_there() -> None:
    for name, starts in ELSEWHERE.items():
        text = (CHECKOUT / "tests" / "github_app" / name).read_text()
        for start in starts:
            assert any(line.startswith(start) for line in commands()), f"{start} is not on the page any more"
        assert "operations.md" in text or name == "test_serve.py"


def test_what_is_installed_can_be() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for line in commands():
        if line.startswith("pip install"):
            (wanted,) = re.findall(r"'foureyes\[(\w+)\]'", line)
            assert wanted in extras


def test_what_is_run_in_a_container_is_a_command_of_ours_in_a_service_that_there_is(tmp_path: Path) -> None:
    """No container engine is needed for that, and none is run."""
    services = yaml.safe_load((CHECKOUT / "docs" / "deploy" / "compose.yaml").read_text())["services"]
    (line,) = (one for one in commands() if "/given" in one)
    words = shlex.split(line)
    at = words.index("foureyes")
    assert words[at] in services
    (mount,) = (word for word in words if word.endswith(":/given:ro"))
    assert mount.startswith("$PWD")
    given = [word for word in words[at + 1 :] if word.startswith("/given/")]
    assert len(given) == 2
    assert ended(tmp_path, *words[at + 1 : at + 3], "--help")[0] == 0
    backup, check = (one for one in commands() if "docker compose" in one and "/given" not in one)
    database = services["database"]["environment"]
    made = f"exec -T database pg_dump --username={database['POSTGRES_USER']} --format=custom {database['POSTGRES_DB']} >"
    assert made in backup
    assert check.split()[-3:] == ["foureyes", "db", "check"]
    assert ended(tmp_path, "db", "check", "--help")[0] == 0
