"""What a raw commit object says, for whoever reads many: nothing is loaded for it."""

from collections.abc import Mapping
from typing import NamedTuple


class Person(NamedTuple):
    """`at` is seconds since 1970."""

    name: str
    email: str
    at: int


class RawCommit(NamedTuple):
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


def read_raw(raw: bytes) -> RawCommit | None:
    """None: it is no commit."""
    head, _, body = raw.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key:  # a continuation, of a signature, begins with a space
            fields.setdefault(key, []).append(value)
    try:
        author, committer = _who(fields[b"author"][0]), _who(fields[b"committer"][0])
        tree = fields[b"tree"][0].decode("ascii")
    except (KeyError, ValueError):
        return None
    parents = tuple(value.decode("ascii") for value in fields.get(b"parent", ()))
    return RawCommit(tree, parents, author, committer, body.decode(_encoding(fields), "replace"))


def _who(value: bytes) -> Person:
    """`Name <address> seconds zone`. Old and imported histories hold commits without some of it: a time that is none is
    0, as for git.
    """
    name, _, rest = value.decode("utf-8", "replace").rpartition(" <")
    email, closed, when = rest.rpartition(">")
    return Person(name.strip(), (email if closed else rest).strip(), seconds(when.strip().split(" ")[0]))


def seconds(text: str) -> int:
    """A time as git shows it; 0 where it shows none."""
    return int(text) if len(text) < 20 and text.removeprefix("-").isdecimal() else 0


def _encoding(fields: Mapping[bytes, list[bytes]]) -> str:
    named = fields.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    try:
        "".encode(named)
    except LookupError:
        return "utf-8"
    return named
