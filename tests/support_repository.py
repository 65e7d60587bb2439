"""Real git repositories for tests of what the server reads: commits made without a work tree, dates fixed.

Objects without anything odd in them are written by ourselves, byte for byte as git would: four processes for each
commit take longer than what is tested. test_support_repository.py holds them to git's.
"""

import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

PERSON = ("Olga", "olga@example.com")
_CONFIG = "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n"
_PLAIN_PART = re.compile(r"\.github|[A-Za-z0-9_-][A-Za-z0-9_. -]*")
_PLAIN_MODES = ("100644", "100755", "120000", "160000")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._@+\[\]-]*[A-Za-z0-9\]])?")
_OID = re.compile("[0-9a-f]{40}")


@dataclass
class Bare:
    """A bare repository that can be fetched from. Files are given whole: path -> content, or None for none."""

    path: Path
    clock: int = 1_700_000_000

    @classmethod
    def make(cls, path: Path) -> "Bare":
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        with (path / "config").open("a") as config:
            config.write(_CONFIG)
        return cls(path)

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", "--no-replace-objects", f"--git-dir={self.path}", *args],
            input=stdin, capture_output=True, check=True, env={**os.environ, **(env or {})},
        )  # fmt: skip
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def blob(self, content: bytes | str) -> str:
        return self._write("blob", content.encode() if isinstance(content, str) else content)

    def take(self, other: Path) -> None:
        """Everything that the other bare repository holds, as a clone that was made beforehand would."""
        shutil.copytree(other / "objects", self.path / "objects", dirs_exist_ok=True)

    def has(self, oid: str) -> bool:
        """As an object by itself; one in a pack is not looked for."""
        return self._file(oid).exists()

    def _file(self, oid: str) -> Path:
        return self.path / "objects" / oid[:2] / oid[2:]

    def _write(self, kind: str, raw: bytes) -> str:
        whole = f"{kind} {len(raw)}\0".encode() + raw
        oid = sha1(whole, usedforsecurity=False).hexdigest()
        file = self._file(oid)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(whole, 1))
        return oid

    def tree(self, files: Mapping[str, bytes | str | tuple[str, str]]) -> str:
        """A value is content, or (mode, object id) for a link, a submodule or a mode of its own."""
        entries = {
            path: value if isinstance(value, tuple) else ("100644", self.blob(value))
            for path, value in files.items()
        }
        folders = _in_folders(entries)
        return self._tree_by_git(entries) if folders is None else self._tree(folders)

    def _tree(self, folder: Mapping[str, Any]) -> str:
        lines = []
        for name, value in folder.items():
            mode, oid = ("40000", self._tree(value)) if isinstance(value, dict) else value
            # git's order: a folder as if its name ended with a slash
            order = f"{name}/" if isinstance(value, dict) else name
            lines.append((order.encode(), f"{mode} {name}\0".encode() + bytes.fromhex(oid)))
        return self._write("tree", b"".join(line for _, line in sorted(lines)))

    def _tree_by_git(self, entries: Mapping[str, tuple[str, str]]) -> str:
        index = {"GIT_INDEX_FILE": str(self.path / "test-index")}
        Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        lines = []
        for path, (mode, oid) in entries.items():
            lines.append(f"{mode} {oid} 0\t{path}".encode("utf-8", "surrogateescape"))
        self.git(
            "update-index", "-z", "--index-info", stdin=b"".join(line + b"\0" for line in lines), env=index
        )
        return self.git("write-tree", "--missing-ok", env=index)

    def commit(
        self,
        files: Mapping[str, bytes | str | tuple[str, str]] | str,
        *parents: str,
        message: str = "change",
        author: tuple[str, str] = PERSON,
        committer: tuple[str, str] | None = None,
        at: int | None = None,
    ) -> str:
        tree = files if isinstance(files, str) else self.tree(files)
        self.clock += 60
        date = f"{at or self.clock} +0000"
        by = committer or author
        if _is_plain_commit(tree, parents, message, (author, by), at or self.clock):
            lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
            lines += [f"author {author[0]} <{author[1]}> {date}", f"committer {by[0]} <{by[1]}> {date}"]
            return self._write("commit", "\n".join([*lines, "", message]).encode())
        env = {
            "GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1], "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": by[0], "GIT_COMMITTER_EMAIL": by[1], "GIT_COMMITTER_DATE": date,
        }  # fmt: skip
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self.git("commit-tree", tree, *flags, stdin=message.encode(), env=env)

    def merge(self, ours: str, theirs: str, **options: object) -> str:
        """The merge that git makes by itself."""
        tree = self.git("merge-tree", "--write-tree", ours, theirs)
        return self.commit(tree, ours, theirs, **options)  # type: ignore[arg-type]

    def ref(self, name: str, oid: str) -> None:
        self.git("update-ref", name, oid)


def _in_folders(entries: Mapping[str, tuple[str, str]]) -> dict[str, Any] | None:
    """Name -> entry, or the same of a folder; None where git would refuse, or take it for something else."""
    top: dict[str, Any] = {}
    for path, entry in entries.items():
        *folders, name = path.split("/")
        if not all(map(_PLAIN_PART.fullmatch, (*folders, name))) or not _is_plain_entry(*entry):
            return None
        at: Any = top
        for folder in folders:
            at = at.setdefault(folder, {})
            if not isinstance(at, dict):
                return None
        if name in at:
            return None
        at[name] = entry
    return top


def _is_plain_entry(mode: str, oid: str) -> bool:
    return mode in _PLAIN_MODES and _OID.fullmatch(oid) is not None


def _is_plain_commit(
    tree: str, parents: tuple[str, ...], message: str, people: Iterable[tuple[str, str]], at: int
) -> bool:
    return (
        all(map(_OID.fullmatch, (tree, *parents)))
        and len(set(parents)) == len(parents)
        and "\0" not in message
        and all(map(_PLAIN_NAME.fullmatch, (part for person in people for part in person)))
        and 10**9 <= at < 2**31
    )
