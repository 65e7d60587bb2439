"""Git over HTTP on the sandbox: who may push what, and what follows from a push."""

import base64
import gc
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support_git import run
from support_sandbox import SHOP, World, commit, git, head, running_sandbox

CLONE = "olga-acme-shop"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def refs(world: World, prefix: str) -> dict[str, str]:
    lines = git(world.folder, "ls-remote", world.remote("olga"), f"{prefix}*").splitlines()
    return {name: oid for oid, name in (line.split("\t") for line in lines)}


def refused(where: Path, *arguments: str) -> str:
    done = run(["git", *arguments], where, ok=False)
    assert done.returncode != 0
    return done.stderr.decode()


def test_pull_refs_are_true(world: World) -> None:
    number = world.open_pull()
    clone = world.folder / CLONE
    main = git(clone, "rev-parse", "origin/main")
    git(clone, "fetch", "-q", "origin", f"+refs/pull/{number}/*:refs/pull/{number}/*")
    assert head(clone, "refs/pull/1/head") == head(clone)
    assert git(clone, "rev-list", "--parents", "-1", "refs/pull/1/merge").split()[1:] == [main, head(clone)]
    assert git(clone, "merge-tree", "--write-tree", main, "HEAD") == head(clone, "refs/pull/1/merge^{tree}")


def test_the_test_merge_follows_head_and_base_and_goes_with_a_conflict(world: World) -> None:
    world.open_pull(files={"README.md": "ours\n"})
    clone, noor = world.folder / CLONE, world.clone("noor")
    first = refs(world, "refs/pull/1/")["refs/pull/1/merge"]
    new = commit(noor, {"docs/other.md": "x\n"}, "Base moves")
    git(noor, "push", "-q", "origin", "main")
    second = refs(world, "refs/pull/1/")["refs/pull/1/merge"]
    git(clone, "fetch", "-q", "origin", second)
    assert git(clone, "rev-parse", f"{second}^1") == new
    assert second != first
    commit(noor, {"README.md": "theirs\n"}, "Conflict")
    git(noor, "push", "-q", "origin", "main")
    assert set(refs(world, "refs/pull/1/")) == {"refs/pull/1/head"}
    pull = world.pull_field("mergeable potentialMergeCommit { oid }")
    assert pull == {"mergeable": "CONFLICTING", "potentialMergeCommit": None}
    assert world.shop("olga", "GET", "/pulls/1").body["mergeable"] is False


def test_a_push_moves_the_head_and_names_the_pusher(world: World) -> None:
    world.open_pull()
    clone = world.folder / CLONE
    old = head(clone)
    git(clone, "remote", "set-url", "origin", world.remote("ben"))
    new = commit(clone, {"infra/more.tf": "x\n"}, "More")
    git(clone, "push", "-q", "origin", "feature")
    told = world.sent("pull_request", "synchronize")[0]
    assert (told["before"], told["after"], told["sender"]["login"]) == (old, new, "ben")
    pushed = world.sent("push")[-1]
    assert (pushed["ref"], pushed["pusher"]["name"], pushed["forced"]) == ("refs/heads/feature", "ben", False)
    assert [c["id"] for c in pushed["commits"]] == [new]
    assert pushed["commits"][0]["added"] == ["infra/more.tf"]
    activity = world.shop("olga", "GET", "/activity?ref=feature").body
    assert [(a["activity_type"], a["actor"]["login"], a["after"]) for a in activity] == [
        ("push", "ben", new),
        ("branch_creation", "olga", old),
    ]


def test_a_force_push_is_seen_everywhere(world: World) -> None:
    world.open_pull()
    clone = world.folder / CLONE
    old = head(clone)
    git(clone, "commit", "-q", "--amend", "-m", "Other words")
    git(clone, "push", "-q", "--force", "origin", "feature")
    assert world.sent("push")[-1]["forced"] is True
    assert world.shop("olga", "GET", "/activity?ref=feature").body[0]["activity_type"] == "force_push"
    event = world.pull_field(
        "timelineItems(first: 5, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) { nodes { ... on"
        " HeadRefForcePushedEvent { actor { login } beforeCommit { oid } afterCommit { oid } } } }"
    )["timelineItems"]["nodes"]
    assert event == [
        {"actor": {"login": "olga"}, "beforeCommit": {"oid": old}, "afterCommit": {"oid": head(clone)}}
    ]


