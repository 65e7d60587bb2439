"""`foureyes show`: what a person reads, and that it tells what is kept, fetched or only built."""

import json
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_git import commit, git, head, make_repo, run
from support_hooked import copy_hooked, make_remote, push
from support_in_process import ended, said
from support_keys import home, make_key

from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records, read_records


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def shown(repo: Path, *arguments: str) -> dict:
    return json.loads(said(repo, "show", "--json", *arguments))


def test_a_person_reads_who_how_much_and_what_was_destroyed(repo: Path):
    commit(repo, {f"d/{n}": "x\n" * 50 for n in range(30)} | {"f": "one\n"}, "many")
    agent = Agent(repo)
    agent.write("f", "one\ntwo\nthree\n")
    agent.shell("git rm -rq d && git add f && git commit -qm 'Remove d'")
    text = said(repo, "show")
    assert text.startswith(f"{head(repo)[:10]}  Remove d\n")
    assert "Claude Code 2.1.330" in text
    assert "@olga" in text
    assert "31 files, 30 deleted; 2 lines added, 1,500 deleted" in text
    assert "D d/0  +0 -50" in text
    assert "and 11 more" in text
    assert "built just now" in text
    assert "\x1b[" not in text


def test_a_commit_that_was_seen_and_whose_writer_is_not_clear_is_not_called_unseen(repo: Path):
    commit(repo, {"f": "one\n"}, "in an editor's terminal", env={"CLAUDECODE": "1"})
    assert "no class: who wrote it was not clear" in said(repo, "show")


def test_an_agent_with_several_sessions_is_named_once(repo: Path):
    for name in "abc":
        Agent(repo, session=name).write(name, f"by {name}\n")
    commit(repo, {}, "three")
    assert [line for line in said(repo, "show").splitlines() if "Claude" in line] == [
        "agents     Claude Code 2.1.330 (known by its own hooks), in 3 sessions"
    ]


def test_it_shows_what_is_kept_and_published_and_by_which_key_it_is_signed(repo: Path, tmp_path: Path):
    make_remote(repo, tmp_path / "remote.git")
    key = make_key(home() / ".ssh" / "id_ed25519")
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    assert (shown(repo)["source"], shown(repo)["published"]) == ("built", [])
    push(repo, "origin", "work")
    told = shown(repo, made[:12])
    assert (told["source"], told["class"], told["matches"]) == ("kept", "ai", True)
    fingerprint = run(["ssh-keygen", "-l", "-f", key], tmp_path).stdout.decode().split()[1]
    assert [listed["signed_by"] for listed in told["published"]] == [fingerprint]
    assert f"published, signed with {fingerprint}" in said(repo, "show")


def test_a_colleagues_record_is_read_from_the_remotes_ref(repo: Path, tmp_path: Path):
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    Agent(repo).write("f", "by ai\n")
    commit(repo, {}, "x")
    push(repo, "origin", "work")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "other"))
    assert shown(tmp_path / "other", "--offline")["source"] == "built"
    assert shown(tmp_path / "other", "--offline")["class"] is None
    told = shown(tmp_path / "other")
    assert (told["source"], told["class"]) == ("remote", "ai")
    assert "published without a signature" in said(tmp_path / "other", "show")


def test_a_signature_that_was_tampered_with_is_told(repo: Path, tmp_path: Path):
    remote = make_remote(repo, tmp_path / "remote.git")
    make_key(home() / ".ssh" / "id_ed25519")
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "x", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    (ref,) = git(repo, "for-each-ref", "--format=%(refname)", "refs/foureyes/seen").split()
    (name,) = git(repo, "ls-tree", "-r", "--name-only", ref, "pushes/").split()
    envelope = json.loads(git(repo, "cat-file", "blob", f"{ref}:{name}"))
    sig = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = sig[:-8] + ("A" if sig[-8] != "A" else "B") + sig[-7:]
    from foureyes.hooks.store import Put, commit_files, tip_of

    opened = Repo.open(repo)
    assert commit_files(opened, ref, tip_of(opened, ref), [Put(name, json.dumps(envelope).encode())], at=1)
    told = shown(repo, made)
    assert [listed["signed_by"] for listed in told["published"]] == [None]
    assert "its signature does not count" in said(repo, "show")
    assert remote.exists()


