"""The records of this repository, kept as git notes in `refs/notes/foureyes`.

All records of a batch are written by one process, on top of what is there: `git fast-import` refuses to move a ref
that changed meanwhile, and then the batch is tried again on the new tip. `git notes add` would lose every second
one of parallel writes.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from foureyes.hooks.repo import GitFailed, Repo
from foureyes.hooks.sharing import keep_to, make_folder
from foureyes.shared.errors import UserError

NOTES = "refs/notes/foureyes"
_ATTEMPTS = 20
_IDENTITY = "foureyes <foureyes@localhost>"


class Put(NamedTuple):
    """One file of a commit made by `commit_files`, or with `note_for` the note of that commit."""

    path: str
    content: bytes
    note_for: str = ""


def read_records(repo: Repo, commits: Iterable[str]) -> dict[str, bytes]:
    """The records that are kept for these commits; one process for all of them."""
    wanted = list(commits)
    blobs = notes_of(repo) if wanted else {}
    found = {oid: blobs[oid] for oid in wanted if oid in blobs}
    contents = read_blobs(repo, found.values())
    return {oid: contents[blob] for oid, blob in found.items() if blob in contents}


def kept_commits(repo: Repo) -> set[str]:
    """All commits that a record is kept for."""
    return set(notes_of(repo))


def notes_of(repo: Repo, ref: str = NOTES) -> dict[str, str]:
    """Commit -> blob of its note."""
    tip = tip_of(repo, ref)  # the ref may come into being at any moment: one look decides, at one id
    if not tip:
        return {}
    answer = repo.ask("ls-tree", "-r", "-z", "--full-tree", tip)
    if answer.status != 0:
        raise GitFailed(("ls-tree",), answer.status, answer.words)
    blobs: dict[str, str] = {}
    for line in answer.out.split(b"\0")[:-1]:
        meta, name = line.split(b"\t", 1)
        # git spreads many notes over folders, aa/bbcc...: the commit's id is the path without slashes.
        blobs[name.decode("ascii", "replace").replace("/", "")] = meta.split(b" ")[2].decode("ascii")
    return blobs


def keep_records(repo: Repo, records: Mapping[str, bytes], *, at: int) -> None:
    """Add records (commit id -> bytes). `at` is the time written into the notes' own commit. Raises UserError."""
    keep_notes(repo, NOTES, records, at=at)


def keep_notes(repo: Repo, ref: str, notes: Mapping[str, bytes], *, at: int) -> None:
    """Add notes (commit id -> bytes) to a notes ref, in place of those that are there. Raises UserError."""
    if not notes:
        return
    puts = [Put("", content, note_for=commit) for commit, content in notes.items()]
    with _lock(repo):
        for _ in range(_ATTEMPTS):
            if commit_files(repo, ref, tip_of(repo, ref), puts, at=at):
                return
    raise UserError(
        f"{ref} could not be written: others keep changing it",
        next_step="try again, or run `foureyes publish`" if ref == NOTES else "try again",
    )


def tip_of(repo: Repo, ref: str) -> str:
    """The id that a ref has, "" if there is none."""
    return repo.ask("rev-parse", "-q", "--verify", ref).out.decode("ascii").strip()


def commit_files(repo: Repo, ref: str, parent: str, puts: Iterable[Put], *, at: int) -> bool:
    """Move `ref` to a new commit on top of `parent` ("" for none). False if the ref was moved by someone else."""
    stream = bytearray()
    stream += f"commit {ref}\ncommitter {_IDENTITY} {at} +0000\ndata 0\n".encode()
    if parent:
        stream += f"from {parent}\n".encode()
    for put in puts:
        head = f"N inline {put.note_for}\n" if put.note_for else f"M 100644 inline {put.path}\n"
        stream += head.encode() + f"data {len(put.content)}\n".encode() + put.content + b"\n"
    answer = repo.ask(
        "fast-import", "--quiet", "--done", input=bytes(stream) + b"done\n", env={"LC_ALL": "C"}
    )
    if answer.status == 0:
        return True
    # How git says it differs from version to version, so the ref itself is asked. A lock shows nothing there yet.
    locked = any(words in answer.words.lower() for words in ("cannot lock ref", "not update ref"))
    if locked or tip_of(repo, ref) != parent:
        return False
    raise GitFailed(("fast-import",), answer.status, answer.words)


def read_blobs(repo: Repo, oids: Iterable[str]) -> dict[str, bytes]:
    """Contents by id, in one process. What is not there is left out."""
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    out = repo.git("cat-file", "--batch", input="".join(f"{oid}\n" for oid in wanted).encode())
    found: dict[str, bytes] = {}
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        header = out[at:end].split(b" ")
        at = end + 1
        if len(header) == 3:
            size = int(header[2])
            found[header[0].decode("ascii")] = out[at : at + size]
            at += size + 1
    return found


@contextmanager
def _lock(repo: Repo) -> Iterator[None]:
    """Ours wait in line here; whoever writes the ref in another way is caught by compare-and-swap."""
    make_folder(repo.home)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(repo.home / "lock", flags, keep_to(repo.home))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
