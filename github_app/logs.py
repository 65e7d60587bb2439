"""Logs: one JSON object per line on standard error, with the delivery and the lane it is about, without secrets."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from foureyes.github_app.redaction import redact

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
            "message": redact(record.getMessage()),
            **{name: redact(value) for name, value in (_about.get() or {}).items()},
        }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def start_logging(level: str) -> None:
    """`level` is `debug`, `info`, `warning` or `error`. Replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These say every request in a form that only they know to read.
    for chatty in ("urllib3", "alembic", "waitress.queue"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
