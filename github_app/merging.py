"""Our own test merge of a head into a base tip, and what it changes: the ground of every verdict.

Never GitHub's list of files, which stops at 3,000, has no modes and can be emptied by a criss-cross history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from foureyes.github_app.mirror import GitError, Mirror, Trouble
from foureyes.github_app.range import parse_commit
from foureyes.shared import diff, paths
from foureyes.shared.destruction import emptied
from foureyes.shared.facts import Change, Held, Merge, MergeState
from foureyes.shared.hidden import hidden


@dataclass(frozen=True)
class Merged:
    """`changes`: base tip -> merge result; without a clean merge, what the head changes (shown to people only, such
    a pull request cannot pass). `hidden`: changed paths that the three-dot diff may not show, or not all of.
    """

    merge: Merge
    changes: tuple[Change, ...]
    hidden: tuple[str, ...]
    held: Held | None = None
    """See facts.PullFacts."""


def merge(mirror: Mirror, base: str, head: str, github_merges: Iterable[str] = ()) -> Merged:
    """`github_merges` are commits that GitHub may have made of the same two, "" for none. Raises GitError."""
    bases = mirror.merge_bases(base, head)
    if not bases:
        return _counted(mirror, Merge(MergeState.UNRELATED), base, head)
    made = mirror.automatic_merge(base, head)
    github_tree = _github_tree(mirror, base, head, github_merges, made.tree if made.clean else None)
    if not made.clean:
        conflict = Merge(MergeState.CONFLICT, None, github_tree)
        return _counted(mirror, conflict, bases[0], head)
    clean = _counted(mirror, Merge(MergeState.CLEAN, made.tree, github_tree), base, made.tree)
    return replace(clean, hidden=_hidden(mirror, base, bases, head, clean.changes))


def _counted(mirror: Mirror, merge: Merge, old: str, new: str) -> Merged:
    changes = counted_changes(mirror, old, new)
    return Merged(merge, changes, (), _held(mirror, old, changes))


def _held(mirror: Mirror, old: str, changes: tuple[Change, ...]) -> Held | None:
    """Nothing is judged by it, so no failure of it counts."""
    directory = emptied(changes)
    if directory is None:
        return None
    try:
        return Held(directory, mirror.files_below(old, paths.encode(directory)))
    except GitError:
        return None


def uncounted(mirror: Mirror, base: str, head: str) -> Merged:
    """The same as `merge` without line counts and without GitHub's own merge: all of it from what is here, but for
    blobs that a merge of contents needs. Raises GitError.
    """
    bases = mirror.merge_bases(base, head)
    if not bases:
        return Merged(Merge(MergeState.UNRELATED), raw_changes(mirror, base, head), ())
    made = mirror.automatic_merge(base, head)
    if not made.clean:
        return Merged(Merge(MergeState.CONFLICT), raw_changes(mirror, bases[0], head), ())
    changes = raw_changes(mirror, base, made.tree)
    return Merged(Merge(MergeState.CLEAN, made.tree), changes, _hidden(mirror, base, bases, head, changes))


def net(mirror: Mirror, base: str, head: str) -> Merged:
    """As `uncounted`, for a digest, which needs no line counts. Raises GitError without a clean merge."""
    merged = uncounted(mirror, base, head)
    if merged.merge.state is MergeState.UNRELATED:
        raise GitError(Trouble.NO_REF, "the histories were unrelated")
    if merged.merge.state is MergeState.CONFLICT:
        raise GitError(Trouble.NO_REF, "it conflicted with its base")
    return merged


def raw_changes(mirror: Mirror, old: str, new: str) -> tuple[Change, ...]:
    try:
        return diff.parse_raw(mirror.diff(old, new, diff.GIT_RAW_ARGS))
    except diff.DiffError as error:
        raise GitError(Trouble.SUSPECT, f"git's list of changes was not understood: {error}") from error


def counted_changes(mirror: Mirror, old: str, new: str) -> tuple[Change, ...]:
    """With lines counted by git. Fetches the blobs in one batch."""
    try:
        return tuple(
            part.change for part in diff.parse_diff(mirror.diff(old, new, diff.GIT_DIFF_ARGS, online=True))
        )
    except diff.DiffError as error:
        raise GitError(Trouble.SUSPECT, f"git's patch was not understood: {error}") from error


def _hidden(
    mirror: Mirror, base: str, bases: tuple[str, ...], head: str, changes: tuple[Change, ...]
) -> tuple[str, ...]:
    # with the base's tip in the head, what GitHub shows is the change itself
    return hidden(changes, [raw_changes(mirror, one, head) for one in bases if one != base])


def _github_tree(
    mirror: Mirror, base: str, head: str, candidates: Iterable[str], ours: str | None
) -> str | None:
    """Of a merge of exactly these two; GitHub makes it late and may show an older one. One that differs speaks."""
    trees = set()
    for oid in {candidate for candidate in candidates if candidate}:
        if not mirror.missing([oid]):
            commit = parse_commit(oid, mirror.objects([oid], "commit")[oid])
            if commit.parents == (base, head):
                trees.add(commit.tree)
    return min(trees - {ours}, default=ours if ours in trees else None)
