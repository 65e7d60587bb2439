"""What a review was given on: the digests of the content that the reviewer had before them.

GitHub's event of a review names the base as it was when the head was pushed last. Where it was when the review was
given, the pushes to it tell that were seen before.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from foureyes.github_app import git_facts, merging, seen
from foureyes.github_app.mirror import GitError, Mirror, Trouble
from foureyes.github_app.pull_query import GivenReview
from foureyes.github_app.range import read_range
from foureyes.github_app.seen import SeenReview
from foureyes.shared import content
from foureyes.shared.facts import Content, Fact, Known, Unknown
from foureyes.shared.policy import Policy
from foureyes.shared.protection import protect

MOST_CONTENTS = 50
"""Different grounds that one pull request's reviews may stand on; more is Unknown."""

_MOST_KEPT = 10_000

On = tuple[str, str, str]
"""The base as its event named it, where a push left it, the commit."""
Key = tuple[int, str, str, str, str, bool]


def with_tip(conn: Connection, repository_id: int, given: GivenReview, told: SeenReview) -> SeenReview:
    """A push counts as seen before the review only if its event came before the review was given, by GitHub's clock,
    and before the review's own: an approval of what the base was must not become one of what it is.
    """
    try:
        submitted = int(datetime.fromisoformat(given.submitted_at).timestamp() * 1000)
    except ValueError:
        return told
    tip = seen.branch_was(conn, repository_id, told.base_ref, min(submitted, told.at))
    return told if tip == told.base else replace(told, tip=tip)


@dataclass(frozen=True)
class Contents:
    """Digests once made, by repository, base, head, policy and whether its steps were read: what they were made from
    never changes.
    """

    _kept: dict[Key, Content] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Key, make: Callable[[], Content]) -> Content:
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            kept = make()
            with self._lock:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = kept
        return kept


@dataclass(frozen=True)
class Reader:
    """`commits` are those of the change as it is now: of a head among them the single commits are known anyway."""

    contents: Contents
    mirror: Mirror
    repository_id: int
    policy: Policy
    policy_oid: str
    commits: Collection[str]

    def of(self, reviews: Iterable[SeenReview]) -> Mapping[SeenReview, Fact[Content]]:
        """What cannot be read is Unknown: such an approval counts for nothing."""
        by_review = {review: _on(review) for review in reviews}
        grounds = list(dict.fromkeys(by_review.values()))
        found: dict[On, Fact[Content]] = dict.fromkeys(
            grounds[MOST_CONTENTS:], Unknown(f"reviews stand on more than {MOST_CONTENTS} different contents")
        )
        taken = grounds[:MOST_CONTENTS]
        try:
            here = git_facts.bring(self.mirror, (oid for on in taken if not self._kept(on) for oid in on))
        except GitError as error:
            here = frozenset()
            found |= {on: Unknown(error.why) for on in taken if not self._kept(on)}
        for on in taken:
            if on not in found:
                found[on] = self._one(on, here)
        return {review: found[on] for review, on in by_review.items()}

    def _key(self, on: On) -> Key:
        return (self.repository_id, *on, self.policy_oid, self._is_left(on[2]))

    def _is_left(self, commit: str) -> bool:
        """A head that was pushed away, so that its own steps have to be read."""
        return not self.policy.squash_only and commit not in self.commits

    def _kept(self, on: On) -> bool:
        return self._key(on) in self.contents._kept

    def _one(self, on: On, here: frozenset[str]) -> Fact[Content]:
        base, tip, commit = on
        if not self._kept(on) and not here.issuperset((base, commit)):
            return Unknown("the commits that were reviewed are gone")
        try:
            return Known(
                self.contents.get(self._key(on), lambda: self._made(base, tip if tip in here else "", commit))
            )
        except GitError as error:
            return Unknown(error.why)

    def _made(self, base: str, tip: str, commit: str) -> Content:
        """On the newer of the two: pushes may have been missed, so that the event's own base is. Raises GitError, also
        where what is approved is more than was to be seen.
        """
        if tip and self.mirror.merge_bases(base, tip) == (base,):
            base = tip
        merged = merging.net(self.mirror, base, commit)
        changes = merged.changes
        if not protect(self.policy, changes).paths.isdisjoint(merged.hidden):
            raise GitError(Trouble.NO_REF, "GitHub's diff did not show all of it")
        made = content.of(changes, self.policy)
        if not self._is_left(commit):
            return made
        touched = read_range(self.mirror, base, commit).touched
        guarded = protect(self.policy, changes, touched).paths
        return replace(made, steps=tuple(sorted(content.steps(changes, touched, guarded))))


def _on(review: SeenReview) -> On:
    # the commit that it was given on: the page that the reviewer saw can be older than the head
    return review.base, review.tip, review.commit
