"""Where records travel: one ref per branch, and the names inside its tree."""

from foureyes.shared.canonical import sha256_hex

PREFIX = "refs/foureyes/b/"
RECORDS = "records/"
"""+ commit id: the record of that commit."""
PUSHES = "pushes/"
"""+ sha256 of the payload + `.json`: the envelope with the list that was signed at one push."""


def record_ref(branch: str) -> str:
    """The ref that holds the records of a branch (`refs/heads/` in front is taken off).

    The name is hashed: a left-over `feat` would otherwise reject `feat/x` for ever. A name that is not UTF-8
    comes as text with surrogates, as Python's file system decoding makes it.
    """
    name = branch.removeprefix("refs/heads/")
    return PREFIX + sha256_hex(name.encode("utf-8", "surrogateescape"))[:16]


def record_path(commit: str) -> str:
    return RECORDS + commit


def push_path(payload: bytes) -> str:
    return f"{PUSHES}{sha256_hex(payload)}.json"
