"""The server as a process beside a sandbox that answers the App after a delay and keeps a log of what it asked."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support_gate import Gate
from support_repository import Bare

from foureyes.github_app.sandbox.server import Sandbox

CHECKOUT = Path(__file__).resolve().parent.parent
PATIENCE = 300


@dataclass
class Stopwatch:
    """Around the sandbox: what the App asks, and when it writes a check."""

    delay: float = 0.0
    """Seconds before each answer to the App."""
    calls: Counter[str] = field(default_factory=Counter)
    """`rest`, `graphql`, `git` and `token`."""
    asked: float = 0.0
    news: threading.Condition = field(default_factory=threading.Condition)
    application: Any = None

    def wrap(self, application: Any) -> "Stopwatch":
        self.application = application
        return self

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        who, path = environ.get("HTTP_AUTHORIZATION", ""), environ["PATH_INFO"]
        if who.startswith(("Bearer ghs_", "Bearer eyJ")):
            self._count(environ["REQUEST_METHOD"], path)
            time.sleep(self.delay)
        elif ".git/" in path and who.startswith("Basic "):
            self.calls["git"] += not path.endswith("git-receive-pack")
        found: Iterable[bytes] = self.application(environ, start_response)
        return found

    def _count(self, verb: str, path: str) -> None:
        kind = (
            "graphql" if path.endswith("/graphql") else "token" if path.endswith("/access_tokens") else "rest"
        )
        self.calls[kind] += 1
        if "/check-runs" in path and verb != "GET":
            with self.news:
                self.asked = time.perf_counter()
                self.news.notify_all()

    def wait_after(self, moment: float) -> float:
        """Seconds from then until the App asked for a check to be written."""
        with self.news:
            assert self.news.wait_for(lambda: self.asked > moment, PATIENCE), "no check was written"
            return self.asked - moment


@dataclass
class Service:
    gate: Gate
    watch: Stopwatch
    address: str
    process: subprocess.Popen[str]
    heard: list[float]
    """When each webhook was made."""

    def figures(self) -> dict[str, float]:
        with urllib.request.urlopen(f"{self.address}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def settle(self) -> None:
        """Until every delivery is handed over and decided."""
        assert self.gate.sandbox.wait_delivered(PATIENCE)
        end = time.monotonic() + PATIENCE
        while self.figures()["foureyes_undecided_deliveries"]:
            assert time.monotonic() < end, "deliveries stay undecided"
            time.sleep(0.05)

    @property
    def memory(self) -> float:
        """MiB that the process holds now."""
        return self._status("VmRSS")

    @property
    def peak(self) -> float:
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024

    @property
    def cpu(self) -> float:
        """Seconds that the process has used, without the git that it started."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[Service]:
    watch, heard = Stopwatch(), []
    sandbox = Sandbox.start(
        folder / "sandbox",
        wrap=watch.wrap,
        on_webhook=lambda _event, _payload: heard.append(time.perf_counter()),
    )
    environment = {
        **os.environ, **sandbox.environment(), "FOUREYES_DATA": str(folder / "app"), "FOUREYES_PORT": "0",
        "PYTHONPATH": str(CHECKOUT / ".types"), **settings,
    }  # fmt: skip
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "foureyes.hooks.cli", "serve", "--json"],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["listening"]
        sandbox.set_webhook_url(f"{address}/webhook")
        clone = Bare.make(folder / "clone.git")
        # Only what people do is used of it: pushing, opening, reviewing.
        gate = Gate(sandbox, None, None, None, clone, None)  # type: ignore[arg-type]
        yield Service(gate, watch, address, process, heard)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        sandbox.stop()
