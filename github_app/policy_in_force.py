"""Which policy a pull request is judged by: the file at the tip of the default branch, or the last good one while it
is being mended.
"""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from foureyes.github_app import seen
from foureyes.github_app.org_floor import NO_FLOOR, OrgFloor
from foureyes.github_app.pull_query import POLICY_PATH, Ground
from foureyes.shared.branches import is_gated
from foureyes.shared.facts import Known
from foureyes.shared.floor import ruling
from foureyes.shared.policy import Policy
from foureyes.shared.policy_text import PolicyError, parse_policy


@dataclass(frozen=True)
class InForce:
    policy: Policy
    """The repository's own."""
    text: str
    oid: str
    """Of the file's blob."""
    floor: OrgFloor = NO_FLOOR

    @cached_property
    def ruling(self) -> Policy:
        """Combined with the organisation's floor. Where that cannot be read, no verdict passes by it."""
        found = ruling(self.floor.text, self.policy)
        return found.value if isinstance(found, Known) else self.policy

    @property
    def key(self) -> str:
        """Equal keys are equal ruling policies."""
        return f"{self.oid}+{self.floor.oid}"


@dataclass(frozen=True)
class NotSetUp:
    """There is no policy and there never was one: nothing is published."""


@dataclass(frozen=True)
class BrokenPolicy:
    """Nothing passes but the pull request that mends it, judged by `last_good`."""

    problem: str
    last_good: InForce | None


Standing = InForce | NotSetUp | BrokenPolicy


def standing(conn: Connection, ground: Ground, at: int, floor: OrgFloor = NO_FLOOR) -> Standing:
    """Keeps what it reads, so that a policy once seen cannot be taken away unnoticed."""
    repository = ground.repository.id
    blob = ground.policy
    if blob is None:
        if not seen.policy_ever_seen(conn, repository):
            return NotSetUp()
        return BrokenPolicy(
            f"{POLICY_PATH} is gone from `{ground.default_branch}`", last_good(conn, repository, floor)
        )
    if blob.text is None:
        return BrokenPolicy(
            f"{POLICY_PATH} cannot be read: {blob.problem}", last_good(conn, repository, floor)
        )
    try:
        policy = parse_policy(blob.text)
    except PolicyError as error:
        seen.keep_policy(conn, repository, blob.oid, blob.text, False, at)
        return BrokenPolicy(
            f"{POLICY_PATH} has an error: {first_problem(error)}", last_good(conn, repository, floor)
        )
    seen.keep_policy(conn, repository, blob.oid, blob.text, True, at)
    return InForce(policy, blob.text, blob.oid, floor)


def last_good(conn: Connection, repository_id: int, floor: OrgFloor = NO_FLOOR) -> InForce | None:
    """None also if this version does not understand what an earlier one accepted."""
    kept = seen.last_good_policy(conn, repository_id)
    if kept is None:
        return None
    try:
        return InForce(parse_policy(kept.text), kept.text, kept.oid, floor)
    except PolicyError:
        return None


def may_be_gated(conn: Connection, repository_id: int, branch: str) -> bool:
    """Whether the last good policy names the branch; the default branch it need not name."""
    kept = last_good(conn, repository_id)
    return kept is not None and is_gated(branch, kept.policy, "")


def first_problem(error: PolicyError) -> str:
    problem = error.problems[0]
    more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
    return f"line {problem.line}, column {problem.column}: {problem.message}{more}"


def gated_prefixes(policy: Policy) -> tuple[str, ...]:
    """Beginnings of branch names below which every gated branch is found."""
    found = []
    for pattern in policy.branches:
        if not pattern.startswith("!"):
            plain = pattern.lstrip("/")
            cut = min((plain.index(sign) for sign in "*?[\\" if sign in plain), default=len(plain))
            found.append(plain[:cut])
    return tuple(dict.fromkeys(found))
