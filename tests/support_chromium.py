"""A real Chromium without a window, spoken to through a pipe; and whether tests that need one run here.

They are skipped by name where there is none; with FOUREYES_TEST_BROWSER=1 they fail instead.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
_PIPES = """import fcntl, os, sys
a, b = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[1:3])
os.dup2(a, 3), os.dup2(b, 4), os.execv(sys.argv[3], sys.argv[3:])"""
"""Chromium hears on 3 and speaks on 4."""

needs_chromium = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("FOUREYES_TEST_BROWSER") != "1",
    reason="no Chromium here (FOUREYES_TEST_BROWSER=1 makes this a failure)",
)


class Chromium:
    """One tab."""

    def __init__(self, sends: int, hears: int) -> None:
        self._sends, self._hears, self._rest = sends, hears, b""
        self._number = 0
        self.complaints: list[str] = []
        """What the console was told: broken policies, failed loads, errors."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    _session = ""

    def ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        os.write(
            self._sends,
            json.dumps(call | ({"sessionId": self._session} if self._session else {})).encode() + b"\0",
        )
        while True:
            said = self._hear()
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        self.wait_for("document.readyState == 'complete' && location.href != 'about:blank'")

    def script(self, code: str) -> Any:
        """As if typed into its console."""
        return self.ask("Runtime.evaluate", expression=code, returnByValue=True)["result"].get("value")

    def submit(self, filled: dict[str, str], then: str) -> None:
        """Fills the one form in, clicks its button, and waits until the page's text has `then` in it."""
        for name, value in filled.items():
            self.script(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")
        self.script("document.querySelector('form button').click()")
        self.wait_for(
            f"document.readyState == 'complete' && document.body.innerText.includes({json.dumps(then)})"
        )

    def wait_for(self, condition: str) -> None:
        """Asks the page itself again and again; while it changes to another there is nobody to answer."""
        for _ in range(2000):
            if self.script(
                f"(() => {{ try {{ return Boolean({condition}) }} catch (e) {{ return false }} }})()"
            ):
                return
            self.ask("Browser.getVersion")
        raise AssertionError(
            f"never came: {condition}\n{self.script('location.href + document.body.innerText')}"
        )

    def complains_of(self, word: str) -> bool:
        for _ in range(2000):
            if any(word in text for text in self.complaints):
                return True
            self.ask("Browser.getVersion")
        return False

    def dark(self, wanted: bool) -> None:
        scheme = "dark" if wanted else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def corner(self) -> tuple[int, int, int]:
        """The colour of the first pixel. Whatever a line's filter, the first pixel of the first line stands as it is."""
        png = base64.b64decode(self.ask("Page.captureScreenshot")["data"])
        data, at = b"", 8
        while at < len(png):
            size, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
            data += png[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
            at += size + 12
        pixel = zlib.decompress(data)[1:4]
        return pixel[0], pixel[1], pixel[2]

    def _hear(self) -> Any:
        while b"\0" not in self._rest:
            more = os.read(self._hears, 65536)
            assert more, "Chromium is gone"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        said = json.loads(line)
        if said.get("method") == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"])
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(said["params"]))
        return said


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    assert CHROMIUM, "FOUREYES_TEST_BROWSER=1, and no Chromium is on PATH"
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip

    process = subprocess.Popen(
        [sys.executable, "-c", _PIPES, str(theirs_in), str(theirs_out), *command],
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Chromium(ours_out, ours_in)
    finally:
        process.kill()
        process.wait()
        os.close(ours_out)
        os.close(ours_in)
