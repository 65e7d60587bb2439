"""Tests that an agent starts: the real hooks would find it among the processes above, and call nothing human.

So the test run moves out from below it: a grandchild whose parent has ended does the work, while the first process
only waits for it and passes its exit status on.
"""

import os
import signal

import pytest

from foureyes.hooks.catalogue import ancestors, catalogue

_STATUS = pytest.StashKey[int]()


def started_by_an_agent() -> bool:
    return any(catalogue().by_process(*process) for process in ancestors())


def leave(config: pytest.Config) -> None:
    """Returns in a process that no agent is above of; the process that called it ends here with its status."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        above = os.getpid()
        if os.fork() != 0:
            os._exit(0)
        os.close(reader)
        while os.getppid() == above:
            os.sched_yield()
        config.stash[_STATUS] = writer
        return
    os.close(writer)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # it reaches the run itself, which then says what there is to say
    os.waitpid(middle, 0)
    told = b""
    while part := os.read(reader, 64):
        told += part
    os._exit(told[-1] if told else pytest.ExitCode.INTERNAL_ERROR)


def tell(config: pytest.Config, status: int) -> None:
    """Pass the exit status of the run on, if it moved."""
    writer = config.stash.get(_STATUS, None)
    if writer is not None:
        os.write(writer, bytes([status]))
