"""Broken > Block > Wait > Pass: a tree with reasons. A value, never an exception; only Pass is a pass."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from foureyes.shared.canonical import Json, canonical_bytes, sha256_hex


class Outcome(IntEnum):
    PASS = 0
    WAIT = 1
    BLOCK = 2
    BROKEN = 3


@dataclass(frozen=True)
class Reason:
    """`code` is stable and documented (docs/policy.md); `text` is for people; `subject` says what it is about:
    a path, a commit, an account's handle.
    """

    code: str
    text: str
    subject: str = ""


@dataclass(frozen=True)
class Verdict:
    rule: str
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    children: tuple["Verdict", ...] = field(default=())

    def __bool__(self) -> bool:
        """True only for Pass."""
        return self.outcome is Outcome.PASS

    def walk(self) -> Iterable["Verdict"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def to_json(self) -> Json:
        return {
            "rule": self.rule,
            "outcome": self.outcome.name.lower(),
            "reasons": [{"code": r.code, "text": r.text, "subject": r.subject} for r in self.reasons],
            "children": [child.to_json() for child in self.children],
        }

    @property
    def digest(self) -> str:
        """sha256 over the canonical bytes: equal digests are equal verdicts, to the byte."""
        return sha256_hex(canonical_bytes(self.to_json()))


def strictest(rule: str, children: Iterable[Verdict]) -> Verdict:
    """The worst child decides; no children at all is Broken, for an empty conjunction must never pass."""
    parts = tuple(children)
    if not parts:
        return Verdict(rule, Outcome.BROKEN, (Reason("nothing-checked", "no rule was evaluated"),))
    return Verdict(rule, max(part.outcome for part in parts), (), parts)
