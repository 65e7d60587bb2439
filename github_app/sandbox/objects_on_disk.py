"""Objects that lie by themselves, read from git's own files; of those in packs, and of what is no full id, None: git
has to be asked. What a push brings lies by itself unless it is large.
"""

import re
import zlib
from pathlib import Path

_OID = re.compile("[0-9a-f]{40}")
_HEADER = 64


def kind(git_dir: Path, oid: str) -> str | None:
    content = _content(git_dir, oid)
    try:
        return _kind(zlib.decompressobj().decompress(content, _HEADER)) if content else None
    except zlib.error:
        return None


def read(git_dir: Path, oid: str) -> tuple[str, bytes] | None:
    """(kind, content)."""
    content = _content(git_dir, oid)
    try:
        whole = zlib.decompress(content) if content else b""
    except zlib.error:
        return None
    return (_kind(whole), whole.partition(b"\0")[2]) if whole else None


def _kind(whole: bytes) -> str:
    return whole.partition(b" ")[0].decode()


def _content(git_dir: Path, oid: str) -> bytes:
    try:
        return (git_dir / "objects" / oid[:2] / oid[2:]).read_bytes() if _OID.fullmatch(oid) else b""
    except OSError:
        return b""
