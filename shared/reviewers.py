"""Who counts, and who does not and why. Only the latest opinionated review of each account speaks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from foureyes.shared.exclusion import Excluded
from foureyes.shared.facts import Review, ReviewState, Roster
from foureyes.shared.markup import short
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import Policy
from foureyes.shared.standing import Ground, why_stale


@dataclass(frozen=True)
class Refused:
    """An approval that does not count: `code` is stable, `why` completes "@olga does not count: ..."."""

    account: Account
    code: str
    why: str


@dataclass(frozen=True)
class Count:
    counted: tuple[Account, ...]
    """One account for each independent person, in order of their approval."""
    refused: tuple[Refused, ...]
    blocking: tuple[Account, ...]
    """Rostered people whose request for changes stands."""
    candidates: tuple[Account, ...]
    """Rostered people who could still approve and count."""
    also: tuple[Account, ...] = ()
    """Second accounts of those who are counted, whose approval stands as well."""


@dataclass(frozen=True)
class People:
    """The roster as persons: aliases are one person in every count."""

    rostered: Mapping[int, Account]
    machines: frozenset[int]
    person: Mapping[int, int] = field(default_factory=dict)
    """Account id -> id that stands for the person; an account that is not in it is its own person."""
    may_block: frozenset[int] = frozenset()
    """Persons whose request for changes stands: the roster, and under an organisation's floor those of either."""
    anybody_may_block: bool = False
    """A team of the roster cannot be seen any more: whoever asks for changes may have been one of it."""

    def blocks(self, account: Account) -> bool:
        anybody = self.anybody_may_block and account.kind is Kind.USER
        return anybody or self.same(account) in self.may_block

    def same(self, account: Account) -> int:
        return self.person.get(account.id, account.id)


def people(policy: Policy, roster: Roster) -> People:
    own = _named(policy.roster, roster)
    floor = own if policy.floor is None else _named(policy.floor.roster, roster)
    rostered = {id: account for id, account in own.items() if id in floor}
    machines = {id for login in policy.machine_users for id in roster.ids(f"@{login}")}
    person = _persons(policy, roster)
    names = policy.roster if policy.floor is None else (*policy.roster, *policy.floor.roster)
    gone = {name: roster.gone[name] for name in names if name in roster.gone}
    ids = own.keys() | floor.keys() | {id for name, id in gone.items() if "/" not in name}
    anybody = any("/" in name for name in gone)
    return People(rostered, frozenset(machines), person, frozenset(person.get(id, id) for id in ids), anybody)


def _named(names: Iterable[str], roster: Roster) -> dict[int, Account]:
    return {a.id: a for name in names for a in roster.members.get(name, ()) if a.kind is Kind.USER}


def _persons(policy: Policy, roster: Roster) -> dict[int, int]:
    """Union-find over the alias groups: chains of aliases are one person, in whatever order they are written."""
    leader: dict[int, int] = {}

    def find(node: int) -> int:
        while leader.get(node, node) != node:
            node = leader[node]
        return node

    for login, others in policy.aliases.items():
        ids = sorted(id for name in (login, *others) for id in roster.ids(f"@{name}"))
        for other in ids[1:]:
            first, second = sorted((find(ids[0]), find(other)))
            leader[second] = first
    return {node: find(node) for node in leader}


@dataclass(frozen=True)
class _Voice:
    """What one account says now: its newest review, and the approvals given since it last said anything else."""

    account: Account
    newest: Review
    approvals: tuple[Review, ...]


def count(reviews: Iterable[Review], group: People, tied: Iterable[Excluded], ground: Ground) -> Count:
    voices = _voices(reviews)
    out = {group.same(e.account): e for e in tied}
    blocking = tuple(v.account for v in voices if _blocks(v.account, v.newest, group, out))
    blocked = {group.same(account) for account in blocking}
    counted: dict[int, Account] = {}
    also, refused = [], []
    for voice in voices:
        if not voice.approvals:
            continue
        person = group.same(voice.account)
        refusal = _refusal(voice, group, out, ground)
        if (
            refusal is None
            and (refusal := _twice(voice.account, person, blocked, counted))
            and person in counted
        ):
            also.append(voice.account)
        if refusal:
            refused.append(refusal)
        else:
            counted[person] = voice.account
    left = _candidates(group, out, counted, blocked)
    return Count(tuple(counted.values()), tuple(refused), blocking, left, tuple(also))


