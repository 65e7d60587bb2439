"""The class of a commit: only evidence makes `ai`, only a record that meets every condition makes `human`."""

from dataclasses import replace

import pytest
from support_facts import AT, CLAUDE, HEAD, OLGA, PULL, RITA, commit, person, record, unrecorded

from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.classes import Class, classify, strictest
from foureyes.shared.facts import AgentMark, Push, RecordState, Signer

TOUCHED = Signer(OLGA, "SHA256:o", "sk-ssh-ed25519@openssh.com", "2026-01-01T00:00:00Z", present=True)
HUMAN = record(says="human", agents=(), signer=TOUCHED)


PUSHED = (Push(HEAD, OLGA),)


def cls(one, *, pull=PULL, pushes=PUSHED, at=AT, software=False):
    (found,) = classify((one,), pull, pushes, at, trust_software_keys=software)
    return found


def test_G6_a_human_record_that_meets_every_condition():
    assert cls(commit(record=HUMAN)).cls is Class.HUMAN


@pytest.mark.parametrize(
    "odd",
    [
        {"record": replace(HUMAN, signer=replace(TOUCHED, present=False))},  # G49
        {"record": replace(HUMAN, signer=replace(TOUCHED, published_at="2026-11-21T00:00:00Z"))},  # G50
        {"record": replace(HUMAN, signer=replace(TOUCHED, published_at="2026-11-19T00:00:00Z"))},
        {"record": replace(HUMAN, signer=replace(TOUCHED, published_at=None))},
        {"record": replace(HUMAN, signer=replace(TOUCHED, published_at="2026-01-01 no zone"))},
        {"record": replace(HUMAN, signer=replace(TOUCHED, account=RITA))},
        {"record": replace(HUMAN, signer=None)},
        {"record": HUMAN, "author": person(RITA)},
        {"record": HUMAN, "author": person(None)},
        {"record": HUMAN, "marks": (replace(CLAUDE, how="trailer", evidence=False),)},
        {"record": HUMAN, "co_authors": (replace(person(RITA), agent="copilot"),)},
        {"record": HUMAN, "committer": replace(person(None), agent="claude-code")},
        {"record": replace(HUMAN, state=RecordState.UNSIGNED)},
        {"record": replace(HUMAN, says="")},
    ],
)
def test_one_condition_missing_is_unattested(odd):
    assert cls(commit(**odd)).cls is Class.UNATTESTED


@pytest.mark.parametrize(
    ("published", "opened", "expected"),
    [
        ("2026-11-15T12:00:00Z", "2026-11-20T12:00:00Z", Class.HUMAN),  # seven days, to the second
        ("2026-11-15T12:00:01Z", "2026-11-20T12:00:00Z", Class.UNATTESTED),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z", Class.HUMAN),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", Class.UNATTESTED),
    ],
)
def test_the_key_is_older_than_the_pull_request_and_seven_days(published, opened, expected):
    signed = commit(record=replace(HUMAN, signer=replace(TOUCHED, published_at=published)))
    assert cls(signed, pull=replace(PULL, created_at=opened)).cls is expected


def test_an_author_who_was_not_seen_pushing_gets_no_discount():
    assert cls(commit(record=HUMAN), pushes=(Push(HEAD, None),)).cls is Class.UNATTESTED


def test_a_pull_request_of_unknown_age_gives_no_discount():
    assert cls(commit(record=HUMAN), pull=replace(PULL, created_at="")).cls is Class.UNATTESTED
    assert (
        cls(commit(record=HUMAN), pull=replace(PULL, created_at="2026-11-20T12:00:00")).cls
        is Class.UNATTESTED
    )


def test_a_judgement_at_no_time_gives_no_discount():
    assert cls(commit(record=HUMAN), at="soon").cls is Class.UNATTESTED


def test_what_is_proved_is_no_claim():
    assert not cls(commit()).claimed


