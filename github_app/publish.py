"""An explanation as the one check run on a head. What GitHub shows is what "unchanged" is judged against."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from foureyes.github_app.client import GitHubError, InstallationClient, OutcomeUnknown, RetryLater
from foureyes.github_app.pull_query import Check, understood
from foureyes.shared.canonical import Json, canonical_bytes, sha256_hex
from foureyes.shared.explanation import Explanation, fitted

log = logging.getLogger(__name__)

NAME = "foureyes"
OBSERVE = "foureyes observe"
"""The name in observe mode: always neutral, and never the name that a ruleset requires."""


LONGEST_WAIT = timedelta(days=12)
"""How long one check run may say that people are awaited."""
AFTER = "foureyes after merge"
"""On a commit that landed and should not have: red if it touches what is protected, else grey. No ruleset requires
it, and where all is well there is none.
"""


@dataclass(frozen=True)
class Face:
    """A check run as it is to look."""

    name: str
    status: str
    conclusion: str
    """"" while it is not completed."""
    title: str
    summary: str
    text: str
    external_id: str
    """Digest of what it says: equal digests need no write."""

    def is_shown_by(self, check: Check | None) -> bool:
        return check is not None and (check.external_id, check.status, check.conclusion) == (
            self.external_id, self.status, self.conclusion,
        )  # fmt: skip


def face(explanation: Explanation, *, observe: bool) -> Face:
    if observe:
        return _signed(
            OBSERVE, "completed", "neutral", _would_be(explanation), f"{_OBSERVED}\n\n{explanation.summary}",
            explanation.text,
        )  # fmt: skip
    return _face(NAME, explanation.status, explanation.conclusion or "", explanation)


_OBSERVED = (
    "**Only observed:** nothing waits for this check, and no approval is asked for. With `mode: enforce` in the policy "
    "the check `foureyes` says what follows."
)
_WOULD = {"Passed": "Would pass", "Waiting": "Would wait", "Blocked": "Would be blocked"}


def _would_be(explanation: Explanation) -> str:
    word, colon, rest = explanation.title.partition(":")
    return fitted(f"{_WOULD.get(word, word)}{colon}{rest}")


def ended() -> Face:
    """For a green check whose pull requests are closed, moved, retargeted or drafted away: its verdict ended with
    them. Cancelled is grey, and satisfies no required check.
    """
    title = "No open pull request with this head is judged"
    summary = "The verdict that stood here ended with the pull request it was given for."
    return _signed(NAME, "completed", "cancelled", title, summary, "")


def unread() -> Face:
    """For a green check while the state that it was given for cannot be read."""
    title = "Error: could not be read, trying again"
    summary = (
        "**What happened:** GitHub or git did not answer, so it is not known whether the approvals still stand.\n\n"
        "**Now:** nothing to do: foureyes reads again by itself."
    )
    return _signed(NAME, "in_progress", "", title, summary, "")


def held_up() -> Face:
    """For a green check that cannot be read again because too much was asked."""
    title = "Error: GitHub lets foureyes ask no more for now"
    summary = (
        "**What happened:** GitHub lets an App ask only so much in an hour, and that is used up, so it is not known "
        "whether the approvals still stand.\n\n"
        "**Now:** nothing to do: foureyes reads again by itself, within an hour at the latest. If this comes back: "
        "whoever runs foureyes finds what helps under *Limits* in its page on running the server."
    )
    return _signed(NAME, "in_progress", "", title, summary, "")


def landed(title: str, summary: str, *, grave: bool) -> Face:
    """For an alert about a commit on a gated branch."""
    return _signed(AFTER, "completed", "failure" if grave else "neutral", title, summary, "")


def group(title: str, summary: str, *, passed: bool) -> Face:
    """For what a merge queue made. Never in progress: the queue waits only so long."""
    return _signed(NAME, "completed", "success" if passed else "failure", fitted(title), summary, "")


def grows_stale(check: Check | None, at_ms: int) -> bool:
    """GitHub calls a check that is in progress for 14 days stale. Before that a new one takes its place."""
    if check is None or check.status == "completed" or not check.started_at:
        return False
    try:
        started = datetime.fromisoformat(check.started_at)
    except ValueError:
        return True
    return at_ms / 1000 - started.timestamp() > LONGEST_WAIT.total_seconds()


def newest(checks: Iterable[Check], name: str) -> Check | None:
    """Ours of this name that GitHub goes by."""
    return max((check for check in checks if check.name == name), key=lambda check: check.id, default=None)


def write(client: InstallationClient, slug: str, head: str, wanted: Face, check: Check | None) -> int:
    """Creates the check run, or changes the one that is there. Returns its id. Raises GitHubError; OutcomeUnknown if
    nobody knows what GitHub did, and only a new look at it can tell.
    """
    try:
        made = _send(client, slug, head, wanted, check)
    except RetryLater:
        raise
    except GitHubError as error:
        if 400 <= error.status < 500:
            raise
        raise OutcomeUnknown(error.why, error.status) from error
    written = understood(lambda: int(made["id"]))
    log.info("published on %s as check run %d: %s", head, written, wanted.title)
    return written


def _send(client: InstallationClient, slug: str, head: str, wanted: Face, check: Check | None) -> Any:
    output = {"title": wanted.title, "summary": wanted.summary} | (
        {"text": wanted.text} if wanted.text else {}
    )
    body: dict[str, Any] = {"status": wanted.status, "external_id": wanted.external_id, "output": output}
    if wanted.conclusion:
        body["conclusion"] = wanted.conclusion
    # what takes a success back may use the part of the budget that nothing else may
    urgent = wanted.conclusion != "success"
    if check is None:
        body |= {"name": wanted.name, "head_sha": head}
        return client.post(f"/repos/{slug}/check-runs", body, urgent=urgent)
    body |= {"name": wanted.name}
    return client.patch(f"/repos/{slug}/check-runs/{check.id}", body, urgent=urgent)


def read_checks(client: InstallationClient, slug: str, head: str, name: str = NAME) -> tuple[Check, ...]:
    """Our check runs on a commit by REST, for when the query did not work. Raises GitHubError."""
    asked = {"app_id": str(client.github.app_id), "filter": "latest", "check_name": name}
    data = client.get(f"/repos/{slug}/commits/{head}/check-runs", asked, urgent=True)
    if not isinstance(data, dict) or not isinstance(data.get("check_runs"), list):
        raise GitHubError("GitHub's list of check runs was not understood")
    return understood(
        lambda: tuple(
            Check(
                int(run["id"]), run["name"], run["status"], run["conclusion"] or "", run["external_id"] or ""
            )
            for run in data["check_runs"]
        )
    )


def _face(name: str, status: str, conclusion: str, explanation: Explanation) -> Face:
    return _signed(name, status, conclusion, explanation.title, explanation.summary, explanation.text)


def _signed(name: str, status: str, conclusion: str, title: str, summary: str, text: str) -> Face:
    said: Json = {
        "status": status,
        "conclusion": conclusion,
        "title": title,
        "summary": summary,
        "text": text,
    }
    return Face(name, status, conclusion, title, summary, text, sha256_hex(canonical_bytes(said)))
