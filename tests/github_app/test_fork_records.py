"""Records of pull requests from forks (P25, G34): read in the fork, worth something for its own pull requests alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate
from support_git import git
from support_ssh import KeyFile, make_key

from foureyes.github_app import alerts, decisions, storage, tables
from foureyes.github_app.alerts import Kind
from foureyes.shared import facts as pull_facts
from foureyes.shared.facts import AgentMark, Known, PullFacts, RecordFact, RecordState
from foureyes.shared.others_notes import GIT_AI
from foureyes.shared.record_ref import record_ref

FORK = "kim/shop"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.control("POST", "repositories", repository=FORK, fork_of=SHOP)
        yield gate


@pytest.fixture
def key(gate: Gate, tmp_path: Path) -> KeyFile:
    made = make_key(tmp_path)
    body = {"login": "kim", "key": made.public_line, "kind": "signing", "created_at": "2020-01-01T00:00:00Z"}
    gate.control("POST", "keys", **body)
    return made


def infra(gate: Gate, **options: object) -> str:
    return gate.change({"infra/network.tf": "changed\n"}, author=("Kim", "kim@acme.example"), **options)


def in_fork(gate: Gate, branch: str, commit: str, **options: object) -> None:
    """A record in the fork's own record ref."""
    shop = gate.sandbox.world.repositories[SHOP]
    before = shop.git.refs("refs/foureyes/")
    gate.publish("kim", branch, commit, **options)  # type: ignore[arg-type]
    tip = git(shop.git.path, "rev-parse", record_ref(branch))
    gate.push("kim", record_ref(branch), tip, slug=FORK)
    if record_ref(branch) not in before:
        git(shop.git.path, "update-ref", "-d", record_ref(branch))


