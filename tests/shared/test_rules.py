"""Each rule's answers, case by case, and what each of them needs to know."""

from dataclasses import replace

import pytest
from support_facts import (
    BEN,
    BOT,
    CLAUDE,
    HEAD,
    MALLORY,
    OLD_HEAD,
    OLGA,
    PARTS,
    POLICY,
    PULL,
    RITA,
    SAM,
    change,
    commit,
    facts,
    person,
    policy,
    record,
    review,
    unrecorded,
)

from foureyes.shared.agent_mark import UNNAMED, UNREAD_NOTE, AgentMark
from foureyes.shared.case import Case, known
from foureyes.shared.content import of
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.facts import (
    Content,
    Known,
    Merge,
    MergeState,
    Move,
    MoveKind,
    PullFacts,
    Push,
    RecordFact,
    RecordState,
    ReviewState,
    Roster,
    Touch,
    Unknown,
    Witness,
)
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import DEFAULT_TIERS, System
from foureyes.shared.rules import RULES
from foureyes.shared.verdict import Outcome, Verdict, strictest

BOTH = (review(RITA), review(SAM, number=1))
STEP = "c" * 40


def outcome(given: PullFacts, by=POLICY) -> Outcome:
    return evaluate(given, by).verdict.outcome


def rule(given: PullFacts, name: str, by=POLICY) -> Verdict:
    return next(part for part in evaluate(given, by).verdict.children if part.rule == name)


def codes(verdict: Verdict) -> set[str]:
    return {reason.code for part in verdict.walk() for reason in part.reasons}


def test_G1_two_humans_who_are_not_the_operator_pass():
    assert outcome(facts(reviews=BOTH)) is Outcome.PASS


def test_G2_one_of_two_waits():
    verdict = rule(facts(reviews=BOTH[:1]), "two_humans")
    assert verdict.outcome is Outcome.WAIT
    assert [r.text for r in verdict.reasons if r.code == "approvals-missing"] == ["1 of 2 humans"]
    assert "not-enough-eligible" not in codes(verdict), "one is missing, and one is left"


def test_G3_the_operators_approval_is_shown_and_not_counted():
    verdict = rule(facts(reviews=(review(OLGA), review(RITA))), "two_humans")
    assert verdict.outcome is Outcome.WAIT
    assert {(r.code, r.subject) for r in verdict.reasons} >= {
        ("not-counted-excluded", "@olga"),
        ("counts", "@rita"),
    }


def test_G4_one_person_once():
    assert outcome(facts(reviews=(review(RITA), review(RITA, number=1)))) is Outcome.WAIT


def test_G5_outside_protected_paths_nobody_waits():
    given = facts(changes=(change("docs/readme.md"),))
    assert outcome(given) is Outcome.PASS
    assert "not-protected" in codes(rule(given, "two_humans"))


def test_G7_no_record_costs_as_much_as_an_agent():
    given = facts(commits=(unrecorded(),), reviews=BOTH[:1])
    assert outcome(given) is Outcome.WAIT
    assert rule(given, "recorded").outcome is Outcome.WAIT
    assert codes(rule(given, "recorded")) == {"no-record"}
    assert outcome(facts(commits=(unrecorded(),), reviews=BOTH)) is Outcome.PASS


@pytest.mark.parametrize("state", [s for s in RecordState if s is not RecordState.SIGNED])
def test_only_a_signed_record_gives_a_class(state):
    given = facts(commits=(commit(record=record(state=state, signer=None)),), reviews=BOTH[:1])
    assert rule(given, "recorded").outcome is Outcome.WAIT


def test_G11_a_forged_author_is_excluded_too():
    given = facts(commits=(commit(author=person(RITA)),), reviews=BOTH)
    assert outcome(given) is not Outcome.PASS


def test_G12_two_operators_are_both_excluded():
    second = commit("c" * 40, record=record(operator=RITA))
    assert outcome(facts(commits=(second, commit()), reviews=BOTH)) is not Outcome.PASS


def test_G14_a_bot_never_counts():
    given = facts(
        roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, BOT)}),
        reviews=(review(RITA), review(BOT, number=1)),
    )
    assert outcome(given) is Outcome.WAIT
    verdict = rule(given, "two_humans")
    assert "not-counted-not-a-person" in codes(verdict)
    assert BOT not in evaluate(given, POLICY).case.approvals.candidates
    lifted = review(SAM, "DISMISSED", 5, dismissed_by=BOT, dismissed_state=ReviewState.CHANGES_REQUESTED)
    assert outcome(replace(given, reviews=Known((lifted,)))) is Outcome.BLOCK, "and lifts nothing"


