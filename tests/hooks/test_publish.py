"""`foureyes publish`, and what names a remote."""

import json
from pathlib import Path

import pytest
from support_git import HOOKS_OFF, commit, git, head, write
from support_hooked import copy_hooked, envelopes, make_remote, push, records, refuse_records
from support_in_process import ended, said
from support_keys import home, make_key

from foureyes.hooks import lacking
from foureyes.hooks.build import Builder
from foureyes.hooks.publish import Remote, publish
from foureyes.hooks.repo import Repo
from foureyes.shared import dsse

OLGA = Builder("person@example.com", "olga", "", ())


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


@pytest.fixture
def remote(repo: Path, tmp_path: Path) -> Path:
    return make_remote(repo, tmp_path / "remote.git")


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://github.com/acme/shop.git", "github.com/acme/shop"),
        ("https://olga:token@github.com/acme/shop", "github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "github.com/acme/shop"),
        ("ssh://git@ghe.acme.example:2222/acme/shop.git", "ghe.acme.example:2222/acme/shop"),
        ("http://127.0.0.1:8080/acme/shop.git", "127.0.0.1:8080/acme/shop"),
        ("/srv/git/shop.git", ""),
        ("../shop.git", ""),
        ("file:///srv/git/shop.git", ""),
        ("", ""),
    ],
)
def test_the_repository_is_named_by_its_address_without_secrets(url: str, slug: str):
    assert Remote("origin", url).slug == slug


@pytest.mark.parametrize("default", ["simple", "upstream"])
def test_a_branch_that_was_begun_at_main_is_published_under_the_name_that_it_is_pushed_to(
    repo: Path, remote: Path, default: str
):
    """Its upstream is `origin/main`, unless pushes are said to go there."""
    git(repo, "checkout", "-q", "-b", "work", "--track", "origin/main")
    git(repo, "config", "push.default", default)
    pushed = commit(repo, {"f": "x\n"}, "x")
    git(repo, "push", "-q", "--no-verify", "origin", "work")
    told = json.loads(said(repo, "publish", "--json"))
    assert told["branch"] == ("refs/heads/work" if default == "simple" else "refs/heads/main")
    assert set(records(remote, "work")) == ({pushed} if default == "simple" else set())


def test_publish_by_hand_makes_good_what_a_push_could_not(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    pushed = commit(repo, {"f": "x\n"}, "x")
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "work")
    commit(repo, {"f": "y\n"}, "not pushed yet")
    told = json.loads(said(repo, "publish", "--json"))
    assert (told["records"], told["signed_by"], told["problem"]) == (1, None, None)
    assert set(records(remote, "work")) == {pushed}
    make_key(home() / ".ssh" / "id_ed25519")
    told = json.loads(said(repo, "publish", "--json"))
    assert told["signed_by"].startswith("SHA256:")
    assert sorted(len(dsse.parse(data).signatures) for data in envelopes(remote, "work")) == [1]
    assert "signed     with SHA256:" in said(repo, "publish")


def test_publish_says_what_is_in_its_way(repo: Path, tmp_path: Path):
    def refused(*arguments: str) -> str:
        status, _, told = ended(repo, *arguments)
        assert status in {1, 2}
        return told

    assert "no remote `origin`" in refused("publish")
    make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    assert "not on origin yet" in refused("publish")
    assert "no remote `nowhere`" in refused("publish", "--remote", "nowhere")
    git(repo, "checkout", "-q", "--detach")
    assert "no branch is checked out" in refused("publish")
    git(repo, "checkout", "-q", "work")
    commit(repo, {"f": "x\n"}, "x")
    git(repo, "push", "-q", "--no-verify", "origin", "work")
    refuse_records(tmp_path / "remote.git")
    assert "did not reach origin" in refused("publish")


def test_what_a_push_to_the_default_branch_could_not_publish_is_made_good(repo: Path, remote: Path):
    refuse_records(remote)
    first = commit(repo, {"f": "x\n"}, "x")
    assert "Try again with: foureyes publish" in push(repo, "origin", "main")
    (remote / "hooks" / "update").unlink()
    assert json.loads(said(repo, "publish", "--json"))["records"] == 1
    assert set(records(remote, "main")) == {first}
    refuse_records(remote)
    second = commit(repo, {"f": "y\n"}, "y")
    push(repo, "origin", "main")
    (remote / "hooks" / "update").unlink()
    third = commit(repo, {"f": "z\n"}, "z")
    assert push(repo, "origin", "main") == ""
    assert set(records(remote, "main")) == {first, second, third}
    assert json.loads(said(repo, "publish", "--json"))["records"] == 3, "signed anew"


def test_what_a_branch_published_is_not_published_again_with_the_default_branch(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"f": "x\n"}, "x")
    push(repo, "origin", "work")
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--ff-only", "work")
    git(repo, "push", "-q", "--no-verify", "origin", "main")
    last = commit(repo, {"f": "y\n"}, "y")
    push(repo, "origin", "main")
    assert set(records(remote, "main")) == {last}


def test_more_commits_than_one_push_takes_along_are_published_by_the_next(
    repo: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
):
    git(repo, "checkout", "-q", "-b", "work")
    seen = [commit(repo, {"f": f"{number}\n"}, "seen") for number in range(3)]
    write(repo, {"g": "x\n"})
    git(repo, "add", "-A")
    git(repo, *HOOKS_OFF, "commit", "-qm", "not seen")
    monkeypatch.setattr(lacking, "_MOST_COMMITS", 2)
    here, origin = Repo.open(repo), Remote("origin", str(remote))
    branch = lacking.Branch("refs/heads/work", head(repo))

    def published(*, again: bool) -> tuple[int, int]:
        (told,) = publish(here, origin, [branch], OLGA, again=[branch] if again else []).branches
        return told.count, told.left

    assert published(again=False) == (2, 1)
    assert set(records(remote, "work")) == set(seen[1:]), "first what the hooks saw, the newest of it"
    assert published(again=False) == (2, 0)
    assert set(records(remote, "work")) == {*seen, head(repo)}
    assert published(again=False) == (0, 0)
    assert published(again=True) == (2, 0)
