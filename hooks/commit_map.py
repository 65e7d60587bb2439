"""What `git filter-repo` noted of a history that it rewrote: which commit was made from which. The old ones are gone,
with their reflogs; of them nothing is left but what the hooks noted, and their records.
"""

from collections.abc import Set

from foureyes.hooks.repo import Repo
from foureyes.shared.in_toto import is_oid

FILTERED = "filter-repo"
_LARGEST = 32 * 2**20
"""About 400,000 commits."""


def made_again(repo: Repo, commits: Set[str]) -> dict[str, tuple[str, ...]]:
    """Commit -> what it was before the history was rewritten, for commits that no hook saw: filter-repo calls none.
    What is no such line is passed over: all that follows from one is more scrutiny.
    """
    if not commits:
        return {}
    try:
        with (repo.common_dir / "filter-repo" / "commit-map").open("rb") as file:
            text = file.read(_LARGEST).decode("ascii", "replace")
    except OSError:
        return {}  # as in almost every repository
    found: dict[str, tuple[str, ...]] = {}
    for line in text.split("\n"):
        old, _, new = line.partition(" ")
        if new in commits and old != new and is_oid(old) and old.strip("0"):
            found[new] = (*found.get(new, ()), old)
    return found
