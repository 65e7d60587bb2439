"""After a push to a gated branch: what landed is held against the decisions. What no Pass let in becomes an alert,
stored and shown on the commit.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Engine

from foureyes.github_app import alert_text, alerts, decisions, landed, merging, publish
from foureyes.github_app.alert_issues import open_issues
from foureyes.github_app.alerts import Alert, Kind
from foureyes.github_app.client import GitHubError, InstallationClient, RetryLater
from foureyes.github_app.decisions import Decision
from foureyes.github_app.git_facts import branch_tip, bring
from foureyes.github_app.landed import NO_COMMIT, Moved
from foureyes.github_app.landed_query import ask_came_from, ask_stands
from foureyes.github_app.landing import DECIDED, Landing, Source, Walk, lost_commits, takes_away
from foureyes.github_app.lanes import LANDED, Done, Lane
from foureyes.github_app.mirror import EMPTY_TREE, Mirror
from foureyes.github_app.org_floor import NO_FLOOR, OrgFloor
from foureyes.github_app.policy_in_force import BrokenPolicy, InForce, standing
from foureyes.github_app.pull_query import POLICY_PATH, Ground
from foureyes.github_app.storage import now, reading, writing
from foureyes.shared.branches import is_gated
from foureyes.shared.protection import Protection, protect

OBSERVED = "observed"
"""As a landing's finding, in observe mode: nothing is asked there, so nothing can be missing."""
BEGAN = "began"
"""As a landing's finding: what stood on the branch when it was first looked at, or what reached us late."""

MOST_AT_FIRST = 20
"""Pushes that the first look at a branch judges."""
SHOWN_ON_COMMIT = (Kind.BYPASS, Kind.DIRECT, Kind.MISMATCH, Kind.FORCED)


