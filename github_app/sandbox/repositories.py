"""Bare git repositories on disk. Everything the stand-in says about commits, trees and diffs is asked from here."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from foureyes.github_app.sandbox import objects_on_disk, refs_on_disk
from foureyes.github_app.sandbox.raw_diff import FileChange, parse_changes

T = TypeVar("T")
ZERO = "0" * 40
_KINDS = ("commit", "tree", "blob", "tag")
_OID = re.compile("[0-9a-f]{40}(?![0-9a-f])")
_REF = re.compile(r"(HEAD|refs/[^:^~{\s]+)(?=[:^~]|\Z)")
_CONFIG = """[http]
	receivepack = true
[receive]
	hideRefs = refs/pull
	autogc = false
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[gc]
	auto = 0
"""
_UPDATE_HOOK = """#!/bin/sh
# The server says beforehand which refs this push may not move, one `ref message` per line, and which only forward.
[ -n "$SANDBOX_REFUSED$SANDBOX_NO_FORCE" ] || exit 0
printf '%s\\n' "$SANDBOX_REFUSED" | while read -r ref message; do
  if [ "$ref" = "$1" ]; then echo "$message" >&2; exit 1; fi
done || exit 1
printf '%s\\n' "$SANDBOX_NO_FORCE" | grep -qxF "$1" || exit 0
git merge-base --is-ancestor "$2" "$3" && exit 0
echo "error: GH013: Repository rule violations found. Cannot force-push to this branch." >&2
exit 1
"""


class GitFailed(Exception):
    """git ended with another status than expected; the text is its standard error."""


@dataclass(frozen=True)
class Signature:
    """An author or committer line of a raw commit; `date` is RFC 3339 in UTC."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str
    signature: str = ""
    payload: bytes = b""
    """What the signature covers."""


@dataclass(frozen=True)
class TreeEntry:
    mode: str
    type: str
    oid: str
    path: str
    size: int | None = None


