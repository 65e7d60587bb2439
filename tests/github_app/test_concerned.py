"""A push to a gated branch: who is looked at again, and who need not be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import Gate, running_gate

from foureyes.github_app.lanes import Done
from foureyes.shared.evaluate import VERSION

NETWORK = 'resource "network" "main" {\n  range = "10.0.0.0/8"\n}\n'
OTHER_PART = '# ours\n\n\n\nresource "network" "main" {\n  range = "10.0.0.0/16"\n}\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def opened(gate: Gate) -> int:
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": NETWORK}))
    gate.settle()
    return number


def woken(gate: Gate, oid: str, ref: str = "main") -> list[str]:
    """Heads that a push to the branch wakes."""
    gate.settle()
    gate.outcomes.clear()
    gate.push("noor", ref, oid)
    gate.settle()
    return [lane.head for done in gate.outcomes if isinstance(done, Done) for lane in done.wake]


def test_a_push_of_other_files_concerns_nobody(gate: Gate) -> None:
    opened(gate)
    assert woken(gate, gate.change({"docs/other.md": "x\n"})) == []
    assert woken(gate, gate.change({"infra/storage.tf": "x\n"})) == []


def test_a_push_to_the_same_file_concerns_the_pull_request(gate: Gate) -> None:
    number = opened(gate)
    assert woken(gate, gate.change({"infra/network.tf": OTHER_PART})) == [gate.pull(number).head]


def test_a_push_that_conflicts_concerns_the_pull_request_and_so_does_the_one_that_mends_it(
    gate: Gate,
) -> None:
    number = opened(gate)
    before = gate.files(gate.tip())["infra/network.tf"]
    assert woken(gate, gate.change({"infra/network.tf": "all new\n"})) == [gate.pull(number).head]
    assert gate.verdict(number) == "failure"
    assert woken(gate, gate.change({"infra/network.tf": before})) == [gate.pull(number).head]
    assert gate.verdict(number) == "in_progress"


def test_a_push_of_one_of_its_commits_concerns_the_pull_request(gate: Gate) -> None:
    first = gate.change({"infra/network.tf": NETWORK})
    number = gate.open("olga", "feat", gate.change({"infra/storage.tf": "x\n"}, first))
    assert woken(gate, first) == [gate.pull(number).head]


def test_another_policy_concerns_everyone(gate: Gate) -> None:
    number = opened(gate)
    policy = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["docs/**"]\n'
    assert woken(gate, gate.change({".github/foureyes.yml": policy})) == [gate.pull(number).head]
    assert gate.verdict(number) == "success"


def test_a_policy_that_cannot_be_read_concerns_everyone(gate: Gate) -> None:
    number = opened(gate)
    assert woken(gate, gate.change({".github/foureyes.yml": "version: 9\n"})) == [gate.pull(number).head]


def test_who_was_never_judged_is_concerned(gate: Gate) -> None:
    gate.deaf = True
    number = gate.open("olga", "feat", gate.change({"infra/network.tf": NETWORK}))
    gate.deaf = False
    assert woken(gate, gate.change({"docs/other.md": "x\n"})) == [gate.pull(number).head]


def test_who_was_judged_by_another_evaluator_is_concerned(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = opened(gate)
    monkeypatch.setattr("foureyes.github_app.concerned.VERSION", f"{VERSION}+1")
    assert woken(gate, gate.change({"docs/other.md": "x\n"})) == [gate.pull(number).head]


def test_pull_requests_into_branches_that_are_not_gated_are_nobodys_business(gate: Gate) -> None:
    gate.push("olga", "topic", gate.tip())
    gate.open("olga", "feat", gate.change({"infra/network.tf": NETWORK}), base="topic")
    assert woken(gate, gate.change({"docs/other.md": "x\n"})) == []


def test_a_success_does_not_outlive_that_its_branch_was_gated(gate: Gate) -> None:
    """Another branch is the default one: the pull request's own is none that the policy protects any more."""
    number = gate.open("olga", "text", gate.change({"docs/text.md": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.push("noor", "trunk", gate.tip())
    gate.settle()
    gate.control("POST", "default-branch", repository="acme/shop", branch="trunk")
    gate.settle()
    assert gate.verdict(number) == "cancelled"
    gate.control("POST", "default-branch", repository="acme/shop", branch="main")
    gate.settle()
    assert gate.verdict(number) == "success"


def test_a_release_branch_concerns_only_those_into_it(gate: Gate) -> None:
    policy = (
        'version: 1\nbranches: ["release/*"]\nroster: ["@acme/engineers", "@acme/reviewers"]\n'
        'protected: ["infra/**"]\n'
    )
    gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    gate.push("noor", "release/1", gate.tip())
    opened(gate)
    number = gate.open("olga", "fix", gate.change({"infra/network.tf": NETWORK}), base="release/1")
    gate.settle()
    assert woken(gate, gate.change({"docs/other.md": "x\n"}), "release/1") == []
    assert woken(gate, gate.change({"infra/network.tf": OTHER_PART}, gate.tip("release/1")), "release/1") == [
        gate.pull(number).head
    ]


def test_what_does_not_concern_it_costs_a_pull_request_no_call(gate: Gate) -> None:
    opened(gate)
    gate.settle()
    gate.forget_calls()
    gate.push("noor", "main", gate.change({"docs/other.md": "x\n"}))
    gate.settle()
    # the branch's own two lanes: the ground for each, the list, and where the commit came from, and the alert's check
    assert gate.calls["graphql"] <= 4
    assert not any("check-runs" in path and path.startswith("PATCH") for path in gate.paths)


def test_when_the_mirror_fails_everyone_is_concerned(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    from foureyes.github_app import concerned
    from foureyes.github_app.mirror import GitError, Trouble

    def fail(*_: object) -> frozenset[str]:
        raise GitError(Trouble.NETWORK, "no network")

    number = opened(gate)
    monkeypatch.setattr(concerned, "bring", fail)
    assert woken(gate, gate.change({"docs/other.md": "x\n"})) == [gate.pull(number).head]
