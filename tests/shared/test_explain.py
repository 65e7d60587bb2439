"""What people read: the models of the product's texts, and that hostile names cannot speak for us."""

from dataclasses import replace
from datetime import date

import pytest
from support_facts import (
    BEN,
    CLAUDE,
    HEAD,
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

from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.evaluate import evaluate
from foureyes.shared.explain import explain
from foureyes.shared.explanation import Explanation, Section, broken, combine, nothing_said
from foureyes.shared.facts import (
    AppAccount,
    Held,
    Known,
    Merge,
    MergeState,
    Push,
    RecordState,
    ReviewState,
    Roster,
    Touch,
    Unknown,
)
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import DEFAULT_TIERS, Automation, System
from foureyes.shared.verdict import Outcome

NAMES = {"claude-code": "Claude Code"}
ANA, RAJ, MIA = Account(11, "ana"), Account(12, "raj"), Account(13, "mia")
TOUCHED = replace(record().signer, present=True)
TEAM = Roster({"@acme/reviewers": (OLGA, BEN, ANA, RAJ, MIA)})
BOTH = (review(RITA), review(SAM, number=1))


def told(given, by=POLICY) -> Explanation:
    return explain(given, by, evaluate(given, by), names=NAMES, decision="01J0000000")


def test_model_A_waiting_because_the_operators_approval_does_not_count():
    commits = (
        commit("a1b2c3d" + "0" * 33),
        commit("c" * 40),
        commit("d" * 40),
        commit(record=record(agents=(), says="human", signer=TOUCHED)),
    )
    explanation = told(facts(commits=commits, roster=TEAM, reviews=(review(OLGA), review(BEN, number=1))))
    assert explanation.title == "Waiting: 1 of 2 humans. Next: @ana, @mia or @raj"
    assert (explanation.status, explanation.conclusion) == ("in_progress", None)
    summary = explanation.summary
    assert "**Counts:** @ben, on this content. One more human is needed." in summary
    assert (
        "@olga ran Claude Code for 3 of 4 commits (`a1b2c3d` …): the approval is shown but is not one of the two. "
        "@olga answers for the change." in summary
    )
    assert "agent-written change to `infra` (1 file, tier 1: `infra/main.tf`)." in summary
    assert "@ana, @mia or @raj: read the file below, then *Review changes → Approve*." in summary
    assert "**Voids @ben's approval:** new content in any file of this change." in summary
    assert "People must act" in explanation.text
    assert "01J0000000" in explanation.text


def test_model_B_commits_without_a_record():
    stripped = commit(
        "77ab310" + "0" * 33, record=record(state=RecordState.MISMATCH, signer=None, agents=(), operator=None)
    )
    missing = unrecorded("9c01d2e" + "0" * 33, author=person(SAM), committer=person(SAM))
    given = facts(commits=(stripped, missing, commit()), pushes=(Push(HEAD, SAM),), roster=TEAM)
    explanation = told(given)
    assert explanation.title == "Waiting: 0 of 2 humans. 2 commits have no record"
    assert (
        "**Why:** 2 of 3 commits to `infra` (1 file, tier 1: `infra/main.tf`) have no valid"
        in explanation.summary
    )
    assert "`9c01d2e` @sam: no record (hooks missing or skipped)" in explanation.summary
    assert "`77ab310` @olga: record is for another commit (rewritten without hooks)" in explanation.summary
    assert "This is a rule, not a suspicion." in explanation.summary
    assert "way 1, " in explanation.summary
    assert "way 2, author" in explanation.summary
    assert "foureyes install" in explanation.summary


def test_counts_of_model_C_are_exact():
    gone = tuple(
        change(f"infra/f{n}", "D", new_mode="000000", new_blob="0" * 40, added=0, deleted=84)
        for n in range(339)
    )
    gone += (change("infra/last", "D", new_mode="000000", new_blob="0" * 40, added=0, deleted=269),)
    explanation = told(facts(changes=gone))
    assert explanation.title == "Waiting: 0 of 2 humans. Deletes 28,745 lines in 340 files"
    assert "**Destroys:** 28,745 lines and 340 whole files; adds 0 lines." in explanation.summary
    assert "`infra/`: 340 files deleted, −28,745" in explanation.text


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (Held("infra/", 548), "340 whole files (62 % of `infra/`); adds"),
        (Held("infra/", 341), "340 whole files (99 % of `infra/`); adds"),
        (Held("infra/", 340), "340 whole files (all of `infra/`); adds"),
        (Held("infra/", 34_000), "340 whole files (1 % of `infra/`); adds"),
        (Held("infra/", 34_001), "340 whole files (under 1 % of `infra/`); adds"),
        (Held("infra/", 339), "340 whole files; adds"),
        (Held("infra/", 0), "340 whole files; adds"),
        (Held("", 548), "340 whole files (62 % of all files); adds"),
        (Held("", 34_001), "340 whole files (under 1 % of all files); adds"),
        (Held("", 340), "340 whole files (all of the repository); adds"),
        (Held("infra/`x`\n/", 548), "340 whole files (62 % of `infra/'x'\N{REPLACEMENT CHARACTER}/`); adds"),
        (None, "340 whole files; adds"),
    ],
)
def test_how_much_of_a_directory_is_deleted_is_never_said_as_more_than_it_is(held, said):
    gone = tuple(change(f"infra/f{n}", "D", new_mode="000000", added=0, deleted=9) for n in range(340))
    assert f"**Destroys:** 3,060 lines and {said} 0 lines." in told(facts(changes=gone, held=held)).summary


