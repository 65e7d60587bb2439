"""`foureyes serve`: the App as one process. What is wrong is found before the first delivery is heard."""

import fcntl
import json
import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import IO, Any, NoReturn

import click
from sqlalchemy import Engine
from waitress.server import create_server  # type: ignore[import-untyped]

from foureyes.github_app import credentials, storage
from foureyes.github_app.client import GitHub
from foureyes.github_app.credentials import Credentials
from foureyes.github_app.deps import make_deps
from foureyes.github_app.judge import judge_lane
from foureyes.github_app.logs import start_logging
from foureyes.github_app.settings import Settings, is_first_run, read_settings
from foureyes.github_app.setup import Setup
from foureyes.github_app.setup_answer import trade
from foureyes.github_app.setup_page import FirstRun, create_setup
from foureyes.github_app.web import Site, create_site
from foureyes.github_app.webhook import LARGEST_BODY
from foureyes.github_app.worker import Judge, Workers
from foureyes.shared.agents import parse_catalogue
from foureyes.shared.errors import UserError

_log = logging.getLogger(__name__)

_LISTENING = "foureyes listens on {0}, webhooks on {0}/webhook"
_SETUP = """foureyes has no GitHub App yet. Make one in three clicks:
  open    {}
  token   {}   (works once, for an hour)"""


class Front:
    """What the port leads to. Set-up is followed by the App in one step, with nothing unanswered in between."""

    application: Callable[..., Iterable[bytes]]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.application(environ, start_response)


@click.command("serve", help="Run the GitHub App: hear webhooks, judge pull requests, publish the check.")
@click.option("--check", "only_check", is_flag=True, help="Read the settings and stop.")
@click.option("--json", "as_json", is_flag=True, help="Say in JSON where it listens.")
def command(only_check: bool, as_json: bool) -> int:
    settings = read_settings(os.environ, first_run=not only_check and is_first_run(os.environ))
    if only_check:
        _tell(
            {"ok": True, "github": settings.github_url},
            f"the settings hold; GitHub is {settings.github_url}",
            as_json,
        )
        return 0
    start_logging(settings.log)
    serve(settings, as_json)
    return 0


def serve(settings: Settings, as_json: bool = False) -> None:
    """Runs until SIGTERM or SIGINT, then lets what is being looked at finish. Raises UserError if it cannot start.

    Settings without an App: it serves the set-up until there is one, and goes on as that App.
    """
    # What is stored names people and holds unpublished work: for nobody else on this machine.
    os.umask(0o077)
    with ExitStack() as closing:
        engine = storage.connect(settings.database_url)
        closing.callback(engine.dispose)
        front = Front()
        # The port first: if it is taken, nothing has been touched yet.
        server = _listen(front, settings)
        closing.callback(server.close)
        closing.enter_context(_alone(engine, settings))
        storage.migrate(engine)
        with _stopped_by_signals():
            address = _address(server, settings.host)
            if settings.app_id:
                closing.callback(_begin(front, settings, engine))
                _tell({"listening": address}, _LISTENING.format(address), as_json)
            else:
                setup = Setup()

                def begin(given: Credentials) -> None:
                    closing.callback(_begin(front, _stored(settings, given), engine))

                front.application = create_setup(
                    FirstRun(setup, settings, partial(trade, GitHub(settings)), begin)
                )
                _tell_of_setup(address, settings, setup.token, as_json)
            server.run()


def _begin(front: Front, settings: Settings, engine: Engine) -> Callable[[], None]:
    """Lets the App work; answers what stops it again."""
    workers = Workers(
        engine,
        _judge(settings, engine),
        threads=settings.workers,
        lease_ms=settings.lease_seconds * 1000,
        sweep_seconds=settings.sweep_seconds,
    )
    front.application = create_site(Site(engine, settings, workers.wake, lambda: workers.healthy))
    workers.start()
    return partial(_drain, workers, settings.drain_seconds)


def _drain(workers: Workers, seconds: int) -> None:
    _log.info("stopping: letting %d seconds for what is being looked at", seconds)
    drained = workers.stop(seconds)
    _log.info(
        "stopped" if drained else "stopped; what was not finished is looked at again after the next start"
    )


def _stored(settings: Settings, given: Credentials) -> Settings:
    """Keeps what set-up brought, and reads it back as the next start will. Raises UserError."""
    try:
        credentials.store(settings.data, given, replace=False)
    except credentials.CredentialsError as error:
        raise UserError(str(error), next_step="Then start this server again.") from error
    return read_settings(os.environ)


def _tell_of_setup(address: str, settings: Settings, token: str, as_json: bool) -> None:
    page = f"{settings.url or address}/setup"
    _tell({"listening": address, "setup": page, "token": token}, _SETUP.format(page, token), as_json)


def _judge(settings: Settings, engine: Engine) -> Judge:
    catalogue = parse_catalogue(files("foureyes.shared").joinpath("agents.json").read_text("utf-8"))
    return partial(judge_lane, deps=make_deps(settings, engine, catalogue))


def _listen(front: Front, settings: Settings) -> Any:
    try:
        return create_server(
            front,
            host=settings.host,
            port=settings.port,
            threads=8,
            ident=None,
            max_request_body_size=LARGEST_BODY,
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot listen on {settings.host}:{settings.port}: {error}",
            why="GitHub's webhooks would reach nobody, or another program",
            next_step="stop what uses that port, or set FOUREYES_PORT and FOUREYES_HOST",
        ) from error


def _address(server: Any, host: str) -> str:
    """With the port that was really taken: FOUREYES_PORT=0 lets the system choose."""
    listening = getattr(server, "effective_listen", None)
    port = listening[0][1] if listening else server.effective_port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _alone(engine: Engine, settings: Settings) -> Iterator[None]:
    """SQLite has one writer, and it is in one process: a second server on the same file is refused."""
    file = storage.database_file(engine)
    _make_folder(settings.data)
    if file is None:
        yield
        return
    _make_folder(file.parent)
    with _lock_file(file.with_name(f"{file.name}.lock")) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"another foureyes serve uses {file}",
                why="with SQLite one process writes",
                next_step="stop the other one, or use PostgreSQL (FOUREYES_DATABASE_URL) for several",
            ) from error
        yield


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_keep(error) from error


def _lock_file(path: Path) -> IO[str]:
    try:
        return path.open("w")
    except OSError as error:
        raise _cannot_keep(error) from error


def _cannot_keep(error: OSError) -> UserError:
    return UserError(
        f"cannot keep data in {error.filename}: {error.strerror}",
        why="a delivery is acknowledged only after it was stored",
        next_step="set FOUREYES_DATA to a folder that this user can write to",
    )


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT end what runs inside; a second one ends the process."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_DFL)
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _tell(as_data: dict[str, object], as_text: str, as_json: bool) -> None:
    click.echo(json.dumps(as_data) if as_json else as_text)
