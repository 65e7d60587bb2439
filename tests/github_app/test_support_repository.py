"""What the tests write into repositories by themselves is what git would have written."""

import re
from pathlib import Path
from typing import Any

import pytest
import support_repository
from support_repository import Bare

LINK, MODULE = ("120000", "1" * 40), ("160000", "2" * 40)
TREES: dict[str, dict[str, Any]] = {
    "files and folders": {"a": "1\n", "a.b": b"\0", "a-b/c": "", "a/b/c": "2\n", ".github/foureyes.yml": "x"},
    "modes": {"link": LINK, "module": MODULE, "run.sh": ("100755", "3" * 40), "same": ("100644", "3" * 40)},
    "none": {},
    "odd names": {"ä": "1", ".hidden": "2", "a\nb": "3", "b~c": "4", "c\\d": "5"},
    "an odd mode": {"a": ("100664", "3" * 40)},
    "a file and a folder": {"a": "1", "a/b": "2"},
}
COMMITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "text": {"message": "Subject\n\nBody: ä\n\n\n"},
    "people": {"author": ("renovate[bot]", "1+r@x.example"), "committer": ("A", "a@b.example")},
    "names that git cleans": {"author": (" Olga. ", "<olga@x.example>")},
}


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare.make(tmp_path / "bare.git")


@pytest.fixture
def by_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bare:
    """A repository of the same in which git does it all."""
    never = re.compile("(?!)")
    made = Bare.make(tmp_path / "by-git.git")
    monkeypatch.setattr(support_repository, "_PLAIN_PART", never)
    monkeypatch.setattr(support_repository, "_PLAIN_NAME", never)
    monkeypatch.setattr(made, "blob", lambda content: made.git(*HASH, stdin=as_bytes(content)))
    return made


HASH = ("hash-object", "-w", "--stdin")


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize("files", TREES.values(), ids=TREES)
def test_trees(bare: Bare, files: dict[str, Any], request: pytest.FixtureRequest) -> None:
    made = bare.tree(files)
    assert made == request.getfixturevalue("by_git").tree(files)


@pytest.mark.parametrize("options", COMMITS.values(), ids=COMMITS)
def test_commits(bare: Bare, options: dict[str, Any], request: pytest.FixtureRequest) -> None:
    def history(repository: Bare) -> list[str]:
        one, other = repository.commit({"a": "1\n"}), repository.commit({"b": "1\n"}, **options)
        return [one, other, repository.commit({"a": "2\n"}, one, other, **options)]

    made = history(bare)
    assert bare.git("rev-list", "--objects", made[-1])
    assert made == history(request.getfixturevalue("by_git"))