def test_a_record_that_is_for_another_commit_is_told(repo: Path):
    first = head(repo)
    made = commit(repo, {"f": "x\n"}, "x")
    record = json.loads(said(repo, "show", first, "--json"))["record"]
    from foureyes.shared.canonical import canonical_bytes

    keep_records(Repo.open(repo), {made: canonical_bytes(record)}, at=1)
    assert shown(repo, made)["matches"] is False
    assert "it is for another commit" in said(repo, "show", made)


def test_showing_stores_nothing(repo: Path):
    made = commit(repo, {"f": "x\n"}, "x")
    before = git(repo, "for-each-ref")
    said(repo, "show")
    assert git(repo, "for-each-ref") == before
    assert read_records(Repo.open(repo), [made]) == {}


def test_the_edge_of_a_shallow_clone_is_no_whole_new_tree(repo: Path, tmp_path: Path):
    commit(repo, {"f": "x\n"}, "x")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", str(tmp_path / "shallow"))
    status, _, told = ended(tmp_path / "shallow", "show")
    assert (status, "--deepen" in told) == (1, True)
    made = commit(tmp_path / "shallow", {"g": "y\n"}, "y")
    assert shown(tmp_path / "shallow", made)["record"]["predicate"]["totals"]["files"] == 1


def test_errors_say_what_to_do(repo: Path, tmp_path: Path):
    def refused(cwd: Path, *arguments: str) -> tuple[int, str]:
        status, out, told = ended(cwd, "show", *arguments)
        assert out == ""
        return status, told

    status, text = refused(repo, "no-such-commit")
    assert (status, "is not a commit here" in text) == (2, True)
    status, text = refused(repo, "--", "--all")
    assert (status, "is not a commit here" in text) == (2, True)
    status, text = refused(tmp_path)
    assert (status, "not in a git repository" in text) == (1, True)
    make_repo(tmp_path / "empty", first_commit=False)
    status, text = refused(tmp_path / "empty")
    assert (status, "nothing is committed on this branch yet" in text) == (2, True)
    keep_records(Repo.open(repo), {head(repo): b'{"_type":"something else"}'}, at=1)
    status, text = refused(repo)
    assert status == 1
    assert "to the gate this commit has no record" in text


def test_how_a_person_likes_their_diffs_changes_no_record(repo: Path, monkeypatch: pytest.MonkeyPatch):
    lines = [f"line {n}\n" for n in range(40)]
    commit(repo, {"long": "".join(lines)}, "a long file")
    commit(repo, {"long": "".join(lines[:20] + lines[21:])}, "one line less")
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u5")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert '"deleted": 1' in said(repo, "show", "--json", "HEAD")


@pytest.mark.parametrize(
    "who",
    [
        "A <a@x> -5 +0000",
        "A <a@x> 999999999999999999999999 +0000",
        "A <a@x> 1700000000 +9999",
        "A <a@x>",
        "A <<a@x>> 1700000000 +0000",
        "A <a@x 1700000000 +0000",
        " <> soon +0000",
    ],
)
def test_commits_of_old_and_imported_histories_keep_nothing_from_being_recorded(repo: Path, who: str):
    """On any branch: all that is in sight is looked through for what a commit was made from."""
    lines = f"tree {git(repo, 'rev-parse', 'HEAD^{tree}')}\nparent {head(repo)}\nauthor {who}\ncommitter {who}\n\nm\n"
    asked = ("hash-object", "-t", "commit", "-w", "--stdin", "--literally")
    odd = git(repo, *asked, stdin=lines.encode())
    git(repo, "branch", "odd", odd)
    Agent(repo).write("f", "by ai\n")
    commit(repo, {}, "x")
    assert shown(repo)["class"] == "ai"
    assert shown(repo, odd)["class"] is None
    assert json.loads(said(repo, "log", "odd", "--json"))[0]["commit"] == odd
