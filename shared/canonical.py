"""The bytes that are digested and signed: one function, so that both halves agree to the byte."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | str | Sequence[Json] | Mapping[str, Json]"

_MAX_INT = 2**53 - 1


def canonical_bytes(value: Json) -> bytes:
    """Sorted keys, no white space, ASCII escapes, no floats, integers below 2**53 (RFC 8785, section 3.2.2.3,
    says why: other readers hold numbers as doubles). Raises ValueError on anything else.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def sha256_hex(data: bytes) -> str:
    from hashlib import sha256  # brings a cryptography library, which those who only read records do not need

    return sha256(data).hexdigest()


def _check(value: object) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > _MAX_INT:
            raise ValueError(f"integer {value} is beyond 2**53; write it as text")
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"key {key!r} is not text")
            _check(item)
        return
    raise ValueError(f"{type(value).__name__} has no canonical form")
