"""A merge queue's group: every commit in it is the queue's own or of a pull request that waits there, its tree is our
own merge of their heads, and each of them passes, judged afresh and on what the queue made of it. All else is a
failure, waiting too: a queue must not stand still.
"""

from dataclasses import dataclass, field

from foureyes.github_app import decisions, publish
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.decisions import Decision
from foureyes.github_app.deps import Deps
from foureyes.github_app.fence import may_write
from foureyes.github_app.gather import gather
from foureyes.github_app.git_facts import branch_tip, bring
from foureyes.github_app.landing import DECIDED, MOST_COMMITS, Landing, Source, Walk, takes_away
from foureyes.github_app.lanes import GROUP, Claim, Done, Outcome, Retry
from foureyes.github_app.last_look import expected_look, look
from foureyes.github_app.mirror import Mirror
from foureyes.github_app.policy_in_force import BrokenPolicy, InForce, NotSetUp, standing
from foureyes.github_app.pull_query import Ground, PullAnswer, ask, ask_head
from foureyes.github_app.queue_query import QueueEntry, ask_queue, group
from foureyes.github_app.storage import now, writing
from foureyes.shared import evaluate, explain
from foureyes.shared.branches import is_gated
from foureyes.shared.explanation import Explanation
from foureyes.shared.markup import both, code, short

TRIES = 3
"""Looks that may fail to read something before the group is refused: GitHub waits for the check."""
SOON = 300.0


