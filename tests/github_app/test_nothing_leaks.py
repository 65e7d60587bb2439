"""A real server with every secret that it has, from a delivery to the published check and through failures: what it logs
at its most talkative, what it stores and for whom, what it tells the programs that it starts.
"""

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from support_database import fresh_database
from support_git import CHECKOUT
from support_sandbox import SHOP, World, ask, running_sandbox

from foureyes.github_app import storage
from foureyes.github_app.sandbox.faults import Fault

PATIENCE = 120
"""Seconds: longer than a lease, in case a claim is lost with the connection that made it."""
BRANCH = "x;$(touch${IFS}pwned);`id`'\"<b>|--upload-pack=x"
FILE = "infra/--output=pwned $(id).tf"
# Keeps what git is called with, each argument after a NUL, each call on a line that begins with its number.
SPY = """#!/bin/sh
{{ printf 'CALL'; for word; do printf '\\0%s' "$word"; done; printf '\\0\\0'; }} >> {arguments}
exec {git} "$@"
"""


@dataclass(frozen=True)
class Story:
    """What a server left behind."""

    lines: list[dict[str, Any]]
    calls: list[list[str]]
    secrets: dict[str, str]
    heard: set[str]
    folder: Path
    number: int

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()


@contextmanager
def served(world: World, logs: Path, database: str) -> Iterator[str]:
    spy = logs.with_name("bin")
    spy.mkdir()
    (spy / "git").write_text(SPY.format(arguments=logs.with_name("arguments"), git=shutil.which("git")))
    (spy / "git").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{spy}:{os.environ['PATH']}", **world.sandbox.environment(), "FOUREYES_DATA": str(world.folder / "app"), "FOUREYES_PORT": "0",
        "FOUREYES_DATABASE_URL": database,
        "FOUREYES_LOG": "debug", "PYTHONPATH": str(CHECKOUT / ".types"), "PYTHONWARNINGS": "default",
    }  # fmt: skip
    with logs.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "foureyes.hooks.cli", "serve", "--json"],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["listening"])
        process.terminate()
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.communicate()


def forms(secret: str) -> set[str]:
    """What a secret may look like in a line; a key also line by line, a long token also cut off."""
    parts = [secret, *[line for line in secret.splitlines() if not line.startswith("-----")]]
    found = (
        set(parts)
        | {json.dumps(part)[1:-1] for part in parts}
        | ({secret[:60]} if secret.startswith("gh") else set())
    )
    return found | {base64.b64encode(part.encode()).decode().rstrip("=") for part in parts}


def until(condition: Any, what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def secrets_of(world: World, password: str) -> dict[str, str]:
    """What is secret in this story. Tokens of installations are among the credentials."""
    app = world.sandbox.app
    named = {
        "key": app.private_key, "webhook secret": app.webhook_secret, "sandbox token": world.sandbox.world.token,
        "database password": password,
    }  # fmt: skip
    return named | {f"token {number}": token for number, token in enumerate(world.sandbox.world.credentials)}


def misfortunes(world: World, url: str, address: str, logs: Path) -> None:
    """GitHub fails in the middle of looks, the database throws everyone out, strangers knock."""
    stolen = next(token for token in world.sandbox.world.credentials if token.startswith("ghs_"))
    said = f"not {world.sandbox.app.webhook_secret} {stolen}"
    for fault in (
        Fault("status", "POST /api/graphql", times=3, message=said),
        Fault("graphql-error", "POST /api/graphql", message=said),
        Fault("status", f"POST /{SHOP}.git/git-upload-pack", message=said),
    ):
        world.sandbox.world.faults.add(fault)
    ask(address, "POST", "/webhook", {"a": stolen}, {"X-Hub-Signature-256": world.sandbox.app.webhook_secret})
    ask(address, "GET", f"/{stolen}?{world.sandbox.app.webhook_secret}")
    engine = storage.connect(url)
    with engine.begin() as conn:
        conn.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
        )
        conn.execute(text("alter table work rename to mislaid"))
    until(lambda: "UndefinedTable" in logs.read_text(), "nobody missed the table")
    with engine.begin() as conn:
        conn.execute(text("alter table mislaid rename to work"))
    engine.dispose()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Story:
    folder = tmp_path_factory.mktemp("story")
    logs, password = folder / "server.log", "pass/word of:the@database"
    with fresh_database(postgresql_server, f"t{uuid.uuid4().hex}") as plain, running_sandbox(folder) as world:
        url = make_url(plain).set(password=password).render_as_string(hide_password=False)
        with served(world, logs, url) as address:
            world.sandbox.set_webhook_url(f"{address}/webhook")
            number = world.open_pull(branch=BRANCH, files={FILE: "one\n"}, title="hostile")
            assert world.sandbox.wait_delivered()
            until(lambda: "check run" in logs.read_text(), "nothing was published")
            misfortunes(world, plain, address, logs)
            for login in ("rita", "sam"):
                assert world.review(login, number).status == 200
            assert world.sandbox.wait_delivered()
            until(lambda: f"{SHOP}#{number}: pass" in logs.read_text(), "it never passed")
            secrets = secrets_of(world, password)
        heard = {delivery.guid for delivery in world.sandbox.world.courier.log if delivery.event != "ping"}
    calls = [
        call.split("\0")[1:]
        for call in (folder / "arguments").read_text().split("\0\0")
        if call.startswith("CALL")
    ]
    return Story(
        [json.loads(line) for line in logs.read_text().splitlines()], calls, secrets, heard, folder, number
    )


def test_every_line_is_an_object_and_each_step_names_its_delivery(story: Story) -> None:
    assert all({"at", "level", "from", "message"} <= set(line) for line in story.lines)
    assert {line["delivery"] for line in story.lines if line["message"] == "stored"} == story.heard
    assert [line for line in story.lines if "UndefinedTable" in line.get("error", "")]
    passed = [line for line in story.lines if f"{SHOP}#{story.number}: " in line["message"]][-1]
    assert set(passed["deliveries"].split()) <= story.heard
    same = [
        line["message"] for line in story.lines
        if (line.get("deliveries"), line.get("lane")) == (passed["deliveries"], passed["lane"])
    ]  # fmt: skip
    for step in (r"POST .*/graphql: 200", r", decision [0-9A-Z]{26}", r"PATCH .*/check-runs/\d+: 200", r"published on ",
                 r"looked: "):  # fmt: skip
        assert [message for message in same if re.search(step, message)], (step, same)


def test_no_line_holds_a_secret(story: Story) -> None:
    assert len(story.secrets) > 10
    for name, secret in story.secrets.items():
        for form in forms(secret):
            assert form not in story.log, name
    assert "[redacted]" in story.log, "nothing was taken out: the test proves nothing"


def test_nothing_that_it_wrote_is_for_anybody_else(story: Story) -> None:
    data = story.folder / "app"
    written = [data, *data.rglob("*")]
    assert any(path.name == "HEAD" for path in written), "no mirror was made: the test proves nothing"
    assert not [
        path for path in written if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def test_no_program_is_given_a_secret_as_an_argument(story: Story) -> None:
    words = {word for call in story.calls for word in call}
    assert any("fetch" in call for call in story.calls)
    for name, secret in story.secrets.items():
        for form in forms(secret):
            assert not [word for word in words if form in word], name


def test_names_that_others_chose_are_never_options_nor_run(story: Story) -> None:
    words = {word for call in story.calls for word in call}
    assert not [word for word in words if word.startswith(("--upload-pack", "--output"))]
    assert not [word for word in words if BRANCH in word and not re.match(r"\+?refs/", word)]
    assert not list(story.folder.rglob("pwned*"))
