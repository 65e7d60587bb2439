"""Who does not count, and why: a union over every identity signal, so that a forged claim can only add."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from foureyes.shared.ancestry import held_by
from foureyes.shared.facts import CommitFacts, Involved, Pull, Push, RecordState
from foureyes.shared.people import Account

PUSHER = "pusher"
PUSHED_ELSEWHERE = "pusher to another branch"
REVIEWED_BY_AGENT = "an agent was seen to submit a review as this account"


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


def excluded(
    pull: Pull,
    commits: Iterable[CommitFacts],
    pushes: Iterable[Push],
    involved: Iterable[Involved],
    elsewhere: Iterable[Push] = (),
) -> tuple[Excluded, ...]:
    """Every account tied to the change, strongest tie first, in order of id. `elsewhere` only adds."""
    ties: dict[int, tuple[Account, list[Tie]]] = {}
    commits = tuple(commits)
    found = tuple(_ties(pull, commits, pushes, involved))
    pushers = {account.id for account, tie in found if tie.role == PUSHER}
    for account, tie in (*found, *_ties_elsewhere(commits, elsewhere, pushers)):
        known = ties.setdefault(account.id, (account, []))[1]
        if tie not in known:
            known.append(tie)
    return tuple(Excluded(account, tuple(known)) for _, (account, known) in sorted(ties.items()))


def _ties(
    pull: Pull, commits: tuple[CommitFacts, ...], pushes: Iterable[Push], involved: Iterable[Involved]
) -> Iterator[tuple[Account, Tie]]:
    for commit in commits:
        if not adds_nobody(commit):
            yield from _commit_ties(commit)
    pushes = tuple(pushes)
    for push in pushes:
        if push.account and not (_only_merged_the_base(push, pushes, commits) or only_landed(push, commits)):
            yield push.account, Tie(PUSHER, push.head)
    if pull.author:
        yield pull.author, Tie("pull request author")
    for someone in involved:
        yield someone.account, Tie(someone.role)


def _ties_elsewhere(
    commits: tuple[CommitFacts, ...], elsewhere: Iterable[Push], pushers: Collection[int]
) -> Iterator[tuple[Account, Tie]]:
    """Whose work somebody else may have carried here. Of those who pushed it here as well, that says enough."""
    landed = {commit.oid for commit in commits if commit.landed}
    for push in elsewhere:
        if push.account is None or push.account.id in pushers or push.head in landed:
            continue
        if not _only_merged_the_base(push, (), commits):
            yield push.account, Tie(PUSHED_ELSEWHERE, push.head)


def adds_nobody(commit: CommitFacts) -> bool:
    return commit.landed or commit.merges_base


def _only_merged_the_base(push: Push, pushes: tuple[Push, ...], commits: tuple[CommitFacts, ...]) -> bool:
    """*Update branch*: the push holds one mechanical merge of the gated base into the head it replaced. GitHub makes
    such merges on any branch, so one of GitHub's that brought its first parent along is a push like any other.
    """
    for commit in commits:
        if commit.oid == push.head and commit.merges_base:
            merged = commit.parents[0]
            if push.before:
                return push.before == merged
            return commit.by_github and any(other.head == merged for other in pushes)
    return False


def only_landed(push: Push, commits: Iterable[CommitFacts]) -> bool:
    """All that the pushed head holds of this change was let into a gated branch by a stored Pass: the push was the
    merge button.
    """
    held = held_by(push.head, commits)
    return all(map(adds_nobody, held)) and any(commit.landed for commit in held)


def _commit_ties(commit: CommitFacts) -> Iterator[tuple[Account, Tie]]:
    record = commit.record
    if record.operator:
        signer = record.signer.account if record.signer and record.state is RecordState.SIGNED else None
        own = signer is not None and signer.id == record.operator.id
        yield record.operator, Tie("operator", commit.oid, verified=own)
    for named in record.named:
        if named.account and named.role == "operator":
            yield named.account, Tie("operator", commit.oid, verified=False)
        elif named.account:
            yield named.account, Tie(REVIEWED_BY_AGENT, verified=False)
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
