"""Real git repositories for tests of what the server reads: commits made without a work tree, dates fixed."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PERSON = ("Olga", "olga@example.com")


@dataclass
class Bare:
    """A bare repository that can be fetched from. Files are given whole: path -> content, or None for none."""

    path: Path
    clock: int = 1_700_000_000

    @classmethod
    def make(cls, path: Path) -> "Bare":
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        bare = cls(path)
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            bare.git("config", name, "true")
        return bare

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
        raw = content.encode() if isinstance(content, str) else content
        return self.git("hash-object", "-w", "--stdin", stdin=raw)

    def tree(self, files: Mapping[str, bytes | str | tuple[str, str]]) -> str:
        """A value is content, or (mode, object id) for a link, a submodule or a mode of its own."""
        index = {"GIT_INDEX_FILE": str(self.path / "test-index")}
        Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
        lines = []
        for path, value in files.items():
            mode, oid = value if isinstance(value, tuple) else ("100644", self.blob(value))
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
