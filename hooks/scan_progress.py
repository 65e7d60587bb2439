"""How far a scan is, on a terminal alone, and what Ctrl-C does to it."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

Bar = Callable[[], None]
_EVERY = 500
"""Commits between two looks at the bar."""


@dataclass
class Interrupt:
    asked: bool = False
    held: bool = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Ctrl-C takes effect at the end of the block: no sum is left half made."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
        if self.asked:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupt]:
    """Ctrl-C raises KeyboardInterrupt, as ever, but not while it is held."""
    interrupt = Interrupt()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
        interrupt.asked = True
        if not interrupt.held:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_bar(total: Callable[[], int]) -> Iterator[Bar]:
    """Call what it gives once for each commit. `total` is asked only if there is a bar; 0: nobody knows."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total() or None, rate="")
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            if done % _EVERY == 0:
                speed = progress.tasks[0].speed
                progress.update(task, completed=done, rate=f"{speed:,.0f} commits/s" if speed else "")

        yield step


def _nothing() -> None:
    return None
