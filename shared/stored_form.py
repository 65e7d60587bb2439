"""A file as git stores it, where that is not as it lies in the work tree: agents' edits are seen there."""

import codecs
import hashlib
from collections.abc import Iterable

_POINTER = b"version https://git-lfs.github.com/spec/"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The longer ones first: one begins with the other."""


def as_stored(content: bytes | None, stored: Iterable[bytes | None]) -> bytes | None:
    """A content of the work tree in the form of `stored`, contents of the same file in commits: the pointer that Git
    LFS stores, or UTF-8. As it is where neither fits.
    """
    if not content:
        return content
    there = [one for one in stored if one]
    if any(one.startswith(_POINTER) for one in there):
        is_pointer = content.startswith(_POINTER)
        return content if is_pointer else pointer(hashlib.sha256(content).hexdigest(), len(content))
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    if encoding and there and not any(b"\0" in one for one in there):
        return content.decode(encoding, "replace").encode()
    return content


def pointer(sha256: str, size: int) -> bytes:
    """What Git LFS stores instead of a content."""
    return _POINTER + b"v1\noid sha256:%s\nsize %d\n" % (sha256.encode(), size)


def blob_ids(content: bytes) -> frozenset[str]:
    """The ids that git gives a content, in a repository of either kind."""
    whole = b"blob %d\0" % len(content) + content
    names = ("sha1", "sha256")
    return frozenset(hashlib.new(name, whole, usedforsecurity=False).hexdigest() for name in names)


def are_comparable(seen: Iterable[bytes | None], base: bytes | None, committed: bytes | None) -> bool:
    """Whether contents of the work tree tell anything of these two: a filter of the repository's own may store what has
    no line in common with what it was given.
    """
    contents = [content for content in seen if content]
    if not base:
        return any((b"\0" in content) == (b"\0" in (committed or b"")) for content in contents)
    there = _lines(base) | _lines(committed or b"")
    return not there or any(there & _lines(content) for content in contents)


def _lines(content: bytes) -> set[bytes]:
    return {line for line in map(bytes.strip, content.split(b"\n")) if line}
