"""What holds for all tests of the hooks."""

from functools import cache

import pytest

from foureyes.hooks import runtime

_tried_once = cache(runtime.check)


@pytest.fixture(autouse=True)
def an_interpreter_that_works_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing starts it and loads every library, each time. One that does not work is tried again."""
    monkeypatch.setattr(runtime, "check", _tried_once)