def test_a_policy_may_trust_software_keys():
    soft = commit(record=replace(HUMAN, signer=replace(TOUCHED, present=False)))
    found = cls(soft, software=True)
    assert found.cls is Class.HUMAN
    assert "software key" in found.why
    assert "software key" not in cls(commit(record=HUMAN)).why


def test_an_agents_own_account_is_evidence():
    assert cls(unrecorded(marks=(replace(CLAUDE, how="bot"),))).cls is Class.AI


def test_claims_are_shown_and_cost_as_unattested():
    claimed = cls(commit(record=record(state=RecordState.UNSIGNED, signer=None)))
    assert (claimed.cls, claimed.claimed) == (Class.UNATTESTED, True)
    named = cls(unrecorded(marks=(replace(CLAUDE, how="trailer", evidence=False),)))
    assert (named.cls, named.claimed) == (Class.UNATTESTED, True)
    assert named.why == "an agent is named, no record proves it"
    assert not cls(unrecorded()).claimed


def test_an_agent_that_only_an_address_or_account_names_is_named_once():
    agent = replace(person(None), agent="claude-code")
    made = unrecorded(author=agent, committer=agent, co_authors=(agent, replace(agent, agent="copilot")))
    assert [(m.agent, m.how, m.evidence) for m in cls(made).agents] == [
        ("claude-code", "author", False),
        ("copilot", "co-author", False),
    ]
    assert [m.how for m in cls(replace(made, marks=(replace(CLAUDE, how="trailer"),))).agents] == [
        "trailer",
        "co-author",
    ]


@pytest.mark.parametrize("state", list(RecordState))
def test_every_state_says_why(state):
    assert cls(commit(record=record(state=state, says="", agents=()))).why


def test_a_note_that_names_an_agent_takes_the_discount_and_is_named_as_what_it_is():
    noted = commit(record=HUMAN, marks=(AgentMark("cursor", "note"),))
    assert cls(noted).cls is Class.UNATTESTED
    assert cls(noted).claimed
    assert cls(noted).why == "record says no agent, a note on it names one"
    both = replace(noted, marks=(*noted.marks, AgentMark("cursor", "trailer")))
    assert cls(both).why == "record says no agent, the commit names one"


def test_a_note_that_could_not_be_read_takes_the_discount_and_names_nobody():
    unread = AgentMark(UNNAMED, "unread note")
    found = cls(commit(record=HUMAN, marks=(unread,)))
    assert (found.cls, found.unread, found.claimed, found.agents) == (Class.UNATTESTED, True, False, ())
    assert found.why == "record says no agent, a note on it could not be read and may name one"
    named = cls(commit(record=HUMAN, marks=(unread, AgentMark("cursor", "note"))))
    assert (named.why, named.unread) == ("record says no agent, a note on it names one", True)
    assert cls(unrecorded(marks=(unread,))).why == "no record (hooks missing or skipped)"
    assert cls(commit(marks=(unread,))).cls is Class.AI


def test_a_signed_record_that_gives_no_class_says_why():
    said = commit(record=HUMAN, marks=(replace(CLAUDE, how="trailer", evidence=False),))
    assert cls(said).why == "record says no agent, the commit names one"
    unseen = commit(record=replace(HUMAN, says=""))
    assert cls(unseen).why == "signed record gives no class: nobody saw who wrote it"


@pytest.mark.parametrize(
    "state", [s for s in RecordState if s not in (RecordState.SIGNED, RecordState.UNSIGNED)]
)
def test_what_is_known_of_why_a_record_does_not_hold_is_said(state):
    assert "told so" in cls(commit(record=record(state=state, why="told so", agents=(), signer=None))).why


def test_committed_on_github_is_said():
    assert "github.com" in cls(unrecorded(by_github=True)).why


def test_the_strictest_class_is_the_class_of_the_change():
    human, ai, none = cls(commit(record=HUMAN)), cls(commit()), cls(unrecorded())
    assert strictest((human, ai)) is Class.AI
    assert strictest((ai, none, human)) is Class.UNATTESTED
    assert strictest((human,)) is Class.HUMAN
    assert strictest(()) is Class.UNATTESTED
