"""Who may set this server up: whoever can read its console, once, from one browser, within an hour.

The token is printed and pasted, never part of an address, so that no proxy's log and no browser's history holds it.
It opens one session; the session gets one `state` at a time for the way to GitHub and back. All of it lives in memory
and ends with the process or with the set-up.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable

LIFETIME = 3600.0
"""Seconds that a session and a state hold; GitHub's own limit for the way there and back is an hour, too."""


class Setup:
    """Safe for many threads. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(24)
        """For the console."""
        self._clock = clock
        self._lock = threading.Lock()
        self._token_until = clock() + LIFETIME
        self._session, self._session_until = "", 0.0
        self._state, self._state_until = "", 0.0

    def enter(self, token: str) -> str:
        """A session for the token of the console; empty if it is wrong, used or older than an hour."""
        with self._lock:
            if not _equal(self.token, token) or self._clock() >= self._token_until:
                return ""
            self.token = ""
            self._session, self._session_until = secrets.token_urlsafe(32), self._clock() + LIFETIME
            return self._session

    @property
    def is_open(self) -> bool:
        """Whether a token can still be entered here."""
        with self._lock:
            return bool(self.token) and self._clock() < self._token_until

    def knows(self, session: str) -> bool:
        with self._lock:
            return self._knows(session)

    def new_state(self, session: str) -> str:
        """For one way to GitHub and back; the one before no longer holds. Empty if the session is unknown."""
        with self._lock:
            if not self._knows(session):
                return ""
            self._state, self._state_until = secrets.token_urlsafe(32), self._clock() + LIFETIME
            return self._state

    def redeem(self, session: str, state: str) -> bool:
        """Whether it is this session's state. It never is a second time."""
        with self._lock:
            if not self._knows(session) or not _equal(self._state, state):
                return False
            self._state, expires = "", self._state_until
            return self._clock() < expires

    def close(self) -> None:
        """Nothing is known any more."""
        with self._lock:
            self.token = self._session = self._state = ""

    def _knows(self, session: str) -> bool:
        return _equal(self._session, session) and self._clock() < self._session_until


def _equal(right: str, given: str) -> bool:
    """In constant time; nothing equals what is not there."""
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")) and bool(right)
