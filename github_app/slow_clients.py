"""Who keeps a connection without asking anything loses it, so that a client that drips cannot keep GitHub out.

waitress closes a connection that is silent; one byte now and then is enough to stay. Here a request has to arrive whole
within a time, and when connections run out, those that have been waited for longest make room.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol


class Connection(Protocol):
    """What is needed of waitress' channel."""

    request: object | None
    """What has arrived of a request that is not complete."""
    requests: Collection[object]
    """Those that are complete and not answered."""
    total_outbufs_len: int
    will_close: bool


def is_waited_for(connection: Connection) -> bool:
    """Neither is anything of it being looked at, nor is there anything to send: it is the client's turn."""
    return not connection.requests and not connection.total_outbufs_len


@dataclass
class Patience:
    """`most`: connections at once. Times in seconds."""

    most: int
    whole_request: float = 30.0
    idle: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _since: dict[Connection, tuple[float, bool]] = field(default_factory=dict)

    def look(self, connections: Collection[Connection]) -> int:
        """Ends those that took too long; answers how many. To be called several times a second."""
        now = self.clock()
        waited = {one: self._started(one, now) for one in connections if is_waited_for(one)}
        self._since = waited
        ended = [one for one, (since, began) in waited.items() if now - since > self._longest(began)]
        if len(connections) - len(ended) >= self.most:
            left = sorted((one for one in waited if one not in ended), key=lambda one: waited[one][0])
            ended += left[: (len(left) + 1) // 2]
        for one in ended:
            one.will_close = True
        return len(ended)

    def _started(self, one: Connection, now: float) -> tuple[float, bool]:
        """Since when it is the client's turn, or since when its request began to arrive."""
        began = one.request is not None
        since, had_begun = self._since.get(one, (now, began))
        return (since, began) if began == had_begun else (now, began)

    def _longest(self, began: bool) -> float:
        return self.whole_request if began else self.idle
