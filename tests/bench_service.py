"""What the server does in a time, against a sandbox that answers after 0, 50 and 150 ms: webhook to check, calls, memory,
a burst of 500 deliveries. Run by `make bench`, not a test.

`python tests/bench_service.py [ROUNDS] [--json]`; exits 1 if a bar is missed. Each time is from the moment at which
GitHub makes the webhook to the moment at which the check's write arrives there.
"""

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from support_figures import tell  # noqa: E402
from support_gate import SHOP  # noqa: E402
from support_listening import signed  # noqa: E402
from support_load import Service, service  # noqa: E402
from support_serve import pull_request  # noqa: E402

PEER = {
    "webhook to check at 0 ms a call": 2.68,
    "webhook to check at 50 ms a call": 309,
    "webhook to check at 150 ms a call": 910,
}
"""policy-bot 1.36, one rule and two approvers, medians in ms, measured on a machine of the same size."""
BARS = {
    "webhook to check at 50 ms a call, as a ratio to policy-bot": 0.5,
    "burst of 500: refused": 0,
    "burst of 500: p99 acknowledgement, ms": 1000,
}
BURST, AT_ONCE, BUDGET = 500, 50, 5000


def reviews(of: Service, rounds: int, delay: float) -> dict[str, float]:
    """Per round: a pull request, and the review that leaves it waiting for one more."""
    times, calls, cpu = [], Counter[str](), 0.0
    for turn in range(rounds + 1):
        commit = of.gate.change({"infra/network.tf": f"{delay} {turn}\n".encode()})
        number = of.gate.open("olga", f"bench-{int(delay * 1000)}-{turn}", commit, by="raj")
        of.settle()
        of.watch.delay, before, used = delay, Counter(of.watch.calls), of.cpu
        of.gate.review("rita", number)
        took = of.watch.wait_after(of.heard[-1])
        of.watch.delay = 0.0
        of.settle()
        if turn:
            times.append(took * 1000)
            calls += Counter(of.watch.calls) - before
            cpu += of.cpu - used
    name = f"webhook to check at {int(delay * 1000)} ms a call"
    found = {f"{name}, ms": statistics.median(times)}
    if delay == 0.05:
        found[f"{name}, as a ratio to policy-bot"] = statistics.median(times) / PEER[name]
        rest, queries = calls["rest"] / rounds, calls["graphql"] / rounds
        found |= {"REST calls for a review": rest, "GraphQL queries for a review": queries}
        found["CPU of the server for a review, its webhook and its echo, ms"] = cpu / rounds * 1000
        # A query is 2 points of a budget of its own.
        found["reviews an hour with 5,000 calls and 5,000 points"] = min(
            BUDGET / rest, BUDGET / (2 * queries)
        )
    return found


def burst(of: Service) -> dict[str, float]:
    """500 deliveries about 500 heads that nobody knows, over 50 connections at once, while four workers look."""
    world, secret, where = of.gate.sandbox.world, of.gate.sandbox.app.webhook_secret, urlsplit(of.address)

    def send(number: int) -> tuple[int, float]:
        payload = json.loads(pull_request(1_000_000 + number))
        payload["repository"]["id"] = world.repositories[SHOP].id
        payload["installation"]["id"] = next(iter(world.installations))
        body = json.dumps(payload).encode()
        headers = signed(body, f"burst-{number}", "pull_request", secret)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        start = time.perf_counter()
        connection.request("POST", "/webhook", body, headers)
        status = connection.getresponse().status
        took = (time.perf_counter() - start) * 1000
        connection.close()
        return status, took

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, range(BURST)))
    took = time.perf_counter() - start
    of.settle()
    times = sorted(took for _, took in answers)
    return {
        "burst of 500: refused": sum(status != 202 for status, _ in answers),
        "burst of 500: p50 acknowledgement, ms": times[BURST // 2],
        "burst of 500: p99 acknowledgement, ms": times[BURST * 99 // 100],
        "burst of 500: acknowledged per second": BURST / took,
        "burst of 500: all decided after, s": time.perf_counter() - start,
    }


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    rounds = numbers[0] if numbers else 8
    os.environ.setdefault("GIT_CONFIG_GLOBAL", os.devnull)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as of:
        of.settle()
        figures["memory at rest, MiB"] = of.memory
        for delay in (0.0, 0.05, 0.15):
            figures |= reviews(of, rounds, delay)
        figures["memory after that, MiB"] = of.memory
        figures |= burst(of)
        figures["memory at its peak, MiB"] = of.peak
    return tell(figures, BARS)


if __name__ == "__main__":
    sys.exit(main())
