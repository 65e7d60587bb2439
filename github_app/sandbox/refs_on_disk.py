"""Where refs point, read from git's own files: a process for each look costs more than the rest of an answer.

Only git writes them. None means that git has to be asked: it packed refs, keeps them in another form, or the name is
none that is sure to be a file.
"""

import os
import re
from pathlib import Path

_OID = re.compile(rb"([0-9a-f]{40})\n")
_SYMBOLIC = re.compile(rb"ref: (refs/.+)\n")
_NAME = re.compile(r"refs(/[\w+@=,-][\w.+@=,-]*)*/?")


def tip(git_dir: Path, name: str) -> str | None:
    """The object id of one ref, or of HEAD."""
    if not _are_files(git_dir):
        return None
    if name == "HEAD":
        head = _SYMBOLIC.fullmatch(_content(git_dir / "HEAD"))
        name = head[1].decode(errors="replace") if head else ""
    return _oid(git_dir / name) if _is_plain(name) else None


def below(git_dir: Path, prefix: str) -> dict[str, str] | None:
    """Ref -> object id of the ref of that name and of all in that folder, in git's order."""
    if not _are_files(git_dir) or not _is_plain(prefix):
        return None
    top = prefix.rstrip("/")
    found = {name: _oid(git_dir / name) for name in _names(git_dir, top)}
    known = {os.fsencode(name).decode(errors="replace"): oid for name, oid in found.items() if oid}
    return known if len(known) == len(found) else None


def _names(git_dir: Path, top: str) -> list[str]:
    if (git_dir / top).is_file():
        return [top]
    files = (file for file in (git_dir / top).rglob("*") if file.suffix != ".lock" and not file.is_dir())
    return sorted((file.relative_to(git_dir).as_posix() for file in files), key=os.fsencode)


def _are_files(git_dir: Path) -> bool:
    return not (git_dir / "packed-refs").exists() and not (git_dir / "reftable").exists()


def _is_plain(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and ".." not in name and not name.endswith(".lock")


def _oid(file: Path) -> str | None:
    found = _OID.fullmatch(_content(file))
    return found[1].decode() if found else None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
