"""The web side for a WSGI server with several processes: `gunicorn -c python:foureyes.github_app.prefork`.

Such a process hears webhooks and stores them; `foureyes worker` looks at them. Set-up is not served here: each process
would have a token of its own.
"""

import os

from flask import Flask

from foureyes.github_app import storage
from foureyes.github_app.logs import hide_secrets, start_logging
from foureyes.github_app.metrics import Figures
from foureyes.github_app.separate import read_separate_settings
from foureyes.github_app.web import Site, create_site

WEB = "a web process of its own"
"""What this is called in errors."""


def create_application() -> Flask:
    """Migrates the database first. Raises UserError if it cannot start."""
    os.umask(0o077)
    settings = read_separate_settings(os.environ, WEB)
    start_logging(settings.log)
    hide_secrets(settings)
    engine = storage.connect(settings.database_url)
    storage.migrate(engine)
    # A connection must not be used by a parent and its child: whoever is forked later opens its own.
    engine.dispose()
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return create_site(Site(engine, settings, lambda: None, lambda: True, Figures(), works=False))


def __getattr__(name: str) -> Flask:
    """`application`, made when a server asks for it and not when somebody reads this module."""
    if name != "application":
        raise AttributeError(name)
    made = create_application()
    globals()["application"] = made
    return made
