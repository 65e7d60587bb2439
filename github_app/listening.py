"""The port: waitress with limits, in a loop that ends without dropping whoever is being answered."""

import errno
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from foureyes.github_app.slow_clients import Patience, is_waited_for
from foureyes.github_app.strict_requests import StrictChannel
from foureyes.github_app.webhook import LARGEST_BODY
from foureyes.shared.errors import UserError

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

LARGEST_HEADER = 32 * 1024
"""Bytes of all headers together. GitHub's and a proxy's need less than four thousand."""
MOST_CONNECTIONS = 400
_THREADS = 16
_MENDED_BY = {
    errno.EADDRINUSE: "stop what uses that port, or set FOUREYES_PORT to another",
    errno.EACCES: "set FOUREYES_PORT to one above 1023, behind a proxy that has the port you want",
    None: "set FOUREYES_HOST to an address of this machine: 127.0.0.1 behind a proxy on it, 0.0.0.0 for all it has",
}
_TURN = 0.25
"""Seconds: how often it is asked whether to go on, and who has been waited for too long."""


class Listening:
    """Takes the port at once, answers nobody before `serve`. Raises UserError if the port cannot be had."""

    def __init__(
        self, application: Application, host: str, port: int, *, connections: int = MOST_CONNECTIONS,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self._patience = patience or Patience(connections * 7 // 8)
        self._sockets: dict[int, Any] = {}
        self._next_look = 0.0
        try:
            self._server: Any = create_server(
                application, map=self._sockets, host=host, port=port, threads=_THREADS, ident=None,
                max_request_body_size=LARGEST_BODY + 1, max_request_header_size=LARGEST_HEADER,
                inbuf_overflow=128 * 1024, connection_limit=connections, backlog=1024, asyncore_use_poll=True,
                channel_timeout=60, cleanup_interval=10,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            wasyncore.close_all(self._sockets, ignore_all=True)
            raise UserError(
                f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}",
                why="GitHub's webhooks would reach nobody, or another program",
                next_step=_MENDED_BY.get(getattr(error, "errno", None), _MENDED_BY[None]),
            ) from error
        for one in self._sockets.values():
            one.channel_class = StrictChannel
        listening = getattr(self._server, "effective_listen", None)
        taken = listening[0][1] if listening else self._server.effective_port
        self.address = f"http://[{host}]:{taken}" if ":" in host else f"http://{host}:{taken}"
        """With the port that was really taken: 0 lets the system choose."""

    def serve(self, until: Callable[[], bool]) -> None:
        """Answers until it is told to end; it is asked several times a second, and at once after `wake`."""
        while not until():
            self._turns(_TURN)

    def wake(self) -> None:
        """May be called by any thread and by a signal's handler."""
        for one in list(self._sockets.values()):
            if hasattr(one, "pull_trigger"):
                one.pull_trigger()
                return

    def finish(self, seconds: float) -> bool:
        """Lets nobody in any more, and those whose request is here or on its way be answered. False: not in time."""
        self._turns(0, 64)  # those who are connected already
        for one in list(self._sockets.values()):
            if one.accepting:
                wasyncore.dispatcher.close(one)
        end = time.monotonic() + seconds
        while any(one.request or not is_waited_for(one) for one in self._connections()):
            if time.monotonic() > end:
                return False
            self._turns(0.05)
        return True

    def close(self) -> None:
        """Ends every connection and thread."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets, ignore_all=True)

    def _turns(self, seconds: float, number: int = 1) -> None:
        wasyncore.loop(seconds, True, self._sockets, number)
        if time.monotonic() >= self._next_look:
            self._patience.look(self._connections())
            self._next_look = time.monotonic() + _TURN

    def _connections(self) -> list[Any]:
        return [one for one in self._sockets.values() if isinstance(one, HTTPChannel)]
