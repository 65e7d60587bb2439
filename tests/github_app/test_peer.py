"""The wrong decisions that were measured at a peer (reference S1 to S18) where a history matters: ours, end to end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def approved(gate: Gate, number: int, *logins: str) -> None:
    for login in logins or ("rita", "sam"):
        gate.review(login, number)
    gate.settle()


def test_S1_a_commit_that_was_known_before_the_approvals_arrives_after_them(gate: Gate) -> None:
    """Its dates and its first push are older than the approvals; its arrival here is not."""
    first = infra(gate)
    later = infra(gate, first, text="slipped in\n")
    gate.push("olga", "elsewhere", later)
    number = gate.open("olga", "feat", first)
    approved(gate, number)
    assert gate.verdict(number) == "success"
    gate.push("olga", "feat", later)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_S2_a_force_push_back_to_a_head_that_nobody_approved(gate: Gate) -> None:
    old = infra(gate, text="first try\n")
    number = gate.open("olga", "feat", old)
    gate.settle()
    gate.push("olga", "feat", infra(gate, old, text="second try\n"))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    gate.push("olga", "feat", old)
    gate.settle()
    assert gate.verdict(number) == "in_progress"


@pytest.mark.parametrize("stale", ["change", "protected", "head"])
def test_S3_a_side_branch_that_looks_like_an_update_of_the_base(gate: Gate, stale: str) -> None:
    tiers = f"tiers: {{1: {{stale: {stale}}}}}\n"
    gate.push("noor", "main", gate.change({".github/foureyes.yml": POLICY + tiers}))
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    head = gate.pull(number).head
    side = gate.change({"infra/storage.tf": "never reviewed\n"}, gate.tip())
    gate.push("olga", "side", side)
    gate.push("olga", "feat", gate.clone.merge(head, side, author=("Olga", "olga@acme.example")))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_S4_who_wrote_what_came_through_a_second_parent_does_not_count(gate: Gate) -> None:
    first = infra(gate)
    side = gate.change({"infra/storage.tf": "by rita\n"}, author=("Rita", "rita@acme.example"))
    number = gate.open("olga", "feat", gate.clone.merge(first, side, author=("Olga", "olga@acme.example")))
    approved(gate, number)
    assert gate.verdict(number) == "in_progress"
    approved(gate, number, "ben")
    assert gate.verdict(number) == "success"


def test_S6_a_dismissed_request_for_changes_revives_nothing(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    asked = gate.review("rita", number, "REQUEST_CHANGES")
    gate.settle()
    assert gate.verdict(number) == "failure"
    path = f"/repos/{SHOP}/pulls/{number}/reviews/{asked}/dismissals"
    gate.as_person("noor", "PUT", path, {"message": "settled"})
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "1 of 2" in (gate.check(number).title or "")


def test_S9_a_group_of_the_merge_queue_without_approvals_gets_no_success(gate: Gate) -> None:
    """Nothing green is on the head, and nothing green is published on the commit that the queue made."""
    number = gate.open("olga", "feat", infra(gate))
    gate.settle()
    group = gate.clone.merge(gate.tip(), gate.pull(number).head, author=("GitHub", "noreply@github.com"))
    gate.push("noor", f"gh-readonly-queue/main/pr-{number}-{gate.tip()}", group)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert all(run.conclusion != "success" for run in gate.runs(group))


def test_S13_a_retarget_is_judged_at_once_and_voids_the_approvals(gate: Gate) -> None:
    """Also G33."""
    gate.push("noor", "main", gate.change({".github/foureyes.yml": POLICY + 'branches: ["release/*"]\n'}))
    gate.push("noor", "release/1", gate.tip())
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"base": "release/1"})
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "approved for `main`" in (gate.check(number).summary or "")
    approved(gate, number)
    assert gate.verdict(number) == "success"


def test_S15_a_second_pull_request_with_the_head_takes_the_success_of_the_first_away(gate: Gate) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": POLICY + 'branches: ["release/*"]\n'}))
    gate.push("noor", "release/1", gate.tip())
    number = gate.open("olga", "feat", infra(gate))
    approved(gate, number)
    assert gate.verdict(number) == "success"
    body = {"title": "t", "head": "feat", "base": "release/1", "body": ""}
    second = int(gate.as_person("olga", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.settle()
    assert gate.verdict(number) == gate.verdict(second) == "in_progress"
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{second}", {"state": "closed"})
    gate.settle()
    assert gate.verdict(number) == "success"
