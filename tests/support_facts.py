"""Facts and policies with defaults, so that a test shows only what is odd about its case.

The defaults are case G1 without its approvals: olga's agent changed `infra/main.tf`, signed record, two rostered
reviewers besides her.
"""

from dataclasses import fields, replace
from typing import Any

from foureyes.shared.content import of
from foureyes.shared.facts import (
    AgentMark,
    Change,
    CommitFacts,
    Known,
    Merge,
    MergeState,
    Person,
    Pull,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Repository,
    Review,
    ReviewState,
    Roster,
    Signer,
    Touch,
    Witness,
)
from foureyes.shared.people import Account, Identity, Kind
from foureyes.shared.policy import DEFAULT_TIERS, Policy, System

OLGA, RITA, SAM, BEN = (Account(n, login) for n, login in enumerate(("olga", "rita", "sam", "ben"), 1))
MALLORY = Account(66, "mallory")
BOT = Account(41898282, "github-actions[bot]", Kind.BOT)
HEAD, BASE, OLD_HEAD, TREE = "a" * 40, "b" * 40, "9" * 40, "7" * 40
AT = "2026-11-22T12:00:00Z"
CLAUDE = AgentMark("claude-code", "record", evidence=True)


def person(account: Account | None, address: str = "") -> Person:
    name = account.login if account else "somebody"
    return Person(Identity(name, address or f"{name}@acme.example"), account)


def record(**over: Any) -> RecordFact:
    """A signed record by olga that names Claude Code. An operator is claimed by login unless something else is said."""
    signer = Signer(OLGA, "SHA256:olga", "ssh-ed25519", "2026-01-01T00:00:00Z", present=False)
    base = RecordFact(
        RecordState.SIGNED, says="ai", agents=(CLAUDE,), operator=OLGA, operator_claim="olga", signer=signer
    )
    if "operator" in over and "operator_claim" not in over:
        over["operator_claim"] = over["operator"].login if over["operator"] else ""
    return replace(base, **over)


def commit(oid: str = HEAD, **over: Any) -> CommitFacts:
    base = CommitFacts(oid, TREE, (BASE,), person(OLGA), person(OLGA), record=record())
    return replace(base, **over)


def unrecorded(oid: str = HEAD, **over: Any) -> CommitFacts:
    return commit(oid, record=RecordFact(RecordState.MISSING), **over)


def change(path: str = "infra/main.tf", status: str = "M", **over: Any) -> Change:
    base = Change(path, status, "100644", "100644", "1" * 40, "2" * 40, added=3, deleted=1)
    return replace(base, **over)


def policy(**over: Any) -> Policy:
    fields: dict[str, Any] = {
        "version": 1,
        "roster": ("@acme/reviewers",),
        "systems": {
            "infra": System(paths=("infra/**",), tier=1),
            "payments": System(paths=("payments/**",), tier=1),
        },
        "tiers": DEFAULT_TIERS,
    }
    return Policy(**{**fields, **over})


POLICY = policy()
PULL = Pull(
    Repository(1, "acme", "shop"), 412, True, False, OLGA, HEAD, "fix", BASE, "main", "2026-11-20T12:00:00Z"
)


BARE = ("pull", "at", "held")
"""Parts of the facts that are neither Known nor Unknown."""
PARTS = tuple(field.name for field in fields(PullFacts) if field.name not in BARE)


def facts(**over: Any) -> PullFacts:
    """Parts are given bare and wrapped in Known; pass an Unknown as it is."""
    changes = over.get("changes", (change(),))
    parts: dict[str, Any] = {
        "pull": PULL,
        "at": AT,
        "merge": Merge(MergeState.CLEAN, "5" * 40),
        "changes": changes,
        "touched": tuple(Touch(c.path, HEAD, c.old_mode, c.new_mode) for c in changes)
        if isinstance(changes, tuple)
        else (),
        "hidden": (),
        "commits": (commit(),),
        "pushes": (Push(HEAD, OLGA),),
        "reviews": (),
        "moves": (),
        "involved": (),
        "roster": Roster({"@acme/reviewers": (OLGA, RITA, SAM)}),
    }
    parts.update(over)
    return PullFacts(**{k: v if k in BARE or hasattr(v, "why") else Known(v) for k, v in parts.items()})


def review(account: Account, state: str = "APPROVED", number: int = 0, **over: Any) -> Review:
    """A witnessed review of the default content at the head; `number` orders reviews in time."""
    base = Review(
        id=1000 + number * 100 + account.id % 100,
        account=account,
        state=ReviewState(state),
        commit=HEAD,
        submitted_at=f"2026-11-21T10:{number:02}:00Z",
        can_push=True,
        witness=Witness(HEAD, "main", Known(of((change(),), POLICY))),
    )
    return replace(base, **over)