def test_without_a_whole_file_no_share_is_said():
    lines = (change(added=0, deleted=600),)
    assert (
        "**Destroys:** 600 lines; adds 0 lines." in told(facts(changes=lines, held=Held("infra/", 2))).summary
    )


def test_how_much_of_a_directory_is_deleted_is_no_ground_of_the_verdict():
    gone = tuple(change(f"infra/f{n}", "D", new_mode="000000", added=0, deleted=9) for n in range(340))
    for reviews in ((), BOTH):
        given = facts(changes=gone, reviews=reviews)
        verdicts = {
            evaluate(replace(given, held=held), POLICY).verdict.digest
            for held in (None, Held("infra/", 340), Held("", 9_000))
        }
        assert len(verdicts) == 1


def test_a_mass_deletion_that_no_directory_holds_names_none():
    gone = (
        change("infra/x", deleted=0),
        *(change(f"f{n}", "D", new_mode="000000", deleted=100) for n in range(30)),
    )
    summary = told(facts(changes=gone)).summary
    assert "**Destroys:** 3,000 lines" in summary
    assert "most of it" not in summary
    tests = tuple(change(f"infra/tests/test_{n}.py", "D", new_mode="000000", deleted=100) for n in range(12))
    assert "12 test files among them" in told(facts(changes=tests)).summary


def test_what_a_mass_deletion_leaves_is_listed_after_it():
    gone = tuple(change(f"infra/{n % 3}/f{n}", "D", deleted=10 + n) for n in range(30))
    alone = change("infra/alone/x", "D", deleted=1)
    kept = tuple(change(f"infra/kept{n}", added=n) for n in range(19))
    text = told(facts(changes=(*gone, alone, *kept))).text
    lines = [
        line.split(":")[0]
        for line in text.split("Where to look")[1].split("</details>")[0].splitlines()
        if line
    ]
    assert lines[1:5] == ["- `infra/2/`", "- `infra/1/`", "- `infra/0/`", "- `infra/alone/x`"]
    assert lines[5] == "- `infra/kept18`"
    assert lines[-1] == "- and 3 more"


def test_where_an_owner_is_all_that_lacks_only_owners_are_named():
    tier0 = policy(systems={"infra": System(paths=("infra/**",), tier=0, owners=("@ana",))})
    roster = Roster({**TEAM.members, "@ana": (ANA,)})
    one = told(facts(roster=roster, reviews=(review(BEN),)), tier0)
    assert one.title == "Waiting: 1 of 2 humans. Next: @ana"
    none = told(facts(roster=roster), tier0)
    assert none.title == "Waiting: 0 of 2 humans. Next: @ana, @ben, @mia or 1 more"


def test_who_could_not_have_approved_anyway_is_left_out_unless_they_ran_the_agent():
    lee = replace(PULL, author=Account(77, "lee"))
    told_of = told(facts(pull=lee, roster=TEAM)).summary
    assert "@lee" not in told_of
    assert "@olga ran Claude Code" in told_of
    stranger = facts(roster=Roster({"@acme/reviewers": (RITA, SAM)}))
    assert "@olga ran Claude Code" in told(stranger).summary


