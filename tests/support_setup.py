"""`foureyes serve` as it is started for the first time, against a sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support_git import CHECKOUT
from support_sandbox import World


def first_run(world: World, **over: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT / ".types"),
        "FOUREYES_GITHUB_URL": world.url,
        "FOUREYES_SANDBOX_TOKEN": world.sandbox.world.token,
        "FOUREYES_DATA": str(world.folder / "data"),
        "FOUREYES_PORT": "0",
        "FOUREYES_WORKERS": "1",
        "FOUREYES_DRAIN_SECONDS": "5",
        **over,
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], Path]]:
    """A server, what it said first, and the file with its logs."""
    logs = Path(environment["FOUREYES_DATA"]).with_suffix(".log")
    with logs.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "foureyes.hooks.cli", "serve", "--json"],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, logs.read_text()
            yield process, json.loads(line), logs
        finally:
            process.kill()
            process.communicate()
