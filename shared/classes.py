"""The class of a commit, and of a change: what is established about who wrote it.

Evidence can make a commit `ai`, and only a signed record that meets every condition of the discount makes it
`human`. Everything else is `unattested`: a claim adds scrutiny and never removes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from foureyes.shared.agent_mark import NOTE, UNREAD_NOTE
from foureyes.shared.facts import AgentMark, CommitFacts, Pull, Push, RecordFact, RecordState

if TYPE_CHECKING:
    from foureyes.shared.policy import Tier

KEY_AGE = timedelta(days=7)


class Class(IntEnum):
    """In order of strictness: the strictest class of its commits is the class of a change."""

    HUMAN = 0
    AI = 1
    UNATTESTED = 2


@dataclass(frozen=True)
class CommitClass:
    """`why` completes "no record: ..." or "ai: ..." for a person; `agents` are all that were named, proved or not."""

    commit: str
    cls: Class
    why: str
    agents: tuple[AgentMark, ...] = ()
    unread: bool = False
    """A note on it could not be read, so that nobody can say that no agent is named."""

    @property
    def claimed(self) -> bool:
        """An agent is named, but only by claims: shown as `ai (claimed)`, costs as unattested."""
        return self.cls is Class.UNATTESTED and bool(self.agents)


def humans(tier: "Tier", cls: Class) -> int:
    """The tier's cell for a class."""
    return {Class.HUMAN: tier.human, Class.AI: tier.ai, Class.UNATTESTED: tier.unattested}[cls]


def strictest(classes: Iterable[CommitClass]) -> Class:
    """No commit with a class (mechanical merges only) is unattested: nobody says who made this change."""
    return max((c.cls for c in classes), default=Class.UNATTESTED)


def classify(
    commits: Iterable[CommitFacts], pull: Pull, pushes: Iterable[Push], at: str, *, trust_software_keys: bool
) -> tuple[CommitClass, ...]:
    """One class for each commit, mechanical merges left out, in the order given."""
    pushers = frozenset(push.account.id for push in pushes if push.account)
    return tuple(
        _class_of(commit, pull, pushers, at, trust_software_keys)
        for commit in commits
        if not commit.mechanical
    )


def _class_of(
    commit: CommitFacts, pull: Pull, pushers: frozenset[int], at: str, trust_software_keys: bool
) -> CommitClass:
    record = commit.record
    agents = _agents(commit)
    unread = any(mark.how == UNREAD_NOTE for mark in commit.marks)
    signed = record.state is RecordState.SIGNED
    if any(mark.evidence for mark in commit.marks):
        return CommitClass(commit.oid, Class.AI, "an agent's own account made it", agents, unread)
    if signed and record.says == "ai":
        return CommitClass(commit.oid, Class.AI, "signed record", agents, unread)
    if signed and record.says == "human" and not agents and not unread:
        refusal = _discount_refused(commit, pull, pushers, at, trust_software_keys)
        if refusal:
            return CommitClass(commit.oid, Class.UNATTESTED, refusal)
        return CommitClass(commit.oid, Class.HUMAN, _why_human(record))
    return CommitClass(commit.oid, Class.UNATTESTED, _why_unattested(commit, agents), agents, unread)


def _agents(commit: CommitFacts) -> tuple[AgentMark, ...]:
    """All that were named, also by an address or account alone."""
    told = tuple(mark for mark in commit.marks if mark.how != UNREAD_NOTE) + commit.record.agents
    found = {mark.agent: mark for mark in told}
    roles = (("author", commit.author), ("committer", commit.committer))
    for how, person in (*roles, *(("co-author", person) for person in commit.co_authors)):
        if person.agent:
            found.setdefault(person.agent, AgentMark(person.agent, how))
    return (*told, *(mark for mark in found.values() if mark not in told))


def _why_human(record: RecordFact) -> str:
    if record.signer is not None and record.signer.present:
        return "signed record, no agent took part"
    return (
        "signed record, no agent took part; by a software key, which an agent can use and the policy trusts"
    )


def _why_unattested(commit: CommitFacts, agents: tuple[AgentMark, ...]) -> str:
    record = commit.record
    match record.state:
        case RecordState.MISSING:
            if any(mark in agents for mark in commit.marks):
                return "an agent is named, no record proves it"
            where = "committed on github.com" if commit.by_github else "hooks missing or skipped"
            return f"no record ({record.why or where})"
        case RecordState.MISMATCH:
            other = record.why.removeprefix("it ") or "is for another commit"
            return f"record {other} (rewritten without hooks)"
        case RecordState.UNREADABLE:
            return f"record cannot be read ({record.why})"
        case RecordState.UNSIGNED:
            return "record is not signed"
        case RecordState.BAD_SIGNATURE:
            return f"record's signature does not hold ({record.why})"
    if record.says == "human":
        if not agents:
            return "record says no agent, a note on it could not be read and may name one"
        by = "a note on it" if all(mark.how == NOTE for mark in agents) else "the commit"
        return f"record says no agent, {by} names one"
    return "signed record gives no class: nobody saw who wrote it"


def _discount_refused(
    commit: CommitFacts, pull: Pull, pushers: frozenset[int], at: str, trust_software_keys: bool
) -> str:
    """Why a signed `human` record is worth no discount; empty where every condition of design section 5 holds."""
    signer, author = commit.record.signer, commit.author.account
    if signer is None or author is None or signer.account.id != author.id:
        return "human record is not signed by the commit's author"
    if author.id not in pushers:
        return "human record's author was not seen pushing"
    if not signer.present and not trust_software_keys:
        return "human record is signed by a software key, which an agent can use"
    published, opened, now = (_time(text) for text in (signer.published_at, pull.created_at, at))
    if published is None or opened is None or now is None:
        return "age of the signing key is not known"
    if published >= opened or now - published < KEY_AGE:
        return "signing key is younger than the pull request or 7 days"
    return ""


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
