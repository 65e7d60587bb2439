"""The signed list of a push, and the names under which records travel."""

import hashlib
import json

import pytest
from support_git import git, make_repo

from foureyes.shared.manifest import Entry, Manifest, ManifestError, manifest_bytes, parse_manifest
from foureyes.shared.record_ref import push_path, record_path, record_ref

A, B = Entry("a" * 40, "1" * 40, "e" * 64), Entry("b" * 40, "2" * 40, "f" * 64)
LIST = Manifest("github.com/acme/shop", "refs/heads/feat/x", (B, A))


def test_round_trip_sorted():
    data = manifest_bytes(LIST)
    assert parse_manifest(data) == LIST
    assert Manifest(LIST.repository, LIST.ref, (B, A)).entries == (A, B)
    assert data == manifest_bytes(Manifest(LIST.repository, LIST.ref, (A, B)))
    made = json.loads(data)
    assert [s["digest"] for s in made["subject"]] == [{"gitCommit": A.commit}, {"gitCommit": B.commit}]
    assert made["predicateType"] == "urn:foureyes:push:v1"
    assert made["predicate"]["records"][0] == {"commit": A.commit, "tree": A.tree, "sha256": A.sha256}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((), "lists nothing"),
        ((A, Entry(A.commit, B.tree, B.sha256)), "a commit twice"),
        ((Entry("a" * 39, "1" * 40, "e" * 64),), "full object id"),
        ((Entry("a" * 40, "", "e" * 64),), "full object id"),
        ((Entry("a" * 40, "1" * 40, "E" * 64),), "64 hex digits"),
    ],
)
def test_a_list_that_makes_no_sense_cannot_be_made(entries, why):
    with pytest.raises(ManifestError, match=why):
        Manifest("", "refs/heads/x", entries)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["subject"].pop(),
        lambda m: m["subject"].append(m["subject"][0]),
        lambda m: m["subject"][0].update(digest={"gitCommit": "c" * 40}),
        lambda m: m["subject"][0].update(name="x"),
        lambda m: m["predicate"]["records"].pop(),
        lambda m: m["predicate"]["records"].append({}),
        lambda m: m["predicate"]["records"].append("x"),
        lambda m: m["predicate"]["records"].append(m["predicate"]["records"][0]),
        lambda m: m["predicate"]["records"][0].pop("sha256"),
        lambda m: m["predicate"].pop("ref"),
        lambda m: m["predicate"].update(repository=None),
        lambda m: m["predicate"].update(records={}),
        lambda m: m["predicate"].update(records=1),
        lambda m: m.update(predicateType="urn:foureyes:push:v2"),
        lambda m: m.update(predicateType="urn:foureyes:record:v1"),
        lambda m: m.update(_type=""),
        lambda m: m.update(predicate=[]),
        lambda m: m.update(subject=[]),
    ],
)
def test_a_list_that_does_not_agree_with_itself_is_refused(change):
    made = json.loads(manifest_bytes(LIST))
    assert parse_manifest(json.dumps(made).encode()) == LIST
    change(made)
    with pytest.raises(ManifestError):
        parse_manifest(json.dumps(made).encode())


def test_the_record_ref_is_a_hash_of_the_branch_name(tmp_path):
    assert record_ref("refs/heads/feat/x") == record_ref("feat/x")
    assert record_ref("feat/x") == "refs/foureyes/b/" + hashlib.sha256(b"feat/x").hexdigest()[:16]
    assert record_ref("refs/heads/refs/heads/x") == record_ref("refs/heads/x").replace(
        hashlib.sha256(b"x").hexdigest()[:16], hashlib.sha256(b"refs/heads/x").hexdigest()[:16]
    )
    assert record_ref(b"\xff".decode("utf-8", "surrogateescape")).endswith(
        hashlib.sha256(b"\xff").hexdigest()[:16]
    )
    repo = make_repo(tmp_path / "repo")
    for branch in ("feat", "feat/x"):  # both at once, which no two branches can be
        git(repo, "update-ref", record_ref(branch), "HEAD")
    assert len(git(repo, "for-each-ref", "refs/foureyes").splitlines()) == 2


def test_names_in_its_tree():
    assert record_path("a" * 40) == "records/" + "a" * 40
    assert push_path(b"{}") == f"pushes/{hashlib.sha256(b'{}').hexdigest()}.json"
