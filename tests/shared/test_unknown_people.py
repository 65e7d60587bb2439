"""Whoever must be behind a change and is not established costs one approval more, and nothing but evidence settles it."""

from dataclasses import replace

import pytest
from support_facts import (
    BASE,
    BOT,
    HEAD,
    OLD_HEAD,
    OLGA,
    PULL,
    RITA,
    SAM,
    commit,
    person,
    record,
    unrecorded,
)

from foureyes.shared.exclusion import excluded
from foureyes.shared.facts import Involved, Named, Pull, Push, RecordState
from foureyes.shared.people import Account, Kind
from foureyes.shared.unknown_people import unknown_people

SIDE = "c" * 40
RENOVATE = Account(29139614, "renovate[bot]", Kind.BOT)
BY_BOT = replace(PULL, author=BOT)


ONE, BY_OLGA = (commit(),), (Push(HEAD, OLGA),)


def keys(pull: Pull = PULL, commits=ONE, pushes=BY_OLGA, involved=(), elsewhere=()) -> list[str]:
    return [one.key for one in unknown_people(pull, commits, pushes, involved, elsewhere)]


def tied(commits, pushes) -> set[str]:
    return {one.account.login for one in excluded(PULL, commits, pushes, ())}


def test_everyone_is_known():
    assert keys() == []


# pushes


def test_whoever_set_a_bot_to_work_whose_commit_was_taken_over_from_another_branch_is_not_known():
    pushed = (Push(HEAD, BOT),)
    assert keys(elsewhere=pushed) == [f"bot {BOT.id}"]
    assert keys(BY_BOT, elsewhere=pushed) == [f"bot {BOT.id}"], "one bot hides one person"
    assert keys(BY_BOT, involved=(Involved(OLGA, "assigner"),), elsewhere=pushed) == []
    assert keys(elsewhere=(Push(OLD_HEAD, BOT), Push(HEAD, RITA), Push(HEAD, None))) == []
    assert keys(commits=(commit(landed=True),), elsewhere=pushed) == []


def test_a_head_that_no_push_names_hides_whoever_pushed_it():
    assert keys(pushes=()) == [f"push {HEAD}"]
    assert keys(pushes=(Push(OLD_HEAD, OLGA),)) == [f"push {HEAD}"]


def test_another_push_does_not_settle_who_pushed_before_it():
    """Else a lost webhook would cost nothing any more as soon as somebody pushes an empty commit."""
    commits = (commit(HEAD, parents=(OLD_HEAD,)), commit(OLD_HEAD))
    assert keys(commits=commits, pushes=(Push(HEAD, OLGA, before=OLD_HEAD),)) == [f"push {OLD_HEAD}"]
    seen = (Push(OLD_HEAD, SAM, before="0" * 40), Push(HEAD, OLGA, before=OLD_HEAD))
    assert keys(commits=commits, pushes=seen) == []


def test_what_was_pushed_away_and_is_no_part_of_the_change_hides_nobody():
    assert keys(pushes=(Push(HEAD, OLGA, before=OLD_HEAD),)) == []


def test_what_landed_by_a_pass_hides_nobody():
    landed = (commit(HEAD, parents=(OLD_HEAD,), landed=True), commit(OLD_HEAD, landed=True))
    assert keys(commits=landed, pushes=(Push(HEAD, OLGA, before=OLD_HEAD),)) == []


# bots

BY_A_BOT = {"pull": BY_BOT, "commits": (commit(),), "pushes": (Push(HEAD, BOT),)}


def test_one_bot_hides_one_person_however_much_it_did():
    assert keys(**BY_A_BOT) == [f"bot {BOT.id}"]


@pytest.mark.parametrize("role", ["assigner", "assignee"])
def test_what_github_keeps_as_an_object_says_who_set_it_to_work(role):
    assert keys(**BY_A_BOT, involved=(Involved(RITA, role),)) == []
    assert keys(**BY_A_BOT, involved=(Involved(RENOVATE, role),)) == [f"bot {BOT.id}"]


@pytest.mark.parametrize("role", ["prompter", "requester", "operator in an earlier record"])
def test_G51_no_comment_no_request_for_a_review_and_no_record_that_is_gone_settles_it(role):
    """Anybody can mention a bot's handle, and a colleague asks for the reviews: whoever did is excluded, and the person
    behind it is unknown as before.
    """
    assert keys(**BY_A_BOT, involved=(Involved(RITA, role),)) == [f"bot {BOT.id}"]


def test_who_set_one_bot_to_work_says_nothing_about_another():
    pushes = (Push(OLD_HEAD, RENOVATE), Push(HEAD, BOT))
    assigned = (Involved(RITA, "assigner"),)
    assert keys(BY_BOT, pushes=pushes, involved=assigned) == [f"bot {RENOVATE.id}"]
    assert keys(pushes=pushes, involved=assigned) == [f"bot {BOT.id}"]
    assert keys(pushes=pushes) == [f"bot {RENOVATE.id}", f"bot {BOT.id}"]


def test_accounts_of_no_person_and_no_bot_are_never_settled():
    moved = Account(5, "old-olga", Kind.MANNEQUIN)
    assert keys(replace(PULL, author=moved), involved=(Involved(RITA, "assigner"),)) == ["bot 5"]
    assert keys(replace(PULL, author=None), involved=(Involved(RITA, "assigner"),)) == ["pull request"]


