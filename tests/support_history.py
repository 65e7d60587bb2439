"""A pull request's history with its people, as it happens; what the App would know of it; and what ought to follow.

`History.may_pass` is written from the definitions (design, sections 1, 2 and 5) over what happened. It looks at no
facts and shares no code with rules, reviewers, exclusion or evaluation.
"""

from dataclasses import dataclass, field, replace

from support_facts import BASE, CLAUDE, POLICY, PULL, change, facts, person, record, unrecorded

from foureyes.shared.content import of
from foureyes.shared.facts import (
    Change,
    CommitFacts,
    Known,
    Move,
    MoveKind,
    Person,
    Pull,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Review,
    ReviewState,
    Roster,
    Signer,
    Witness,
)
from foureyes.shared.people import Account
from foureyes.shared.policy import DEFAULT_TIERS, Policy

PEOPLE = {n: Account(n, f"p{n}") for n in range(1, 9)}
NOBODY = 0
"""Of a push: not seen. Of a commit: an address that no account has."""
ALIAS = {8: 7}
"""p8 is p7's other account."""


def policy(stale: str) -> Policy:
    tiers = {n: t.model_copy(update={"stale": stale}) for n, t in DEFAULT_TIERS.items()}
    return POLICY.model_copy(update={"tiers": tiers, "aliases": {"p7": ("p8",)}})


def same_person(number: int) -> int:
    return ALIAS.get(number, number)


@dataclass
class Commit:
    oid: str
    author: int
    co_author: int | None = None
    operator: int | None = None
    """Of a record; `signed` by that operator or not at all."""
    signed: bool = False
    is_update: bool = False
    """GitHub's own merge of the gated base."""
    parent: str = ""


@dataclass
class Opinion:
    number: int
    who: int
    state: str
    at: int
    head: str
    base: str
    content: tuple[int, int]
    witnessed: bool
    shown_on: str
    """The commit that GitHub names now."""
    dismissed_by: int | None = None
    was: str = ""


