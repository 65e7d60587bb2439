"""What an approval stands on: the content, the base and, where the policy says so, the head that it was given on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from foureyes.shared.ancestry import held_by
from foureyes.shared.facts import CommitFacts, Content, Known, Move, Pull, Review, Witness
from foureyes.shared.markup import code, short
from foureyes.shared.policy import Stale


@dataclass(frozen=True)
class Ground:
    """What approvals are held against: the pull request, its content now, and what `stale` asks for."""

    pull: Pull
    commits: tuple[CommitFacts, ...]
    moves: tuple[Move, ...]
    content: Content
    stale: Stale
    steps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What single commits leave in guarded paths (`content.steps`) -> these commits."""


def why_stale(review: Review, ground: Ground) -> str:
    """Empty: the approval stands on this content."""
    witness = review.witness
    if witness is None:
        return _why_unwitnessed_stale(review, ground)
    elsewhere = witness.base_ref != ground.pull.base_ref
    if elsewhere and not witness.base_landed:
        return f"approved for {code(witness.base_ref)}, this now goes to {code(ground.pull.base_ref)}"
    if ground.stale == "head" and witness.head not in _same_heads(ground):
        return f"approved {short(witness.head)}, the head is {short(ground.pull.head)}"
    if not isinstance(witness.content, Known):
        return f"the content that was approved could not be read: {witness.content.why}"
    if ground.stale == "protected" and not elsewhere:
        same = witness.content.value.protected == ground.content.protected
    else:
        same = witness.content.value.change == ground.content.change
    if not same:
        return _why_other_content(witness, ground.pull)
    return _why_steps_stale(witness.head, witness.content.value.steps, ground)


def _why_other_content(witness: Witness, pull: Pull) -> str:
    """Where the head is the one that was approved, the base has moved under it."""
    if witness.head == pull.head:
        return (
            f"approved before {code(pull.base_ref)} changed what this changes too (at {short(witness.head)})"
        )
    return f"approved other content (at {short(witness.head)})"


def _why_steps_stale(head: str, seen: tuple[str, ...], ground: Ground) -> str:
    """What was deployable on the way must have been there for who approved, under whatever commit."""
    held = {commit.oid for commit in held_by(head, ground.commits)}
    later = [
        min(commits) for step, commits in ground.steps.items() if step not in seen and not commits & held
    ]
    return f"approved before {short(min(later))}, which touches guarded paths" if later else ""


def _why_unwitnessed_stale(review: Review, ground: Ground) -> str:
    if review.commit != ground.pull.head:
        at = short(review.commit) if review.commit else "a commit that is gone"
        return f"approved {at}, not the head {short(ground.pull.head)}"
    later = [move for move in ground.moves if move.at >= review.submitted_at]
    if later:
        return f"given unseen by foureyes, then {later[0].kind.value}: what was approved is not known"
    return ""


def _same_heads(ground: Ground) -> frozenset[str]:
    """The head, and what it was before mechanical merges of the gated base."""
    by_oid = {commit.oid: commit for commit in ground.commits}
    heads = [ground.pull.head]
    while (commit := by_oid.get(heads[-1])) and commit.merges_base:
        heads.append(commit.parents[0])
    return frozenset(heads)
