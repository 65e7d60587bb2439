"""What a commit costs with the hooks installed: ratios to a bare `git commit`, interleaved in one run, medians; under each
shell that can be `sh`, beside two hooks of it that do nothing. CPU is that of all processes of the commit: on a busy
machine it tells more than the time.

Run by `make bench`, not a test. `python tests/bench_commit.py [ROUNDS] [--json]`; exits 1 if a bar is missed.
"""

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".types"))

from foureyes.hooks import hook_files  # noqa: E402
from foureyes.hooks.capture_files import STYLES  # noqa: E402
from foureyes.hooks.place import choose, put_in_place, settings_for  # noqa: E402
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


def set_shell(folder: Path, shell: str, *, empty: bool) -> None:
    """Let the hook files be run by this shell; `empty`: the two that every commit runs, doing nothing."""
    hooks = folder / ".git" / "hooks"
    for file in hooks.iterdir():
        if empty:
            file.unlink()
        elif hook_files.is_ours(file):
            file.write_text(file.read_text().replace("#!/bin/sh", f"#!{shell}", 1))
    for event in ("prepare-commit-msg", "post-commit") if empty else ():
        (hooks / event).write_text(f"#!{shell}\nexit 0\n")
        (hooks / event).chmod(0o755)


def one_commit(folder: Path, number: int, env: dict[str, str]) -> tuple[float, float]:
    """Milliseconds of one commit of one changed file: by the clock, and of CPU."""
    (folder / f"file{number % FILES}").write_text(f"round {number}\n" * 50)
    git(folder, "add", "-A")
    used, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    git(folder, "commit", "-q", "-m", f"commit {number}", env=env)
    took, since = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = since.ru_utime + since.ru_stime - used.ru_utime - used.ru_stime
    return took * 1000, cpu * 1000


def kinds(top: Path) -> dict[str, Path]:
    """Name -> repository. Config hooks (git 2.54) are run by `sh` alone, whatever it is."""
    repos = {"bare": make(top / "bare", installed=False)}
    by_files = choose(Repo.open(repos["bare"])) == "files"
    for shell in ("dash", "bash") if by_files else ("sh",):
        path = shutil.which(shell)
        for what in ("nothing", "person", "agent") if path else ():
            repos[f"{shell}, {what}"] = make(top / f"{shell}-{what}", installed=what != "nothing")
            if by_files or what == "nothing":
                set_shell(repos[f"{shell}, {what}"], path or "", empty=what == "nothing")
    return repos


def measure(rounds: int) -> dict[str, list[tuple[float, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        repos = kinds(Path(folder))
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in repos}
        order = random.Random(1)
        for number in range(rounds + 3):
            for name in order.sample(sorted(repos), len(repos)):
                took = one_commit(repos[name], number, AGENT if name.endswith("agent") else {})
                if number >= 3:
                    times[name].append(took)
    return times


def alone() -> None:
    """Nothing of the one who runs this: no agent, no configuration."""
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


def main() -> int:
    alone()
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    times = measure(int(numbers[0]) if numbers else 40)
    median = {
        n: [statistics.median(values) for values in zip(*took, strict=True)] for n, took in times.items()
    }
    ratio = {n: [value / bare for value, bare in zip(median[n], median["bare"], strict=True)] for n in times}
    bars = {name: BARS[name.rpartition(" ")[2]] for name in times if name.rpartition(" ")[2] in BARS}
    missed = [name for name, bar in bars.items() if ratio[name][0] > bar]
    if "--json" in sys.argv:
        print(json.dumps({"milliseconds": median, "ratio": ratio, "bars": bars, "missed": missed}))  # noqa: T201
        return 1 if missed else 0
    for name, (took, cpu) in median.items():
        bar = f"bar {bars[name]:.1f}{'  MISSED' if name in missed else ''}" if name in bars else ""
        ratios = f"{ratio[name][0]:6.2f} x   CPU{cpu:7.1f} ms{ratio[name][1]:6.2f} x"
        print(f"{name:15}{took:7.1f} ms{ratios}   {bar}".rstrip())  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
