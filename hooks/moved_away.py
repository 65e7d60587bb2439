"""Files that agents left and whoever committed had moved before: the commit holds them under other names alone."""

from collections.abc import Mapping, Sequence

from foureyes.hooks.repo import Repo
from foureyes.shared import paths
from foureyes.shared.diff import FileDiff
from foureyes.shared.renamed_lines import renamed


def has_unexplained(diffs: Sequence[FileDiff], known: Mapping[str, object]) -> bool:
    """Whether a new file with lines is there that no agent was seen to write, and that is no file of the parent."""
    new = {diff.change.path for diff in diffs if diff.change.status == "A" and diff.hunks}
    return not new <= known.keys() | renamed(diffs).keys()


def not_held(repo: Repo, asked: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of the paths asked for of each commit those at which it holds nothing; one process."""
    names = [(oid, path, paths.encode(path)) for oid, some in asked.items() for path in some]
    names = [one for one in names if b"\n" not in one[2]]
    if not names:
        return {}
    lines = b"".join(oid.encode() + b":" + name + b"\n" for oid, _, name in names)
    out = repo.git("cat-file", "--batch-check=%(objectname)", input=lines)
    found: dict[str, list[str]] = {}
    for (oid, path, _), answer in zip(names, out.split(b"\n"), strict=False):
        if answer.endswith(b" missing"):
            found.setdefault(oid, []).append(path)
    return found