def environment(home: Path) -> dict[str, str]:
    """What every git process gets: nothing of the caller's configuration, identity or credentials."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


class GitRepository:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits: dict[str, Commit] = {}
        self._known: dict[tuple[str, ...], Any] = {}

    def _once(self, find: Callable[[], T], *question: str) -> T:
        """The answer to a question about full object ids never changes, so git is asked once."""
        if question not in self._known:
            self._known[question] = find()
        found: T = self._known[question]
        return found

    def create(self, default_branch: str = "main") -> "GitRepository":
        self.path.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", ".")
        with (self.path / "config").open("a") as config:
            config.write(_CONFIG)
        hook = self.path / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_UPDATE_HOOK)
        hook.chmod(0o755)
        return self

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        expect: tuple[int, ...] = (0,),
        env: dict[str, str] | None = None,
    ) -> bytes:
        """Standard output of `git ARGUMENTS` in this repository; raises GitFailed on an unexpected status."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            env=environment(self.path.parent) | (env or {}),
        )
        if done.returncode not in expect:
            raise GitFailed(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def text(self, *arguments: str) -> str:
        return self.run(*arguments).decode(errors="replace").strip()

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        read = refs_on_disk.below(self.path, prefix)
        if read is not None:
            return read
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def branch(self, name: str) -> str | None:
        return self.resolve(f"refs/heads/{name}")

    def resolve(self, expression: str) -> str | None:
        """Object id of any revision expression (`main`, `<oid>`, `<oid>:path`); None where there is nothing."""
        found = self._look_up(expression)
        return found[0] if found else None

    def _look_up(self, expression: str) -> tuple[str, str] | None:
        """(id, type). What a full id names never changes, once it is here."""
        expression = self._fixed(expression)
        question = ("look up", expression)
        if question in self._known:
            return self._known[question]  # type: ignore[no-any-return]
        if not expression or not {"\n", "\0"}.isdisjoint(expression):
            return None
        if kind := objects_on_disk.kind(self.path, expression):
            self._known[question] = expression, kind
            return expression, kind
        asked = f"{expression}\n".encode(errors="surrogateescape")
        out = self.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
        oid, _, kind = out.decode(errors="replace").rstrip("\n").rpartition(" ")
        if kind not in _KINDS or not _OID.fullmatch(oid):
            return None
        if _OID.match(expression):
            self._known[question] = oid, kind
        return oid, kind

    def _fixed(self, expression: str) -> str:
        """With the id in place of the name of a ref, where its file says it."""
        named = _REF.match(expression)
        oid = refs_on_disk.tip(self.path, named[0]) if named else None
        return oid + expression[named.end() :] if named and oid else expression

    def commit_id(self, expression: str) -> str | None:
        expression = self._fixed(expression)
        if self._here(expression):
            return expression
        return self.resolve(expression + "^{commit}")

    def type_of(self, oid: str) -> str | None:
        if oid in self._commits:
            return "commit"
        found = self._look_up(oid)
        return found[1] if found else None

    def read(self, oid: str) -> bytes:
        def find() -> bytes:
            found = objects_on_disk.read(self.path, oid)
            return found[1] if found else self.run("cat-file", self.type_of(oid) or "blob", oid)

        return self._once(find, "read", oid)

    def update_ref(self, ref: str, new: str, old: str | None = None) -> None:
        self.run("update-ref", ref, new, *([old] if old is not None else []))

    def delete_ref(self, ref: str) -> None:
        self.run("update-ref", "-d", ref)

    def commit(self, oid: str) -> Commit:
        return self.commits_of([oid])[0]

    def _here(self, oid: str) -> Commit | None:
        """The commit, if git need not be asked for it."""
        if oid not in self._commits:
            found = objects_on_disk.read(self.path, oid)
            if found and found[0] == "commit":
                self._commits[oid] = parse_commit(oid, found[1])
        return self._commits.get(oid)

    def parents_here(self, oid: str) -> tuple[str, ...]:
        """Of a commit for which git need not be asked; none for any other."""
        found = self._here(oid)
        return found.parents if found else ()

    def commits_of(self, oids: list[str]) -> list[Commit]:
        missing = [oid for oid in oids if not self._here(oid)]
        if missing:
            raw = self.run(
                "cat-file", "--batch", "--buffer", stdin="".join(f"{o}\n" for o in missing).encode()
            )
            for oid in missing:
                header, _, raw = raw.partition(b"\n")
                if not header.endswith(b"missing"):
                    size = int(header.split()[2])
                    self._commits[oid] = parse_commit(oid, raw[:size])
                    raw = raw[size + 1 :]
        return [self._commits[oid] for oid in oids]

    def commits_between(self, base: str, head: str) -> list[Commit]:
        """Commits of `base..head` by all parents, oldest first, as a pull request lists them."""
        return self.commits_of(list(self.range(base, head)))

    def range(self, base: str, head: str) -> tuple[str, ...]:
        """Ids of `base..head`; both are full ids, so the answer never changes."""
        if self.parents_here(head) == (base,):
            return (head,)
        arguments = ("rev-list", "--topo-order", "--reverse", head, f"^{base}")
        return self._once(lambda: tuple(self.text(*arguments).split()), "range", base, head)

    def history(self, tip: str, limit: int) -> list[Commit]:
        return self.commits_of(self.text("rev-list", f"--max-count={limit}", tip).split())

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        if ancestor in self.parents_here(descendant):
            return True
        arguments = ("rev-list", "--max-count=1", ancestor, f"^{descendant}")
        try:
            return self._once(lambda: not self.run(*arguments), "ancestor", ancestor, descendant)
        except GitFailed:
            return False

    def merge_base(self, one: str, other: str) -> str | None:
        if one in self.parents_here(other):
            return one

        def find() -> str | None:
            return self.run("merge-base", one, other, expect=(0, 1)).decode().strip() or None

        return self._once(find, "merge base", one, other)

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """Tree of the automatic merge; None on a conflict or unrelated histories."""

        def find() -> str | None:
            out = self.run("merge-tree", "--write-tree", "--no-messages", ours, theirs, expect=(0, 1))
            lines = out.decode().splitlines()
            return lines[0] if len(lines) == 1 else None

        try:
            return self._once(find, "merge tree", ours, theirs)
        except GitFailed:
            return None

    def commit_tree(
        self, tree: str, parents: list[str], message: str, author: Signature, committer: Signature
    ) -> str:
        arguments = [word for parent in parents for word in ("-p", parent)]
        names = {"AUTHOR": author, "COMMITTER": committer}
        env = {
            f"GIT_{role}_{part}": value
            for role, who in names.items()
            for part, value in (("NAME", who.name), ("EMAIL", who.email), ("DATE", who.date))
        }
        out = self.run("commit-tree", tree, *arguments, "-F", "-", stdin=message.encode(), env=env)
        return out.decode().strip()

    def first_commit(self, branch: str, files: dict[str, str], message: str, who: Signature) -> None:
        """A branch with one commit of plain files."""
        seconds = int(datetime.fromisoformat(who.date).timestamp())
        lines = [f"commit refs/heads/{branch}", f"committer {who.name} <{who.email}> {seconds} +0000"]
        stream = "\n".join(lines).encode() + b"\n" + _data(message)
        for path, text in files.items():
            stream += f"M 100644 inline {path}\n".encode() + _data(text)
        self.run("fast-import", "--quiet", stdin=stream)

    def tree(self, oid: str, *, recursive: bool = False) -> list[TreeEntry]:
        flags = ["-r", "-t"] if recursive else []
        entries = []
        for record in self.run("ls-tree", "-z", "--long", *flags, oid).split(b"\0")[:-1]:
            meta, _, path = record.partition(b"\t")
            mode, kind, entry, size = meta.decode().split()
            name = path.decode(errors="replace")
            entries.append(TreeEntry(mode, kind, entry, name, None if size == "-" else int(size)))
        return entries

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The entry of one path; for a folder its tree."""
        out = self.run("ls-tree", "-z", "--long", commit, "--", path.rstrip("/"), expect=(0, 128))
        for record in out.split(b"\0")[:-1]:
            meta, _, name = record.partition(b"\t")
            mode, kind, oid, size = meta.decode().split()
            return TreeEntry(
                mode, kind, oid, name.decode(errors="replace"), None if size == "-" else int(size)
            )
        return None

    def changes(self, old: str, new: str) -> list[FileChange]:
        """The diff of two commits with renames folded: what a page shows, not what the gate may rely on."""
        arguments = ("diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--no-commit-id", old, new)
        return self._once(lambda: parse_changes(self.run(*arguments).split(b"\0")), "changes", old, new)

    def empty_tree(self) -> str:
        made = ("hash-object", "-t", "tree", "-w", "--stdin")
        return self._once(lambda: self.run(*made).decode().strip(), "empty tree")

    def fetch(self, source: "GitRepository", oid: str) -> None:
        """Brings a commit of another repository here (a fork's head)."""
        self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source.path), oid)

    def patch(self, old: str, new: str, path: str) -> str | None:
        """The hunks of one file, None for binary files: GitHub leaves the key out there."""
        out = self.run("diff-tree", "-p", "-M", "--no-commit-id", old, new, "--", path).decode(
            errors="replace"
        )
        start = out.find("\n@@")
        return out[start + 1 :].rstrip("\n") if start >= 0 else None


