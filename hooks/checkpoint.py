"""`foureyes checkpoint AGENT`: an agent's hook calls it before and after each tool call, with JSON on stdin.

It says no more to the agent than the agent needs to go on, never fails and never takes long: what goes wrong is noted
for `foureyes status`.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from foureyes.hooks.agents import payload as payloads
from foureyes.shared.errors import UserError

if TYPE_CHECKING:
    from foureyes.hooks.agents.tool_call import ToolCall
    from foureyes.hooks.evidence import Evidence

_SECONDS = 8.0
_SECONDS_TO_READ = 2.0
_SECONDS_TO_LOSE = 1.0
_LARGEST_PAYLOAD = 64 * 2**20


class _OutOfTime(Exception):
    pass


def main(arguments: list[str]) -> int:
    """Always 0: an agent reads another status as "blocked" or as an error of the tool."""
    os.umask(0o077)
    problems: list[Evidence] = []
    named = arguments[0] if arguments else ""
    payload, call = None, None
    try:
        with _time_limit(_SECONDS):
            if not named:
                raise UserError("foureyes checkpoint: name the agent whose hook this is, such as claude-code")
            payload = _parse(_read_input(sys.stdin.fileno()))
            call = payloads.read(payload, os.environ, named) if payload is not None else None
            if call is not None:
                # Most calls only look at something: those should not wait for this.
                from foureyes.hooks.observe import observe

                observe(call, problems)
    except Exception as error:  # noqa: BLE001 -- nothing of ours may reach the agent
        _note(problems, error)
        _lose(call)
    _answer(payloads.answer(payload, named))
    return 0


# A stream that the agent closed is None.
_CLOSED = (OSError, AttributeError)


def _answer(text: str) -> None:
    if text:
        with contextlib.suppress(*_CLOSED):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


def _note(stores: list["Evidence"], error: Exception) -> None:
    with contextlib.suppress(*_CLOSED):
        if isinstance(error, UserError) and sys.stderr.isatty():
            sys.stderr.write(f"{error}\n")
    with contextlib.suppress(OSError):
        for store in stores:
            store.note_problem(f"{type(error).__name__}: {error}")


def _lose(call: "ToolCall | None") -> None:
    """What was not seen is nobody's: not a person's either."""
    if call is not None:
        from foureyes.hooks.observe import lose

        with contextlib.suppress(Exception), _time_limit(_SECONDS_TO_LOSE):
            lose(call)


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTime(f"not done after {seconds:.0f} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _read_input(descriptor: int) -> bytearray:
    """All of stdin. Some agents never close it, so a whole JSON object, or two seconds, end it too."""
    data, deadline = bytearray(), time.monotonic() + _SECONDS_TO_READ
    while len(data) < _LARGEST_PAYLOAD:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            break
        part = os.read(descriptor, 1 << 20)
        if not part:
            break
        data += part
        if len(part) < 1 << 16 and part.rstrip().endswith(b"}") and _parse(data) is not None:
            break
    return data


def _parse(data: bytearray) -> dict[str, Any] | None:
    """The JSON object; control characters inside strings, which some agents send, are let pass."""
    try:
        value = json.loads(data.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
