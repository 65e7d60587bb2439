"""Misbehaviour on demand: what GitHub and the network between do wrong, one named fault at a time."""

import fnmatch
from dataclasses import dataclass, field
from threading import Event, Lock

ANSWER_FAULTS = {
    "status": "answers with `status`, `message` and `headers` instead of doing anything",
    "lost-answer": "does what was asked, then answers with `status` as if it had not",
    "slow": "waits `seconds` first",
    "hang-up": "closes the connection without an answer",
    "truncate": "cuts the true answer in half, under the full Content-Length",
    "graphql-error": "adds an error to a GraphQL answer, with status 200",
}
DELIVERY_FAULTS = {
    "lose": "never delivers, and logs a failure as if the receiver had been down",
    "delay": "delivers after `seconds`, everything behind it waits too",
    "repeat": "delivers `copies` times with the same GUID",
    "hold": "keeps deliveries back until `release`, which sends the last one first",
}
TRUE_CAPS = {"pull_commits": 250, "compare_files": 300, "pull_files": 3000}


@dataclass
class Fault:
    """`match` is `METHOD /path` with `*`, or for deliveries `event.action`. `times` uses are left, after `skip`."""

    kind: str
    match: str = "*"
    times: int = 1
    skip: int = 0
    status: int = 502
    message: str = "Server Error"
    error_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    copies: int = 2

    def __post_init__(self) -> None:
        if self.kind not in ANSWER_FAULTS | DELIVERY_FAULTS:
            known = ", ".join([*ANSWER_FAULTS, *DELIVERY_FAULTS])
            raise ValueError(f"no fault is called {self.kind!r}; there are: {known}")


class Faults:
    """The faults in force. `files_list`: `""`, `empty`, `first` (only one file) or `renamed` (wrong names)."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []
        self.caps = dict(TRUE_CAPS)
        self.files_list = ""
        self.over = Event()
        """Set when the sandbox stops: nothing waits any longer."""

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
        self.caps = dict(TRUE_CAPS)
        self.files_list = ""

    def listed(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def for_answer(self, method: str, path: str) -> Fault | None:
        return self._take(ANSWER_FAULTS, f"{method} {path}")

    def for_delivery(self, event: str, action: str | None) -> Fault | None:
        return self._take(DELIVERY_FAULTS, f"{event}.{action}" if action else event)

    def _take(self, kinds: dict[str, str], subject: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.kind in kinds and fnmatch.fnmatchcase(subject, fault.match):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                    return fault
        return None
