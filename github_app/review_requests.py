"""`request_reviewers`: people whose approval is missing are asked for it on GitHub, once for each content."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, select

from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.pull_query import PullAnswer, operation, there, understood
from foureyes.github_app.redaction import redact
from foureyes.github_app.storage import insert, now, reading, writing
from foureyes.github_app.tables import review_asked
from foureyes.shared import content
from foureyes.shared.asking import Requests, to_ask, worth_asking
from foureyes.shared.case import known
from foureyes.shared.evaluate import Judgement
from foureyes.shared.facts import Known
from foureyes.shared.people import Account

log = logging.getLogger(__name__)

PERMISSION = "pull_requests"
MOST_REFUSED = 5
"""People whom GitHub lets nobody ask, and that others are tried for in one look."""

NO_PERMISSION = "`request_reviewers` needs the App's permission `pull_requests: write`"


@dataclass(frozen=True)
class Asked:
    """`people` are the accounts whose review is asked for; `why_not` says why the App asks nobody."""

    people: frozenset[int] = frozenset()
    why_not: str = ""


def awaited(answer: PullAnswer) -> Asked:
    """Whose review is asked for now, by whomever; nobody where GitHub's list was not complete."""
    listed = answer.requested.value if isinstance(answer.requested, Known) else ()
    return Asked(frozenset(account.id for account in listed))


def declined(answer: PullAnswer) -> frozenset[int]:
    """Who took themself out of the requests, at any time."""
    events = answer.timeline.value if isinstance(answer.timeline, Known) else ()
    removed = [event for event in events if event.kind == "ReviewRequestRemovedEvent"]
    return frozenset(event.whom.id for event in removed if event.whom and event.whom == event.actor)


@dataclass(frozen=True)
class Asker:
    """For one pull request, as it was just judged."""

    engine: Engine
    client: InstallationClient
    answer: PullAnswer
    judgement: Judgement

    def ask(self) -> Asked:
        """Whose review is asked for, after whoever is missing was asked. Never raises but RetryLater: a verdict does
        not wait for a suggestion.
        """
        before = awaited(self.answer)
        if not worth_asking(self.judgement) or not isinstance(self.answer.requested, Known):
            return before
        try:
            if not self.client.may_write(PERMISSION):
                return Asked(before.people, NO_PERMISSION)
            return Asked(before.people | self._asked(before.people))
        except RetryLater:
            raise
        except GitHubError as error:
            log.warning("nobody could be asked for a review: %s", redact(error.why))
            return before

    def _asked(self, pending: frozenset[int]) -> frozenset[int]:
        """Those who could be asked. For somebody whom GitHub lets nobody ask, somebody else is."""
        requests = self._requests(pending)
        if not to_ask(self.judgement.case, requests):
            return frozenset()
        requests = replace(requests, load=_load(self.client, self.answer))
        for _attempt in range(MOST_REFUSED):
            chosen = to_ask(self.judgement.case, requests)
            refused = {account.id for account in chosen if not self._request(account, requests.seed)}
            asked = {account.id for account in chosen} - refused
            requests = replace(
                requests, pending=requests.pending | asked, declined=requests.declined | refused
            )
            if not refused:
                break
        return frozenset(requests.pending)

    def _requests(self, pending: frozenset[int]) -> Requests:
        judged = self.judgement.case
        stands_on = content.of(known(judged.facts.changes), judged.policy).change
        with reading(self.engine) as conn:
            asked, refused = _asked_before(conn, self.answer, stands_on)
        return Requests(pending, declined(self.answer) | refused, asked, seed=stands_on)

    def _request(self, account: Account, stands_on: str) -> bool:
        """False: GitHub lets nobody ask this account, such as one that is no collaborator."""
        pull = self.answer.pull
        path = f"/repos/{pull.repository.slug}/pulls/{pull.number}/requested_reviewers"
        refused = False
        try:
            self.client.post(path, {"reviewers": [account.login]})
        except GitHubError as error:
            if error.status != 422:
                raise
            refused = True
        with writing(self.engine) as conn:
            row = insert(conn, review_asked).values(
                repository_id=pull.repository.id, pull=pull.number, content=stands_on,
                account_id=account.id, asked_at=now(conn), refused=refused,
            )  # fmt: skip
            conn.execute(row.on_conflict_do_nothing())
        return not refused


def _asked_before(
    conn: Connection, answer: PullAnswer, stands_on: str
) -> tuple[frozenset[int], frozenset[int]]:
    """Account ids: asked for this content, and whom GitHub lets nobody ask."""
    where = (review_asked.c.repository_id == answer.pull.repository.id) & (
        review_asked.c.pull == answer.pull.number
    )
    rows = conn.execute(select(review_asked).where(where & (review_asked.c.content == stands_on))).all()
    refused = frozenset(row.account_id for row in rows if row.refused)
    return frozenset(row.account_id for row in rows) - refused, refused


def _load(client: InstallationClient, answer: PullAnswer) -> Counter[int]:
    """Account -> reviews asked of it in the other open pull requests of the repository that moved last."""
    repository = answer.pull.repository
    data = client.graphql(operation("Load"), {"owner": repository.owner, "name": repository.name})
    pulls = understood(lambda: there(data["repository"], "repository")["pullRequests"]["nodes"])
    others = [pull for pull in pulls if pull["number"] != answer.pull.number]
    return understood(lambda: Counter(_people(others)))


def _people(pulls: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    for pull in pulls:
        for node in pull["reviewRequests"]["nodes"]:
            who = node["requestedReviewer"]
            if who is not None and who["__typename"] == "User":
                yield int(who["databaseId"])
