"""What people read: the models of the product's texts, and that hostile names cannot speak for us."""

from dataclasses import replace

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
from foureyes.shared.explanation import Explanation, Section, broken, combine
from foureyes.shared.facts import (
    Merge,
    MergeState,
    Push,
    RecordState,
    Roster,
    Touch,
    Unknown,
)
from foureyes.shared.people import Account
from foureyes.shared.policy import DEFAULT_TIERS, System
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
        "@olga ran Claude Code for 3 of 4 commits (`a1b2c3d` …), so this approval is shown but is not one of the two. "
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
    assert (
        "`77ab310` @olga: record is for another commit or tree (rewritten without hooks)"
        in explanation.summary
    )
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


def test_a_mass_deletion_that_no_directory_holds_names_none():
    gone = (
        change("infra/x", deleted=0),
        *(change(f"f{n}", "D", new_mode="000000", deleted=100) for n in range(30)),
    )
    summary = told(facts(changes=gone)).summary
    assert "**Destroys:** 3,000 lines" in summary
    assert "most of it" not in summary


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
    assert "it is not known who pushed `aaaaaaa`: one more human is needed" in explanation.summary
    assert explanation.title.startswith("Waiting: 0 of 3 humans")


def test_forbidden_agents_and_claims_are_shown_as_claims():
    claimed = unrecorded(marks=(replace(CLAUDE, how="trailer", evidence=False),))
    explanation = told(facts(commits=(claimed,)), policy(mode="forbid"))
    assert explanation.title == "Blocked: this project takes no agent-written changes"
    assert "ai (claimed) by Claude Code" in explanation.text
    assert "leave them out" in explanation.summary


def test_an_agent_that_no_record_names_is_an_agent_all_the_same():
    nameless = record(agents=(replace(CLAUDE, agent=UNNAMED),))
    markdown = told(facts(commits=(commit(record=nameless),))).summary
    assert "@olga ran an agent for 1 of 1 commit" in markdown
    assert "unknown" not in markdown


def test_an_owner_that_is_missing_is_asked_for():
    systems = {"pay": System(paths=("infra/**",), tier=0, owners=("@lee",))}
    explanation = told(facts(reviews=BOTH), policy(systems=systems))
    assert explanation.title == "Waiting: an owner of pay must be among them"
    assert "one of them must be an owner of pay: @lee" in explanation.summary


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


@pytest.mark.parametrize("number", [0, 1, 3, 40])
def test_titles_fit_however_many_people_there_are(number):
    crowd = tuple(Account(100 + n, f"somebody-with-a-long-login-{n}") for n in range(number))
    explanation = told(facts(roster=Roster({"@acme/reviewers": crowd})))
    assert len(explanation.title) <= 60


def test_many_commits_and_files_are_cut_and_counted():
    commits = tuple(unrecorded(f"{n:040x}") for n in range(1, 30))
    touched = tuple(Touch(f"infra/back/{n}", HEAD) for n in range(25))
    explanation = told(facts(commits=commits, touched=touched))
    assert "and 9 more" in explanation.summary
    assert "changed by a commit and changed back" in explanation.text


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
    assert "1 of 1 commit to `infra`" in free.summary
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
    data = told(facts(reviews=BOTH[:1])).to_json()
    assert data["data"]["counted"] == ["rita"]
    assert data["data"]["can_finish"] == ["sam"]


def test_long_texts_are_cut_where_github_cuts():
    long = Explanation(Outcome.WAIT, "t", (Section("Why", ("x" * 70_000,)),))
    assert len(long.summary) < 65_535
    assert "cut here" in long.summary
    assert len(broken("y" * 90, "z").title) == 60
