"""gunicorn's settings for the web side: `gunicorn -c python:foureyes.github_app.prefork`. Where it listens and what it
says come from the same environment as everywhere; every one of these can be overridden on gunicorn's command line.
"""

import os
import sys
from typing import Any

from foureyes.github_app.logs import JsonLines
from foureyes.github_app.settings import DEFAULTS, PREFIX
from foureyes.shared.errors import UserError


def _told(name: str) -> str:
    return os.environ.get(PREFIX + name, "").strip() or DEFAULTS[name]


wsgi_app = "foureyes.github_app.wsgi:application"
bind = f"[{_told('HOST')}]:{_told('PORT')}" if ":" in _told("HOST") else f"{_told('HOST')}:{_told('PORT')}"
workers = 2
worker_class = "gthread"
threads = 16
timeout = 60
graceful_timeout = int(_told("DRAIN_SECONDS")) if _told("DRAIN_SECONDS").isdigit() else 20
keepalive = 15
backlog = 1024
limit_request_line = 2048
limit_request_fields = 64
limit_request_field_size = 8190
umask = 0o077
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        name: {"level": "INFO", "handlers": [], "propagate": True}
        for name in ("gunicorn.error", "gunicorn.access")
    },
}


def on_starting(_server: Any) -> None:
    """What is wrong is said once, by the parent, before any process is started."""
    from foureyes.github_app.separate import read_separate_settings
    from foureyes.github_app.wsgi import WEB

    try:
        read_separate_settings(os.environ, WEB)
    except UserError as error:
        sys.stderr.write(f"foureyes: {error}\n")
        sys.exit(1)
