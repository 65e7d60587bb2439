"""Gate cases about what is changed and what happens around it, end to end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app import decisions, storage, tables
from foureyes.github_app.mirror import Mirror
from foureyes.shared import facts as pull_facts
from foureyes.shared.facts import Known

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def policy(gate: Gate, text: str) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": text}))
    gate.settle()


def decisions_on(gate: Gate, number: int) -> int:
    with storage.reading(gate.engine) as conn:
        table = tables.decision
        return len(conn.execute(table.select().where(table.c.pull == number)).all())


@pytest.mark.parametrize(
    "path",
    [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".github/workflows/new.yml",
     ".github/actions/x/action.yml", ".husky/pre-commit", "lefthook.yml", ".pre-commit-config.yaml",
     "deep/down/.gitattributes", ".gitmodules"],
)  # fmt: skip
def test_G29_what_guards_the_gate_is_protected_without_being_named(gate: Gate, path: str) -> None:
    number = gate.open("olga", "feat", gate.change({path: "x\n"}))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G32_a_mass_deletion_is_counted_to_the_line(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """28,745 lines in 340 files: 84 lines in each, and the rest in the last one."""
    counted = []
    files_below = Mirror.files_below

    def count(mirror: Mirror, tree: str, directory: bytes) -> int:
        counted.append(directory)
        return files_below(mirror, tree, directory)

    monkeypatch.setattr(Mirror, "files_below", count)
    files = {f"infra/service/{n:03}.tf": "line\n" * 84 for n in range(339)}
    files["infra/service/339.tf"] = "line\n" * (28_745 - 339 * 84)
    base = gate.change(files)
    gate.push("noor", "main", base)
    number = gate.open("olga", "feat", gate.change(dict.fromkeys(files), base))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    said = "**Destroys:** 28,745 lines and 340 whole files (all of `infra/service/`); adds 0 lines."
    assert said in (gate.check(number).summary or "")
    with storage.reading(gate.engine) as conn:
        found = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert found is not None
    changes = pull_facts.load(found.facts).changes
    assert isinstance(changes, Known)
    assert (len(changes.value), sum(c.deleted for c in changes.value)) == (340, 28_745)
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"
    assert counted == [b"infra/service/"], "a review asks git nothing again"


def test_G62_squash_only_looks_at_the_net_change_alone(gate: Gate) -> None:
    """Without it, tests/github_app/test_judge.py."""
    policy(gate, POLICY + "squash_only: true\n")
    there = infra(gate)
    back = gate.change({"infra/network.tf": gate.files(gate.tip())["infra/network.tf"]}, there)
    number = gate.open("olga", "feat", back)
    gate.settle()
    assert gate.verdict(number) == "success"


def test_G63_a_link_in_the_place_of_a_protected_folder(gate: Gate) -> None:
    link = gate.clone.blob("docs")
    files = {path: None for path in gate.files(gate.tip()) if path.startswith("infra/")}
    number = gate.open("olga", "feat", gate.change({**files, "infra": ("120000", link)}))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    number = gate.open("olga", "other", gate.change({"payments": ("120000", link)}))
    policy(gate, POLICY.replace("infra/**", "payments/**"))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress", "where nothing stood before, too"


def test_G36_a_webhook_that_comes_a_hundred_times_makes_one_state(gate: Gate) -> None:
    heard: list[tuple[str, object]] = []
    first = gate.hear

    def twice(event: str, payload: object) -> None:
        heard.append((event, payload))
        first(event, payload)

    gate.hear = twice  # type: ignore[method-assign]
    number = gate.open("olga", "feat", infra(gate))
    gate.settle()
    made, runs = decisions_on(gate, number), len(gate.runs(gate.pull(number).head))
    event, payload = next(one for one in heard if one[0] == "pull_request")
    for _ in range(100):
        first(event, payload)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert (decisions_on(gate, number), len(gate.runs(gate.pull(number).head))) == (made, runs) == (1, 1)


def test_G40_run_again_by_the_operator_gives_the_same_verdict(gate: Gate) -> None:
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita")
    before = gate.check(number)
    state = (before.id, before.status, before.conclusion, before.title, before.summary)
    asked = len(gate.paths)
    gate.control("POST", "click", repository=SHOP, check_run=before.id, login="olga")
    gate.settle()
    assert len(gate.paths) > asked, "it was looked at again"
    after = gate.check(number)
    assert (after.id, after.status, after.conclusion, after.title, after.summary) == state