def _voices(reviews: Iterable[Review]) -> tuple[_Voice, ...]:
    """By time of the newest review. A dismissed review ends the approvals before it: dismissing a request for changes
    resurrects nothing. An approval of other content does not take back an earlier one.
    """
    by_account: dict[int, tuple[Account, list[Review]]] = {}
    for review in sorted(reviews, key=lambda r: (r.submitted_at, r.id)):
        if review.account:
            by_account.setdefault(review.account.id, (review.account, []))[1].append(review)
    voices = []
    for account, said in by_account.values():
        approvals: list[Review] = []
        for review in said:
            approvals = [*approvals, review] if review.state is ReviewState.APPROVED else []
        voices.append(_Voice(account, said[-1], tuple(approvals)))
    return tuple(sorted(voices, key=lambda v: (v.newest.submitted_at, v.newest.id)))


def _twice(
    account: Account, person: int, blocked: set[int], counted: Mapping[int, Account]
) -> Refused | None:
    if person in blocked:
        return Refused(account, "same-person", "another account of this person asks for changes")
    if person in counted:
        why = f"the same person as {counted[person].handle}; one person counts once"
        return Refused(account, "same-person", why)
    return None


def _blocks(account: Account, review: Review, group: People, out: Mapping[int, Excluded]) -> bool:
    """A rostered person's request for changes stands until they lift it, or another rostered person who is not
    excluded dismisses it.
    """
    if not group.blocks(account):
        return False
    if review.state is ReviewState.CHANGES_REQUESTED:
        return True
    if review.state is ReviewState.DISMISSED and review.dismissed_state is not ReviewState.APPROVED:
        return not _may_dismiss(account, review.dismissed_by, group, out)
    return False


def _may_dismiss(owner: Account, by: Account | None, group: People, out: Mapping[int, Excluded]) -> bool:
    if by is None:
        return False
    if by.id == owner.id:
        return True
    return by.id in group.rostered and by.id not in group.machines and group.same(by) not in out


def _refusal(voice: _Voice, group: People, out: Mapping[int, Excluded], ground: Ground) -> Refused | None:
    """The first reason, most telling first; None: this person's approval counts."""
    account = voice.account
    tied = out.get(group.same(account))
    if tied:
        return Refused(account, "excluded", tie_text(tied))
    if account.kind is not Kind.USER:
        return Refused(account, "not-a-person", "not a person's account")
    if account.id in group.machines:
        return Refused(account, "machine-user", "listed as a machine user in the policy")
    if account.id not in group.rostered:
        return Refused(account, "not-rostered", "not on the roster of the policy")
    if not voice.newest.can_push:
        return Refused(account, "no-write-access", "no write access to this repository now")
    stale = [why_stale(review, ground) for review in voice.approvals]
    return None if "" in stale else Refused(account, "other-content", stale[-1])


def tie_text(tied: Excluded) -> str:
    """`operator of a1b2c3d and 2 more; pull request author`."""
    parts: dict[str, list[str]] = {}
    for tie in tied.ties:
        parts.setdefault(tie.role, []).append(tie.subject)
    texts = []
    for role, subjects in parts.items():
        more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        texts.append(f"{role} of {short(subjects[0])}{more}" if subjects[0] else role)
    flag = "; only the commit says so, nobody verified it" if tied.unverified else ""
    return "; ".join(texts) + flag


def _candidates(
    group: People, out: Mapping[int, Excluded], counted: Mapping[int, Account], blocked: set[int]
) -> tuple[Account, ...]:
    """One account for each rostered person who is neither excluded nor counted, by login."""
    persons: dict[int, Account] = {}
    for account in sorted(group.rostered.values(), key=lambda a: (a.login.casefold(), a.id)):
        person = group.same(account)
        if account.id in group.machines or person in out or person in counted or person in blocked:
            continue
        persons.setdefault(person, account)
    return tuple(persons.values())
