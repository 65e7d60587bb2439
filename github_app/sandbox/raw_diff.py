"""What `git diff-tree --raw --numstat` says of two commits, as a pull request's pages show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FileChange:
    """One entry of a diff with renames folded, as pull request pages show it."""

    status: str
    path: str
    previous: str | None
    oid: str
    additions: int
    deletions: int


_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


def parse_changes(parts: list[bytes]) -> list[FileChange]:
    """`--raw --numstat -z`: all raw entries first, then all counts, in the same order."""
    raw: list[tuple[str, str, str | None, str]] = []
    changes: list[FileChange] = []
    words = iter(parts[:-1])
    for word in words:
        if word.startswith(b":"):
            _, _, _, new, status = word.decode().split()
            path = next(words).decode(errors="replace")
            previous = None
            if status[0] in "RC":
                previous, path = path, next(words).decode(errors="replace")
            raw.append((_STATUS[status[0]], path, previous, new))
        else:
            added, deleted, name = word.split(b"\t")
            if not name:
                next(words)
                next(words)
            status_name, path, previous, oid = raw[len(changes)]
            counts = [0 if n == b"-" else int(n) for n in (added, deleted)]
            changes.append(FileChange(status_name, path, previous, oid, counts[0], counts[1]))
    return changes
