"""Decisions are stored with all inputs; replaying finds every change to any of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from support_facts import BEN, HEAD, RITA, SAM, facts, review

from foureyes.github_app import decisions, storage
from foureyes.github_app.decisions import Decision
from foureyes.github_app.replay import command, replay
from foureyes.github_app.settings import sqlite_url
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.errors import UserError
from foureyes.shared.evaluate import VERSION, evaluate
from foureyes.shared.facts import Held, PullFacts, dump, load
from foureyes.shared.policy_text import parse_policy

POLICY = 'version: 1\nroster: ["@acme/reviewers"]\nprotected: ["infra/**", "payments/**"]\n'


def decided(of: PullFacts | None = None, at: int = 1_795_000_000_000, policy: str = POLICY) -> Decision:
    given_facts = of or facts(reviews=(review(RITA), review(SAM)))
    verdict = evaluate(given_facts, parse_policy(policy)).verdict
    return decisions.decide(
        given_facts, verdict, policy=policy, policy_oid="f" * 40, evaluator=VERSION, title="Passed", at=at
    )


def test_what_is_loaded_is_what_was_stored(engine: Engine) -> None:
    made = decided()
    with storage.writing(engine) as conn:
        decisions.store(conn, made)
        decisions.set_check_run(conn, made.id, 4321)
    with storage.reading(engine) as conn:
        assert decisions.load(conn, made.id.lower() + "\n") == replace(made, check_run_id=4321)
        assert decisions.load(conn, "0" * 26) is None


def test_the_latest_decision_of_a_pull_request(engine: Engine) -> None:
    old, new = decided(facts(), at=1000), decided(at=2000)
    with storage.writing(engine) as conn:
        for made in (new, old):
            decisions.store(conn, made)
    with storage.reading(engine) as conn:
        assert decisions.latest(conn, new.repository_id, new.pull) == new
        assert decisions.latest(conn, new.repository_id, new.pull + 1) is None


def test_decisions_that_were_stored_replay_to_the_byte(engine: Engine) -> None:
    all_made = [decided(), decided(facts()), decided(facts(reviews=(review(RITA),)))]
    with storage.writing(engine) as conn:
        for made in all_made:
            decisions.store(conn, made)
    with storage.reading(engine) as conn:
        for made in all_made:
            loaded = decisions.load(conn, made.id)
            assert loaded is not None
            result = replay(loaded)
            assert (result.equal, result.outcome, result.verdict_sha256) == (
                True,
                made.outcome,
                made.verdict_sha256,
            )
    assert [made.outcome for made in all_made] == ["pass", "wait", "wait"]


def test_what_is_only_told_changes_no_byte_of_a_verdict_and_older_decisions_lack_it() -> None:
    now = decided(facts(reviews=(review(RITA), review(SAM)), held=Held("infra/", 548)))
    assert replay(now).equal
    assert now.verdict == decided().verdict
    before = decided().facts.replace(',"held":null', "")
    assert before != decided().facts, "an older version knows nothing of it"
    older = replace(decided(), facts=before, facts_sha256=sha256_hex(before.encode()))
    assert (replay(older).equal, replay(older).verdict_sha256) == (True, now.verdict_sha256)
    newer = now.facts.replace('"held":', '"what_comes_next":')
    assert load(newer) == load(before), "during an upgrade an older version reads what a newer one stored"


def test_ids_sort_by_time_and_are_not_given_twice() -> None:
    ids = [decisions.new_id(at) for at in (0, 1, 1_795_000_000_000, 2**48 - 1)]
    assert ids == sorted(ids)
    assert {len(each) for each in ids} == {26}
    assert len({decisions.new_id(5) for _ in range(100)}) == 100
    assert decisions.new_id(0, lambda n: bytes(n)) == "0" * 26
    assert decisions.new_id(2**48 - 1, lambda n: b"\xff" * n) == "7" + "Z" * 25


def test_flipping_one_stored_fact_is_found_and_named() -> None:
    made = decided()
    flipped = replace(made, facts=made.facts.replace('"can_push":true', '"can_push":false', 1))
    assert flipped.facts != made.facts
    result = replay(flipped)
    assert not result.equal
    assert any("changed after it was stored: facts" in text for text in result.differences)
    assert any(text.startswith("rule two_humans: stored pass") for text in result.differences)


def test_flipping_a_fact_together_with_its_digest_still_differs() -> None:
    made = decided()
    flipped = made.facts.replace('"can_push":true', '"can_push":false', 1)
    result = replay(replace(made, facts=flipped, facts_sha256=sha256_hex(flipped.encode())))
    assert not any("changed after" in text for text in result.differences)
    assert any(text.startswith("rule two_humans: stored pass") for text in result.differences)


CHANGES: dict[str, Callable[[Decision], Decision]] = {
    "a fact that no rule reads": lambda d: replace(
        d, facts=d.facts.replace('"draft":false', '"draft": false')
    ),
    "facts of another time": lambda d: replace(d, facts=dump(facts())),
    "policy": lambda d: replace(d, policy=POLICY.replace("infra", "nowhere")),
    "policy with its digest": lambda d: replace(
        d, policy=(p := POLICY.replace("@acme/reviewers", "@rita")), policy_sha256=sha256_hex(p.encode())
    ),
    "a policy that cannot be read": lambda d: replace(d, policy="version: 2"),
    "verdict": lambda d: replace(d, verdict=d.verdict.replace("pass", "wait", 1)),
    "verdict with its digest": lambda d: replace(
        d, verdict=(v := d.verdict.replace('"pass"', '"wait"', 1)), verdict_sha256=sha256_hex(v.encode())
    ),
    "a verdict that is none": lambda d: replace(d, verdict="[1]"),
    "a verdict of another form": lambda d: replace(d, verdict='{"outcome":"pass"}'),
    "outcome": lambda d: replace(d, outcome="wait"),
    "head": lambda d: replace(d, head="9" * 40),
    "floor": lambda d: replace(d, floor_sha256="9" * 64),
    "pull request": lambda d: replace(d, pull=1),
    "repository": lambda d: replace(d, repository_id=77),
    "repository name": lambda d: replace(d, slug="acme/other"),
    "base": lambda d: replace(d, base_ref="release"),
    "evaluator": lambda d: replace(d, evaluator="0"),
    "facts that are none": lambda d: replace(d, facts="{}"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_to_what_is_stored_is_found(change: Callable[[Decision], Decision]) -> None:
    made = decided()
    changed = change(made)
    assert changed != made
    assert not replay(changed).equal


def test_another_evaluators_decision_is_not_called_equal() -> None:
    made = replace(decided(), evaluator="0.9")
    assert replay(made).differences == (
        f"it was made by evaluator 0.9; this is evaluator {VERSION}, and gives the same verdict",
    )


@given(st.data())
def test_no_byte_of_the_facts_can_change_unseen(data: st.DataObject) -> None:
    made = decided()
    at = data.draw(st.integers(0, len(made.facts) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != made.facts[at]))
    assert not replay(replace(made, facts=made.facts[:at] + other + made.facts[at + 1 :])).equal


@pytest.fixture
def database(tmp_path: Path, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Decision:
    monkeypatch.setenv("FOUREYES_DATABASE_URL", sqlite_engine.url.render_as_string())
    made = decided()
    with storage.writing(sqlite_engine) as conn:
        decisions.store(conn, made)
    return made


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result.output


def test_the_command_replays_by_number(database: Decision) -> None:
    code, said = run(database.id)
    assert code == 0
    assert f"decision {database.id}: acme/shop#412 at {HEAD[:7]}: Passed" in said
    assert "equal: the same facts and policy give pass again, to the byte" in said


def test_an_exported_decision_replays_without_the_database(
    database: Decision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "decision.json"
    assert run(database.id, "--export", str(file))[0] == 0
    monkeypatch.delenv("FOUREYES_DATABASE_URL")
    code, said = run("--file", str(file), "--json")
    assert code == 0
    told = json.loads(said)
    assert told["equal"] is True
    assert told["stored"]["verdict_sha256"] == told["now"]["verdict_sha256"] == database.verdict_sha256


def test_a_policy_with_several_errors_is_one_difference(database: Decision) -> None:
    (policy, told) = replay(replace(database, policy="version: 1\n")).differences
    assert "changed after it was stored: policy" in policy
    assert told.startswith("its policy cannot be read: line 1, column 1: `roster` is missing")
    assert "\n" not in told
    assert "(and 1 more)" in told


def test_another_evaluators_other_verdict_points_to_what_changed(database: Decision) -> None:
    other = replace(database, evaluator="0.9", verdict=database.verdict.replace("pass", "wait", 1))
    assert any(
        said.endswith("CHANGELOG.md tells under Verdicts what changed") for said in replay(other).differences
    )


def test_the_command_says_what_differs_with_exit_code_1(database: Decision, tmp_path: Path) -> None:
    file = tmp_path / "decision.json"
    run(database.id, "--export", str(file))
    data = json.loads(file.read_text())
    data["facts"] = data["facts"].replace(f'"id":{SAM.id},"login":"sam"', f'"id":{BEN.id},"login":"ben"')
    assert data["facts"] != database.facts
    file.write_text(json.dumps(data))
    code, said = run("--file", str(file))
    assert code == 1
    assert "different: changed after it was stored: facts" in said
    code, said = run("--file", str(file), "--json")
    assert (code, json.loads(said)["equal"]) == (1, False)


def test_what_cannot_be_replayed_says_why(
    database: Decision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="there is no decision 01NOPE"):
        run("01NOPE")
    with pytest.raises(UserError, match=r"cannot read .*No such file"):
        run("--file", str(tmp_path / "nowhere.json"))
    odd = tmp_path / "odd.json"
    for text, why in (
        ("{", "is not JSON"),
        ("[]", "not an exported decision"),
        ('{"id": 1}', "not an exported decision"),
    ):
        odd.write_text(text)
        with pytest.raises(UserError, match=why):
            run("--file", str(odd))
    whole = {**decisions.to_json(database), "pull": "412"}
    odd.write_text(json.dumps(whole))
    with pytest.raises(UserError, match="pull has a surprising value"):
        run("--file", str(odd))
    with pytest.raises(UserError, match="cannot write"):
        run(database.id, "--export", str(tmp_path / "no" / "folder"))
    nowhere = tmp_path / "nowhere.sqlite3"
    monkeypatch.setenv("FOUREYES_DATABASE_URL", sqlite_url(nowhere))
    with pytest.raises(UserError, match="there is no database"):
        run(database.id)
    assert not nowhere.exists(), "asking must not make one"
