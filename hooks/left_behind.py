"""Edits that stayed behind on another branch: an agent changed a file, it was committed there, and then somebody
switched branches and changed the same lines. The evidence alone would call the lines that went away the agent's.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from foureyes.hooks.commits import Commit
from foureyes.hooks.journal import Line
from foureyes.hooks.repo import Repo
from foureyes.shared import paths
from foureyes.shared.attribution import Edit
from foureyes.shared.record import Contributor

_MOST_COMMITS = 20


def doubtful_paths(parts: Iterable[Contributor]) -> set[str]:
    """Paths of which an agent removed lines, or may have, and nothing that it wrote is left, though others wrote in the
    place.
    """
    parts = tuple(parts)
    written = {part.path for part in parts if part.side == "added" and part.cls == "ai"}
    others = {part.path for part in parts if part.side == "added" and part.cls != "ai"}
    return {part.path for part in parts if part.side == "removed" and part.cls != "human"} & others - written


def without_left_behind(
    repo: Repo,
    commit: Commit,
    edits: Sequence[Edit],
    doubtful: set[str],
    journal: Mapping[str, Sequence[Line]],
) -> tuple[Edit, ...]:
    """The edits without those of the doubtful paths whose result is in an earlier commit of this worktree that is no
    ancestor of this one.
    """
    own = journal.get(commit.oid, ())
    here = {line.worktree for line in own}
    # by the hooks' own clock where it is known: it may be a second before git's, which can be set at will besides
    at = max((line.at for line in own), default=commit.committed_at)
    earlier = sorted(
        (-lines[0].at, oid)
        for oid, lines in journal.items()
        if oid != commit.oid and lines[0].worktree in here and lines[0].at <= at
    )
    asked = "".join(f"{oid}\n" for _, oid in earlier[:_MOST_COMMITS]) + f"^{commit.oid}\n"
    aside = repo.ask("rev-list", "--no-walk", "--stdin", input=asked.encode()).out.decode("ascii").split()
    names = [(path, f"{oid}:".encode() + paths.encode(path)) for oid in aside for path in sorted(doubtful)]
    names = [(path, name) for path, name in names if b"\n" not in name]
    if not names:
        return tuple(edits)
    out = repo.git(
        "cat-file", "--batch-check=%(objectname)", input=b"".join(name + b"\n" for _, name in names)
    )
    there = {(path, blob) for (path, _), blob in zip(names, out.decode().splitlines(), strict=True)}
    behind = {edit.path for edit in edits if (edit.path, _blob(edit.after, len(commit.oid))) in there}
    return tuple(edit for edit in edits if edit.path not in behind & doubtful)


def _blob(content: bytes | None, digits: int) -> str:
    if content is None:
        return ""
    whole = b"blob %d\0" % len(content) + content
    return (hashlib.sha1(whole, usedforsecurity=False) if digits == 40 else hashlib.sha256(whole)).hexdigest()
