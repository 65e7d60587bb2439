"""`foureyes doctor OWNER/REPO`: what is wrong with a repository's rules; what it prints mends it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from support_doctor import apply, ask_as, doctor, finding, states
from support_gate import SHOP, Gate, running_gate

import foureyes.github_app.doctor
from foureyes.github_app.answer import Answer
from foureyes.github_app.branch_rules import BranchRules, Bypass, RequiredCheck
from foureyes.github_app.personal_client import PersonalGitHub
from foureyes.github_app.protected import Protected, all_at_once
from foureyes.github_app.repository_findings import findings
from foureyes.github_app.sandbox import checks
from foureyes.hooks.doctor import command
from foureyes.shared.errors import UserError
from foureyes.shared.finding import Finding, State

GOOD = BranchRules(
    "main", True, (RequiredCheck("foureyes", 7, 'ruleset "x"'),), True, False, True, 0, False, False
)  # fmt: skip
FINE = Protected(SHOP, 7, (GOOD,), False)


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        ask_as(gate, monkeypatch, "noor")
        yield gate


def of(subject: str, found: tuple[Finding, ...]) -> Finding:
    return next(finding for finding in found if finding.subject == subject)


def test_what_it_prints_mends_it(gate: Gate) -> None:
    """G39: afterwards the check is required from our App alone."""
    gate.sandbox.world.repositories[SHOP].rulesets.clear()
    code, told = doctor("--app", str(gate.sandbox.app.id))
    assert code == 1
    assert not told["good"]
    wrong = {subject for subject, state in states(told).items() if state == "problem"}
    assert wrong == {"main: check", "main: pull", "main: base", "main: force", "main: delete"}
    for one in told["findings"]:
        if one["state"] == "problem":
            apply(gate, one["mend"])
    code, told = doctor("--app", str(gate.sandbox.app.id))
    assert (code, told["good"], told["mend_all"]) == (0, True, None)


def test_no_ruleset_is_named_like_another(gate: Gate) -> None:
    """GitHub takes each name once."""
    gate.sandbox.world.repositories[SHOP].rulesets.clear()
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    bodies = [json.loads(shlex.split(f["mend"])[2]) for f in told["findings"] if f["state"] == "problem"]
    assert len({body["name"] for body in bodies}) == len(bodies)
    assert all("main" in body["name"] for body in bodies)
    apply(gate, told["mend_all"])
    (made,) = gate.sandbox.world.repositories[SHOP].rulesets
    made.rules = [rule for rule in made.rules if rule["type"] != "deletion"]
    again = doctor("--app", str(gate.sandbox.app.id))[1]["mend_all"]
    assert json.loads(shlex.split(again)[2])["name"] == "foureyes (2)"


def test_one_ruleset_mends_all_at_once(gate: Gate) -> None:
    gate.sandbox.world.repositories[SHOP].rulesets.clear()
    _code, told = doctor("--app", str(gate.sandbox.app.id))
    apply(gate, told["mend_all"])
    code, told = doctor("--app", str(gate.sandbox.app.id))
    assert (code, set(states(told).values())) == (0, {"ok"})


def test_G39_a_required_check_from_any_source_is_a_problem(gate: Gate) -> None:
    (ruleset,) = gate.sandbox.world.repositories[SHOP].rulesets
    del ruleset.rules[0]["parameters"]["required_status_checks"][0]["integration_id"]
    code, told = doctor("--app", str(gate.sandbox.app.id))
    assert code == 1
    assert "integration_id" in finding(told, "main: check")["what"]
    apply(gate, finding(told, "main: check")["mend"])
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["main: check"] == "ok"


def test_the_app_is_found_by_the_checks_that_it_published(gate: Gate) -> None:
    assert states(doctor()[1])["App"] == "unknown"
    gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    gate.settle()
    told = doctor()[1]
    assert states(told)["App"] == "ok"
    assert states(told)["main: check"] == "ok"


SQUASHES = {
    "type": "pull_request",
    "parameters": {
        "allowed_merge_methods": ["squash"], "dismiss_stale_reviews_on_push": False, "require_code_owner_review": False,
        "require_last_push_approval": False, "required_approving_review_count": 0,
        "required_review_thread_resolution": False,
    },
}  # fmt: skip


def queue(method: str) -> dict[str, Any]:
    parameters = {
        "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
        "max_entries_to_merge": 5, "merge_method": method, "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
    }  # fmt: skip
    return {"type": "merge_queue", "parameters": parameters}


@pytest.mark.parametrize(
    ("allowed", "rules", "state"),
    [
        ({"merge", "squash"}, [], "problem"),
        ({"squash", "rebase"}, [], "problem"),
        ({"squash"}, [], "ok"),
        ({"merge", "squash"}, [SQUASHES], "ok"),
        ({"merge", "squash"}, [queue("SQUASH")], "ok"),
        ({"merge", "squash"}, [SQUASHES, queue("MERGE")], "problem"),
        (None, [], "unknown"),
    ],
    ids=["merges", "rebases", "squashes", "a rule", "a queue", "a queue that merges", "not to be seen"],
)
def test_squash_only_is_held_against_what_github_allows(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, allowed: set[str] | None, rules: list[Any], state: str
) -> None:
    shop = gate.sandbox.world.repositories[SHOP]
    assert "squash" not in states(doctor("--app", str(gate.sandbox.app.id))[1])
    text = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\nsquash_only: true\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": text}))
    shop.rulesets[0].rules += rules
    shop.merge_methods = frozenset(allowed or ())
    if allowed is None:
        gate.control("POST", "users", login="reader")
        gate.control("POST", "roles", repository=SHOP, login="reader", role="read")
        ask_as(gate, monkeypatch, "reader")
    told = finding(doctor("--app", str(gate.sandbox.app.id))[1], "squash")
    assert told["state"] == state
    assert ("-X PATCH repos/acme/shop -F allow_merge_commit=false" in str(told["mend"])) == (
        state == "problem"
    )


@pytest.mark.parametrize("arguments", [["--app", "7"], [SHOP, "--online"]])
def test_an_option_that_would_do_nothing_is_refused(arguments: list[str]) -> None:
    told = CliRunner().invoke(command, arguments)
    assert told.exit_code == 2
    assert "OWNER/REPO." in told.output


@pytest.mark.parametrize(
    "actor",
    [
        {"actor_id": 4, "actor_type": "EverybodyElse", "bypass_mode": "always"},
        {"actor_id": 4, "actor_type": "RepositoryRole", "bypass_mode": "sometimes"},
        {"actor_id": None, "actor_type": "RepositoryRole", "bypass_mode": "always"},
        {"actor_id": 4, "actor_type": None, "bypass_mode": "always"},
    ],
    ids=["kind", "mode", "no number", "no kind"],
)
def test_a_bypass_that_is_not_understood_is_not_called_harmless(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, actor: dict[str, object]
) -> None:
    real = PersonalGitHub.send

    def send(*given: Any, **more: Any) -> Answer:
        answer = real(*given, **more)
        if "/rulesets/" in given[3]:
            answer.data["bypass_actors"] = [actor]
        return answer

    monkeypatch.setattr(PersonalGitHub, "send", send)
    _code, told = doctor("--app", str(gate.sandbox.app.id))
    assert 'who may bypass ruleset "two humans"' in json.dumps(told).replace('\\"', '"')
    assert "main: bypass" not in states(told)


def test_who_may_bypass_is_named(gate: Gate) -> None:
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    (bypass,) = [f for f in told["findings"] if f["subject"] == "main: bypass"]
    assert bypass["state"] == "note"
    assert bypass["what"].startswith('@noor may bypass ruleset "two humans"')


def test_what_a_token_may_not_see_is_unknown_and_never_good(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_TOKEN", gate.sandbox.token("olga"))
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    unknown = [f["what"] for f in told["findings"] if f["state"] == "unknown"]
    assert [what.split(":")[0] for what in unknown] == [
        'who may bypass ruleset "two humans"', "the older branch protection", "whether workflows may approve",
    ]  # fmt: skip
    assert "main: bypass" not in states(told)


def test_workflows_that_may_approve_are_named_with_what_mends_it(gate: Gate) -> None:
    gate.sandbox.world.repositories[SHOP].actions_may_approve = True
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    finding = told["findings"][-1]
    assert (finding["subject"], finding["state"]) == ("Actions", "problem")
    path, field = finding["mend"].partition(" -X PUT ")[2].split()[0], finding["mend"].split()[-1]
    assert field == "can_approve_pull_request_reviews=false"
    gate.as_person("noor", "PUT", f"/{path}", {"can_approve_pull_request_reviews": False})
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["Actions"] == "ok"


def test_the_older_branch_protection_counts_too(gate: Gate) -> None:
    shop = gate.sandbox.world.repositories[SHOP]
    shop.rulesets.clear()
    app = gate.sandbox.app.id
    shop.protection["main"] = {
        "required_status_checks": {
            "strict": True, "contexts": ["foureyes"], "checks": [{"context": "foureyes", "app_id": app}],
        },
        "required_pull_request_reviews": {"require_code_owner_reviews": False, "dismiss_stale_reviews": False},
        "enforce_admins": {"url": "https://x", "enabled": False},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
    }  # fmt: skip
    code, told = doctor("--app", str(app))
    assert code == 0
    (bypass,) = [f for f in told["findings"] if f["subject"] == "main: bypass"]
    assert bypass["what"].startswith("every admin of the repository may bypass branch protection")


def test_every_gated_branch_is_looked_at(gate: Gate) -> None:
    policy = 'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.push("noor", "release/1", gate.tip())
    gate.push("noor", "topic", gate.tip())
    _code, told = doctor("--app", str(gate.sandbox.app.id))
    assert states(told)["release/1: check"] == "problem"
    assert not any(subject.startswith("topic") for subject in states(told))
    apply(gate, told["mend_all"])
    assert doctor("--app", str(gate.sandbox.app.id))[0] == 0


@pytest.mark.parametrize(
    ("policy", "state", "said"),
    [
        (None, "problem", "there is no .github/foureyes.yml"),
        ("version: 9\n", "problem", "has an error"),
        (
            'version: 1\nmode: observe\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n',
            "note",
            "observes",
        ),
    ],
)
def test_the_policy_is_looked_at_first(gate: Gate, policy: str | None, state: str, said: str) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    first = doctor("--app", str(gate.sandbox.app.id))[1]["findings"][0]
    assert (first["subject"], first["state"]) == ("policy", state)
    assert said in first["what"]


def test_people_read_it_line_by_line(gate: Gate) -> None:
    told = CliRunner().invoke(command, [SHOP, "--app", str(gate.sandbox.app.id)], standalone_mode=False)
    lines = told.output.splitlines()
    assert lines[0] == "ok       policy        .github/foureyes.yml can be read"
    assert lines[-1] == "4 problems found."
    assert gate.sandbox.token("noor") not in told.output


def test_a_name_that_is_none_is_wrong_use(gate: Gate) -> None:
    told = CliRunner().invoke(command, ["acme/shop/x"], standalone_mode=False)
    assert isinstance(told.exception, UserError)
    assert told.exception.exit_code == 2


# what looks right and is not


def test_a_rule_that_is_not_in_force_is_told_and_its_name_is_taken(gate: Gate) -> None:
    """One that is only tried out asks nobody for anything, and GitHub takes each name once."""
    app = str(gate.sandbox.app.id)
    shop = gate.sandbox.world.repositories[SHOP]
    shop.rulesets.clear()
    apply(gate, doctor("--app", app)[1]["mend_all"])
    (made,) = shop.rulesets
    made.enforcement = "evaluate"
    told = doctor("--app", app)[1]
    assert states(told)["main: check"] == "problem"
    note = finding(told, "rulesets")
    assert note["what"].startswith('ruleset "foureyes" is not in force (evaluate)')
    apply(gate, told["mend_all"])
    assert [one.name for one in shop.rulesets] == ["foureyes", "foureyes (2)"]
    del shop.rulesets[1]
    words = shlex.split(note["mend"])
    assert words[2:] == [
        "--hostname", urlsplit(gate.sandbox.url).netloc, "-X", "PUT", f"repos/{SHOP}/rulesets/{made.id}", "-f",
        "enforcement=active",
    ]  # fmt: skip
    gate.as_person("noor", words[5], f"/{words[6]}", dict([words[8].split("=")]))
    assert doctor("--app", app)[1]["good"]


@pytest.mark.parametrize("left_out", [True, False])
def test_a_rule_for_other_branches_and_one_that_leaves_this_out_are_none(gate: Gate, left_out: bool) -> None:
    (ruleset,) = gate.sandbox.world.repositories[SHOP].rulesets
    ruleset.include, ruleset.exclude = (
        (("~ALL",), ("refs/heads/ma*",)) if left_out else (("refs/heads/x*",), ())
    )
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["main: check"] == "problem"


def test_a_job_of_our_name_is_not_taken_for_foureyes(gate: Gate) -> None:
    """Whoever may push can write one, and a rule that is pinned to GitHub's own App lets it in."""
    actions = gate.control("POST", "apps", slug="github-actions", permissions={"checks": "write"})
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    world = gate.sandbox.world
    shop = world.repositories[SHOP]
    with world.lock:
        fields = {"name": "foureyes", "head_sha": gate.pull(number).head, "status": "completed"}
        checks.create(world, shop, world.apps[actions["id"]], fields | {"conclusion": "success"})
    shop.rulesets[0].rules[0]["parameters"]["required_status_checks"][0]["integration_id"] = actions["id"]
    told = doctor()[1]
    assert [one["state"] for one in told["findings"] if one["subject"] == "App"] == ["unknown", "note"]
    assert "whoever may push" in finding(told, "main: check")["what"]
    gate.settle()
    told = doctor()[1]
    assert told["findings"][1]["what"].startswith(
        f"foureyes is the App {gate.sandbox.app.id} here (foureyes)"
    )
    apply(gate, finding(told, "main: check")["mend"])
    assert states(doctor()[1])["main: check"] == "ok"


def test_who_may_push_past_the_older_protections_pull_request_is_named(gate: Gate) -> None:
    shop = gate.sandbox.world.repositories[SHOP]
    shop.rulesets.clear()
    people = gate.as_person("noor", "GET", "/user")
    shop.protection["main"] = {
        "required_status_checks": {"strict": True, "contexts": [], "checks": []},
        "required_pull_request_reviews": {
            "require_code_owner_reviews": True,
            "dismiss_stale_reviews": True,
            "require_last_push_approval": True,
            "required_approving_review_count": 1,
            "bypass_pull_request_allowances": {"users": [people], "teams": [], "apps": []},
        },
        "enforce_admins": {"url": "https://x", "enabled": True},
    }
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    assert finding(told, "main: bypass")["what"].startswith(
        "@noor may bypass branch protection's rule that asks"
    )
    assert states(told)["main: base"] == "problem", "strict asks for nothing where no check is asked for"
    similar = finding(told, "main: pull")["what"]
    for part in ("1 approval", "pushed last", "CODEOWNERS", "dismisses"):
        assert part in similar


def test_what_is_not_seen_ends_with_3_and_promises_nothing(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = str(gate.sandbox.app.id)
    gate.sandbox.world.repositories[SHOP].rulesets.clear()
    apply(gate, doctor("--app", app)[1]["mend_all"])
    ask_as(gate, monkeypatch, "olga")
    code, told = doctor("--app", app)
    assert (code, told["good"]) == (3, False)
    said = CliRunner().invoke(command, [SHOP, "--app", app], standalone_mode=False).output
    assert (
        said.splitlines()[-1]
        == "No problem found, but 3 things could not be seen: an admin's token sees most."
    )


def test_while_the_policy_only_observes_nothing_is_said_to_wait(gate: Gate) -> None:
    policy = 'version: 1\nmode: observe\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.sandbox.world.repositories[SHOP].rulesets.clear()
    app = str(gate.sandbox.app.id)
    apply(gate, doctor("--app", app)[1]["mend_all"])
    said = CliRunner().invoke(command, [SHOP, "--app", app], standalone_mode=False).output
    assert "Merging waits" not in said
    assert said.splitlines()[-1].startswith("The rules are in order. Nothing waits")


def test_a_token_that_sees_no_checks_is_enough_with_the_apps_number(gate: Gate) -> None:
    gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    gate.fault("status", "*/check-runs", status=403)
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["App"] == "ok"


def test_a_404_that_says_no_more_may_hide_the_older_protection(gate: Gate) -> None:
    gate.fault("status", "GET *protection", status=404, message="Not Found")
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    assert finding(told, "main: seen")["what"].startswith("the older branch protection")


def test_a_rule_for_no_check_at_all_brings_nothing_up_to_date(gate: Gate) -> None:
    (ruleset,) = gate.sandbox.world.repositories[SHOP].rulesets
    given = ruleset.rules[0]["parameters"]
    given |= {"required_status_checks": [], "strict_required_status_checks_policy": True}
    assert states(doctor("--app", str(gate.sandbox.app.id))[1])["main: base"] == "problem"


def test_branches_beyond_those_looked_at_are_counted(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = 'version: 1\nbranches: [one, two, three]\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n'
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.push("noor", "one", gate.tip())
    monkeypatch.setattr(foureyes.github_app.doctor, "MOST_BRANCHES", 1)
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    assert finding(told, "branches") == {
        "subject": "branches", "state": "unknown",
        "what": "2 more gated branches and patterns were not looked at", "mend": None,
    }  # fmt: skip


# the findings alone


def test_a_repository_that_is_well_protected_has_nothing_but_good() -> None:
    assert {finding.state for finding in findings(FINE)} == {State.GOOD}


@pytest.mark.parametrize(
    ("rules", "subject", "state"),
    [
        (replace(GOOD, checks=(RequiredCheck("foureyes", 8, "x"),)), "main: check", State.PROBLEM),
        (replace(GOOD, checks=(RequiredCheck("foureyes", -1, "x"),)), "main: check", State.PROBLEM),
        (replace(GOOD, checks=()), "main: check", State.PROBLEM),
        (replace(GOOD, up_to_date=False), "main: base", State.PROBLEM),
        (replace(GOOD, up_to_date=False, queue=True), "main: base", State.GOOD),
        (replace(GOOD, approvals=2), "main: pull", State.GOOD),
        (replace(GOOD, bypasses=(Bypass("@x", "exempt", "y"),)), "main: bypass", State.PROBLEM),
        (replace(GOOD, bypasses=(Bypass("@x", "pull_request", "y"),)), "main: bypass", State.NOTE),
        (replace(GOOD, bypasses=(Bypass("all", "always", "y", True),)), "main: bypass", State.PROBLEM),
        (replace(GOOD, bypasses=(Bypass("all", "pull_request", "y", True),)), "main: bypass", State.NOTE),
        (replace(GOOD, unseen=("a ruleset",)), "main: seen", State.UNKNOWN),
    ],
)
def test_what_each_rule_says(rules: BranchRules, subject: str, state: State) -> None:
    assert of(subject, findings(replace(FINE, branches=(rules,)))).state is state


def test_one_ruleset_for_a_queue_and_for_others_brings_the_others_up_to_date() -> None:
    bare = replace(GOOD, checks=(), up_to_date=False)
    queue, plain = replace(bare, branch="q", is_default=False, queue=True), bare

    def strict(*branches: BranchRules) -> bool:
        body = json.loads(shlex.split(all_at_once(replace(FINE, branches=branches)))[2])
        (rule,) = body["rules"]
        return bool(rule["parameters"]["strict_required_status_checks_policy"])

    assert strict(queue, plain)
    assert strict(plain, queue)
    assert not strict(queue), "a queue brings each up to date by itself"
    assert strict(replace(GOOD, up_to_date=False)), "the check alone is not enough"


def test_a_check_that_is_no_verdict_must_not_be_required() -> None:
    checks = (*GOOD.checks, RequiredCheck("foureyes observe", 7, "x"))
    found = findings(replace(FINE, branches=(replace(GOOD, checks=checks),)))
    assert [f.state for f in found if f.subject == "main: check"] == [State.GOOD, State.PROBLEM]


def test_gh_is_sent_to_the_server_that_was_asked() -> None:
    bare = replace(FINE, branches=(replace(GOOD, checks=()),), actions_approve=True)
    for host, asked in (
        ("github.com", "gh api -X"),
        ("git.acme.example", "gh api --hostname git.acme.example -X"),
    ):
        told = findings(replace(bare, host=host))
        assert f"| {asked} POST repos/{SHOP}/rulesets" in of("main: check", told).mend
        assert of("Actions", told).mend.startswith(f"{asked} PUT repos/{SHOP}/")


def test_no_rule_without_its_app_is_printed() -> None:
    """It would ask for a check that anybody can give."""
    told = findings(replace(FINE, app=None, branches=(replace(GOOD, checks=(), up_to_date=False),)))
    assert [finding.mend for finding in told if finding.subject in ("main: check", "main: base")] == ["", ""]


def test_two_apps_of_one_name_are_a_problem() -> None:
    assert of("App", findings(replace(FINE, app=None, apps_seen=(7, 8)))).state is State.PROBLEM
    unknown = replace(FINE, app=None)
    assert of("main: check", findings(unknown)).state is State.UNKNOWN


def test_the_organisations_floor_is_looked_at_too(gate: Gate) -> None:
    place = "acme/.github"
    floor = 'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers"]\nprotected: ["docs/**"]\n'
    gate.control("POST", "repositories", repository=place, files={".github/foureyes-floor.yml": floor})
    gate.push("noor", "release/1", gate.tip())
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    assert states(told)["floor"] == "ok"
    assert "release/1: check" in states(told), "gated by the floor alone"
    gate.control("POST", "roles", repository=place, login="noor", role="admin")
    broken = gate.change({".github/foureyes-floor.yml": "version: 2\n"}, gate.tip(slug=place))
    gate.push("noor", "main", broken, slug=place)
    told = doctor("--app", str(gate.sandbox.app.id))[1]
    assert states(told)["floor"] == "problem"


def test_a_token_that_is_refused_and_a_name_that_is_wrong_are_told_apart(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def next_step(repository: str) -> str:
        ended = CliRunner().invoke(command, [repository], standalone_mode=False)
        assert isinstance(ended.exception, UserError)
        return ended.exception.next_step

    assert next_step("acme/no-such").startswith("check the name")
    monkeypatch.setenv("GH_TOKEN", "ghp_of_nobody")
    assert next_step(SHOP).startswith("your token was refused")
