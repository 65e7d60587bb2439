"""What came onto a gated branch, step by step along its first parents, each step held against the decision on the
pull request that it came from: merged again, judged again on what really landed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from foureyes.github_app import merging
from foureyes.github_app.alerts import Kind
from foureyes.github_app.decisions import Decision
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.range import RawCommit, parse_commit
from foureyes.shared import facts as pull_facts
from foureyes.shared.evaluate import Judgement, evaluate
from foureyes.shared.facts import Known
from foureyes.shared.people import Identity
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Outcome

DECIDED = "decided"
"""As a landing's finding: a stored Pass let exactly this in. Otherwise it is an alert's kind."""

MOST_COMMITS = 5_000
MOST_ASKED = 50
"""Commits of one push about which GitHub is asked from which pull request they came."""


@dataclass(frozen=True)
class Source:
    """A pull request that a commit may have come from; `pull` None: only its head is known."""

    head: str
    pull: int | None = None


@dataclass(frozen=True)
class Landing:
    """One step of the branch, `before` -> `after`. `judgement`: the decision made again on what landed."""

    before: str
    after: str
    finding: str
    source: Source | None = None
    made: Decision | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Walk:
    """`decision`: the newest on a head into this branch. `came_from`: GitHub's word on the pull request that a commit
    is the merge of; it only names candidates, the trees decide.
    """

    mirror: Mirror
    decision: Callable[[Source], Decision | None]
    came_from: Callable[[str], tuple[Source, ...]]

    def landings(self, before: str, after: str) -> tuple[Landing, ...]:
        """Of a push that took nothing away. Raises GitError."""
        chain = self.first_parents(before, after)
        found: list[Landing] = []
        position, index = before, 0
        while index < len(chain):
            end, landing = self._next(position, chain, index)
            if landing.finding == Kind.DIRECT and found and found[-1].finding == Kind.DIRECT:
                found[-1] = replace(found[-1], after=landing.after)
            else:
                found.append(landing)
            position, index = landing.after, end + 1
        return tuple(found)

    def first_parents(self, before: str, after: str) -> tuple[RawCommit, ...]:
        """Oldest first, without `before`. Where first parents do not lead back to `before`, all is one step."""
        oids = self.mirror.range(after, [before], MOST_COMMITS)
        raw = self.mirror.objects(oids, "commit", cap=256 * 1024 * 1024)
        commits = {oid: parse_commit(oid, content) for oid, content in raw.items()}
        chain: list[RawCommit] = []
        at = after
        while at in commits:
            chain.append(commits[at])
            at = commits[at].parents[0] if commits[at].parents else ""
        return tuple(reversed(chain)) if at == before else (commits[after],)

    def _next(self, position: str, chain: Sequence[RawCommit], index: int) -> tuple[int, Landing]:
        """The step that begins here: as many commits as one pull request explains, or one that none does."""
        for end in range(index, len(chain)):
            for source in self._sources(chain, end, is_first=end == index):
                tree = self._merged_tree(position, source.head)
                if tree == chain[end].tree and self._is_all_its(position, chain[index : end + 1], source):
                    return end, self._held(position, chain[end].oid, source)
        here = chain[index].oid
        named = [s for s in self._sources(chain, index, is_first=True) if s.pull is not None]
        if named:
            made = self.decision(named[0])
            pull = named[0].pull or (made.pull if made else None)
            return index, Landing(position, here, Kind.MISMATCH, replace(named[0], pull=pull), made)
        return index, Landing(position, here, Kind.DIRECT)

    def _sources(self, chain: Sequence[RawCommit], index: int, *, is_first: bool) -> tuple[Source, ...]:
        """The second parent of a merge, the commit itself (a fast-forward), and what GitHub says."""
        commit = chain[index]
        heads = [commit.parents[1]] if is_first and len(commit.parents) == 2 else []
        told = self.came_from(commit.oid) if index < MOST_ASKED else ()
        left = {*heads, commit.oid} - {source.head for source in told}
        others = (Source(head) for head in (*heads, commit.oid) if head in left)
        return (*told, *(source for source in others if self.decision(source)))

    def _is_all_its(self, position: str, step: Sequence[RawCommit], source: Source) -> bool:
        """What comes onto the branch with these commits is the pull request's own, and nothing was put in between and
        taken out again: a step is one merge of it, or its commits, as they were or rebased.
        """
        own = {commit.oid for commit in step}
        brought = self.mirror.range(step[-1].oid, [position, source.head], MOST_COMMITS)
        if not own.issuperset(brought):
            return False
        if len(step) == 1:
            return True
        oids = self.mirror.range(source.head, [position], MOST_COMMITS)
        raw = self.mirror.objects(oids, "commit", cap=256 * 1024 * 1024)
        its = Counter(_hand(parse_commit(oid, content)) for oid, content in raw.items() if oid not in own)
        rebased = [commit for commit in step if commit.oid not in oids]
        return all(len(commit.parents) == 1 for commit in rebased) and Counter(map(_hand, rebased)) <= its

    def _merged_tree(self, ours: str, head: str) -> str | None:
        if self.mirror.missing([head]) or not self.mirror.merge_bases(ours, head):
            return None
        made = self.mirror.automatic_merge(ours, head)
        return made.tree if made.clean else None

    def _held(self, before: str, after: str, source: Source) -> Landing:
        made = self.decision(source)
        if made is None:
            return Landing(before, after, Kind.BYPASS, source)
        source = replace(source, pull=source.pull or made.pull)
        judgement = again(made, self.mirror, before)
        passes = bool(judgement.verdict) if judgement is not None else made.outcome == "pass"
        refused = Kind.MISMATCH if made.outcome == "pass" else Kind.BYPASS
        return Landing(before, after, DECIDED if passes else refused, source, made, judgement)


def _hand(commit: RawCommit) -> tuple[Identity, str]:
    """What a rebase keeps of a commit."""
    return commit.author, commit.message


def again(made: Decision, mirror: Mirror, base: str) -> Judgement | None:
    """The decision made again on this base: approvals stand on content, and the base may have moved since. None: an
    older version stored it in a form that this one cannot read. Raises GitError.
    """
    try:
        facts, policy = pull_facts.load(made.facts), parse_policy(made.policy)
    except (ValidationError, PolicyError):
        return None
    merged = merging.merge(mirror, base, made.head)
    facts = replace(
        facts,
        pull=replace(facts.pull, base=base),
        merge=Known(merged.merge),
        changes=Known(merged.changes),
        hidden=Known(merged.hidden),
        held=merged.held,
    )
    return evaluate(facts, policy)


def takes_away(mirror: Mirror, before: str, after: str) -> bool:
    """`after` does not hold all of `before`."""
    return mirror.merge_bases(before, after) != (before,)


def lost_commits(mirror: Mirror, before: str, after: str) -> int | None:
    """None: more than can be counted."""
    try:
        return len(mirror.range(before, [after], MOST_COMMITS))
    except GitError:
        return None


def missing_humans(judgement: Judgement) -> tuple[int, int]:
    """(missing, needed); (0, 0) where it cannot be told."""
    if not judgement.complete or judgement.verdict.outcome is Outcome.BROKEN:
        return 0, 0
    case = judgement.case
    return max(0, case.needed - len(case.approvals.counted)), case.needed
