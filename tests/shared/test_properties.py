"""What must always hold (design, section 2), over generated people, reviews, commits and pushes.

`brute_force` is written from the definitions alone and shares no code with the rules it judges.
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support_cases import NOW, PEOPLE, cases
from support_facts import BOT, HEAD, OLD_HEAD, POLICY, commit, person

from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import (
    Involved,
    Known,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    Review,
    ReviewState,
    Unknown,
    dump,
    load,
)
from foureyes.shared.people import Kind
from foureyes.shared.verdict import Outcome


def outcome(given_facts: PullFacts) -> Outcome:
    return evaluate(given_facts, POLICY).verdict.outcome


def brute_force(f: PullFacts) -> bool:
    """May this pass? Counted by hand: ids that approved this content, less everyone the change names."""
    named = {f.pull.author.id} if f.pull.author else set()
    for c in f.commits.value:
        named |= {p.account.id for p in (c.author, c.committer, *c.co_authors) if p.account}
        named |= {a.id for a in (c.record.operator, c.record.signer and c.record.signer.account) if a}
    named |= {p.account.id for p in f.pushes.value if p.account} | {i.account.id for i in f.involved.value}
    looked, angry = set(), set()
    for account in PEOPLE[:5]:
        said = sorted(
            (r for r in f.reviews.value if r.account.id == account.id), key=lambda r: r.submitted_at
        )
        if said and said[-1].state is not ReviewState.APPROVED:
            angry |= {account.id} if said[-1].state is not ReviewState.DISMISSED or True else set()
            continue
        since = []
        for r in said:
            since = [*since, r] if r.state is ReviewState.APPROVED else []
        fits = [
            r
            for r in since
            if r.witness.base_ref == "main"
            and isinstance(r.witness.content, Known)
            and r.witness.content.value == NOW
        ]
        if fits and said[-1].can_push:
            looked.add(account.id)
    return not angry and len(looked - named) >= 2


@given(cases)
@settings(max_examples=400, deadline=None)
def test_nothing_passes_that_a_count_by_hand_refuses(case):
    if outcome(case) is Outcome.PASS:
        assert brute_force(case)


@given(cases)
@settings(max_examples=300, deadline=None)
def test_without_unknown_people_a_count_by_hand_that_allows_is_a_pass(case):
    linked = tuple(replace(c, author=person(c.author.account or PEOPLE[5])) for c in case.commits.value)
    case = replace(
        case,
        commits=Known(linked),
        pushes=Known((Push(HEAD, PEOPLE[5]),)),
        pull=replace(case.pull, author=PEOPLE[5]),
    )
    assert (outcome(case) is Outcome.PASS) == brute_force(case)


@given(cases, st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_that_adds_doubt_improves_a_verdict(case, data):
    before = outcome(case)
    worse = data.draw(st.sampled_from(_doubts(case)))
    assert outcome(worse) >= before


def _doubts(case: PullFacts) -> list[PullFacts]:
    cs, ps, rs = case.commits.value, case.pushes.value, case.reviews.value
    first = cs[0]
    made = [replace(case, pushes=Known((*ps, Push(OLD_HEAD, who)))) for who in (*PEOPLE, None, BOT)]
    made += (
        [replace(case, involved=Known((*case.involved.value, Involved(who, "assigner")))) for who in PEOPLE]
        if (case.involved.value)
        else []
    )
    made += [
        replace(case, reviews=Known(tuple(r for r in rs if r is not gone))) for gone in rs if _approval(gone)
    ]
    made += [
        replace(case, commits=Known((*cs, commit("d" * 40, author=person(who))))) for who in (*PEOPLE, None)
    ]
    made += [
        replace(case, commits=Known((replace(first, co_authors=(*first.co_authors, person(who))), *cs[1:])))
        for who in (*PEOPLE, None)
    ]
    parts = (
        "merge",
        "changes",
        "touched",
        "hidden",
        "commits",
        "pushes",
        "reviews",
        "moves",
        "involved",
        "roster",
    )
    made += [replace(case, **{part: Unknown("not read")}) for part in parts]
    if (
        first.record.state is RecordState.SIGNED
        and first.record.operator is None
        and first.record.signer is None
    ):
        made.append(
            replace(case, commits=Known((replace(first, record=RecordFact(RecordState.MISSING)), *cs[1:])))
        )
    return made


def _approval(review: Review) -> bool:
    return review.state is ReviewState.APPROVED


@given(cases)
@settings(max_examples=100, deadline=None)
def test_facts_survive_storage_and_replay_to_the_same_bytes(case):
    again = load(dump(case))
    assert again == case
    assert evaluate(again, POLICY).verdict.digest == evaluate(case, POLICY).verdict.digest


@given(cases, st.permutations(range(3)))
@settings(max_examples=100, deadline=None)
def test_the_order_in_which_facts_arrive_changes_nothing(case, order):
    rs = case.reviews.value
    mixed = tuple(rs[i] for i in order if i < len(rs)) + rs[3:]
    again = replace(case, reviews=Known(mixed))
    assert evaluate(again, POLICY).verdict.to_json() == evaluate(case, POLICY).verdict.to_json()


@given(cases)
@settings(max_examples=200, deadline=None)
def test_no_bot_excluded_or_unrostered_account_is_ever_counted(case):
    judgement = evaluate(case, POLICY)
    counted = judgement.case.approvals.counted
    tied = {e.account.id for e in judgement.case.excluded}
    assert all(a.kind is Kind.USER and a.id not in tied and a in PEOPLE[:5] for a in counted)
    assert len({a.id for a in counted}) == len(counted)
