"""Servers that are killed, ended and stopped while deliveries come in; and who delivers, again and again until each
one is acknowledged, as GitHub does when it is asked to.
"""

import hmac
import http.client
import json
import queue
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 120.0
"""Seconds after which something that should have happened has not: only a failing test waits that long."""


class Replica:
    """One server process, and the next one when that is gone."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command, self._environment = list(command), dict(environment)
        self.address = ""
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = json.loads(self._process.stdout.readline())["listening"]

    def end(self, number: int) -> None:
        """Sends the signal, waits until the process is gone, and starts the next one."""
        self.address = ""
        self._process.send_signal(number)
        self._process.wait(PATIENCE)
        self._close()
        self.start()

    def stall(self, seconds: float) -> None:
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        self._close()

    def _close(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.close()


@dataclass(frozen=True)
class Parcel:
    guid: str
    event: str
    body: bytes
    happens: Callable[[], None] = lambda: None
    """What it tells of: done right before it is delivered for the first time."""


@dataclass
class Post:
    """Delivers what is put into it. `acknowledged`: GUIDs that were answered with 202."""

    replicas: Sequence[Replica]
    secret: str
    chance: random.Random
    senders: int = 4
    timeout: float = 3.0
    acknowledged: set[str] = field(default_factory=set)
    tries: int = 0

    def __post_init__(self) -> None:
        self._waiting: queue.Queue[Parcel] = queue.Queue()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.senders)]
        for thread in self._threads:
            thread.start()

    def put(self, parcel: Parcel) -> None:
        self._waiting.put(parcel)

    def wait_for(self, count: int) -> None:
        """Until so many are acknowledged."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= count, PATIENCE), (
                f"only {len(self.acknowledged)} of {count} deliveries were acknowledged"
            )

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                parcel = self._waiting.get(timeout=0.05)
            except queue.Empty:
                continue
            parcel.happens()
            while not self._over.is_set() and not self._deliver(parcel):
                time.sleep(0.02)

    def _deliver(self, parcel: Parcel) -> bool:
        address = self.chance.choice(self.replicas).address
        if not address:
            return False
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.timeout)
        signature = hmac.digest(self.secret.encode(), parcel.body, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Delivery": parcel.guid,
            "X-GitHub-Event": parcel.event,
        }
        self.tries += 1
        try:
            connection.request("POST", "/webhook", parcel.body, headers)
            if connection.getresponse().status != 202:
                return False
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        with self._changed:
            self.acknowledged.add(parcel.guid)
            self._changed.notify_all()
        return True


@dataclass(frozen=True)
class Blow:
    """What is done to a server when `after` deliveries are acknowledged."""

    after: int
    kind: str
    replica: int
    delay: float
    """Seconds more, so that it hits anything."""


def blows(
    chance: random.Random, events: int, replicas: int, kinds: Mapping[str, int], longest: float = 0.05
) -> list[Blow]:
    """`kinds`: `kill`, `term` or `stall` -> how many. `longest`: seconds that a server is left alone at most, once the
    next blow is its turn.
    """
    wanted = [kind for kind, count in kinds.items() for _ in range(count)]
    chance.shuffle(wanted)
    times = sorted(chance.sample(range(1, events), len(wanted)))
    return [
        Blow(after, kind, chance.randrange(replicas), chance.random() * longest)
        for after, kind in zip(times, wanted, strict=True)
    ]


def strike(found: Sequence[Blow], replicas: Sequence[Replica], post: Post, stall_seconds: float) -> None:
    for blow in found:
        post.wait_for(blow.after)
        time.sleep(blow.delay)
        replica = replicas[blow.replica]
        if blow.kind == "stall":
            replica.stall(stall_seconds)
        else:
            replica.end(signal.SIGKILL if blow.kind == "kill" else signal.SIGTERM)


def until(is_so: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
