"""`foureyes attest`: what a signature after the fact establishes, and what it cannot."""

import json
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import HOOKS_OFF, commit, git, write
from support_hooked import copy_hooked, envelopes, files, make_remote, records
from support_in_process import ended, said
from support_keys import home, make_key

from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.manifest import parse_manifest


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


@pytest.fixture
def remote(repo: Path, tmp_path: Path) -> Path:
    return make_remote(repo, tmp_path / "remote.git")


def unpublished(repo: Path) -> list[str]:
    """A commit by an agent, one by a person and one that no hook saw, pushed without hooks."""
    git(repo, "checkout", "-q", "-b", "work")
    made = [commit(repo, {"f": "ai\n"}, "ai", env=CLAUDE_ENV), commit(repo, {"g": "human\n"}, "by hand")]
    write(repo, {"h": "unseen\n"})
    git(repo, "add", "h")
    git(repo, *HOOKS_OFF, "commit", "-qm", "unseen")
    made.append(git(repo, "rev-parse", "HEAD"))
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "work")
    return made


def refused(repo: Path, *arguments: str) -> tuple[int, str]:
    status, _, told = ended(repo, "attest", *arguments)
    return status, told


def test_it_signs_what_is_pushed_and_makes_nobody_human_whom_no_hook_saw(repo: Path, remote: Path):
    made = unpublished(repo)
    make_key(home() / ".ssh" / "id_ed25519")
    told = json.loads(said(repo, "attest", "main..work", "--json"))
    assert [(one["commit"], one["class"], one["witnessed"]) for one in told["commits"]] == [
        (made[0], "ai", True),
        (made[1], "human", True),
        (made[2], None, False),
    ]
    assert {oid: record.cls for oid, record in records(remote, "work").items()} == dict(
        zip(made, ("ai", "human", ""), strict=True)
    )
    (envelope,) = map(dsse.parse, envelopes(remote, "work"))
    assert [signature.keyid for signature in envelope.signatures] == [told["signed_by"]]
    listed = {entry.commit: entry.sha256 for entry in parse_manifest(envelope.payload).entries}
    assert listed == {oid: sha256_hex(files(remote, "work")[f"records/{oid}"]) for oid in made}
    text = said(repo, "attest", "main..work")
    assert f"{made[2][:10]}  no class: nobody here saw it being made" in text
    assert "1 has no class. A signature cannot make up for a hook that did not run" in text
    assert f"{made[0][:10]}  agent-written (claude-code)" in text


def test_a_signature_settles_nothing_about_a_commit_that_was_seen_and_is_not_clear(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "one\n"}, "in an editor's terminal", env={"CLAUDECODE": "1"})
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "work")
    make_key(home() / ".ssh" / "id_ed25519")
    text = said(repo, "attest", "main..work")
    assert f"{made[:10]}  no class: who wrote it was not clear" in text
    assert "1 has no class. A signature cannot settle who wrote it: on" in text


def test_it_signs_one_commit_of_somebody_else(repo: Path, remote: Path, tmp_path: Path):
    made = unpublished(repo)
    make_key(home() / ".ssh" / "id_ed25519")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "other"))
    told = json.loads(said(tmp_path / "other", "attest", made[1], "--json"))
    assert told["commits"] == [{"commit": made[1], "class": None, "witnessed": False}]
    assert set(records(remote, "work")) == {made[1]}


def test_without_a_key_it_says_so_and_publishes_nothing(repo: Path, remote: Path):
    unpublished(repo)
    status, text = refused(repo, "main..work")
    assert status == 1
    assert "nothing was signed: no SSH key was found" in text
    assert files(remote, "work") == {}
    assert git(repo, "for-each-ref", "refs/foureyes", "refs/notes") == ""


def test_what_is_in_its_way(repo: Path, remote: Path):
    make_key(home() / ".ssh" / "id_ed25519")
    assert refused(repo, "no-such..range") == (2, refused(repo, "no-such..range")[1])
    unpublished(repo)
    newer = commit(repo, {"f": "later\n"}, "not pushed")
    status, text = refused(repo, "HEAD")
    assert status == 1
    assert f"{newer[:10]} is not on origin's work" in text
    assert refused(repo, "HEAD..HEAD")[0] == 2
    assert refused(repo)[0] == 2
    git(repo, "remote", "set-url", "origin", "/nowhere")
    status, text = refused(repo, "origin/work")
    assert status == 1
    assert "the records did not reach origin" in text


def test_at_the_edge_of_a_shallow_clone_it_says_what_to_fetch(repo: Path, remote: Path, tmp_path: Path):
    unpublished(repo)
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "work", f"file://{remote}", str(tmp_path / "shallow"))
    status, told = refused(tmp_path / "shallow", "HEAD")
    assert (status, "git fetch --deepen=1" in told) == (1, True)
