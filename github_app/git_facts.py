"""Everything about a pull request that git alone answers, from one fetch at most."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from math import inf
from threading import Lock
from typing import TypeVar

from foureyes.github_app import merging, notes, records
from foureyes.github_app.mirror import OURS, GitError, Mirror, Trouble, is_oid, is_ref
from foureyes.github_app.range import MOST_COMMITS, Range, read_range
from foureyes.shared.canonical import sha256_hex

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What to read. `github_merge` is the commit that GitHub shows as its test merge, "" for none. `gated` are
    beginnings of names of gated branches besides the base; `record_branch` is "" where no record ref can be.
    """

    number: int
    base: str
    head: str
    base_ref: str
    default_tip: str
    github_merge: str = ""
    record_branch: str = ""
    gated: tuple[str, ...] = ()


@dataclass(frozen=True)
class GitFacts:
    merged: merging.Merged
    range: Range
    ungated: frozenset[str]
    """Commits of the range that no gated branch holds."""
    published: records.Published
    noted: notes.Noted = field(default_factory=dict)
    merge_ref: str = ""
    """What `refs/pull/N/merge` named at the last fetch."""


_MOST_SETTLED = 100_000
SETTLED_AGE = 3_000.0
"""Seconds until a settled record's ref is read again, which only shows whether it is still there: less than the hour
after which every open head is looked at again.
"""


