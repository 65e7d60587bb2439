"""Histories of any size, made by `git fast-import` in one process."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PERSON = b"Test Person <person@example.com>"


@dataclass
class Made:
    """One commit to be made. `parents` are places in the list; None: the commit before it."""

    message: bytes
    author: bytes = PERSON
    committer: bytes = PERSON
    files: Mapping[bytes, bytes | None] = field(default_factory=dict)
    """Path -> content, None to delete it."""
    modes: Mapping[bytes, bytes] = field(default_factory=dict)
    parents: tuple[int, ...] | None = None
    at: int = 0
    """Seconds since 1970; 0: a minute after the one before."""


def make_history(path: Path, commits: Iterable[Made], *init: str, branch: str = "main") -> list[str]:
    """A repository at `path`; answers the ids of the commits, in order."""
    subprocess.run(["git", "init", "-q", "-b", branch, *init, str(path)], check=True)
    marks = path / ".git" / "marks"
    if not marks.parent.is_dir():
        marks = path / "marks"
    importer = subprocess.Popen(
        ["git", "-C", str(path), "fast-import", "--quiet", "--force", f"--export-marks={marks}"],
        stdin=subprocess.PIPE,
    )
    assert importer.stdin is not None
    at = 1_600_000_000
    count = 0
    for number, commit in enumerate(commits):
        count += 1
        at = commit.at or at + 60
        parents = commit.parents if commit.parents is not None else ((number - 1,) if number else ())
        importer.stdin.write(_text(commit, number, parents, at, branch))
    importer.stdin.write(b"done\n")
    importer.stdin.close()
    assert importer.wait() == 0
    by_mark = dict(line.split() for line in marks.read_text().splitlines())
    ids = [by_mark[f":{number + 1}"] for number in range(count)]
    if (path / ".git").is_dir():
        subprocess.run(["git", "-C", str(path), "reset", "-q", "--hard"], check=True)
    return ids


def _text(commit: Made, number: int, parents: tuple[int, ...], at: int, branch: str) -> bytes:
    lines = [b"reset refs/heads/%s\n" % branch.encode()] if not parents else []
    lines += [b"commit refs/heads/%s\nmark :%d\n" % (branch.encode(), number + 1)]
    lines += [b"author %s %d +0000\ncommitter %s %d +0000\n" % (commit.author, at, commit.committer, at)]
    lines += [b"data %d\n%s\n" % (len(commit.message), commit.message)]
    lines += [b"%s :%d\n" % (b"merge" if place else b"from", p + 1) for place, p in enumerate(parents)]
    for name, content in commit.files.items():
        if content is None:
            lines += [b"D %s\n" % name]
        else:
            mode = commit.modes.get(name, b"100644")
            lines += [b"M %s inline %s\ndata %d\n%s\n" % (mode, name, len(content), content)]
    return b"".join(lines)
