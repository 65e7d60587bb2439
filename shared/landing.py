"""How a change came into a branch, as its own commit tells: through a pull request, or a merge of another kind."""

import re
from dataclasses import dataclass
from enum import StrEnum

_SQUASHED = re.compile(r".*\(#([0-9]{1,9})\)")
_MERGED = re.compile(r"Merge pull request #([0-9]{1,9}) from .+")
_TRAILER = re.compile(
    r"[ \t]*(?:PR-URL|Pull-Request|Pull-Request-URL|Pull Request resolved|Reviewed-on):[ \t]*"
    r"https?://[^\s/]+/[^\s/]+/[^\s/]+/pull/([0-9]{1,9})/?[ \t]*",
    re.IGNORECASE,
)


class How(StrEnum):
    MERGE = "merge commit"
    SQUASH = "squash"
    TRAILER = "by trailer"


@dataclass(frozen=True)
class Landing:
    how: How
    pull: int | None
    """The pull request's number, where the commit tells it."""


def landing(message: str, parents: int) -> Landing | None:
    """None for a commit that says nothing about a pull request: pushed as it is, or rebased. A squash is told by the
    number that GitHub puts behind its title, a trailer by a line such as `PR-URL: https://github.com/o/r/pull/7`.
    """
    title = message.lstrip("\n").partition("\n")[0].rstrip()
    if parents > 1:
        named = _MERGED.fullmatch(title) or _SQUASHED.fullmatch(title)
        return Landing(How.MERGE, int(named[1]) if named else None)
    if squashed := _SQUASHED.fullmatch(title):
        return Landing(How.SQUASH, int(squashed[1]))
    for line in reversed(message.splitlines()):
        if ":" in line and (trailer := _TRAILER.fullmatch(line)):
            return Landing(How.TRAILER, int(trailer[1]))
    return None
