"""What storing a delivery before its acknowledgement costs: acknowledgements a second and the slowest in a hundred, on
both databases, with 16 and 32 connections, against one commit for each delivery.

Run by `make bench`, not a test. `python tests/bench_inbox.py [SECONDS] [--json]`; exits 1 if a bar is missed. The server
is waitress with as many threads as `foureyes serve` has, in a process of its own; who sends shares the machine with it.
A cloud's disk is stood in for by a pause in each commit.
"""

import hmac
import http.client
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from sqlalchemy import Engine, event  # noqa: E402
from support_database import fresh_database, postgresql  # noqa: E402

from foureyes.github_app import group_commit, inbox, listening, storage  # noqa: E402
from foureyes.github_app.webhook import Refusal, receive  # noqa: E402

SECRET = "it is a secret to everybody"
PAD = "x" * 25_000
ROUNDS = 3
SLOW_DISK = 0.005
"""Seconds for each commit, on top of this machine's own."""
BARS = {
    "slow disk, 16 connections: acknowledgements, one commit for all against one each": (">=", 1.8),
    "slow disk, 16 connections: slowest in a hundred, one commit for all against one each": ("<=", 0.7),
    "own disk, 16 connections: acknowledgements, one commit for all against one each": (">=", 0.9),
}


def payload(number: int) -> bytes:
    head = f"{number:040x}"
    said = {
        "action": "synchronize", "before": f"{number + 1_000_000:040x}", "after": head, "pad": PAD,
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "installation": {"id": 7}, "sender": {"id": 1, "login": "olga", "type": "User"},
        "pull_request": {
            "number": number + 1, "head": {"sha": head, "ref": f"fix-{number}", "repo": {"id": 9}},
            "base": {"sha": "c" * 40, "ref": "main"},
        },
    }  # fmt: skip
    return json.dumps(said).encode()


