"""A gated branch moved: which open pull requests may be judged otherwise now? Asked of git and of the stored decisions
alone. When in doubt a pull request is concerned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Engine, select

from foureyes.github_app import decisions, merging
from foureyes.github_app.decisions import Decision
from foureyes.github_app.git_facts import bring
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.open_pulls import OpenPull
from foureyes.github_app.policy_in_force import InForce
from foureyes.github_app.range import MOST_COMMITS
from foureyes.github_app.storage import reading
from foureyes.github_app.tables import work
from foureyes.shared import content
from foureyes.shared import facts as pull_facts
from foureyes.shared.branches import is_gated
from foureyes.shared.case import known
from foureyes.shared.evaluate import VERSION, unknowns
from foureyes.shared.facts import PullFacts


@dataclass(frozen=True)
class Base:
    """The branch that moved, and where it is now. `default_branch` decides, with the policy, what is gated."""

    repository_id: int
    branch: str
    tip: str
    default_branch: str


def concerned(
    engine: Engine, mirror: Mirror, base: Base, pulls: Sequence[OpenPull], by: InForce
) -> tuple[OpenPull, ...]:
    """Those to look at again. A pull request into another branch than the one that moved is concerned if that branch
    is gated: what has landed on this one is not its author's any more. Into one that is not gated, or not any more, it
    is concerned where its head shows a success: that must not outlive the policy that it was given by.
    """

    def is_its(pull: OpenPull) -> bool:
        return is_gated(pull.base_ref, by.ruling, base.default_branch)

    gated = [pull for pull in pulls if is_its(pull)]
    into = [pull for pull in gated if pull.base_ref == base.branch]
    others = [pull for pull in gated if pull.base_ref != base.branch]
    green = _green(engine, base.repository_id)
    others += [pull for pull in pulls if not is_its(pull) and pull.head in green]
    try:
        here = bring(mirror, [base.tip, *(pull.head for pull in into)])
    except GitError:
        return (*into, *others)

    def is_concerned(pull: OpenPull) -> bool:
        is_green = pull.head in green
        return pull.head not in here or _may_change(engine, mirror, base, pull, by, is_green=is_green)

    return (*filter(is_concerned, into), *others)


def _green(engine: Engine, repository_id: int) -> frozenset[str]:
    """Heads that show a success."""
    mine = (work.c.repository_id == repository_id) & work.c.green
    with reading(engine) as conn:
        return frozenset(conn.execute(select(work.c.head).where(mine)).scalars())


def _may_change(
    engine: Engine, mirror: Mirror, base: Base, pull: OpenPull, by: InForce, *, is_green: bool
) -> bool:
    with reading(engine) as conn:
        made = decisions.latest(conn, base.repository_id, pull.number)
    facts = _facts(made, pull, by) if made is not None else None
    if made is None or facts is None:
        return True
    # it passed, and that was taken back since: while its branch was not gated, or it could not be read
    if made.outcome == "pass" and not is_green and by.ruling.mode != "observe":
        return True
    try:
        return not _is_same(mirror, base.tip, pull.head, facts)
    except GitError:
        return True


def _facts(made: Decision, pull: OpenPull, by: InForce) -> PullFacts | None:
    """What it was decided on, if it was all known and decided as it would be now."""
    same = (made.head, made.base_ref, made.policy_oid, made.evaluator)
    if same != (pull.head, pull.base_ref, by.oid, VERSION):
        return None
    try:
        facts = pull_facts.load(made.facts)
    except ValidationError:
        return None
    return None if unknowns(facts) or facts.floor != by.floor.text else facts


def _is_same(mirror: Mirror, tip: str, head: str, facts: PullFacts) -> bool:
    """The same commits, the same net change and so the same protected part, as clean and as visible as before."""
    merged = merging.uncounted(mirror, tip, head)
    if merged.merge.state is not known(facts.merge).state or merged.hidden != known(facts.hidden):
        return False
    if content.digest(merged.changes) != content.digest(known(facts.changes)):
        return False
    return set(mirror.range(head, [tip], MOST_COMMITS)) == {commit.oid for commit in known(facts.commits)}
