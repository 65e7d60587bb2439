"""The two named exceptions: an App's own work under `automation` (G65), and a pure revert (G66, G43)."""

from dataclasses import replace
from datetime import date

import pytest
from support_facts import (
    BASE,
    BOT,
    CLAUDE,
    HEAD,
    OLD_HEAD,
    OLGA,
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

from foureyes.shared.content import digest, of
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.facts import (
    AppAccount,
    Involved,
    Known,
    Landed,
    PullFacts,
    Push,
    Roster,
    Touch,
    Unknown,
)
from foureyes.shared.floor import combine
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import Automation, Policy, System
from foureyes.shared.verdict import Outcome

RENOVATE = Account(29139614, "renovate[bot]", Kind.BOT)
APP = AppAccount(2740, RENOVATE)
LOCK = change("infra/package-lock.json")


def exempting(**over: object) -> Automation:
    fields = {"app": 2740, "paths": ("**/package-lock.json",), "owner": "@lee", "until": date(2026, 11, 22)}
    return Automation(**{**fields, **over})  # type: ignore[arg-type]


BY = policy(automation={"renovate": exempting()})


def made(**over: object):
    """A commit that GitHub made and signed for the App."""
    return replace(unrecorded(author=person(RENOVATE), committer=person(None), by_github=True), **over)


def its_own(**over: object) -> PullFacts:
    parts = {
        "pull": replace(PULL, author=RENOVATE),
        "changes": (LOCK,),
        "commits": (made(),),
        "pushes": (Push(HEAD, RENOVATE),),
        "app": APP,
        "reviews": (review(RITA),),
    }
    return facts(**{**parts, **over})


def outcome(given: PullFacts, by: Policy = BY) -> Outcome:
    """Approvals are given on the content that is there."""
    seen = Known(of(given.changes.value, by))  # type: ignore[union-attr]
    fresh = tuple(replace(r, witness=replace(r.witness, content=seen)) for r in given.reviews.value)
    return evaluate(replace(given, reviews=Known(fresh)), by).verdict.outcome


def test_G65_one_approval_does_for_an_apps_own_verified_work():
    assert outcome(its_own()) is Outcome.PASS
    assert outcome(its_own(reviews=())) is Outcome.WAIT
    told = evaluate(its_own(), BY)
    (reason,) = [r for part in told.verdict.walk() for r in part.reasons if r.code == "automation"]
    assert "@lee answers for the exemption `renovate` until 2026-11-22" in reason.text
    assert "One human is enough: all of it is the work of" in explain(its_own(), BY, told).summary


@pytest.mark.parametrize(
    "modes", [("000000", "100644"), ("100644", "000000"), ("100644", "100755"), ("100755", "100644")]
)
def test_G65_files_may_come_and_go(modes):
    lock = replace(LOCK, old_mode=modes[0], new_mode=modes[1])
    assert outcome(its_own(changes=(lock,), touched=(Touch(LOCK.path, HEAD, *modes),))) is Outcome.PASS


def test_G65_of_every_plain_mode():
    lock = replace(LOCK, old_mode="000000", new_mode="100755")
    assert (
        outcome(its_own(changes=(lock,), touched=(Touch(LOCK.path, HEAD, "000000", "100644"),)))
        is Outcome.PASS
    )


def test_G65_an_app_may_push_again():
    assert outcome(its_own(pushes=(Push(OLD_HEAD, RENOVATE), Push(HEAD, RENOVATE)))) is Outcome.PASS
    two = (made(), made(oid=OLD_HEAD))
    assert outcome(its_own(commits=two)) is Outcome.PASS


EXEMPT_NOT = {
    "a person pushed to it": its_own(pushes=(Push(OLD_HEAD, OLGA), Push(HEAD, RENOVATE))),
    "nobody saw who pushed": its_own(pushes=(Push(HEAD, None),)),
    "the head's push was not seen": its_own(pushes=(Push(OLD_HEAD, RENOVATE),)),
    "there was no push at all": its_own(pushes=()),
    "a person opened it": its_own(pull=replace(PULL, author=OLGA)),
    "nobody opened it": its_own(pull=replace(PULL, author=None)),
    "another bot opened it": its_own(pull=replace(PULL, author=BOT)),
    "one commit is a person's": its_own(commits=(commit("c" * 40), made())),
    "the commit is not verified": its_own(commits=(made(by_github=False),)),
    "the commit is another bot's": its_own(commits=(made(author=person(BOT)),)),
    "the commit has an author without account": its_own(commits=(made(author=person(None)),)),
    "somebody co-authored it": its_own(commits=(made(co_authors=(person(OLGA),)),)),
    "somebody unknown co-authored it": its_own(commits=(made(co_authors=(person(None),)),)),
    "an agent is named": its_own(commits=(made(marks=(CLAUDE,)),)),
    "an agent is recorded": its_own(commits=(made(record=record()),)),
    "the App is an agent": its_own(commits=(made(author=replace(person(RENOVATE), agent="copilot")),)),
    "there are no commits": its_own(commits=()),
    "another path is changed": its_own(changes=(LOCK, change())),
    "another path was touched": its_own(touched=(Touch("infra/main.tf", HEAD),)),
    "a link takes the file's place": its_own(changes=(replace(LOCK, new_mode="120000"),)),
    "a link was there on the way": its_own(touched=(Touch(LOCK.path, HEAD, "100644", "120000"),)),
    "it is another App": its_own(app=AppAccount(2741, RENOVATE)),
    "the App is another bot": its_own(app=AppAccount(2740, BOT)),
    "it is not known to be an App": its_own(app=None),
    "its day is over": replace(its_own(), at="2026-11-23T00:00:01Z"),
    "the time is not a time": replace(its_own(), at="soon"),
    "the time has no zone": replace(its_own(), at="2026-11-20T00:00:01"),
}


@pytest.mark.parametrize("why", EXEMPT_NOT)
def test_G65_the_ordinary_rule_holds_as_soon(why):
    assert outcome(EXEMPT_NOT[why]) is not Outcome.PASS
    assert evaluate(EXEMPT_NOT[why], BY).case.exemption is None


def test_which_app_it_is_must_be_known():
    assert outcome(its_own(app=Unknown("GitHub did not answer"))) is Outcome.BROKEN


def test_nothing_that_guards_the_gate_is_left_to_an_app():
    by = policy(automation={"renovate": exempting(paths=("**",))})
    assert outcome(its_own(), by) is Outcome.PASS
    workflow = its_own(changes=(change(".github/workflows/ci.yml"),))
    assert outcome(workflow, by) is Outcome.WAIT


def test_beside_what_guards_the_gate_nothing_else_is_left_to_an_app_either():
    by = policy(automation={"renovate": exempting(paths=("**",))})
    both = its_own(changes=(LOCK, change(".github/workflows/ci.yml")))
    assert evaluate(both, by).case.exemption is None


def test_of_several_exemptions_the_one_that_asks_for_least_holds():
    by = policy(automation={"a": exempting(approvals=3), "b": exempting(), "c": exempting(approvals=2)})
    assert outcome(its_own(), by) is Outcome.PASS


def test_an_owner_that_the_tier_asks_for_is_still_needed():
    systems = {"infra": System(paths=("infra/**",), tier=0, owners=("@acme/owners",))}
    by = policy(systems=systems, automation={"renovate": exempting()})
    members = {"@acme/reviewers": (OLGA, RITA, SAM), "@acme/owners": (SAM,)}
    assert outcome(its_own(roster=Roster(members)), by) is Outcome.WAIT
    assert outcome(its_own(roster=Roster({**members, "@acme/owners": (RITA,)})), by) is Outcome.PASS


def test_more_approvals_than_the_tier_asks_for_are_not_asked():
    by = policy(automation={"renovate": exempting(approvals=5)})
    assert outcome(its_own(), by) is Outcome.WAIT
    assert outcome(its_own(reviews=(review(RITA), review(SAM, number=1))), by) is Outcome.PASS


def test_under_a_floor_both_must_exempt_it():
    floor = policy()
    assert outcome(its_own(), combine(floor, BY)) is not Outcome.PASS
    assert outcome(its_own(), combine(BY, floor)) is not Outcome.PASS
    assert outcome(its_own(), combine(BY, BY)) is Outcome.PASS
    two = policy(automation={"bots": exempting(approvals=2)})
    assert outcome(its_own(), combine(two, BY)) is Outcome.WAIT
    assert outcome(its_own(), combine(BY, two)) is Outcome.WAIT


# a pure revert

TAKEN = replace(change(), old_blob="2" * 40, new_blob="1" * 40)
LANDED = Landed(7, "01K", "2026-11-22T10:00:00Z", digest((TAKEN,)))


def revert(**over: object) -> PullFacts:
    return facts(**{"reviews": (review(RITA),), "landed": (LANDED,), **over})


def test_G66_a_pure_revert_within_a_day_needs_one():
    assert outcome(facts(reviews=(review(RITA),))) is Outcome.WAIT
    assert outcome(revert(), POLICY) is Outcome.PASS
    assert outcome(revert(reviews=()), POLICY) is Outcome.WAIT
    assert outcome(revert(commits=(unrecorded(),)), POLICY) is Outcome.PASS
    told = {r.code for part in evaluate(revert(), POLICY).verdict.walk() for r in part.reasons}
    assert "pure-revert" in told


def test_a_pure_revert_by_somebody_unknown_needs_one_more():
    by = revert(pushes=(Push(HEAD, None),))
    assert outcome(by, POLICY) is Outcome.WAIT
    assert outcome(replace(by, reviews=Known((review(RITA), review(SAM, number=1)))), POLICY) is Outcome.PASS


PURE_NOT = {
    "G43 it landed weeks ago": revert(landed=(replace(LANDED, at="2026-11-01T10:00:00Z"),)),
    "it landed a second more than a day ago": revert(landed=(replace(LANDED, at="2026-11-21T11:59:59Z"),)),
    "it landed later than now": revert(landed=(replace(LANDED, at="2026-11-22T12:00:01Z"),)),
    "when it landed is not known": revert(landed=(replace(LANDED, at=""),)),
    "now is not known": replace(revert(), at=""),
    "one blob is another": revert(changes=(replace(change(), new_blob="3" * 40),)),
    "a mode is another": revert(changes=(replace(change(), new_mode="100755"),)),
    "one path more": revert(changes=(change(), change("docs/a"))),
    "nothing landed": revert(landed=()),
    "other content was there on the way": revert(commits=(commit("c" * 40), commit())),
    "another path was touched": revert(touched=(Touch("infra/main.tf", HEAD), Touch("docs/x", HEAD))),
    "nothing is changed": revert(changes=(), touched=(Touch("infra/main.tf", HEAD),),
                                 landed=(replace(LANDED, change=digest(())),)),
}  # fmt: skip


@pytest.mark.parametrize("why", PURE_NOT)
def test_G43_anything_else_is_an_ordinary_change(why):
    assert outcome(PURE_NOT[why], POLICY) is not Outcome.PASS
    assert evaluate(PURE_NOT[why], POLICY).case.exemption is None


def test_nothing_takes_nothing_back():
    empty = revert(changes=(), touched=(), landed=(replace(LANDED, change=digest(())),))
    assert evaluate(empty, POLICY).case.exemption is None


def test_only_the_net_change_matters_where_single_commits_are_never_deployed():
    two = revert(commits=(commit("c" * 40), commit()))
    assert outcome(two, policy(squash_only=True)) is Outcome.PASS


def test_a_merge_of_the_base_is_no_step_of_the_revert():
    merge = unrecorded(HEAD, parents=(OLD_HEAD, BASE), mechanical=True, merges_base=True, by_github=True)
    pushes = (Push(OLD_HEAD, OLGA), Push(HEAD, OLGA, before=OLD_HEAD))
    given = revert(
        commits=(merge, commit(OLD_HEAD)), pushes=pushes, touched=(Touch("infra/main.tf", OLD_HEAD),)
    )
    assert outcome(given, POLICY) is Outcome.PASS


def test_of_two_exceptions_the_one_that_asks_for_less():
    by = policy(automation={"renovate": exempting(approvals=2, paths=("infra/**",))})
    both = its_own(changes=(change(),), landed=(LANDED,), involved=(Involved(OLGA, "assigner"),))
    assert evaluate(both, by).case.exemption.code == "pure-revert"  # type: ignore[union-attr]
    assert outcome(both, by) is Outcome.PASS


def test_what_has_landed_must_be_known():
    assert outcome(revert(landed=Unknown("the disk is full")), POLICY) is Outcome.BROKEN
