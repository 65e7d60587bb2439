"""Who is tied to a change, by what, and whether anybody verified it."""

import pytest
from support_facts import BASE, BOT, HEAD, OLD_HEAD, OLGA, PULL, RITA, SAM, commit, person, record, unrecorded

from foureyes.shared.exclusion import Excluded, Tie, excluded
from foureyes.shared.facts import Involved, Named, Push, RecordState
from foureyes.shared.people import Account
from foureyes.shared.reviewers import tie_text

BEN = Account(4, "ben")


def ties(who: Account, commits=(), pushes=(), involved=(), elsewhere=()) -> list[tuple[str, str, bool]]:
    found = excluded(PULL, commits, pushes, involved, elsewhere)
    return [(t.role, t.subject, t.verified) for one in found if one.account == who for t in one.ties]


def test_what_github_itself_says_is_verified():
    assert ties(OLGA) == [("pull request author", "", True)]
    assert ties(RITA, pushes=(Push(HEAD, RITA), Push(OLD_HEAD, RITA))) == [
        ("pusher", HEAD, True),
        ("pusher", OLD_HEAD, True),
    ]
    assert ties(RITA, involved=(Involved(RITA, "assigner"),)) == [("assigner", "", True)]
    assert ties(RITA, commits=(unrecorded(signer=RITA),)) == [("signer of the commit", HEAD, True)]


def test_what_only_a_commit_says_is_not():
    forged = unrecorded(author=person(RITA), committer=person(SAM), co_authors=(person(BEN), person(None)))
    assert ties(RITA, (forged,)) == [("commit author", HEAD, False)]
    assert ties(SAM, (forged,)) == [("committer", HEAD, False)]
    assert ties(BEN, (forged,)) == [("co-author", HEAD, False)]


def test_an_operator_is_verified_by_their_own_signature_alone():
    signed = (commit(author=person(None), committer=person(None)),)
    assert ties(OLGA, signed)[:2] == [("operator", HEAD, True), ("signer of the record", HEAD, True)]
    by_olga = commit(record=record(operator=RITA))
    assert ties(RITA, (by_olga,)) == [("operator", HEAD, False)]
    for state in (RecordState.UNSIGNED, RecordState.MISMATCH, RecordState.BAD_SIGNATURE):
        assert ties(RITA, (commit(record=record(state=state, operator=RITA, signer=None)),)) == [
            ("operator", HEAD, False)
        ]
        kept = record(state=state, operator=OLGA)
        assert ties(OLGA, (commit(record=kept),))[0] == ("operator", HEAD, False)


def test_whoever_else_a_record_names_is_tied_as_what_it_says():
    named = (Named("operator", "rita", RITA), Named("reviewer", "sam", SAM), Named("operator", "kim"))
    made = (commit(record=record(named=named)),)
    assert ties(RITA, made) == [("operator", HEAD, False)]
    assert ties(SAM, made) == [("an agent was seen to submit a review as this account", "", False)]


def test_the_same_tie_is_told_once_and_people_in_order_of_their_number():
    found = excluded(
        PULL, (unrecorded(), unrecorded()), (Push(HEAD, SAM), Push(HEAD, SAM), Push(HEAD, BOT)), ()
    )
    assert [one.account for one in found] == [OLGA, SAM, BOT]
    assert [len(one.ties) for one in found] == [3, 1, 1]


@pytest.mark.parametrize("part", ["landed", "merges_base"])
def test_commits_that_add_nobody(part):
    theirs = unrecorded(author=person(RITA), committer=person(SAM), **{part: True})
    assert ties(RITA, (theirs,)) == ties(SAM, (theirs,)) == []


def test_who_pushed_one_commit_onto_the_head_is_tied():
    one = commit(HEAD, parents=(OLD_HEAD,))
    assert ties(RITA, (one,), (Push(HEAD, RITA, before=OLD_HEAD),)) == [("pusher", HEAD, True)]


def test_a_mechanical_merge_of_anything_else_adds_whoever_made_it():
    assert ties(RITA, (unrecorded(author=person(RITA), mechanical=True),))


def test_the_push_of_landed_commits_and_of_anything_else():
    landed, other = unrecorded(OLD_HEAD, landed=True), unrecorded(HEAD, parents=(OLD_HEAD, BASE))
    assert ties(RITA, (landed, other), (Push(OLD_HEAD, RITA),)) == []
    assert ties(RITA, (landed, other), (Push(HEAD, RITA),)) == [("pusher", HEAD, True)]
    updated = unrecorded(HEAD, parents=(OLD_HEAD, BASE), merges_base=True)
    assert ties(RITA, (landed, updated), (Push(HEAD, RITA),)) == []
    assert ties(RITA, (updated,), (Push(HEAD, RITA),)) == [("pusher", HEAD, True)], "nothing of it landed"


def test_G12_who_pushed_a_commit_of_it_to_another_branch_is_tied():
    pushed = (Push(OLD_HEAD, RITA, "0" * 40), Push(OLD_HEAD, None))
    made = (unrecorded(HEAD, parents=(OLD_HEAD,)), unrecorded(OLD_HEAD))
    assert ties(RITA, made, elsewhere=pushed) == [("pusher to another branch", OLD_HEAD, True)]
    assert ties(RITA, made[:1], elsewhere=pushed), "it was pushed away here"
    asked = (Involved(RITA, "assigner"),)
    assert ("pusher to another branch", OLD_HEAD, True) in ties(RITA, made, involved=asked, elsewhere=pushed)
    here = (Push(HEAD, RITA, OLD_HEAD),)
    assert ties(RITA, made, here, elsewhere=pushed) == [("pusher", HEAD, True)], "which says enough"


def test_who_let_it_in_elsewhere_or_only_updated_another_branch_is_not():
    landed = unrecorded(HEAD, parents=(OLD_HEAD,), landed=True)
    assert ties(RITA, (landed, unrecorded(OLD_HEAD)), elsewhere=(Push(HEAD, RITA, BASE),)) == []
    updated = unrecorded(HEAD, parents=(OLD_HEAD, BASE), merges_base=True, by_github=True)
    commits = (updated, unrecorded(OLD_HEAD))
    assert ties(RITA, commits, elsewhere=(Push(HEAD, RITA, OLD_HEAD),)) == []
    for before in ("0" * 40, ""):
        elsewhere = (Push(HEAD, RITA, before), Push(OLD_HEAD, SAM, BASE))
        assert ties(RITA, commits, elsewhere=elsewhere), "it brought all of it"


def test_a_flag_says_that_nobody_verified_it():
    claim, proof = Tie("co-author", HEAD, verified=False), Tie("pusher", HEAD)
    assert Excluded(RITA, (claim,)).unverified
    assert not Excluded(RITA, (claim, proof)).unverified
    assert (
        tie_text(Excluded(RITA, (claim,)))
        == "co-author of `aaaaaaa`; only the commit says so, nobody verified it"
    )
    both = (
        Tie("pusher", HEAD),
        Tie("pusher", OLD_HEAD),
        Tie("pusher", BASE),
        Tie("pull request author"),
        claim,
    )
    assert (
        tie_text(Excluded(RITA, both))
        == "pusher of `aaaaaaa` and 2 more; pull request author; co-author of `aaaaaaa`"
    )
    assert tie_text(Excluded(RITA, both[:2])) == "pusher of `aaaaaaa` and 1 more"
    assert tie_text(Excluded(RITA, both[:1])) == "pusher of `aaaaaaa`"
