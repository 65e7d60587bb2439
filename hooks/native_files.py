"""What we wrote into the files of hook managers, so that taking it out brings back the very bytes.

`<git common dir>/foureyes/native.json` remembers each file as it was. A file that has been committed with our lines
belongs to the project by then, and is left.
"""

import base64
import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from foureyes.hooks import insertion
from foureyes.hooks.capture_files import native_line
from foureyes.hooks.managers import Manager
from foureyes.hooks.repo import Repo
from foureyes.hooks.sharing import keep_to
from foureyes.hooks.whole_file import write_whole

_KEPT = "native.json"


@dataclass(frozen=True)
class _Was:
    """`original` is None where there was no file; `written` is the digest of what we made of it."""

    original: bytes | None
    written: str


def write(repo: Repo, manager: Manager) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Have the manager call us. Answers the files that now do, and those that a person has to write. Raises OSError."""
    done, left = [], []
    kept = _read(repo)
    for file, event in _files(manager):
        original = file.read_bytes() if file.exists() else None
        new = _with_ours(manager, (original or b"").decode("utf-8", "surrogateescape"), event)
        if new is None:
            left.append(file)
            continue
        data = new.encode("utf-8", "surrogateescape")
        if data != original:
            was = kept.get(file)
            first = was.original if was is not None and was.written == _digest(original or b"") else original
            _replace(file, data, 0o755 if manager.name in {"husky", "folder"} else 0o644)
            kept[file] = _Was(first, _digest(data))
        done.append(file)
    _write(repo, kept)
    return tuple(done), tuple(left)


def _files(manager: Manager) -> Iterator[tuple[Path, str]]:
    if manager.name in {"husky", "folder"}:
        for event in manager.events:
            yield manager.file(event), event
    else:
        yield manager.place, ""


def _with_ours(manager: Manager, text: str, event: str) -> str | None:
    if manager.name in {"husky", "folder"}:
        return insertion.into_script(text, event, shebang=manager.name == "folder")
    if manager.place.suffix in {".yml", ".yaml"}:
        return (insertion.into_lefthook if manager.name == "lefthook" else insertion.into_pre_commit)(text)
    return insertion.into_prek(text) if manager.name == "prek" else None


def remove(repo: Repo) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Take ours out of what we wrote. Answers the files that are as before, and those that still hold our lines:
    committed with them, or changed since in a form where a person should look.
    """
    back, left = [], []
    for file, was in _read(repo).items():
        now = file.read_bytes() if file.exists() else None
        if now is None:
            continue
        if _committed(repo, file, now):
            left.append(file)
        elif _digest(now) == was.written:
            _put_back(file, was.original)
            back.append(file)
        else:
            (back if _take_lines_out(file, now, was.original) else left).append(file)
    (repo.home / _KEPT).unlink(missing_ok=True)
    return tuple(back), tuple(left)


def _committed(repo: Repo, file: Path, now: bytes) -> bool:
    name = os.path.relpath(file, repo.work_tree or repo.git_dir)
    return repo.ask("cat-file", "blob", f"HEAD:{name}").out == now


def _put_back(file: Path, original: bytes | None) -> None:
    if original is None:
        file.unlink()
    else:
        _replace(file, original, 0o644)


def _take_lines_out(file: Path, now: bytes, original: bytes | None) -> bool:
    """From a script, where ours is a line of its own. Whether that was all of it."""
    line = native_line(file.name).encode() + b"\n"
    if now.count(line) != 1:
        return False
    rest = now.replace(line, b"")
    if original is None and rest in {b"", b"#!/bin/sh\n"}:
        file.unlink()
    else:
        _replace(file, rest, 0o644)
    return True


def _read(repo: Repo) -> dict[Path, _Was]:
    try:
        stored = json.loads((repo.home / _KEPT).read_text("utf-8"))
        return {
            Path(path): _Was(None if o is None else base64.b64decode(o), w) for path, (o, w) in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(repo: Repo, kept: dict[Path, _Was]) -> None:
    if not kept:
        return
    stored = {
        str(path): (None if was.original is None else base64.b64encode(was.original).decode(), was.written)
        for path, was in kept.items()
    }
    _replace(repo.home / _KEPT, json.dumps(stored).encode(), keep_to(repo.home))


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _replace(file: Path, data: bytes, mode: int) -> None:
    """In one step, with the mode that the file has; behind a link where it is one."""
    file = Path(os.path.realpath(file))
    with contextlib.suppress(OSError):
        mode = file.stat().st_mode & 0o777
    write_whole(file, data, mode)
