"""One changed path: what the facts of a pull request, diffs and records all speak of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One path of base tip -> test merge, renames never folded. A path is text as `paths.decode` makes it.

    `status` is git's letter: A, M, D or T. Modes are six octal digits, "000000" where there is no entry; blobs are
    full ids, all zeros where there is none. Counts are lines; binary files count 0.
    """

    path: str
    status: str
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    added: int = 0
    deleted: int = 0
    binary: bool = False
