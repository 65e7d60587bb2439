"""How much memory git may use: what this machine or our container has, shared among all processes that may run."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from foureyes.github_app.git_process import MIB

MOST = 4_096 * MIB
LEAST = 256 * MIB
"""Below that git cannot do much; with many workers on a small machine all together may then want more than there is."""
SYSTEM = Path("/")


def git_memory(workers: int, root: Path = SYSTEM) -> int:
    """Bytes of one process: three quarters of the memory for one of each worker and one of the sweep, all at once."""
    return max(LEAST, min(MOST, memory(root) * 3 // 4 // (workers + 1)))


def memory(root: Path = SYSTEM) -> int:
    """Bytes, as far as the system tells; nothing told is taken for plenty."""
    return min(_told(root), default=MOST * 1024)


def _told(root: Path) -> Iterator[int]:
    if root == SYSTEM:
        with suppress(OSError, ValueError):
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for file in _limits(root):
        with suppress(OSError, ValueError):
            yield int(file.read_text("ascii"))  # "max": none


def _limits(root: Path) -> Iterator[Path]:
    """The files of our control groups, of version 2 and 1: a group has no more than those that it is in."""
    groups = root / "sys" / "fs" / "cgroup"
    yield groups / "memory" / "memory.limit_in_bytes"
    with suppress(OSError, ValueError):
        for line in (root / "proc" / "self" / "cgroup").read_text("utf-8").splitlines():
            number, kinds, path = line.split(":", 2)
            own = Path(path.lstrip("/"))
            for group in (own, *own.parents):
                if number == "0":
                    yield groups / group / "memory.max"
                elif "memory" in kinds.split(","):
                    yield groups / "memory" / group / "memory.limit_in_bytes"
