"""What is known about one pull request when it is judged: the only input to evaluation besides the policy.

Every part that has to be fetched is `Known(value)` or `Unknown(why)`; nothing is ever guessed. `held` alone is only
told and never judged by: where it is not known, it is not said. Title, body and comments are not here at all, so they
cannot change a verdict. All values are frozen and serialise to JSON (`dump`, `load`), so that a decision can be
replayed from what was stored.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from foureyes.shared.agent_mark import AgentMark as AgentMark
from foureyes.shared.change import Change as Change
from foureyes.shared.people import Account, Identity

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T", covariant=True)


@dataclass(frozen=True)
class Known(Generic[T]):
    value: T


@dataclass(frozen=True)
class Unknown:
    """`why` completes "could not be read: ..." for a person."""

    why: str


Fact: TypeAlias = Known[T] | Unknown


@dataclass(frozen=True)
class Repository:
    id: int
    owner: str
    name: str

    @property
    def slug(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True)
class Pull:
    """The pull request itself. `head` and `base` are commit ids as GitHub answered them in one snapshot."""

    repository: Repository
    number: int
    is_open: bool
    draft: bool
    author: Account | None
    """None: GitHub names no account (deleted)."""
    head: str
    head_ref: str
    base: str
    base_ref: str
    created_at: str = ""
    """RFC 3339; empty where GitHub did not say, which grants nothing."""


class MergeState(StrEnum):
    CLEAN = "clean"
    CONFLICT = "conflict"
    UNRELATED = "unrelated"


@dataclass(frozen=True)
class Merge:
    """Our own test merge of head into the base tip.

    `github_tree` is the tree of GitHub's merge ref where that has exactly the parents (base, head), else None.
    """

    state: MergeState
    tree: str | None = None
    github_tree: str | None = None


@dataclass(frozen=True)
class Held:
    """How many files lie below a directory, with a slash at its end ("" for the top), before the change."""

    directory: str
    files: int


@dataclass(frozen=True)
class Touch:
    """A path that one single commit of the range changes: it was deployable. Against its first parent, a merge
    against the automatic merge of its parents.
    """

    path: str
    commit: str
    old_mode: str = "100644"
    new_mode: str = "100644"
    new_blob: str = ""
    """What it leaves there; empty where that is not known."""


class RecordState(StrEnum):
    """What was found for one commit in the record refs."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    """Not our format, or a version that this evaluator does not know."""
    MISMATCH = "mismatch"
    """It names another commit or another tree."""
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad signature"
    """Wrong namespace, key not published by an account concerned, digest not in the signed list, ..."""
    SIGNED = "signed"


@dataclass(frozen=True)
class Signer:
    """Who signed the push that a record came with, as verified against the keys that GitHub publishes."""

    account: Account
    key: str
    """Fingerprint, `SHA256:...`."""
    key_kind: str
    """`ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, ..."""
    published_at: str | None
    """RFC 3339 time at which the key was added to the account; None where GitHub does not say."""
    present: bool
    """The signature proves a touch: an `sk-` key with the user-presence flag."""


@dataclass(frozen=True)
class Named:
    """Somebody whom a record names besides its first operator: a claim, which can only exclude. `role` is `operator`
    or `reviewer`: an agent was seen to submit a review as that account. `account` None: no account is known.
    """

    role: str
    claim: str
    account: Account | None = None


@dataclass(frozen=True)
class RecordFact:
    """What a commit's record says, reduced to what the gate uses. Only `state` and the signature are facts of ours;
    the rest is what the record claims, worth as much as its signature.
    """

    state: RecordState
    why: str = ""
    says: str = ""
    """`ai`, `human` or `` (no class)."""
    agents: tuple[AgentMark, ...] = ()
    operator: Account | None = None
    """The account that the record's operator was resolved to; None if it names none or an unknown one."""
    operator_claim: str = ""
    """As written: a login or an address."""
    signer: Signer | None = None
    named: tuple[Named, ...] = ()


@dataclass(frozen=True)
class Person:
    """A git identity and the account that GitHub connects with its address; None: linked to no account."""

    identity: Identity
    account: Account | None
    agent: str = ""
    """The catalogue's id, where the address is an agent's: no human stands behind it under this name."""


@dataclass(frozen=True)
class CommitFacts:
    """One commit of base..head, by all parents."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    co_authors: tuple[Person, ...] = ()
    signer: Account | None = None
    """Owner of the key that signed the commit itself, as GitHub verified it."""
    by_github: bool = False
    """Made and signed by GitHub (web flow): proves nothing about who typed."""
    marks: tuple[AgentMark, ...] = ()
    record: RecordFact = RecordFact(RecordState.MISSING)
    mechanical: bool = False
    """A merge whose tree equals the automatic merge of its parents."""
    merges_base: bool = False
    """Mechanical, and the other parent was on a gated branch: it excludes nobody new."""
    landed: bool = False
    """Already on a gated branch by a stored Pass: adds no exclusions."""


@dataclass(frozen=True)
class Push:
    """A push to the pull request's branch, as witnessed. `account` None: the App did not see who pushed `head`."""

    head: str
    account: Account | None
    before: str = ""
    """The head that the push replaced; empty where it was not seen."""


class ReviewState(StrEnum):
    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True)
class Content:
    """Digests of a change, base tip -> test merge (`content.digest`): of all of it, and of its protected part.

    `steps`: what its single commits left in guarded paths on the way (`content.steps`); read only for a head that this
    change does not hold any more.
    """

    change: str
    protected: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Witness:
    """What the App saw when the review's webhook arrived."""

    head: str
    base_ref: str
    content: Fact[Content]
    base_landed: bool = False
    """The commit that the base was at then came onto the base branch of now by a stored Pass."""


@dataclass(frozen=True)
class Review:
    """An opinionated review. `commit` is what GitHub says now, which a force-push can change."""

    id: int
    account: Account | None
    state: ReviewState
    commit: str | None
    submitted_at: str
    can_push: bool
    """Write access now."""
    witness: Witness | None = None
    dismissed_by: Account | None = None
    dismissed_state: ReviewState | None = None
    """What it was before it was dismissed."""


class MoveKind(StrEnum):
    FORCE_PUSHED = "force-pushed"
    RESTORED = "restored"
    BASE_CHANGED = "base changed"
    BASE_FORCE_PUSHED = "base force-pushed"


@dataclass(frozen=True)
class Move:
    """A timeline event after which an unwitnessed review no longer tells what was looked at."""

    kind: MoveKind
    at: str
    actor: Account | None = None


@dataclass(frozen=True)
class Involved:
    """Someone who set a bot to work on this pull request: `role` is `assigner`, `requester` or `prompter`."""

    account: Account
    role: str


@dataclass(frozen=True)
class Roster:
    """The policy's names resolved to accounts: `@org/team` and `@login` -> accounts. A name that could not be
    resolved is in `unresolved`, and adds nobody.
    """

    members: dict[str, tuple[Account, ...]]
    unresolved: tuple[str, ...] = ()
    gone: dict[str, int] = field(default_factory=dict)
    """Of those, whose account or team was seen before -> its id. Whoever it was is as tied as before, and who was of
    a team is not known any more: anybody may be.
    """

    def ids(self, name: str) -> tuple[int, ...]:
        """Of everyone whom the name means or meant."""
        found = tuple(account.id for account in self.members.get(name, ()))
        return (*found, self.gone[name]) if name in self.gone else found


@dataclass(frozen=True)
class AppAccount:
    """An App, by its own number, and the account that it acts as."""

    id: int
    account: Account


@dataclass(frozen=True)
class Landed:
    """A pull request that a stored Pass let into the base branch: `change` is the digest of what it changed there,
    `at` the RFC 3339 time at which that was found.
    """

    pull: int
    decision: str
    at: str
    change: str


@dataclass(frozen=True)
class PullFacts:
    pull: Pull
    at: str
    """RFC 3339, UTC: the time of judgement. Time is an input."""
    merge: Fact[Merge]
    changes: Fact[tuple[Change, ...]]
    touched: Fact[tuple[Touch, ...]]
    hidden: Fact[tuple[str, ...]]
    """Changed paths that GitHub's three-dot diff may not show, or not all of: see `hidden`."""
    commits: Fact[tuple[CommitFacts, ...]]
    pushes: Fact[tuple[Push, ...]]
    reviews: Fact[tuple[Review, ...]]
    moves: Fact[tuple[Move, ...]]
    involved: Fact[tuple[Involved, ...]]
    roster: Fact[Roster]
    floor: Fact[str] = Known("")
    """Text of the organisation's floor policy; "" where it has none."""
    app: Fact[AppAccount | None] = Known(None)
    """Whose bot opened the pull request, where the policy exempts an App's work at all."""
    landed: Fact[tuple[Landed, ...]] = Known(())
    """What came onto the base branch lately, and this may take back."""
    elsewhere: Fact[tuple[Push, ...]] = Known(())
    """Pushes to other branches that brought a commit of this change, or a head that it had before."""
    held: Held | None = None
    """Where much is deleted (`destruction.emptied`); None: it is not much, or was not counted."""


@lru_cache(maxsize=1)
def _adapter() -> "TypeAdapter[PullFacts]":
    """Made when it is first needed: the hooks use these types on a push and must not wait for pydantic."""
    from pydantic import TypeAdapter

    return TypeAdapter(PullFacts)


def dump(facts: PullFacts) -> str:
    """JSON text. `load(dump(facts)) == facts`."""
    return _adapter().dump_json(facts).decode()


def load(text: str) -> PullFacts:
    """Raises pydantic.ValidationError on anything that is not a dump of this version's PullFacts."""
    return _adapter().validate_json(text)
