"""Who stands behind each commit of the range: raw identities, GitHub's accounts, marks of agents, the record."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from foureyes.github_app.notes import UNREAD
from foureyes.github_app.pull_query import Actor, CommitPeople
from foureyes.github_app.range import RawCommit
from foureyes.github_app.records import Checked
from foureyes.shared.agent_mark import NOTE, UNNAMED, UNREAD_NOTE
from foureyes.shared.agent_marks import by_address
from foureyes.shared.agents import Catalogue
from foureyes.shared.exclusion import REVIEWED_BY_AGENT
from foureyes.shared.facts import AgentMark, CommitFacts, Involved, Person, Push, RecordFact
from foureyes.shared.people import Account, Identity, Kind
from foureyes.shared.trailers import CO_AUTHOR_KEYS, parse_trailers, provenance_ids

EARLIER_OPERATOR = "operator in an earlier record"
EARLIER_REVIEWER = f"{REVIEWED_BY_AGENT}, by an earlier record"

_ADDRESS = re.compile(r"<([^<>]*)>")
_NOREPLY = re.compile(r"(?P<id>\d+)\+(?P<login>[^@\s]+)@users\.noreply\.")


@dataclass(frozen=True)
class Names:
    """What is known about accounts at this moment: who has an address, who has a login."""

    by_email: dict[str, Account] = field(default_factory=dict)
    by_login: dict[str, Account] = field(default_factory=dict)

    def add(self, account: Account | None, email: str = "") -> None:
        if account is not None:
            self.by_login[account.login.casefold()] = account
            if email:
                self.by_email[email.casefold()] = account

    def find(self, claim: str) -> Account | None:
        """Of a login, with or without `@`, or an address."""
        wanted = claim.strip().casefold()
        return self.by_email.get(wanted) or self.by_login.get(wanted.removeprefix("@"))


def names_in(people: Iterable[CommitPeople], accounts: Iterable[Account | None]) -> Names:
    known = Names()
    for account in accounts:
        known.add(account)
    for commit in people:
        known.add(commit.signer)
        for actor in (commit.author, commit.committer, *commit.authors):
            known.add(actor.account, actor.identity.email)
    return known


@dataclass(frozen=True)
class Behind:
    """All that `build` needs besides the commit. `noted`: commit -> the agents that notes name; `pull_agent` is the
    agent that opened the pull request, "" for none; `landed` are the commits that a stored Pass let into a gated
    branch, `brought` those that no gated branch holds or that hold one which was not let in: who merges such a one
    brings along what is theirs to answer for.
    """

    catalogue: Catalogue
    names: Names
    noted: Mapping[str, tuple[str, ...]]
    pushes: tuple[Push, ...]
    pull_agent: str
    mechanical: frozenset[str]
    brought: frozenset[str]
    landed: frozenset[str]
    resolve: Callable[[str], Account | None]
    """An operator's login or address to an account. Raises GitHubError."""


def build(commit: RawCommit, people: CommitPeople, checked: Checked, behind: Behind) -> CommitFacts:
    mechanical = commit.oid in behind.mechanical
    fact = checked.fact
    operator = behind.resolve(fact.operator_claim) if fact.operator_claim else None
    named = tuple(replace(one, account=behind.resolve(one.claim)) for one in fact.named)
    return CommitFacts(
        oid=commit.oid,
        tree=commit.tree,
        parents=commit.parents,
        author=_person(commit.author, people.author, people, behind.catalogue),
        committer=_person(commit.committer, people.committer, people, behind.catalogue),
        co_authors=_co_authors(commit, people, behind),
        signer=people.signer,
        by_github=people.by_github,
        marks=_marks(commit, people, behind) or _denied(commit, fact),
        record=replace(fact, operator=operator, named=named),
        mechanical=mechanical,
        landed=commit.oid in behind.landed,
        merges_base=mechanical and len(commit.parents) == 2 and commit.parents[1] not in behind.brought,
    )


