"""What a push costs that brings records of 100 agent commits, and what `foureyes blame` costs beside `git blame`.

CPU seconds of all processes of the push, less those of the same push without hooks: network and signature aside. Blame
in milliseconds, on a history of three commits and on one of 300, beside one start of the command.
Run by `make bench`, not a test. `python tests/bench_push.py [ROUNDS] [--json]`; exits 1 if a bar is missed.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from bench_commit import AGENT, alone, git  # noqa: E402

from foureyes.hooks import runtime  # noqa: E402
from foureyes.hooks.capture_files import STYLES  # noqa: E402
from foureyes.hooks.place import put_in_place, settings_for  # noqa: E402
from foureyes.hooks.repo import Repo  # noqa: E402

COMMITS = 100
START = "import sys; sys.path += {path!r}; from foureyes.hooks.cli import main; main()"


def make(folder: Path, commits: int, *, installed: bool = True) -> Path:
    """A repository with a remote that lacks its last commits, each an agent's, on one file of 300 lines and others."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "file").write_text("".join(f"line {number}\n" for number in range(300)))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "clone", "-q", "--bare", ".", f"{folder}.git")
    git(folder, "remote", "add", "origin", f"{folder}.git")
    git(folder, "fetch", "-q")
    if installed:
        put_in_place(Repo.open(folder), settings_for(style=STYLES[0]))
    for number in range(commits):
        lines = (folder / "file").read_text().splitlines()
        lines[number * 7 % 300] = f"written by an agent in {number}"
        (folder / "file").write_text("\n".join(lines) + "\n")
        (folder / f"file{number % 20}").write_text(f"round {number}\n" * 20)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", f"commit {number}", env=AGENT)
    return folder


def seconds_of(work: Callable[[], object]) -> float:
    """CPU seconds of the processes that `work` starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def push(folder: Path) -> float:
    return seconds_of(lambda: git(folder, "push", "-q", "origin", "main"))


def measure_push(rounds: int, top: Path) -> float:
    found = []
    for number in range(rounds):
        with_records = push(make(top / f"records{number}", COMMITS))
        found.append(with_records - push(make(top / f"bare{number}", COMMITS, installed=False)))
    return statistics.median(found)


def took(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


def measure_blame(rounds: int, folder: Path) -> dict[str, float]:
    """Medians in milliseconds, in turns. The records were kept by a push."""
    git(folder, "push", "-q", "origin", "main")
    start = [runtime.interpreter(), "-I", "-S", "-c", START.format(path=list(runtime.import_path()))]
    commands = {
        "git blame": ["git", "blame", "file"],
        "start": [*start, "--version"],
        "blame": [*start, "blame", "file"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(took(command, folder))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    alone()
    os.environ["HOME"] = os.devnull
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    rounds = int(numbers[0]) if numbers else 3
    with tempfile.TemporaryDirectory() as name:
        cpu = measure_push(rounds, Path(name))
        blame = {
            commits: measure_blame(rounds * 5, make(Path(name) / f"b{commits}", commits))
            for commits in (2, 299)
        }
    over = {commits: m["blame"] - m["start"] - 1.3 * m["git blame"] for commits, m in blame.items()}
    missed = [f"push of {COMMITS}"] * (cpu > 1.0) + [
        f"blame of {n + 1}" for n, more in over.items() if more > 0
    ]
    if "--json" in sys.argv:
        print(json.dumps({"push": cpu, "blame": blame, "over": over, "missed": missed}))  # noqa: T201
        return 1 if missed else 0
    print(f"push of {COMMITS} agent commits {cpu:6.2f} s CPU   bar 1.00{'  MISSED' * (cpu > 1.0)}")  # noqa: T201
    for commits, m in blame.items():
        told = ", ".join(f"{name} {value:.0f} ms" for name, value in m.items())
        word = f"  MISSED by {over[commits]:.0f} ms" if over[commits] > 0 else ""
        print(f"blame, {commits + 1} commits: {told}   bar 1.3 x git blame + start{word}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
