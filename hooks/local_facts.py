"""A pull request that does not exist yet, as facts: what this repository knows, and what only GitHub could tell.

Nothing is guessed: who is in a team, whose address stands in a commit and which keys GitHub publishes is not known
here, and each is told in `LocalFacts.notes`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from foureyes.hooks import keys
from foureyes.hooks.build import Builder, build
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.commits import Commit, read_commits
from foureyes.hooks.journal import seen_commits
from foureyes.hooks.keys import SigningKey
from foureyes.hooks.local_merge import merge, read_steps
from foureyes.hooks.published import published_versions
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_records
from foureyes.shared.agent_marks import by_address
from foureyes.shared.facts import (
    CommitFacts,
    Known,
    Person,
    Pull,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Repository,
    Roster,
    Signer,
)
from foureyes.shared.markup import both, code, count
from foureyes.shared.people import Account, Identity, Kind
from foureyes.shared.policy import Policy
from foureyes.shared.policy_people import names
from foureyes.shared.record import record_bytes
from foureyes.shared.record_check import check_record
from foureyes.shared.trailers import CO_AUTHOR_KEYS, parse_trailers

_NO_REPLY = re.compile(r"(?:[0-9]+\+)?([^@+]+)@users\.noreply\.[^@]+")
_CO_AUTHOR = re.compile(r"([^<]*)<([^<>]*)>")
_WEB_FLOW = "noreply@github.com"
"""The committer of what is made with GitHub's own buttons."""
_MOST_IN_TEAM = 30
"""More than any tier can ask for, unknown persons included, where a team's members are not known."""


@dataclass(frozen=True)
class Planned:
    """The pull request: commits that `head` has and `base` lacks, into the branch `base_ref`, by the login `me`."""

    base: str
    head: str
    base_ref: str
    head_ref: str
    me: str


@dataclass(frozen=True)
class LocalFacts:
    """`facts` has as many stand-ins for each team as could be asked for; `shown` has one, to be named once. A login
    with a slash in it is such a team.
    """

    facts: PullFacts
    shown: PullFacts
    notes: tuple[str, ...]


@dataclass
class _People:
    """Accounts by login; ids are only compared, so any will do. `unknown` are addresses that no login is known for."""

    me: str
    my_email: str
    by_login: dict[str, Account] = field(default_factory=dict)
    unknown: dict[str, Account] = field(default_factory=dict)

    def login(self, login: str) -> Account:
        kind = Kind.BOT if login.endswith("[bot]") else Kind.USER
        return self.by_login.setdefault(login.casefold(), Account(len(self.by_login) + 1, login, kind))

    def behind(self, identity: Identity) -> Person:
        email = identity.email.casefold()
        agent = by_address(catalogue(), identity.email) or ""
        if email and email == self.my_email.casefold():
            return Person(identity, self.login(self.me), agent)
        if named := _NO_REPLY.fullmatch(email):
            return Person(identity, self.login(named[1]), agent)
        if agent:
            return Person(identity, None, agent)
        if email == _WEB_FLOW:
            return Person(identity, Account(0, "GitHub", Kind.ORGANIZATION))
        # Neither a person who counts nor an unknown one: GitHub may well know the account.
        stand_in = Account(-len(self.unknown) - 1, identity.email or identity.name, Kind.MANNEQUIN)
        return Person(identity, self.unknown.setdefault(email, stand_in))


def read_facts(
    repo: Repo, planned: Planned, builder: Builder, policy: Policy, at: str, floor: str = ""
) -> LocalFacts:
    """`policy` is the ruling one, `floor` the text of the organisation's that it was combined with. `at`: RFC 3339,
    now. Raises UserError if the commits cannot be read.
    """
    listed = repo.git("rev-list", planned.head, f"^{planned.base}").decode("ascii").split()
    commits = read_commits(repo, listed)
    ordered = [commits[oid] for oid in listed]
    parents = {parent for commit in ordered for parent in commit.parents} - set(commits)
    trees = {oid: commit.tree for oid, commit in (commits | read_commits(repo, parents)).items()}
    steps = read_steps(repo, ordered, trees)
    merged = merge(repo, planned.base, planned.head)
    people = _People(planned.me, builder.email)
    me = people.login(planned.me)
    written = [commit for commit in ordered if commit.oid not in steps.mechanical]
    records = _Records(repo, written, builder, people, me)
    host, _, slug = builder.repository.partition("/")
    owner, _, name = (slug or host or "here").rpartition("/")
    head = Pull(
        Repository(0, owner, name), 0, True, False, me, planned.head, planned.head_ref, planned.base,
        planned.base_ref, at,
    )  # fmt: skip
    facts = PullFacts(
        pull=head,
        at=at,
        merge=merged.merge,
        changes=merged.changes,
        touched=Known(steps.touched),
        hidden=merged.hidden,
        commits=Known(tuple(_commit(c, people, records, steps.mechanical, set(commits)) for c in ordered)),
        pushes=Known((Push(planned.head, me),)),
        reviews=Known(()),
        moves=Known(()),
        involved=Known(()),
        roster=Known(_roster(policy, people, _MOST_IN_TEAM)),
        floor=Known(floor),
        held=merged.held,
    )
    shown = replace(facts, roster=Known(_roster(policy, people, 1)))
    return LocalFacts(facts, shown, tuple(_notes(policy, people, records)))


