"""What a commit costs with the hooks installed: ratios to a bare `git commit`, interleaved in one run, medians.

Run by `make bench`, not a test. `python tests/bench_commit.py [ROUNDS] [--json]`; exits 1 if a bar is missed.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".types"))

from foureyes.hooks.capture_files import STYLES  # noqa: E402
from foureyes.hooks.place import put_in_place, settings_for  # noqa: E402
from foureyes.hooks.repo import Repo  # noqa: E402

AGENT = {"AI_AGENT": "claude-code_2-1-330_agent", "CLAUDECODE": "1", "CLAUDE_CODE_CHILD_SESSION": "1"}
BARS = {"person": 1.7, "agent": 2.2}
FILES = 60


def make(folder: Path, *, installed: bool) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number in range(FILES):
        (folder / f"file{number}").write_text("line\n" * 50)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    if installed:
        put_in_place(Repo.open(folder), settings_for(style=STYLES[0]))
    return folder


def git(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **(env or {})}, check=True)


def one_commit(folder: Path, number: int, env: dict[str, str]) -> float:
    """Milliseconds of one commit of one changed file."""
    (folder / f"file{number % FILES}").write_text(f"round {number}\n" * 50)
    git(folder, "add", "-A")
    start = time.perf_counter()
    git(folder, "commit", "-q", "-m", f"commit {number}", env=env)
    return (time.perf_counter() - start) * 1000


def measure(rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"bare": [], "person": [], "agent": []}
    with tempfile.TemporaryDirectory() as folder:
        repos = {name: make(Path(folder) / name, installed=name != "bare") for name in times}
        order = random.Random(1)
        for number in range(rounds + 3):
            for name in order.sample(sorted(times), len(times)):
                took = one_commit(repos[name], number, AGENT if name == "agent" else {})
                if number >= 3:
                    times[name].append(took)
    return times


def main() -> int:
    for name in [n for n in os.environ if n in AGENT or n.startswith(("CLAUDE", "GIT_"))]:
        del os.environ[name]
    os.environ |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{who}_{what}": "bench@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    times = measure(int(numbers[0]) if numbers else 40)
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = {name: median[name] / median["bare"] for name in times}
    missed = [name for name, bar in BARS.items() if ratio[name] > bar]
    if "--json" in sys.argv:
        print(json.dumps({"milliseconds": median, "ratio": ratio, "bars": BARS, "missed": missed}))  # noqa: T201
    else:
        for name in times:
            bar = f"bar {BARS[name]:.1f}{'  MISSED' if name in missed else ''}" if name in BARS else ""
            print(f"{name:8}{median[name]:8.1f} ms{ratio[name]:8.2f} x   {bar}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
