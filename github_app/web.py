"""The web side: GitHub's deliveries in; health, metrics and a page that says what this is."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from foureyes.github_app import lanes, logs, storage
from foureyes.github_app.events import HANDLED
from foureyes.github_app.inbox import accept
from foureyes.github_app.metrics import Figures, Standing
from foureyes.github_app.pages import render
from foureyes.github_app.settings import Settings
from foureyes.github_app.superseded import refuse_older
from foureyes.github_app.webhook import LARGEST_BODY, Refusal, receive
from foureyes.shared.errors import UserError

_log = logging.getLogger(__name__)

_NOBODY_WORKS_MS = 30_000
_NOT_STORED_SECONDS = 30.0
"""For which a delivery that could not be stored speaks against this process. Then the next one is let in to try."""


@dataclass
class _Storing:
    """Whether the newest delivery could be stored: a full disk is found by writing alone."""

    failed_at: float | None = None

    def fails(self) -> bool:
        return self.failed_at is not None and time.monotonic() - self.failed_at < _NOT_STORED_SECONDS


@dataclass(frozen=True)
class Site:
    """What the routes need. `news` is called after each stored delivery."""

    engine: Engine
    settings: Settings
    news: Callable[[], None]
    is_healthy: Callable[[], bool]
    figures: Figures = field(default_factory=Figures)
    hears: bool = True
    """Webhooks; otherwise there is only what tells of its health."""
    works: bool = True
    """Looks at what is due; otherwise other processes have to."""
    is_draining: Callable[[], bool] = lambda: False
    storing: _Storing = field(default_factory=_Storing)


def create_site(site: Site) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    site.figures.registry.register(Standing(site.engine))
    if site.hears:
        app.add_url_rule("/webhook", "webhook", partial(_webhook, site), methods=["POST"])

    @app.get("/healthz")
    def health() -> Response:
        # Workers that end because they were told to are no reason to restart anything.
        fine = site.is_draining() or site.is_healthy()
        return _text("alive\n") if fine else _text("a worker has died\n", 503)

    @app.get("/readyz")
    def ready() -> Response:
        return _ready(site)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(site.figures.text(), content_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    def page() -> Response:
        github = site.settings.github_url
        return render("front_page", github=github, github_host=github.partition("://")[2])

    @app.errorhandler(HTTPException)
    def odd(error: HTTPException) -> Response:
        answer = _text(f"{error.name}\n", error.code or 500)
        answer.headers.extend([(name, value) for name, value in error.get_headers() if name == "Allow"])
        return answer

    @app.after_request
    def plain(answer: Response) -> Response:
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        return answer

    return app


def _webhook(site: Site) -> Response:
    start = time.perf_counter()
    event, answer, result = _deliver(site)
    site.figures.deliveries.labels(event if event in HANDLED else "other", result).inc()
    site.figures.acknowledging.observe(time.perf_counter() - start)
    return answer


def _deliver(site: Site) -> tuple[str, Response, str]:
    """The event's name, the answer, and in one word what became of it."""
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return "", _text("larger than GitHub's webhooks can be\n", 413), "refused"
    given = receive(body, dict(request.headers), site.settings.webhook_secrets)
    if isinstance(given, Refusal):
        _log.warning("a webhook request was refused: %s", given.why)
        return "", _text(f"{given.why}\n", given.status), "refused"
    with logs.about(delivery=given.guid, event=given.event):
        try:
            is_news = accept(site.engine, given)
        except Exception:  # noqa: BLE001 - whatever it was: what was not stored must not be acknowledged
            _log.exception("a delivery could not be stored")
            site.storing.failed_at = time.monotonic()
            return given.event, _text("not stored; deliver it again later\n", 503), "failed"
        site.storing.failed_at = None
        _log.info("stored" if is_news else "decided before")
    site.news()
    return (
        given.event,
        _text("stored\n" if is_news else "decided before\n", 202),
        "stored" if is_news else "repeated",
    )


def _ready(site: Site) -> Response:
    """Whether deliveries can be stored now. Dead letters are told, and are no reason to send traffic elsewhere."""
    if site.is_draining():
        return _text("stopping: what is being looked at is finished\n", 503)
    try:
        with storage.reading(site.engine) as conn:
            refuse_older(conn)
            depth = lanes.depth(conn, storage.now(conn))
    except UserError as error:
        _log.warning("not ready: %s", error.what)
        return _text(f"{error.what}\n", 503)
    except SQLAlchemyError:
        _log.exception("not ready")
        return _text("the database cannot be used\n", 503)
    if not site.is_healthy():
        return _text("a worker has died\n", 503)
    if site.storing.fails():
        return _text("the newest delivery could not be stored: the log says why\n", 503)
    told = f"ready; to be looked at: {depth.pending}, of them failing again and again: {depth.dead}\n"
    if not site.works and depth.due and not depth.running and depth.oldest_due_ms > _NOBODY_WORKS_MS:
        told += f"nobody has looked at what is due for {depth.oldest_due_ms // 1000} s: does `foureyes worker` run?\n"
    return _text(told)


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