def test_G16_a_machine_user_on_the_roster_does_not_count():
    robot = Account(90, "acme-release")
    given = facts(
        roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, robot), "@acme-release": (robot,)}),
        reviews=(review(RITA), review(robot, number=1)),
    )
    assert outcome(given, policy(machine_users=("acme-release",))) is Outcome.WAIT


def test_G17_without_write_access_an_approval_does_not_count():
    assert outcome(facts(reviews=(BOTH[0], replace(BOTH[1], can_push=False)))) is Outcome.WAIT


def test_G13_an_account_that_is_not_rostered_does_not_count():
    stranger = Account(99, "olga2")
    assert outcome(facts(reviews=(BOTH[0], review(stranger, number=1)))) is Outcome.WAIT


def test_G19_a_later_request_for_changes_blocks():
    given = facts(reviews=(*BOTH, review(RITA, "CHANGES_REQUESTED", 5)))
    assert outcome(given) is Outcome.BLOCK
    assert "changes-requested" in codes(rule(given, "two_humans"))


@pytest.mark.parametrize(
    ("by", "expected"),
    [(None, Outcome.BLOCK), (OLGA, Outcome.BLOCK), (SAM, Outcome.WAIT), (RITA, Outcome.WAIT)],
)
def test_who_may_dismiss_a_request_for_changes(by, expected):
    """It never resurrects rita's earlier approval, whoever dismisses."""
    dismissed = review(RITA, "DISMISSED", 5, dismissed_by=by, dismissed_state=ReviewState.CHANGES_REQUESTED)
    given = facts(
        reviews=(*BOTH, dismissed), roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM, Account(5, "mia"))})
    )
    assert outcome(given) is expected


def test_who_could_still_approve():
    """One account for each person, by login: not who counts already, is tied, is a machine or asks for changes."""
    work, robot = Account(7, "ana-work"), Account(90, "acme-release")
    ana, ben, mia = Account(8, "Ana"), Account(4, "ben"), Account(5, "mia")
    members = {"@acme/reviewers": (robot, mia, work, ben, SAM, RITA, OLGA, ana), "@acme-release": (robot,)}
    members |= {"@ana": (ana,), "@ana-work": (work,)}
    by = policy(machine_users=("acme-release",), aliases={"ana": ("ana-work",)})
    given = facts(roster=Roster(members), reviews=(review(RITA), review(mia, "CHANGES_REQUESTED", 1)))
    count = evaluate(given, by).case.approvals
    assert [a.login for a in count.candidates] == ["Ana", "ben", "sam"]
    assert (count.counted, count.blocking) == ((RITA,), (mia,))


def test_a_machine_user_lifts_nobodys_request_for_changes():
    robot, mia = Account(90, "acme-release"), Account(5, "mia")
    lifted = review(mia, "DISMISSED", 5, dismissed_by=robot, dismissed_state=ReviewState.CHANGES_REQUESTED)
    members = {"@acme/reviewers": (OLGA, RITA, SAM, mia, robot), "@acme-release": (robot,)}
    given = facts(roster=Roster(members), reviews=(*BOTH, lifted))
    assert outcome(given) is Outcome.PASS
    assert outcome(given, policy(machine_users=("acme-release",))) is Outcome.BLOCK


def test_who_ran_the_agent_may_take_back_their_own_request_for_changes():
    own = review(OLGA, "DISMISSED", 5, dismissed_by=OLGA, dismissed_state=ReviewState.CHANGES_REQUESTED)
    assert outcome(facts(reviews=(*BOTH, own))) is Outcome.PASS
    assert outcome(facts(reviews=(*BOTH, replace(own, dismissed_by=SAM)))) is Outcome.PASS
    assert outcome(facts(reviews=(*BOTH, replace(own, dismissed_by=MALLORY)))) is Outcome.BLOCK


def test_G20_a_dismissed_approval_does_not_count():
    dismissed = review(RITA, "DISMISSED", dismissed_by=OLGA, dismissed_state=ReviewState.APPROVED)
    assert outcome(facts(reviews=(dismissed, BOTH[1]))) is Outcome.WAIT


def other(
    change_digest: str = "x", protected: str = "y", head: str = OLD_HEAD, base_ref: str = "main"
) -> Witness:
    now = BOTH[0].witness.content.value
    return Witness(
        head,
        base_ref,
        Known(replace(now, change=change_digest or now.change, protected=protected or now.protected)),
    )


