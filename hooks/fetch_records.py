"""Colleagues' records, fetched when somebody asks for them."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from foureyes.hooks.objects import SEEN
from foureyes.hooks.remote import CREDENTIALS, FETCH, Remote
from foureyes.hooks.repo import Repo
from foureyes.hooks.sharing import keep_to, make_folder
from foureyes.shared.record_ref import PREFIX

_SECONDS = 30.0
_AGAIN_AFTER = 600.0
_AGAIN_AFTER_FAILURE = 60.0


def remote_here(repo: Repo, wanted: str | None = None) -> Remote | None:
    """The remote that records are read from: the one named, else that of the current branch, else `origin` or the only
    one there is.
    """
    names = os.fsdecode(repo.git("remote")).split()
    if not names:
        return None
    branch = os.fsdecode(repo.ask("symbolic-ref", "-q", "--short", "HEAD").out).strip()
    configured = repo.config(f"branch.{branch}.remote") if branch else None
    for name in (wanted, configured, "origin", names[0] if len(names) == 1 else None):
        if name in names and name is not None:
            return Remote(name, os.fsdecode(repo.git("remote", "get-url", "--push", name)).strip())
    return None


def fetch_records(repo: Repo, remote: Remote) -> str:
    """All record refs of the remote. What went wrong, empty if nothing did."""
    import hashlib  # most who ask have asked lately, and wait for what it brings

    place = hashlib.sha256(remote.url.encode()).hexdigest()[:16]
    spec = f"+{PREFIX}*:{SEEN}{place}/*"
    # A partial clone would get the records without their contents, and then each of them one by one.
    with _telling(f"asking {remote.name} for records ..."):
        answer = repo.ask_remote(
            "-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", *FETCH, "--no-filter", remote.name, spec,
            seconds=_SECONDS,
        )  # fmt: skip
    _stamp(repo, place, again_after=_AGAIN_AFTER if answer.status == 0 else _AGAIN_AFTER_FAILURE)
    if answer.status == 0:
        return ""
    lines = [line.strip() for line in answer.words.splitlines() if line.strip()]
    return re.sub(CREDENTIALS, "//", next(iter(lines), f"git ended with status {answer.status}"))


@contextlib.contextmanager
def _telling(text: str) -> Iterator[None]:
    """What is waited for, on a terminal and only as long."""
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        sys.stderr.write(f"foureyes: {text}")
        sys.stderr.flush()
    try:
        yield
    finally:
        if on_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def fetch_missing(repo: Repo, missing: Collection[str], *, offline: bool) -> bool:
    """Ask the remote if records are missing, but not again and again: much of a history has none, and never will.
    Whether it answered. Silent: what is not there is told as such by whoever asked.
    """
    if not missing or offline or _asked_lately(repo):
        return False
    remote = remote_here(repo)
    return remote is not None and not fetch_records(repo, remote)


def _asked_lately(repo: Repo) -> bool:
    now = time.time()
    with contextlib.suppress(OSError):
        return any(now < stamp.stat().st_mtime <= now + _AGAIN_AFTER for stamp in _stamps(repo).iterdir())
    return False


def _stamp(repo: Repo, place: str, *, again_after: float) -> None:
    """An empty file for each remote; its time is when it may be asked again."""
    stamp = _stamps(repo) / place
    with contextlib.suppress(OSError):
        make_folder(repo.home)
        keep_to(repo.home)
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
        os.utime(stamp, (time.time(), time.time() + again_after))


def _stamps(repo: Repo) -> Path:
    return repo.home / "fetched"
