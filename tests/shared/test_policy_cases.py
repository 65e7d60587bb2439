"""Cases beside a policy: how they are read, what they become, and that a wrong one is noticed."""

import re
from pathlib import Path
from typing import Any

import pytest
from support_policy import FULL, SHORT

from foureyes.shared.facts import Known, RecordState
from foureyes.shared.people import Kind
from foureyes.shared.policy import Policy
from foureyes.shared.policy_cases import CaseAt, ChangedPath, PolicyCase, read_cases
from foureyes.shared.policy_problem import PolicyError
from foureyes.shared.policy_text import parse_policy
from foureyes.shared.policy_trial import Trial, facts_of, try_case

POLICY = parse_policy(SHORT)
ENGINEERS = ("olga", "ben", "raj", "ana")


def case(**over: Any) -> PolicyCase:
    whole = {
        "name": "x",
        "change": ("infra/main.tf",),
        "class": "ai",
        "by": "olga",
        "expect": "wait",
        "teams": {"@acme/engineers": ENGINEERS},
        **over,
    }
    return PolicyCase.model_validate(whole)


def tried(policy: Policy = POLICY, **over: Any) -> Trial:
    return try_case(case(**over), policy)


def refused(text: str, policy: Policy = POLICY) -> list[str]:
    with pytest.raises(PolicyError) as error:
        read_cases(text, policy)
    return [str(problem) for problem in error.value.problems]


ONE = '- {name: x, change: [infra/a], class: ai, by: olga, expect: wait, teams: {"@acme/engineers": [ben]}}\n'


# how they are read


def test_a_list_and_a_file_with_teams_are_the_same_cases() -> None:
    top = 'teams: {"@acme/engineers": [ben]}\ncases:\n- {name: x, change: [infra/a], class: ai, by: olga, expect: wait}\n'
    (listed,), (named,) = read_cases(ONE, POLICY), read_cases(top, POLICY)
    assert listed.case == named.case
    assert (listed.line, named.line) == (1, 3)
    assert listed.case.change == (ChangedPath(path="infra/a"),)