@pytest.mark.parametrize(
    ("stale", "witness", "expected"),
    [
        ("change", other(), Outcome.WAIT),  # G21: other content
        ("change", other("", ""), Outcome.PASS),  # other head, equal content
        ("change", other("x", ""), Outcome.WAIT),  # G56: an unprotected file changed
        ("protected", other("x", ""), Outcome.PASS),
        ("protected", other(), Outcome.WAIT),
        ("head", other("", ""), Outcome.WAIT),  # G23: moved head
        ("change", other("", "", HEAD, "release/1"), Outcome.WAIT),  # G33: retargeted
        ("change", Witness(HEAD, "main", Unknown("gone")), Outcome.WAIT),
    ],
)
def test_what_an_approval_stands_on(stale, witness, expected):
    by = policy(tiers={**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": stale})})
    assert outcome(facts(reviews=(replace(BOTH[0], witness=witness), BOTH[1])), by) is expected


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (OLD_HEAD, f"approved other content (at `{OLD_HEAD[:7]}`)"),
        (HEAD, f"approved before `main` changed what this changes too (at `{HEAD[:7]}`)"),
    ],
    ids=["the head moved", "the base moved"],
)
def test_what_is_said_of_an_approval_of_what_is_no_more(head, told):
    given = (replace(BOTH[0], witness=other(head=head)), BOTH[1])
    assert told in {r.text for r in rule(facts(reviews=given), "two_humans").reasons}


def test_of_all_tiers_that_are_touched_the_strictest_says_what_an_approval_stands_on():
    systems = {"infra": System(paths=("infra/**",), tier=1), "watch": System(paths=("watch/**",), tier=2)}
    by = policy(systems=systems)
    both = (change(), change("watch/a"))
    seen = Witness(HEAD, "main", Known(replace(of(both, by), change="with another free file")))
    given = tuple(replace(r, witness=seen) for r in BOTH)
    assert outcome(facts(changes=both, reviews=given), by) is Outcome.WAIT
    lower = {**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": "protected"})}
    assert outcome(facts(changes=both, reviews=given), policy(systems=systems, tiers=lower)) is Outcome.PASS


def test_G24_update_branch_keeps_reviewer_and_approvals_even_for_the_exact_head():
    by = policy(tiers={**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": "head"})})
    old = commit(OLD_HEAD)
    merge = unrecorded(
        HEAD,
        parents=(OLD_HEAD, "b" * 40),
        mechanical=True,
        merges_base=True,
        by_github=True,
        author=person(RITA),
    )
    on_old = [replace(r, witness=replace(r.witness, head=OLD_HEAD)) for r in BOTH]
    pushes = (Push(OLD_HEAD, OLGA), Push(HEAD, RITA, before=OLD_HEAD))
    assert outcome(facts(commits=(old, merge), pushes=pushes, reviews=tuple(on_old)), by) is Outcome.PASS


def test_for_the_exact_head_a_commit_that_changes_nothing_is_another_head():
    by = policy(tiers={**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": "head"})})
    two = (commit(HEAD, parents=(OLD_HEAD,)), commit(OLD_HEAD))
    on_old = tuple(replace(r, witness=replace(r.witness, head=OLD_HEAD)) for r in BOTH)
    assert outcome(facts(commits=two, reviews=on_old), by) is Outcome.WAIT
    assert outcome(facts(commits=two, reviews=on_old)) is Outcome.PASS


def test_a_push_that_hides_more_than_the_merge_excludes_its_pusher():
    merge = unrecorded(HEAD, parents=(OLD_HEAD, "b" * 40), mechanical=True, merges_base=True)
    pushes = (Push(HEAD, RITA, before="8" * 40),)
    assert outcome(facts(commits=(commit(OLD_HEAD), merge), pushes=pushes, reviews=BOTH)) is not Outcome.PASS


def test_G57_an_unwitnessed_review_needs_a_quiet_timeline():
    unseen = tuple(replace(r, witness=None) for r in BOTH)
    assert outcome(facts(reviews=unseen)) is Outcome.PASS
    at_once = (Move(MoveKind.FORCE_PUSHED, BOTH[0].submitted_at),)
    assert outcome(facts(reviews=unseen, moves=at_once)) is Outcome.WAIT
    before = (Move(MoveKind.FORCE_PUSHED, "2026-11-21T09:00:00Z"),)
    assert outcome(facts(reviews=unseen, moves=before)) is Outcome.PASS
    moved = (Move(MoveKind.FORCE_PUSHED, "2026-11-21T11:00:00Z"),)
    assert outcome(facts(reviews=unseen, moves=moved)) is Outcome.WAIT
    elsewhere = tuple(replace(r, commit=OLD_HEAD) for r in unseen)
    assert outcome(facts(reviews=elsewhere)) is Outcome.WAIT
    assert outcome(facts(reviews=tuple(replace(r, commit=None) for r in unseen))) is Outcome.WAIT
    told = {r.text for r in rule(facts(reviews=elsewhere), "two_humans").reasons}
    assert "approved `9999999`, not the head `aaaaaaa`" in told


def test_an_approval_of_other_content_does_not_take_back_an_earlier_one():
    later = replace(review(RITA, number=9), witness=other())
    assert outcome(facts(reviews=(*BOTH, later))) is Outcome.PASS


def test_G61_aliases_are_one_person():
    work = Account(7, "rita-work")
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, work), "@rita": (RITA,), "@rita-work": (work,)})
    given = facts(roster=roster, reviews=(review(RITA), review(work, number=1)))
    assert outcome(given, policy(aliases={"rita": ("rita-work",)})) is Outcome.WAIT
    assert outcome(given) is Outcome.PASS


def test_an_alias_whose_account_cannot_be_found_any_more_is_still_that_person():
    work = Account(7, "olga-work")
    members = {"@acme/reviewers": (RITA, work), "@olga-work": (work,)}
    given = facts(
        roster=Roster(members, ("@olga",), {"@olga": OLGA.id}), reviews=(review(RITA), review(work, number=1))
    )
    by = policy(aliases={"olga": ("olga-work",)})
    assert outcome(given, by) is not Outcome.PASS
    assert "there is no such account" not in explain(given, by, evaluate(given, by)).text


def test_a_machine_user_whose_account_cannot_be_found_any_more_is_still_one():
    robot = Account(90, "acme-release")
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, robot)}, ("@acme-release",), {"@acme-release": 90})
    given = facts(roster=roster, reviews=(review(RITA), review(robot, number=1)))
    assert outcome(given, policy(machine_users=("acme-release",))) is Outcome.WAIT


