"""Which branches a policy gates."""

from functools import lru_cache

from foureyes.shared.patterns import Patterns
from foureyes.shared.policy import Policy


def is_gated(branch: str, policy: Policy, default_branch: str) -> bool:
    """Branch names as git shows them, without refs/heads/. The default branch always is gated: the policy itself
    lives there. A pattern is anchored: `main` is not `feature/main`.
    """
    return branch == default_branch or gates(policy.branches, branch)


def gates(lines: tuple[str, ...], branch: str) -> bool:
    """By these lines of a policy alone."""
    return _patterns(lines).match(_as_path(branch))


@lru_cache(maxsize=256)
def _patterns(lines: tuple[str, ...]) -> Patterns:
    return Patterns.compile(tuple(map(_anchored, lines)))


def _anchored(line: str) -> str:
    sign = "!" if line.startswith("!") else ""
    return f"{sign}/{line.removeprefix('!').removeprefix('/')}"


def _as_path(branch: str) -> str:
    return branch.replace("\\", r"\\")
