"""One process for an hour at 500 pull requests an hour, in whose records 42 agents' sessions each are named: 21,000.

`make bench-long`, or `python tests/long_service.py MINUTES [PULLS] [--json]`; exits 1 if a bar is missed. Every pull
request is opened with a record, reviewed, pushed to, reviewed by two and closed, every fifth merged. What is compared is
the last third of the time with the first: it must not get worse.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / ".types"), str(CHECKOUT / "tests")]

from support_figures import tell  # noqa: E402
from support_gate import SHOP  # noqa: E402
from support_load import Service, service  # noqa: E402
from support_record import RECORD  # noqa: E402

from foureyes.shared.canonical import sha256_hex  # noqa: E402
from foureyes.shared.dsse import PAYLOAD_TYPE, Envelope  # noqa: E402
from foureyes.shared.manifest import Entry, Manifest, manifest_bytes  # noqa: E402
from foureyes.shared.record import Agent, Operator, record_bytes  # noqa: E402
from foureyes.shared.record_ref import push_path, record_path, record_ref  # noqa: E402

AN_HOUR, AGENTS = 500, 42
BARS = {
    "backlog, last third to first (heads, with 5 more allowed)": 1.5,
    "calls for a delivery, last third to first": 1.2,
    "memory, last third to first": 1.15,
}


@dataclass(frozen=True)
class Sample:
    due: float
    oldest: float
    memory: float
    calls: int
    deliveries: float


@dataclass
class Load:
    of: Service
    numbers: list[int]

    def turn(self, at: int) -> None:
        """The newest pull request is opened; those before it are each a step further."""
        steps = (self.open, self.review, self.push, self.review_both, self.end)
        for age, step in enumerate(steps):
            if at >= age and (age == 0 or at - age < len(self.numbers)):
                step(at - age)

    def open(self, at: int) -> None:
        gate = self.of.gate
        commit = gate.change({f"infra/part-{at}.tf": f"{at}\n".encode()})
        self.numbers.append(gate.open("olga", f"load-{at}", commit, by="raj"))
        self.publish(at, commit)

    def review(self, at: int) -> None:
        self.of.gate.review("rita", self.numbers[at])

    def push(self, at: int) -> None:
        gate = self.of.gate
        head = gate.pull(self.numbers[at]).head
        gate.push("olga", f"load-{at}", gate.change({f"infra/part-{at}.tf": b"again\n"}, head))

    def review_both(self, at: int) -> None:
        for login in ("rita", "sam"):
            self.of.gate.review(login, self.numbers[at])

    def end(self, at: int) -> None:
        path = f"/repos/{SHOP}/pulls/{self.numbers[at]}"
        if at % 5 == 0:
            self.of.settle()
            self.of.gate.as_person("noor", "PUT", f"{path}/merge", {"merge_method": "merge"})
        else:
            self.of.gate.as_person("raj", "PATCH", path, {"state": "closed"})

    def publish(self, at: int, commit: str) -> None:
        """An unsigned record by 42 sessions, pushed beside the branch as the hooks do it."""
        clone = self.of.gate.clone
        tree = clone.git("rev-parse", f"{commit}^{{tree}}")
        agents = tuple(
            Agent("claude-code", "2.1", "opus", sha256_hex(b"%d.%d" % (at, number))[:16], ("agent-hook",))
            for number in range(AGENTS)
        )
        made = replace(
            RECORD,
            commit=commit,
            tree=tree,
            agents=agents,
            contributors=(),
            operator=Operator("olga", "", "test"),
            operators=(),
            reviews=(),
        )
        body = record_bytes(made)
        listed = manifest_bytes(
            Manifest("", f"refs/heads/load-{at}", (Entry(commit, tree, sha256_hex(body)),))
        )
        files = {record_path(commit): body, push_path(listed): Envelope(PAYLOAD_TYPE, listed).to_json()}
        self.of.gate.push("olga", record_ref(f"load-{at}"), clone.commit(dict(files)))


def sample(of: Service) -> Sample:
    told = of.figures()
    stored = sum(
        value
        for name, value in told.items()
        if name.startswith("foureyes_deliveries_total") and "stored" in name
    )
    return Sample(
        told['foureyes_heads{state="due"}'], told["foureyes_oldest_due_seconds"], of.memory,
        of.watch.calls["rest"] + of.watch.calls["graphql"], stored,
    )  # fmt: skip


def compared(samples: Sequence[Sample]) -> dict[str, float]:
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]

    def calls(part: Sequence[Sample]) -> float:
        return (part[-1].calls - part[0].calls) / max(1.0, part[-1].deliveries - part[0].deliveries)

    def memory(part: Sequence[Sample]) -> float:
        return statistics.median(one.memory for one in part)

    most = [max(one.due for one in part) for part in (first, last)]
    return {
        "backlog at its longest, heads": max(one.due for one in samples),
        "longest overdue, s": max(one.oldest for one in samples),
        "calls for a delivery, first third": calls(first),
        "calls for a delivery, last third": calls(last),
        "memory in the first third, MiB": memory(first),
        "memory in the last third, MiB": memory(last),
        "backlog, last third to first (heads, with 5 more allowed)": max(0.0, most[1] - 5)
        / max(1.0, most[0]),
        "calls for a delivery, last third to first": calls(last) / calls(first),
        "memory, last third to first": memory(last) / memory(first),
    }


def run(of: Service, minutes: float, pulls: int) -> dict[str, float]:
    load, samples, start = Load(of, []), [], time.monotonic()
    for at in range(pulls):
        load.turn(at)
        samples.append(sample(of))
        time.sleep(max(0.0, start + (at + 1) * minutes * 60 / pulls - time.monotonic()))
        if at % 50 == 49:
            sys.stderr.write(f"{at + 1} of {pulls}: {samples[-1]}\n")
    took = time.monotonic() - start
    of.settle()
    told = of.figures()
    return {
        "pull requests": pulls, "agents' sessions": pulls * AGENTS, "minutes": took / 60,
        "deliveries": sample(of).deliveries, "decisions": sum(value for name, value in told.items() if name.startswith("foureyes_decisions_total")),
        "of them passes": told.get('foureyes_decisions_total{outcome="pass"}', 0),
        "CPU of the server, s": of.cpu, "memory at its peak, MiB": of.peak, **compared(samples),
    }  # fmt: skip


def main() -> int:
    numbers = [float(word) for word in sys.argv[1:] if word.replace(".", "").isdigit()]
    minutes = numbers[0] if numbers else 60
    pulls = int(numbers[1]) if len(numbers) > 1 else max(30, round(AN_HOUR * minutes / 60))
    os.environ.setdefault("GIT_CONFIG_GLOBAL", os.devnull)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as of:
        figures = run(of, minutes, pulls)
    return tell(figures, BARS)


if __name__ == "__main__":
    sys.exit(main())
