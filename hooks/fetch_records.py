"""Colleagues' records, fetched when somebody asks for them."""

import hashlib
import os
import time
from collections.abc import Collection
from pathlib import Path

from foureyes.hooks.published import SEEN
from foureyes.hooks.remote import FETCH, SECRET, Remote
from foureyes.hooks.repo import Repo
from foureyes.shared.record_ref import PREFIX

_SECONDS = 30.0
_AGAIN_AFTER = 600.0


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
    place = hashlib.sha256(remote.url.encode()).hexdigest()[:16]
    spec = f"+{PREFIX}*:{SEEN}{place}/*"
    # A partial clone would get the records without their contents, and then each of them one by one.
    answer = repo.ask_remote(
        "-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", *FETCH, "--no-filter", remote.name, spec,
        seconds=_SECONDS,
    )  # fmt: skip
    if answer.status == 0:
        _stamp(repo, place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _stamp(repo, place).touch()
        return ""
    lines = [line.strip() for line in answer.words.splitlines() if line.strip()]
    return SECRET.sub("//", next(iter(lines), f"git ended with status {answer.status}"))


def fetch_missing(repo: Repo, missing: Collection[str], *, offline: bool) -> bool:
    """Ask the remote if records are missing, but not again and again: much of a history has none, and never will.
    Whether it answered. Silent: what is not there is told as such by whoever asked.
    """
    remote = remote_here(repo) if missing and not offline else None
    if remote is None:
        return False
    place = hashlib.sha256(remote.url.encode()).hexdigest()[:16]
    try:
        young = time.time() - _stamp(repo, place).stat().st_mtime < _AGAIN_AFTER
    except OSError:
        young = False
    return not young and not fetch_records(repo, remote)


def _stamp(repo: Repo, place: str) -> Path:
    return repo.home / "fetched" / place