def test_passed_says_who_stood_behind_it():
    given = facts(reviews=BOTH)
    assert "Decision" not in explain(given, POLICY, evaluate(given, POLICY)).text
    explanation = told(given)
    assert explanation.title == "Passed: 2 humans approved this content"
    assert (explanation.status, explanation.conclusion) == ("completed", "success")
    assert "Now" not in explanation.summary
    assert "For agents" not in explanation.text


def test_unprotected_passes_with_a_note():
    explanation = told(facts(changes=(change("docs/a"),)))
    assert explanation.title == "Passed: no protected path is touched"
    assert "agent-written change; it touches no protected path" in explanation.summary


def test_a_tier_that_asks_nobody_says_so():
    systems = {"notes": System(paths=("infra/**",), tier=3)}
    assert told(facts(), policy(systems=systems)).title == "Passed: no protected path is touched"
    free = {**DEFAULT_TIERS, 2: DEFAULT_TIERS[2].model_copy(update={"ai": 0, "unattested": 0})}
    watched = policy(systems={"notes": System(paths=("infra/**",), tier=2)}, tiers=free)
    assert told(facts(), watched).title == "Passed: no approval is needed here"


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (facts(reviews=(*BOTH, review(RITA, "CHANGES_REQUESTED", 9))), "Blocked: @rita asks for changes"),
        (facts(merge=Merge(MergeState.CONFLICT)), "Blocked: it conflicts with main"),
        (facts(hidden=("infra/main.tf",)), "Blocked: GitHub's diff hides 1 changed file"),
        (facts(roster=Roster({"@acme/reviewers": (OLGA, RITA)})), "Blocked: not enough eligible reviewers"),
        (facts(pull=replace(PULL, draft=True)), "Waiting: it is a draft"),
        (facts(commits=Unknown("the answer was cut")), "Error: commits could not be read; tried again soon"),
    ],
)
def test_titles_name_the_cause(given, title):
    explanation = told(given)
    assert explanation.title == title
    assert explanation.conclusion != "success"
    assert explanation.summary


def test_blocked_and_broken_are_failures_waiting_is_not_red():
    assert told(facts(merge=Merge(MergeState.CONFLICT))).conclusion == "failure"
    assert told(facts(roster=Unknown("x"))).conclusion == "failure"
    assert told(facts()).conclusion is None
    assert replace(told(facts()), click=True).conclusion == "action_required"


def test_an_unknown_person_is_named_with_the_way_out():
    explanation = told(facts(pushes=(Push(HEAD, None),), roster=TEAM))
    assert "**Not known:** who pushed `aaaaaaa`: one more human is needed." in explanation.summary
    assert explanation.title.startswith("Waiting: 0 of 3 humans")
    assert "author: nothing to do" in explanation.summary
    unlinked = told(
        facts(commits=(unrecorded(author=person(None, "joe@home.example")),), roster=TEAM)
    ).summary
    assert "one more human is needed, or that person adds the address to their GitHub account." in unlinked


def test_forbidden_agents_and_claims_are_shown_as_claims():
    claimed = unrecorded(marks=(replace(CLAUDE, how="trailer", evidence=False),))
    explanation = told(facts(commits=(claimed,)), policy(mode="forbid"))
    assert explanation.title == "Blocked: this project takes no agent-written changes"
    assert "ai (claimed) by Claude Code" in explanation.text
    assert "leave them out" in explanation.summary


def test_an_agent_that_no_record_names_is_an_agent_all_the_same():
    nameless = record(agents=(replace(CLAUDE, agent=UNNAMED),))
    markdown = told(facts(commits=(commit(record=nameless),))).summary
    assert "@olga ran an agent for its only commit" in markdown


def test_an_owner_that_is_missing_is_asked_for():
    by = policy(systems={"pay": System(paths=("infra/**",), tier=0, owners=("@acme/oncall",))})
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, ANA, RAJ), "@acme/oncall": (RAJ,)})
    explanation = told(facts(reviews=BOTH, roster=roster), by)
    assert explanation.title == "Waiting: 2 of 2 humans, none an owner. Next: @raj"
    assert "still missing is an owner of `pay`: @raj" in explanation.summary
    assert "one of them must be an owner of `pay`: @raj" in told(facts(roster=roster), by).summary


def test_where_no_owner_is_left_nobody_is_sent_to_approve():
    by = policy(systems={"pay": System(paths=("infra/**",), tier=0, owners=("@acme/oncall",))})
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, ANA), "@acme/oncall": (OLGA,)})
    explanation = told(facts(reviews=BOTH, roster=roster), by)
    assert explanation.title == "Blocked: not enough eligible reviewers"
    assert "no owner of pay (@acme/oncall) is left who could approve" in explanation.summary
    assert "an admin: put more people on the roster, or among the owners" in explanation.summary
    assert "Review changes" not in explanation.summary


