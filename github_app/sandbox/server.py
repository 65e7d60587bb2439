"""The whole stand-in as one WSGI application, served on 127.0.0.1 and nowhere else."""

import hashlib
import json
import secrets
import socket
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import app_pages, control, git_http, queries, rest, rest_all, seed
from foureyes.github_app.sandbox.contract import FAULT_HEADER
from foureyes.github_app.sandbox.courier import Courier
from foureyes.github_app.sandbox.faults import Fault
from foureyes.github_app.sandbox.state import App, World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = "127.0.0.1"
_POLL = 0.02
"""Seconds until `stop` is noticed."""
Wsgi = Callable[..., Iterable[bytes]]


class _Handler(WSGIRequestHandler):
    def make_environ(self) -> "WSGIEnvironment":
        return super().make_environ() | {git_http.UNTIL_ANSWERED: self._until_answered}

    def run_wsgi(self) -> None:
        """werkzeug does not close an answer if the client's connection breaks while its last bytes are read."""
        with ExitStack() as self._until_answered:
            super().run_wsgi()

    def log(self, type: str, message: str, *args: Any) -> None:
        """No log lines: the terminal belongs to who drives the sandbox."""


class Sandbox:
    """A running GitHub stand-in. `start` makes one; `stop` ends its threads. Its data folder is left behind."""

    def __init__(self, world: World, app: App, server: BaseWSGIServer) -> None:
        self.world = world
        self.app = app
        self._server = server
        self._thread = Thread(target=server.serve_forever, args=(_POLL,), name="sandbox-server", daemon=True)

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        merge_check: bool = True,
        port: int = 0,
        app_key: str = "",
        wrap: Callable[[Wsgi], Wsgi] | None = None,
        on_webhook: Callable[[str, Any], None] | None = None,
    ) -> "Sandbox":
        """Seeds a new world below `data_dir` and serves it. `wrap` puts WSGI middleware around it (tests hold it to
        the contract that way); `on_webhook` sees every (event, payload) as sent. Raises OSError if the port is taken.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        world = World(data_dir.resolve(), merge_check=merge_check)
        world.courier = Courier(world, on_webhook)
        world.token = secrets.token_urlsafe(32)
        application = _application(world)
        # Bound by ourselves: werkzeug would end the process if the port is taken.
        with socket.create_server((HOST, port)) as bound:
            world.url = f"http://{HOST}:{bound.getsockname()[1]}"
            outer = wrap(application) if wrap else application
            server = make_server(
                HOST, port, outer, threaded=True, request_handler=_Handler, fd=bound.fileno()
            )
        sandbox = cls(world, seed.seed(world, app_key), server)
        world.courier.start()
        sandbox._thread.start()
        return sandbox

    @property
    def url(self) -> str:
        return self.world.url

    def set_webhook_url(self, url: str) -> None:
        self.app.webhook_url = url

    def token(self, login: str) -> str:
        """A token with which this person or bot does things, over git and REST."""
        return control.token_of(self.world, login)

    def environment(self) -> dict[str, str]:
        """What the App's process needs to talk to this sandbox, and to believe that it is one."""
        return control.app_environment(self.world, self.app)

    def wait_delivered(self, timeout: float = 30.0) -> bool:
        """Until every webhook was attempted; False if that took too long."""
        return self.world.courier.wait_idle(timeout)

    def stop(self) -> None:
        self.world.faults.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.world.courier.stop()


def _application(world: World) -> Wsgi:
    proof = hashlib.sha256(world.token.encode()).hexdigest()

    @Request.application
    def application(request: Request) -> Response:
        if request.path == "/_sandbox/token-proof":
            return Response(proof, content_type="text/plain")
        if request.path.startswith(control.ROOT):
            return control.respond(world, request)
        fault = world.faults.for_answer(request.method, request.path)
        return _answer(world, request) if fault is None else _misbehave(world, request, fault)

    return application


def _answer(world: World, request: Request) -> Response:
    if request.path == queries.PATH:
        return queries.respond(world, request)
    if request.path.startswith(f"{rest.ROOT}/"):
        return rest_all.respond(world, request)
    if git_http.is_git(request.path):
        return git_http.respond(world, request)
    if app_pages.is_page(request):
        return app_pages.respond(world, request)
    text = "This is the foureyes sandbox, a stand-in for GitHub on loopback. It has next to no pages.\n"
    return Response(text, 200 if request.path == "/" else 404, content_type="text/plain")


def _misbehave(world: World, request: Request, fault: Fault) -> Response:
    if fault.kind in ("slow", "hang-up"):
        world.faults.over.wait(fault.seconds)
    if fault.kind == "hang-up":
        return _broken(Response(b"", 200), fault, 1)
    if fault.kind == "status":
        return _told(fault)
    response = _answer(world, request)
    if fault.kind == "lost-answer":
        response.close()
        return _told(fault)
    response.headers[FAULT_HEADER] = fault.kind
    if fault.kind == "truncate":
        whole = response.get_data()
        response.set_data(whole[: len(whole) // 2])
        return _broken(response, fault, len(whole))
    if fault.kind == "graphql-error":
        body = json.loads(response.get_data())
        error = {"type": fault.error_type or "INTERNAL", "message": fault.message}
        response.set_data(json.dumps(body | {"errors": [*body.get("errors", []), error]}))
    return response


def _told(fault: Fault) -> Response:
    body = json.dumps({"message": fault.message, "documentation_url": "https://docs.github.com/rest"})
    headers = {FAULT_HEADER: fault.kind} | fault.headers
    return Response(body, fault.status, headers, content_type="application/json; charset=utf-8")


def _broken(response: Response, fault: Fault, promised: int) -> Response:
    """More bytes promised than sent: the client sees the connection break."""
    response.headers[FAULT_HEADER] = fault.kind
    response.automatically_set_content_length = False
    response.headers["Content-Length"] = str(promised)
    return response
