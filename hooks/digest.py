"""sha256 for an agent's hook: hashlib loads a whole cryptography library, which takes longer than small texts do."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

_LARGE = 64 * 1024
"""From here on that library is the faster one, with loading it."""
# Python's own: 3.12 and newer, and 3.11. Private names: where there is neither, hashlib it is.
_OWN = ("_sha2", "_sha256")


def sha256_hex(data: bytes) -> str:
    digest: str = (_small() if len(data) < _LARGE else _large())(data).hexdigest()
    return digest


def _small() -> Callable[[bytes], Any]:
    for name in _OWN:
        try:
            own: Callable[[bytes], Any] = import_module(name).sha256
        except (ImportError, AttributeError):
            continue
        return own
    return _large()


def _large() -> Callable[[bytes], Any]:
    from hashlib import sha256

    return sha256
