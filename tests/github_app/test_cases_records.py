"""Gate cases about records, end to end: what a record, or its absence, is worth. The fixture is that of the cases."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support_gate import SHOP, Gate, running_gate
from support_git import git
from support_ssh import KeyFile, SecurityKey, make_key

from foureyes.github_app import decisions, storage
from foureyes.github_app.judge import judge_with
from foureyes.shared import facts as pull_facts
from foureyes.shared.facts import CommitFacts, Known, PullFacts, RecordState
from foureyes.shared.others_notes import GIT_AI
from foureyes.shared.record_ref import record_ref

LONG_AGO = "2020-01-01T00:00:00Z"
POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


def infra(gate: Gate, *parents: str, text: str = "changed\n", **options: object) -> str:
    return gate.change({"infra/network.tf": text}, *parents, **options)


def touched_key() -> SecurityKey:
    return SecurityKey(Ed25519PrivateKey.from_private_bytes(b"\x21" * 32))


def registered(gate: Gate, key: KeyFile | SecurityKey, *, at: str = LONG_AGO, login: str = "olga") -> int:
    line = key.public_line if isinstance(key, KeyFile) else _line(key)
    body = {"login": login, "key": line, "kind": "signing", "created_at": at}
    return int(gate.control("POST", "keys", **body)["id"])


def _line(key: SecurityKey) -> str:
    return f"sk-ssh-ed25519@openssh.com {base64.b64encode(key.public).decode()}"


def facts_of(gate: Gate, number: int) -> PullFacts:
    with storage.reading(gate.engine) as conn:
        found = decisions.latest(conn, gate.pull(number).repository.id, number)
    assert found is not None
    return pull_facts.load(found.facts)


def commit_of(gate: Gate, number: int) -> CommitFacts:
    commits = facts_of(gate, number).commits
    assert isinstance(commits, Known)
    return commits.value[0]


def with_human_record(gate: Gate, key: KeyFile | SecurityKey, *, at: str = LONG_AGO, policy: str = "") -> int:
    """Olga's own commit, whose record says that no agent took part; one approval is there."""
    if policy:
        gate.push("noor", "main", gate.change({".github/foureyes.yml": policy}))
    registered(gate, key, at=at)
    head = infra(gate)
    gate.publish("olga", "feat", head, cls="human", key=key)
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita")
    return number


def test_G6_a_human_record_that_meets_every_condition_passes_with_one(gate: Gate) -> None:
    number = with_human_record(gate, touched_key())
    assert gate.verdict(number) == "success"
    assert "1 human approved" in (gate.check(number).title or "")


def noted(gate: Gate, commit: str, tool: str = "cursor") -> None:
    """As git-ai would, in place of all notes."""
    about = {"schema_version": "authorship/3.0.0", "sessions": {"s_1": {"agent_id": {"tool": tool}}}}
    note = f"infra/network.tf\n  s_1::t_1 1\n---\n{json.dumps(about)}"
    gate.push("olga", GIT_AI, gate.clone.commit({commit: note}))


def test_a_note_that_names_an_agent_takes_the_discount_for_good(gate: Gate) -> None:
    """It comes without an event, after the check was green; and nobody is better off for taking it away."""
    number = with_human_record(gate, touched_key())
    assert gate.verdict(number) == "success"
    noted(gate, gate.pull(number).head)
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    assert "record says no agent, a note on it names one" in (gate.check(number).summary or "")
    gate.push("olga", GIT_AI, "")
    for _ in range(2):
        gate.wake(number)
        gate.settle()
        assert gate.verdict(number) == "in_progress"
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_a_note_that_cannot_be_read_takes_the_discount_and_is_not_said_to_name_anybody(gate: Gate) -> None:
    number = with_human_record(gate, touched_key())
    gate.push("olga", GIT_AI, gate.clone.commit({gate.pull(number).head: "{"}))
    gate.wake(number)
    gate.settle()
    assert gate.verdict(number) == "in_progress"
    said = f"{gate.check(number).title} {gate.check(number).summary} {gate.check(number).text}"
    assert "record says no agent, a note on it could not be read and may name one" in said
    assert "claimed" not in said
    assert "an agent" not in said.replace("Stop and tell", "")


