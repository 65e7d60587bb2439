"""Properties 1 to 3 over whole histories: after every step the verdict is what the people's doings ask for.

1,000 steps in a normal run; `HYPOTHESIS_PROFILE=long` takes many more.
"""

import os
import random
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support_history import NOBODY, Commit, History, policy

from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import Known, dump, load
from foureyes.shared.verdict import Outcome

people = st.integers(1, 8)
makers = st.sampled_from([1, 1, 1, 1, 1, 6, 6, 6, *range(1, 9), NOBODY])
"""Mostly the same two: otherwise everybody is tied to the change before long, and nothing could pass."""
contents = st.tuples(st.integers(1, 3), st.integers(1, 2))
chances = st.randoms(use_true_random=False)


class Histories(RuleBasedStateMachine):
    history: History

    @initialize(
        stale=st.sampled_from(["change", "protected", "head"]), author=makers.filter(bool), content=contents
    )
    def opened(self, stale: str, author: int, content: tuple[int, int]) -> None:
        self.history = History(stale, author)
        self.history.push(author, Commit(self.history.oid(), author), content)

    @rule(who=makers, author=makers, co=st.none() | makers, operator=st.none() | makers.filter(bool), signed=st.booleans(),
          content=contents)  # fmt: skip
    def push(
        self,
        who: int,
        author: int,
        co: int | None,
        operator: int | None,
        signed: bool,
        content: tuple[int, int],
    ) -> None:
        made = Commit(self.history.oid(), author, co, operator, signed=signed and operator is not None)
        self.history.push(who, made, content)

    @rule(who=makers, author=makers, content=contents)
    def force_push(self, who: int, author: int, content: tuple[int, int]) -> None:
        self.history.force_push(who, Commit(self.history.oid(), author), content)

    @rule(who=makers)
    def rebase(self, who: int) -> None:
        self.history.rebase(who)

    @rule(who=people)
    def update_branch(self, who: int) -> None:
        self.history.update_branch(who)

    @rule()
    def retarget(self) -> None:
        self.history.retarget()

    @rule(who=people, witnessed=st.sampled_from([True, True, True, False]))
    def approve(self, who: int, witnessed: bool) -> None:
        self.history.say(who, "APPROVED", witnessed=witnessed)

    @rule(some=st.lists(people, min_size=2, max_size=4, unique=True), witnessed=st.booleans())
    def approve_together(self, some: list[int], witnessed: bool) -> None:
        """Often enough, so that much of what follows begins with a pass."""
        for who in some:
            self.history.say(who, "APPROVED", witnessed=witnessed)

    @precondition(lambda self: not self.history.may_pass())
    @rule()
    def everyone_is_content(self) -> None:
        for who in sorted(self.history.team):
            self.history.say(who, "APPROVED", witnessed=True)

    @rule(who=people)
    def block(self, who: int) -> None:
        self.history.say(who, "CHANGES_REQUESTED", witnessed=True)

    @precondition(lambda self: self.history.opinions)
    @rule(by=people, data=st.data())
    def dismiss(self, by: int, data: st.DataObject) -> None:
        self.history.dismiss(data.draw(st.sampled_from(self.history.opinions)), by)

    @rule(who=people)
    def leave_or_join_the_team(self, who: int) -> None:
        self.history.team ^= {who}

    @rule(who=people)
    def lose_or_regain_access(self, who: int) -> None:
        self.history.writers ^= {who}

    @rule(data=st.data(), operator=makers.filter(bool))
    def publish_a_record_late(self, data: st.DataObject, operator: int) -> None:
        commit = data.draw(st.sampled_from(self.history.commits))
        if commit.operator is None and not commit.is_update:
            commit.operator = operator

    @rule(chance=chances)
    def what_arrives_in_another_order_changes_nothing(self, chance: random.Random) -> None:
        given = self.history.facts()
        mixed = {}
        for part in ("reviews", "pushes", "commits", "moves"):
            items = list(getattr(given, part).value)
            chance.shuffle(items)
            mixed[part] = Known(tuple(items))
        again = evaluate(replace(given, **mixed), policy(self.history.stale))
        assert again.verdict.outcome is self.outcome()

    @rule()
    def what_is_stored_gives_the_same_bytes(self) -> None:
        given, by = self.history.facts(), policy(self.history.stale)
        assert evaluate(load(dump(given)), by).verdict.digest == evaluate(given, by).verdict.digest

    def outcome(self) -> Outcome:
        return evaluate(self.history.facts(), policy(self.history.stale)).verdict.outcome

    @invariant()
    def the_verdict_is_what_the_doings_ask_for(self) -> None:
        assert (self.outcome() is Outcome.PASS) == self.history.may_pass(), self.history


IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
Histories.TestCase.settings = settings(
    max_examples=1_000 if IS_LONG else 40, stateful_step_count=60 if IS_LONG else 25, deadline=None
)
TestHistories = Histories.TestCase


def test_the_oracle_says_yes_at_times() -> None:
    """Otherwise the machine above could agree with anything."""
    history = History("change", 1)
    history.push(1, Commit(history.oid(), 1), (1, 1))
    assert not history.may_pass()
    for who in (2, 3):
        history.say(who, "APPROVED", witnessed=True)
    assert history.may_pass()
    assert evaluate(history.facts(), policy("change")).verdict.outcome is Outcome.PASS
