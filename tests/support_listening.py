"""The server's port with the server's own limits, in this process; and clients that write to it byte by byte."""

import hmac
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, select

from foureyes.github_app import storage, tables
from foureyes.github_app.listening import Listening
from foureyes.github_app.metrics import Figures
from foureyes.github_app.settings import Settings
from foureyes.github_app.slow_clients import Patience
from foureyes.github_app.web import Site, create_site

SECRET = "it is a secret to everybody"
PATIENCE = 60
PING = json.dumps({"zen": "Keep it logically awesome."}).encode()


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Port:
    address: str
    engine: Engine
    figures: Figures

    def connect(self) -> socket.socket:
        parts = urlsplit(self.address)
        return socket.create_connection((parts.hostname, parts.port or 0), timeout=PATIENCE)

    def say(self, raw: bytes, *, hang_up: bool = True) -> bytes:
        """All that is answered until the server closes; unless told otherwise it is told that nothing more will come."""
        with self.connect() as connection:
            try:
                connection.sendall(raw)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it was refused before it was heard to the end
            return read_all(connection)

    def stored(self) -> int:
        with storage.reading(self.engine) as conn:
            return conn.execute(select(func.count()).select_from(tables.delivery)).scalar_one()


def read_all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionError:
        pass
    return found


def signed(body: bytes, guid: str = "d-1", event: str = "ping", secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    return {
        "Host": "x", "Content-Type": "application/json", "X-GitHub-Delivery": guid, "X-GitHub-Event": event,
        "X-Hub-Signature-256": f"sha256={digest}",
    }  # fmt: skip


def request(
    headers: dict[str, str] | list[tuple[str, str]], body: bytes = b"", line: str = "POST /webhook HTTP/1.1"
) -> bytes:
    pairs = headers if isinstance(headers, list) else list(headers.items())
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"{line}\r\n{head}\r\n".encode("latin-1") + body


def delivery(body: bytes = PING, **more: str) -> bytes:
    """As GitHub sends it."""
    return request({**signed(body, **more), "Content-Length": str(len(body))}, body)


def statuses(answer: bytes) -> list[int]:
    """Of every answer on one connection. Our answers never hold such a line in their bodies."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) [A-Z]", answer)]


@contextmanager
def listening(
    engine: Engine,
    *,
    patience: Patience | None = None,
    connections: int = 400,
    news: Callable[[], None] = nothing,
) -> Iterator[Port]:
    figures = Figures()
    site = Site(engine, Settings(1, "", (SECRET,)), news, lambda: True, figures)
    port = Listening(create_site(site), "127.0.0.1", 0, connections=connections, patience=patience)
    ended = threading.Event()
    thread = threading.Thread(target=port.serve, args=(ended.is_set,))
    thread.start()
    try:
        yield Port(port.address, engine, figures)
    finally:
        ended.set()
        port.wake()
        thread.join()
        port.close()
