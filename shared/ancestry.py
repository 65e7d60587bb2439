"""Which commits of a change one of its heads holds."""

from collections.abc import Iterable

from foureyes.shared.facts import CommitFacts


def held_by(head: str, commits: Iterable[CommitFacts]) -> tuple[CommitFacts, ...]:
    """Those of `commits` that can be reached from `head` by all parents, itself among them; none where it is not one
    of them.
    """
    by_oid = {commit.oid: commit for commit in commits}
    waiting, held = [head], dict[str, CommitFacts]()
    while waiting:
        commit = by_oid.get(waiting.pop())
        if commit is not None and commit.oid not in held:
            held[commit.oid] = commit
            waiting += commit.parents
    return tuple(held.values())
