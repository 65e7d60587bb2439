"""Who does not count, and why: a union over every identity signal, so that a forged claim can only add.

Also the unknown persons: whoever must be behind a commit, push or pull request and is not established.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from foureyes.shared.facts import CommitFacts, Involved, Person, Pull, Push, RecordState
from foureyes.shared.markup import code, short
from foureyes.shared.people import Account, Kind


@dataclass(frozen=True)
class Tie:
    """One reason for an exclusion. `role` completes "does not count: ..."; `subject` is the commit or head;
    `verified` False: only a claim says so, it is applied and flagged.
    """

    role: str
    subject: str = ""
    verified: bool = True


@dataclass(frozen=True)
class Excluded:
    account: Account
    ties: tuple[Tie, ...]

    @property
    def unverified(self) -> bool:
        """Nothing but claims ties this account to the change."""
        return not any(tie.verified for tie in self.ties)


@dataclass(frozen=True)
class UnknownPerson:
    """`key` tells unknown persons apart; `text` names what is not established; `next_step` how it can be."""

    key: str
    text: str
    next_step: str


def excluded(
    pull: Pull, commits: Iterable[CommitFacts], pushes: Iterable[Push], involved: Iterable[Involved]
) -> tuple[Excluded, ...]:
    """Every account tied to the change, strongest tie first, in order of id."""
    ties: dict[int, tuple[Account, list[Tie]]] = {}
    for account, tie in _ties(pull, tuple(commits), pushes, involved):
        known = ties.setdefault(account.id, (account, []))[1]
        if tie not in known:
            known.append(tie)
    return tuple(Excluded(account, tuple(found)) for _, (account, found) in sorted(ties.items()))


def _ties(
    pull: Pull, commits: tuple[CommitFacts, ...], pushes: Iterable[Push], involved: Iterable[Involved]
) -> Iterator[tuple[Account, Tie]]:
    for commit in commits:
        if not _adds_nobody(commit):
            yield from _commit_ties(commit)
    for push in pushes:
        if push.account and not (_only_merged_the_base(push, commits) or _only_landed(push, commits)):
            yield push.account, Tie("pusher", push.head)
    if pull.author:
        yield pull.author, Tie("pull request author")
    for someone in involved:
        yield someone.account, Tie(someone.role)


def _adds_nobody(commit: CommitFacts) -> bool:
    return commit.landed or commit.merges_base


def _only_merged_the_base(push: Push, commits: tuple[CommitFacts, ...]) -> bool:
    """*Update branch*: the push holds one mechanical merge of the gated base into the head it replaced."""
    for commit in commits:
        if commit.oid == push.head and commit.merges_base:
            return commit.by_github or commit.parents[:1] == (push.before,)
    return False


def _only_landed(push: Push, commits: Iterable[CommitFacts]) -> bool:
    """All that the pushed head holds of this change was let into a gated branch by a stored Pass: the push was the
    merge button.
    """
    by_oid = {commit.oid: commit for commit in commits}
    waiting, reached = [push.head], set[str]()
    while waiting:
        commit = by_oid.get(waiting.pop())
        if commit is not None and commit.oid not in reached:
            if not _adds_nobody(commit):
                return False
            reached.add(commit.oid)
            waiting += commit.parents
    return any(by_oid[oid].landed for oid in reached)


def _commit_ties(commit: CommitFacts) -> Iterator[tuple[Account, Tie]]:
    record = commit.record
    if record.operator:
        proved = record.state is RecordState.SIGNED and record.signer is not None
        own = proved and record.signer is not None and record.signer.account.id == record.operator.id
        yield record.operator, Tie("operator", commit.oid, verified=own)
    if record.signer:
        yield record.signer.account, Tie("signer of the record", commit.oid)
    if commit.signer:
        yield commit.signer, Tie("signer of the commit", commit.oid)
    if commit.author.account:
        yield commit.author.account, Tie("commit author", commit.oid, verified=False)
    if commit.committer.account:
        yield commit.committer.account, Tie("committer", commit.oid, verified=False)
    for person in commit.co_authors:
        if person.account:
            yield person.account, Tie("co-author", commit.oid, verified=False)


def unknown_people(
    pull: Pull, commits: Iterable[CommitFacts], pushes: Iterable[Push], involved: Iterable[Involved]
) -> tuple[UnknownPerson, ...]:
    """One for each unknown; the same bot behind pull request, push and commits hides one person, not three."""
    steered = any(someone.account.kind is Kind.USER for someone in involved)
    found: dict[str, UnknownPerson] = {}
    for person in _unknown(pull, commits, pushes, steered):
        found.setdefault(person.key, person)
    return tuple(found[key] for key in sorted(found))


def _unknown(
    pull: Pull, commits: Iterable[CommitFacts], pushes: Iterable[Push], steered: bool
) -> Iterator[UnknownPerson]:
    commits = tuple(commits)
    yield from _behind(pull.author, "opened this pull request", "pull request", steered)
    for push in _with_the_head(pull, tuple(pushes)):
        if _only_landed(push, commits):
            continue
        yield from _behind(push.account, f"pushed {short(push.head)}", f"push {push.head}", steered)
    for commit in commits:
        if not _adds_nobody(commit):
            yield from _behind_commit(commit)


def _with_the_head(pull: Pull, pushes: tuple[Push, ...]) -> tuple[Push, ...]:
    """Somebody pushed the head; if no push seen says who, nobody can say it is not one of the approvers."""
    if any(push.head == pull.head for push in pushes):
        return pushes
    return (*pushes, Push(pull.head, None))


def _behind(account: Account | None, did: str, key: str, steered: bool) -> Iterator[UnknownPerson]:
    if account is None:
        yield UnknownPerson(key, f"it is not known who {did}", "one more approval stands in for that person")
    elif account.kind is not Kind.USER and not steered:
        text = f"{account.handle} {did}; which person set it to work is not known"
        yield UnknownPerson(
            f"bot {account.id}", text, "assign the person who asked for it, or one more approval"
        )


def _behind_commit(commit: CommitFacts) -> Iterator[UnknownPerson]:
    """A signed record establishes who made the commit; without one, an address linked to no account hides someone."""
    people: tuple[Person, ...] = commit.co_authors
    if commit.record.state is not RecordState.SIGNED:
        committer = () if commit.by_github else (commit.committer,)
        people = (commit.author, *committer, *people)
    for person in people:
        if person.account is None and not person.agent:
            address = person.identity.email or person.identity.name or "an empty identity"
            text = f"{code(address)} in {short(commit.oid)} is linked to no GitHub account"
            yield UnknownPerson(
                f"address {address.casefold()}",
                text,
                "that person adds the address to their GitHub account, or one more approval",
            )
