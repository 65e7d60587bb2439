"""Who pushed to a pull request's branch: what webhooks told, and for a gap what GitHub's activity list remembers."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from foureyes.github_app import decisions, seen
from foureyes.github_app.aged import Aged
from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.pull_query import PullAnswer
from foureyes.github_app.storage import now, reading, writing
from foureyes.shared.facts import Fact, PullFacts, Push
from foureyes.shared.people import Account, Kind

ASKED_AGE = 60.0
"""Seconds until the activity list is asked again about a head whose push it did not name."""

_KINDS = {"push", "force_push", "branch_creation", "pr_merge", "merge_queue_merge"}


class Activity:
    """Which heads GitHub's activity list was asked about lately."""

    def __init__(self, max_age: float = ASKED_AGE) -> None:
        self.asked: Aged[tuple[int, str], bool] = Aged(max_age)


def read_pushes(
    engine: Engine,
    client: InstallationClient,
    answer: PullAnswer,
    commits: Collection[str],
    activity: Activity,
) -> tuple[Push, ...]:
    """Every witnessed push. That none names a head is a fact too: then nobody can say who pushed it."""
    pushes = _seen(engine, answer, commits)
    if answer.head_repository is None:
        return _with_earlier(engine, answer, pushes, lambda facts: facts.pushes)
    if not _names_all(pushes, answer, commits) and answer.head_repository is not None:
        head, where = answer.pull.head, answer.head_repository
        activity.asked.get((where, head), lambda: _ask(engine, client, answer, where))
        pushes = _seen(engine, answer, commits)
    return pushes


def read_elsewhere(
    engine: Engine, answer: PullAnswer, commits: Collection[str], pushes: tuple[Push, ...]
) -> tuple[Push, ...]:
    """Witnessed pushes to other branches that brought what `pushes` brought to this one."""
    pull = answer.pull
    with reading(engine) as conn:
        found = seen.pushes_elsewhere(
            conn, pull.repository.id, pull.base_ref, head_repository_id=answer.head_repository,
            commits=commits, heads={push.head for push in pushes},
        )  # fmt: skip
    elsewhere = tuple(push for push in found if push not in pushes)
    if answer.head_repository is None:
        return _with_earlier(engine, answer, elsewhere, lambda facts: facts.elsewhere)
    return elsewhere


def _with_earlier(
    engine: Engine,
    answer: PullAnswer,
    found: tuple[Push, ...],
    part: Callable[[PullFacts], Fact[tuple[Push, ...]]],
) -> tuple[Push, ...]:
    """Where the fork is gone, nothing names its branch any more: what was known before that is still so."""
    pull = answer.pull
    with reading(engine) as conn:
        earlier = decisions.newest_known(conn, pull.repository.id, pull.number, part)
    return tuple(dict.fromkeys((*earlier, *found)))


def _seen(engine: Engine, answer: PullAnswer, commits: Collection[str]) -> tuple[Push, ...]:
    pull = answer.pull
    opened = datetime.fromisoformat(pull.created_at).timestamp() if pull.created_at else None
    with reading(engine) as conn:
        return seen.pushes_seen(
            conn, pull.repository.id, pull.number, head_repository_id=answer.head_repository,
            head_ref=pull.head_ref, opened_at=int(opened * 1000) if opened is not None else None,
            commits={*commits, pull.head},
        )  # fmt: skip


def _names_all(pushes: tuple[Push, ...], answer: PullAnswer, commits: Collection[str]) -> bool:
    """Whether it is known who pushed the head, and each head before it that is part of the pull request."""
    named = {push.head for push in pushes if push.account}
    replaced = {push.before for push in pushes}.intersection(commits)
    return {answer.pull.head, *replaced} <= named


def _ask(engine: Engine, client: InstallationClient, answer: PullAnswer, head_repository: int) -> bool:
    """Keeps what the list names for the branch. That it cannot be had is normal: it needs a permission, or a fork that
    is public. Of pushes to a fork no webhook tells before there is a pull request.
    """
    ref = f"refs/heads/{answer.pull.head_ref}"
    try:
        listed = client.get(f"/repos/{answer.head_slug}/activity", {"ref": ref, "per_page": "100"})
    except RetryLater:
        raise
    except GitHubError as error:
        if error.status in (403, 404, 422, 501):
            return False
        raise
    with writing(engine) as conn:
        at = now(conn)
        for item in listed if isinstance(listed, list) else []:
            if (push := _push(item, head_repository, ref)) is not None:
                seen.keep_push(conn, push, _when(item, at))
    return True


def _push(item: Any, repository_id: int, ref: str) -> seen.PushSeen | None:
    try:
        actor = item["actor"]
        if item["activity_type"] not in _KINDS or item["ref"] != ref or actor is None:
            return None
        who = Account(int(actor["id"]), str(actor["login"]), Kind(actor["type"]))
        return seen.PushSeen(repository_id, ref, str(item["before"]), str(item["after"]), who)
    except (KeyError, TypeError, ValueError):
        return None


def _when(item: Any, latest: int) -> int:
    """Milliseconds, at the end of the second that GitHub tells: a push of the same second as something else counts as
    later. `latest` where it tells none: then it counts as of now.
    """
    try:
        moment = datetime.fromisoformat(item["timestamp"])
    except (KeyError, TypeError, ValueError):
        return latest
    return latest if moment.tzinfo is None else min(latest, int(moment.timestamp()) * 1000 + 999)