def _data(text: str) -> bytes:
    return b"data %d\n%b\n" % (len(text.encode()), text.encode())


def parse_commit(oid: str, raw: bytes) -> Commit:
    head, _, message = raw.partition(b"\n\n")
    fields: list[tuple[str, bytes]] = []
    unsigned: list[bytes] = []
    in_signature = False
    for line in head.split(b"\n"):
        if line.startswith(b" ") and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + line[1:])
        else:
            name, _, value = line.partition(b" ")
            fields.append((name.decode(), value))
            in_signature = name in (b"gpgsig", b"gpgsig-sha256")
        if not in_signature:
            unsigned.append(line)
    first = dict(reversed(fields))
    return Commit(
        oid=oid,
        tree=first["tree"].decode(),
        # as git reads them: right after the tree
        parents=tuple(v.decode() for _, v in takewhile(lambda field: field[0] == "parent", fields[1:])),
        author=_parse_signature(first["author"]),
        committer=_parse_signature(first["committer"]),
        message=message.decode(errors="replace"),
        signature=first.get("gpgsig", b"").decode(),
        payload=b"\n".join(unsigned) + b"\n\n" + message,
    )


def _parse_signature(line: bytes) -> Signature:
    who, _, rest = line.partition(b"> ")
    name, _, email = who.partition(b"<")
    return Signature(name.decode(errors="replace").strip(), email.decode(errors="replace"), _rfc3339(rest))


def _rfc3339(rest: bytes) -> str:
    seconds = int(rest.split()[0]) if rest.split() else 0
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