@pytest.mark.parametrize(
    ("name", "number", "kind", "expected"),
    [
        ("@mia", 5, Kind.USER, Outcome.BLOCK),
        ("@acme/others", 77, Kind.USER, Outcome.BLOCK),
        ("@acme/others", 77, Kind.BOT, Outcome.PASS),
        ("@kim", 8, Kind.USER, Outcome.PASS),
    ],
    ids=["themself", "a team, of which they may have been", "but no bot", "somebody else"],
)
def test_who_was_on_the_roster_by_a_name_that_is_gone_still_asks_for_changes(name, number, kind, expected):
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM)}, (name,), {name: number})
    asks = review(Account(5, "mia", kind), "CHANGES_REQUESTED", 9)
    given = facts(roster=roster, reviews=(*BOTH, asks))
    assert outcome(given, policy(roster=("@acme/reviewers", name))) is expected
    assert outcome(given) is Outcome.PASS, "where the policy does not name it"


def test_an_alias_of_an_excluded_person_is_excluded():
    work = Account(7, "olga-work")
    roster = Roster({"@acme/reviewers": (RITA, work), "@olga": (OLGA,), "@olga-work": (work,)})
    given = facts(roster=roster, reviews=(review(RITA), review(work, number=1)))
    assert outcome(given, policy(aliases={"olga": ("olga-work",)})) is not Outcome.PASS


@pytest.mark.parametrize(
    ("by", "expected"),
    [(None, Outcome.BLOCK), (OLGA, Outcome.BLOCK), (RITA, Outcome.PASS), (SAM, Outcome.PASS)],
)
def test_an_alias_off_the_roster_asks_for_changes_for_its_person(by, expected):
    work, mia = Account(7, "rita-work"), Account(5, "mia")
    members = {"@acme/reviewers": (OLGA, RITA, SAM, mia), "@rita": (RITA,), "@rita-work": (work,)}
    by_both = policy(aliases={"rita": ("rita-work",)})
    asked = review(work, "CHANGES_REQUESTED", 3)
    given = facts(roster=Roster(members), reviews=(review(SAM), review(mia, number=1), asked))
    assert outcome(given, by_both) is Outcome.BLOCK
    assert outcome(given) is Outcome.PASS, "off the roster"
    gone = replace(
        asked, state=ReviewState.DISMISSED, dismissed_state=ReviewState.CHANGES_REQUESTED, dismissed_by=by
    )
    assert outcome(replace(given, reviews=Known((*given.reviews.value[:2], gone))), by_both) is expected


def test_an_alias_that_asks_for_changes_silences_the_other_account():
    work = Account(7, "rita-work")
    roster = Roster({"@acme/reviewers": (RITA, SAM, work), "@rita": (RITA,), "@rita-work": (work,)})
    given = facts(roster=roster, reviews=(*BOTH, review(work, "CHANGES_REQUESTED", 3)))
    verdict = rule(given, "two_humans", policy(aliases={"rita": ("rita-work",)}))
    assert verdict.outcome is Outcome.BLOCK
    assert {(r.code, r.subject) for r in verdict.reasons} >= {
        ("changes-requested", "@rita-work"),
        ("not-counted-same-person", "@rita"),
        ("counts", "@sam"),
    }