def _commit(
    commit: Commit, people: _People, records: "_Records", mechanical: Iterable[str], here: set[str]
) -> CommitFacts:
    clean = commit.oid in mechanical
    return CommitFacts(
        oid=commit.oid,
        tree=commit.tree,
        parents=commit.parents,
        author=people.behind(commit.author),
        committer=people.behind(commit.committer),
        co_authors=tuple(map(people.behind, _co_authors(commit))),
        marks=catalogue().find_marks(commit.message, commit.author, commit.committer),
        record=records.of(commit),
        mechanical=clean,
        merges_base=clean and len(commit.parents) == 2 and commit.parents[1] not in here,
    )


def _co_authors(commit: Commit) -> Iterator[Identity]:
    for trailer in parse_trailers(commit.message):
        found = _CO_AUTHOR.search(trailer.value) if trailer.key.casefold() in CO_AUTHOR_KEYS else None
        if found and found[2].strip().casefold() != commit.author.email.casefold():
            yield Identity(found[1].strip(), found[2].strip())


class _Records:
    """The records that the next push would publish, and those of others as far as they are in sight."""

    def __init__(
        self, repo: Repo, commits: list[Commit], builder: Builder, people: _People, me: Account
    ) -> None:
        self._people, self._me = people, me
        self.key: SigningKey | None = keys.find(repo)
        oids = [commit.oid for commit in commits]
        self._own: dict[str, bytes] = read_records(repo, oids)
        missing = [oid for oid in oids if oid not in self._own]
        mine = [*_on_no_remote(repo, missing), *seen_commits(repo, set(missing))] if missing else []
        built = build(repo, dict.fromkeys(mine), builder) if mine else {}
        self._own |= {oid: record_bytes(record) for oid, record in built.items()}
        foreign = [oid for oid in missing if oid not in self._own]
        self._others = {oid: found[0] for oid, found in published_versions(repo, foreign).items()}
        self.foreign = len(foreign)
        self.says_human = False

    def of(self, commit: Commit) -> RecordFact:
        own = self._own.get(commit.oid)
        record = own or self._others.get(commit.oid)
        fact = check_record(record, (), commit.oid, commit.tree, ())
        named = tuple(replace(one, account=self._operator(one.claim)) for one in fact.named)
        fact = replace(fact, operator=self._operator(fact.operator_claim), named=named)
        if own is None or self.key is None or fact.state is not RecordState.UNSIGNED:
            return fact
        self.says_human = self.says_human or fact.says == "human"
        signer = Signer(self._me, self.key.fingerprint, self.key.kind, None, present=self.key.needs_touch)
        agents = tuple(replace(mark, evidence=True) for mark in fact.agents)
        return replace(fact, state=RecordState.SIGNED, why="", agents=agents, signer=signer)

    def _operator(self, claim: str) -> Account | None:
        claim = claim.removeprefix("@")
        if not claim:
            return None
        return self._people.behind(Identity("", claim)).account if "@" in claim else self._people.login(claim)


def _on_no_remote(repo: Repo, commits: list[str]) -> list[str]:
    asked = "".join(f"{oid}\n" for oid in commits).encode()
    new = set(
        repo.git("rev-list", "--ignore-missing", "--stdin", "--not", "--remotes", input=asked)
        .decode("ascii")
        .split()
    )
    return [oid for oid in commits if oid in new]


def _roster(policy: Policy, people: _People, in_team: int) -> Roster:
    return Roster({name: tuple(_members(name, people, in_team)) for name in names(policy)})


def _members(name: str, people: _People, in_team: int) -> Iterator[Account]:
    name = name.removeprefix("@")
    if "/" not in name:
        yield people.login(name)
        return
    for number in range(in_team):
        stand_in = people.login(f"{name}/{number}")
        yield Account(stand_in.id, name)


def _notes(policy: Policy, people: _People, records: _Records) -> Iterator[str]:
    rosters = (*policy.roster, *(policy.floor.roster if policy.floor else ()))
    teams = sorted({name for name in rosters if "/" in name})
    if teams:
        yield f"who is in {both(teams)}, and whether you are one of the people who count there"
    if people.unknown:
        who = both([code(account.login) for account in people.unknown.values()])
        yield f"whose address {who} is: whoever it is does not count, and one of nobody's asks for one more human"
    if records.key is not None:
        yield f"whether GitHub publishes your key {records.key.shown}: it is taken for granted that the push is signed"
    if records.says_human:
        yield (
            "since when it is published: commits without an agent ask for fewer people only if the key is older "
            "than 7 days and was touched"
        )
    if records.foreign:
        yield f"what signed records say of {count(records.foreign, 'commit')} that others pushed"