# commits

LAPTOP = person(None, "Who@Laptop")


def test_an_address_of_no_account_hides_one_person_in_all_commits():
    two = (unrecorded(HEAD, author=LAPTOP), unrecorded(OLD_HEAD, committer=LAPTOP, co_authors=(LAPTOP,)))
    assert keys(commits=two) == ["address who@laptop"]


def test_a_signed_record_that_names_an_account_says_who_made_the_commit_but_not_who_helped():
    assert keys(commits=(commit(author=LAPTOP, committer=LAPTOP),)) == []
    assert keys(commits=(commit(co_authors=(LAPTOP,)),)) == ["address who@laptop"]


@pytest.mark.parametrize("state", [one for one in RecordState if one is not RecordState.SIGNED])
def test_what_a_record_claims_without_a_signature_settles_nobody(state):
    claimed = commit(author=LAPTOP, record=record(state=state, signer=None))
    assert keys(commits=(claimed,)) == ["address who@laptop"]


@pytest.mark.parametrize("part", ["landed", "merges_base"])
def test_commits_that_add_nobody_hide_nobody(part):
    beside = unrecorded(OLD_HEAD, author=LAPTOP, committer=LAPTOP, co_authors=(LAPTOP,), **{part: True})
    assert keys(commits=(commit(), beside)) == []


def test_a_signed_record_that_names_nobody_says_only_who_pushed():
    """Such records are made for commits that came from elsewhere and that no hook saw."""
    pushed_along = commit(author=LAPTOP, record=record(says="", agents=(), operator=None))
    assert keys(commits=(pushed_along,)) == ["address who@laptop"]


@pytest.mark.parametrize("state", [RecordState.SIGNED, RecordState.UNSIGNED, RecordState.MISMATCH])
def test_an_operator_of_no_known_account_hides_a_person(state):
    named = commit(record=record(state=state, operator=None, operator_claim="Kim@Laptop"))
    (one,) = unknown_people(PULL, (named,), (Push(HEAD, OLGA),), ())
    assert one.key == "address kim@laptop"
    assert one.text == "`Kim@Laptop`, operator of `aaaaaaa` by its record, is no known GitHub account"


def test_whoever_else_a_record_names_is_unknown_only_without_an_account():
    named = (Named("operator", "rita", RITA), Named("operator", "Kim"), Named("reviewer", "lee"))
    assert keys(commits=(commit(record=record(named=named)),)) == ["address kim", "address lee"]


def test_an_operator_who_is_also_the_author_is_one_person():
    named = unrecorded(author=LAPTOP)
    named = replace(named, record=record(operator=None, operator_claim="who@laptop"))
    assert keys(commits=(named,)) == ["address who@laptop"]


def test_github_as_committer_hides_nobody():
    web = person(None, "noreply@github.com")
    assert keys(commits=(unrecorded(committer=web, by_github=True),)) == []
    assert keys(commits=(unrecorded(committer=web),)) == ["address noreply@github.com"]


def test_an_empty_identity_hides_somebody_too():
    nobody = replace(LAPTOP, identity=replace(LAPTOP.identity, name="", email=""))
    assert keys(commits=(unrecorded(author=nobody),)) == ["address an empty identity"]
    named = replace(nobody, identity=replace(nobody.identity, name="Kim"))
    assert keys(commits=(unrecorded(author=named),)) == ["address kim"]


# *Update branch*

OLD = commit(OLD_HEAD)


def update(*parents: str, by_github: bool = True):
    return unrecorded(HEAD, parents=parents, mechanical=True, merges_base=True, by_github=by_github)


def test_G24_who_updates_the_branch_is_not_tied_to_it():
    merge = update(OLD_HEAD, BASE)
    assert "rita" not in tied((merge, OLD), (Push(HEAD, RITA, before=OLD_HEAD), Push(OLD_HEAD, OLGA)))
    assert "rita" not in tied((merge, OLD), (Push(HEAD, RITA), Push(OLD_HEAD, OLGA)))
    by_hand = update(OLD_HEAD, BASE, by_github=False)
    assert "rita" not in tied((by_hand, OLD), (Push(HEAD, RITA, before=OLD_HEAD),))


def test_a_merge_that_github_made_elsewhere_ties_whoever_pushed_it_here():
    """rita lets GitHub merge the base into a branch of hers, and pushes that onto somebody else's pull request."""
    side = commit(SIDE, parents=(OLD_HEAD,), author=person(SAM), committer=person(SAM))
    commits = (update(SIDE, BASE), side, OLD)
    assert "rita" in tied(commits, (Push(OLD_HEAD, OLGA), Push(HEAD, RITA, before=OLD_HEAD)))
    assert "rita" in tied(commits, (Push(OLD_HEAD, OLGA), Push(HEAD, RITA)))
    by_hand = (update(SIDE, BASE, by_github=False), side, OLD)
    assert "rita" in tied(by_hand, (Push(SIDE, OLGA), Push(HEAD, RITA)))


def test_who_pushed_what_an_update_merged_into_must_be_known():
    updated = (Push(HEAD, RITA, before=OLD_HEAD),)
    assert keys(commits=(update(OLD_HEAD, BASE), OLD), pushes=updated) == [f"push {OLD_HEAD}"]
