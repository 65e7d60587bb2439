"""Several pull requests, people who act on them, and everything that can go wrong between GitHub and the App.

What must come of it is counted here from the sandbox's own state and from git, by the words of the design alone: nothing
of the App or of its evaluation is used for that.
"""

import json
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from support_gate import SHOP, Gate

from foureyes.github_app import inbox, storage
from foureyes.github_app.client import GitHub
from foureyes.github_app.deps import Deps, Mirrors
from foureyes.github_app.inbox import Delivery
from foureyes.github_app.judge import judge_lane
from foureyes.github_app.sandbox.seed import TEAMS
from foureyes.github_app.sweep_tables import errand
from foureyes.github_app.sweeper import Sweeper
from foureyes.github_app.tables import work
from foureyes.shared.agents import parse_catalogue

ROSTER = {login for members in TEAMS.values() for login in members}
WRITERS = tuple(sorted(ROSTER))
ANSWERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("status", "POST /api/graphql", {"status": 502}),
    ("status", "POST /api/graphql", {"status": 500, "times": 4}),
    ("status", "POST /api/graphql", {"status": 403, "message": "You have exceeded a secondary rate limit."}),
    ("status", "POST /api/graphql", {"status": 403, "message": "secondary rate limit", "headers": {"Retry-After": "7"}}),
    ("status", "POST /api/graphql", {"status": 429, "message": "slow down"}),
    ("status", "* /api/v3/repos/*/check-runs*", {"status": 429, "headers": {"Retry-After": "5"}}),
    ("status", "* /api/v3/repos/*/check-runs*", {"status": 500}),
    ("lost-answer", "* /api/v3/repos/*/check-runs*", {"status": 502}),
    ("hang-up", "* /api/v3/repos/*/check-runs*", {}),
    ("status", "GET /api/v3/orgs/*", {"status": 503, "times": 3}),
    ("status", "* /acme/shop.git/*", {"status": 503, "times": 2}),
    ("hang-up", "POST /api/graphql", {}),
    ("truncate", "POST /api/graphql", {}),
    ("truncate", "* /acme/shop.git/git-upload-pack", {}),
    ("graphql-error", "POST /api/graphql", {"times": 2}),
    ("graphql-error", "POST /api/graphql", {"error_type": "RATE_LIMITED"}),
)  # fmt: skip
"""Each as the sandbox takes it: kind, what it meets, how."""
DELIVERIES = ("now", "now", "now", "repeated", "late", "failed", "lost")


@dataclass
class Given:
    """A review as it was given: on what content. `lost`: no delivery told of it, and GitHub's list neither."""

    login: str
    content: str
    head: str
    base_ref: str
    lost: bool = False


@dataclass
class Opened:
    number: int
    branch: str
    path: str
    opener: str
    pushers: list[str]
    given: dict[int, Given] = field(default_factory=dict)
    lost: bool = False
    """Something about it was lost for good: then the App may be stricter than it had to be."""