def test_an_owner_who_asks_for_changes_is_not_called_missing_for_good():
    by = policy(systems={"pay": System(paths=("infra/**",), tier=0, owners=("@acme/oncall",))})
    roster = Roster({"@acme/reviewers": (OLGA, RITA, SAM, RAJ), "@acme/oncall": (RAJ,)})
    explanation = told(facts(reviews=(*BOTH, review(RAJ, "CHANGES_REQUESTED", 2)), roster=roster), by)
    assert explanation.title == "Blocked: @raj asks for changes"
    assert "still missing is an owner of `pay`: @raj" in explanation.summary
    assert "not enough eligible" not in explanation.summary


def test_an_owner_who_approved_by_a_second_account_is_told_by_which_one_to_approve():
    by = policy(
        systems={"pay": System(paths=("infra/**",), tier=0, owners=("@ben",))}, aliases={"ben": ("ben-work",)}
    )
    work = Account(99, "ben-work")
    members = {"@acme/reviewers": (OLGA, BEN, work, ANA), "@ben": (BEN,), "@ben-work": (work,)}
    given = facts(reviews=(review(work), review(ANA, number=1)), roster=Roster(members))
    assert told(given, by).title == "Waiting: 2 of 2 humans, none an owner. Next: @ben"
    both = replace(given, reviews=Known((review(work), review(ANA, number=1), review(BEN, number=2))))
    assert told(both, by).outcome is Outcome.PASS


def test_nobody_is_sent_to_approve_what_cannot_pass_by_it():
    forbidden = told(facts(roster=TEAM), policy(mode="forbid")).summary
    assert "Review changes" not in forbidden
    assert "Review changes" not in told(facts(roster=TEAM, commits=())).summary
    conflict = told(facts(roster=TEAM, merge=Merge(MergeState.CONFLICT))).summary
    assert (
        "**Now:** author: resolve the conflicts with `main`.\n- then @ana, @ben, @mia or 1 more: read"
        in conflict
    )
    assert "**Stopped by:** it conflicts with `main`\n" in conflict


def test_of_a_closed_pull_request_nothing_is_asked():
    given = facts(roster=TEAM, commits=(), pull=replace(PULL, is_open=False))
    assert "Now:" not in told(given).summary


def test_programs_are_sent_to_the_command_that_knows_it():
    assert "`foureyes explain acme/shop#" in told(facts()).text
    assert "`foureyes check --json`" in told(facts(pull=replace(PULL, number=0))).text


def test_who_has_no_write_access_is_not_named_as_the_next():
    given = facts(roster=TEAM, reviews=(review(BEN, can_push=False),))
    assert told(given).title == "Waiting: 0 of 2 humans. Next: @ana, @mia or @raj"


def test_a_dismissal_that_lifts_nothing_is_told_of():
    asked = review(ANA, "DISMISSED", dismissed_state=ReviewState.CHANGES_REQUESTED)
    summary = told(facts(roster=TEAM, reviews=(replace(asked, dismissed_by=OLGA),))).summary
    assert "took no part in the change (@olga's does not)." in summary
    plainly = told(facts(roster=TEAM, reviews=(review(ANA, "CHANGES_REQUESTED"),))).summary
    assert "took no part in the change." in plainly


def test_a_change_of_gits_own_merges_alone_is_told_as_that():
    merge = commit(mechanical=True, merges_base=True, parents=("d" * 40, "e" * 40))
    explanation = told(facts(commits=(merge,), roster=TEAM))
    assert explanation.outcome is Outcome.WAIT
    assert "made of git's own merges alone: nobody says who wrote it." in explanation.summary


def test_an_apps_exempt_work_needs_no_record():
    bot = Account(2741, "renovate[bot]", Kind.BOT)
    lock = Automation(app=2740, paths=("infra/**",), approvals=1, owner="@lee", until=date(2027, 6, 30))
    own = unrecorded(author=person(bot), committer=person(None, "noreply@github.com"), by_github=True)
    given = facts(
        pull=replace(PULL, author=bot), pushes=(Push(HEAD, bot),), commits=(own,), app=AppAccount(2740, bot)
    )
    explanation = told(given, policy(automation={"renovate": lock}))
    assert explanation.title == "Waiting: 0 of 1 human. Next: @olga, @rita or @sam"
    assert (
        "**Why:** change to `infra` (1 file, tier 1: `infra/main.tf`). One human is enough:"
        in explanation.summary
    )
    assert "way 2" not in explanation.summary
    assert "No record" not in explanation.summary


