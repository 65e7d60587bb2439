"""`foureyes publish`, and what names a remote."""

import json
import sys
from pathlib import Path

import pytest
from support_git import commit, foureyes, git, python_env, run
from support_hooked import envelopes, make_hooked, make_remote, records, refuse_records
from support_keys import home, make_key

from foureyes.hooks.publish import Remote
from foureyes.shared import dsse


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_hooked(tmp_path / "repo")


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


def test_publish_by_hand_makes_good_what_a_push_could_not(repo: Path, remote: Path):
    git(repo, "checkout", "-q", "-b", "work")
    pushed = commit(repo, {"f": "x\n"}, "x")
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "work")
    commit(repo, {"f": "y\n"}, "not pushed yet")
    told = json.loads(foureyes(repo, "publish", "--json"))
    assert (told["records"], told["signed_by"], told["problem"]) == (1, None, None)
    assert set(records(remote, "work")) == {pushed}
    make_key(home() / ".ssh" / "id_ed25519")
    told = json.loads(foureyes(repo, "publish", "--json"))
    assert told["signed_by"].startswith("SHA256:")
    assert sorted(len(dsse.parse(data).signatures) for data in envelopes(remote, "work")) == [1]
    assert "signed     with SHA256:" in foureyes(repo, "publish")


def test_publish_says_what_is_in_its_way(repo: Path, tmp_path: Path):
    def refused(*arguments: str) -> str:
        code = "from foureyes.hooks.cli import main; main()"
        done = run([sys.executable, "-c", code, *arguments], repo, env=python_env(), ok=False)
        assert done.returncode in {1, 2}
        assert b"Traceback" not in done.stderr
        return done.stderr.decode()

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