def named_earlier(
    checked: Mapping[str, Checked], resolve: Callable[[str], Account | None]
) -> tuple[Involved, ...]:
    """Whom only a vanished or replaced form of a record named."""
    everyone = dict.fromkeys(named for found in checked.values() for named in found.also)
    accounts = ((resolve(named.claim), named.role) for named in everyone)
    roles = {"operator": EARLIER_OPERATOR, "reviewer": EARLIER_REVIEWER}
    return tuple(Involved(account, roles[role]) for account, role in accounts if account is not None)


def agent_of(identity: Identity, catalogue: Catalogue) -> str:
    """The agent whose own address this is, "" for none. A name alone says nothing: people share names with products."""
    return by_address(catalogue, identity.email) or ""


def agent_account(account: Account | None, catalogue: Catalogue) -> str:
    return (catalogue.is_agent_account(account.id, account.login) or "") if account else ""


def _person(identity: Identity, actor: Actor, people: CommitPeople, catalogue: Catalogue) -> Person:
    account = actor.account or _bot_signed_by_github(identity, people)
    return Person(identity, account, agent_of(identity, catalogue) or agent_account(account, catalogue))


def _bot_signed_by_github(identity: Identity, people: CommitPeople) -> Account | None:
    """GitHub signs what a bot commits through its API, and then writes the bot as author itself."""
    found = _NOREPLY.match(identity.email.casefold())
    if people.by_github and found and found["login"].endswith("[bot]"):
        return Account(int(found["id"]), found["login"], Kind.BOT)
    return None


def _co_authors(commit: RawCommit, people: CommitPeople, behind: Behind) -> tuple[Person, ...]:
    """From the trailers, wherever they stand, and whoever else GitHub found; the author is not their own co-author."""
    accounts = {actor.identity.email.casefold(): actor.account for actor in people.authors}
    found: dict[str, Identity] = {}
    for trailer in parse_trailers(commit.message):
        # the address first: what looks for the name before it takes for ever on a long line without one
        written = _ADDRESS.search(trailer.value) if trailer.key.casefold() in CO_AUTHOR_KEYS else None
        if written:
            name = trailer.value[: written.start()].rpartition("<")[2]
            identity = Identity(name.strip(), written[1].strip())
            found.setdefault(identity.email.casefold(), identity)
    for actor in people.authors:
        found.setdefault(actor.identity.email.casefold(), actor.identity)
    found.pop(commit.author.email.casefold(), None)
    persons = []
    for email, identity in found.items():
        account = accounts.get(email) or behind.names.by_email.get(email)
        agent = agent_of(identity, behind.catalogue) or agent_account(account, behind.catalogue)
        persons.append(Person(identity, account, agent))
    return tuple(persons)


def _marks(commit: RawCommit, people: CommitPeople, behind: Behind) -> tuple[AgentMark, ...]:
    marks = dict.fromkeys(behind.catalogue.find_marks(commit.message, commit.author, commit.committer))
    marks |= dict.fromkeys(map(_noted, behind.noted.get(commit.oid, ())))
    for push in behind.pushes:
        agent = agent_account(push.account, behind.catalogue) if push.head == commit.oid else ""
        if agent:
            marks[AgentMark(agent, "bot", evidence=True)] = None
    named = {mark.agent for mark in marks} | {
        agent_account(actor.account, behind.catalogue) for actor in (people.author, people.committer)
    }
    if behind.pull_agent and behind.pull_agent in named:
        marks[AgentMark(behind.pull_agent, "bot", evidence=True)] = None
    return tuple(marks)


def _noted(agent: str) -> AgentMark:
    return AgentMark(UNNAMED, UNREAD_NOTE) if agent == UNREAD else AgentMark(agent, NOTE)


def _denied(commit: RawCommit, record: RecordFact) -> tuple[AgentMark, ...]:
    """The hooks write a Provenance-Id into agents' commits alone: a record that says human does not go with one."""
    says_human = record.says == "human" and bool(provenance_ids(commit.message))
    return (AgentMark(UNNAMED, "trailer"),) if says_human else ()
