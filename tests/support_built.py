"""Records as the hooks build them. Asked again for the same while nothing in the repository has changed, the answer is
the one that there was: building starts a dozen processes.
"""

import os
from pathlib import Path

from support_git import head

from foureyes.hooks.build import Builder, build
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Record

OLGA = Builder("person@example.com", "olga", "github.com/acme/shop", ())

_built: dict[tuple[str, Builder], Record] = {}
_of: list[object] = []


def record(repo: Path, name: str = "HEAD", builder: Builder = OLGA) -> Record:
    now = [repo, _state(repo / ".git")]
    if now != _of or not now[1]:  # of a linked worktree nothing is known here
        _built.clear()
        _of[:] = now
    asked = (head(repo, name), builder)
    if asked not in _built:
        _built[asked] = build(Repo.open(repo), [asked[0]], builder)[asked[0]]
    return _built[asked]


def _state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Of every file of git's and ours, objects aside: what a ref does not lead to is not built from."""
    files = {}
    for place, folders, names in os.walk(folder):
        if place == str(folder):
            folders.remove("objects")
        for name in names:
            found = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 -- asked very often
            files[os.path.join(place, name)] = (found.st_ino, found.st_size, found.st_mtime_ns)  # noqa: PTH118
    return files
