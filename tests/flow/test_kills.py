"""What is acknowledged is decided, whatever dies: real processes, killed, ended and stopped at seeded random moments.

Here in front of a GitHub of one integer for each head, so that much happens in little time;
test_kills_whole.py does the same to `foureyes serve` as it is, on the sandbox, and only on request.
"""

import http.server
import json
import os
import random
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from support_database import fresh_database, postgresql
from support_kill_server import LEASE_MS, SECRET
from support_kills import Blow, Parcel, Post, Replica, blows, strike, until

from foureyes.github_app import storage
from foureyes.github_app.tables import delivery, work

SERVER = Path(__file__).parent.parent / "support_kill_server.py"
LONG = bool(os.environ.get("FOUREYES_TEST_KILLS"))
SEED = int(os.environ.get("FOUREYES_TEST_SEED", "1"))
EVENTS = 1000 if LONG else 300
HEADS = 20


@dataclass
class Shown:
    """The stand-in: what is true of each head now, and what was written about it, in order."""

    state: dict[str, int] = field(default_factory=dict)
    writes: dict[str, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, head: str) -> None:
        with self.lock:
            self.state[head] = self.state.get(head, 0) + 1

    def answer(self, method: str, path: str) -> int:
        _, kind, head, *more = path.split("/")
        with self.lock:
            written = self.writes.setdefault(head, [])
            if method == "POST":
                written.append(int(more[0]))
            return self.state.get(head, 0) if kind == "state" else (written[-1] if written else 0)

    @property
    def is_right(self) -> bool:
        with self.lock:
            return all(self.writes.get(head, [0])[-1:] == [now] for head, now in self.state.items())

    @property
    def older_over_newer(self) -> int:
        return sum(a > b for written in self.writes.values() for a, b in pairwise(written))

    @property
    def twice(self) -> int:
        return sum(a == b for written in self.writes.values() for a, b in pairwise(written))


@contextmanager
def github(shown: Shown) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = str(shown.answer(self.command, self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Who asked was killed."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def edited(number: int, head: str) -> bytes:
    payload = {
        "action": "edited",
        "number": number,
        "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"},
        "installation": {"id": 7},
        "sender": {"id": 1, "login": "olga", "type": "User"},
        "pull_request": {
            "number": int(head, 16) + 1,
            "head": {"sha": head, "ref": "fix", "repo": {"id": 9}},
            "base": {"sha": "c" * 40, "ref": "main"},
        },
    }
    return json.dumps(payload).encode()


def suffer(url: str, replicas: int, kinds: dict[str, int], planned: Sequence[Blow] = ()) -> Shown:
    chance, shown = random.Random(SEED), Shown()
    print(f"seed {SEED}, {EVENTS} events, {replicas} replicas, {kinds}")  # noqa: T201 - shown with -s
    with github(shown) as address:
        environment = {**os.environ, "DATABASE_URL": url, "GITHUB": address}
        herd = [Replica([sys.executable, str(SERVER)], environment) for _ in range(replicas)]
        post = Post(herd, SECRET, random.Random(SEED + 1))
        engine = storage.connect(url)

        def undecided() -> int:
            with storage.reading(engine) as conn:
                open_ones = select(func.count()).where(delivery.c.decided_at.is_(None))
                return int(conn.execute(open_ones).scalar_one())

        try:
            guids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(EVENTS)]
            planned = planned or blows(chance, EVENTS, replicas, kinds)
            for number, guid in enumerate(guids):
                head = f"{chance.randrange(HEADS):040x}"
                body = edited(number, head)
                post.put(Parcel(guid, "pull_request", body, partial(shown.change, head)))
            strike(planned, herd, post, stall_seconds=LEASE_MS / 1000 + 0.5)
            post.wait_for(EVENTS)
            until(lambda: undecided() == 0, "every delivery is decided")
            with storage.reading(engine) as conn:
                assert set(conn.execute(select(delivery.c.guid)).scalars()) == set(guids) == post.acknowledged
                assert conn.execute(select(func.count()).where(work.c.tries > 0)).scalar_one() == 0
            until(lambda: shown.is_right, "GitHub shows what is true")
        finally:
            post.close()
            engine.dispose()
            for replica in herd:
                replica.close()
    ends = kinds.get("kill", 0) + kinds.get("term", 0)
    stalls = kinds.get("stall", 0)
    print(f"{shown.twice} written twice, {shown.older_over_newer} older over newer, {post.tries} tries")  # noqa: T201
    # Nobody can take back a request that is under way when its sender is stopped; it is looked at again.
    assert shown.older_over_newer <= stalls
    assert shown.twice <= (ends + stalls) * 4, "at most what each of four workers had under way"
    return shown


def test_one_process_on_sqlite(tmp_path: Path) -> None:
    kinds = {"kill": 30, "term": 5, "stall": 5} if LONG else {"kill": 3, "term": 1, "stall": 1}
    suffer(f"sqlite:///{tmp_path / 'foureyes.sqlite3'}", 1, kinds)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.mark.parametrize("replicas", [2, 4] if LONG else [2])
def test_replicas_on_postgresql(server: str, replicas: int) -> None:
    kinds = {"kill": 30, "term": 5, "stall": 5} if LONG else {"kill": 3, "term": 1, "stall": 1}
    with fresh_database(server, f"t{uuid.uuid4().hex}") as url:
        suffer(url, replicas, kinds)


@pytest.mark.skipif(not LONG, reason="make test-kills")
@pytest.mark.parametrize("replicas", [2, 4])
def test_a_rolling_restart_loses_nothing_and_doubles_nothing(server: str, replicas: int) -> None:
    """Each replica in turn is told to stop, three times over, while deliveries come in."""
    turns = [turn % replicas for turn in range(3 * replicas)]
    planned = [Blow(EVENTS * n // (len(turns) + 1), "term", which, 0) for n, which in enumerate(turns, 1)]
    with fresh_database(server, f"t{uuid.uuid4().hex}") as url:
        shown = suffer(url, replicas, {"term": len(planned)}, planned)
    assert (shown.twice, shown.older_over_newer) == (0, 0)