def test_where_no_agent_may_write_a_note_that_names_one_blocks(gate: Gate) -> None:
    gate.push("noor", "main", gate.change({".github/foureyes.yml": f"{POLICY}mode: forbid\n"}))
    head = infra(gate)
    noted(gate, head, "an agent nobody knows")
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "failure"


def test_G49_a_human_record_by_a_software_key_is_worth_nothing(gate: Gate, tmp_path: Path) -> None:
    number = with_human_record(gate, make_key(tmp_path))
    assert gate.verdict(number) == "in_progress"
    assert "software key" in (gate.check(number).summary or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G49_a_policy_that_trusts_software_keys_is_named_in_the_text(gate: Gate, tmp_path: Path) -> None:
    number = with_human_record(gate, make_key(tmp_path), policy=POLICY + "trust_software_keys: true\n")
    assert gate.verdict(number) == "success"
    text = f"{gate.check(number).summary} {gate.check(number).text}"
    assert "software key" in text


@pytest.mark.parametrize("at", ["2999-01-01T00:00:00Z", "now"])
def test_G50_a_human_record_by_a_young_key_is_worth_nothing(gate: Gate, at: str) -> None:
    """Younger than the pull request, or than seven days."""
    at = gate.sandbox.world.now() if at == "now" else at
    number = with_human_record(gate, touched_key(), at=at)
    assert gate.verdict(number) == "in_progress"
    assert "younger" in (gate.check(number).summary or "")


def test_G8_a_record_of_what_was_amended_away_is_none(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    registered(gate, key)
    recorded = infra(gate)
    gate.publish("olga", "feat", recorded, key=key)
    number = gate.open("olga", "feat", infra(gate, message="the same, said better"))
    gate.approve(number, "rita")
    assert commit_of(gate, number).record.state is RecordState.MISSING
    assert gate.verdict(number) == "in_progress"
    assert "no record" in (gate.check(number).title or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


class Tampered:
    """A key whose signatures are spoiled in one way."""

    def __init__(self, key: KeyFile, how: str) -> None:
        self.key, self.how = key, how

    def sign(self, message: bytes, namespace: str) -> bytes:
        if self.how == "namespace":
            return self.key.sign(message, "git")
        good = self.key.sign(message, namespace)
        raw = base64.b64decode(b"".join(good.splitlines()[1:-1]))
        if self.how == "trailing bytes":
            return raw + b"\0"
        if self.how == "md5":
            return raw.replace(b"\0\0\0\x06sha512", b"\0\0\0\x03md5")
        return raw


@pytest.mark.parametrize("how", ["namespace", "unknown key", "md5", "trailing bytes"])
def test_G44_a_signature_that_is_wrong_in_any_way_gives_no_class(
    gate: Gate, tmp_path: Path, how: str
) -> None:
    key = make_key(tmp_path)
    if how == "unknown key":
        registered(gate, make_key(tmp_path, name="another"))
    else:
        registered(gate, key)
    head = infra(gate, author=("Ben", "ben@acme.example"))
    gate.publish("ben", "feat", head, operator="olga", key=Tampered(key, how))  # type: ignore[arg-type]
    number = gate.open("ben", "feat", head)
    gate.approve(number, "olga", "rita")
    fact = commit_of(gate, number).record
    assert fact.state in (RecordState.BAD_SIGNATURE, RecordState.UNSIGNED)
    assert fact.why
    assert gate.verdict(number) == "in_progress", "olga stays out: the record names her"
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


def test_G45_a_key_that_was_removed_takes_the_discount_away_and_excuses_nobody(gate: Gate) -> None:
    key = touched_key()
    body = {"login": "olga", "key": _line(key), "kind": "signing", "created_at": LONG_AGO}
    number_of_key = gate.control("POST", "keys", **body)["id"]
    head = infra(gate)
    gate.publish("olga", "feat", head, cls="human", key=key)
    number = gate.open("olga", "feat", head, by="ben")
    gate.approve(number, "rita")
    assert gate.verdict(number) == "success"
    gate.control("DELETE", "keys", login="olga", id=number_of_key)
    gate.judge = judge_with(
        gate.settings, gate.engine, gate.observe
    )  # as after a restart: keys are read anew
    gate.wake(number)
    gate.approve(number, "olga")
    assert gate.verdict(number) == "in_progress"
    assert "signature does not hold" in (gate.check(number).summary or "")
    assert "@olga" in (gate.check(number).summary or "")


def test_G46_a_commit_that_github_signed_proves_no_human(gate: Gate) -> None:
    head = infra(gate, committer=("GitHub", "noreply@github.com"))
    gate.sandbox.world.repositories[SHOP].made_by_github.add(
        head
    )  # as its contents API makes and signs commits
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita")
    assert commit_of(gate, number).by_github
    assert gate.verdict(number) == "in_progress"
    assert "committed on github.com" in (gate.check(number).summary or "")
    gate.approve(number, "sam")
    assert gate.verdict(number) == "success"


@pytest.mark.parametrize("told", [{"others": ["rita"]}, {"reviewed_as": ["rita"]}])
@pytest.mark.parametrize("signed", [True, False])
def test_G12_everyone_whom_a_record_names_is_excluded(
    gate: Gate, tmp_path: Path, signed: bool, told: dict[str, list[str]]
) -> None:
    """A second operator of a squash, or who an agent was seen to approve as, is no independent reviewer."""
    head = infra(gate)
    key = make_key(tmp_path) if signed else None
    if key:
        registered(gate, key)
    gate.publish("olga", "feat", head, key=key, **told)
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "in_progress"
    assert "Does not count:** @rita" in (gate.check(number).summary or "")
    gate.approve(number, "ana")
    assert gate.verdict(number) == "success"


@pytest.mark.parametrize("told", [{"others": ["nobody-here"]}, {"reviewed_as": ["nobody-here"]}])
def test_a_name_in_a_record_that_no_account_has_hides_a_person(
    gate: Gate, told: dict[str, list[str]]
) -> None:
    head = infra(gate)
    gate.publish("olga", "feat", head, **told)
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "in_progress"
    assert "`nobody-here`" in (gate.check(number).summary or "")


def test_G54_records_of_a_branch_and_of_one_below_its_name_both_arrive(gate: Gate, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    registered(gate, key)
    first = infra(gate, text="first\n")
    gate.publish("olga", "a", first, key=key)
    gate.push("olga", "a", first)
    shop = gate.sandbox.world.repositories[SHOP].git.path
    git(shop, "update-ref", "-d", "refs/heads/a")
    second = infra(gate, text="second\n")
    gate.publish("olga", "a/b", second, key=key)
    number = gate.open("olga", "a/b", second)
    gate.settle()
    assert commit_of(gate, number).record.state is RecordState.SIGNED
    assert git(shop, "rev-parse", record_ref("a")) != git(shop, "rev-parse", record_ref("a/b"))


def test_G55_a_replace_ref_hides_nothing(gate: Gate) -> None:
    head = infra(gate)
    harmless = gate.change({"docs/new.md": "x\n"})
    gate.push("olga", f"refs/replace/{head}", harmless)
    number = gate.open("olga", "feat", head)
    gate.approve(number, "rita", "sam")
    assert gate.verdict(number) == "failure", "the stand-in's own merge follows it, ours does not"
    changes = facts_of(gate, number).changes
    assert isinstance(changes, Known)
    assert [change.path for change in changes.value] == ["infra/network.tf"]


def test_the_fixture_of_G45_is_not_green_by_itself(gate: Gate) -> None:
    """The human record is what lets one approval do."""
    number = gate.open("olga", "feat", infra(gate))
    gate.approve(number, "rita")
    assert gate.verdict(number) == "in_progress"
    assert commit_of(gate, number).record.state is RecordState.MISSING
