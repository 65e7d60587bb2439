"""A retarget voids approvals (G33), but not those on a stack whose base has landed by a Pass: the change is the same."""

from collections.abc import Iterator

import pytest
from support_gate import SHOP, Gate, running_gate


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running_gate(tmp_path_factory.mktemp("stacks")) as gate:
        yield gate


def stacked(gate: Gate, name: str) -> tuple[int, int]:
    """One pull request into main, and one on top of it into its branch, approved by two."""
    below = gate.open("olga", f"{name}-a", gate.change({f"infra/{name}-a.tf": "x\n"}))
    head = gate.change({f"infra/{name}-b.tf": "x\n"}, gate.pull(below).head)
    above = gate.open("olga", f"{name}-b", head, base=f"{name}-a")
    gate.approve(above, "rita", "sam")
    assert gate.runs(head) == []
    return below, above


def merge(gate: Gate, login: str, number: int, method: str = "merge") -> None:
    body = {"merge_method": method}
    gate.as_person(login, "PUT", f"/repos/{SHOP}/pulls/{number}/merge", body)
    gate.settle()


def retarget(gate: Gate, number: int) -> str:
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"base": "main"})
    gate.settle()
    return gate.verdict(number)


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_approvals_stand_where_the_base_landed_by_a_pass(gate: Gate, method: str) -> None:
    below, above = stacked(gate, method)
    gate.approve(below, "rita", "sam")
    merge(gate, "rita", below, method)
    assert retarget(gate, above) == "success", gate.check(above).summary
    gate.push("olga", f"{method}-b", gate.change({f"infra/{method}-b.tf": "y\n"}, gate.pull(above).head))
    gate.settle()
    assert gate.verdict(above) == "in_progress"


def test_they_do_not_where_it_came_past_the_gate(gate: Gate) -> None:
    below, above = stacked(gate, "past")
    gate.settle()
    merge(gate, "noor", below)
    assert retarget(gate, above) == "in_progress"
    assert "approved for `past-a`, this now goes to `main`" in (gate.check(above).summary or "")


def test_they_do_not_where_it_has_not_landed(gate: Gate) -> None:
    _below, above = stacked(gate, "open")
    assert retarget(gate, above) == "in_progress"
    assert "approved for `open-a`" in (gate.check(above).summary or "")