@dataclass
class MergeGroup:
    """`explained`: each pull request as it stands now. `made`: its decision, by head."""

    deps: Deps
    client: InstallationClient
    claim: Claim
    explained: dict[int, Explanation] = field(default_factory=dict)
    made: dict[str, Decision] = field(default_factory=dict)
    answers: list[PullAnswer] = field(default_factory=list)
    unread: str = ""

    @property
    def head(self) -> str:
        return self.claim.lane.head

    @property
    def branch(self) -> str:
        return self.claim.lane.ref.removeprefix(GROUP).removeprefix("refs/heads/")

    def look(self) -> Outcome | None:
        """None: no group that waits ends in this commit (any more). Raises GitHubError, GitError."""
        ground, shown = ask_head(self.client, self.claim.lane.slug, self.head)
        if ground.repository.id != self.claim.lane.repository_id:
            raise GitHubError(f"{self.claim.lane.slug} is another repository now")
        slug = ground.repository.slug
        entries = group(ask_queue(self.client, slug, self.branch), self.head)
        if not entries:
            return None
        floor = self.deps.floor(self.client, ground)
        with writing(self.deps.engine) as conn:
            at = now(conn)
            policy = standing(conn, ground, at, floor)
        if isinstance(policy, NotSetUp):
            return Done(live=False)
        if isinstance(policy, BrokenPolicy):
            face = publish.group(
                entries_title(entries, "the policy cannot be read"), policy.problem, passed=False
            )
        elif not self._gates(policy, ground):
            return Done(live=False)
        else:
            face = self._judged(ground, entries, policy, at)
            if self.unread and self.claim.tries + 1 < TRIES:
                # whoever asked for this look takes back what is green meanwhile
                raise GitHubError(self.unread)
        check = publish.newest(shown.checks, publish.NAME)
        green = face.conclusion == "success"
        if not face.is_shown_by(check):
            if green and not self._stands(slug):
                return Retry("it moved while it was judged", 1.0)
            if not may_write(self.deps.engine, self.claim):
                return Retry("another worker has this lane")
            publish.write(self.client, slug, self.head, face, check)
        return Done(live=True, green=green, look_again=SOON)

    def _gates(self, policy: InForce, ground: Ground) -> bool:
        return policy.ruling.mode != "observe" and is_gated(self.branch, policy.ruling, ground.default_branch)

    def _judged(
        self, ground: Ground, entries: tuple[QueueEntry, ...], policy: InForce, at: int
    ) -> publish.Face:
        problems = [problem for entry in entries if (problem := self._judge(ground, entry, policy, at))]
        if not problems:
            problems = self._held(self.deps.mirrors.of(self.client, ground.repository), entries)
        lines = [f"#{number}: {code(explained.title)}" for number, explained in self.explained.items()]
        summary = "\n".join(f"- {line}" for line in (*problems, *lines))
        if problems:
            return publish.group(entries_title(entries, "not let in"), f"**Why:**\n\n{summary}", passed=False)
        return publish.group(entries_title(entries, ""), f"**In this group:**\n\n{summary}", passed=True)

    def _judge(self, ground: Ground, entry: QueueEntry, policy: InForce, at: int) -> str:
        """Why it is not let in, "" if it passes where it is."""
        number = f"#{entry.pull}"
        answer = ask(self.client, ground.repository.slug, entry.pull, entry.head)
        if answer is None or not answer.pull.is_open:
            return f"{number} is not open any more"
        if (answer.pull.head, answer.pull.base_ref) != (entry.head, self.branch):
            return f"{number} has moved since it was put into the queue"
        facts = gather(self.deps.sources(self.client, ground.repository), answer, policy, at)
        judgement = evaluate.evaluate(facts, policy.policy)
        names = {agent.id: agent.name for agent in self.deps.catalogue.agents}
        self.explained[entry.pull] = explain.explain(facts, policy.policy, judgement, names=names)
        self.answers.append(answer)
        self.unread = self.unread or next(iter(evaluate.unknowns(facts).values()), "")
        self.made[entry.head] = decisions.decide(
            facts, judgement.verdict, policy=policy.text, policy_oid=policy.oid, evaluator=evaluate.VERSION,
            title=self.explained[entry.pull].title, at=at,
        )  # fmt: skip
        return "" if judgement.verdict else f"{number} does not pass"

    def _held(self, mirror: Mirror, entries: tuple[QueueEntry, ...]) -> list[str]:
        """What is wrong with the group itself, though each of its pull requests passes."""
        tip = branch_tip(mirror, self.branch)
        wanted = {tip, self.head, *(entry.head for entry in entries)}
        if not tip or wanted - bring(mirror, wanted):
            return ["not all of its commits can be read"]
        if takes_away(mirror, tip, self.head):
            return [f"{short(self.head)} is not built on {code(self.branch)} as it is now"]
        by_commit = {entry.made: (Source(entry.head, entry.pull),) for entry in entries}
        walk = Walk(mirror, lambda source: self.made.get(source.head), lambda oid: by_commit.get(oid, ()))
        if strange := self._strangers(mirror, tip, entries, walk):
            return strange
        landings = walk.landings(tip, self.head)
        problems = [_wrong(landing) for landing in landings if landing.finding != DECIDED]
        held = {landing.source.pull for landing in landings if landing.source}
        return problems + [f"#{entry.pull} is not in it" for entry in entries if entry.pull not in held]

    def _strangers(self, mirror: Mirror, tip: str, entries: tuple[QueueEntry, ...], walk: Walk) -> list[str]:
        """Commits that are neither the queue's own nor of a pull request in it, by their names."""
        known = {commit.oid for commit in walk.first_parents(tip, self.head)}
        for entry in entries:
            known |= set(mirror.range(entry.head, [tip], MOST_COMMITS))
        strange = [oid for oid in mirror.range(self.head, [tip], MOST_COMMITS) if oid not in known]
        named = both([short(oid) for oid in strange])
        return [f"it holds commits of no pull request in it: {named}"] if strange else []

    def _stands(self, slug: str) -> bool:
        return all(look(self.client, slug, a.pull.number) == expected_look(a) for a in self.answers)


def _wrong(landing: Landing) -> str:
    where = f"{short(landing.before)}..{short(landing.after)}"
    if landing.source is None:
        return f"{where} is not the merge of a pull request in it"
    number = f"#{landing.source.pull}"
    if landing.judgement is None:
        return f"{where} is not the merge of {number}, though the queue says so"
    reasons = [r.text for part in landing.judgement.verdict.children if not part for r in part.reasons]
    return f"{number} passes by itself, but not on top of what is merged before it: {'; '.join(reasons[:3])}"


def entries_title(entries: tuple[QueueEntry, ...], problem: str) -> str:
    named = both([f"#{entry.pull}" for entry in entries], most=3)
    return f"Blocked: {named}: {problem}" if problem else f"Passed: {named}, as approved"
