"""Whom a commit message names as co-authors, as GitHub reads it: trailers in the last paragraph."""

import re

_TRAILER = re.compile(r"^co-authored-by:\s*(.*?)\s*<([^<>]+)>\s*$", re.IGNORECASE)


def co_authors(message: str) -> list[tuple[str, str]]:
    """(name, address) of each `Co-authored-by` trailer."""
    last = message.rstrip().split("\n\n")[-1]
    found = (_TRAILER.match(line) for line in last.split("\n"))
    return [(match[1], match[2]) for match in found if match]
