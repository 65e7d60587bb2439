"""The single values of an answer, each as what GitHub's schema says it is. Another type raises ValueError, which
`understood` turns into a GitHubError: what Python takes for false, or for the number 1, was not said.
"""

import re
from typing import Any

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.80} is no text")
    return value


def text_or_empty(value: Any) -> str:
    """Of a value that may be null."""
    return "" if value is None else text(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.80} is neither true nor false")
    return value


def number(value: Any) -> int:
    """Large ones come as text."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r:.80} is no number")
    return value


def oid(value: Any) -> str:
    if not _OID.fullmatch(text(value)):
        raise ValueError(f"{value!r:.80} is no commit's name")
    return str(value)


def moment(value: Any) -> str:
    """In the one form in which GitHub tells times: as texts they stand in the order of time."""
    if not _MOMENT.fullmatch(text(value)):
        raise ValueError(f"{value!r:.80} is no time")
    return str(value)


def listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r:.80} is no list")
    return value
