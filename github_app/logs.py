"""Logs: one JSON object per line on standard error, with the delivery and the lane it is about, without secrets."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from foureyes.github_app.redaction import hide, redact
from foureyes.github_app.settings import Settings

_about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


@contextmanager
def about(**names: str) -> Iterator[None]:
    """Every line logged inside carries these: `about(delivery=guid)`."""
    token = _about.set({**(_about.get() or {}), **names})
    try:
        yield
    finally:
        _about.reset(token)


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": redact(_message(record)),
            **{name: redact(value) for name, value in (_about.get() or {}).items() if value},
        }
        if record.exc_info:
            gone = _database_gone(record.exc_info[1])
            line["error"] = redact(gone or self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = redact(record.stack_info)
        return json.dumps(line)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _database_gone(error: BaseException | None) -> str:
    """What the database's own client says of a database that cannot be used, "" for another error. Every worker tells
    it every second for as long as that lasts: where in our code it came up is nothing that anybody needs then.
    """
    while error is not None and not isinstance(error, OperationalError):
        error = error.__cause__
    return f"{type(error.orig).__name__}: {str(error.orig).strip()}" if error is not None else ""


def hide_secrets(settings: Settings) -> None:
    """What this process was told in confidence stands in no line of its logs."""
    password = make_url(settings.database_url).password or ""
    hide((*settings.webhook_secrets, settings.private_key, settings.sandbox_token, str(password)))


def start_logging(level: str) -> None:
    """`level` is `debug`, `info`, `warning` or `error`. Replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # These say every request in a form that only they know to read.
    for chatty in ("urllib3", "alembic", "git", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It counts in every burst what `/metrics` tells better.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(
        crash.exc_type, crash.exc_value or crash.exc_type(), crash.exc_traceback
    )


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python's own way would print it as it is."""
    logging.getLogger(__name__).critical("ended by an error", exc_info=(kind, error, trace))
