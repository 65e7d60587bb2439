"""What a scan of 100,000 commits costs: time as a ratio to the `git log` that it has to run anyway, and peak memory.

Run by `make bench`, not a test. `python tests/bench_scan.py [COMMITS] [ROUNDS] [--json]`; exits 1 if a bar is missed.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "tests"))

from support_made_history import Made, make_history  # noqa: E402

BARS = {"time": 3.0, "megabytes": 300}
# What a scan reads, by plain git: messages, and lines added and deleted.
GIT_LOG = ["git", "log", "--raw", "--numstat", "--no-renames", "--format=%H %T %P %ct %an %ae %cn %ce %B"]
SCAN = [sys.executable, "-c", "from foureyes.hooks.cli import main; main()", "scan", "--json"]
WORDS = (
    b"fix add the cart tests payment flow when user is missing retry in queue handle error from api".split()
)
AGENTS = [
    b"Co-Authored-By: Claude Opus 5.5 <noreply@anthropic.com>",
    b"Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
    b"Assisted-by: codex-cli:gpt-5",
]


def commits(number: int) -> Iterator[Made]:
    """A quarter by agents, a tenth beside people on GitHub, every third with a sign-off."""
    draw = random.Random(1)
    for _ in range(number):
        body = [b" ".join(draw.choices(WORDS, k=8)), b""]
        body += [b" ".join(draw.choices(WORDS, k=12)) for _ in range(draw.randrange(8))]
        if draw.random() < 0.33:
            body += [b"", b"Signed-off-by: Olga Example <olga@example.com>"]
        kind = draw.random()
        if kind < 0.25:
            body += [b"", draw.choice(AGENTS)]
        elif kind < 0.35:
            body += [b"", b"Co-authored-by: Ana Example <123456+ana@users.noreply.github.com>"]
        who = draw.randrange(300)
        person = b"Person %d <p%d@example.com>" % (who, who)
        files: dict[bytes, bytes | None] = {
            b"d%d/e%d/f%d" % (draw.randrange(10), draw.randrange(5), draw.randrange(10)): b"".join(
                b"line %d\n" % draw.randrange(50) for _ in range(draw.randrange(1, 60))
            )
            for _ in range(draw.randrange(1, 4))
        }
        yield Made(b"\n".join(body), person, person, files)


def run(command: list[str], repo: Path) -> tuple[float, float]:
    """Seconds, and the megabytes of the largest process: itself or one that it started."""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=repo, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[0]} ended with {child.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> int:
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    if (CHECKOUT / ".types").is_dir():
        os.environ["PYTHONPATH"] = str(CHECKOUT / ".types")
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count, rounds = (*numbers, *(100_000, 3)[len(numbers) :])[:2]
    times: dict[str, list[float]] = {"git log": [], "scan": []}
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder) / "repo"
        make_history(repo, commits(count))
        for _ in range(rounds):
            times["git log"].append(run(GIT_LOG, repo)[0])
            took, used = run(SCAN, repo)
            times["scan"].append(took)
            peak = max(peak, used)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    found = {"time": seconds["scan"] / seconds["git log"], "megabytes": peak}
    missed = [name for name, bar in BARS.items() if found[name] > bar]
    if "--json" in sys.argv:
        print(json.dumps({"commits": count, "seconds": seconds, **found, "bars": BARS, "missed": missed}))  # noqa: T201
    else:
        for name, value in seconds.items():
            print(f"{name:8}{value:8.1f} s   for {count:,} commits")  # noqa: T201
        print(f"ratio   {found['time']:8.2f} x   bar {BARS['time']}{'  MISSED' * ('time' in missed)}")  # noqa: T201
        print(f"peak    {peak:8.0f} MB  bar {BARS['megabytes']}{'  MISSED' * ('megabytes' in missed)}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
