"""What a judgement costs: CPU of the core on a large change, and GitHub calls and time from webhook to check.

Run by `make bench`, not a test. `python tests/bench_gate.py [ROUNDS] [--json]`; exits 1 if a bar is missed. Times are
of the whole path on loopback, the sandbox's own work included; the calls are what counts on real GitHub.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from support_facts import change, facts, policy  # noqa: E402
from support_figures import tell  # noqa: E402
from support_gate import Gate, running_gate  # noqa: E402

from foureyes.shared.evaluate import evaluate  # noqa: E402
from foureyes.shared.policy import System  # noqa: E402

BARS = {
    "judge 3,000 files by 200 patterns, CPU ms": 50.0,
    "calls for a review that turns the check green": 3.0,
    "calls for a review that waits": 2.0,
    "calls when nothing changed": 1.0,
}


def cpu_of_a_large_change(rounds: int) -> float:
    changes = tuple(change(f"src/module{n % 100}/file{n}.py") for n in range(3000))
    systems = {f"s{n}": System(paths=(f"services/svc{n}/**", f"*.ext{n}"), tier=1) for n in range(100)}
    given, by = facts(changes=changes), policy(systems=systems)
    times = []
    for _ in range(rounds):
        start = time.process_time()
        evaluate(given, by)
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def of_one_review(gate: Gate, number: int, review: Callable[[], object]) -> tuple[int, float]:
    """(GitHub calls, ms) from the review's webhook to a settled check."""
    gate.forget_calls()
    start = time.perf_counter()
    review()
    gate.settle()
    return gate.calls.total(), (time.perf_counter() - start) * 1000


def gate_figures(rounds: int) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, running_gate(Path(folder)) as gate:
        for turn in range(rounds + 1):
            commit = gate.change({"infra/network.tf": f"{turn}\n".encode()})
            number = gate.open("olga", f"bench-{turn}", commit, by="raj")
            gate.settle()
            first, first_ms = of_one_review(gate, number, lambda n=number: gate.review("rita", n))
            second, _ = of_one_review(gate, number, lambda n=number: gate.review("sam", n))
            same, _ = of_one_review(gate, number, lambda n=number: gate.wake(n))
            if turn == 0:
                continue  # caches were cold
            found.setdefault("calls for a review that waits", []).append(first)
            found.setdefault("calls for a review that turns the check green", []).append(second)
            found.setdefault("calls when nothing changed", []).append(same)
            found.setdefault("review to check on loopback, ms", []).append(first_ms)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    rounds = numbers[0] if numbers else 10
    os.environ.setdefault("GIT_CONFIG_GLOBAL", os.devnull)
    figures = {
        "judge 3,000 files by 200 patterns, CPU ms": cpu_of_a_large_change(rounds),
        **gate_figures(rounds),
    }
    return tell(figures, BARS)


if __name__ == "__main__":
    sys.exit(main())
