"""The commits of base..head as the raw objects say, and what each of them touches.

Identities are taken from the raw objects: a log format would apply `.mailmap` and encodings that the author of a
pull request controls.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from foureyes.github_app.mirror import EMPTY_TREE, GitError, Mirror, Trouble, is_oid
from foureyes.shared import diff, paths
from foureyes.shared.facts import Touch
from foureyes.shared.people import Identity

MOST_COMMITS = 5_000
MOST_MERGES = 250

_ONCE = frozenset({b"tree", b"author", b"committer"})


@dataclass(frozen=True)
class RawCommit:
    """A commit object. `message` is text; bytes that are not UTF-8 are replaced, it only ever adds scrutiny."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    committer: Identity
    message: str


@dataclass(frozen=True)
class Range:
    """`mechanical`: merges whose tree is the automatic merge of their parents."""

    commits: tuple[RawCommit, ...]
    mechanical: frozenset[str]
    touched: tuple[Touch, ...]

    @property
    def oids(self) -> frozenset[str]:
        return frozenset(commit.oid for commit in self.commits)

    @property
    def needing_records(self) -> frozenset[str]:
        """Commits that somebody wrote: a mechanical merge has no class."""
        return self.oids - self.mechanical


def read_range(mirror: Mirror, base: str, head: str) -> Range:
    """All commits reachable from head and not from base, newest first. Raises GitError."""
    oids = mirror.range(head, [base], MOST_COMMITS)
    commits = tuple(_parse_all(mirror, oids))
    by_oid = {commit.oid: commit for commit in commits}
    outside = {parent for commit in commits for parent in commit.parents} - set(by_oid)
    trees = {commit.oid: commit.tree for commit in (*commits, *_parse_all(mirror, sorted(outside)))}
    automatic = _automatic_merges(mirror, commits)
    mechanical = frozenset(oid for oid, (clean, tree) in automatic.items() if clean and tree == trees[oid])
    return Range(commits, mechanical, _touched(mirror, commits, trees, automatic, mechanical))


def parse_commit(oid: str, raw: bytes) -> RawCommit:
    """Raises GitError(MALFORMED) where the object is not what git itself writes: two trees or two authors, or a parent
    further down, which git does not follow.
    """
    head, _, body = raw.partition(b"\n\n")
    lines = [line.partition(b" ")[::2] for line in head.split(b"\n")]
    keys, values = [key for key, _ in lines], [value for _, value in lines]
    made = keys.count(b"parent") + 1
    first = [b"tree", *[b"parent"] * (made - 1), b"author", b"committer"]
    if keys[: made + 2] != first or not _ONCE.isdisjoint(keys[made + 2 :]):
        raise GitError(Trouble.MALFORMED, f"commit {oid} is malformed")
    tree, *parents = (value.decode("ascii", "replace") for value in values[:made])
    if not all(is_oid(name) for name in (tree, *parents)):
        raise GitError(Trouble.MALFORMED, f"commit {oid} is malformed")
    author, committer = (_identity(value) for value in values[made : made + 2])
    return RawCommit(oid, tree, tuple(parents), author, committer, body.decode("utf-8", "replace"))


def touches(raw: bytes, commit_of: Mapping[tuple[str, str], str]) -> Iterable[Touch]:
    """Reads `git diff-tree --stdin -r -z --raw` of tree pairs; `commit_of` says whose pair it is."""
    commit = ""
    position = 0
    while position < len(raw):
        if raw[position : position + 1] == b"\n":
            position += 1
        elif raw[position : position + 1] == b":":
            end = raw.index(b"\0", position)
            old_mode, new_mode, _, new_blob = raw[position + 1 : end].decode("ascii").split(" ")[:4]
            stop = raw.index(b"\0", end + 1)
            yield Touch(paths.decode(raw[end + 1 : stop]), commit, old_mode, new_mode, new_blob)
            position = stop + 1
        else:
            end = raw.index(b"\n", position)
            old, new = raw[position:end].decode("ascii").split(" ")
            commit = commit_of[old, new]
            position = end + 1


def _identity(line: bytes) -> Identity:
    """`Name <address> 1700000000 +0000`: the name ends at the first `<`, the address at the first `>` after it."""
    name, _, rest = line.partition(b"<")
    address, _, _ = rest.partition(b">")
    return Identity(name.decode("utf-8", "replace").strip(), address.decode("utf-8", "replace").strip())


def _parse_all(mirror: Mirror, oids: Iterable[str]) -> Iterable[RawCommit]:
    raw = mirror.objects(oids, "commit", cap=256 * 1024 * 1024)
    return (parse_commit(oid, content) for oid, content in raw.items())


def _automatic_merges(mirror: Mirror, commits: Iterable[RawCommit]) -> dict[str, tuple[bool, str]]:
    """Merge commit -> (clean, tree) that git makes of its two parents. Those that git cannot do are left out."""
    merges = [commit for commit in commits if len(commit.parents) == 2][:MOST_MERGES]
    found = {}
    for commit in merges:
        ours, theirs = commit.parents
        if mirror.merge_bases(ours, theirs):
            made = mirror.automatic_merge(ours, theirs)
            found[commit.oid] = (made.clean, made.tree)
    return found


def _touched(
    mirror: Mirror,
    commits: Iterable[RawCommit],
    trees: Mapping[str, str],
    automatic: Mapping[str, tuple[bool, str]],
    mechanical: frozenset[str],
) -> tuple[Touch, ...]:
    """What each commit changes against its parent; a merge against the automatic merge of its parents, so that what
    its maker did by hand shows, also where they kept one side. A merge that git cannot make: against every parent.
    """
    pairs: dict[tuple[str, str], str] = {}
    for commit in commits:
        if commit.oid in mechanical:
            continue
        if commit.oid in automatic:
            olds = [automatic[commit.oid][1]]
        else:
            olds = [trees[parent] for parent in commit.parents] or [EMPTY_TREE]
        for old in olds:
            if old != commit.tree:
                pairs.setdefault((old, commit.tree), commit.oid)
    if not pairs:
        return ()
    return tuple(touches(mirror.diff_pairs(list(pairs), diff.GIT_RAW_ARGS), pairs))
