"""What is kept of an agent's tool call: its first half until it ends, and then the event."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Ref: TypeAlias = str | None
"""Where a content is: `s:<sha256>` in this store, `g:<oid>` a git blob, `t:<size>:<mtime>` a file too large to keep
(it can be compared, not read), `?` not known. None: there was no file. What a call left of a too large file is known
again once it is committed: `t:<size>:<mtime>:<sha256>:<oid>:<oid>`, as git names it in a repository of either kind.
"""
UNKNOWN = "?"
LOST, ONGOING = "lost", "ongoing"
"""Kinds of a pending call: a checkpoint of it failed; or the agent goes on, and the command runs in the background."""
UNSEEN = "unseen"
"""The kind of the event of these: who else changed the paths meanwhile cannot be told."""


class Touched(NamedTuple):
    """One path of a tool call, as `paths.decode` writes it, with its content before and after: the same one where the
    call changed only whether the file can be run.
    """

    path: str
    before: Ref
    after: Ref


class Event(NamedTuple):
    """One tool call. Times are seconds since the epoch; `session` is a hash; `kind` is `edit`, `shell`, UNSEEN, or
    `review`: the agent approved a pull request, as `account` (a login, "" if not known), and touched nothing. Ticks
    are of the store's clock: 0 in an event of a version that had none.
    """

    agent: str
    version: str
    model: str
    session: str
    worktree: str
    kind: str
    started: float
    ended: float
    touched: tuple[Touched, ...]
    account: str = ""
    tick_started: int = 0
    tick_ended: int = 0


class Pending(NamedTuple):
    """The half of a tool call that is known before it ends. `contents` maps path to content; `head` is the commit
    that was checked out: "" on an unborn branch, and for an edit, which makes no commits. `executable` are those of
    the paths that could be run. `kind` is that of the event, LOST (then nothing is known) or ONGOING. `staged` is what
    the index had where that was not what `head` has.
    """

    session: str
    worktree: str
    kind: str
    started: float
    root: str
    head: str
    contents: dict[str, Ref]
    tick: int = 0
    executable: Sequence[str] = ()
    staged: Sequence[tuple[str, Ref]] = ()


def parse_event(line: bytes) -> Event | None:
    """None: it is torn, or of another form."""
    try:
        value: Mapping[str, Any] = json.loads(line)
        touched = tuple(Touched(**item) for item in value["touched"])
        event = Event(**{**value, "touched": touched})
    except (ValueError, TypeError, KeyError):
        return None
    times = (event.started, event.ended, event.tick_started, event.tick_ended)
    texts = (*event[:6], *(text for one in touched for text in one if text is not None))
    return event if all(map(_is_time, times)) and all(isinstance(text, str) for text in texts) else None


def parse_pending(data: bytes) -> Pending:
    """Raises ValueError and TypeError."""
    value = json.loads(data)
    found = Pending(**value)
    if not (isinstance(value["contents"], dict) and _is_time(found.started) and _is_time(found.tick)):
        raise TypeError
    return found._replace(executable=tuple(found.executable), staged=tuple(dict(found.staged).items()))


def state_of(ref: Ref) -> Ref:
    """What two looks at a file have in common if nobody wrote it between them."""
    return ref if ref is None else ":".join(ref.split(":")[:3])


def by_end(event: Event) -> tuple[int, float]:
    return event.tick_ended or int(event.ended * 1e9), event.started


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf
