"""Real pushes through the real pre-push hook: what arrives beside the branch, and that a push is never in danger."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_git import commit, foureyes, git, head, make_repo, run, write
from support_hooked import (
    copy_hooked,
    envelopes,
    files,
    hook_command,
    install,
    make_remote,
    push,
    records,
    refuse_records,
)
from support_keys import home, make_key

from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_records
from foureyes.shared import dsse, sshsig
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.manifest import parse_manifest
from foureyes.shared.people import Account
from foureyes.shared.record_check import check_record
from foureyes.shared.record_ref import record_ref


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


@pytest.fixture
def remote(repo: Path, tmp_path: Path) -> Path:
    return make_remote(repo, tmp_path / "remote.git")


def test_p1_p6_p27_a_push_carries_a_record_for_each_commit_and_nothing_else(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "feat/x")
    Agent(repo).write("README", "hello\nby ai\n")
    first = commit(repo, {}, "ai appends")
    Agent(repo).read("README")
    second = commit(repo, {f"d/{n}": "x\n" for n in range(300)}, "by hand")
    Agent(repo).shell("git rm -rq d && git commit -qm 'ai deletes'")
    third = head(repo)
    assert push(repo, "origin", "feat/x") == ""
    found = records(remote, "feat/x")
    assert {oid: record.cls for oid, record in found.items()} == {first: "ai", second: "human", third: "ai"}
    assert (found[third].totals.files_deleted, found[third].totals.deleted) == (300, 300)
    assert git(remote, "rev-parse", "feat/x") == third
    refs = git(remote, "for-each-ref", "--format=%(refname)").split()
    assert refs == [record_ref("feat/x"), "refs/heads/feat/x", "refs/heads/main"]


def test_the_push_lists_each_record_and_is_signed_once(repo: Path, remote: Path):
    make_key(home() / ".ssh" / "id_ed25519")
    git(repo, "checkout", "-q", "-b", "work")
    made = [commit(repo, {"f": f"{n}\n"}, f"{n}", env=CLAUDE_ENV) for n in range(3)]
    assert push(repo, "origin", "work") == ""
    (data,) = envelopes(remote, "work")
    envelope = dsse.parse(data)
    listed = parse_manifest(envelope.payload)
    assert listed.ref == "refs/heads/work"
    stored = files(remote, "work")
    assert {entry.commit for entry in listed.entries} == set(made)
    for entry in listed.entries:
        assert entry.tree == git(repo, "rev-parse", f"{entry.commit}^{{tree}}")
        assert entry.sha256 == sha256_hex(stored[f"records/{entry.commit}"])
    assert len(envelope.signatures) == 1
    assert f"pushes/{sha256_hex(envelope.payload)}.json" in stored
    public = sshsig.parse_public_key((home() / ".ssh/id_ed25519.pub").read_text())
    key = sshsig.PublishedKey(Account(1, "olga"), public.blob, public.kind, public.fingerprint, None)
    for entry in listed.entries:
        fact = check_record(stored[f"records/{entry.commit}"], [data], entry.commit, entry.tree, [key])
        assert (fact.state, fact.says) == ("signed", "ai")
        assert fact.signer is not None
        assert fact.signer.account.login == "olga"
    sig, message = repo.parent / "sig", dsse.pae(envelope.payload_type, envelope.payload)
    armor(sig, envelope.signatures[0].sig)
    (repo.parent / "allowed").write_text(f"olga {(home() / '.ssh/id_ed25519.pub').read_text()}")
    verify = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "olga",
        "-n",
        "foureyes.push.v1",
        "-s",
        "sig",
    ]
    run(verify, repo.parent, stdin=message)


def armor(path: Path, sig: bytes) -> None:
    import base64

    text = base64.encodebytes(sig).decode()
    path.write_text(f"-----BEGIN SSH SIGNATURE-----\n{text}-----END SSH SIGNATURE-----\n")


def test_without_a_key_it_is_published_unsigned_and_the_server_sees_a_claim(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    assert push(repo, "origin", "work") == ""
    record = files(remote, "work")[f"records/{made}"]
    fact = check_record(record, envelopes(remote, "work"), made, git(repo, "rev-parse", "HEAD^{tree}"), ())
    assert (fact.state, fact.says, fact.operator_claim) == ("unsigned", "ai", "olga")


def test_a_key_that_cannot_sign_costs_one_line_and_nothing_else(repo: Path, remote: Path):
    make_key(home() / ".ssh" / "id_ed25519", passphrase="secret")
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x")
    said = push(repo, "origin", "work", env={"SSH_ASKPASS": "/bin/false", "DISPLAY": ":9"})
    assert said.startswith("foureyes: ")
    assert len(said.splitlines()) == 1
    assert "passphrase" in said
    assert set(records(remote, "work")) == {made}


def test_later_pushes_add_to_what_is_there(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = []
    for number in range(3):
        made.append(commit(repo, {"f": f"{number}\n"}, f"{number}"))
        push(repo, "origin", "work")
    assert set(records(remote, "work")) == set(made)
    assert len(envelopes(remote, "work")) == 3
    tip = git(remote, "rev-parse", record_ref("work"))
    assert git(remote, "rev-list", "--count", tip) == "3"
    push(repo, "origin", "work")
    assert git(remote, "rev-parse", record_ref("work")) == tip


def test_a_forced_push_keeps_old_records_and_adds_new_ones(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    old = commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    git(repo, "commit", "-q", "--amend", "-m", "y")
    push(repo, "-f", "origin", "work")
    found = records(remote, "work")
    assert set(found) == {old, head(repo)}
    assert found[head(repo)].cls == "ai"
    assert old in {parent.commit for parent in found[head(repo)].lineage}


def test_p26_two_who_push_to_one_branch_at_once_both_keep_their_records(
    repo: Path, remote: Path, tmp_path: Path
):
    git(repo, "checkout", "-q", "-b", "work")
    mine = commit(repo, {"f": "x\n"}, "x")
    push(repo, "origin", "work")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "other"))
    install(tmp_path / "other")
    theirs = commit(tmp_path / "other", {"g": "y\n"}, "y")
    push(tmp_path / "other", "origin", "work")
    assert set(records(remote, "work")) == {mine, theirs}
    git(repo, "pull", "-q", "--rebase", "origin", "work")
    again = commit(repo, {"f": "z\n"}, "z")
    assert push(repo, "origin", "work") == ""
    assert set(records(remote, "work")) == {mine, theirs, again}


def test_many_branches_in_one_push_are_signed_once(repo: Path, remote: Path):
    make_key(home() / ".ssh" / "id_ed25519")
    made = {}
    for name in ("a", "b", "c"):
        git(repo, "checkout", "-q", "-b", name, "main")
        made[name] = commit(repo, {name: "x\n"}, name)
    git(repo, "tag", "v1")
    push(repo, "origin", "a", "b", "c", "v1")
    assert {name: set(records(remote, name)) for name in made} == {name: {oid} for name, oid in made.items()}
    assert len({data for name in made for data in envelopes(remote, name)}) == 1
    assert files(remote, "v1") == {}


def test_a_branch_that_somebody_deleted_is_pushed_again_with_its_records(
    repo: Path, remote: Path, tmp_path: Path
):
    git(repo, "checkout", "-q", "-b", "feat")
    Agent(repo).write("README", "hello\nby ai\n")
    first = commit(repo, {}, "ai appends")
    push(repo, "origin", "feat")
    git(tmp_path, "clone", "-q", remote, "colleague")
    install(tmp_path / "colleague")
    push(tmp_path / "colleague", "origin", ":feat")
    assert records(remote, "feat") == {}
    push(repo, "origin", "feat")
    assert records(remote, "feat")[first].cls == "ai"


def test_a_deleted_branch_takes_its_record_ref_with_it(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    push(repo, "origin", "work")
    assert push(repo, "origin", ":work") == ""
    assert git(remote, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    git(repo, "push", "-q", "--no-verify", "origin", "work:never-recorded")
    assert push(repo, "origin", ":never-recorded") == ""


def test_commits_of_others_get_no_record_of_ours(repo: Path, remote: Path, tmp_path: Path):
    git(tmp_path, "clone", "-q", str(remote), str(tmp_path / "other"))
    git(tmp_path / "other", "checkout", "-q", "-b", "work")
    commit(tmp_path / "other", {"g": "y\n"}, "theirs, without hooks")
    git(tmp_path / "other", "push", "-q", "origin", "work")
    git(repo, "fetch", "-q", "origin")
    git(repo, "checkout", "-q", "work")
    mine = commit(repo, {"f": "x\n"}, "mine")
    push(repo, "origin", "work")
    assert set(records(remote, "work")) == {mine}


def test_what_one_push_could_not_publish_the_next_one_does(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    first = commit(repo, {"f": "x\n"}, "x")
    git(repo, "push", "-q", "--no-verify", "origin", "work")
    second = commit(repo, {"f": "y\n"}, "y")
    push(repo, "origin", "work")
    assert set(records(remote, "work")) == {first, second}


def test_p30_a_commit_that_no_hook_saw_is_recorded_without_a_class(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    write(repo, {"f": "x\n"})
    git(repo, "add", "f")
    git(
        repo, "update-ref", "HEAD", git(repo, "commit-tree", "-p", "HEAD", "-m", "x", git(repo, "write-tree"))
    )
    push(repo, "origin", "work")
    (found,) = records(remote, "work").values()
    assert (found.cls, found.witness, found.hooks, found.totals.added) == ("", None, (), 1)


def test_a_remote_that_refuses_the_record_ref_costs_one_line(repo: Path, remote: Path):
    refuse_records(remote)
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x")
    said = push(repo, "origin", "work")
    assert git(remote, "rev-parse", "work") == made
    assert [line for line in said.splitlines() if line.startswith("foureyes:")] == said.splitlines()
    assert len(said.splitlines()) == 1
    assert "foureyes publish" in said


def test_a_password_in_the_remotes_address_is_never_printed(repo: Path):
    git(repo, "remote", "add", "origin", "http://olga:hunter2@127.0.0.1:9/acme/shop.git")
    hook = run(
        [*hook_command(repo, "pre-push"), "origin", "http://olga:hunter2@127.0.0.1:9/acme/shop.git"],
        repo,
        stdin=f"refs/heads/main {head(repo)} refs/heads/main {'0' * 40}\n".encode(),
    )
    assert b"foureyes:" in hook.stderr
    assert b"hunter2" not in hook.stderr


def test_a_push_goes_through_whatever_is_broken_here(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    (repo / ".git" / "foureyes" / "lock").mkdir()
    said = push(repo, "origin", "work")
    assert git(remote, "rev-parse", "work") == head(repo)
    assert said.startswith("foureyes: no records were published")
    assert len(said.splitlines()) == 1


def test_ctrl_c_while_records_are_pushed_ends_what_was_started_without_a_traceback(
    repo: Path, remote: Path, tmp_path: Path
):
    started = tmp_path / "started"
    refuse_records(remote, f"touch {started}; sleep 600")
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    hook = subprocess.Popen(
        [*hook_command(repo, "pre-push"), "origin", str(remote)],
        cwd=repo,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert hook.stdin is not None
    hook.stdin.write(f"refs/heads/work {head(repo)} refs/heads/work {'0' * 40}\n".encode())
    hook.stdin.close()
    while not started.exists():
        assert hook.poll() is None
        time.sleep(0.02)
    os.killpg(hook.pid, signal.SIGINT)
    assert hook.stderr is not None
    said = hook.stderr.read().decode()
    hook.wait()
    hook.stderr.close()
    assert "Traceback" not in said
    assert records(remote, "work") == {}


def test_git_that_hangs_is_ended_with_all_that_it_started(repo: Path, tmp_path: Path):
    script = f"!sh -c 'echo $$ > {tmp_path}/pid; exec sleep 600'"
    for seconds in (0.5, 5.0, 60.0):  # until there was time to start it
        answer = Repo.open(repo).ask_remote("-c", f"alias.hang={script}", "hang", seconds=seconds)
        assert answer.status == 124
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            break
    hung = Path("/proc") / (tmp_path / "pid").read_text().strip()
    for _ in range(500):  # whoever inherits it may need a moment to collect it
        if not (hung / "cmdline").exists() or not (hung / "cmdline").read_bytes():
            return
        time.sleep(0.02)
    raise AssertionError("git's child outlived it")


def test_p28_eight_worktrees_that_commit_and_push_at_once_lose_no_record(
    repo: Path, remote: Path, tmp_path: Path
):
    for number in range(8):
        git(repo, "worktree", "add", "-q", "-b", f"w{number}", str(tmp_path / f"w{number}"))
    script = "echo x > f; git add f; git commit -qm x && git push -q origin HEAD"
    running = [
        subprocess.Popen(["sh", "-c", script], cwd=tmp_path / f"w{number}", stderr=subprocess.PIPE)
        for number in range(8)
    ]
    said = [process.communicate()[1] for process in running]
    assert said == [b""] * 8
    made = {number: head(tmp_path / f"w{number}") for number in range(8)}
    assert {number: set(records(remote, f"w{number}")) for number in range(8)} == {
        n: {oid} for n, oid in made.items()
    }
    kept = read_records(Repo.open(repo), made.values())
    assert set(kept) == set(made.values())


def test_the_hook_of_a_linked_worktree_and_a_bare_repository_push_too(
    repo: Path, remote: Path, tmp_path: Path
):
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "my side"))
    made = commit(tmp_path / "my side", {"f": "x\n"}, "x")
    assert push(tmp_path / "my side", "origin", "side") == ""
    assert set(records(remote, "side")) == {made}


def test_a_push_by_url_and_to_another_name(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x")
    assert push(repo, str(remote), "work:other-name") == ""
    assert set(records(remote, "other-name")) == {made}
    assert records(remote, "work") == {}


@pytest.mark.parametrize(
    ("name", "pushed"),
    [
        (os.fsdecode(b"caf\xe9/x"), "{name}"),
        ("one\u2028two\x85three", "{name}"),
        ("plain", ":/the commit that:refs/heads/{name}"),
    ],
    ids=["not UTF-8", "line breaks of Unicode", "named by its message"],
)
def test_a_branch_with_an_odd_name_has_its_record_ref(name: str, pushed: str, repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", name)
    made = commit(repo, {"f": "x\n"}, "the commit that is pushed")
    assert push(repo, "origin", pushed.format(name=name)) == ""
    assert set(records(remote, name)) == {made}


def test_a_push_under_an_agent_calls_nobodys_commit_human(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "by hand")
    push(repo, "origin", "work", env=CLAUDE_ENV)
    assert records(remote, "work")[made].cls == ""


def test_secrets_of_the_environment_are_nowhere_in_what_is_published(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    secret = {"CLAUDE_CODE_MESSAGING_TOKEN": "hunter2hunter2", "OPENAI_API_KEY": "sk-hunter2", **CLAUDE_ENV}
    commit(repo, {"f": "x\n"}, "x", env=secret)
    push(repo, "origin", "work", env=secret)
    everything = b"".join(files(remote, "work").values())
    assert b"claude-code" in everything
    assert b"hunter2" not in everything
    assert CLAUDE_ENV["CLAUDE_CODE_SESSION_ID"].encode() not in everything


def test_the_local_notes_hold_the_same_records_and_survive_gc(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    git(repo, "gc", "-q", "--prune=now")
    assert (
        git(repo, "notes", "--ref", "foureyes", "show", made).encode()
        == files(remote, "work")[f"records/{made}"]
    )


def test_a_repository_without_hooks_of_ours_pushes_as_ever(tmp_path: Path):
    repo = make_repo(tmp_path / "plain")
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    push(repo, "origin", "work")
    assert files(remote, "work") == {}


def test_others_who_are_faster_time_and_again_cost_no_record(repo: Path, remote: Path, tmp_path: Path):
    """Eight people, each of whom another one overtakes."""
    git(repo, "checkout", "-q", "-b", "work")
    first = commit(repo, {"f": "x\n"}, "x")
    push(repo, "origin", "work")
    times = tmp_path / "times"
    overtake = (
        f'[ "$(cat {times} | wc -l)" -ge 8 ] || {{ echo >> {times}; git update-ref "$1" '
        '"$(git commit-tree -p "$2" -m other "$2^{tree}")" "$2"; }'
    )
    times.touch()
    refuse_records(remote, overtake)
    second = commit(repo, {"f": "y\n"}, "y")
    assert push(repo, "origin", "work") == ""
    assert len(times.read_text()) == 8
    assert set(records(remote, "work")) == {first, second}


def test_a_push_that_replaces_the_records_themselves_goes_through_and_they_can_come_back(
    repo: Path, remote: Path
):
    """What is not here goes there, by `git push --mirror`: publishing at the same time made that fail."""
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x")
    assert push(repo, "--mirror", "origin") == ""
    assert set(records(remote, "work")) == {made}
    later = commit(repo, {"f": "y\n"}, "y")
    assert "Put them back with: foureyes publish" in push(repo, "--mirror", "origin")
    assert git(remote, "rev-parse", "work") == later
    assert records(remote, "work") == {}
    foureyes(repo, "publish")
    assert set(records(remote, "work")) == {made, later}