def test_a_forced_base_is_seen(world: World) -> None:
    clone = world.clone("olga")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/release")
    world.open_pull(base="release")
    noor = world.clone("noor")
    git(noor, "checkout", "-q", "-b", "release", "origin/release")
    git(noor, "commit", "-q", "--amend", "-m", "Rewritten")
    git(noor, "push", "-q", "--force", "origin", "release")
    kinds = world.pull_field(
        "timelineItems(first: 5, itemTypes: [BASE_REF_FORCE_PUSHED_EVENT]) { nodes { __typename } }"
    )["timelineItems"]["nodes"]
    assert kinds == [{"__typename": "BaseRefForcePushedEvent"}]


def test_custom_refs_arrive_and_raise_no_event(world: World) -> None:
    clone = world.clone("olga")
    before = len(world.sandbox.world.courier.log)
    git(clone, "push", "-q", "origin", "HEAD:refs/foureyes/b/0123456789abcdef", "HEAD:refs/notes/ai")
    assert set(refs(world, "refs/foureyes/")) == {"refs/foureyes/b/0123456789abcdef"}
    assert len(world.sandbox.world.courier.log) == before
    found = world.query(
        '{ repository(owner: "acme", name: "shop") { ref(qualifiedName: "refs/notes/ai") { name } } }'
    )
    assert found["data"]["repository"]["ref"] == {"name": "ai"}


@pytest.mark.parametrize(("tags", "events"), [(3, 3), (4, 0)])
def test_more_than_three_tags_at_once_raise_no_event(world: World, tags: int, events: int) -> None:
    clone = world.clone("olga")
    git(clone, "push", "-q", "origin", *(f"HEAD:refs/tags/v{n}" for n in range(tags)))
    assert len(world.sent("push")) == events


def test_nobody_pushes_to_pull_refs(world: World) -> None:
    world.open_pull()
    assert "hidden ref" in refused(world.folder / CLONE, "push", "origin", "HEAD~1:refs/pull/1/head")


def test_a_branch_that_requires_the_check_takes_no_direct_push_without_it(world: World) -> None:
    clone = world.clone("olga")
    sha = commit(clone, {"infra/x.tf": "x\n"}, "Straight to main")
    assert 'Required status check "foureyes" is expected' in refused(clone, "push", "origin", "HEAD:main")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/elsewhere")
    world.publish(sha, "success")
    git(clone, "push", "-q", "origin", "HEAD:main")
    assert refs(world, "refs/heads/main") == {"refs/heads/main": sha}


def test_rules_against_force_and_deletion_hold(world: World) -> None:
    rules = [{"type": "non_fast_forward"}, {"type": "deletion"}, {"type": "pull_request"}]
    body = {
        "name": "kept",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/kept"], "exclude": []}},
        "rules": rules[:2],
    }
    clone = world.clone("olga")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/kept")
    made = world.shop("noor", "POST", "/rulesets", body)
    assert made.status == 201
    git(clone, "commit", "-q", "--amend", "-m", "Rewritten")
    assert "Cannot force-push" in refused(clone, "push", "--force", "origin", "HEAD:kept")
    assert "Cannot delete" in refused(clone, "push", "origin", ":kept")
    world.shop("noor", "PUT", f"/rulesets/{made.body['id']}", {"rules": rules[2:]})
    assert "through a pull request" in refused(clone, "push", "--force", "origin", "HEAD:kept")


def test_who_may_not_write_does_not_push(world: World) -> None:
    world.control("POST", "users", {"login": "visitor"})
    clone = world.clone("visitor")
    commit(clone, {"x": "x"}, "x")
    assert "403" in refused(clone, "push", "origin", "HEAD:refs/heads/x")
    git(clone, "remote", "set-url", "origin", f"{world.url}/{SHOP}.git")
    assert "could not read Username" in refused(clone, "push", "origin", "HEAD:refs/heads/x")
    wrong = world.remote("olga").replace(world.sandbox.token("olga"), "ghp_wrong")
    assert "Authentication failed" in refused(clone, "push", wrong, "HEAD:refs/heads/x")


