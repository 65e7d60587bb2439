"""What a push costs that brings records of 100 agent commits, and what `foureyes blame` costs beside `git blame`.

CPU seconds of all processes of the push, less those of the same push without hooks: network and signature aside. Blame
in milliseconds, beside one start of the command: on two short histories of agent commits, whose first commit has no
record, and on a long one of one file, with a record of each commit, where `git blame` itself is what a person waits for.
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
from collections.abc import Callable, Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from bench_commit import AGENT, alone, git  # noqa: E402

from foureyes.hooks import runtime  # noqa: E402
from foureyes.hooks.capture_files import STYLES  # noqa: E402
from foureyes.hooks.place import put_in_place, settings_for  # noqa: E402
from foureyes.hooks.repo import Repo  # noqa: E402
from foureyes.hooks.store import keep_records  # noqa: E402
from foureyes.shared.change import Change  # noqa: E402
from foureyes.shared.record import (  # noqa: E402
    Agent,
    Contributor,
    Operator,
    Record,
    Tool,
    Witnessed,
    record_bytes,
)

COMMITS = 100
LONG, LINES = 3000, 1500
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


def make_long(folder: Path) -> Path:
    """A file that every commit of a long history changes in one line, and a record of each of them."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    lines = [f"line {number} as it was at first\n" for number in range(LINES)]
    stream = bytearray()
    for number in range(LONG):
        if number:
            lines[_place(number)] = f"written by an agent in {number}\n"
        text = "".join(lines).encode()
        stream += f"commit refs/heads/main\ncommitter A <a@example.com> {10**9 + number} +0000\ndata 2\nx\n".encode()
        stream += b"M 100644 inline file\ndata %d\n%s\n" % (len(text), text)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=bytes(stream), check=True)
    git(folder, "checkout", "-q", "main")
    keep_records(Repo.open(folder), dict(_records(folder)), at=0)
    return folder


def _place(number: int) -> int:
    return number * 7 % LINES


def _records(folder: Path) -> Iterator[tuple[str, bytes]]:
    asked = ["git", "log", "--reverse", "--format=%H %T"]
    listed = subprocess.run(asked, cwd=folder, capture_output=True, check=True).stdout.decode().splitlines()
    for number, (commit, tree) in enumerate(map(str.split, listed)):
        span = (_place(number) + 1, 1) if number else (1, LINES)
        part = Contributor(
            "file", "added", *span, "ai", "claude-code", "2", "m", "0" * 16, "agent-hook", "high"
        )
        file = Change("file", "M", "100644", "100644", "1" * 40, "2" * 40, span[1], 1)
        agents, hooks = (Agent("claude-code", "2", "m", "0" * 16, ("agent-hook",)),), ("post-commit",)
        witness, tool = Witnessed("post-commit", 10**9), Tool("foureyes", "0")
        made = Record(
            commit, tree, "", "", "ai", (file,), agents, (part,), Operator(), (), witness, hooks, tool
        )
        yield commit, record_bytes(made)


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
    """Medians in milliseconds, in turns."""
    start = [runtime.interpreter(), "-I", "-S", "-c", START.format(path=list(runtime.import_path()))]
    commands = {
        "git blame": ["git", "blame", "file"],
        "start": [*start, "--version"],
        "blame": [*start, "blame", "file"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    took(commands["blame"], folder)  # the first one may ask the remote
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(took(command, folder))
    return {name: statistics.median(values) for name, values in times.items()}


def make_pushed(folder: Path, commits: int) -> Path:
    """The records were kept by the push."""
    git(make(folder, commits), "push", "-q", "origin", "main")
    return folder


def bar_of(m: dict[str, float]) -> float:
    return m["start"] + 1.3 * m["git blame"]


def main() -> int:
    alone()
    os.environ["HOME"] = os.devnull
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    rounds = int(numbers[0]) if numbers else 3
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        cpu = measure_push(rounds, top)
        histories = {
            "3 commits": make_pushed(top / "few", 2),
            "300 commits": make_pushed(top / "some", 299),
            f"{LONG:,} commits": make_long(top / "many"),
        }
        blame = {what: measure_blame(rounds * 5, folder) for what, folder in histories.items()}
    missed = [f"push of {COMMITS}"] * (cpu > 1.0)
    missed += [f"blame, {what}" for what, m in blame.items() if m["blame"] > bar_of(m)]
    if "--json" in sys.argv:
        print(json.dumps({"push": cpu, "blame": blame, "missed": missed}))  # noqa: T201
        return 1 if missed else 0
    print(f"push of {COMMITS} agent commits {cpu:6.2f} s CPU   bar 1.00{'  MISSED' * (cpu > 1.0)}")  # noqa: T201
    print(f"\n{'ms':24}{'git blame':>10}{'a start':>9}{'bar':>7}{'blame':>7}")  # noqa: T201
    for what, m in blame.items():
        over = m["blame"] - bar_of(m)
        told = f"{m['git blame']:10.0f}{m['start']:9.0f}{bar_of(m):7.0f}{m['blame']:7.0f}"
        word = f"MISSED by {over:.0f}" if over > 0 else f"kept by {-over:.0f}"
        print(f"blame, {what:17}{told}   {word}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
