"""What one repository may take of this machine: disk, memory, time. What takes more is refused for a while, without
another try, and no look waits long for another look's fetch: everything else goes on.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from math import inf
from pathlib import Path

from foureyes.github_app.git_process import MIB as MIB
from foureyes.github_app.git_process import MORE_DISK, GitError, Trouble

PATIENCE = 20.0
"""Seconds that a look waits for another look's fetch of the same repository."""
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3_600.0
MOST_PACKS = 50
MOST_LOOSE = 20
"""Loose objects in one of the 256 folders that they are spread over."""
A_DAY = 86_400.0

AN_HOUR = 3_600.0
MOST_REFUSED = 1_000

_EXCEEDED = (Trouble.TOO_BIG, Trouble.TIMEOUT)


@dataclass(frozen=True)
class _Refused:
    error: GitError
    until: float
    pause: float


@dataclass
class Bounds:
    """Of one mirror; sizes in bytes. Safe for many threads."""

    disk: int = 8_192 * MIB
    memory: int = 4_096 * MIB
    """Of one git process."""
    clock: Callable[[], float] = time.monotonic
    patience: float = PATIENCE
    _refused: dict[Hashable, _Refused] = field(default_factory=dict, repr=False)
    _emptied: float | None = field(default=None, repr=False)

    @contextmanager
    def one_at_a_time(self, lock: "threading.RLock", folder: Path, wanted: Hashable) -> Iterator[None]:
        """As `watched`, and BUSY is raised while another fetches for long."""
        if not lock.acquire(timeout=self.patience):
            raise GitError(Trouble.BUSY, "the repository is being fetched, and that takes long")
        try:
            with self.watched(wanted):
                yield
        except GitError as error:
            if error.trouble in _EXCEEDED:
                drop_half_done(folder)
            raise
        finally:
            lock.release()

    @contextmanager
    def watched(self, wanted: Hashable) -> Iterator[None]:
        """What may take much. Raises GitError; where the same passed the bounds lately, without a try."""
        before = self._refused.get(wanted)
        if before is not None and self.clock() < before.until:
            raise before.error
        try:
            yield
        except GitError as error:
            if error.trouble in _EXCEEDED:
                self._refuse(error, wanted)
            raise
        self._refused.pop(wanted, None)

    def room(self, folder: Path) -> int:
        """Bytes that the mirror may still grow by. Raises GitError if there is next to nothing left."""
        left = self.disk - size(folder)
        if left < self.disk // 100:
            raise GitError(Trouble.TOO_BIG, f"its mirror takes more than {self.disk // MIB} MiB; {MORE_DISK}")
        return left

    def may_empty(self, folder: Path) -> bool:
        """A mirror that is full may hold what is long over; once an hour it is worth beginning anew."""
        if self.disk - size(folder) >= self.disk // 100:
            return False
        if self._emptied is not None and self.clock() - self._emptied < AN_HOUR:
            return False
        self._emptied = self.clock()
        return True

    def is_untidy(self, folder: Path) -> bool:
        objects = folder / "objects"
        packs = sum(1 for _ in (objects / "pack").glob("*.pack"))
        return packs > MOST_PACKS or sum(1 for _ in (objects / "17").glob("*")) > MOST_LOOSE

    def _refuse(self, error: GitError, wanted: Hashable) -> None:
        before = self._refused.get(wanted)
        pause = min(before.pause * 2, LONGEST_PAUSE) if before is not None else FIRST_PAUSE
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused[wanted] = _Refused(error, self.clock() + pause, pause)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Nobody drops the mirror meanwhile as one that is not used, this process or another one on the same disk. Raises
    GitError where there is none.
    """
    try:
        mark = (folder / "HEAD").open("rb")
    except FileNotFoundError as error:
        raise GitError(Trouble.SUSPECT, "there is no mirror") from error
    with mark:
        with suppress(OSError):  # of a disk that knows no locks nothing is dropped
            flock(mark, LOCK_SH)
            os.utime(mark.fileno())
        yield


def drop_unused(folder: Path, since: float) -> bool:
    """The whole mirror, if nobody has used it since, in seconds since 1970, and nobody does now."""
    try:
        with (folder / "HEAD").open("r+b") as mark:
            flock(mark, LOCK_EX | LOCK_NB)
            if last_used(folder) >= since:
                return False
            grave = Path(tempfile.mkdtemp(prefix="discarded-", dir=folder.parent))
            folder.rename(grave / "mirror")
    except OSError:
        return False
    shutil.rmtree(grave, ignore_errors=True)
    return True


def last_used(folder: Path) -> float:
    """In seconds since 1970; what was used before this was marked has its newest pack."""
    times = [0.0]
    for path in (folder / "HEAD", folder / "objects" / "pack"):
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def size(folder: Path) -> int:
    """Bytes in all objects of a mirror; what goes away meanwhile counts nothing."""
    total = 0
    for path in (folder / "objects").rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def drop_half_done(folder: Path, before: float = inf) -> None:
    """What fetches that were ended left, if it is older than `before`, in seconds since 1970."""
    for path in (folder / "objects" / "pack").glob("tmp_*"):
        _drop_older(path, before)


def drop_loose(folder: Path, before: float) -> None:
    """Loose objects older than `before`, in seconds since 1970: all that is fetched is in packs, these are what merges
    made here, and git touches one that it makes again.
    """
    for path in (folder / "objects").glob("[0-9a-f][0-9a-f]/*"):
        _drop_older(path, before)


def _drop_older(path: Path, before: float) -> None:
    with suppress(OSError):
        if path.lstat().st_mtime < before:
            path.unlink()
