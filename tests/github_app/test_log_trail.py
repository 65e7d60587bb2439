"""Every line of a server's log at its most talkative, from a delivery to the published check and through failures: one
JSON object each, the delivery named at every step, no secret in any.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text
from support_database import fresh_database
from support_git import CHECKOUT
from support_sandbox import SHOP, World, ask, running_sandbox

from foureyes.github_app import storage
from foureyes.github_app.sandbox.faults import Fault

PATIENCE = 60


@contextmanager
def served(world: World, logs: Path, database: str) -> Iterator[str]:
    environment = {
        **os.environ, **world.sandbox.environment(), "FOUREYES_DATA": str(world.folder / "app"), "FOUREYES_PORT": "0",
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


def test_each_step_names_its_delivery_and_no_line_holds_a_secret(
    tmp_path: Path, postgresql_server: str
) -> None:
    logs, password = tmp_path / "server.log", "pass/word of:the@database"
    with (
        fresh_database(postgresql_server, f"t{uuid.uuid4().hex}") as plain,
        running_sandbox(tmp_path) as world,
    ):
        url = make_url(plain).set(password=password).render_as_string(hide_password=False)
        with served(world, logs, url) as address:
            world.sandbox.set_webhook_url(f"{address}/webhook")
            number = world.open_pull()
            assert world.sandbox.wait_delivered()
            until(lambda: "check run" in logs.read_text(), "nothing was published")
            misfortunes(world, plain, address, logs)
            for login in ("rita", "sam"):
                assert world.review(login, number).status == 200
            assert world.sandbox.wait_delivered()
            until(lambda: f"{SHOP}#{number}: pass" in logs.read_text(), "it never passed")
            secrets = secrets_of(world, password)
        heard = {delivery.guid for delivery in world.sandbox.world.courier.log if delivery.event != "ping"}
    whole = logs.read_text()
    lines = [json.loads(line) for line in whole.splitlines()]
    assert all(isinstance(line, dict) and {"at", "level", "from", "message"} <= set(line) for line in lines)
    assert {line["delivery"] for line in lines if line["message"] == "stored"} == heard
    assert len(secrets) > 10
    for name, secret in secrets.items():
        for form in forms(secret):
            assert form not in whole, name
    assert [line for line in lines if "UndefinedTable" in line.get("error", "")]
    (passed,) = [line for line in lines if f"{SHOP}#{number}: pass" in line["message"]]
    steps = [
        line
        for line in lines
        if line.get("deliveries") == passed["deliveries"] and line["lane"] == passed["lane"]
    ]
    assert set(passed["deliveries"].split()) <= heard
    told = [line["message"] for line in steps]
    for step in (r"POST .*/graphql: 200", r": pass, decision [0-9A-Z]{26}", r"PATCH .*/check-runs/\d+: 200", r"published on ",
                 r"looked: done"):  # fmt: skip
        assert [message for message in told if re.search(step, message)], (step, told)
