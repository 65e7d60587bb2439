"""A lane of a branch: what landed is held against the decisions, or the open pull requests concerned are woken."""

from dataclasses import dataclass

from foureyes.github_app.after_merge import AfterMerge
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.concerned import Base, concerned
from foureyes.github_app.deps import Deps
from foureyes.github_app.git_facts import branch_tip
from foureyes.github_app.lanes import EVERY_BRANCH, LANDED, Done, Lane, live
from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.open_pulls import OpenPull, ask_open_pulls
from foureyes.github_app.org_floor import is_floor_repository
from foureyes.github_app.policy_in_force import InForce, standing
from foureyes.github_app.pull_query import Ground, ask_head
from foureyes.github_app.storage import now, reading, writing

NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class BranchMoved:
    deps: Deps
    client: InstallationClient
    lane: Lane

    def look(self) -> Done:
        """Raises GitError, GitHubError."""
        ground, _shown = ask_head(self.client, self.lane.slug, NO_COMMIT)
        if ground.repository.id != self.lane.repository_id:
            raise GitHubError(f"{self.lane.slug} is another repository now")
        mirror = self.deps.mirrors.of(self.client, ground.repository)
        if self.lane.ref.startswith(LANDED):
            floor = self.deps.floor(self.client, ground)
            return AfterMerge(self.deps.engine, self.client, mirror, ground, self.lane, floor).look()
        slug = ground.repository.slug
        woken = (
            Lane(self.lane.installation_id, self.lane.repository_id, slug, pull.head, pull=pull.number)
            for pull in self._concerned(ground, mirror)
        )
        return Done(live=False, wake=(*woken, *self._below_the_floor(ground)))

    def _below_the_floor(self, ground: Ground) -> tuple[Lane, ...]:
        """The organisation's floor may be another one now: every open pull request of the installation."""
        if self.lane.ref != EVERY_BRANCH or not is_floor_repository(ground.repository.name):
            return ()
        self.deps.floors.forget(self.client, ground.repository.owner)
        # read and kept before anyone is woken, so that every server sees that its own is not the newest
        self.deps.floor(self.client, ground)
        with reading(self.deps.engine) as conn:
            return live(conn, self.lane.installation_id)

    def _concerned(self, ground: Ground, mirror: Mirror) -> tuple[OpenPull, ...]:
        """Every one of them, where it cannot be told apart which."""
        every = self.lane.ref == EVERY_BRANCH
        branch = ground.default_branch if every else self.lane.ref.removeprefix("refs/heads/")
        found = ask_open_pulls(self.client, ground.repository.slug, None if every else branch)
        floor = self.deps.floor(self.client, ground)
        with writing(self.deps.engine) as conn:
            policy = standing(conn, ground, now(conn), floor)
        if not found or not isinstance(policy, InForce):
            return found
        try:
            tip = ground.default_tip if branch == ground.default_branch else branch_tip(mirror, branch)
        except GitError:
            return found
        if not tip:
            return found
        base = Base(ground.repository.id, branch, tip, ground.default_branch)
        return concerned(self.deps.engine, mirror, base, found, policy)
