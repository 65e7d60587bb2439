"""From which commits others were made, as ids and git itself tell: amended, rebased, picked and squashed ones keep
their Provenance-Ids, and `post-rewrite`, or the tool that rewrote a whole history, may have said what a commit was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from foureyes.hooks.commit_map import FILTERED, made_again
from foureyes.hooks.commits import Commit
from foureyes.hooks.journal import Line
from foureyes.hooks.raw_commit import seconds
from foureyes.hooks.repo import Repo
from foureyes.shared.in_toto import is_oid
from foureyes.shared.trailers import provenance_ids

_MOST_SEARCHED = 5000
_IN_SIGHT = ("--ignore-missing", "--all", "--reflog", f"--max-count={_MOST_SEARCHED}")
"""A ref to something that is gone hides nothing else."""
_MOST_STEPS = 500
_SECONDS_BACK = 400 * 24 * 3600

Links: TypeAlias = dict[str, dict[str, str]]
"""Commit -> the commits that it was made from, or may have been -> how that was found."""

BY_ID = "provenance-id"
TWIN, REVERT, CONTENT = "author-date", "revert", "content"
"""Not sure: what an agent wrote is carried only where the lines are equal."""
RENAME = "rename"
"""The commits that the lines of a renamed file come from, line by line."""
_UNSURE = frozenset({TWIN, REVERT, CONTENT, RENAME})
_REPLAYS = ("rebase", "cherry-pick", "am", "pull")


@dataclass(frozen=True)
class InSight:
    """A commit that a ref or a reflog reaches. Times are seconds since 1970."""

    parents: tuple[str, ...]
    authored_at: int
    committed_at: int
    email: str


class Order:
    """Which commit came before which. git's times are whole seconds and can be set at will, and a rebase makes many
    commits within one: of two that the hooks saw the journal tells, so that nothing is made from what is made from it.
    """

    def __init__(self, journal: Mapping[str, Sequence[Line]]) -> None:
        self._places = {oid: (lines[0].at, at) for at, (oid, lines) in enumerate(journal.items())}

    def precedes(self, other: str, other_at: int, commit: str, at: int) -> bool:
        """Whether `other` can be older, by the hooks, else by the committers' times."""
        one, two = self._places.get(other), self._places.get(commit)
        if one is not None and two is not None:
            return one < two
        return other != commit and other_at <= at


def is_sure(how: str) -> bool:
    return how not in _UNSURE


def is_replay(lines: Iterable[Line]) -> bool:
    """Whether git made the commit from another one, as the hooks first saw it. Within the second, a rebase that changes
    nothing makes the very same commit again, and that one is what it was.
    """
    first = min(lines, key=lambda line: (line.hook == "post-rewrite", line.at), default=None)
    return first is not None and first.operation.split(" ")[0].split("-i")[0].startswith(_REPLAYS)


def was(lines: Sequence[Line]) -> dict[str, str]:
    """What `post-rewrite` said that the commit was before: a hint, for it is empty under some hook managers."""
    found = {}
    for line in lines:
        before = dict(line.marks).get("FOUREYES_WAS", "")
        if line.hook == "post-rewrite" and is_oid(before) and before != line.commit:
            found[before] = line.operation or "rewrite"
    return found


def told_links(
    repo: Repo, commits: Sequence[Commit], journal: Mapping[str, Sequence[Line]], order: Order
) -> Links:
    """Links by post-rewrite, back to the first version, by filter-repo's map and by Provenance-Id; one process."""
    links: Links = {commit.oid: {} for commit in commits}
    _add_told(links, list(links), journal)
    gone = made_again(repo, links.keys() - journal.keys())
    for oid, olds in gone.items():
        links[oid] = {**dict.fromkeys(olds, FILTERED), **links[oid]}
    _add_told(links, [old for olds in gone.values() for old in olds if old not in links], journal)
    wanted = {c.oid: set(provenance_ids(c.message)) for c in commits if _is_old(c, journal)}
    searched = [commit for commit in commits if wanted.get(commit.oid)]
    if searched:
        since = min(commit.committed_at for commit in searched) - _SECONDS_BACK
        carriers = _carriers(repo, set().union(*wanted.values()), since)
        for commit in searched:
            for oid, (ids, at) in carriers.items():
                older = order.precedes(oid, at, commit.oid, commit.committed_at)
                if ids & wanted[commit.oid] and older:
                    links[commit.oid].setdefault(oid, BY_ID)
    return {oid: found for oid, found in links.items() if found}


def _add_told(links: Links, open_ends: list[str], journal: Mapping[str, Sequence[Line]]) -> None:
    """What post-rewrite said of these, back to the first version."""
    for oid in islice(open_ends, len(open_ends) + _MOST_STEPS):  # the list grows on the way
        links.setdefault(oid, {}).update(was(journal.get(oid, ())))
        fresh = [before for before in links[oid] if before not in links]
        links.update((before, {}) for before in fresh)
        open_ends += fresh


def _is_old(commit: Commit, journal: Mapping[str, Sequence[Line]]) -> bool:
    """Whether its Provenance-Id can be of another commit: an agent's commit that was just made has its own."""
    lines = journal.get(commit.oid, ())
    agent = any(line.agent or line.marks for line in lines)
    made_now = commit.authored_at == commit.committed_at and not any(line.operation for line in lines)
    return not (agent and made_now and len(provenance_ids(commit.message)) == 1)


def _carriers(repo: Repo, ids: set[str], since: int) -> dict[str, tuple[set[str], int]]:
    """Commit -> its Provenance-Ids and when it was made, of all commits in sight that have one of `ids`."""
    asked = (*_IN_SIGHT, f"--since=@{max(since, 0)}")
    grep = (f"--grep={one}" for one in sorted(ids))
    # HEAD by name too: a commit on a detached HEAD is in no branch.
    answer = repo.ask("log", "--fixed-strings", *grep, *asked, "-z", "--format=%H %ct%n%B", "HEAD")
    found: dict[str, tuple[set[str], int]] = {}
    for entry in answer.out.decode("utf-8", "replace").split("\0"):
        head, _, message = entry.partition("\n")
        oid, _, at = head.partition(" ")
        if oid and set(provenance_ids(message)) & ids:
            found[oid] = (set(provenance_ids(message)) & ids, seconds(at))
    return found


def in_sight(repo: Repo, commits: Iterable[str]) -> dict[str, InSight]:
    """The newest commits of all refs and reflogs, and what leads to `commits`; one process."""
    asked = (*_IN_SIGHT, "-z", "--format=%H %at %ct %ae%n%P")
    answer = repo.ask("log", *asked, *commits, "--")
    found: dict[str, InSight] = {}
    for entry in answer.out.decode("utf-8", "replace").split("\0"):
        head, _, parents = entry.partition("\n")
        fields = head.split(" ", 3)
        if len(fields) == 4:
            found[fields[0]] = InSight(
                tuple(parents.split()), seconds(fields[1]), seconds(fields[2]), fields[3].lower()
            )
    return found


def ancestors(seen: Mapping[str, InSight], commit: str) -> set[str]:
    """Those among the commits in sight."""
    found: set[str] = set()
    steps = [commit]
    while steps:
        known = seen.get(steps.pop())
        for parent in known.parents if known else ():
            if parent not in found:
                found.add(parent)
                steps.append(parent)
    return found
