"""One lane, from a fresh read to the published check: read, gather, evaluate, explain, look once more, publish.

Whatever goes wrong on the way, the result is not a success, and a success that stands is taken back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files

from sqlalchemy import Connection, Engine, select

from foureyes.github_app import decisions, landed, publish
from foureyes.github_app.branch_moved import BranchMoved
from foureyes.github_app.client import (
    GitHubError,
    InstallationClient,
    Observer,
    OutcomeUnknown,
    RetryLater,
)
from foureyes.github_app.decisions import Decision
from foureyes.github_app.deps import Deps, make_deps
from foureyes.github_app.fence import may_write
from foureyes.github_app.gather import Sources, gather, read_git
from foureyes.github_app.lanes import GROUP, LANDED, Claim, Done, Lane, Outcome, Retry
from foureyes.github_app.last_look import expected_look, look
from foureyes.github_app.limiter import Purpose, purpose
from foureyes.github_app.merge_group import MergeGroup
from foureyes.github_app.metrics import Figures
from foureyes.github_app.mirror import GitError
from foureyes.github_app.policy_in_force import BrokenPolicy, InForce, NotSetUp, Standing, standing
from foureyes.github_app.publish import Face
from foureyes.github_app.pull_query import (
    POLICY_PATH,
    Check,
    Ground,
    PullAnswer,
    Shown,
    ask,
    ask_head,
)
from foureyes.github_app.pull_reads import keep_reads
from foureyes.github_app.redaction import redact
from foureyes.github_app.review_requests import Asked, Asker, awaited
from foureyes.github_app.settings import Settings
from foureyes.github_app.storage import now, reading, writing
from foureyes.github_app.tables import decision as decision_table
from foureyes.shared import evaluate, explain
from foureyes.shared.agents import parse_catalogue
from foureyes.shared.branches import is_gated
from foureyes.shared.explanation import Explanation, broken, combine
from foureyes.shared.facts import Known, PullFacts, RecordState
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Verdict

log = logging.getLogger(__name__)

_UNSEEN = (
    "This server hears no webhooks, so it does not see a review being given: one counts only on the exact head, and "
    "only if no force-push, restored branch or change of base came after it."
)
ROUNDS = 3
"""Looks at a pull request that moves while it is judged, before the lane is put back."""
SOON = 300.0
"""Seconds until a head is looked at again whose record was signed by a key that may still be published. Records that
may still arrive are the sweep's (sweep_records.py).
"""
LATER = 3600.0
A_DAY = 86_400.0
UNJUDGED = 86_400.0
"""Seconds until an open pull request that no policy concerns is looked at again; a push to the default branch, which
may bring a policy, wakes it at once.
"""


def judge_with(
    settings: Settings, engine: Engine, observe: Observer | None = None, figures: Figures | None = None
) -> Callable[[Claim], Outcome]:
    """What a server's workers call: `judge_lane` with everything that lanes share."""
    catalogue = parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))
    deps = make_deps(settings, engine, catalogue, observe, figures)
    return lambda claim: judge_lane(claim, deps)


def judge_lane(claim: Claim, deps: Deps) -> Outcome:
    """Never raises. `Done`: what GitHub shows is right. `Retry`: it is not a success that outlives its reasons."""
    # what takes a success back asks for the whole budget by itself, whatever the look is for
    with purpose(Purpose.SWEEP if claim.routine else Purpose.LOOK):
        return _judge_lane(claim, deps)


