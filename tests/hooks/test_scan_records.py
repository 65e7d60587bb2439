"""What records and notes add to a scan: a signed record is `ai`, everything else that names an agent is a claim."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support_git import git, head
from support_made_history import Made, make_history
from support_record import HUMAN, RECORD
from support_ssh import KeyFile, make_key

from foureyes.hooks.repo import Repo
from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_reading import Asked, scan
from foureyes.hooks.store import Put, commit_files, keep_records
from foureyes.shared import dsse
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.record import Record, record_bytes
from foureyes.shared.record_ref import push_path, record_path, record_ref


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = [Made(b"c%d" % n, files={b"src/f%d" % n: b"1\n2\n"}) for n in range(5)]
    make_history(tmp_path / "shop", made)
    return tmp_path / "shop"


def told(repo: Path) -> dict:
    return as_json(scan(Asked(repo)))


def classes(report: dict) -> dict[str, int]:
    return {name: found["commits"] for name, found in report["classes"].items() if found["commits"]}


def of(repo: Path, name: str, record: Record = RECORD) -> tuple[str, bytes]:
    """(commit, its record)."""
    oid = head(repo, name)
    return oid, record_bytes(replace(record, commit=oid, tree=head(repo, f"{name}^{{tree}}")))


def publish(
    repo: Path, records: dict[str, bytes], key: KeyFile | None, ref: str = record_ref("main")
) -> None:
    entries = tuple(
        Entry(commit, head(repo, f"{commit}^{{tree}}"), hashlib.sha256(record).hexdigest())
        for commit, record in records.items()
    )
    payload = manifest_bytes(Manifest("", "refs/heads/main", entries))
    signed = [key.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE)] if key else []
    envelope = dsse.Envelope(dsse.PAYLOAD_TYPE, payload, tuple(dsse.Signature("SHA256:x", s) for s in signed))
    puts = [Put(record_path(commit), record) for commit, record in records.items()]
    puts.append(Put(push_path(payload), envelope.to_json()))
    assert commit_files(Repo.open(repo), ref, "", puts, at=1_700_000_000)


def test_a_signed_record_is_ai_and_one_without_a_signature_is_a_claim(repo: Path, key: KeyFile):
    publish(repo, dict([of(repo, "HEAD")]), key)
    publish(repo, dict([of(repo, "HEAD~1")]), None, ref="refs/foureyes/seen/0123/4567")
    keep_records(Repo.open(repo), dict([of(repo, "HEAD~2")]), at=1_700_000_000)
    report = told(repo)
    assert classes(report) == {"ai": 1, "ai (claimed)": 2, "no record": 2}
    assert {one["id"]: one["known_by"] for one in report["agents"]} == {
        "claude-code": {"record": 3},
        "codex": {"record": 3},
    }
    assert report["agents"][0]["models"] == {"opus": 3}


def test_a_signed_record_that_names_no_agent_is_told_apart_until_something_names_one(
    repo: Path, key: KeyFile
):
    publish(repo, dict([of(repo, "HEAD", HUMAN), of(repo, "HEAD~1", HUMAN)]), key)
    keep_records(Repo.open(repo), dict([of(repo, "HEAD~2", HUMAN)]), at=1_700_000_000)
    git_ai(repo, {"HEAD~1": "cursor"})
    assert classes(told(repo)) == {"ai (claimed)": 1, "no agent (recorded)": 1, "no record": 3}


def test_an_ai_record_without_a_name_is_an_agents_all_the_same(repo: Path, key: KeyFile):
    publish(repo, dict([of(repo, "HEAD", replace(RECORD, agents=(), contributors=()))]), key)
    report = told(repo)
    assert classes(report) == {"ai": 1, "no record": 4}
    assert [one["id"] for one in report["agents"]] == ["unnamed-ai"]


def test_records_that_do_not_fit_their_commit_count_for_nothing_and_are_told(repo: Path, key: KeyFile):
    other = of(repo, "HEAD~1")[1]
    publish(repo, {head(repo): other, head(repo, "HEAD~2"): b"{}"}, key)
    report = told(repo)
    assert classes(report) == {"no record": 5}
    assert any("2 records could not be used" in note for note in report["notes"])


def test_a_list_signed_for_another_record_or_in_another_name_proves_nothing(repo: Path, key: KeyFile):
    commit, record = of(repo, "HEAD")
    publish(repo, {commit: of(repo, "HEAD", HUMAN)[1]}, key)
    publish(repo, {commit: record}, None, ref="refs/foureyes/b/00")
    assert classes(told(repo)) == {"ai (claimed)": 1, "no record": 4}
    payload = manifest_bytes(
        Manifest("", "x", (Entry(commit, head(repo, "HEAD^{tree}"), hashlib.sha256(record).hexdigest()),))
    )
    wrong = key.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), "another.namespace")
    envelope = dsse.Envelope(dsse.PAYLOAD_TYPE, payload, (dsse.Signature("x", wrong),)).to_json()
    puts = [Put(push_path(payload), envelope), Put("pushes/x.json", b"not json")]
    assert commit_files(Repo.open(repo), "refs/foureyes/b/11", "", puts, at=1)
    assert classes(told(repo)) == {"ai (claimed)": 1, "no record": 4}


def git_ai(repo: Path, tools: dict[str, str]) -> None:
    for name, tool in tools.items():
        about = {
            "schema_version": "authorship/3.0.0",
            "prompts": {},
            "sessions": {"s_00112233445566": {"agent_id": {"tool": tool, "id": "x", "model": "m1"}}},
        }
        note = f"src/f\n  s_00112233445566::t_0011 1-2\n---\n{json.dumps(about)}\n"
        git(repo, "notes", "--ref=ai", "add", "-F", "-", name, stdin=note.encode())


def test_notes_of_git_ai_are_claims_by_the_tools_they_name(repo: Path):
    git_ai(
        repo, {"HEAD": "cursor", "HEAD~1": "github-copilot", "HEAD~2": "claude", "HEAD~3": "something-new"}
    )
    report = told(repo)
    assert classes(report) == {"ai (claimed)": 4, "no record": 1}
    assert {one["id"]: one["known_by"] for one in report["agents"]} == {
        "cursor": {"git-ai note": 1},
        "copilot-cli": {"git-ai note": 1},
        "claude-code": {"git-ai note": 1},
        "unnamed-ai": {"git-ai note": 1},
    }


def test_a_note_and_a_trailer_are_both_told_of_one_commit(repo: Path):
    message = "x\n\nCo-authored-by: Cursor <cursoragent@cursor.com>"
    git(repo, "commit", "-q", "--allow-empty", "-m", message)
    git_ai(repo, {"HEAD": "cursor"})
    (agent,) = told(repo)["agents"]
    assert (agent["commits"], agent["known_by"]) == (1, {"git-ai note": 1, "trailer": 1})


def test_very_many_notes_are_read(tmp_path: Path):
    """git spreads them over folders then."""

    def made() -> Iterator[Made]:
        yield from (Made(b"c%d" % n) for n in range(600))

    ids = make_history(tmp_path / "shop", made())
    records = {}
    for oid in ids:
        tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        records[oid] = record_bytes(replace(RECORD, commit=oid, tree=tree, files=()))
    keep_records(Repo.open(tmp_path / "shop"), records, at=1_700_000_000)
    assert "/" in git(tmp_path / "shop", "ls-tree", "-r", "--name-only", "refs/notes/foureyes").split("\n")[0]
    assert classes(told(tmp_path / "shop")) == {"ai (claimed)": 600}
