"""Who set a bot to work on a pull request: assigners, requesters, and who mentioned it by its handle.

Comments and reviews are read only where a bot took part. They can only add a person: what was seen once is kept,
whatever is edited or deleted later.
"""

import re
from collections.abc import Iterable

from sqlalchemy import Connection

from foureyes.github_app import decisions
from foureyes.github_app.client import InstallationClient
from foureyes.github_app.comments import ask_comments, ask_remarks
from foureyes.github_app.pull_query import PullAnswer
from foureyes.shared.agents import Catalogue
from foureyes.shared.facts import Fact, Involved, Known, Unknown
from foureyes.shared.people import Account, Kind

PROMPTER = "prompter"

_MENTION = re.compile(r"(?<![\w@/.-])@([A-Za-z0-9][A-Za-z0-9-]*)")


def in_timeline(answer: PullAnswer, *, by_bot: bool) -> Fact[tuple[Involved, ...]]:
    """Where no bot took part, assignments and requests tie nobody to the change."""
    if isinstance(answer.timeline, Unknown):
        return answer.timeline
    if isinstance(answer.assignees, Unknown):
        return answer.assignees
    found: list[Involved] = []
    for event in answer.timeline.value:
        if event.kind == "AssignedEvent" and (by_bot or event.whose == "Bot"):
            found += _person(event.actor, "assigner")
        elif by_bot and event.kind == "ReviewRequestedEvent":
            found += _person(event.actor, "requester")
    if by_bot:
        for assignee in answer.assignees.value:
            found += _person(assignee, "assignee")
    return Known(tuple(dict.fromkeys(found)))


def by_mention(
    client: InstallationClient, answer: PullAnswer, bots: Iterable[Account], catalogue: Catalogue
) -> tuple[Involved, ...]:
    """People who wrote one of the bots' handles in a comment or a review. Raises GitHubError."""
    handles = {handle for bot in bots for handle in _handles(bot, catalogue)}
    found: list[Involved] = []
    where = (client, answer.pull.repository.slug, answer.pull.number)
    for said in (*ask_comments(*where), *ask_remarks(*where)):
        mentioned = {name.casefold() for name in _MENTION.findall(said.text)}
        if mentioned & handles:
            found += _person(said.author, PROMPTER)
    return tuple(dict.fromkeys(found))


def seen_before(conn: Connection, repository_id: int, number: int) -> tuple[Involved, ...]:
    """Those that the newest decision names for which they could be read: it names also those of the ones before it."""
    return decisions.newest_known(conn, repository_id, number, lambda facts: facts.involved)


def _handles(bot: Account, catalogue: Catalogue) -> set[str]:
    """Its login with and without `[bot]`, and the agent's own name where it is one of the catalogue's."""
    plain = bot.login.casefold().removesuffix("[bot]")
    agent = catalogue.is_agent_account(bot.id, bot.login) or ""
    words = {plain, agent, agent.partition("-")[0]}
    return {word for word in words if word}


def _person(account: Account | None, role: str) -> list[Involved]:
    return [Involved(account, role)] if account is not None and account.kind is Kind.USER else []
