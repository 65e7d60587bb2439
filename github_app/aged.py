"""A cache whose entries have an age limit: for what GitHub raises no event about, team members and published keys."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST_ENTRIES = 20_000


class Aged(Generic[K, V]):
    """Safe for many threads. What cannot be loaded is not cached, and an entry past its age is never answered."""

    def __init__(self, max_age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_age = max_age
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[K, tuple[float, V]] = {}

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Raises what `load` raises. Two threads may load the same entry at once; the later one stays."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and self._clock() - entry[0] < self._max_age:
            return entry[1]
        asked_at = self._clock()
        value = load()
        with self._lock:
            if len(self._entries) >= _MOST_ENTRIES:
                self._entries.clear()
            self._entries[key] = (asked_at, value)
        return value

    def forget(self, key: K) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