def test_a_private_repository_is_not_there_for_outsiders(world: World) -> None:
    world.control("POST", "users", {"login": "visitor"})
    world.control("POST", "repositories", {"repository": "acme/vault", "files": {"a": "a"}, "private": True})
    assert "not found" in refused(world.folder, "ls-remote", world.remote("visitor", "acme/vault"))
    assert git(world.folder, "ls-remote", world.remote("olga", "acme/vault"), "main")
    assert world.by("visitor", "GET", "/repos/acme/vault").status == 404


def test_the_apps_token_reads_and_does_not_write(world: World) -> None:
    token = world.installation_token()
    url = world.remote("olga").replace(f"olga:{world.sandbox.token('olga')}", f"x-access-token:{token}")
    clone = world.folder / "app"
    git(world.folder, "clone", "-q", url, clone)
    commit(clone, {"x": "x"}, "x")
    assert "403" in refused(clone, "push", "origin", "HEAD:refs/heads/x")


def test_a_blobless_fetch_of_any_object_by_its_id(world: World) -> None:
    world.open_pull()
    old = head(world.folder / CLONE)
    git(world.folder / CLONE, "commit", "-q", "--amend", "-m", "Other")
    git(world.folder / CLONE, "push", "-q", "--force", "origin", "feature")
    mirror = world.folder / "mirror.git"
    git(world.folder, "init", "-q", "--bare", mirror)
    git(mirror, "fetch", "-q", "--filter=blob:none", world.remote("ben"), f"{old}:refs/kept")
    missing = git(mirror, "rev-list", "--objects", "--missing=print", "refs/kept").splitlines()
    assert any(line.startswith("?") for line in missing)


def test_a_push_larger_than_the_clients_buffer(world: World) -> None:
    clone = world.clone("olga")
    git(clone, "config", "http.postBuffer", "1024")
    (clone / "big.bin").write_bytes(os.urandom(3 << 20))
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "Big")
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/big")
    assert refs(world, "refs/heads/big") == {"refs/heads/big": head(clone)}


def test_a_pull_request_from_a_fork_outlives_the_fork(world: World) -> None:
    world.control("POST", "users", {"login": "guest"})
    world.control("POST", "repositories", {"repository": "guest/shop", "fork_of": SHOP})
    fork = world.clone("guest", "guest/shop")
    git(fork, "checkout", "-q", "-b", "idea")
    commit(fork, {"infra/idea.tf": "x\n"}, "Idea")
    git(fork, "push", "-q", "origin", "idea")
    body = {"title": "Idea", "head": "guest:idea", "base": "main"}
    assert world.shop("guest", "POST", "/pulls", body).status == 201
    new = commit(fork, {"infra/idea.tf": "y\n"}, "Better")
    git(fork, "push", "-q", "origin", "idea")
    assert refs(world, "refs/pull/1/head") == {"refs/pull/1/head": new}
    assert world.sent("pull_request", "synchronize")[0]["sender"]["login"] == "guest"
    pull = world.pull_field("isCrossRepository headRepository { nameWithOwner } headRef { name }")
    assert pull == {
        "isCrossRepository": True,
        "headRepository": {"nameWithOwner": "guest/shop"},
        "headRef": {"name": "idea"},
    }
    world.control("DELETE", "repositories", {"repository": "guest/shop"})
    pull = world.pull_field("headRefOid headRepository { id } headRef { name }")
    assert pull == {"headRefOid": new, "headRepository": None, "headRef": None}
    assert world.shop("olga", "GET", "/pulls/1").body["head"]["repo"] is None
    assert refs(world, "refs/pull/1/head") == {"refs/pull/1/head": new}


def test_what_serves_a_client_that_breaks_off_is_ended_and_closed(world: World) -> None:
    """Else Python warns of it in whatever test it comes upon it."""
    address = urlsplit(world.url)
    user = base64.b64encode(f"olga:{world.sandbox.token('olga')}".encode()).decode()
    path = f"/{SHOP}.git/info/refs?service=git-upload-pack"
    with socket.create_connection((str(address.hostname), address.port or 0)) as client:
        # one byte more than a request has: the server reads on after its answer
        client.sendall(f"GET {path} HTTP/1.1\r\nAuthorization: Basic {user}\r\n\r\nx".encode())
        answer = b""
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += client.recv(65536) or pytest.fail("cut short")
        # no good-bye, so that this read fails
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join()
    gc.collect()