@dataclass(frozen=True)
class AfterMerge:
    """One look at one branch. `slug` is the repository's name as GitHub just said it."""

    engine: Engine
    client: InstallationClient
    mirror: Mirror
    ground: Ground
    lane: Lane
    floor: OrgFloor = NO_FLOOR

    @property
    def ref(self) -> str:
        return self.lane.ref.removeprefix(LANDED)

    @property
    def branch(self) -> str:
        return self.ref.removeprefix("refs/heads/")

    def look(self) -> Done:
        """Raises GitError, GitHubError."""
        repository = self.ground.repository.id
        with writing(self.engine) as conn:
            policy = standing(conn, self.ground, now(conn), self.floor)
            begin = landed.last(conn, repository, self.ref)
            pushes = landed.waiting(conn, repository, self.ref)
        by = policy.last_good if isinstance(policy, BrokenPolicy) else policy
        if not isinstance(by, InForce) or not is_gated(self.branch, by.ruling, self.ground.default_branch):
            return Done(live=False)
        found: list[tuple[Landing, Moved]] = []
        raised: list[Alert] = []
        with self.mirror.rebuilt_if_damaged():
            for moved in self._moves(begin, pushes):
                steps, forced = self._steps(moved)
                found += [(step, moved) for step in steps]
                raised += forced
                opened = (alert_text.of_retrospective(self.ground, self.ref, step) for step in steps)
                raised += [alert for alert in opened if alert is not None]
                raised += [
                    alert_text.of_landing(self.ground, self.ref, step, moved, self._touched(step, by))
                    for step in steps
                    if step.finding in alert_text.LANDINGS
                ]
        if by.ruling.mode == "observe":
            found = [(_observed(step), moved) for step, moved in found]
            raised = []
        with writing(self.engine) as conn:
            if landed.last(conn, repository, self.ref) != begin:
                return Done(live=False)  # somebody else looked at the same meanwhile, and has told it
            at = now(conn)
            landed.keep(conn, repository, self.ref, found, at)
            for order, one in enumerate(raised):
                alerts.keep(conn, one, at + order, anew=True)
        self._show()
        if by.ruling.alert_issues:
            open_issues(self.engine, self.client, repository, self.ground.repository.slug)
        return Done(live=False)

    def _moves(self, begin: str, pushes: tuple[Moved, ...]) -> list[Moved]:
        """Every move since the last look: those that were witnessed, and what lies between them and now."""
        moves: list[Moved] = []
        at, tip = begin, branch_tip(self.mirror, self.branch)
        ordered = landed.in_order(begin, pushes)
        if not begin:
            ordered = self._since_it_is_gated(ordered)
        for push in ordered:
            if at and push.before != at and self._holds(at, push.after):
                moves.append(replace(push, late=True))
                continue
            if at and push.before not in (at, NO_COMMIT):
                moves.append(self._moved(at, push.before))
            before = at if push.before == NO_COMMIT else push.before
            moves.append(Moved(before, push.after, push.account_id, push.login))
            at = push.after
        if tip and tip != at:
            moves.append(self._moved(at, tip))
        return moves

    def _moved(self, before: str, after: str) -> Moved:
        """A push that brings the branch back to where it was once is none of those that wait."""
        with reading(self.engine) as conn:
            return landed.moved(conn, self.ground.repository.id, self.ref, before, after)

    def _since_it_is_gated(self, pushes: tuple[Moved, ...]) -> tuple[Moved, ...]:
        """Those that a first look judges: earlier ones may be from a time when nobody asked for anything. On the
        default branch the policy itself tells; on another one only the newest is taken.
        """
        if self.branch != self.ground.default_branch:
            return pushes[-1:]
        kept: list[Moved] = []
        for push in reversed(pushes[-MOST_AT_FIRST:]):
            if push.before not in bring(self.mirror, [push.before]):
                break
            if POLICY_PATH.encode() not in self.mirror.entries(push.before):
                break
            kept.append(push)
        return tuple(reversed(kept))

    def _holds(self, tip: str, commit: str) -> bool:
        bring(self.mirror, [tip, commit])
        return not self.mirror.missing([tip, commit]) and not takes_away(self.mirror, commit, tip)

    def _steps(self, moved: Moved) -> tuple[tuple[Landing, ...], list[Alert]]:
        if moved.late:
            return (Landing(moved.before, moved.after, BEGAN),), []
        if not moved.before:
            return self._first(moved)
        here = bring(self.mirror, [moved.before, moved.after])
        if moved.after not in here:
            # pushed away again at once; what came instead is looked at as the next move
            return (Landing(moved.before, moved.after, BEGAN),), []
        if moved.before not in here:
            forced = alert_text.of_force(self.ground, self.ref, moved, None)
            return (Landing(moved.before, moved.after, Kind.FORCED),), [forced]
        if not takes_away(self.mirror, moved.before, moved.after):
            return self._walk().landings(moved.before, moved.after), []
        lost = lost_commits(self.mirror, moved.before, moved.after)
        forced = alert_text.of_force(self.ground, self.ref, moved, lost)
        bases = self.mirror.merge_bases(moved.before, moved.after)
        steps = self._walk().landings(bases[0], moved.after) if bases and bases[0] != moved.after else ()
        return steps or (Landing(moved.before, moved.after, Kind.FORCED),), [forced]

    def _first(self, moved: Moved) -> tuple[tuple[Landing, ...], list[Alert]]:
        """A gated branch that is new, or that was never looked at: what the default branch holds is no news."""
        default = self.ground.default_tip
        if self.branch != self.ground.default_branch and moved.after in bring(
            self.mirror, [default, moved.after]
        ):
            bases = self.mirror.merge_bases(default, moved.after)
            if moved.account_id and not bases:
                return (Landing(EMPTY_TREE, moved.after, Kind.DIRECT),), []
            if moved.account_id and bases[0] != moved.after:
                return self._walk().landings(bases[0], moved.after), []
        return (Landing("", moved.after, BEGAN),), []

    def _walk(self) -> Walk:
        known: dict[Source, Decision | None] = {}
        told: dict[str, tuple[Source, ...]] = {}

        def decision(source: Source) -> Decision | None:
            if source not in known:
                with reading(self.engine) as conn:
                    made = decisions.latest_on_head(
                        conn, self.ground.repository.id, source.head, self.branch, source.pull
                    )
                known[source] = made if made is None or source.pull or self._stands(made) else None
            return known[source]

        def came_from(oid: str) -> tuple[Source, ...]:
            if oid not in told:
                told[oid] = ask_came_from(self.client, self.ground.repository.slug, oid, self.branch)
                bring(self.mirror, [source.head for source in told[oid]])
            return told[oid]

        return Walk(self.mirror, decision, came_from)

    def _stands(self, made: Decision) -> bool:
        """GitHub did not say that this pull request was merged: it may know so later, or it was closed long ago."""
        slug = self.ground.repository.slug
        return ask_stands(self.client, slug, made.pull, made.head, self.branch)

    def _touched(self, step: Landing, by: InForce) -> Protection:
        return protect(by.ruling, merging.raw_changes(self.mirror, step.before, step.after))

    def _show(self) -> None:
        """A check on the commit of each alert that has none yet."""
        with reading(self.engine) as conn:
            waiting = alerts.unshown(conn, self.ground.repository.id, SHOWN_ON_COMMIT)
        slug = self.ground.repository.slug
        for one in waiting:
            face = publish.landed(one.title, one.text, grave=one.grave)
            try:
                check = publish.newest(
                    publish.read_checks(self.client, slug, one.commit, publish.AFTER), publish.AFTER
                )
                written = publish.write(self.client, slug, one.commit, face, check)
            except RetryLater:
                raise
            except GitHubError as error:
                if error.status not in (404, 422):
                    raise
                written = 0  # the commit is gone by now; the alert is stored all the same
            with writing(self.engine) as conn:
                alerts.set_check_run(conn, one.id, written)


def _observed(step: Landing) -> Landing:
    return Landing(
        step.before, step.after, step.finding if step.finding == DECIDED else OBSERVED, step.source, step.made
    )
