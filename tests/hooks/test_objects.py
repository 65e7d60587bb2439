"""What one process of git tells, against what git tells in many."""

from pathlib import Path

import pytest
from support_git import commit, git, head

from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records, notes_of
from foureyes.shared.errors import UserError


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main", f"--object-format={request.param}")
    commit(repo, {"f": "x\n"}, "first")
    return repo


def test_contents_by_any_name_and_none_for_what_is_not_there(repo: Path):
    commit(repo, {"f": "", "g": "a\n\0b"}, "second")
    first = git(repo, "rev-parse", "HEAD~:f")
    names = [
        "HEAD:g",
        "HEAD:f",
        "HEAD:none",
        first,
        "refs/notes/none:x",
        "0" * len(first),
        "HEAD:no such place",
    ]
    with Objects(repo) as objects:
        assert objects.read(names) == [b"a\n\0b", b"", None, b"x\n", None, None, None]
        assert objects.read(names * 500) == objects.read(names) * 500, "more than a pipe holds"
        assert objects.read([]) == []
        assert objects.tree("HEAD^{tree}", len(first)) == {
            name: git(repo, "rev-parse", f"HEAD:{name}") for name in "fg"
        }
        assert objects.tree("HEAD:none", len(first)) == {}


@pytest.mark.parametrize("count", [3, 600])
def test_notes_however_git_spreads_them(repo: Path, count: int):
    here = Repo.open(repo)
    asked = "".join(f"commit refs/heads/x\ncommitter x <x@x> {n} +0000\ndata 0\n" for n in range(count))
    git(repo, "fast-import", "--quiet", "--done", stdin=f"{asked}done\n".encode())
    oids = git(repo, "rev-list", "x").split()
    keep_records(here, {oid: b"about " + oid.encode() for oid in oids}, at=1)
    wanted = {head(repo), *oids[::3]}
    with Objects(repo) as objects:
        found = objects.notes("refs/notes/foureyes", wanted)
        assert found == {oid: note for oid, note in notes_of(here).items() if oid in wanted}
        assert objects.read(found.values()) == [b"about " + oid.encode() for oid in found]
        assert objects.notes("refs/notes/foureyes", set()) == objects.notes("refs/notes/none", wanted) == {}
        assert objects.refs("refs/notes/") == ["refs/notes/foureyes"]


def test_whoever_is_asked_outside_of_a_repository_says_so(tmp_path: Path):
    with Objects(tmp_path) as objects, pytest.raises(UserError, match="ended before"):
        objects.read(["HEAD"])