class Kept:
    """What was read for the same object ids before: all of it follows from them, so a review needs no git at all.

    Safe for many threads. Large changes are read anew each time, for they would fill the memory.
    """

    def __init__(
        self, most: int = 200, most_paths: int = 2_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._most_paths = most_paths
        self._lock = Lock()
        self._entries: dict[object, GitFacts] = {}
        self._settled: dict[tuple[int, str], float] = {}
        self._clock = clock

    def settle(self, repository_id: int, commits: Iterable[str]) -> None:
        """A signed record says that an agent made these commits: nothing that is published later changes that. Said
        again, it does not put off the next look.
        """
        with self._lock:
            if len(self._settled) > _MOST_SETTLED:
                self._settled.clear()
            now = self._clock()
            for commit in commits:
                if self._settled.get((repository_id, commit), -inf) < now - SETTLED_AGE:
                    self._settled[repository_id, commit] = now

    def settled(self, repository_id: int, commits: Iterable[str]) -> bool:
        with self._lock:
            oldest = self._clock() - SETTLED_AGE
            return all(self._settled.get((repository_id, commit), -inf) >= oldest for commit in commits)

    def get(self, key: object) -> GitFacts | None:
        with self._lock:
            return self._entries.get(key)

    def put(self, key: object, facts: GitFacts) -> None:
        if len(facts.merged.changes) + len(facts.range.touched) > self._most_paths:
            return
        with self._lock:
            while len(self._entries) >= self._most:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = facts


KnownRecords = Callable[[Collection[str]], bool]
"""Whether the records of these commits need no new look at the record ref."""


def read(
    mirror: Mirror, wanted: Wanted, is_gated: Callable[[str], bool], known_records: KnownRecords
) -> GitFacts:
    """Raises GitError. A mirror that gives nonsense is thrown away and built anew, once."""
    try:
        with mirror.rebuilt_if_damaged():
            return _read(mirror, wanted, is_gated, known_records)
    except GitError as error:
        if error.trouble is not Trouble.SUSPECT:
            raise
    with mirror.rebuilt_if_damaged():
        return _read(mirror, wanted, is_gated, known_records)


def renewed(
    mirror: Mirror,
    wanted: Wanted,
    kept: GitFacts,
    is_gated: Callable[[str], bool],
    known_records: KnownRecords,
) -> GitFacts:
    """`kept` with what the refs that can change beside the object ids say now. Raises GitError."""
    try:
        again = _renewed(mirror, wanted, kept)
    except GitError as error:
        if error.trouble is not Trouble.SUSPECT:
            raise
        again = None
    return again or read(mirror, wanted, is_gated, known_records)


def _renewed(mirror: Mirror, wanted: Wanted, kept: GitFacts) -> GitFacts | None:
    """None: GitHub's own merge is another one now."""
    number = wanted.number
    mirror.fetch([f"+refs/pull/{number}/*:{OURS}/pull/{number}/*", *_told_of(wanted)])
    if _merge_ref(mirror, number) != kept.merge_ref:
        return None
    return replace(
        kept, published=_published(mirror, wanted, kept.range), noted=notes.read(mirror, kept.range.oids)
    )


def _told_of(wanted: Wanted) -> tuple[str, ...]:
    """Where others say something of commits."""
    return (*([records.refspec(wanted.record_branch)] if wanted.record_branch else ()), *notes.REFSPECS)


def _published(mirror: Mirror, wanted: Wanted, commits: Range) -> records.Published:
    if not wanted.record_branch:
        return records.Published({}, ())
    return records.read_published(mirror, wanted.record_branch, commits.oids)


def bring(mirror: Mirror, oids: Iterable[str]) -> frozenset[str]:
    """Fetches commits that nothing may point to any more; returns those that are here now. Raises GitError only
    where GitHub could not be reached.
    """
    wanted = tuple(dict.fromkeys(oid for oid in oids if is_oid(oid)))
    missing = mirror.missing(wanted)
    if missing:
        groups: list[tuple[str, ...]] = [missing]
        while groups:
            group = groups.pop()
            try:
                mirror.fetch([f"+{oid}:{OURS}/seen/{oid}" for oid in group], prune=False)
            except GitError as error:
                if error.trouble is not Trouble.NO_REF:
                    raise
                # one that is gone fails them all
                groups += [(oid,) for oid in group] if len(group) > 1 else []
    return frozenset(wanted) - frozenset(mirror.missing(wanted))


def branch_tip(mirror: Mirror, branch: str) -> str:
    """Where the branch is now, "" if there is none. Raises GitError."""
    if not is_ref(branch):
        return ""
    name = sha256_hex(branch.encode())[
        :16
    ]  # `a` and `a/b` cannot both be refs here, one after the other they can
    try:
        mirror.fetch([f"+refs/heads/{branch}:{OURS}/tip/{name}"])
    except GitError as error:
        if error.trouble is not Trouble.NO_REF:
            raise
        return ""
    return mirror.refs(f"tip/{name}").get("", "")


def _read(
    mirror: Mirror, wanted: Wanted, is_gated: Callable[[str], bool], known_records: KnownRecords
) -> GitFacts:
    needed = [oid for oid in (wanted.base, wanted.head, wanted.default_tip, wanted.github_merge) if oid]
    fetched = False
    if mirror.missing(needed):
        _fetch(mirror, wanted)
        fetched = True
    commits = read_range(mirror, wanted.base, wanted.head)
    if not fetched and not known_records(commits.needing_records):
        _fetch(mirror, wanted)
    published, noted = _published(mirror, wanted, commits), notes.read(mirror, commits.oids)
    tips = _gated_tips(mirror, wanted, is_gated)
    ungated = frozenset(mirror.range(wanted.head, tips, MOST_COMMITS))
    merge_ref = _merge_ref(mirror, wanted.number)
    merged = merging.merge(mirror, wanted.base, wanted.head, (wanted.github_merge, merge_ref))
    return GitFacts(merged, commits, ungated, published, noted, merge_ref)


def _merge_ref(mirror: Mirror, number: int) -> str:
    return mirror.refs(f"pull/{number}").get("merge", "")


def _fetch(mirror: Mirror, wanted: Wanted) -> None:
    number = wanted.number
    refspecs = [
        f"+{wanted.base}:{OURS}/base/{number}",
        f"+{wanted.head}:{OURS}/head/{number}",
        f"+{wanted.default_tip}:{OURS}/default",
        f"+refs/pull/{number}/*:{OURS}/pull/{number}/*",
        *_told_of(wanted),
    ]
    for prefix in wanted.gated:
        # what the policy says becomes an argument; what is no beginning of a ref name matches no branch
        if not prefix or is_ref(prefix.removesuffix("/")):
            refspecs.append(f"+refs/heads/{prefix}*:{OURS}/heads/{prefix}*")
    mirror.fetch(refspecs)


def _gated_tips(mirror: Mirror, wanted: Wanted, is_gated: Callable[[str], bool]) -> tuple[str, ...]:
    """Tips as they were at the last fetch: an old tip only means that more people stay excluded."""
    others = [oid for name, oid in mirror.refs("heads").items() if is_gated(name)] if wanted.gated else []
    return tuple(dict.fromkeys((wanted.base, wanted.default_tip, *others)))