def opened(gate: Gate, head: str, branch: str = "feat") -> int:
    gate.push("kim", branch, head, slug=FORK)
    body = {"title": "t", "head": f"kim:{branch}", "base": "main", "body": ""}
    number = int(gate.as_person("kim", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.settle()
    return number


def unheard(gate: Gate, head: str) -> int:
    """Opened, and not looked at yet."""
    gate.deaf = True
    number = opened(gate, head)
    gate.deaf = False
    return number


def facts_of(gate: Gate, number: int) -> PullFacts:
    with storage.reading(gate.engine) as conn:
        made = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert made is not None
    return pull_facts.load(made.facts)


def record_of(gate: Gate, number: int) -> RecordFact:
    commits = facts_of(gate, number).commits
    assert isinstance(commits, Known)
    return commits.value[-1].record


def marks_of(gate: Gate, number: int) -> list[AgentMark]:
    commits = facts_of(gate, number).commits
    assert isinstance(commits, Known)
    return list(commits.value[-1].marks)


def look(gate: Gate, number: int) -> None:
    gate.wake(number)
    gate.settle()


def test_who_pushed_to_a_fork_is_not_forgotten_with_it(gate: Gate) -> None:
    """No webhook tells of a push to a fork; GitHub's activity list does, as long as the fork is there."""
    gate.push("kim", "feat", infra(gate), slug=FORK)
    body = {"title": "t", "head": "kim:feat", "base": "main", "body": ""}
    number = int(gate.as_person("ben", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.settle()
    told = facts_of(gate, number).pushes
    assert isinstance(told, Known)
    assert [push.account.login for push in told.value if push.account] == ["kim"]
    gate.control("DELETE", "repositories", repository=FORK)
    look(gate, number)
    gone = facts_of(gate, number)
    assert (gone.pushes, gone.elsewhere) == (told, Known(()))
    look(gate, number)
    assert facts_of(gate, number).pushes == told


def test_P25_a_forks_signed_record_arrives_and_outlives_the_fork(gate: Gate, key: KeyFile) -> None:
    head = infra(gate)
    in_fork(gate, "feat", head, key=key, operator="rita")
    number = opened(gate, head)
    assert record_of(gate, number).state is RecordState.SIGNED
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "@rita ran Claude Code for its only commit" in (gate.check(number).summary or "")
    git(gate.sandbox.world.repositories[FORK].git.path, "update-ref", "-d", record_ref("feat"))
    look(gate, number)
    with storage.reading(gate.engine) as conn:
        told = [one for one in alerts.listed(conn) if one.kind == Kind.RECORD]
    assert [(one.commit, one.ref) for one in told] == [(head, "refs/heads/kim:feat")]
    assert record_of(gate, number).state is RecordState.SIGNED
    gate.control("DELETE", "repositories", repository=FORK)
    look(gate, number)
    assert record_of(gate, number).state is RecordState.SIGNED, "what was seen is kept"
    assert "@rita ran Claude Code for its only commit" in (gate.check(number).summary or "")


def test_a_note_in_a_fork_counts_for_its_pull_request_and_outlives_the_fork(gate: Gate) -> None:
    head = infra(gate)
    about = {"schema_version": "authorship/3.0.0", "sessions": {"s_1": {"agent_id": {"tool": "cursor"}}}}
    note = f"infra/network.tf\n  s_1::t_1 1\n---\n{json.dumps(about)}"
    gate.push("kim", GIT_AI, gate.clone.commit({head: note}), slug=FORK)
    number = opened(gate, head)
    assert marks_of(gate, number) == [AgentMark("cursor", "note")]
    gate.control("DELETE", "repositories", repository=FORK)
    look(gate, number)
    assert marks_of(gate, number) == [AgentMark("cursor", "note")]
    own = gate.open("olga", "feat", head)
    gate.settle()
    assert marks_of(gate, own) == [], "a stranger's note says nothing about a branch of ours"


def test_G34_without_the_fork_there_is_no_record_and_the_text_says_why(gate: Gate, key: KeyFile) -> None:
    head = infra(gate)
    in_fork(gate, "feat", head, key=key)
    number = unheard(gate, head)
    gate.control("DELETE", "repositories", repository=FORK)
    look(gate, number)
    assert record_of(gate, number).state is RecordState.MISSING
    assert "no record (the fork is gone, or the App may not read it)" in (gate.check(number).summary or "")
    assert gate.verdict(number) == "in_progress"


def test_a_fork_that_does_not_answer_is_tried_again(gate: Gate, key: KeyFile) -> None:
    head = infra(gate)
    in_fork(gate, "feat", head, key=key)
    number = unheard(gate, head)
    gate.fault("status", "* /kim/shop.git/*", status=503, times=9)
    look(gate, number)
    assert record_of(gate, number).state is RecordState.MISSING
    assert "those of the fork kim/shop could not be read" in (gate.check(number).summary or "")
    gate.sandbox.world.faults.clear()
    look(gate, number)
    assert record_of(gate, number).state is RecordState.SIGNED


def test_a_forks_record_says_nothing_about_the_same_commit_on_a_branch_of_ours(gate: Gate) -> None:
    """Else a stranger could take reviewers out of anybody's pull request."""
    head = gate.change({"infra/network.tf": "changed\n"})
    own = gate.open("olga", "feat", head)
    in_fork(gate, "steal", head, operator="rita")
    theirs = opened(gate, head, "steal")
    look(gate, own)
    assert record_of(gate, theirs).operator_claim == "rita"
    with storage.reading(gate.engine) as conn:
        made = decisions.latest(conn, gate.pull(own).repository.id, own)
    assert made is not None
    assert "rita" not in made.facts.partition('"roster"')[0]


def test_records_for_other_commits_are_not_taken(gate: Gate, key: KeyFile) -> None:
    head = infra(gate)
    in_fork(gate, "feat", gate.change({"docs/x.md": "x\n"}), key=key)
    number = opened(gate, head)
    assert record_of(gate, number).state is RecordState.MISSING
    with storage.reading(gate.engine) as conn:
        assert conn.execute(tables.record_seen.select()).all() == []


@pytest.mark.parametrize("listed", [True, False])
def test_who_pushed_to_the_fork_before_there_was_a_pull_request_is_read_in_the_fork(
    gate: Gate, listed: bool
) -> None:
    """No webhook tells. Where the fork's list cannot be read either, one more approval stands in for that person."""
    if not listed:
        gate.fault("status", "GET /api/v3/repos/kim/shop/activity", status=404, message="Not Found", times=9)
    number = opened(gate, infra(gate))
    for login in ("rita", "sam"):
        gate.review(login, number)
    gate.settle()
    assert gate.verdict(number) == ("success" if listed else "in_progress")
    unknown = "**Not known:** who pushed" in (gate.check(number).summary or "")
    assert unknown is not listed