def serve(url: str, how: str, pause: float) -> None:
    """In a process of its own: the webhook's way as far as the inbox."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    engine = storage.connect(url)
    storage.migrate(engine)
    if pause:
        event.listen(engine, "commit", lambda _conn: time.sleep(pause))
    if how == "each":
        group_commit.commit = one_each  # type: ignore[assignment]

    def hear(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        names = ("X_HUB_SIGNATURE_256", "X_GITHUB_DELIVERY", "X_GITHUB_EVENT")
        given = receive(body, {name.replace("_", "-"): environ[f"HTTP_{name}"] for name in names}, (SECRET,))
        if isinstance(given, Refusal):
            raise TypeError(given.why)
        inbox.accept(engine, given)
        start_response("202 Accepted", [("Content-Length", "0")])
        return []

    server = listening.Listening(hear, "127.0.0.1", 0)
    print(server.address, flush=True)  # noqa: T201
    server.serve(lambda: False)


def one_each(engine: Engine, job: Callable[[Any], Any]) -> Any:
    with storage.writing(engine) as conn:
        return job(conn)


def send(address: str, connections: int, seconds: float) -> None:
    """In a process of its own: prints the times of all acknowledgements, in milliseconds."""
    parts, found = urlsplit(address), list[float]()
    bodies = [payload(number) for number in range(200)]
    signed = [f"sha256={hmac.digest(SECRET.encode(), body, 'sha256').hex()}" for body in bodies]
    end = time.perf_counter() + seconds

    def run(sender: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        number = 0
        while time.perf_counter() < end:
            which = (sender * 37 + number) % len(bodies)
            number += 1
            told = {"X-Hub-Signature-256": signed[which], "X-GitHub-Delivery": str(uuid.uuid4())}
            start = time.perf_counter()
            connection.request("POST", "/webhook", bodies[which], told | {"X-GitHub-Event": "pull_request"})
            answer = connection.getresponse()
            answer.read()
            found.append((time.perf_counter() - start) * 1000)
            if answer.status != 202:
                raise SystemExit(f"refused with {answer.status}")
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(found))  # noqa: T201


@contextmanager
def database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/bench.sqlite3"
            return
        with postgresql() as server, fresh_database(server, "bench") as url:
            yield url


@contextmanager
def serving(kind: str, how: str, pause: float) -> Iterator[str]:
    with database(kind) as url:
        command = [sys.executable, __file__, "--serve", url, how, str(pause)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                yield (server.stdout or sys.stdin).readline().strip()
            finally:
                server.kill()


def measure(
    ways: Sequence[tuple[str, str, float]], connections: int, seconds: float
) -> list[tuple[float, float]]:
    """For each (database, how, pause): acknowledgements a second, and the slowest in a hundred in ms. In turns, so that
    whatever else the machine does meets all of them.
    """
    took: list[list[float]] = [[] for _ in ways]
    with ExitStack() as running:
        addresses = [running.enter_context(serving(*way)) for way in ways]
        for _ in range(ROUNDS):
            for address, mine in zip(addresses, took, strict=True):
                client = [
                    sys.executable,
                    __file__,
                    "--send",
                    address,
                    str(connections),
                    str(seconds / ROUNDS),
                ]
                done = subprocess.run(client, stdout=subprocess.PIPE, text=True, check=True)
                mine += json.loads(done.stdout)
    return [(len(mine) / seconds, statistics.quantiles(mine, n=100)[98]) for mine in took]


def cpu_for_one(count: int = 400) -> float:
    """Milliseconds, one after the other, in this process."""
    with database("sqlite") as url:
        engine = storage.connect(url)
        storage.migrate(engine)
        bodies = [payload(number) for number in range(count)]
        given = [inbox.Delivery(str(uuid.uuid4()), "pull_request", body, json.loads(body)) for body in bodies]
        start = time.process_time()
        for delivery in given:
            inbox.accept(engine, delivery)
        took = time.process_time() - start
        engine.dispose()
    return took * 1000 / count


def figures(seconds: float) -> dict[str, float]:
    found = {"SQLite, CPU for one delivery of two heads, ms": cpu_for_one()}
    for disk, pause in (("own", 0.0), ("slow", SLOW_DISK)):
        for connections in (16, 32):
            name, against = f"{disk} disk, {connections} connections: ", "one commit for all against one each"
            each, together = measure(
                [("sqlite", "each", pause), ("sqlite", "together", pause)], connections, seconds
            )
            for how, (rate, slowest) in {"each": each, "together": together}.items():
                found[f"SQLite, {name}{how}, a second"] = rate
                found[f"SQLite, {name}{how}, slowest in a hundred, ms"] = slowest
            found[f"{name}acknowledgements, {against}"] = together[0] / each[0]
            found[f"{name}slowest in a hundred, {against}"] = together[1] / each[1]
    for connections in (16, 32):
        ((rate, slowest),) = measure([("postgresql", "plain", 0)], connections, seconds)
        found[f"PostgreSQL, {connections} connections, a second"] = rate
        found[f"PostgreSQL, {connections} connections, slowest in a hundred, ms"] = slowest
    return found


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--serve"]:
        serve(words[1], words[2], float(words[3]))
    if words[:1] == ["--send"]:
        send(words[1], int(words[2]), float(words[3]))
        return 0
    numbers = [word for word in words if word.isdigit()]
    found = figures(float(numbers[0]) if numbers else 4)
    missed = [
        name
        for name, (sign, bar) in BARS.items()
        if (found[name] < bar if sign == ">=" else found[name] > bar)
    ]
    if "--json" in words:
        print(json.dumps({"figures": found, "bars": BARS, "missed": missed}))  # noqa: T201
    else:
        for name, figure in found.items():
            sign, bar = BARS.get(name, ("", 0.0))
            told = f"   bar {sign} {bar}{'  MISSED' if name in missed else ''}" if sign else ""
            print(f"{name:88}{figure:10.2f}{told}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
