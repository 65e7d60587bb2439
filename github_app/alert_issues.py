"""`alert_issues`: an issue for each alert, opened once, by an App that may."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from foureyes.github_app import alerts
from foureyes.github_app.alerts import Alert
from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.pull_query import understood
from foureyes.github_app.redaction import redact
from foureyes.github_app.storage import now, reading, writing

log = logging.getLogger(__name__)

PERMISSION = "issues"
LABEL = "foureyes"
RECENT = timedelta(days=7)
"""Older alerts get no issue: whoever switches this on does not want the past of a year in one day."""
MOST = 20
"""Issues that are opened in one look."""
NEWEST = 100
"""Issues that are searched for an alert whose issue may have been opened before its number could be stored."""


def open_issues(engine: Engine, client: InstallationClient, repository_id: int, slug: str) -> None:
    """For each alert of the repository that has none. Raises RetryLater; other trouble is told in the log, and the
    next look at a gated branch tries again.
    """
    with reading(engine) as conn:
        since = now(conn) - int(RECENT.total_seconds() * 1000)
        waiting = alerts.without_issue(conn, repository_id, since, MOST)
    if not waiting:
        return
    try:
        if not client.may_write(PERMISSION):
            log.warning("%s: `alert_issues` is off, the App has no `issues: write`", slug)
            return
        opened = _opened(client, slug)
        for one in waiting:
            number = opened.get(_mark(one)) or _open(client, slug, one)
            with writing(engine) as conn:
                alerts.set_issue(conn, one.id, number)
    except RetryLater:
        raise
    except GitHubError as error:
        log.warning("%s: an alert's issue could not be opened: %s", slug, redact(error.why))


def _opened(client: InstallationClient, slug: str) -> dict[str, int]:
    """Mark -> number, of the newest issues with our label: a write whose answer was lost was a write all the same."""
    asked = {"labels": LABEL, "state": "all", "per_page": str(NEWEST)}
    listed = client.get(f"/repos/{slug}/issues", asked)
    ours = [one for one in listed if _is_ours(one, client.github.app_id)]
    return understood(
        lambda: {str(one["body"] or "").rpartition("\n")[2].strip(): int(one["number"]) for one in ours}
    )


def _is_ours(issue: Mapping[str, Any], app: int) -> bool:
    """Anyone can write an issue that looks like one of ours."""
    return understood(lambda: (issue.get("performed_via_github_app") or {}).get("id") == app)


def _open(client: InstallationClient, slug: str, one: Alert) -> int:
    body = {"title": one.title, "body": f"{one.text}\n\n{_mark(one)}", "labels": [LABEL]}
    made = client.post(f"/repos/{slug}/issues", body)
    return understood(lambda: int(made["number"]))


def _mark(one: Alert) -> str:
    """The last line of the issue: which alert it tells."""
    return f"Alert `{one.id}` of `{one.commit}`: `foureyes alerts {one.slug}`"