@dataclass
class History:
    stale: str
    author: int
    clock: int = 0
    made: int = 0
    base: str = "main"
    content: tuple[int, int] = (1, 1)
    """Versions of a protected and of an unprotected file."""
    commits: list[Commit] = field(default_factory=list)
    pushes: list[tuple[str, int, str]] = field(default_factory=list)
    """(head, who, before)"""
    opinions: list[Opinion] = field(default_factory=list)
    moves: list[tuple[MoveKind, int]] = field(default_factory=list)
    team: set[int] = field(default_factory=lambda: {1, 2, 3, 4, 5, 7, 8})
    writers: set[int] = field(default_factory=lambda: set(PEOPLE))

    # what happens

    @property
    def head(self) -> str:
        return self.commits[-1].oid

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def oid(self) -> str:
        self.made += 1
        return f"{self.made:040x}"

    def push(self, who: int, commit: Commit, content: tuple[int, int]) -> None:
        before = self.head if self.commits else ""
        commit.parent = before
        self.commits.append(commit)
        self.content = content
        self.tick()
        self.pushes.append((self.head, who, before))

    def force_push(self, who: int, commit: Commit, content: tuple[int, int]) -> None:
        before, self.commits = self.head, [commit]
        self.content = content
        self.pushes.append((self.head, who, before))
        self._head_was_forced()

    def rebase(self, who: int) -> None:
        """The same content in new commits, whose records nobody has published."""
        before = self.head
        kept = [c for c in self.commits if not c.is_update]
        self.commits = [Commit(self.oid(), c.author, c.co_author) for c in kept]
        self.pushes.append((self.head, who, before))
        self._head_was_forced()

    def _head_was_forced(self) -> None:
        """GitHub may show a review on the new head."""
        self.moves.append((MoveKind.FORCE_PUSHED, self.tick()))
        for opinion in self.opinions:
            opinion.shown_on = self.head

    def update_branch(self, who: int) -> None:
        before = self.head
        self.commits.append(Commit(self.oid(), who, is_update=True, parent=before))
        self.tick()
        self.pushes.append((self.head, who, before))

    def retarget(self) -> None:
        self.base = "release" if self.base == "main" else "main"
        self.moves.append((MoveKind.BASE_CHANGED, self.tick()))

    def say(self, who: int, state: str, *, witnessed: bool) -> None:
        at = self.tick()
        self.opinions.append(
            Opinion(at, who, state, at, self.head, self.base, self.content, witnessed, self.head)
        )

    def dismiss(self, opinion: Opinion, by: int) -> None:
        if opinion.state != "DISMISSED":
            opinion.was, opinion.state, opinion.dismissed_by = opinion.state, "DISMISSED", by

    # what ought to follow

    def may_pass(self) -> bool:
        tied = {same_person(who) for who in self.tied()}
        if any(self.blocks(who, tied) for who in self.team):
            return False
        agreed = {same_person(who) for who in self.team if self.agrees(who)} - tied
        return len(agreed) >= 2 + self.hidden_people()

    def tied(self) -> set[int]:
        found = {self.author}
        for commit in self.commits:
            if not commit.is_update:
                found |= {commit.author, commit.co_author or NOBODY, commit.operator or NOBODY}
        updates = {commit.oid for commit in self.commits if commit.is_update}
        found |= {who for head, who, _before in self.pushes if head not in updates}
        return found - {NOBODY}

    def hidden_people(self) -> int:
        """One for each push that nobody saw, and one for the address that belongs to nobody, unless its commit has a
        signed record.
        """
        unseen = {head for head, who, _before in self.pushes if who == NOBODY}
        unlinked = any(
            NOBODY in (c.author if not c.signed else 1, c.co_author) for c in self.commits if not c.is_update
        )
        return len(unseen) + unlinked

    def last_of(self, who: int) -> Opinion | None:
        mine = [opinion for opinion in self.opinions if opinion.who == who]
        return mine[-1] if mine else None

    def blocks(self, who: int, tied: set[int]) -> bool:
        last = self.last_of(who)
        if last is None or last.state == "APPROVED" or last.was == "APPROVED":
            return False
        if last.state == "CHANGES_REQUESTED":
            return True
        by = last.dismissed_by
        return not (by == who or (by in self.team and same_person(by) not in tied))

    def agrees(self, who: int) -> bool:
        last = self.last_of(who)
        if last is None or last.state != "APPROVED" or who not in self.writers:
            return False
        since = []
        for opinion in self.opinions:
            if opinion.who == who:
                since = [*since, opinion] if opinion.state == "APPROVED" else []
        return any(map(self.stands, since))

    def stands(self, opinion: Opinion) -> bool:
        if not opinion.witnessed:
            return opinion.shown_on == self.head and all(at < opinion.at for _kind, at in self.moves)
        if opinion.base != self.base or opinion.content[0] != self.content[0]:
            return False
        if self.stale == "protected":
            return True
        if opinion.content[1] != self.content[1]:
            return False
        return self.stale == "change" or opinion.head in self.heads_that_are_the_same()

    def heads_that_are_the_same(self) -> set[str]:
        """The head, and what it was before GitHub merged the base into it."""
        heads = {self.head}
        for commit in reversed(self.commits):
            if not commit.is_update:
                break
            heads.add(commit.parent)
        return heads

    # what the App knows

    def facts(self) -> PullFacts:
        changes = _changes(self.content)
        return facts(
            pull=_pull(self),
            changes=changes,
            commits=tuple(_commit(commit) for commit in reversed(self.commits)),
            pushes=tuple(Push(head, PEOPLE.get(who), before) for head, who, before in self.pushes),
            reviews=tuple(self._review(opinion) for opinion in self.opinions),
            moves=tuple(Move(kind, _time(at)) for kind, at in self.moves),
            roster=Roster(
                {
                    "@acme/reviewers": tuple(PEOPLE[n] for n in sorted(self.team)),
                    "@p7": (PEOPLE[7],),
                    "@p8": (PEOPLE[8],),
                }
            ),
        )

    def _review(self, opinion: Opinion) -> Review:
        seen = Known(of(_changes(opinion.content), policy(self.stale)))
        return Review(
            id=opinion.number,
            account=PEOPLE[opinion.who],
            state=ReviewState(opinion.state),
            commit=opinion.shown_on,
            submitted_at=_time(opinion.at),
            can_push=opinion.who in self.writers,
            witness=Witness(opinion.head, opinion.base, seen) if opinion.witnessed else None,
            dismissed_by=PEOPLE.get(opinion.dismissed_by or NOBODY),
            dismissed_state=ReviewState(opinion.was) if opinion.was else None,
        )


def _pull(history: History) -> Pull:
    author = PEOPLE[history.author]
    return replace(PULL, author=author, head=history.head, base=BASE, base_ref=history.base)


def _changes(content: tuple[int, int]) -> tuple[Change, ...]:
    protected, free = content
    return (
        change("infra/main.tf", new_blob=f"{protected:040x}"),
        change("free.txt", new_blob=f"{free:040x}"),
    )


def _who(number: int) -> Person:
    account = PEOPLE.get(number)
    return person(account) if account else person(None, "who@laptop")


def _commit(commit: Commit) -> CommitFacts:
    who = _who(commit.author)
    if commit.is_update:
        return unrecorded(
            commit.oid, parents=(commit.parent, BASE), author=who, committer=who, mechanical=True,
            merges_base=True, by_github=True,
        )  # fmt: skip
    co_authors = () if commit.co_author is None else (_who(commit.co_author),)
    made = unrecorded(
        commit.oid, parents=(commit.parent or BASE,), author=who, committer=who, co_authors=co_authors
    )
    return replace(made, record=_record(commit))


def _record(commit: Commit) -> RecordFact:
    if commit.operator is None:
        return RecordFact(RecordState.MISSING)
    operator = PEOPLE[commit.operator]
    if not commit.signed:
        return RecordFact(RecordState.UNSIGNED, "", "ai", (CLAUDE,), operator, operator.login)
    signer = Signer(operator, "SHA256:x", "ssh-ed25519", None, present=False)
    return record(operator=operator, signer=signer)


def _time(at: int) -> str:
    return f"2026-11-21T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z"
