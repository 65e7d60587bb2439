"""Where the App is installed: every installation has its own errands, and one that is suspended or gone has none."""

import logging

from sqlalchemy import Engine, select

from foureyes.github_app import errands
from foureyes.github_app.client import GitHub
from foureyes.github_app.rest_lanes import rest_installations
from foureyes.github_app.storage import now, writing
from foureyes.github_app.sweep_query import ask_installations
from foureyes.github_app.sweep_tables import errand

_log = logging.getLogger(__name__)


def sweep_installations(engine: Engine, github: GitHub) -> None:
    """Raises GitHubError; then nothing is changed."""
    working = {one.id for one in ask_installations(github) if not one.suspended}
    with writing(engine) as conn:
        at = now(conn)
        known = set(
            conn.execute(select(errand.c.installation_id).where(errand.c.installation_id > 0)).scalars()
        )
        errands.forget(conn, known - working)
        keys = [
            (f"{kind}{number}", number) for kind in (errands.PULLS, errands.RECORDS) for number in working
        ]
        errands.expect(conn, sorted(keys), at)
        rested = rest_installations(conn, working, at)
    if rested:
        _log.info("%d heads rest: the App may not look at them any more", rested)
