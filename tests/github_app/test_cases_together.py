"""Others of the kind of the gate's cases in which several settings meet, or the policy changes under an approval."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app.sandbox import pulls

ROSTER = 'roster: ["@acme/engineers", "@acme/reviewers", "@rita-home"]'
POLICY = f'version: 1\n{ROSTER}\nprotected: ["infra/**"]\n'
FLOOR = ".github/foureyes-floor.yml"
PLACE = "acme/.github"


def started(folder: Path) -> Iterator[Gate]:
    with running_gate(folder) as gate:
        gate.control("POST", "users", login="rita-home")
        gate.control("POST", "roles", repository=SHOP, login="rita-home", role="write")
        yield gate


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    yield from started(tmp_path_factory.mktemp("together"))


@pytest.fixture(scope="module")
def below_a_floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    for gate in started(tmp_path_factory.mktemp("floor")):
        gate.control("POST", "repositories", repository=PLACE, files={"README.md": "acme\n"})
        gate.control("POST", "roles", repository=PLACE, login="noor", role="admin")
        yield gate


@pytest.fixture
def branch(request: pytest.FixtureRequest) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in request.node.name)


def policy(gate: Gate, more: str = "", text: str = POLICY) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": text + more}))
    gate.settle()


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def close(gate: Gate, number: int) -> None:
    """What is left open would be judged again with every push of the next."""
    gate.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "closed"})
    gate.settle()


# the policy changes under a success


@pytest.mark.parametrize(
    "later",
    ["aliases: {rita: [sam]}", "machine_users: [sam]", "tiers: {1: {ai: 3, unattested: 3}}"],
    ids=["one person", "no person", "more people"],
)
def test_near_G28_another_policy_takes_a_success_back_at_once(gate: Gate, branch: str, later: str) -> None:
    policy(gate)
    number = gate.open("olga", branch, infra(gate))
    assert gate.approve(number, "rita", "sam") == "success"
    policy(gate, f"{later}\n")
    assert gate.verdict(number) == "in_progress"
    close(gate, number)


def test_near_G5_a_path_that_is_protected_later(gate: Gate, branch: str) -> None:
    policy(gate)
    number = gate.open("olga", branch, gate.change({"docs/x.md": "x\n"}))
    gate.settle()
    assert gate.verdict(number) == "success"
    policy(gate, text=POLICY.replace('"infra/**"', '"infra/**", "docs/**"'))
    assert gate.verdict(number) == "in_progress"
    close(gate, number)


def test_near_G33_a_draft_that_becomes_ready_and_a_draft_again(gate: Gate, branch: str) -> None:
    """Approvals that were given meanwhile stand; the success does not."""
    policy(gate)
    number = gate.open("olga", branch, infra(gate))
    found = [gate.approve(number, "rita", "sam")]
    world = gate.sandbox.world
    olga = world.user("olga")
    assert olga is not None
    for draft in (True, False):
        with world.lock:
            pulls.set_draft(world, gate.pull(number), olga, draft)
        gate.settle()
        found.append(gate.verdict(number))
    assert found == ["success", "in_progress", "success"]
    close(gate, number)


# below the organisation's floor


@pytest.mark.parametrize(
    ("below", "floor", "approvals"),
    [
        ("mode: observe", "", ["ben"]),
        ("squash_only: true", "", []),
        ("", "aliases: {rita: [rita-home]}", ["rita", "rita-home"]),
        ("", "machine_users: [rita]", ["rita", "sam"]),
        ('branches: ["release/*"]', 'branches: ["next/*"]', ["ben"]),
    ],
    ids=["observes", "looks at the net change alone", "knows no alias", "knows no machine", "gates other branches"],
)  # fmt: skip
def test_near_G60_what_the_floor_alone_says_holds(
    below_a_floor: Gate, branch: str, below: str, floor: str, approvals: list[str]
) -> None:
    gate = below_a_floor
    gate.push("noor", "main", gate.change({FLOOR: f"{POLICY}{floor}\n"}, gate.tip(slug=PLACE)), slug=PLACE)
    policy(gate, f"{below}\n")
    gate.push("noor", "next/1", gate.tip())
    gate.settle()
    before = str(gate.files(gate.tip())["infra/network.tf"][1])
    head = infra(gate, text=f"{branch}\n")
    if "squash" in below:
        head = gate.change({"infra/network.tf": ("100644", before)}, head)
    number = gate.open("olga", branch, head, base="next/1" if "branches" in below else "main")
    gate.settle()
    assert gate.approve(number, *approvals) == "in_progress"
    close(gate, number)