def _judge_lane(claim: Claim, deps: Deps) -> Outcome:
    lane = claim.lane
    judging = _Judging(claim, deps, deps.github.installation(lane.installation_id), lane.slug)
    try:
        if lane.ref.startswith(GROUP):
            return MergeGroup(deps, judging.client, claim).look() or judging.judge()
        return BranchMoved(deps, judging.client, lane).look() if lane.ref else judging.judge()
    except RetryLater as error:
        return judging.failed(error, error.why, error.after)
    except (GitHubError, GitError) as error:
        return judging.failed(error, error.why)
    except Exception as error:
        log.exception("a lane failed")
        return judging.failed(error, f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class _Judged:
    """One pull request with this head. `made` None: there was nothing to evaluate by."""

    answer: PullAnswer
    explanation: Explanation
    facts: PullFacts | None = None
    made: Decision | None = None
    verdict: Verdict | None = None


@dataclass
class _Judging:
    claim: Claim
    deps: Deps
    client: InstallationClient
    slug: str
    """`owner/name`; the lane's own until GitHub has told the current one."""
    checks: tuple[Check, ...] | None = None
    """Ours on the head as GitHub showed them in this look; None: not known."""

    @property
    def lane(self) -> Lane:
        return self.claim.lane

    def judge(self) -> Outcome:
        for _round in range(ROUNDS):
            outcome = self._look()
            if outcome is not None:
                return outcome
        self._rewrite_green(publish.unread())  # what stands there was given for something else
        return Retry("it moved while it was judged", 1.0)

    def _look(self) -> Outcome | None:
        """One whole look; None: something moved before it could be called a success."""
        ground, shown, answers = self._read()
        self.checks = shown.checks
        floor = self.deps.floor(self.client, ground)
        with writing(self.deps.engine) as conn:
            at = now(conn)
            policy = standing(conn, ground, at, floor)
            keep_reads(conn, self.lane.installation_id, answers)
        moved = tuple(self._lane(a.pull.head, a.pull.number) for a in answers if self._left(a))
        by = policy.last_good if isinstance(policy, BrokenPolicy) else policy
        gated = [a for a in answers if isinstance(by, InForce) and self._concerns(a, by, ground)]
        if isinstance(policy, BrokenPolicy) and by is None:
            gated = [a for a in answers if self._is_here(a) and a.pull.base_ref == ground.default_branch]
        if not gated or isinstance(policy, NotSetUp):
            return self._end(moved, live=any(map(self._is_here, answers)))
        moved += self._behind(gated)
        judged = [self._judge_one(answer, policy, at) for answer in gated]
        explanation = combine([(one.answer.pull.number, one.explanation) for one in judged])
        observe = isinstance(by, InForce) and by.ruling.mode == "observe"
        return self._publish(judged, explanation, observe, moved)

    def _read(self) -> tuple[Ground, Shown, list[PullAnswer]]:
        """Every open pull request that may have this head, and ours on the head itself."""
        lane, first = self.lane, None
        if lane.pull is not None:
            first = self._ask(lane.pull)
        if first is not None:
            ground, shown = first.ground, first.shown
        else:
            ground, shown = ask_head(self.client, self.slug, lane.head)
        self._same_repository(ground)
        answers = {first.pull.number: first} if first is not None else {}
        with reading(self.deps.engine) as conn:
            decided = _decided_pulls(conn, lane)
        for number in sorted({*shown.pulls, *decided} - set(answers)):
            answer = self._ask(number)
            if answer is not None:
                answers[number] = answer
            elif number in shown.pulls:
                raise GitHubError(f"GitHub lists #{number} with this head, and does not show it")
        return ground, shown, [answers[number] for number in sorted(answers)]

    def _ask(self, number: int) -> PullAnswer | None:
        return ask(self.client, self.slug, number, self.lane.head)

    def _same_repository(self, ground: Ground) -> None:
        if ground.repository.id != self.lane.repository_id:
            raise GitHubError(f"{self.slug} is another repository now")
        self.slug = ground.repository.slug

    def _is_here(self, answer: PullAnswer) -> bool:
        return answer.pull.is_open and answer.pull.head == self.lane.head

    def _left(self, answer: PullAnswer) -> bool:
        return answer.pull.is_open and answer.pull.head != self.lane.head

    def _behind(self, answers: list[PullAnswer]) -> tuple[Lane, ...]:
        """Branches that moved since what landed on them was last looked at: the push was not heard of."""
        tips = {f"refs/heads/{answer.pull.base_ref}": answer.pull.base for answer in answers}
        with reading(self.deps.engine) as conn:
            known = {ref: landed.last(conn, self.lane.repository_id, ref) for ref in tips}
        return tuple(
            Lane(self.lane.installation_id, self.lane.repository_id, self.slug, ref=f"{LANDED}{ref}")
            for ref, tip in tips.items()
            if known[ref] not in ("", tip)
        )

    def _concerns(self, answer: PullAnswer, by: InForce, ground: Ground) -> bool:
        return self._is_here(answer) and is_gated(answer.pull.base_ref, by.ruling, ground.default_branch)

    def _judge_one(self, answer: PullAnswer, policy: Standing, at: int) -> _Judged:
        sources = self.deps.sources(self.client, answer.pull.repository)
        if isinstance(policy, BrokenPolicy):
            if policy.last_good is None or not _mends(sources, answer, policy.last_good):
                return _Judged(answer, _broken(policy))
            policy = policy.last_good
        assert isinstance(policy, InForce)  # noqa: S101 - for the type checker: NotSetUp ended before
        facts = gather(sources, answer, policy, at)
        judgement = evaluate.evaluate(facts, policy.policy)
        names = {agent.id: agent.name for agent in self.deps.catalogue.agents}
        asked = self._asked(answer, policy, judgement)
        explanation = explain.explain(
            facts, policy.policy, judgement, names=names, asked=asked.people, not_asked=asked.why_not
        )
        made = decisions.decide(
            facts, judgement.verdict, policy=policy.text, policy_oid=policy.oid, evaluator=evaluate.VERSION,
            title=explanation.title, at=at,
        )  # fmt: skip
        return _Judged(answer, explanation, facts, made, judgement.verdict)

    def _asked(self, answer: PullAnswer, by: InForce, judgement: evaluate.Judgement) -> Asked:
        """Whose review is asked for; where the policy says so, after those who are missing were asked."""
        if (
            not by.ruling.request_reviewers
            or by.ruling.mode == "observe"
            or not may_write(self.deps.engine, self.claim)
        ):
            return awaited(answer)
        return Asker(self.deps.engine, self.client, answer, judgement).ask()

    def _publish(
        self, judged: list[_Judged], explanation: Explanation, observe: bool, moved: tuple[Lane, ...]
    ) -> Outcome | None:
        wanted = publish.face(explanation, observe=observe)
        check = self._shown_check(wanted.name)
        if not wanted.is_shown_by(check):
            if wanted.conclusion == "success" and not self._stands(judged):
                return None
            if not may_write(self.deps.engine, self.claim, lambda conn: _store(conn, judged)):
                return Retry("another worker has this lane")
            written = publish.write(
                self.client, self.slug, self.lane.head, self._with_id(wanted, judged), check
            )
            with writing(self.deps.engine) as conn:
                for one in judged:
                    if one.made is not None:
                        decisions.set_check_run(conn, one.made.id, written)
            self._tell(judged)
        if observe:
            self._rewrite_green(publish.ended())
        return self._done(judged, wanted, moved)

    def _tell(self, judged: list[_Judged]) -> None:
        for one in judged:
            if one.made is not None and one.verdict is not None:
                self.deps.figures.decided(one.verdict)
                log.info("%s#%d: %s, decision %s", self.slug, one.made.pull, one.made.outcome, one.made.id)

    def _shown_check(self, name: str) -> Check | None:
        """None also for one that has waited so long that a new one has to take its place."""
        check = publish.newest(self.checks or (), name)
        with reading(self.deps.engine) as conn:
            return None if publish.grows_stale(check, now(conn)) else check

    def _with_id(self, wanted: Face, judged: list[_Judged]) -> Face:
        """Names the decisions where people can see them, outside what is compared."""
        ids = [f"#{one.answer.pull.number} `{one.made.id}`" for one in judged if one.made is not None]
        if self.deps.settings.poll:
            wanted = replace(wanted, text=f"{wanted.text}\n\n{_UNSEEN}".strip())
        if not ids:
            return wanted
        line = f"Decision {', '.join(ids)}: replay it with `foureyes replay`."
        return replace(wanted, text=f"{wanted.text}\n\n{line}".strip())

    def _stands(self, judged: list[_Judged]) -> bool:
        """The last look before a success: a review, a push or a retarget may have come while we thought."""
        slug = self.slug
        return all(
            look(self.client, slug, one.answer.pull.number) == expected_look(one.answer) for one in judged
        )

    def _done(self, judged: list[_Judged], shown: Face, moved: tuple[Lane, ...]) -> Outcome:
        unread = [why for one in judged if one.facts for why in evaluate.unknowns(one.facts).values()]
        if unread:
            return Retry(redact(f"could not be read: {unread[0]}"))
        facts = [one.facts for one in judged if one.facts is not None]
        green = shown.name == publish.NAME and shown.conclusion == "success"
        return Done(live=True, green=green, wake=moved, look_again=_look_again(facts, green=green))

    def _end(self, moved: tuple[Lane, ...], *, live: bool) -> Outcome:
        """No open pull request into a gated branch has this head: nothing is published, a success is rewritten."""
        self._rewrite_green(publish.ended())
        return Done(live=live, wake=moved, look_again=UNJUDGED)

    def _rewrite_green(self, wanted: Face) -> None:
        check = publish.newest(self.checks or (), publish.NAME)
        misleads = check is not None and check.conclusion in ("success", "neutral", "skipped")
        if misleads and may_write(self.deps.engine, self.claim):
            publish.write(self.client, self.slug, self.lane.head, wanted, check)

    def failed(self, error: Exception, why: str, after: float | None = None) -> Retry:
        """A success on this head becomes "could not be read". Never raises; the lane is tried again, and so is this."""
        unsure = isinstance(error, OutcomeUnknown)
        try:
            self._take_back(publish.held_up() if isinstance(error, RetryLater) else publish.unread())
        except Exception as another:  # noqa: BLE001 - it is called when everything may be failing
            log.warning("a check could not be taken back: %s", redact(str(another)))
            unsure = unsure or isinstance(another, OutcomeUnknown)
        return Retry(redact(why), after, unsure)

    def _take_back(self, wanted: Face) -> None:
        if not self.lane.head:
            return
        if self.checks is None:
            self.checks = publish.read_checks(self.client, self.slug, self.lane.head)
        self._rewrite_green(wanted)

    def _lane(self, head: str, number: int) -> Lane:
        return Lane(self.lane.installation_id, self.lane.repository_id, self.slug, head, pull=number)


def _store(conn: Connection, judged: list[_Judged]) -> None:
    for one in judged:
        if one.made is not None:
            decisions.store(conn, one.made)


def _decided_pulls(conn: Connection, lane: Lane) -> tuple[int, ...]:
    """Pull requests that had this head when they were judged: GitHub does not list all that share a commit."""
    where = (decision_table.c.repository_id == lane.repository_id) & (decision_table.c.head == lane.head)
    return tuple(row.pull for row in conn.execute(select(decision_table.c.pull).where(where).distinct()))


def _mends(sources: Sources, answer: PullAnswer, last_good: InForce) -> bool:
    """The merge result has a policy file that can be read."""
    git = read_git(sources, answer, last_good)
    if not isinstance(git, Known):
        raise GitHubError(git.why)
    blobs = [change.new_blob for change in git.value.merged.changes if change.path == POLICY_PATH]
    blobs = [blob for blob in blobs if blob.strip("0")]
    if not blobs or git.value.merged.merge.tree is None:
        return False
    sources.mirror.fetch_objects(blobs)
    try:
        parse_policy(sources.mirror.objects(blobs, "blob")[blobs[0]].decode())
    except (PolicyError, UnicodeDecodeError):
        return False
    return True


def _broken(policy: BrokenPolicy) -> Explanation:
    if policy.last_good is None:
        return broken(
            policy.problem,
            "an admin mends the file on the default branch; foureyes then looks again by itself.",
        )
    step = (
        f"open a pull request that mends {POLICY_PATH}; it is judged by the last good policy "
        f"(blob `{policy.last_good.oid[:10]}`). Everything else waits for that."
    )
    return broken(policy.problem, step)


def _look_again(facts: list[PullFacts], *, green: bool) -> float:
    """Seconds until a look without an event. An exemption may end with the day (UTC)."""
    if not green:
        return SOON if any(map(_awaits_keys, facts)) else LATER
    exempt = [one for one in facts if isinstance(one.app, Known) and one.app.value is not None]
    at = datetime.fromisoformat(exempt[0].at).timestamp() if exempt else 0.0
    return min(LATER, A_DAY - at % A_DAY)


def _awaits_keys(facts: PullFacts) -> bool:
    commits = facts.commits.value if isinstance(facts.commits, Known) else ()
    return any(commit.record.state is RecordState.BAD_SIGNATURE for commit in commits)
