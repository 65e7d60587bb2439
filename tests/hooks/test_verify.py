"""`foureyes verify`: what holds and what does not, by records fetched from the remote."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import commit, git, head, make_repo, write
from support_hooked import copy_hooked, files, make_remote, push
from support_in_process import ended
from support_keys import home, make_key

from foureyes.hooks.repo import Repo
from foureyes.hooks.show import find
from foureyes.hooks.store import Put, commit_files, tip_of
from foureyes.hooks.verify import verify as judge
from foureyes.shared.record import parse_record, record_bytes
from foureyes.shared.record_ref import record_ref


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


@pytest.fixture
def remote(repo: Path, tmp_path: Path) -> Path:
    return make_remote(repo, tmp_path / "remote.git")


@pytest.fixture
def clone(repo: Path, remote: Path, tmp_path: Path) -> Path:
    """A colleague's clone of two signed commits on `work`."""
    make_key(home() / ".ssh" / "id_ed25519")
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "ai\n"}, "ai", env=CLAUDE_ENV)
    commit(repo, {"g": "human\n"}, "by hand")
    push(repo, "origin", "work")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "clone"))
    return tmp_path / "clone"


def verify(repo: Path, *arguments: str, status: int) -> str:
    was, out, told = ended(repo, "verify", *arguments)
    assert was == status, told
    return out or told


def problems(repo: Path, *arguments: str) -> list[list[str]]:
    told = json.loads(verify(repo, *arguments, "--offline", "--json", status=1))
    assert told["holds"] is False
    return [one["problems"] for one in told["commits"]]


def test_a_colleagues_records_are_fetched_and_hold(clone: Path):
    told = json.loads(verify(clone, "origin/main..work", "--json", status=0))
    assert (told["holds"], told["notice"]) == (True, None)
    assert [(one["class"], one["holds"], one["agents"]) for one in told["commits"]] == [
        ("ai", True, ["claude-code"]),
        ("human", True, []),
    ]
    (key,) = told["commits"][0]["signed_by"]
    text = verify(clone, "origin/main..work", status=0)
    assert "2 of 2 commits hold" in text
    assert f"signed with {key}" in text
    assert "\x1b[" not in text


def test_offline_asks_nobody(clone: Path):
    assert problems(clone, "HEAD") == [["no record is published"]]
    assert git(clone, "for-each-ref", "refs/foureyes") == ""