def test_G47_not_enough_people_is_said():
    verdict = rule(facts(roster=Roster({"@acme/reviewers": (OLGA, RITA)})), "two_humans")
    assert verdict.outcome is Outcome.BLOCK
    assert "not-enough-eligible" in codes(verdict)


def test_G51_a_bot_that_nobody_answers_for_hides_one_person():
    bots = facts(
        pull=replace(PULL, author=BOT),
        commits=(unrecorded(author=person(BOT), committer=person(BOT)),),
        pushes=(Push(HEAD, BOT),),
        reviews=BOTH,
        roster=Roster({"@acme/reviewers": (RITA, SAM, Account(5, "mia"))}),
    )
    assert outcome(bots) is Outcome.WAIT
    third = (*BOTH, review(Account(5, "mia"), number=2))
    assert outcome(replace(bots, reviews=Known(third))) is Outcome.PASS


@pytest.mark.parametrize("pushes", [(Push(HEAD, None),), (), (Push("9" * 40, OLGA),)])
def test_a_pusher_nobody_saw_and_an_unlinked_address_cost_one_more_each(pushes):
    nobody = unrecorded(author=person(None, "who@laptop"), committer=person(None, "who@laptop"))
    verdict = rule(facts(commits=(nobody,), pushes=pushes, reviews=BOTH), "two_humans")
    assert verdict.outcome is Outcome.BLOCK, "four are needed and only two exist"
    assert len([r for r in verdict.reasons if r.code == "unknown-person"]) == 2


def test_tier_0_wants_an_owner_among_the_two():
    systems = {"pay": System(paths=("infra/**",), tier=0, owners=("@acme/owners",))}
    lee = Account(8, "lee")
    members = {"@acme/reviewers": (OLGA, RITA, SAM, lee), "@acme/owners": (lee,)}
    given = facts(reviews=BOTH, roster=Roster(members))
    verdict = rule(given, "two_humans", policy(systems=systems))
    assert verdict.outcome is Outcome.WAIT
    assert "owner-missing" in codes(verdict)
    owned = replace(given, roster=Known(Roster({**members, "@acme/owners": (SAM,)})))
    assert outcome(owned, policy(systems=systems)) is Outcome.PASS


@pytest.mark.parametrize(
    "roster",
    [
        {"@acme/owners": (OLGA,)},
        {"@acme/owners": (Account(8, "lee"),)},
        {"@acme/owners": ()},
        {"@acme/owners": (RITA,), "@rita": (RITA,)},
    ],
    ids=["the operator", "not on the roster", "nobody", "a machine"],
)
def test_G47_where_no_owner_is_left_nobody_is_waited_for(roster):
    systems = {"pay": System(paths=("infra/**",), tier=0, owners=("@acme/owners",))}
    members = {"@acme/reviewers": (OLGA, RITA, SAM, BEN, MALLORY), **roster}
    given = facts(reviews=(review(SAM), review(BEN, number=1)), roster=Roster(members))
    verdict = rule(given, "two_humans", policy(systems=systems, machine_users=("rita",)))
    assert verdict.outcome is Outcome.BLOCK
    assert "not-enough-eligible" in codes(verdict)


def test_an_owner_whose_approval_does_not_count_is_no_owner_among_the_two():
    systems = {"pay": System(paths=("infra/**",), tier=0, owners=("@acme/owners",))}
    lee, work = Account(8, "lee"), Account(9, "lee-work")
    members = {"@acme/reviewers": (OLGA, RITA, SAM, lee), "@acme/owners": (lee, OLGA)}
    members |= {"@lee": (lee,), "@lee-work": (work,)}
    by = policy(systems=systems, aliases={"lee": ("lee-work",)})

    def judged(*reviews):
        return outcome(facts(reviews=(*BOTH, *reviews), roster=Roster(members)), by)

    assert judged(review(lee)) is Outcome.PASS
    assert judged(review(OLGA)) is Outcome.WAIT, "the operator"
    assert judged(replace(review(lee), witness=other())) is Outcome.WAIT, "other content"
    assert judged(replace(review(lee), can_push=False)) is Outcome.WAIT, "no access"
    angry = facts(reviews=(*BOTH, review(lee), review(work, "CHANGES_REQUESTED", 2)), roster=Roster(members))
    assert codes(rule(angry, "two_humans", by)) >= {"changes-requested", "owner-missing"}
    assert judged(review(work)) is Outcome.WAIT, "not on the roster"


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        (Merge(MergeState.CONFLICT), "conflict"),
        (Merge(MergeState.UNRELATED), "unrelated"),
        (Merge(MergeState.CLEAN, "5" * 40, "6" * 40), "merge-differs"),  # G58
    ],
)
def test_only_a_clean_merge_that_github_agrees_on_passes(merge, expected):
    given = facts(merge=merge, reviews=BOTH)
    assert outcome(given) is Outcome.BLOCK
    assert codes(rule(given, "mergeable")) == {expected}
    assert outcome(facts(merge=Merge(MergeState.CLEAN, "5" * 40, "5" * 40), reviews=BOTH)) is Outcome.PASS


