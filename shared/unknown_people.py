"""The unknown persons: whoever must be behind a commit, push or pull request and is not established by evidence.

Each of them may be one of those who approve, so that each costs one approval more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from foureyes.shared.exclusion import adds_nobody, only_landed
from foureyes.shared.facts import CommitFacts, Involved, Person, Pull, Push, RecordState
from foureyes.shared.markup import code, short
from foureyes.shared.people import Account, Kind

SETTLING = frozenset({"assigner", "assignee"})
"""Roles that an object of GitHub's establishes, not a text. Whoever asks for a review is tied, and need not be the one
who set the bot to work.
"""

_BY_RECORD = {
    "operator": "operator of {} by its record",
    "reviewer": "as whom an agent reviewed by the record of {}",
}
_LINK = "that person adds the address to their GitHub account"


@dataclass(frozen=True)
class UnknownPerson:
    """`key` tells unknown persons apart; `text` names what is not established; `next_step` how it can be, "" where
    it cannot.
    """

    key: str
    text: str
    next_step: str = ""


def unknown_people(
    pull: Pull,
    commits: Iterable[CommitFacts],
    pushes: Iterable[Push],
    involved: Iterable[Involved],
    elsewhere: Iterable[Push] = (),
) -> tuple[UnknownPerson, ...]:
    """One for each unknown; the same bot behind pull request, push and commits hides one person, not three. `elsewhere`
    only adds.
    """
    commits, pushes = tuple(commits), tuple(pushes)
    settled = _settled_bot(pull, pushes, involved)
    found: dict[str, UnknownPerson] = {}
    for person in (*_unknown(pull, commits, pushes, settled), *_carried(commits, elsewhere, settled)):
        found.setdefault(person.key, person)
    return tuple(found[key] for key in sorted(found))


def _settled_bot(pull: Pull, pushes: tuple[Push, ...], involved: Iterable[Involved]) -> int | None:
    """The one bot behind which nobody is hidden: that of the pull request, or the first that pushed, where a person
    set it to work by what GitHub keeps as an object. What a comment or a record that is gone says settles nothing.
    """
    if not any(someone.account.kind is Kind.USER and someone.role in SETTLING for someone in involved):
        return None
    if pull.author is not None and pull.author.kind is Kind.BOT:
        return pull.author.id
    return min((p.account.id for p in pushes if p.account and p.account.kind is Kind.BOT), default=None)


def _unknown(
    pull: Pull, commits: Iterable[CommitFacts], pushes: tuple[Push, ...], settled: int | None
) -> Iterator[UnknownPerson]:
    commits = tuple(commits)
    yield from _behind(pull.author, "opened this pull request", "pull request", settled)
    for push in (*pushes, *_unseen(pull, commits, pushes)):
        if not only_landed(push, commits):
            yield from _behind(push.account, f"pushed {short(push.head)}", f"push {push.head}", settled)
    for commit in commits:
        if not adds_nobody(commit):
            yield from _behind_commit(commit)


def _carried(
    commits: tuple[CommitFacts, ...], elsewhere: Iterable[Push], settled: int | None
) -> Iterator[UnknownPerson]:
    """A bot's work that somebody took over from another branch: who set the bot to work there is not known here."""
    here = {commit.oid for commit in commits if not adds_nobody(commit)}
    for push in elsewhere:
        if push.account is not None and push.head in here:
            yield from _behind(push.account, f"pushed {short(push.head)} to another branch", "", settled)


def _unseen(pull: Pull, commits: tuple[CommitFacts, ...], pushes: tuple[Push, ...]) -> Iterator[Push]:
    """Somebody pushed the head, and each earlier head that a push replaced and that is part of this change; where no
    push seen names it, nobody can say it was not one of the approvers.
    """
    named = {push.head for push in pushes}
    here = {commit.oid for commit in commits}
    replaced = [push.before for push in pushes if push.before in here]
    for head in dict.fromkeys((pull.head, *replaced)):
        if head not in named:
            yield Push(head, None)


def _behind(account: Account | None, did: str, key: str, settled: int | None) -> Iterator[UnknownPerson]:
    if account is None:
        yield UnknownPerson(key, f"it is not known who {did}")
    elif account.kind is not Kind.USER and account.id != settled:
        text = f"{account.handle} {did}, and which person set it to work is not known"
        yield UnknownPerson(f"bot {account.id}", text, "somebody assigns the person who asked for it")


def _behind_commit(commit: CommitFacts) -> Iterator[UnknownPerson]:
    """A signed record that names an operator's account establishes who made the commit; without one, an address linked
    to no account hides someone, and so does an operator whom no account is known to be.
    """
    record = commit.record
    people: tuple[Person, ...] = commit.co_authors
    if record.state is not RecordState.SIGNED or record.operator is None:
        committer = () if commit.by_github else (commit.committer,)
        people = (commit.author, *committer, *people)
    for person in people:
        if person.account is None and not person.agent:
            yield _address(person.identity.email or person.identity.name or "an empty identity", commit)
    if record.operator is None and record.operator_claim:
        yield _claimed("operator", record.operator_claim, commit)
    for named in record.named:
        if named.account is None:
            yield _claimed(named.role, named.claim, commit)


def _claimed(role: str, claim: str, commit: CommitFacts) -> UnknownPerson:
    text = f"{code(claim)}, {_BY_RECORD[role].format(short(commit.oid))}, is no known GitHub account"
    return UnknownPerson(f"address {claim.casefold()}", text, _LINK)


def _address(address: str, commit: CommitFacts) -> UnknownPerson:
    return UnknownPerson(
        f"address {address.casefold()}",
        f"{code(address)} in {short(commit.oid)} is linked to no GitHub account",
        _LINK,
    )
