"""What must always hold (design, section 2), each property at what happens in generated histories.

Property 2 is in test_histories.py, 11 in test_floor.py; 7, 9 and 10 are not the core's.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from support_facts import BOT, CLAUDE, PARTS, commit, person
from support_history import PEOPLE, History
from support_history_count import guarded, is_apps_own, takes_back_what_landed
from support_history_facts import ACCOUNTS, known, policy
from support_history_steps import IS_LONG, play, scripts

from foureyes.shared.classes import Class
from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import (
    CommitFacts,
    Involved,
    Known,
    Merge,
    MergeState,
    Move,
    MoveKind,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Review,
    ReviewState,
    Signer,
    Unknown,
    dump,
    load,
)
from foureyes.shared.people import Kind
from foureyes.shared.policy import Policy
from foureyes.shared.verdict import Outcome

examples = settings(max_examples=3_000 if IS_LONG else 12)
ELSEWHERE = "d" * 40
LATER = "2026-11-22T11:00:00Z"


def outcome(given_facts: PullFacts, by: Policy) -> Outcome:
    return evaluate(given_facts, by).verdict.outcome


def passing(script: bytes) -> Iterator[tuple[History, PullFacts, Policy]]:
    """What lets something pass that people wait for is where something can go wrong."""
    for history in play(script):
        given_facts, by = known(history), policy(history.setting)
        if guarded(history) and outcome(given_facts, by) is Outcome.PASS:
            yield history, given_facts, by


@given(scripts)
@examples
def test_property_1_only_an_open_pull_request_that_merges_passes(script: bytes) -> None:
    for history, now, by in passing(script):
        for ended in (
            replace(now, pull=replace(now.pull, is_open=False)),
            replace(now, pull=replace(now.pull, draft=True)),
            replace(now, merge=Known(Merge(MergeState.CONFLICT))),
            replace(now, merge=Known(Merge(MergeState.UNRELATED))),
            replace(now, merge=Known(Merge(MergeState.CLEAN, "5" * 40, "6" * 40))),
            replace(now, hidden=Known((min(guarded(history)),))),
        ):
            assert outcome(ended, by) is not Outcome.PASS, history


@given(scripts)
@examples
def test_property_1_no_pass_outlives_a_retarget(script: bytes) -> None:
    for history, now, by in passing(script):
        moved = Move(MoveKind.BASE_CHANGED, LATER)
        elsewhere = replace(now.pull, base_ref="elsewhere")
        retargeted = replace(now, pull=elsewhere, moves=Known((*now.moves.value, moved)))
        if evaluate(now, by).case.needed:
            assert outcome(retargeted, by) is not Outcome.PASS, history


@given(scripts)
@examples
def test_property_2_nobody_is_counted_who_is_a_bot_tied_off_the_roster_or_the_same_person(
    script: bytes,
) -> None:
    for history, now, by in passing(script):
        case = evaluate(now, by).case
        counted, tied = case.approvals.counted, {e.account.id for e in case.excluded}
        members = {a.id for a in now.roster.value.members["@acme/reviewers"]}
        assert all(a.kind is Kind.USER and a.id in members - tied for a in counted), history
        assert len({case.people.same(a) for a in counted}) == len(counted), history


@given(scripts)
@examples
def test_property_3_nothing_that_adds_doubt_improves_a_verdict(script: bytes) -> None:
    chance = random.Random(script)
    for history in play(script):
        now, by = known(history), policy(history.setting)
        if chance.random() < 0.2:
            carried = Push(
                chance.choice(now.commits.value).oid, ACCOUNTS[chance.choice(PEOPLE)], history.head
            )
            now = replace(now, elsewhere=Known((carried,)))
        before = outcome(now, by)
        doubts = [*_doubts(now)]
        for worse in chance.sample(doubts, min(len(doubts), 12 if before is Outcome.PASS else 1)):
            assert outcome(worse, by) >= before, (worse, history)


def _doubts(now: PullFacts) -> Iterator[PullFacts]:
    commits, pushes, reviews = now.commits.value, now.pushes.value, now.reviews.value
    for part in PARTS:
        yield replace(now, **{part: Unknown("not read")})
    for who in (*ACCOUNTS.values(), None, BOT):
        yield replace(now, pushes=Known((*pushes, Push(ELSEWHERE, who))))
        yield replace(now, commits=Known((*commits, commit(ELSEWHERE, author=person(who)))))
        yield replace(now, commits=Known((*commits[:-1], replace(commits[-1], signer=who))))
    for who in PEOPLE:
        yield replace(now, reviews=Known((*reviews, _asks_for_changes(who))))
    for n, push in enumerate(pushes):
        yield replace(now, pushes=Known((*pushes[:n], replace(push, account=None), *pushes[n + 1 :])))
    for n, review in enumerate(reviews):
        for less in _less(review):
            yield replace(now, reviews=Known((*reviews[:n], *less, *reviews[n + 1 :])))
    for n, made in enumerate(commits):
        for worse in _worse(made):
            yield replace(now, commits=Known((*commits[:n], worse, *commits[n + 1 :])))
    if now.app != Known(None):
        yield replace(now, app=Known(None))
    yield replace(now, landed=Known(()))
    for who in (*ACCOUNTS.values(), None):
        more = (Push(ELSEWHERE, who), Push(commits[-1].oid, who))
        yield replace(now, elsewhere=Known((*now.elsewhere.value, *more)))


def _asks_for_changes(who: int) -> Review:
    return Review(900_000 + who, ACCOUNTS[who], ReviewState.CHANGES_REQUESTED, None, LATER, can_push=True)


def _less(review: Review) -> Iterator[tuple[Review, ...]]:
    yield (replace(review, can_push=False),)
    if review.state is ReviewState.APPROVED:
        yield ()
        yield (replace(review, state=ReviewState.DISMISSED, dismissed_state=ReviewState.APPROVED),)
        yield (replace(review, state=ReviewState.CHANGES_REQUESTED),)
        if review.witness is not None:
            yield (replace(review, witness=replace(review.witness, content=Unknown("gone"))),)
            yield (replace(review, witness=replace(review.witness, base_ref="elsewhere")),)
    if review.state is ReviewState.DISMISSED:
        yield (replace(review, dismissed_by=None),)
        yield (replace(review, dismissed_state=None),)


def _worse(made: CommitFacts) -> Iterator[CommitFacts]:
    """Less is known of a commit; what its record said is not forgotten."""
    for state in RecordState:
        if made.record.state is RecordState.SIGNED and state is not RecordState.SIGNED:
            yield replace(made, record=replace(made.record, state=state))
    for part in ("mechanical", "merges_base", "landed"):
        yield replace(made, **{part: False})
    yield replace(made, merges_base=False, by_github=False)


@given(scripts)
@examples
def test_property_4_what_is_said_can_only_add_scrutiny(script: bytes) -> None:
    chance = random.Random(script)
    for history in play(script):
        now, by = known(history), policy(history.setting)
        before = outcome(now, by)
        for said in chance.sample([*_text(now)], 12 if before is Outcome.PASS else 1):
            assert outcome(said, by) >= before, (said, history)


def _text(now: PullFacts) -> Iterator[PullFacts]:
    """Comments, messages with their trailers, and records that anybody could have written."""
    commits, involved = now.commits.value, now.involved.value
    for who in PEOPLE:
        for role in ("prompter", "operator in an earlier record"):
            yield replace(now, involved=Known((*involved, Involved(ACCOUNTS[who], role))))
    for n, made in enumerate(commits):
        for said in _messages(made):
            yield replace(now, commits=Known((*commits[:n], said, *commits[n + 1 :])))


def _messages(made: CommitFacts) -> Iterator[CommitFacts]:
    agent = replace(person(None, "noreply@agent.example"), agent="claude-code")
    for who in (*map(person, ACCOUNTS.values()), person(None, "who@laptop"), agent):
        yield replace(made, co_authors=(*made.co_authors, who))
    yield replace(made, marks=(*made.marks, replace(CLAUDE, how="trailer", evidence=False)))
    if made.record.state is RecordState.MISSING:
        for who in (*ACCOUNTS.values(), None):
            claim = who.login if who else "who@laptop"
            record = RecordFact(RecordState.UNSIGNED, says="human", operator=who, operator_claim=claim)
            yield replace(made, record=record)


@given(scripts)
@examples
def test_property_5_provenance_lowers_nothing_but_by_the_human_cell(script: bytes) -> None:
    """Whatever records say, whoever signed them: never fewer than the `unattested` cell, if not every commit is proved
    to be a human's. (The default cells of `ai` and `unattested` are equal.)
    """
    chance = random.Random(script)
    for history in play(script):
        now, by = known(history), policy(history.setting)
        told = replace(now, commits=Known(tuple(replace(c, record=_any(chance)) for c in now.commits.value)))
        case = evaluate(told, by).case
        classes = {c.cls for c in case.classes}
        fewer = is_apps_own(history) or takes_back_what_landed(history) or case.needed == 0
        if not history.setting.floor and classes != {Class.HUMAN} and not (fewer and not guarded(history)):
            assert case.needed >= min(case.cell(Class.UNATTESTED), 1 if fewer else 20), history
        for made in told.commits.value:
            if made.record.state is not RecordState.SIGNED and not made.mechanical:
                missing = replace(made, record=RecordFact(RecordState.MISSING))
                assert _class_of(made, told, by) is _class_of(missing, told, by) is Class.UNATTESTED


def _class_of(made: CommitFacts, now: PullFacts, by: Policy) -> Class:
    (found,) = evaluate(replace(now, commits=Known((made,))), by).case.classes
    return found.cls


def _any(chance: random.Random) -> RecordFact:
    who, other = (ACCOUNTS[n] for n in chance.choices(PEOPLE, k=2))
    signer = Signer(other, "SHA256:x", "sk-ssh-ed25519@openssh.com", "2026-01-01T00:00:00Z", present=True)
    state = chance.choice([*RecordState])
    signed = state is RecordState.SIGNED
    says = chance.choice(["ai", "human", ""])
    return RecordFact(
        state, "", says, (CLAUDE,) if says == "ai" else (), who, who.login, signer if signed else None
    )


@given(scripts)
@examples
def test_property_6_nothing_empty_and_nothing_unread_passes(script: bytes) -> None:
    chance = random.Random(script)
    for history, now, by in passing(script):
        part = chance.choice(PARTS)
        assert outcome(replace(now, **{part: Unknown("not read")}), by) is Outcome.BROKEN, part
        assert outcome(replace(now, commits=Known(())), by) is not Outcome.PASS, history
        if needed := evaluate(now, by).case.needed:
            assert outcome(replace(now, reviews=Known(())), by) is not Outcome.PASS, history
            nobody = replace(now, pull=replace(now.pull, author=None), pushes=Known(()))
            assert outcome(nobody, by) is not Outcome.PASS or evaluate(nobody, by).case.needed > needed, (
                history
            )


@given(scripts)
@examples
def test_property_8_what_is_stored_gives_the_same_bytes(script: bytes) -> None:
    for history in [*play(script)][-1:]:
        now, by = known(history), policy(history.setting)
        again = load(dump(now))
        assert again == now
        assert evaluate(again, by).verdict.digest == evaluate(now, by).verdict.digest


@given(scripts)
@examples
def test_property_8_the_order_in_which_facts_arrive_changes_nothing(script: bytes) -> None:
    chance = random.Random(script)
    for history in play(script):
        now, by = known(history), policy(history.setting)
        mixed = {
            part: list(getattr(now, part).value)
            for part in ("pushes", "reviews", "moves", "involved", "commits")
        }
        for items in mixed.values():
            chance.shuffle(items)
        again = replace(now, **{part: Known(tuple(items)) for part, items in mixed.items()})
        assert outcome(again, by) is outcome(now, by), history
        reviews = replace(now, reviews=again.reviews)
        assert evaluate(reviews, by).verdict.to_json() == evaluate(now, by).verdict.to_json(), history


def test_the_properties_look_at_something_that_passes() -> None:
    """Otherwise those that begin with a pass could agree with anything."""
    chance = random.Random(1)
    assert sum(1 for _ in range(20) for _ in passing(chance.randbytes(100))) > 10
