"""From which commits others may have been made where neither an id nor git tells: equal content under the same path.

After an amend with a new message, a reset and a new commit, a pick without commit, a squash by GitHub: the commits
that an agent's lines were first recorded in are still in a reflog, or their records are kept here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice

from foureyes.hooks.commits import Commit, read_commits, read_diffs
from foureyes.hooks.journal import Line
from foureyes.hooks.lineage import (
    CONTENT,
    RENAME,
    REVERT,
    TWIN,
    InSight,
    Links,
    Order,
    ancestors,
    in_sight,
    is_replay,
    told_links,
)
from foureyes.hooks.published import published_commits
from foureyes.hooks.renamed import NOBODY, Origins, find_origins
from foureyes.hooks.repo import Repo
from foureyes.hooks.seen_agents import may_be_a_persons
from foureyes.hooks.store import kept_commits
from foureyes.shared import paths
from foureyes.shared.diff import FileDiff

_MOST_ALIKE = 20
"""Sources of one commit, the newest first."""
_MOST_OTHERS = 200
"""Commits aside that no hook saw, and of those that one did; the newest."""
_MOST_MOVED = 200
"""Commits that the lines of renamed files come from."""
_MOST_BLAMED = 20
_MOST_STEPS = 2000
_REVERTED = re.compile(r"^This reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)", re.MULTILINE)


def find_links(
    repo: Repo,
    commits: Sequence[Commit],
    diffs: Mapping[str, Sequence[FileDiff]],
    journal: Mapping[str, Sequence[Line]],
) -> tuple[Links, dict[str, Origins]]:
    """All links of `commits`, and of the commits that they were made from; and where the lines of renamed files come
    from. The number of processes does not depend on the number of commits, but for reverted deletions and renamed
    files, of which each costs two.
    """
    order = Order(journal)
    links = told_links(repo, commits, journal, order)
    for commit in commits:
        for source in _reverted(repo, commit, diffs[commit.oid]):
            links.setdefault(commit.oid, {}).setdefault(source, REVERT)
    recorded = kept_commits(repo)
    if any(commit.oid not in journal for commit in commits):
        recorded |= published_commits(repo)
    agents = {oid for oid, lines in journal.items() if any(line.agent or line.marks for line in lines)}
    seen = in_sight(repo, [commit.oid for commit in commits])
    _add_twins(links, [commit.oid for commit in commits], seen, order, journal)
    _add_alike(repo, commits, diffs, links, seen, order, recorded | agents, journal)
    origins = {c.oid: find_origins(repo, c, diffs[c.oid], recorded | journal.keys()) for c in commits}
    for oid, files in origins.items():
        sources = dict.fromkeys(
            one.commit for lines in files.values() for one in lines.values() if one != NOBODY
        )
        found = links.setdefault(oid, {})
        found.update((source, RENAME) for source in list(sources)[:_MOST_MOVED] if source not in found)
    return {oid: found for oid, found in links.items() if found}, origins


def _add_twins(
    links: Links,
    commits: Sequence[str],
    seen: Mapping[str, InSight],
    order: Order,
    journal: Mapping[str, Sequence[Line]],
) -> None:
    """Commits with the same author at the same time: git keeps both when it makes a commit again. And theirs."""
    by_author: dict[tuple[str, int], list[str]] = {}
    for oid, commit in seen.items():
        by_author.setdefault((commit.email, commit.authored_at), []).append(oid)
    asked = dict.fromkeys([*commits, *(source for found in links.values() for source in found)])
    waiting = list(asked)
    for oid in waiting:
        found = links.setdefault(oid, {})
        if not found and oid in seen and len(asked) < _MOST_STEPS:
            equal = by_author[seen[oid].email, seen[oid].authored_at]
            replayed = is_replay(journal.get(oid, ()))
            found.update((twin, TWIN) for twin in _twins(oid, equal, seen, order, replayed))
            waiting += [twin for twin in found if twin not in asked]
            asked.update(dict.fromkeys(found))


def _twins(
    oid: str, equal: Sequence[str], seen: Mapping[str, InSight], order: Order, replayed: bool
) -> list[str]:
    own = seen[oid]
    return [
        other
        for other in equal
        if order.precedes(other, seen[other].committed_at, oid, own.committed_at)
        and (replayed or seen[other].parents == own.parents)
        and other not in own.parents
    ][:_MOST_ALIKE]


def _add_alike(
    repo: Repo,
    commits: Sequence[Commit],
    diffs: Mapping[str, Sequence[FileDiff]],
    links: Links,
    seen: Mapping[str, InSight],
    order: Order,
    interesting: Set[str],
    journal: Mapping[str, Sequence[Line]],
) -> None:
    """Commits aside that changed the same paths: those of interest; and for a commit that may be called a person's
    also those that no hook saw, and those that one did.
    """
    changed = {c.oid: {diff.change.path for diff in diffs[c.oid]} for c in commits}
    candidates: dict[str, list[list[str]]] = {}
    known = interesting & seen.keys()
    others = [] if _is_partial(repo) else _others(seen, known)
    unseen, noted = ([oid for oid in others if (oid in journal) is told] for told in (False, True))
    before: set[str] = set()
    last = ""
    for commit in commits:
        if not (known or others) or len(commit.parents) > 1:
            continue
        # A branch comes oldest first: each commit has one ancestor more than the last.
        before = before | {last} if commit.parents == (last,) else ancestors(seen, commit.oid)
        last = commit.oid
        passed = {*before, commit.oid, *links.get(commit.oid, ())}
        at = commit.committed_at
        asked = [_newest(known - passed, seen)]
        if may_be_a_persons(journal.get(commit.oid, ())):
            # Of two of the same second nothing tells whether what nobody saw was first.
            surely = (oid for oid in unseen if seen[oid].committed_at < at)
            asked += [_first(surely, passed), _first(noted, passed)]
        candidates[commit.oid] = [
            [oid for oid in some if order.precedes(oid, seen[oid].committed_at, commit.oid, at)]
            for some in asked
        ]
    touched = _changed_paths(repo, {oid for both in candidates.values() for some in both for oid in some})
    for oid, both in candidates.items():
        for some in both:
            alike = [other for other in some if touched.get(other, set()) & changed[oid]]
            links.setdefault(oid, {}).update((other, CONTENT) for other in alike[:_MOST_ALIKE])


def _newest(commits: Set[str], seen: Mapping[str, InSight]) -> list[str]:
    return sorted(commits, key=lambda oid: (-seen[oid].committed_at, oid))


def _is_partial(repo: Repo) -> bool:
    """Whether git would ask the remote for what this clone has left out."""
    return any((repo.common_dir / "objects" / "pack").glob("*.promisor"))


def _first(commits: Iterable[str], passed: Set[str]) -> list[str]:
    return list(islice((oid for oid in commits if oid not in passed), _MOST_OTHERS))


def _others(seen: Mapping[str, InSight], known: Set[str]) -> list[str]:
    """The other commits, the newest first: no merges, and nothing that git itself put into a stash."""
    found = {oid for oid, commit in seen.items() if len(commit.parents) < 2 and oid not in known}
    for stash in (commit for commit in seen.values() if len(commit.parents) > 1):
        index = seen.get(stash.parents[1])
        if index is not None and (index.parents, index.authored_at) == (stash.parents[:1], stash.authored_at):
            found -= set(stash.parents[1:])
    return _newest(found, seen)


def _changed_paths(repo: Repo, commits: Set[str]) -> dict[str, set[str]]:
    """Paths that each commit changed; none for merges."""
    if not commits:
        return {}
    asked = "".join(f"{oid}\n" for oid in sorted(commits)).encode()
    options = ("--stdin", "--root", "-r", "-z", "--name-only", "--no-renames")
    out = repo.ask("diff-tree", *options, input=asked).out  # one that cannot be read hides nothing before it
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for word in out.split(b"\0")[:-1]:
        text = paths.decode(word)
        if text in commits:
            names = found.setdefault(text, set())
        else:
            names.add(text)
    return found


def _reverted(repo: Repo, commit: Commit, diffs: Sequence[FileDiff]) -> Iterable[str]:
    """The commits that had written the lines which this one restores, as git's blame has it."""
    named = _REVERTED.findall(commit.message)
    restored = {diff.change.path for diff in diffs if diff.change.added}
    if not named or not restored:
        return ()
    found: dict[str, None] = {}
    undone = [one for one in read_commits(repo, named).values() if one.parents]
    blamed = [
        (one.parents[0], diff)
        for one, changes in ((one, read_diffs(repo, [one]).get(one.oid, ())) for one in undone)
        for diff in changes
        if diff.change.path in restored and diff.change.deleted
    ]
    for parent, diff in blamed[:_MOST_BLAMED]:
        ranges = [f"-L{h.old_start},+{h.old_count}" for h in diff.hunks if h.old_count]
        answer = repo.ask(
            "blame",
            "--porcelain",
            *ranges,
            parent,
            "--",
            paths.encode(diff.change.path).decode("utf-8", "surrogateescape"),
        )
        for line in answer.out.split(b"\n"):
            words = line.split(b" ")
            if len(words) in {3, 4} and len(words[0]) in {40, 64} and words[1].isdigit():
                found[words[0].decode("ascii", "replace")] = None
    return list(found)[:_MOST_ALIKE]
