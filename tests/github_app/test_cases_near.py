"""Others of the kind of the gate's cases, end to end on one server: the name says which case each is near."""

from collections.abc import Iterator

import pytest
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app import records
from foureyes.shared.record_ref import record_ref

POLICY = """\
version: 1
branches: ["release/*"]
roster: ["@acme/engineers", "@acme/reviewers", "@olga-work", "@rita-home"]
aliases: {olga: [olga-work], rita: [rita-home]}
systems:
  infra: {paths: ["infra/**"], tier: 1}
  vendor: {paths: ["vendor/**"], tier: 1}
  ledger: {paths: ["ledger/**"], tier: 0}
tiers: {0: {owner: false, stale: head}}
"""
FILES = {
    ".github/foureyes.yml": POLICY, "infra/network.tf": "range = 16\n", "infra/storage.tf": "size = 1\n",
    "ledger/book.py": "rows = []\n", "docs/handbook.md": "# Handbook\n",
}  # fmt: skip
OLGA, RITA, SAM = (
    ("Olga", "olga@acme.example"),
    ("Rita", "rita@acme.example"),
    ("Sam", "sam@acme.example"),
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running_gate(tmp_path_factory.mktemp("near")) as gate:
        for login in ("olga-work", "rita-home"):
            gate.control("POST", "users", login=login)
            gate.control("POST", "roles", repository=SHOP, login=login, role="write")
        gate.push("noor", "main", gate.clone.commit(FILES))
        gate.settle()
        yield gate


@pytest.fixture
def branch(request: pytest.FixtureRequest) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in request.node.name)


@pytest.fixture(autouse=True)
def none_left_open(gate: Gate) -> Iterator[None]:
    """What a test leaves open would be judged again with every push of the next."""
    yield
    for number, pull in gate.sandbox.world.repositories[SHOP].pulls.items():
        if pull.is_open:
            gate.as_person("noor", "PATCH", f"/repos/{SHOP}/pulls/{number}", {"state": "closed"})
    gate.settle()


def title(gate: Gate, number: int) -> str:
    return gate.check(number).title or ""


def summary(gate: Gate, number: int) -> str:
    return gate.check(number).summary or ""


