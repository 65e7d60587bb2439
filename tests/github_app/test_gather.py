"""Facts of pull requests in which bots, forks, gaps and forged names take part."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate
from support_ssh import make_key

from foureyes.github_app import decisions, pushes, seen, storage, witnessed
from foureyes.shared import facts as pull_facts
from foureyes.shared.facts import Known, MergeState, PullFacts, Unknown
from foureyes.shared.people import Kind
from foureyes.shared.unknown_people import unknown_people

COPILOT = {"login": "Copilot", "id": 198982749, "type": "Bot", "graphql_login": "copilot-swe-agent"}
BOT_ADDRESS = "198982749+Copilot@users.noreply.github.com"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def facts_of(gate: Gate, number: int) -> PullFacts:
    gate.settle()
    with storage.reading(gate.engine) as conn:
        found = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert found is not None
    return pull_facts.load(found.facts)


def with_copilot(gate: Gate) -> None:
    gate.control("POST", "users", **COPILOT)
    gate.control("POST", "roles", repository=SHOP, login="Copilot", role="write")


def test_a_bots_pull_request_names_the_agent_and_who_set_it_to_work(gate: Gate) -> None:
    with_copilot(gate)
    head = gate.change({"infra/network.tf": "x\n"}, author=("Copilot", BOT_ADDRESS))
    number = gate.open("Copilot", "copilot/x", head)
    gate.as_person("rita", "POST", f"/repos/{SHOP}/issues/{number}/assignees", {"assignees": ["sam"]})
    facts = facts_of(gate, number)
    assert facts.pull.author is not None
    assert (facts.pull.author.id, facts.pull.author.kind) == (198982749, Kind.BOT)
    assert isinstance(facts.commits, Known)
    (commit,) = facts.commits.value
    assert any(mark.how == "bot" and mark.evidence for mark in commit.marks)
    assert commit.author.agent
    assert isinstance(facts.involved, Known)
    involved = {(someone.account.login, someone.role) for someone in facts.involved.value}
    assert {("rita", "assigner"), ("sam", "assignee")} <= involved


def test_assignments_of_a_persons_pull_request_tie_nobody(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    gate.as_person("rita", "POST", f"/repos/{SHOP}/issues/{number}/assignees", {"assignees": ["sam"]})
    facts = facts_of(gate, number)
    assert facts.involved == Known(())


def test_co_authors_are_read_from_trailers_wherever_they_stand(gate: Gate) -> None:
    message = (
        "Change\n\n    Co-authored-by: Rita <rita@acme.example>\n\nmore\n\n"
        "Co-Authored-By: Claude <noreply@anthropic.com>\nCo-authored-by: Who <who@nowhere.example>\n"
    )
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}, message=message))
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    (commit,) = facts.commits.value
    by_address = {person.identity.email: person for person in commit.co_authors}
    assert set(by_address) == {"rita@acme.example", "noreply@anthropic.com", "who@nowhere.example"}
    assert by_address["who@nowhere.example"].account is None
    assert by_address["noreply@anthropic.com"].agent == "claude-code"
    assert {mark.agent for mark in commit.marks} == {"claude-code"}
    assert not any(mark.evidence for mark in commit.marks)


def test_a_gap_in_the_webhooks_is_filled_from_the_activity_list(gate: Gate) -> None:
    gate.deaf = True
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}), by="ben")
    gate.deaf = False
    gate.wake(number)
    facts = facts_of(gate, number)
    assert isinstance(facts.pushes, Known)
    assert [(push.head, push.account.login if push.account else "") for push in facts.pushes.value] == [
        (gate.pull(number).head, "olga")
    ]


def test_a_push_of_the_activity_list_counts_as_of_its_own_time(gate: Gate) -> None:
    """Whoever pushed to a long-lived branch before is no part of what it brings now."""
    gate.deaf = True
    gate.push("rita", "develop", gate.change({"docs/x.md": "1\n"}))
    gate.push("noor", "main", gate.tip("develop"))
    number = gate.open("olga", "develop", gate.change({"infra/network.tf": "x\n"}, gate.tip("develop")))
    for done in gate.sandbox.world.repositories[SHOP].activity:
        assert done.actor is not None
        done.timestamp = f"2026-01-0{3 if done.actor.login == 'olga' else 2}T03:04:05Z"
    gate.deaf = False
    gate.wake(number)
    facts = facts_of(gate, number)
    assert isinstance(facts.pushes, Known)
    assert [push.account.login for push in facts.pushes.value if push.account] == ["olga"]
    with storage.reading(gate.engine) as conn:
        home, head = facts.pull.repository.id, facts.pull.head
        at = int(datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC).timestamp() * 1000)
        assert seen.branch_was(conn, home, "develop", at - 1_000) == ""
        assert seen.branch_was(conn, home, "develop", at) == gate.tip()
        assert seen.branch_was(conn, home, "develop", storage.now(conn)) == head


@pytest.mark.parametrize("timestamp", ["2026-01-02", "2026-01-02T03:04:05", "soon", None, 5])
def test_a_push_whose_time_is_not_told_counts_as_of_now(timestamp: object) -> None:
    assert pushes._when({"timestamp": timestamp}, 7) == pushes._when({}, 7) == 7


def test_the_time_of_a_push_is_the_end_of_the_second_that_github_tells() -> None:
    assert pushes._when({"timestamp": "1970-01-01T00:00:02Z"}, 9_000) == 2_999
    assert pushes._when({"timestamp": "1970-01-01T01:00:02.5+01:00"}, 9_000) == 2_999
    assert pushes._when({"timestamp": "1970-01-01T00:00:02Z"}, 2_500) == 2_500, "no clock is ahead of ours"


def test_a_push_that_nobody_can_name_is_an_unknown_person(gate: Gate) -> None:
    gate.deaf = True
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    gate.deaf = False
    gate.fault("status", "GET */activity", status=404, message="Not Found", times=9)
    gate.wake(number)
    facts = facts_of(gate, number)
    assert isinstance(facts.pushes, Known)
    assert isinstance(facts.commits, Known)
    assert facts.pushes.value == ()
    (nobody,) = unknown_people(facts.pull, facts.commits.value, (), ())
    assert nobody.key == f"push {facts.pull.head}"


def test_of_too_many_approvals_the_newest_of_those_who_may_write_are_read(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a long-lived pull request, or any passer-by with an approval for each commit, would keep all from counting."""
    monkeypatch.setattr(witnessed, "MOST_CONTENTS", 1)
    gate.control("POST", "users", login="passer-by")
    first = gate.change({"infra/network.tf": "x\n"})
    number = gate.open("olga", "feat", first)
    gate.review("rita", number)
    gate.push("olga", "feat", gate.change({"infra/network.tf": "y\n"}, first))
    gate.settle()
    for login in ("rita", "sam"):
        gate.review(login, number)
    body = {"event": "APPROVE", "commit_id": first}
    gate.as_person("passer-by", "POST", f"/repos/{SHOP}/pulls/{number}/reviews", body)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_whoever_asked_for_changes_and_is_named_no_more_is_known_from_then(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    for login, event in (
        ("rita", "APPROVE"),
        ("sam", "APPROVE"),
        ("ben", "REQUEST_CHANGES"),
        ("ana", "APPROVE"),
    ):
        gate.review(login, number, event)
    gate.settle()
    for given in gate.pull(number).reviews[2:]:
        given.user = None
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "failure", "ben is on the roster as before"
    facts = facts_of(gate, number)
    assert isinstance(facts.reviews, Known)
    assert [review.account and review.account.id for review in facts.reviews.value] == [2, 3, 4, None]


def test_a_conflict_and_an_unrelated_history_are_known_states(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": "x\n"}))
    gate.push("noor", "main", gate.change({"infra/network.tf": "y\n"}))
    gate.settle()
    gate.wake(number)
    facts = facts_of(gate, number)
    assert isinstance(facts.merge, Known)
    assert facts.merge.value.state is MergeState.CONFLICT


def test_a_dead_git_server_makes_its_facts_unknown_and_no_others(gate: Gate) -> None:
    number = gate.open("olga", "feat", gate.change({"docs/x.md": "x\n"}))
    gate.fault("status", "* /acme/shop.git/*", status=503, times=9)
    facts = facts_of(gate, number)
    for part in (facts.merge, facts.changes, facts.touched, facts.hidden, facts.commits):
        assert isinstance(part, Unknown)
    for known in (facts.reviews, facts.moves, facts.roster, facts.pushes):
        assert isinstance(known, Known)


def test_nothing_is_fetched_where_everything_is_here(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    gate.control("POST", "keys", login="olga", key=key.public_line, kind="signing")
    head = gate.change({"infra/network.tf": "x\n"})
    gate.publish("olga", "feat", head, key=key)
    number = gate.open("olga", "feat", head)
    gate.settle()
    gate.fault("status", "* /acme/shop.git/*", status=503, times=99)
    gate.review("rita", number)
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert isinstance(facts.reviews, Known)
    assert len(facts.reviews.value) == 1


def test_a_merge_commit_that_the_list_of_commits_lacks_is_asked_for(gate: Gate) -> None:
    first = gate.change({"docs/a.md": "x\n"})
    second = gate.change({"docs/b.md": "x\n"})
    number = gate.open("olga", "feat", gate.clone.merge(first, second, author=("Olga", "olga@acme.example")))
    facts = facts_of(gate, number)
    assert isinstance(facts.commits, Known)
    assert len(facts.commits.value) == 3
    assert [commit.mechanical for commit in facts.commits.value].count(True) == 1
    assert not any(commit.merges_base for commit in facts.commits.value)
