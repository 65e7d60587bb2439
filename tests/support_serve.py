"""`foureyes serve` and `foureyes worker` as real processes on loopback.

GitHub is a stand-in that proves to be the sandbox and answers nothing else, so that every look fails and stays due.
"""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support_git import CHECKOUT
from support_in_process import ended

SECRET, TOKEN = "it is a secret to everybody", "sandbox-token"
PATIENCE = 60
CLI = (sys.executable, "-m", "foureyes.hooks.cli")


@cache
def app_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class OnlyTheProof(http.server.BaseHTTPRequestHandler):
    """500 for everything but the proof; while `held` is clear, only after it is set."""

    held = threading.Event()
    held.set()
    asked = threading.Event()

    def do_GET(self) -> None:
        proof = self.path == "/_sandbox/token-proof"
        body = hashlib.sha256(TOKEN.encode()).hexdigest().encode() if proof else b"{}"
        if not proof:
            self.asked.set()
            self.held.wait(PATIENCE)
        self.send_response(200 if proof else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def broken_github() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnlyTheProof)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        OnlyTheProof.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


def settings_for(github: str, data: Path, **over: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT / ".types"),
        "FOUREYES_APP_ID": "12",
        "FOUREYES_PRIVATE_KEY": app_key(),
        "FOUREYES_WEBHOOK_SECRET": SECRET,
        "FOUREYES_GITHUB_URL": github,
        "FOUREYES_SANDBOX_TOKEN": TOKEN,
        "FOUREYES_DATA": str(data),
        "FOUREYES_PORT": "0",
        "FOUREYES_DRAIN_SECONDS": "5",
        "FOUREYES_WORKERS": "1",
        **over,
    }


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*CLI, *arguments], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@contextmanager
def serving(environment: dict[str, str], *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running server (or what `arguments` say) and its address. Its logs go to nowhere: nobody reads them, and a full
    pipe would stop it.
    """
    process = subprocess.Popen(
        [*CLI, *(arguments or ("serve",)), "--json"], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["listening"]
    finally:
        process.kill()
        process.communicate()


def refused(environment: dict[str, str], *arguments: str) -> str:
    """What a server that does not start says; it must end with exit code 1, without a traceback. In this process."""
    umask = os.umask(0o077)
    try:
        with patch("foureyes.github_app.serve.start_logging"):
            code, said, errors = ended(CHECKOUT, *(arguments or ("serve",)), env=environment)
    finally:
        os.umask(umask)
    assert code == 1, errors
    assert "Traceback" not in errors
    assert said == ""
    assert "what to do:" in errors
    return errors


def pull_request(number: int) -> bytes:
    payload = {
        "action": "opened",
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "installation": {"id": 7},
        "sender": {"id": 1, "login": "olga", "type": "User"},
        "pull_request": {
            "number": number,
            "head": {"sha": f"{number:040x}", "ref": f"fix-{number}", "repo": {"id": 9}},
            "base": {"sha": "c" * 40, "ref": "main"},
        },
    }
    return json.dumps(payload).encode()


def deliver(address: str, guid: str, body: bytes, secret: str = SECRET, event: str = "pull_request") -> int:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    sent = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": guid, "X-GitHub-Event": event}
    connection.request("POST", "/webhook", body, {**sent, "Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def get(address: str, path: str) -> tuple[int, str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def rows(environment: dict[str, str], query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(f"file:{environment['FOUREYES_DATA']}/foureyes.sqlite3?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()
