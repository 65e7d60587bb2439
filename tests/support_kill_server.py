"""A server process to be killed: the real inbox, lanes, workers and fence, in front of a GitHub of one integer a head.

`python support_kill_server.py`, with DATABASE_URL and GITHUB in the environment, prints where it listens. What it leaves
out is what `foureyes serve` has beside them: the look at a pull request, which takes so long that kills would mostly hit
it. Here they hit everything else.
"""

import hmac
import http.client
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path[:0] = [str(Path(__file__).parent.parent / ".types")]

from sqlalchemy import Engine  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402
from waitress.server import create_server  # type: ignore[import-untyped]  # noqa: E402

from foureyes.github_app import inbox, storage  # noqa: E402
from foureyes.github_app.fence import may_write  # noqa: E402
from foureyes.github_app.lanes import Claim, Done, Outcome, Retry  # noqa: E402
from foureyes.github_app.webhook import Refusal, receive  # noqa: E402
from foureyes.github_app.worker import Workers  # noqa: E402

SECRET = "it is a secret to everybody"
LEASE_MS = 1500
REQUEST_SECONDS = 1.0
"""Shorter than the lease, as in the real one."""


def ask(method: str, path: str) -> int:
    parts = urlsplit(os.environ["GITHUB"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=REQUEST_SECONDS)
    try:
        connection.request(method, path)
        return int(connection.getresponse().read())
    finally:
        connection.close()


def judging(engine: Engine) -> Callable[[Claim], Outcome]:
    def judge(claim: Claim) -> Outcome:
        head = claim.lane.head
        found = ask("GET", f"/state/{head}")
        time.sleep(random.random() / 50)
        if ask("GET", f"/check/{head}") == found:
            return Done()
        if not may_write(engine, claim):
            return Retry("another worker has this lane")
        ask("POST", f"/check/{head}/{found}")
        return Done()

    return judge


def signed(body: bytes) -> str:
    return "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()


def main() -> None:
    engine = storage.connect(os.environ["DATABASE_URL"])
    storage.migrate(engine)
    workers = Workers(engine, judging(engine), threads=4, lease_ms=LEASE_MS)

    def hear(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = ("X_HUB_SIGNATURE_256", "X_GITHUB_DELIVERY", "X_GITHUB_EVENT")
        given = receive(body, {n.replace("_", "-"): environ[f"HTTP_{n}"] for n in names}, (SECRET,))
        assert not isinstance(given, Refusal)
        try:
            inbox.accept(engine, given)
            status = "202 Accepted"
        except SQLAlchemyError:
            status = "503 Service Unavailable"
        workers.wake()
        start_response(status, [("Content-Length", "0")])
        return [b""]

    server = create_server(hear, host="127.0.0.1", port=0, threads=8)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workers.start()
    print(json.dumps({"listening": f"http://127.0.0.1:{server.effective_port}"}), flush=True)  # noqa: T201
    try:
        server.run()
    except SystemExit:
        workers.stop(10)


if __name__ == "__main__":
    main()