@dataclass
class Faulty:
    gate: Gate
    random: random.Random
    deps: Deps = field(init=False)
    sweeper: Sweeper = field(init=False)
    pulls: list[Opened] = field(default_factory=list)
    heard: int = 0
    late: list[Delivery] = field(default_factory=list)
    ahead: float = 0.0
    """Seconds that the App's clock is ahead, so that nobody has to wait for a limit to end."""
    shown: dict[int, tuple[str | None, str]] = field(default_factory=dict)
    unsafe: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    published: int = 0
    interrupt: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.gate.deaf = True
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered but what is stored."""
        gate = self.gate
        catalogue = parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))
        github = GitHub(
            gate.settings, observe=self.observe, clock=lambda: time.time() + self.ahead, sleep=lambda _: None
        )
        mirrors = Mirrors(gate.settings.data / "mirrors", gate.settings)
        self.deps = Deps(gate.settings, gate.engine, github, catalogue, mirrors)
        gate.judge = lambda claim: judge_lane(claim, self.deps)
        self.sweeper = Sweeper(self.deps, every=300)

    # what people do

    def open(self, path: str) -> Opened:
        opener = self.random.choice(WRITERS)
        number = len(self.pulls) + 1
        branch = f"branch-{self.random.randrange(10**9)}"
        head = self.gate.change({path: f"{branch}\n"}, author=_author(opener))
        made = Opened(0, branch, path, opener, [opener])
        made.number = self.gate.open(opener, branch, head)
        self.pulls.append(made)
        self.say(f"{opener} opens #{made.number} ({path}), the {number}.")
        return made

    def push(self, one: Opened) -> None:
        login = self.random.choice(WRITERS)
        head = self.gate.change(
            {one.path: f"{self.random.randrange(10**9)}\n"}, self.pull(one).head, author=_author(login)
        )
        one.pushers.append(login)
        self.gate.push(login, one.branch, head)
        self.say(f"{login} pushes other content to #{one.number}")

    def reword(self, one: Opened) -> None:
        """The same content under another commit, by force."""
        login = one.pushers[-1]
        files_now = self.gate.files(self.pull(one).head)
        base = self.git("merge-base", "main", self.pull(one).head)
        head = self.gate.clone.commit(
            files_now, base, message=f"Reworded {self.random.randrange(10**9)}", author=_author(login)
        )
        self.gate.push(login, one.branch, head)
        self.say(f"{login} rewords #{one.number}")

    def review(self, one: Opened, event: str = "APPROVE") -> None:
        login = self.random.choice([login for login in WRITERS if login != one.opener])
        pull = self.pull(one)
        given = Given(login, self.content(one), pull.head, pull.base_ref)
        one.given[self.gate.review(login, one.number, event)] = given
        self.say(f"{login}: {event} on #{one.number}")

    def block(self, one: Opened) -> None:
        self.review(one, "REQUEST_CHANGES")

    def dismiss(self, one: Opened) -> None:
        standing = [review for review in self.pull(one).reviews if review.state == "APPROVED"]
        if standing:
            review = self.random.choice(standing)
            path = f"/repos/{SHOP}/pulls/{one.number}/reviews/{review.id}/dismissals"
            self.gate.as_person("noor", "PUT", path, {"message": "no"})
            self.say(f"noor dismisses {review.user.login} on #{one.number}")

    def draft(self, one: Opened) -> None:
        draft = not self.pull(one).draft
        self.gate.control("POST", "draft", repository=SHOP, number=one.number, login=one.opener, draft=draft)
        self.say(f"#{one.number} draft: {draft}")

    def close(self, one: Opened) -> None:
        state = "closed" if self.pull(one).state == "open" else "open"
        self.gate.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{one.number}", {"state": state})
        self.say(f"#{one.number} {state}")

    def retarget(self, one: Opened) -> None:
        if self.pull(one).state != "open":
            return
        base = "develop" if self.pull(one).base_ref == "main" else "main"
        self.gate.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{one.number}", {"base": base})
        self.say(f"#{one.number} goes to {base}")

    def move_base(self, _one: Opened) -> None:
        name = f"base/{self.random.randrange(10**9)}"
        self.gate.push("noor", "main", self.gate.change({name: "x\n"}, self.gate.tip()))
        self.say("main moves")

    ACTS = (push, reword, *(review,) * 8, block, dismiss, draft, close, retarget, move_base)

    def act(self) -> None:
        """Something happens, and its deliveries go where they go."""
        one, faults = self.random.choice(self.pulls), self.gate.sandbox.world.faults
        waiting = faults.listed()
        faults.clear()  # they are the App's alone
        self.random.choice(self.ACTS)(self, one)
        self.deliver(self.random.choice(DELIVERIES), one)
        for fault in waiting:
            faults.add(fault)

    # what the App hears and does

    def deliver(self, how: str, one: Opened | None = None) -> None:
        assert self.gate.sandbox.wait_delivered()
        log = self.gate.sandbox.world.courier.log
        new, self.heard = log[self.heard :], len(log)
        if new:
            self.say(f"   {len(new)} deliveries: {how}")
        for sent in new:
            self._hand_over(Delivery(sent.guid, sent.event, sent.body, json.loads(sent.body)), how)
        if how == "lost":
            del log[self.heard - len(new) :]
            self.heard = len(log)
            for each in self.pulls if one is None else (one,):
                each.lost = each.lost or bool(new)

    def _hand_over(self, given: Delivery, how: str) -> None:
        if how in ("now", "repeated"):
            inbox.accept(self.gate.engine, given)
        if how == "repeated":
            inbox.accept(self.gate.engine, given)
        if how == "late":
            self.late.insert(0, given)

    def hear_late(self) -> None:
        """What was held back, the newest first."""
        for given in self.late:
            inbox.accept(self.gate.engine, given)
        self.late.clear()

    def look(self) -> None:
        """Every lane once, as if each pause were over."""
        self.ahead += 4_000
        with storage.writing(self.gate.engine) as conn:
            conn.execute(work.update().values(due_at=0, not_before=0))
        with suppress(AssertionError):
            self.gate.settle(most=12)

    def sweep(self) -> None:
        self.ahead += 4_000
        with storage.writing(self.gate.engine) as conn:
            conn.execute(errand.update().values(due_at=0))
        self.sweeper.begin()
        for _ in range(20):
            if not self.sweeper.turn():
                return

    def end(self) -> None:
        """GitHub is well again: two rounds of the sweep make everything good."""
        self.gate.sandbox.world.faults.clear()
        self.interrupt = None
        for _ in range(2):
            self.sweep()
            self.look()
        self.look()

    # what is right

    def observe(self, verb: str, path: str, status: int) -> None:
        self.gate.observe(verb, path, status)
        if "/check-runs" in path and verb != "GET":
            self._watch()
        elif path.endswith("/graphql") and self.interrupt is not None:
            happen, self.interrupt = self.interrupt, None
            happen()

    def _watch(self) -> None:
        """Each success is judged in the moment in which it is published."""
        for run in self.gate.sandbox.world.repositories[SHOP].check_runs:
            if run.name != "foureyes" or self.shown.get(run.id) == (run.conclusion, run.external_id):
                continue
            self.shown[run.id] = (run.conclusion, run.external_id)
            if run.conclusion == "success":
                self.published += 1
                self._judge(run.suite.head_sha)

    def _judge(self, head: str) -> None:
        its = [one for one in self.pulls if self.pull(one).head == head]
        wrong = [one.number for one in its if self.is_judged(one) and not self.may_pass(one)]
        if wrong or not its:
            self.unsafe.append(f"success on {head[:7]} of {wrong} after: " + "; ".join(self.told[-12:]))

    def is_judged(self, one: Opened) -> bool:
        pull = self.pull(one)
        return pull.state == "open" and pull.base_ref == "main"

    def may_pass(self, one: Opened) -> bool:
        """By the design: not a draft; on a protected path two of the roster who had no hand in it approve exactly this,
        and nobody asks for changes.
        """
        if self.pull(one).draft:
            return False
        if not one.path.startswith("infra/"):
            return True
        return len(self.approving(one)) >= 2 and not self.asks_for_changes(one)

    def approving(self, one: Opened) -> set[str]:
        content, newest = self.content(one), self.newest(one)
        base = self.pull(one).base_ref
        return {
            given.login
            for review, given in one.given.items()
            if newest[given.login].state == "APPROVED"
            and self.state(one, review) == "APPROVED"
            and (given.content, given.base_ref) == (content, base)
            and given.login not in self.hands(one)
        }

    def asks_for_changes(self, one: Opened) -> bool:
        return any(review.state == "CHANGES_REQUESTED" for review in self.newest(one).values())

    def newest(self, one: Opened) -> dict[str, Any]:
        return {review.user.login: review for review in self.pull(one).reviews if review.state != "COMMENTED"}

    def state(self, one: Opened, review: int) -> str:
        return next(str(r.state) for r in self.pull(one).reviews if r.id == review)

    def hands(self, one: Opened) -> set[str]:
        """Who opened it, who made its commits, who pushed what is its head; and who else ever pushed, if all was heard."""
        emails = self.git("log", "--format=%ae", f"main..{self.pull(one).head}").split()
        made = {email.partition("@")[0] for email in emails}
        return {one.opener, one.pushers[-1], *made, *(() if one.lost else one.pushers)}

    def content(self, one: Opened) -> str:
        head = self.pull(one).head
        base = self.git("merge-base", self.pull(one).base_ref, head)
        return self.git("diff-tree", "-r", "--raw", "--abbrev=40", "--no-renames", base, head)

    def pull(self, one: Opened) -> Any:
        return self.gate.pull(one.number)

    def git(self, *args: str) -> str:
        folder = self.gate.sandbox.world.repositories[SHOP].git.path
        done = subprocess.run(
            ["git", f"--git-dir={folder}", *args], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def say(self, what: str) -> None:
        self.told.append(what)

    def check_of(self, one: Opened) -> str:
        runs = self.gate.runs(self.pull(one).head)
        newest = max(runs, key=lambda run: run.id, default=None)
        return "" if newest is None else newest.conclusion or newest.status

    def wrong(self) -> list[str]:
        """At the end: what GitHub shows against what is right. Where something was lost for good the App may be stricter."""
        found = list(self.unsafe)
        for one in self.pulls:
            passes, right = self.check_of(one) == "success", self.is_judged(one) and self.may_pass(one)
            if passes != right and not (one.lost and right):
                found.append(f"#{one.number} shows {self.check_of(one)!r}; right: {right}")
        return found


def _author(login: str) -> tuple[str, str]:
    return login.capitalize(), f"{login}@acme.example"


def play(gate: Gate, seed: int, steps: int) -> Faulty:
    """One history, from the first pull request to the end of all faults."""
    game = Faulty(gate, random.Random(seed))
    dice = game.random
    for path in ("infra/one.tf", "infra/two.tf", "docs/three.md"):
        one = game.open(path.replace(".", f"-{seed}."))
        game.deliver(dice.choice(DELIVERIES), one)
    for _ in range(steps):
        if dice.random() < 0.35:
            kind, match, how = dice.choice(ANSWERS)
            gate.fault(kind, match, **how)
            game.say(f"   fault: {kind} {match} {how}")
        if dice.random() < 0.3:
            game.interrupt = game.act
        game.act()
        if dice.random() < 0.7:
            game.look()
        if dice.random() < 0.15:
            game.hear_late()
        if dice.random() < 0.15:
            game.sweep()
        if dice.random() < 0.05:
            game.restart()
    game.deliver("failed")
    game.hear_late()
    game.end()
    return game
