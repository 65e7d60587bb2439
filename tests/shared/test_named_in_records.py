"""Everyone whom a record names besides its first operator does not count either."""

from dataclasses import replace

import pytest
from support_facts import HEAD, POLICY, RITA, SAM, commit, facts, record, review
from support_record import COMMIT, RECORD, TREE

from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.facts import Named, PullFacts
from foureyes.shared.record import Operator, Reviewed, record_bytes
from foureyes.shared.record_check import check_record
from foureyes.shared.verdict import Outcome

BOTH = (review(RITA), review(SAM, number=1))


def named(**over):
    return check_record(record_bytes(replace(RECORD, **over)), [], COMMIT, TREE, []).named


def test_all_operators_and_accounts_of_reviews_are_read_each_once():
    assert named(operators=(), reviews=()) == ()
    assert named() == (Named("operator", "raj@example.com"), Named("reviewer", "ben"))
    twice = (Operator("olga"), Operator("rita", "r@example.com"), Operator("rita"), Operator())
    reviews = (
        Reviewed("ben", "codex", "", 1),
        Reviewed("ben", "claude-code", "", 2),
        Reviewed("", "codex", "", 3),
    )
    assert named(operators=twice, reviews=reviews) == (Named("operator", "rita"), Named("reviewer", "ben"))


def with_named(*people: Named) -> PullFacts:
    return facts(commits=(commit(record=record(named=people)),), reviews=BOTH)


def outcome(*people: Named) -> Outcome:
    return evaluate(with_named(*people), POLICY).verdict.outcome


@pytest.mark.parametrize("role", ["operator", "reviewer"])
def test_G12_whoever_else_is_named_does_not_count(role: str):
    assert outcome() is Outcome.PASS
    assert outcome(Named(role, "rita", RITA)) is not Outcome.PASS


@pytest.mark.parametrize(
    ("role", "did"),
    [
        ("operator", "operator of {} by its record"),
        ("reviewer", "as whom an agent reviewed by the record of {}"),
    ],
)
def test_G12_a_name_without_an_account_may_be_anyone(role: str, did: str):
    judgement = evaluate(with_named(Named(role, "gone@example.com")), POLICY)
    assert judgement.verdict.outcome is not Outcome.PASS
    (person,) = judgement.case.unknown_people
    assert person.text == f"`gone@example.com`, {did.format(f'`{HEAD[:7]}`')}, is no known GitHub account"


def told(*people: Named) -> str:
    given = with_named(*people)
    return explain(given, POLICY, evaluate(given, POLICY)).summary


def test_the_check_says_what_each_of_them_did():
    assert "@rita ran claude-code for its only commit" in told(Named("operator", "rita", RITA))
    text = told(Named("reviewer", "rita", RITA))
    assert "@rita had an agent submit a review as this account" in text
    assert "@rita ran" not in text
