"""What a review was given on: the digests of the content that the reviewer had before them."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from foureyes.github_app import git_facts
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.seen import SeenReview
from foureyes.shared import content
from foureyes.shared.facts import Content, Fact, Known, Unknown
from foureyes.shared.policy import Policy

MOST_CONTENTS = 50
"""Different (base, head) pairs that one pull request's reviews may stand on; more is Unknown."""

_MOST_KEPT = 10_000

Key = tuple[int, str, str, str]


@dataclass(frozen=True)
class Contents:
    """Digests once made, by repository, base, head and policy: what they were made from never changes."""

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
    contents: Contents
    mirror: Mirror
    repository_id: int
    policy: Policy
    policy_oid: str

    def of(self, reviews: Iterable[SeenReview]) -> Mapping[tuple[str, str], Fact[Content]]:
        """(base, commit) -> digests. What cannot be read is Unknown: such an approval counts for nothing."""
        # the commit that it was given on: the page that the reviewer saw can be older than the head
        pairs = list(dict.fromkeys((review.base, review.commit) for review in reviews))
        found: dict[tuple[str, str], Fact[Content]] = dict.fromkeys(
            pairs[MOST_CONTENTS:], Unknown(f"reviews stand on more than {MOST_CONTENTS} different contents")
        )
        taken = pairs[:MOST_CONTENTS]
        try:
            here = git_facts.bring(
                self.mirror, (oid for pair in taken if not self._kept(pair) for oid in pair)
            )
        except GitError as error:
            here = frozenset()
            found |= {pair: Unknown(error.why) for pair in taken if not self._kept(pair)}
        for pair in taken:
            if pair not in found:
                found[pair] = self._one(pair, here)
        return found

    def _key(self, pair: tuple[str, str]) -> Key:
        return (self.repository_id, *pair, self.policy_oid)

    def _kept(self, pair: tuple[str, str]) -> bool:
        return self._key(pair) in self.contents._kept

    def _one(self, pair: tuple[str, str], here: frozenset[str]) -> Fact[Content]:
        if not self._kept(pair) and not here.issuperset(pair):
            return Unknown("the commits that were reviewed are gone")
        try:
            return Known(self.contents.get(self._key(pair), lambda: self._made(pair)))
        except GitError as error:
            return Unknown(error.why)

    def _made(self, pair: tuple[str, str]) -> Content:
        return content.of(git_facts.net_changes(self.mirror, *pair), self.policy)