def test_a_commit_without_record_an_unsigned_one_and_one_that_is_not_published(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    assert "no record is published" in verify(repo, "HEAD", status=1)
    push(repo, "origin", "work")
    assert "it was published without a signature" in verify(repo, "HEAD", status=1)
    assert "0 of 1 commits hold" in verify(repo, status=1)


def tamper(clone: Path, path: str, content: bytes) -> None:
    verify(clone, status=0)
    opened = Repo.open(clone)
    (ref,) = git(clone, "for-each-ref", "--format=%(refname)", "refs/foureyes/seen").split()
    assert commit_files(opened, ref, tip_of(opened, ref), [Put(path, content)], at=1)


def test_every_kind_of_lie_is_told_by_its_name(repo: Path, remote: Path, clone: Path):
    name = f"records/{head(clone)}"
    honest = files(remote, "work")[name]
    record = parse_record(honest)
    unlisted = "no push lists this record"
    fewer = replace(record, files=(replace(record.files[0], added=0, new_blob="1" * 40),))
    for lie, told in {
        record_bytes(replace(record, cls="human", hooks=())): [unlisted],
        record_bytes(replace(record, commit="1" * 40)): [
            "the record is for another commit, 1111111111",
            unlisted,
        ],
        record_bytes(replace(record, tree="1" * 40)): ["the record is for another tree", unlisted],
        record_bytes(fewer): ["the record counts other changes than git does", unlisted],
    }.items():
        tamper(clone, name, lie)
        assert problems(clone) == [told]
        tamper_back(clone, name, honest)
    tamper(clone, name, b"{}")
    assert problems(clone)[0][0].startswith("the record was not read: ")
    tamper_back(clone, name, honest)
    (pushed,) = [path for path in files(remote, "work") if path.startswith("pushes/")]
    envelope = json.loads(files(remote, "work")[pushed])
    sig = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = sig[:-8] + ("A" if sig[-8] != "A" else "B") + sig[-7:]
    tamper(clone, pushed, json.dumps(envelope).encode())
    ((problem,),) = problems(clone)
    assert problem.startswith("its signature does not count: ")


def tamper_back(clone: Path, path: str, content: bytes) -> None:
    opened = Repo.open(clone)
    (ref,) = git(clone, "for-each-ref", "--format=%(refname)", "refs/foureyes/seen").split()
    assert commit_files(opened, ref, tip_of(opened, ref), [Put(path, content)], at=2)


def test_of_several_records_the_best_one_tells(clone: Path, remote: Path):
    opened = Repo.open(clone)
    lie = Put(f"records/{head(clone)}", b"{}")
    assert commit_files(opened, record_ref("another"), "", [lie], at=3)
    verify(clone, status=0)


def test_a_rewritten_commit_has_no_record(clone: Path):
    git(clone, "commit", "-q", "--amend", "-m", "rewritten")
    verify(clone, "HEAD~", status=0)
    assert "no record is published" in verify(clone, "HEAD", status=1)


def test_the_edge_of_a_shallow_clone_and_an_unreachable_remote_are_told(
    repo: Path, remote: Path, clone: Path
):
    git(
        clone.parent,
        "clone",
        "-q",
        "--depth=1",
        "-b",
        "work",
        f"file://{remote}",
        str(clone.parent / "shallow"),
    )
    told = json.loads(verify(clone.parent / "shallow", "--json", status=1))
    assert told["commits"][0]["problems"] == [
        "what the commit changed cannot be told here: its parent is not in this clone"
    ]
    verify(clone, status=0)
    git(clone, "remote", "set-url", "origin", "https://olga:secret@127.0.0.1:1/nowhere.git")
    told = json.loads(verify(clone, "--json", status=0))
    assert told["notice"].startswith("records were not fetched from origin: ")
    assert "secret" not in told["notice"]


def test_wrong_use(repo: Path, tmp_path: Path):
    assert "names no commits here" in verify(repo, "no-such", status=2)
    assert "names no commits here" in verify(repo, "--", "--all", status=2)
    git(repo, "update-ref", "refs/remotes/origin/theirs", "HEAD")
    git(repo, "remote", "add", "origin", tmp_path / "none")
    assert "only the remote has that branch: origin/theirs..HEAD" in verify(repo, "theirs..HEAD", status=2)
    assert "`nobodys` names no commits here" in verify(repo, "HEAD..nobodys", status=2)
    assert "no commits in this range" in verify(repo, "--offline", "HEAD..HEAD", status=0)
    git(repo, "remote", "remove", "origin")
    assert "there is no remote `nowhere` here" in verify(repo, "--remote", "nowhere", status=2)
    for told in (verify(repo, "HEAD:README", status=2), verify(repo, "HEAD^{tree}", "--json", status=2)):
        assert "names no commits here" in told
    empty = make_repo(tmp_path / "empty", first_commit=False)
    git(empty, "remote", "add", "origin", repo)
    git(empty, "fetch", "-q", "origin")
    git(empty, "remote", "set-head", "origin", "main")
    assert "nothing is committed on this branch yet" in verify(empty, status=2)
    write(repo, {"f": "x\n"})
    assert "no remote to fetch records from" in json.loads(verify(repo, "--json", status=1))["notice"]


def test_of_a_range_that_is_too_long_nothing_is_said_to_hold(repo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("foureyes.hooks.ranges.MOST_COMMITS", 2)
    for number in range(3):
        commit(repo, {"f": f"{number}\n"}, f"{number}")
    verify(repo, "--offline", "HEAD~2..HEAD", status=1)
    assert "names more than 2 commits" in verify(repo, "--offline", "HEAD~3..HEAD", status=2)


def test_many_record_refs_need_no_more_processes(repo: Path, remote: Path, monkeypatch: pytest.MonkeyPatch):
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "ai\n"}, "ai", env=CLAUDE_ENV)
    push(repo, "origin", "work")
    tip = git(repo, "for-each-ref", "--format=%(objectname)", "refs/foureyes").split()[0]
    opened, started = Repo.open(repo), []
    popen = subprocess.Popen

    def counted(*arguments, **options):
        started.append(arguments)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    counts = []
    for others in ("", "abc"):
        for other in others:
            git(repo, "update-ref", record_ref(other), tip)
        started.clear()
        find(opened, made, offline=True)
        judge(opened, [made])
        counts.append(len(started))
    assert counts[0] == counts[1]