def infra(gate: Gate, *parents: str, text: str = "range = 8\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


# people


def test_near_G3_the_operators_other_account_approves(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, infra(gate))
    assert gate.approve(number, "olga-work", "ben") == "in_progress"
    assert "1 of 2" in title(gate, number)
    assert gate.approve(number, "sam") == "success"


def test_near_G3_the_other_account_opened_it_and_the_first_approves(gate: Gate, branch: str) -> None:
    number = gate.open("olga-work", branch, infra(gate, author=("O", "olga-work@acme.example")))
    assert gate.approve(number, "olga", "ben") == "in_progress"
    assert "1 of 2" in title(gate, number)


def test_near_G19_one_account_of_a_person_asks_for_changes(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, infra(gate))
    assert gate.approve(number, "rita", "sam") == "success"
    gate.review("rita-home", number, "REQUEST_CHANGES")
    gate.settle()
    assert gate.verdict(number) == "failure"


def test_near_G19_somebody_off_the_roster_asks_for_changes(gate: Gate, branch: str) -> None:
    if gate.sandbox.world.user("passer-by") is None:
        gate.control("POST", "users", login="passer-by")
    number = gate.open("olga", branch, infra(gate))
    gate.review("passer-by", number, "REQUEST_CHANGES")
    assert gate.approve(number, "rita", "sam") == "success", "they are heard, and hold nobody up"


@pytest.mark.parametrize("key", ["Co-authored-by", "Co-developed-by"])
def test_near_G11_a_co_author_in_the_trailers(gate: Gate, branch: str, key: str) -> None:
    text = f"Widen\n\n{key}: Sam <sam@acme.example>\n"
    number = gate.open("olga", branch, infra(gate, message=text))
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert "@sam" in summary(gate, number)
    assert gate.approve(number, "ben") == "success"


def test_near_G12_who_pushed_the_head_that_it_was_opened_with(gate: Gate, branch: str) -> None:
    """Olga makes one commit of her own of it, and pushes rita's away."""
    gate.push("rita", branch, infra(gate, author=RITA))
    gate.settle()
    number = gate.open("olga", branch, gate.tip(branch))
    gate.pull(
        number
    ).created_at = "2999-01-01T00:00:00Z"  # later than her push, which the sandbox's seconds may hide
    gate.settle()
    gate.push("olga", branch, infra(gate, message="mine"))
    gate.settle()
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert "@rita pushed to it" in summary(gate, number)
    assert gate.approve(number, "ben") == "success"


def test_near_G12_somebody_else_carries_a_forged_commit(gate: Gate, branch: str) -> None:
    """Rita's own, in olga's name; ben makes his branch from it, and later one commit of it."""
    gate.push("rita", f"{branch}-x", infra(gate))
    gate.settle()
    number = gate.open("ben", branch, gate.tip(f"{branch}-x"))
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert "@rita pushed `" in summary(gate, number)
    assert "` to another branch" in summary(gate, number)
    gate.push("ben", branch, infra(gate, author=("Ben", "ben@acme.example")))
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert gate.approve(number, "olga") == "success"


def test_near_G12_who_updated_the_branch_that_it_was_made_from_still_counts(gate: Gate, branch: str) -> None:
    first = gate.open("olga", f"{branch}-x", infra(gate))
    gate.push("noor", "main", gate.change({f"docs/{branch}.md": "x\n"}))
    gate.settle()
    gate.as_person("rita", "PUT", f"/repos/{SHOP}/pulls/{first}/update-branch")
    gate.settle()
    gate.as_person("olga", "PATCH", f"/repos/{SHOP}/pulls/{first}", {"state": "closed"})
    number = gate.open("olga", branch, gate.tip(f"{branch}-x"))
    assert gate.approve(number, "rita", "sam") == "success", summary(gate, number)


def test_near_G12_who_came_in_through_the_third_parent_of_a_merge(gate: Gate, branch: str) -> None:
    base = gate.tip()
    one, two = infra(gate, base), gate.change({"docs/new.md": "x\n"}, base)
    three = gate.change({"infra/storage.tf": "size = 2\n"}, base, author=SAM)
    files = {
        **gate.files(one),
        "docs/new.md": "x\n",
        "infra/storage.tf": gate.files(three)["infra/storage.tf"],
    }
    number = gate.open("olga", branch, gate.clone.commit(files, one, two, three, author=OLGA))
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert "1 of 2" in title(gate, number)


def test_near_G13_an_approval_whose_account_is_gone(gate: Gate, branch: str) -> None:
    gate.control("POST", "users", login="gone-soon", organization="acme")
    gate.control("POST", "roles", repository=SHOP, login="gone-soon", role="write")
    reviewers = gate.sandbox.world.organizations["acme"].teams["reviewers"]
    leaver = gate.sandbox.world.user("gone-soon")
    assert leaver is not None
    number = gate.open("olga", branch, infra(gate))
    gate.review("gone-soon", number)
    gate.control("DELETE", "users", login="gone-soon")
    assert leaver not in reviewers.members
    assert gate.approve(number, "rita") == "in_progress"
    assert "1 of 2" in title(gate, number)


# content


def test_near_G21_an_approval_that_names_an_older_commit(gate: Gate, branch: str) -> None:
    first = infra(gate, text="range = 9\n")
    number = gate.open("olga", branch, infra(gate, first, text="range = 1\n"))
    body = {"event": "APPROVE", "commit_id": first}
    gate.as_person("rita", "POST", f"/repos/{SHOP}/pulls/{number}/reviews", body)
    assert gate.approve(number, "sam") == "in_progress"
    assert "approved other content" in summary(gate, number)


def test_near_G23_update_branch_where_the_exact_head_is_asked_for(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, gate.change({"ledger/book.py": "rows = [1]\n"}))
    assert gate.approve(number, "rita", "sam") == "success"
    gate.push("noor", "main", gate.change({f"docs/{branch}.md": "x\n"}))
    gate.settle()
    gate.as_person("rita", "PUT", f"/repos/{SHOP}/pulls/{number}/update-branch")
    gate.settle()
    assert gate.verdict(number) == "success"
    updated = gate.tip(branch)
    assert updated == gate.pull(number).head
    gate.push("olga", branch, gate.change({"docs/also.md": "x\n"}, updated))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_near_G23_the_base_moved_in_the_same_file_before_the_approvals(gate: Gate, branch: str) -> None:
    """GitHub's event of a review names the base as it was when the head was pushed: that is not what was looked at."""
    lines = [f"{branch} {n}\n" for n in range(20)]
    path = f"infra/{branch}.tf"
    root = gate.change({path: "".join(lines)})
    gate.push("noor", "main", root)
    number = gate.open("olga", branch, gate.change({path: "".join(["one\n", *lines[1:]])}, root))
    gate.push("noor", "main", gate.change({path: "".join([*lines[:-1], "last\n"])}, root))
    gate.settle()
    for login in ("rita", "sam"):
        gate.review(login, number)
    for review in gate.pull(number).reviews:
        review.submitted_at = "2999-01-01T00:00:00Z"  # the sandbox counts whole seconds
    gate.settle()
    assert gate.verdict(number) == "success", summary(gate, number)
    gate.push("noor", "main", gate.change({path: "".join([*lines[:-1], "other\n"])}))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


def test_near_G24_an_update_of_the_branch_with_something_in_it(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, infra(gate))
    assert gate.approve(number, "rita", "sam") == "success"
    head = gate.pull(number).head
    main = gate.change({f"docs/{branch}.md": "x\n"})
    gate.push("noor", "main", main)
    files = {**gate.files(head), f"docs/{branch}.md": "x\n", "infra/storage.tf": "size = 99\n"}
    gate.push(
        "rita", branch, gate.clone.commit(files, head, main, author=RITA, message="Merge branch 'main'")
    )
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert gate.approve(number, "rita", "sam") == "in_progress", "rita made the merge that is more than one"
    assert gate.approve(number, "ben") == "success"


def test_near_G24_a_merge_of_a_branch_that_is_gated_by_its_name_alone(gate: Gate, branch: str) -> None:
    """Nobody let in what rita pushed there as olga's: who brings it along is no reviewer."""
    base = gate.tip()
    head = infra(gate, base)
    number = gate.open("olga", branch, head)
    hers = gate.change({"infra/storage.tf": "size = 66\n"}, base)
    gate.push("rita", f"release/{branch}", hers)
    gate.settle()
    gate.push("rita", branch, gate.clone.merge(head, hers, author=OLGA))
    gate.settle()
    assert gate.approve(number, "rita", "sam") == "in_progress"
    assert "@rita pushed to it" in summary(gate, number)
    assert gate.approve(number, "ben") == "success"


# records


def test_near_G8_a_record_ref_that_nothing_can_be_read_from(
    gate: Gate, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as if there were none: whoever may push could else keep every pull request from being judged."""
    monkeypatch.setattr(records, "MOST_PUSHES", 3)
    number = gate.open("olga", branch, infra(gate))
    gate.push("olga", record_ref(branch), gate.clone.blob("hello"))
    assert gate.approve(number, "rita") == "in_progress"
    assert "no record (the record ref names a file)" in summary(gate, number)
    gate.push("olga", record_ref(branch), gate.clone.commit({f"pushes/{n}": "" for n in range(4)}))
    gate.wake(number)
    gate.settle()
    assert "it holds more than 3 pushes" in summary(gate, number)
    assert gate.approve(number, "sam") == "success"


# paths


LINK = ("120000", "docs")
TWINS = {
    "another case": {"INFRA/network.tf": "range = 1\n"},
    "a link among protected files": {"infra/link": LINK},
    "a submodule that moves": {"vendor/lib": ("160000", "1" * 40)},
    "a submodule in the place of a protected directory": {
        "infra/network.tf": None, "infra/storage.tf": None, "infra": ("160000", "2" * 40),
    },
    "a submodule in the place of one, in another case": {"Infra": ("160000", "3" * 40)},
    "a file in the place of a protected directory": {
        "infra/network.tf": None, "infra/storage.tf": None, "infra": "plain\n",
    },
    "a workflow that others call": {".github/workflows/shared/deploy.yml": "on: workflow_call\n"},
    "the policy, in another case": {".github/FOUREYES.yml": "version: 1\n"},
    "attributes in a folder of nobody": {"docs/.gitattributes": "*.md -diff\n"},
    "a name with a backslash, which is a slash elsewhere": {"docs\\..\\infra\\x.tf": "x\n"},
    "a name with a control character": {"docs/\x1b[2K.md": "x\n"},
}  # fmt: skip


def test_near_G62_other_steps_to_the_same_end_are_other_content(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, infra(gate))
    assert gate.approve(number, "rita", "sam") == "success"
    bad = infra(gate, text="range = 0\n")
    gate.push("olga", branch, infra(gate, bad))
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert f"approved before `{bad[:7]}`, which touches guarded paths" in summary(gate, number)


def test_near_G62_the_same_steps_under_other_commits_are_what_was_approved(gate: Gate, branch: str) -> None:
    """A rebase; and one that puts a step in between."""
    number = gate.open("olga", branch, infra(gate, infra(gate, text="range = 12\n")))
    assert gate.approve(number, "rita", "sam") == "success"
    gate.push("noor", "main", gate.change({"docs/handbook.md": f"# {branch}\n"}))
    first = infra(gate, text="range = 12\n")
    gate.push("olga", branch, infra(gate, first))
    gate.settle()
    assert gate.verdict(number) == "success"
    gate.push("olga", branch, infra(gate, infra(gate, first, text="range = 0\n")))
    gate.settle()
    assert gate.verdict(number) == "in_progress"


@pytest.mark.parametrize("what", TWINS)
def test_near_G25_G29_G63_what_passes_for_a_protected_path(gate: Gate, branch: str, what: str) -> None:
    files = {
        path: ("120000", gate.clone.blob("docs")) if value == LINK else value
        for path, value in TWINS[what].items()
    }
    number = gate.open("olga", branch, gate.change(files))  # type: ignore[arg-type]
    assert gate.approve(number, "rita") == "in_progress", summary(gate, number)
    assert gate.approve(number, "sam") == "success", summary(gate, number)


def test_near_G28_a_fork_brings_a_policy_of_its_own(gate: Gate, branch: str) -> None:
    if "kim/shop" not in gate.sandbox.world.repositories:
        gate.control("POST", "repositories", repository="kim/shop", fork_of=SHOP)
    lax = 'version: 1\nroster: ["@kim", "@lee"]\nprotected: ["nothing/**"]\n'
    head = gate.change(
        {".github/foureyes.yml": lax, "infra/network.tf": "x\n"}, author=("K", "kim@acme.example")
    )
    gate.push("kim", branch, head, slug="kim/shop")
    body = {"title": "t", "head": f"kim:{branch}", "base": "main", "body": ""}
    number = int(gate.as_person("kim", "POST", f"/repos/{SHOP}/pulls", body)["number"])
    gate.settle()
    assert gate.approve(number, "lee") == "in_progress"
    assert ".github/foureyes.yml" in summary(gate, number) + (gate.check(number).text or "")


def test_near_G58_a_criss_cross_history_that_hides_a_revert(gate: Gate, branch: str) -> None:
    root = gate.tip()
    fixed = gate.change({"infra/network.tf": "range = 16 # fixed\n"}, root)
    feature = gate.change({f"docs/{branch}.md": "2\n"}, root)
    main = gate.clone.merge(fixed, feature, author=OLGA)
    gate.push("noor", "main", main)
    gate.settle()
    reverting = gate.clone.commit(gate.files(feature), feature, fixed, author=OLGA)
    number = gate.open("olga", branch, reverting)
    assert gate.approve(number, "rita", "sam") == "failure"
    assert "GitHub's diff hides 1 changed file" in title(gate, number)


def test_near_G58_a_criss_cross_history_that_hides_a_part_of_a_file(gate: Gate, branch: str) -> None:
    """From both merge bases GitHub shows the last line of the file, and only from one of them the first."""
    lines = [f"subnet {number}\n" for number in range(12)]
    root = gate.change({"infra/network.tf": "".join(["range = 0\n", *lines])})
    fixed = gate.change({"infra/network.tf": "".join(["range = 16\n", *lines])}, root)
    feature = gate.change({f"docs/{branch}.md": "2\n"}, root)
    gate.push("noor", "main", gate.clone.merge(fixed, feature, author=OLGA))
    gate.settle()
    shown = "".join(["range = 0\n", *lines, "subnet 12\n"])
    reverting = gate.clone.commit(
        {**gate.files(feature), "infra/network.tf": shown}, feature, fixed, author=OLGA
    )
    number = gate.open("olga", branch, reverting)
    assert gate.approve(number, "rita", "sam") == "failure"
    assert "GitHub's diff hides 1 changed file" in title(gate, number)
    gate.push("olga", branch, gate.clone.merge(reverting, gate.tip(), author=OLGA))
    gate.settle()
    assert gate.verdict(number) == "in_progress", "GitHub shows all of it now, and nobody has seen that"
    assert "GitHub's diff did not show all of it" in summary(gate, number)
    assert gate.approve(number, "rita", "sam") == "success"


def test_near_G58_a_history_of_its_own(gate: Gate, branch: str) -> None:
    number = gate.open("olga", branch, gate.clone.commit({"infra/network.tf": "range = 1\n"}, author=OLGA))
    assert gate.approve(number, "rita", "sam") == "failure"
    assert "no history" in summary(gate, number)
