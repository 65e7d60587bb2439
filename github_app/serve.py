"""`foureyes serve`: the App as one process. What is wrong is found before the first delivery is heard.

The same process can hear webhooks alone (`serve --web-only`) or look at pull requests alone (`foureyes worker`).
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click
from sqlalchemy import Engine

from foureyes.github_app import credentials, storage
from foureyes.github_app.client import GitHub
from foureyes.github_app.credentials import Credentials
from foureyes.github_app.listening import Listening
from foureyes.github_app.logs import hide_secrets, start_logging
from foureyes.github_app.metrics import Figures
from foureyes.github_app.one_writer import one_writer
from foureyes.github_app.separate import refuse_sqlite
from foureyes.github_app.settings import Settings, is_first_run, read_settings
from foureyes.github_app.setup import Setup
from foureyes.github_app.setup_answer import trade
from foureyes.github_app.setup_page import FirstRun, create_setup
from foureyes.github_app.stopping import asked_to_stop
from foureyes.github_app.superseded import begin_work
from foureyes.github_app.web import Site, create_site
from foureyes.github_app.worker import Workers
from foureyes.github_app.working import make_workers
from foureyes.shared.errors import UserError

_log = logging.getLogger(__name__)

_SETUP = """foureyes has no GitHub App yet. Make one in three clicks:
  open    {}
  token   {}   (works once, for an hour)"""
_ANSWERING_SECONDS = 5
"""How long a stopping server lets requests that are on their way be answered."""


@click.command(
    "serve",
    help="Run the GitHub App: hear webhooks, judge pull requests, publish the check. Without an App it serves /setup, "
    "where one is made. Its settings are read from the environment (FOUREYES_...).",
)
@click.option("--check", "only_check", is_flag=True, help="Read the settings and stop.")
@click.option(
    "--web-only",
    is_flag=True,
    help="Hear webhooks and leave the rest to `foureyes worker`. Needs PostgreSQL.",
)
@click.option(
    "--poll",
    is_flag=True,
    help="Hear no webhooks: ask GitHub every minute what happened. For places that GitHub cannot reach.",
)
@click.option("--json", "as_json", is_flag=True, help="Say in JSON where it listens.")
def command(only_check: bool, web_only: bool, poll: bool, as_json: bool) -> int:
    if poll and web_only:
        raise click.UsageError("--poll hears nothing and --web-only does nothing else: choose one")
    first_run = not only_check and not poll and is_first_run(os.environ)
    settings = read_settings(os.environ, first_run=first_run, poll=poll)
    if web_only:
        refuse_sqlite(settings.database_url, "`foureyes serve --web-only`")
    if only_check:
        _tell(
            {"ok": True, "github": settings.github_url},
            f"the settings hold; GitHub is {settings.github_url}",
            as_json,
        )
        return 0
    start_logging(settings.log)
    run(Part(hears=not poll, works=not web_only), settings, as_json)
    return 0


@dataclass(frozen=True)
class Part:
    """What a process does of the whole."""

    hears: bool = True
    """Webhooks. A process that does not still tells its health and figures."""
    works: bool = True
    """Looks at what is due, and sweeps."""

    def listening(self, address: str) -> str:
        if not self.hears:
            return f"foureyes works; health and figures on {address}"
        alone = "" if self.works else "; `foureyes worker` does the rest"
        return f"foureyes listens on {address}, webhooks on {address}/webhook{alone}"


def run(part: Part, settings: Settings, as_json: bool = False) -> None:
    """Runs until SIGTERM or SIGINT, then lets what is being looked at finish. Raises UserError if it cannot start.

    Settings without an App: it serves the set-up until there is one, and goes on as that App.
    """
    # What is stored names people and holds unpublished work: for nobody else on this machine.
    os.umask(0o077)
    with ExitStack() as closing:
        engine = storage.connect(settings.database_url)
        closing.callback(engine.dispose)
        process = _Process(part, engine)
        # The port first: if it is taken, nothing has been touched yet.
        port = Listening(process, settings.host, settings.port)
        closing.callback(port.close)
        closing.enter_context(one_writer(engine, settings.data))
        storage.migrate(engine)
        if part.works:
            with storage.explained(engine), storage.writing(engine) as conn:
                begin_work(conn)
        with asked_to_stop(port.wake) as asked:
            if settings.app_id:
                process.begin(settings)
                _tell({"listening": port.address}, part.listening(port.address), as_json)
            else:
                setup = Setup()
                process.application = create_setup(
                    FirstRun(setup, settings, partial(trade, GitHub(settings)), process.begin_as)
                )
                _tell_of_setup(port.address, settings, setup.token, as_json)
            port.serve(until=asked.is_set)
            _stop(process, port, settings.drain_seconds)


@dataclass
class _Process:
    """What the port leads to. Set-up is followed by the App in one step, with nothing unanswered in between."""

    part: Part
    engine: Engine
    application: Callable[..., Iterable[bytes]] = field(init=False)
    workers: Workers | None = None
    draining: bool = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.application(environ, start_response)

    def begin(self, settings: Settings) -> None:
        """Lets the App work."""
        hide_secrets(settings)
        figures = Figures()
        workers = make_workers(settings, self.engine, figures) if self.part.works else None
        site = Site(
            self.engine, settings, workers.wake if workers else lambda: None,
            lambda: workers is None or workers.healthy, figures, hears=self.part.hears, works=self.part.works,
            is_draining=lambda: self.draining,
        )  # fmt: skip
        self.application = create_site(site)
        if workers:
            workers.start()
            self.workers = workers

    def begin_as(self, given: Credentials) -> None:
        """Keeps what set-up brought, and reads it back as the next start will. Raises UserError."""
        try:
            credentials.store(read_settings(os.environ, first_run=True).data, given, replace=False)
        except credentials.CredentialsError as error:
            raise UserError(str(error), next_step="Then start this server again.") from error
        self.begin(read_settings(os.environ))


def _stop(process: _Process, port: Listening, seconds: int) -> None:
    """Takes no more work; deliveries are stored as long as something is being looked at, for whoever comes next."""
    process.draining = True
    drained = True
    if process.workers is not None:
        _log.info("stopping: letting %d seconds for what is being looked at", seconds)
        ended: list[bool] = []
        stopping = threading.Thread(target=_drain, args=(process.workers, seconds, ended, port.wake))
        stopping.start()
        port.serve(until=lambda: not stopping.is_alive())
        drained = ended == [True]
    port.finish(_ANSWERING_SECONDS)
    _log.info(
        "stopped" if drained else "stopped; what was not finished is looked at again after the next start"
    )


def _drain(workers: Workers, seconds: int, ended: list[bool], wake: Callable[[], None]) -> None:
    ended.append(workers.stop(seconds))
    wake()


def _tell_of_setup(address: str, settings: Settings, token: str, as_json: bool) -> None:
    page = f"{settings.url or address}/setup"
    _tell({"listening": address, "setup": page, "token": token}, _SETUP.format(page, token), as_json)


def _tell(as_data: dict[str, object], as_text: str, as_json: bool) -> None:
    click.echo(json.dumps(as_data) if as_json else as_text)