def test_where_hooks_cannot_have_run_nobody_is_sent_to_publish():
    online = facts(roster=TEAM, commits=(unrecorded(by_github=True),))
    assert "way 2" not in told(online).summary
    software = facts(roster=TEAM, commits=(commit(record=record(says="human", agents=())),))
    explanation = told(software)
    assert explanation.title.startswith("Waiting: 0 of 2 humans. Next:")
    assert "way 2" not in explanation.summary
    assert (
        "has a record that does not settle who wrote it and so counts like agent-written"
        in explanation.summary
    )
    assert "**Record:** `aaaaaaa` @olga: human record is signed by a software key" in explanation.summary


def test_a_team_that_cannot_be_seen_is_named_where_people_are_waited_for():
    empty = Roster({}, ("@acme/reviewers", "@acme-release"))
    explanation = told(facts(roster=empty), policy(machine_users=("acme-release",)))
    assert explanation.title == "Blocked: not enough eligible reviewers"
    assert "**Not seen:** @acme/reviewers: nobody counts by that name here." in explanation.summary
    elsewhere = Roster({"@acme/reviewers": (OLGA, RITA, SAM)}, ("@other/team",))
    more = policy(roster=("@acme/reviewers", "@other/team"))
    assert "**Not seen:** @other/team:" in told(facts(roster=elsewhere), more).summary
    assert "Not seen" not in told(facts(roster=elsewhere, reviews=BOTH), more).summary


def test_a_machine_user_or_an_alias_that_nobody_has_is_told_even_where_nobody_is_waited_for():
    by = policy(machine_users=("acme-relase",), aliases={"olga": ("olga-wrok", "sam")})
    given = facts(
        reviews=BOTH, roster=Roster({"@acme/reviewers": (OLGA, RITA, SAM)}, ("@acme-relase", "@olga-wrok"))
    )
    explanation = told(given, by)
    assert explanation.title.startswith("Passed")
    assert "**Not seen:** @acme-relase and @olga-wrok, in `machine_users` or `aliases`" in explanation.summary
    assert "Not seen" not in told(facts(reviews=BOTH), by).summary


def test_an_unreadable_floor_is_for_the_organisation_to_mend():
    explanation = told(facts(floor=Unknown("the organisation's floor has an error")))
    assert "an owner of the organisation: mend `.github/foureyes-floor.yml`" in explanation.summary
    assert explanation.summary.count("floor could not be read") == 1


def test_the_short_form_is_told_by_its_directory():
    short = policy(systems={"protected": System(paths=("infra/**", "*.tf"), tier=1)})
    assert "agent-written change to `infra/` (1 file, tier 1)." in told(facts(), short).summary
    spread = facts(changes=(change("infra/a"), change("main.tf")))
    assert "to protected paths (2 files, tier 1: `infra/a` …)." in told(spread, short).summary


def test_the_short_form_of_a_floor_has_no_name_of_its_own():
    floor = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**"]\n'
    assert " and protected paths of the organisation (1 file" in told(facts(roster=TEAM, floor=floor)).summary


def test_a_refused_stranger_is_named():
    stranger = Account(99, "mallory")
    assert (
        "@mallory's approval: not on the roster of the policy."
        in told(facts(reviews=(review(stranger),))).summary
    )


def test_stale_head_and_protected_say_what_voids():
    for stale, words in (("head", "any new commit"), ("protected", "in the protected files")):
        tiers = {**DEFAULT_TIERS, 1: DEFAULT_TIERS[1].model_copy(update={"stale": stale})}
        assert words in told(facts(reviews=BOTH), policy(tiers=tiers)).summary


def test_hostile_names_cannot_break_out_of_their_code_span():
    evil = change("infra/`**Passed**`\\x0a# Passed")
    commits = (unrecorded(author=person(None, "a`b\x1b]8;;@x\n**Passed**")),)
    explanation = told(
        facts(changes=(evil,), commits=commits, touched=(Touch(evil.path, HEAD),), roster=TEAM)
    )
    everything = explanation.summary + explanation.text
    assert "`**Passed**`" not in everything
    assert "\x1b" not in everything
    assert "\n# Passed" not in everything
    assert explanation.terminal.startswith("Waiting")


