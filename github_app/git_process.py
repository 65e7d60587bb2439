"""One git process: what it may see of this machine, how much it may use, and what its failure means."""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from fcntl import F_GETFL, F_SETFL, fcntl
from pathlib import Path

from foureyes.github_app.redaction import redact

MIB = 1024 * 1024
MORE_DISK = "whoever runs this server can allow a repository more (FOUREYES_MIRROR_MIB)"
MORE_MEMORY = "whoever runs this server can allow more (more memory, or fewer FOUREYES_WORKERS)"
MORE_TIME = "if GitHub answers at all, whoever runs this server can allow more (FOUREYES_FETCH_SECONDS)"

# Set before git starts, so that the helpers it starts have them too; in blocks of 512 bytes and of 1024.
_BOUNDED = 'ulimit -c 0; ulimit -f "$1"; ulimit -d "$2" 2>/dev/null; shift 2; exec "$@"'
_FILE_TOO_LARGE = re.compile(r"died of signal 25|File size limit exceeded|File too large", re.I)
_KILLED = re.compile(r"died of signal 9")
_NO_MEMORY = re.compile(r"out of memory|memory exhausted|Cannot allocate memory|mmap failed", re.I)


class Trouble(StrEnum):
    """What went wrong, as far as git lets one tell. Only SUSPECT may mean that the mirror itself is damaged."""

    NETWORK = "network"
    DENIED = "denied"
    NO_REF = "no such ref"
    TIMEOUT = "timeout"
    TOO_BIG = "too big"
    BUSY = "busy"
    MALFORMED = "malformed"
    SUSPECT = "suspect"


class GitError(Exception):
    """git did not answer. `why` completes "could not be read: ..." and holds no credentials."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        self.trouble = trouble
        self.why = redact(why)
        super().__init__(self.why)


_TROUBLES: tuple[tuple[Trouble, re.Pattern[str]], ...] = (
    (Trouble.NO_REF, re.compile(r"not our ref|couldn't find remote ref|unadvertised object", re.I)),
    (
        Trouble.DENIED,
        re.compile(
            r"authentication failed|could not read (username|password)|error: 40[134]|repository .*not found",
            re.I,
        ),
    ),
    (
        Trouble.NETWORK,
        re.compile(
            r"could not resolve|failed to connect|couldn't connect|connection (refused|reset|timed)|timed out"
            r"|early eof|hung up|rpc failed|unable to access|error: 5\d\d|error: 429|could not fetch"
            r"|unexpected disconnect|does not appear to be a git repository|could not read from remote",
            re.I,
        ),
    ),
)


@dataclass(frozen=True)
class Use:
    """What one process may use: seconds, bytes of its answer, of any file that it writes, of its memory."""

    seconds: float
    answer: int
    file: int
    memory: int


def run(
    command: Sequence[str], verb: str, stdin: bytes, environment: Mapping[str, str], folder: Path, use: Use,
    *, alone: bool,
) -> tuple[int, bytes, str]:  # fmt: skip
    """Exit code, output and what it said. Raises GitError for what passes its bounds.

    `alone`: it starts no helpers, so that its bounds can be set from outside and no shell is needed.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(stdin)
        given.seek(0)
        # git and its helpers write here at once: appended, one does not overwrite what the other says
        fcntl(said, F_SETFL, fcntl(said, F_GETFL) | os.O_APPEND)
        process = subprocess.Popen(
            list(command) if alone else _bounded(command, use), stdin=given, stdout=subprocess.PIPE, stderr=said,
            env=dict(environment), cwd=folder, start_new_session=True,
        )  # fmt: skip
        if alone:
            _bound(process.pid, use)
        out, overran, late = _collect(process, use.answer, use.seconds)
        said.seek(0)
        stderr = said.read(64 * 1024).decode("utf-8", "replace")
    if late:
        raise GitError(Trouble.TIMEOUT, f"git {verb} took more than {use.seconds:g} s; {MORE_TIME}")
    if overran:
        raise GitError(Trouble.TOO_BIG, f"git {verb} answered more than {use.answer // MIB} MiB")
    if process.returncode == -signal.SIGXFSZ or (process.returncode and _FILE_TOO_LARGE.search(stderr)):
        raise GitError(
            Trouble.TOO_BIG, f"git {verb} would take more disk than this repository may; {MORE_DISK}"
        )
    if process.returncode == -signal.SIGKILL or (process.returncode and _KILLED.search(stderr)):
        # not by us: the system ends what takes the most memory when there is none left
        raise GitError(
            Trouble.TOO_BIG, f"git {verb} was killed; if memory ran out, this machine needs more of it"
        )
    if process.returncode and _NO_MEMORY.search(stderr):
        raise GitError(
            Trouble.TOO_BIG, f"git {verb} needed more than {use.memory // MIB} MiB of memory; {MORE_MEMORY}"
        )
    return process.returncode, out, stderr


def failure(verb: str, code: int, stderr: str) -> GitError:
    trouble = next((kind for kind, pattern in _TROUBLES if pattern.search(stderr)), Trouble.SUSPECT)
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "")
    return GitError(trouble, f"git {verb} ended with {code}: {last[:300] or 'no message'}")


def _bounded(command: Sequence[str], use: Use) -> list[str]:
    return ["sh", "-c", _BOUNDED, "sh", str(use.file // 512), str(use.memory // 1024), *command]


def _bound(pid: int, use: Use) -> None:
    if sys.platform == "linux":
        # it may have ended by now
        with suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (use.file, use.file))
            resource.prlimit(pid, resource.RLIMIT_DATA, (use.memory, use.memory))


def _collect(process: "subprocess.Popen[bytes]", cap: int, timeout: float) -> tuple[bytes, bool, bool]:
    """Its output, whether that passed `cap`, whether time ran out. The process is gone afterwards."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with process.stdout as pipe:
            out = pipe.read(cap + 1)
        if len(out) > cap:
            _kill(process)
        process.wait()
    finally:
        timer.cancel()
    return out, len(out) > cap, late.is_set()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # its own session: the helpers that git starts for HTTP go with it
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
