"""The web side: GitHub's deliveries in; health, metrics and a page that says what this is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from foureyes.github_app import lanes, logs, storage
from foureyes.github_app.events import HANDLED
from foureyes.github_app.inbox import accept
from foureyes.github_app.metrics import Standing
from foureyes.github_app.pages import render
from foureyes.github_app.settings import Settings
from foureyes.github_app.webhook import LARGEST_BODY, Refusal, receive
from foureyes.shared.errors import UserError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """What the routes need. `news` is called after each stored delivery."""

    engine: Engine
    settings: Settings
    news: Callable[[], None]
    is_healthy: Callable[[], bool]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)


def create_site(site: Site) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    received = Counter(
        "foureyes_deliveries", "Webhook requests.", ["event", "result"], registry=site.registry
    )
    site.registry.register(Standing(site.engine))

    @app.post("/webhook")
    def webhook() -> Response:
        event, answer, result = _deliver(site)
        received.labels(event if event in HANDLED else "other", result).inc()
        return answer

    @app.get("/healthz")
    def health() -> Response:
        return _text("alive\n") if site.is_healthy() else _text("a worker has died\n", 503)

    @app.get("/readyz")
    def ready() -> Response:
        return _ready(site)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(site.registry), content_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    def page() -> Response:
        github = site.settings.github_url
        return render("front_page", github=github, github_host=github.partition("://")[2])

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_error: RequestEntityTooLarge) -> Response:
        return _text("larger than GitHub's webhooks can be\n", 413)

    return app


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
        except SQLAlchemyError:
            _log.exception("a delivery could not be stored")
            return given.event, _text("not stored; deliver it again later\n", 503), "failed"
        _log.info("stored" if is_news else "decided before")
    site.news()
    return (
        given.event,
        _text("stored\n" if is_news else "decided before\n", 202),
        "stored" if is_news else "repeated",
    )


def _ready(site: Site) -> Response:
    """Whether deliveries can be stored now. Dead letters are told, and are no reason to send traffic elsewhere."""
    try:
        storage.check_schema(site.engine)
        with storage.reading(site.engine) as conn:
            depth = lanes.depth(conn, storage.now(conn))
    except (UserError, SQLAlchemyError):
        _log.exception("not ready")
        return _text("the database cannot be used\n", 503)
    if not site.is_healthy():
        return _text("a worker has died\n", 503)
    return _text(f"ready; to be looked at: {depth.pending}, of them failing again and again: {depth.dead}\n")


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