def test_a_cases_own_teams_stand_over_those_at_the_top() -> None:
    top = 'teams: {"@acme/engineers": [ben], "@acme/other": [lee]}\ncases:\n' + ONE.replace("[ben]", "[raj]")
    ((at),) = read_cases(top, POLICY)
    assert isinstance(at, CaseAt)
    assert at.case.teams == {"@acme/engineers": ("raj",), "@acme/other": ("lee",)}
    assert at.case.members("@ACME/Engineers") == ("raj",)
    assert at.case.members("@acme/nobody") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: there is no case here"),
        ("cases: []\n", "line 1, column 8: `cases` is empty"),
        ("[]\n", "line 1, column 1: there is no case here"),
        ("7\n", "line 1, column 1: there is no case here"),
        ("team: {}\ncases:\n" + ONE, "line 1, column 1: `team` is not known here (did you mean `teams`?)"),
        ("teams: {}\n", "line 1, column 1: `cases` is missing (write cases: and a list)"),
        (ONE.replace("by: olga, ", ""), "`by` is missing (write by: olga)"),
        (ONE.replace("class: ai", "clas: ai"), "`clas` is not known here (did you mean `class`?)"),
        (ONE.replace("class: ai", "cls: ai"), "`cls` is not known here (did you mean `class`?)"),
        (ONE.replace("by: olga", "zzz: 1, by: olga"), "`zzz` is not known here (known here: name, change"),
        (ONE.replace("infra/a", "{path: a, mod: x}"), "`mod` is not known here (did you mean `mode`?)"),
        (ONE.replace("infra/a", "{path: a, mode: 120000}"), "and is 120000"),
        (ONE.replace("infra/a", '""'), "is empty"),
        (ONE.replace("[infra/a]", "[]"), "`[0].change` is empty"),
        (ONE.replace("expect: wait", "expect: pas"), "did you mean `pass`?"),
        (ONE.replace("by: olga", 'by: "@olga"'), "logins stand here as they are: olga"),
        (ONE.replace('"@acme/engineers"', "acme"), 'write "@acme" for a person'),
        (ONE.replace("name: x", "name: &a x"), "is a YAML anchor"),
        (ONE + ONE, "line 2, column 10: two cases are named `x` (rename one)"),
        (
            ONE.replace(', teams: {"@acme/engineers": [ben]}', ""),
            'line 1, column 3: @acme/engineers is on the roster, and nobody says who is in it (add teams: {"@acme/eng',
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    found = refused(text)
    assert any(said in line for line in found), found


def test_all_problems_come_at_once_in_order() -> None:
    found = refused(ONE.replace("by: olga", "by: 7") + ONE.replace("class: ai", "class: robot"))
    assert [line.split(",")[0] for line in found] == ["line 1", "line 2"]


# what they become


def test_the_operator_and_whoever_pushed_do_not_count() -> None:
    trial = tried(approvals=("olga", "ben"), needed=2, reason="not-counted-excluded")
    assert (trial.outcome, trial.needed, trial.differences) == ("wait", 2, ())
    assert tried(approvals=("ben", "raj")).outcome == "pass"
    assert tried(approvals=("ben", "raj"), pushed_by="raj").outcome == "wait"
    assert tried(approvals=("ben", "raj"), operator="raj").outcome == "wait"
    assert tried(approvals=("ben", "raj"), rejects=("ana",)).outcome == "block"
    assert tried(approvals=("BEN", "raj")).outcome == "pass"


@pytest.mark.parametrize(
    ("cls", "needed", "state"),
    [
        ("ai", 2, RecordState.SIGNED),
        ("unattested", 2, RecordState.MISSING),
        ("human", 1, RecordState.SIGNED),
    ],
)
def test_each_class_asks_for_its_own_cell(cls: str, needed: int, state: RecordState) -> None:
    facts = facts_of(case(**{"class": cls}), POLICY)
    assert isinstance(facts.commits, Known)
    assert facts.commits.value[0].record.state is state
    assert tried(**{"class": cls}).needed == needed


def test_a_human_change_that_somebody_else_pushed_gets_no_discount() -> None:
    assert tried(**{"class": "human", "pushed_by": "raj"}).needed == 2


def test_an_unsigned_record_names_its_operator_all_the_same() -> None:
    trial = tried(**{"class": "unattested", "operator": "raj", "approvals": ("ben", "raj")})
    assert trial.outcome == "wait"
    assert "claimed" in trial.reasons


def test_a_bot_hides_one_person_unless_it_is_said_who_set_it_to_work() -> None:
    alone = tried(by="helper[bot]")
    assert (alone.needed, "unknown-person" in alone.reasons) == (3, True)
    steered = tried(by="helper[bot]", operator="olga", approvals=("olga", "ben"))
    assert (steered.needed, steered.outcome) == (2, "wait")
    facts = facts_of(case(by="helper[bot]"), POLICY)
    assert facts.pull.author is not None
    assert facts.pull.author.kind is Kind.BOT


def test_paths_statuses_and_modes_are_gits() -> None:
    change = (
        "infra/a",
        {"path": "infra/b", "status": "A"},
        {"path": "infra/c", "status": "D", "mode": "100755"},
        {"path": "infra/d", "status": "T", "mode": "120000"},
        {"path": "infra/e", "status": "T"},
        "infra/back\\slash",
    )
    facts = facts_of(case(change=change), POLICY)
    assert isinstance(facts.changes, Known)
    assert isinstance(facts.touched, Known)
    nothing = "0" * 40
    assert [(c.status, c.old_mode, c.new_mode) for c in facts.changes.value] == [
        ("M", "100644", "100644"),
        ("A", "000000", "100644"),
        ("D", "100755", "000000"),
        ("T", "100644", "120000"),
        ("T", "120000", "100644"),
        ("M", "100644", "100644"),
    ]
    assert [(c.old_blob == nothing, c.new_blob == nothing) for c in facts.changes.value[1:3]] == [
        (True, False),
        (False, True),
    ]
    assert facts.changes.value[-1].path == r"infra/back\\slash"
    assert len({c.new_blob for c in facts.changes.value}) == 6
    assert [touch.path for touch in facts.touched.value] == [c.path for c in facts.changes.value]
    assert tried(change=({"path": "infra", "status": "A", "mode": "120000"},)).needed == 2
    assert tried(change=("docs/x",)).outcome == "pass"


def test_owners_aliases_and_machine_users_of_the_policy_are_people_too() -> None:
    full = parse_policy(FULL)
    paid = {"change": ("services/payments/x",), "approvals": ("ben", "raj")}
    without = tried(full, **paid, expect="pass")
    assert (without.outcome, without.nobody_in) == ("block", ("@acme/payments-oncall",))
    teams = {"@acme/engineers": ENGINEERS, "@acme/payments-oncall": ("raj",)}
    assert tried(full, **paid, teams=teams).outcome == "pass"
    infra = {"change": ("infra/x",), "by": "ana"}
    engineers = {"@acme/engineers": (*ENGINEERS, "olga-work", "acme-release")}
    same = tried(full, **infra, teams=engineers, approvals=("olga", "olga-work"))
    assert (same.outcome, "not-counted-same-person" in same.reasons) == ("wait", True)
    machine = tried(full, **infra, teams=engineers, approvals=("olga", "acme-release"))
    assert "not-counted-machine-user" in machine.reasons


# that a wrong one is noticed


def test_each_expectation_that_is_not_met_is_a_difference() -> None:
    trial = tried(approvals=("ben",), expect="pass", needed=1, reason="conflict")
    assert [(d.what, d.expected) for d in trial.differences] == [
        ("verdict", "pass"),
        ("needed", "1"),
        ("reason", "conflict"),
    ]
    assert trial.differences[0].got == f"wait ({trial.title})"
    assert trial.differences[1].got == "2"
    assert "approvals-missing" in trial.differences[2].got


def test_the_example_in_the_docs_holds_and_every_key_is_documented(checkout: Path) -> None:
    page = (checkout / "docs" / "policy.md").read_text()
    part = page.split("\n## Checked and tried before it is in force\n")[1].split("\n## ")[0]
    example = part.split("```yaml\n")[1].split("```")[0]
    cases = read_cases(example, POLICY)
    assert len(cases) == 3
    for at in cases:
        assert try_case(at.case, POLICY).differences == (), at.case.name
    documented = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    fields = [field.alias or name for name, field in PolicyCase.model_fields.items()]
    assert documented == fields
