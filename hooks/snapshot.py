"""What differs from the checked-out commit, before and after a tool that may change anything (a shell)."""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from foureyes.hooks.evidence import LARGEST_KEPT, Evidence
from foureyes.hooks.journal import Line, read_journal
from foureyes.hooks.raw_commit import seconds
from foureyes.hooks.repo import Repo
from foureyes.hooks.tool_events import UNKNOWN, Pending, Ref, Touched, state_of
from foureyes.shared import paths

_MOST_KEPT = 2000
"""Beyond this many changed files (an unignored dependency folder) contents are compared by size and time only."""


class NewCommit(NamedTuple):
    """A commit that was made during a tool call. `authored`: its content was, too (not a rebase or cherry-pick)."""

    oid: str
    made: int
    authored: bool


def root_of(repo: Repo) -> Path:
    if repo.work_tree is None:
        raise ValueError("a bare repository has no files to look at")
    return repo.work_tree


def head_of(repo: Repo) -> str:
    """The commit that is checked out, "" on an unborn branch."""
    return repo.ask("rev-parse", "-q", "--verify", "HEAD^{commit}").out.decode("ascii").strip()


def content_at(root: Path, path: bytes, evidence: Evidence, *, keep: bool = True) -> Ref:
    """The reference of a file's content now; a symbolic link's content is its target, as in git."""
    full = os.fsencode(root) + b"/" + path
    try:
        found = os.lstat(full)
        if stat.S_ISLNK(found.st_mode):
            return evidence.keep(os.readlink(full))  # noqa: PTH115 -- names are bytes
        if not stat.S_ISREG(found.st_mode):
            return None
        if not keep or found.st_size > LARGEST_KEPT:
            return f"t:{found.st_size}:{found.st_mtime_ns}"
        with open(full, "rb") as file:  # noqa: PTH123 -- names are bytes
            return evidence.keep(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        return UNKNOWN


def known_again(root: Path, path: str, ref: Ref, until: float) -> Ref:
    """The reference to a file too large to keep, with what tells its content wherever it is met; as it was given where
    that takes longer than `until` (of `time.monotonic`), or the file is another one by now.
    """
    if ref is None or not ref.startswith("t:"):
        return ref
    import hashlib  # an edit of a small file needs none of it

    size = int(ref.split(":")[1])
    head = b"blob %d\0" % size
    digests = [hashlib.sha256(), *(hashlib.new(n, head, usedforsecurity=False) for n in ("sha1", "sha256"))]
    try:
        with open(os.fsencode(root) + b"/" + paths.encode(path), "rb", 0) as file:  # noqa: PTH123 -- names are bytes
            while part := file.read(1 << 20):
                if time.monotonic() > until:
                    return ref
                for digest in digests:
                    digest.update(part)
            now = os.fstat(file.fileno())
    except OSError:
        return ref
    same = ref == f"t:{now.st_size}:{now.st_mtime_ns}"
    return ":".join((ref, *(digest.hexdigest() for digest in digests))) if same else ref


def executable(root: Path, names: Iterable[bytes]) -> tuple[str, ...]:
    """Which of these files can be run, as far as git looks at that."""
    return tuple(paths.decode(name) for name in sorted(names) if _is_executable(root, name))


def _is_executable(root: Path, name: bytes) -> bool:
    try:
        mode = os.lstat(os.fsencode(root) + b"/" + name).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


def contents(root: Path, names: Iterable[bytes], evidence: Evidence) -> dict[str, Ref]:
    found: dict[str, Ref] = {}
    for name in sorted(set(names)):
        found[paths.decode(name)] = content_at(root, name, evidence, keep=len(found) < _MOST_KEPT)
    return found


_DIFF = (
    *("-c", "diff.autoRefreshIndex=true", "diff", "-z", "--raw", "--no-renames", "--no-abbrev"),
    *("--no-ext-diff", "--no-relative", "--ignore-submodules=all", "-O/dev/null"),
)
"""The porcelain, because diff-index also lists every file whose time alone has changed."""


def raw_diff(repo: Repo, *asked: str) -> Iterator[tuple[list[str], bytes]]:
    """Old mode, new mode, old id, new id and status of each path that git says differs, and the path."""
    fields = repo.git(*_DIFF, *asked, "--").split(b"\0")
    for about, name in zip(fields[0:-1:2], fields[1::2], strict=False):
        yield about.decode("ascii").removeprefix(":").split(), name


class Committed(NamedTuple):
    """What a commit has of a path."""

    blob: str
    executable: bool


def changed(repo: Repo, commit: str) -> dict[bytes, Committed | None]:
    """Paths where the work tree or index differs from a commit ("" for none), with what the commit has (None: nothing
    there), and everything untracked that is not ignored.
    """
    found: dict[bytes, Committed | None] = {}
    if commit:
        for (mode, _, oid, *_), name in raw_diff(repo, commit):
            found[name] = Committed(oid, mode.endswith("755")) if oid.strip("0") else None
    listed = ("-o",) if commit else ("-c", "-o")
    for name in repo.git("ls-files", *listed, "--exclude-standard", "-z").split(b"\0")[:-1]:
        if not name.endswith(b"/"):  # a repository inside this one
            found.setdefault(name, None)
    return found


def compare(
    repo: Repo, before: Pending, evidence: Evidence, commits: Iterable[NewCommit]
) -> tuple[Touched, ...]:
    """What a tool call changed. Files that came by a checkout or a pull are not its work: where HEAD moved, a file
    that equals the new HEAD counts only if a commit that was authored meanwhile touches it.
    """
    root = root_of(repo)
    committed = changed(repo, before.head)
    names = set(committed)
    head = head_of(repo)
    if head != before.head:
        authored = [commit.oid for commit in commits if commit.authored]
        names &= set(changed(repo, head)) | _paths_of(repo, authored)
    names |= {paths.encode(path) for path in before.contents}
    found = []
    for number, name in enumerate(sorted(names)):
        path, old = paths.decode(name), committed.get(name)
        then = before.contents.get(path, _blob_ref(old))
        now = content_at(root, name, evidence, keep=number < _MOST_KEPT)
        if not is_same(then, now, evidence):
            found.append(Touched(path, then, now))
        elif now is not None:
            could = (
                path in before.executable if path in before.contents else old is not None and old.executable
            )
            if _is_executable(root, name) != could:
                found.append(Touched(path, now, now))
    return tuple(found)


def since(repo: Repo, lost: Pending, evidence: Evidence) -> tuple[Touched, ...]:
    """All that may have changed since a call began of which nothing was seen: what differs from HEAD, with what HEAD
    has, and what has been committed meanwhile, of which nobody knows what was there before.
    """
    made = [commit.oid for commit in new_commits(repo, lost) if commit.authored]
    if made and lost.tick:  # more exact than seconds
        lines = read_journal(repo.common_dir)
        made = [oid for oid in made if all(_may_follow(line, lost.tick) for line in lines.get(oid, ()))]
    committed, meanwhile = changed(repo, head_of(repo)), _paths_of(repo, made)
    found = []
    for path, now in contents(root_of(repo), committed.keys() | meanwhile, evidence).items():
        name = paths.encode(path)
        then = UNKNOWN if name in meanwhile else _blob_ref(committed[name])
        found.append(Touched(path, then, now))
    return tuple(found)


def _blob_ref(committed: Committed | None) -> Ref:
    return f"g:{committed.blob}" if committed else None


def _may_follow(line: Line, tick: int) -> bool:
    return line.reached is None or line.reached >= tick


def is_same(one: Ref, other: Ref, evidence: Evidence) -> bool:
    """Whether two looks found one content; a commit's blob is what the work tree has of it."""
    if one is None or other is None or one[:2] == other[:2]:
        return state_of(one) == state_of(other)
    blobs, kept = ({ref for ref in (one, other) if ref.startswith(kind)} for kind in ("g:", "s:"))
    content = evidence.read(kept.pop()) if blobs and kept else None
    from foureyes.shared.stored_form import blob_ids  # an edit of a small file needs none of it

    return content is not None and blobs.pop().removeprefix("g:") in blob_ids(content)


def new_commits(repo: Repo, before: Pending) -> tuple[NewCommit, ...]:
    """Commits that came into HEAD since `before` and were made since: not those that a pull brought."""
    head = head_of(repo)
    if not head or head == before.head:
        return ()
    since = int(before.started)
    excluded = (f"^{before.head}",) if before.head else ()
    asked = ("--max-count=500", f"--since=@{since - 1}", "--no-show-signature", "--format=%H %ct %at %P")
    listed = repo.ask("log", "--ignore-missing", *asked, head, *excluded, "--not", "--remotes")
    old_parents = _parents(repo, before.head)
    found = []
    for line in listed.out.decode("ascii").splitlines():
        oid, made, authored, *parents = line.split(" ")
        amended = bool(before.head) and parents == old_parents
        if seconds(made) >= since:
            ours = seconds(authored) >= since or amended
            found.append(NewCommit(oid, seconds(made), ours))
    return tuple(found)


def _parents(repo: Repo, commit: str) -> list[str]:
    if not commit:
        return []
    return repo.ask("rev-list", "--parents", "--max-count=1", commit).out.decode("ascii").split()[1:]


def _paths_of(repo: Repo, commits: list[str]) -> set[bytes]:
    if not commits:
        return set()
    # -c: of a merge those that it has otherwise than each of its parents.
    options = ("-r", "-z", "--root", "--no-commit-id", "--name-only", "--no-renames", "-c", "--stdin")
    listed = repo.git("diff-tree", *options, input="".join(f"{oid}\n" for oid in commits).encode())
    return set(listed.split(b"\0")[:-1])
