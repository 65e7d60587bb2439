"""JSON read without any of its ambiguities: two readers of the same bytes must never see different values."""

import json
import re
from typing import Any, NoReturn

from foureyes.shared.canonical import Json

MAX_DEPTH = 32
_MAX_INT = 2**53 - 1
_UNWANTED = "[\x00-\x1f\ud800-\udfff]"
_ESCAPED = rb"\\(?:[bfnrt]|u00[01]|u[dD][89a-fA-F])"
"""How such a character can be written: as itself it is no JSON, or no UTF-8."""


class JsonError(ValueError):
    """Completes "not read: ..." for a person."""


def read(data: bytes) -> Json:
    """UTF-8 JSON. Raises JsonError on repeated keys, floats, integers beyond 2**53, NaN, control characters or
    half surrogates in text, a byte order mark, and nesting beyond `MAX_DEPTH`.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except JsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise JsonError(f"not JSON ({type(error).__name__})") from None
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(value, 0)
    if b"\\" in data and re.search(_ESCAPED, data):
        _check_texts(value)
    return value  # type: ignore[no-any-return]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonError("an object has the same key twice")
    return result


def _no_float(text: str) -> NoReturn:
    raise JsonError(f"{text[:20]} is not an integer")


def _exact(text: str) -> int:
    value = int(text)
    if abs(value) > _MAX_INT:
        raise JsonError("an integer beyond 2**53")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_exact, parse_float=_no_float, parse_constant=_no_float
)


def _check_depth(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise JsonError("nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list) or depth == MAX_DEPTH:
                _check_depth(item, depth + 1)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if re.search(_UNWANTED, value):
            raise JsonError("text with control characters")
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