def test_on_a_terminal_lines_are_broken_at_words_and_names_of_files_never():
    long = "infra/" + "x" * 70
    explanation = told(facts(changes=(change(long),), reviews=()))
    lines = explanation.on_terminal(60).splitlines()
    assert explanation.terminal.split() == explanation.on_terminal(60).split()
    assert [line for line in lines if len(line) > 60 and " " in line.strip()] == []
    at = next(number for number, line in enumerate(lines) if line.startswith("  Does not count: "))
    assert lines[at + 1].startswith("    ")


@pytest.mark.parametrize("number", [0, 1, 3, 40])
def test_titles_fit_however_many_people_there_are(number):
    crowd = tuple(Account(100 + n, f"somebody-with-a-long-login-{n}") for n in range(number))
    explanation = told(facts(roster=Roster({"@acme/reviewers": crowd})))
    assert len(explanation.title) <= 60


def test_many_commits_and_files_are_cut_and_counted():
    commits = tuple(unrecorded(f"{n:040x}") for n in range(1, 30))
    touched = tuple(Touch(f"infra/back/{n}", HEAD) for n in range(25))
    explanation = told(facts(commits=commits, touched=touched))
    assert "`0000000` and 28 more, @olga: no record (hooks missing or skipped)" in explanation.summary
    strangers = tuple(unrecorded(f"{n:040x}", author=person(None, f"{n}@home.example")) for n in range(1, 24))
    assert "- and 3 more\n\n**Now:**" in told(facts(commits=strangers)).summary
    assert "and 9 more" in explanation.text
    assert "changed by a commit and changed back" in explanation.text


def test_records_that_leave_it_open_are_told_in_the_plural():
    software = tuple(commit(f"{n:040x}", record=record(says="human", agents=())) for n in range(1, 4))
    assert (
        "all 3 commits to `infra` (1 file, tier 1: `infra/main.tf`) have records that do not settle who"
        in (told(facts(commits=software)).summary)
    )


def test_where_nobody_can_be_asked_the_check_says_why():
    given = facts(roster=TEAM)
    told_so = explain(given, POLICY, evaluate(given, POLICY), not_asked="the App may not").summary
    assert "- nobody was asked for a review: the App may not." in told_so


def test_kinds_of_change_are_told_apart():
    changes = (
        change("infra/new", "A"),
        change("infra/run", new_mode="100755"),
        change("infra/link", "T", new_mode="120000"),
        change("infra/logo", binary=True),
    )
    text = told(facts(changes=changes)).text
    for words in ("new, +3", "mode 100644 → 100755", "another kind of entry", "binary"):
        assert words in text


def test_human_changes_say_so():
    free = told(facts(commits=(commit(record=record(says="human", agents=(), operator=None)),)))
    assert "the only commit to `infra`" in free.summary
    docs = told(facts(commits=(unrecorded(),), changes=(change("docs/x.md"),)))
    assert "change without a full record; it touches no protected path" in docs.summary


def test_the_worst_pull_request_of_a_head_leads():
    good, bad = told(facts(reviews=BOTH)), told(facts())
    both = combine([(7, good), (9, bad)])
    assert (both.outcome, both.title) == (Outcome.WAIT, bad.title)
    assert "#7: Passed" in both.summary
    assert good.digest in both.digest
    assert bad.digest in both.digest
    assert combine([(7, good)]) == good
    with pytest.raises(ValueError, match="no pull request"):
        combine([])


def test_broken_is_never_a_success_and_json_holds_all():
    explanation = broken("the policy cannot be read", "an admin mends `.github/foureyes.yml`")
    assert explanation.conclusion == "failure"
    assert explanation.to_json()["sections"] == {
        "What happened": ["the policy cannot be read"],
        "Now": ["an admin mends .github/foureyes.yml"],
    }
    assert set(nothing_said("t")) == set(explanation.to_json())
    data = told(facts(reviews=BOTH[:1])).to_json()
    assert data["data"]["counted"] == ["rita"]
    assert data["data"]["can_finish"] == ["sam"]


def test_long_texts_are_cut_where_github_cuts():
    long = Explanation(Outcome.WAIT, "t", (Section("Why", ("x" * 70_000,)),))
    assert len(long.summary) < 65_535
    assert "cut here" in long.summary
    assert len(broken("y" * 90, "z").title) == 60
