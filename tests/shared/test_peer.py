"""The wrong decisions that were measured at a peer (reference S1 to S18), as far as facts alone show them: ours.

Those that need a history of pushes are in tests/github_app/test_peer.py. S5 and S17 concern other checks, which no
verdict here rests on; S12 and S16 are lanes and `doctor`.
"""

from dataclasses import fields, replace

import pytest
from support_facts import (
    BOT,
    HEAD,
    OLD_HEAD,
    OLGA,
    POLICY,
    PULL,
    RITA,
    SAM,
    commit,
    facts,
    person,
    review,
    unrecorded,
)

from foureyes.shared.evaluate import evaluate
from foureyes.shared.facts import (
    Content,
    Involved,
    Known,
    Pull,
    PullFacts,
    Push,
    Review,
    ReviewState,
    Roster,
    Witness,
)
from foureyes.shared.people import Account
from foureyes.shared.policy_text import PolicyError, parse_policy
from foureyes.shared.verdict import Outcome

BOTH = (review(RITA), review(SAM, number=1))
MIA = Account(5, "mia")
OTHER = Witness(OLD_HEAD, "main", Known(Content("other", "other")))
SIDE = "c" * 40

side_merge = unrecorded(HEAD, parents=(OLD_HEAD, SIDE), mechanical=True, author=person(OLGA))

WRONG_THERE = {
    "S1 a commit that was pushed elsewhere before, and arrives after the approvals": facts(
        reviews=tuple(replace(r, witness=OTHER) for r in BOTH)
    ),
    "S2 a head that goes back to an older commit": facts(
        reviews=tuple(replace(r, witness=replace(OTHER, head="d" * 40)) for r in BOTH)
    ),
    "S3 a side branch merged in after the approvals": facts(
        commits=(side_merge, commit(SIDE), commit(OLD_HEAD)),
        reviews=tuple(replace(r, witness=OTHER) for r in BOTH),
    ),
    "S4 who wrote commits behind a second parent approves": facts(
        commits=(side_merge, commit(SIDE, author=person(RITA)), commit(OLD_HEAD)), reviews=BOTH
    ),
    "S6 who approved asks for changes": facts(reviews=(*BOTH, review(RITA, "CHANGES_REQUESTED", 5))),
    "S6 dismissing the request revives no approval": facts(
        reviews=(
            *BOTH,
            review(
                RITA, "DISMISSED", 5, dismissed_by=SAM, dismissed_state=ReviewState.CHANGES_REQUESTED
            ),
        )
    ),
    "S7 the operator of a bot and one other approve": facts(
        pull=replace(PULL, author=BOT),
        commits=(unrecorded(author=person(None, "a@b"), committer=person(None, "a@b")),),
        pushes=(Push(HEAD, BOT),),
        involved=(Involved(RITA, "assigner"),),
        reviews=BOTH,
    ),
    "S7 nobody is known to have set the bot to work": facts(
        pull=replace(PULL, author=BOT),
        commits=(unrecorded(author=person(None, "a@b"), committer=person(None, "a@b")),),
        pushes=(Push(HEAD, BOT),),
        reviews=BOTH,
        roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, MIA)}),
    ),
    "S8 a co-author approves": facts(commits=(commit(co_authors=(person(RITA),)),), reviews=BOTH),
    "S13 the base is retargeted": facts(
        pull=replace(PULL, base_ref="release/1"), reviews=BOTH
    ),
    "S14 an address of somebody else in a commit": facts(
        commits=(commit(author=person(RITA)),), reviews=BOTH
    ),
    "S18 the operator dismisses another's request for changes": facts(
        reviews=(
            *BOTH,
            review(
                MIA, "DISMISSED", 5, dismissed_by=OLGA, dismissed_state=ReviewState.CHANGES_REQUESTED
            ),
        ),
        roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, MIA)}),
    ),
    "S18 someone off the roster dismisses another's request for changes": facts(
        reviews=(
            *BOTH,
            review(
                MIA,
                "DISMISSED",
                5,
                dismissed_by=Account(77, "passer-by"),
                dismissed_state=ReviewState.CHANGES_REQUESTED,
            ),
        ),
        roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, MIA)}),
    ),
}  # fmt: skip


def outcome(given: PullFacts) -> Outcome:
    return evaluate(given, POLICY).verdict.outcome


@pytest.mark.parametrize("name", WRONG_THERE)
def test_what_a_peer_lets_through_waits_or_is_blocked_here(name: str) -> None:
    assert outcome(WRONG_THERE[name]) is not Outcome.PASS


def test_the_same_facts_without_what_is_wrong_pass() -> None:
    """Otherwise the table above could not fail."""
    assert outcome(facts(reviews=BOTH)) is Outcome.PASS
    four = Roster({"@acme/reviewers": (OLGA, RITA, SAM, MIA)})
    assert outcome(facts(reviews=BOTH, roster=four)) is Outcome.PASS
    chain = (side_merge, commit(SIDE), commit(OLD_HEAD))
    assert outcome(facts(commits=chain, reviews=BOTH)) is Outcome.PASS
    lifted = review(MIA, "DISMISSED", 5, dismissed_by=SAM, dismissed_state=ReviewState.CHANGES_REQUESTED)
    assert outcome(facts(reviews=(*BOTH, lifted), roster=four)) is Outcome.PASS


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1\nroster: []\nprotected: [infra/]\n",
        'version: 1\nroster: ["@acme/a"]\n',
        'version: 1\nroster: ["@acme/a"]\nprotected: []\n',
        'version: 1\nroster: ["@acme/a"]\nsystems: {a: {paths: []}}\n',
        'version: 1\nroster: ["@acme/a"]\nprotected: ["infra/**"]\ntiers: {1: {ai: 0}}\n',
        'version: 1\nroster: ["@acme/a"]\nprotected: ["infra/**"]\ntiers: {1: }\n',
    ],
)
def test_S10_a_policy_without_a_rule_or_a_count_is_an_error(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_S11_nothing_that_is_said_is_a_fact() -> None:
    """Reviews count by their state; no comment, title or description is anywhere in the facts."""
    names = {field.name for part in (PullFacts, Pull, Review) for field in fields(part)}
    assert not names & {"comments", "comment", "body", "title", "text", "labels", "reactions"}
