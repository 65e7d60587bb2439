"""What a call did by itself, where other calls told of the same file while it ran."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from foureyes.hooks.tool_events import UNKNOWN, Event, Ref, Touched

Same = Callable[[Ref, Ref], bool]
"""Whether two references are to one content."""


class Part(NamedTuple):
    """`ended` is the tick by which it was done; 0: it can have gone on until now."""

    touched: Touched
    ended: int


def own_parts(
    whole: Touched, begun: int, told: Iterable[tuple[Event, Touched]], same: Same, *, at_once: bool
) -> Iterator[Part]:
    """What was changed since the tick `begun` and is in none of the events, in order. A call that began when all others
    had ended saw what this one had left until then. `at_once`: this one wrote the file only once, so that what came
    between two others is someone else's.
    """
    state, known, first = whole.before, begun, True
    for event, touched in told:
        apart = event.tick_started >= known and (first or not at_once)
        if apart and touched.before != UNKNOWN and not same(state, touched.before):
            yield Part(Touched(whole.path, state, touched.before), event.tick_started)
        state, known, first = touched.after, event.tick_ended, False
    if first or not same(state, whole.after):
        yield Part(Touched(whole.path, state, whole.after), 0)