@pytest.mark.parametrize(("stale", "other", "stands"), [
    ("change", False, True), ("protected", False, True), ("change", True, False), ("protected", True, False),
])  # fmt: skip
def test_G33_an_approval_for_a_base_that_landed_here_stands_on_the_whole_change(stale, other, stands):
    now = of((change(),), POLICY)
    content = Content("other", now.protected) if other else now
    given = [
        review(who, number=n, witness=Witness(HEAD, "stack", Known(content), base_landed=True))
        for n, who in enumerate((RITA, SAM))
    ]
    by = policy(tiers={**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": stale})})
    assert bool(evaluate(facts(reviews=tuple(given)), by).verdict) is stands
    unlanded = [replace(r, witness=replace(r.witness, base_landed=False)) for r in given]
    assert not evaluate(facts(reviews=tuple(unlanded)), by).verdict


def test_G33_drafts_and_closed_pull_requests_do_not_pass():
    assert outcome(facts(pull=replace(PULL, draft=True), reviews=BOTH)) is Outcome.WAIT
    assert outcome(facts(pull=replace(PULL, is_open=False), reviews=BOTH)) is Outcome.BLOCK


def test_a_guarded_path_that_the_diff_hides_blocks():
    assert outcome(facts(hidden=("infra/main.tf",), reviews=BOTH)) is Outcome.BLOCK
    assert outcome(facts(hidden=("docs/a",), reviews=BOTH)) is Outcome.PASS


@pytest.mark.parametrize(
    "moved",
    [
        (change("infra/a", "D"), change("docs/a", "A")),  # G25
        (change("docs/a", "D"), change("infra/a", "A")),  # G26
        (change("infra/run.sh", new_mode="100755", new_blob="1" * 40),),  # G27
        (change("infra", "A", old_mode="000000", new_mode="120000"),),  # G63
        (
            change("vendor/infra", "A", old_mode="000000", new_mode="160000"),
            change("infra", "A", new_mode="160000"),
        ),
        (change("INFRA/Main.tf"),),
        (change("docs/\\x07bell"),),
        (change(".github/foureyes.yml"),),  # G28
        (change(".github/workflows/ci.yml"),),  # G29
        (change("deep/.gitattributes"),),
    ],
)
def test_changes_that_are_guarded(moved):
    assert outcome(facts(changes=moved)) is Outcome.WAIT


def test_G62_a_change_that_a_later_commit_takes_back_was_deployable():
    given = facts(changes=(), touched=(Touch("infra/main.tf", HEAD),))
    assert outcome(given) is Outcome.WAIT
    assert outcome(given, policy(squash_only=True)) is Outcome.PASS


def later() -> PullFacts:
    """Approved while it was docs alone. Then one commit changes infra, and another takes that back."""
    steps = (
        Touch("docs/a", OLD_HEAD),
        Touch("infra/main.tf", STEP, new_blob="7" * 40),
        Touch("infra/main.tf", HEAD, new_blob="8" * 40),
    )
    docs = (change("docs/a"),)
    witness = Witness(OLD_HEAD, "main", Known(of(docs, POLICY)))
    return facts(
        changes=docs,
        touched=steps,
        commits=(commit(HEAD, parents=(STEP,)), commit(STEP, parents=(OLD_HEAD,)), commit(OLD_HEAD)),
        reviews=tuple(replace(r, witness=witness) for r in BOTH),
    )


def seen_at(given: PullFacts, head: str) -> PullFacts:
    reviews = tuple(replace(r, witness=replace(r.witness, head=head)) for r in given.reviews.value)
    return replace(given, reviews=Known(reviews))


@pytest.mark.parametrize("stale", ["change", "protected"])
def test_G62_steps_that_came_after_an_approval_and_undo_each_other_were_not_approved(stale):
    tiers = {**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": stale})}
    verdict = rule(later(), "two_humans", policy(tiers=tiers))
    assert verdict.outcome is Outcome.WAIT
    assert "approved before `aaaaaaa`, which touches guarded paths" in {r.text for r in verdict.reasons}
    assert outcome(seen_at(later(), STEP), policy(tiers=tiers)) is Outcome.WAIT
    assert outcome(seen_at(later(), HEAD), policy(tiers=tiers)) is Outcome.PASS
    assert outcome(later(), policy(tiers=tiers, squash_only=True)) is Outcome.PASS


def on_the_way(*blobs: str, steps: tuple[str, ...] = (), paths: str = "infra/main.tf") -> PullFacts:
    """Approved at a head that is gone; the net change is the same, these blobs were left on the way."""
    witness = Witness("d" * 40, "main", Known(replace(of((change(),), POLICY), steps=steps)))
    touched = (
        *(Touch(paths, STEP, new_blob=blob) for blob in blobs),
        Touch("infra/main.tf", HEAD, new_blob="2" * 40),
    )
    return facts(
        commits=(commit(HEAD, parents=(STEP,)), commit(STEP)),
        touched=touched,
        reviews=tuple(replace(r, witness=witness) for r in BOTH),
    )


def test_G62_what_was_left_on_the_way_to_the_same_end_must_have_been_approved_too():
    evil = "6" * 40
    assert outcome(on_the_way()) is Outcome.PASS
    assert outcome(on_the_way(evil)) is Outcome.WAIT
    assert outcome(on_the_way(evil), policy(squash_only=True)) is Outcome.PASS
    assert outcome(on_the_way(evil, steps=(f"100644 {evil} infra/main.tf",))) is Outcome.PASS
    assert outcome(on_the_way(evil, steps=(f"100755 {evil} infra/main.tf",))) is Outcome.WAIT
    assert outcome(on_the_way(evil, "5" * 40, steps=(f"100644 {evil} infra/main.tf",))) is Outcome.WAIT
    assert outcome(on_the_way("2" * 40)) is Outcome.PASS, "it is what the whole change leaves there"
    assert outcome(on_the_way(evil, paths="docs/a")) is Outcome.PASS, "nobody waits for that path"


def test_G62_of_several_commits_that_left_it_one_is_named_always_the_same():
    given, evil, later = on_the_way("6" * 40), "6" * 40, "e" * 40
    again = Touch("infra/main.tf", later, new_blob=evil)
    given = replace(
        given,
        touched=Known((*given.touched.value, again)),
        commits=Known((*given.commits.value, commit(later))),
    )
    texts = {reason.text for reason in rule(given, "two_humans").reasons}
    assert f"approved before `{min(STEP, later)[:7]}`, which touches guarded paths" in texts


def test_G62_facts_of_before_say_nothing_of_what_was_left_where_the_whole_change_leaves_something():
    assert outcome(on_the_way("")) is Outcome.PASS


def test_forbid_refuses_named_agents_and_claims():
    by = policy(mode="forbid")
    assert outcome(facts(reviews=BOTH), by) is Outcome.BLOCK
    claimed = unrecorded(marks=(replace(CLAUDE, how="trailer", evidence=False),))
    assert outcome(facts(commits=(claimed,), reviews=BOTH), by) is Outcome.BLOCK
    assert codes(rule(facts(commits=(claimed,)), "recorded")) == {"claimed"}
    unnamed = commit(record=record(agents=()))
    assert outcome(facts(commits=(unnamed,), reviews=BOTH), by) is Outcome.BLOCK
    assert outcome(facts(commits=(unrecorded(),), reviews=BOTH), by) is Outcome.PASS


def test_forbid_refuses_what_a_note_may_name_and_says_that_it_could_not_be_read():
    by = policy(mode="forbid")
    unread = unrecorded(marks=(AgentMark(UNNAMED, UNREAD_NOTE),))
    judged = evaluate(facts(commits=(unread,), reviews=BOTH), by).verdict
    (refused,) = [part for part in judged.children if part.rule == "no_agents"]
    assert refused.outcome is Outcome.BLOCK
    assert "could not be read" in refused.reasons[0].text
    named = evaluate(facts(reviews=BOTH), by).verdict
    assert not [r for part in named.children for r in part.reasons if "could not be read" in r.text]


def test_merges_that_git_makes_by_itself_have_no_class_and_alone_prove_nothing():
    alone = facts(commits=(commit(mechanical=True),), reviews=BOTH[:1])
    assert rule(alone, "recorded").outcome is Outcome.WAIT
    assert codes(rule(alone, "recorded")) == {"no-commits"}
    unprotected = facts(commits=(commit(mechanical=True),), changes=(change("docs/a"),))
    assert outcome(unprotected) is Outcome.PASS


def test_without_a_commit_there_is_nothing_to_let_in():
    empty = facts(commits=(), changes=(), reviews=BOTH)
    assert outcome(empty) is Outcome.BLOCK
    assert codes(rule(empty, "recorded")) == {"nothing-to-merge"}


def test_where_nobody_need_approve_a_request_for_changes_holds_it_all_the_same():
    tiers = {
        **DEFAULT_TIERS,
        1: DEFAULT_TIERS[1].model_copy(update={"ai": 0, "unattested": 0, "owner": True}),
    }
    asked = facts(reviews=(review(RITA, "CHANGES_REQUESTED"),))
    verdict = rule(asked, "two_humans", policy(tiers=tiers))
    assert (verdict.outcome, codes(verdict)) == (Outcome.BLOCK, {"changes-requested"})
    assert codes(rule(facts(), "two_humans", policy(tiers=tiers))) == {"nobody-needed"}
    assert outcome(replace(asked, changes=Known((change("docs/a"),)), touched=Known(()))) is Outcome.PASS


def test_G64_commits_that_landed_by_a_stored_pass_exclude_nobody():
    landed = commit(
        "c" * 40, author=person(RITA), committer=person(RITA), record=record(operator=RITA), landed=True
    )
    assert outcome(facts(commits=(landed, commit()), reviews=BOTH)) is Outcome.PASS


def test_every_part_that_is_unknown_breaks_the_verdict_and_every_part_is_needed():
    assert {need for r in RULES for need in r.needs} == {*PARTS} - {"floor"}, (
        "the floor is part of the policy"
    )
    for name in PARTS:
        given = replace(facts(reviews=BOTH), **{name: Unknown("the wire broke")})
        assert outcome(given) is Outcome.BROKEN
        assert "unknown-fact" in codes(evaluate(given, POLICY).verdict)


def test_every_rule_has_a_name_of_its_own_and_listens_to_something():
    assert len({r.name for r in RULES}) == len(RULES)
    assert all(r.listens for r in RULES)


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.name)
def test_a_rule_looks_at_nothing_but_what_it_says_it_needs(one):
    for given in (
        facts(reviews=BOTH),
        facts(reviews=BOTH[:1], commits=(unrecorded(),)),
        facts(changes=(change("docs/a"),)),
    ):
        bare = replace(given, **{part: Unknown("not read") for part in PARTS if part not in one.needs})
        assert one.check(Case(bare, POLICY), one.params(POLICY)) == rule(given, one.name)


def test_what_is_unknown_breaks_the_rules_that_need_it_and_no_others():
    judged = evaluate(facts(reviews=BOTH, hidden=Unknown("the wire broke")), POLICY).verdict
    assert [part.rule for part in judged.children if part.outcome is Outcome.BROKEN] == ["shown"]
    with pytest.raises(LookupError, match="the wire broke"):
        known(Unknown("the wire broke"))


def test_no_rule_at_all_is_broken():
    assert strictest("foureyes", ()).outcome is Outcome.BROKEN


def test_a_record_signed_by_somebody_else_still_excludes_the_operator_it_names():
    given = facts(commits=(commit(record=record(operator=RITA)),), reviews=BOTH)
    assert outcome(given) is not Outcome.PASS


def test_a_missing_record_fact_is_the_default():
    assert RecordFact(RecordState.MISSING).agents == ()


def test_who_signed_the_commit_itself_is_excluded():
    given = facts(commits=(commit(signer=RITA),), reviews=BOTH)
    assert outcome(given) is not Outcome.PASS


def test_an_agents_address_hides_nobody():
    agent = replace(person(None, "noreply@anthropic.com"), agent="claude-code")
    given = facts(commits=(unrecorded(author=agent, co_authors=(agent, person(SAM))),), reviews=BOTH[:1])
    verdict = rule(given, "two_humans")
    assert "unknown-person" not in codes(verdict)
    assert "not-enough-eligible" in codes(verdict), "sam is a co-author"


def test_a_push_of_something_else_is_a_push():
    merge = unrecorded("c" * 40, parents=(OLD_HEAD, "b" * 40), mechanical=True, merges_base=True)
    given = facts(commits=(merge, commit()), pushes=(Push(HEAD, RITA),), reviews=BOTH)
    assert outcome(given) is not Outcome.PASS


def test_a_review_by_a_deleted_account_counts_for_nobody():
    assert outcome(facts(reviews=(BOTH[0], replace(BOTH[1], account=None)))) is Outcome.WAIT


def test_G64_the_push_of_what_has_landed_was_the_merge_button():
    """By whom does not matter, as long as nothing else came along with it."""
    landed = commit(HEAD, parents=(OLD_HEAD,), landed=True)
    below = commit(OLD_HEAD, landed=True)
    for who in (RITA, None):
        given = facts(commits=(landed, below), pushes=(Push(HEAD, who),), reviews=BOTH)
        assert outcome(given) is Outcome.PASS
        beside = facts(
            commits=(landed, replace(below, landed=False)), pushes=(Push(HEAD, who),), reviews=BOTH
        )
        assert outcome(beside) is not Outcome.PASS
