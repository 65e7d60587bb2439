"""What a tool call of an agent costs in a repository of 50,000 files: milliseconds of one `foureyes checkpoint`, started
as agents' settings start it, beside the start of the bare interpreter. The bar is for the median.

Run by `make bench`, not a test. `python tests/bench_checkpoint.py [ROUNDS] [--json]`; exits 1 if a bar is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / ".types"))

from foureyes.hooks import runtime  # noqa: E402

BARS = {"edit, before": 60.0, "edit, after": 60.0}
FOLDERS, FILES = 500, 100
START = "import sys; sys.path += {path!r}; from foureyes.hooks.cli import main; main()"


def make(folder: Path) -> None:
    for outer in range(FOLDERS):
        (folder / f"d{outer}").mkdir(parents=True)
        for inner in range(FILES):
            (folder / f"d{outer}" / f"f{inner}").write_text(f"{outer} {inner}\n" * 10)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def call(command: list[str], folder: Path, payload: dict[str, Any] | None) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, input=json.dumps(payload).encode(), check=True)
    return (time.perf_counter() - start) * 1000


def measure(rounds: int) -> dict[str, list[float]]:
    names = ("python", "read", "edit, before", "edit, after", "shell, before", "shell, after")
    times: dict[str, list[float]] = {name: [] for name in names}
    start = [runtime.interpreter(), "-I", "-S", "-c"]
    hook = [*start, START.format(path=list(runtime.import_path())), "checkpoint", "claude-code"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        told = {"session_id": "bench", "cwd": name, "transcript_path": ""}
        for number in range(rounds):
            file = folder / f"d{number % FOLDERS}" / "f7"
            edit = {"tool_name": "Edit", "tool_input": {"file_path": str(file)}, "tool_use_id": f"e{number}"}
            shell = {"tool_name": "Bash", "tool_input": {"command": "x"}, "tool_use_id": f"s{number}"}
            look = {"tool_name": "Read", "tool_input": {"file_path": str(file)}}
            times["python"].append(call([*start, "pass"], folder, None))
            before, after = {"hook_event_name": "PreToolUse"}, {"hook_event_name": "PostToolUse"}
            times["read"].append(call(hook, folder, told | before | look))
            for kind, tool in (("edit", edit), ("shell", shell)):
                times[f"{kind}, before"].append(call(hook, folder, told | before | tool))
                with file.open("a") as lines:
                    lines.write(f"{kind} {number}\n")
                times[f"{kind}, after"].append(call(hook, folder, told | after | tool))
    return times


def main() -> int:
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{who}_NAME": "bench", f"GIT_{who}_EMAIL": "bench@example.com"}
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    times = measure(int(numbers[0]) if numbers else 20)
    median = {name: statistics.median(took) for name, took in times.items()}
    fastest = {name: min(took) for name, took in times.items()}
    missed = [name for name, bar in BARS.items() if median[name] > bar]
    if "--json" in sys.argv:
        print(json.dumps({"fastest": fastest, "median": median, "bars": BARS, "missed": missed}))  # noqa: T201
    else:
        for name, took in fastest.items():
            bar = f"   bar {BARS[name]:.0f} ms{'  MISSED' if name in missed else ''}" if name in BARS else ""
            print(f"{name:14}{took:8.1f} ms   median {median[name]:6.1f} ms{bar}")  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
