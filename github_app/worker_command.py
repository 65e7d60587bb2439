"""`foureyes worker`: looks at what others heard of. Beside `foureyes serve --web-only` or gunicorn, on PostgreSQL."""

import os

import click

from foureyes.github_app.logs import start_logging
from foureyes.github_app.separate import read_separate_settings
from foureyes.github_app.serve import Part, run


@click.command(
    "worker", help="Judge pull requests that `foureyes serve --web-only` heard of. Needs PostgreSQL."
)
@click.option("--json", "as_json", is_flag=True, help="Say in JSON where health and figures are.")
def command(as_json: bool) -> int:
    """As many as are wanted may run; each has a port of its own for /healthz, /readyz and /metrics."""
    settings = read_separate_settings(os.environ, "`foureyes worker`")
    start_logging(settings.log)
    run(Part(hears=False), settings, as_json)
    return 0
