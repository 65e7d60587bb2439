"""What an agent's command puts into the index and does not leave in the work tree, and a person commits."""

from pathlib import Path

import pytest
from support_agent import Agent
from support_built import record
from support_git import commit, git, write
from support_hooked import copy_hooked

from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Record


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = copy_hooked(tmp_path / "repo")
    commit(repo, {"f": "one\ntwo\n", "g": "one\ntwo\n", "d/h": "one\n"}, "by hand")
    return repo


def committed(repo: Path, *arguments: str) -> Record:
    git(repo, "commit", "-qm", "by a person", *arguments)
    return record(repo)


def told(found: Record) -> dict[tuple[str, str, int, int], str]:
    return {(part.path, part.side, part.start, part.count): part.cls for part in found.contributors}


def test_p27_what_an_agent_takes_out_of_the_index_alone_is_its_deletion(repo: Path):
    Agent(repo).shell("git rm -rq --cached f d")
    found = committed(repo)
    assert (found.cls, found.agents[0].id) == ("ai", "claude-code")
    assert told(found) == {("f", "removed", 1, 2): "ai", ("d/h", "removed", 1, 1): "ai"}


@pytest.mark.parametrize(
    "script",
    [
        "echo three >>f && git add f && git restore --source=HEAD --worktree f",
        "git update-index --cacheinfo 100644,$( (cat f; echo three) | git hash-object -w --stdin),f",
        "printf '@@ -2,0 +3 @@\\n+three\\n' | sed '1i--- a/f\\n+++ b/f' | git apply --cached --unidiff-zero",
    ],
    ids=["staged and restored", "plumbing", "apply --cached"],
)
def test_what_an_agent_stages_alone_is_its_own(repo: Path, script: str):
    Agent(repo).shell(script)
    assert told(committed(repo)) == {("f", "added", 3, 1): "ai"}
    write(repo, {"f": "one\ntwo\nthree\nmine\n"})
    found = committed(repo, "-a")
    assert (found.cls, told(found)) == ("human", {("f", "added", 4, 1): "human"})


@pytest.mark.parametrize(
    "after", ["git reset -q", "git add -A", "git commit -qm moved && git reset -q --soft HEAD~"]
)
def test_who_stages_what_a_person_wrote_has_not_written_it(repo: Path, after: str):
    """Some of it, all of it, or none of it any more; and also where that is stored in another form."""
    git(repo, "config", "core.autocrlf", "true")
    write(repo, {"f": "mine\none\ntwo\nmine, too\n", "g": "one\r\ntwo\r\nmine\r\n"})
    staged = git(repo, "hash-object", "-w", "--stdin", stdin=b"mine\none\ntwo\n")
    agent = Agent(repo)
    agent.shell(f"git update-index --cacheinfo 100644,{staged},f", env={})
    agent.shell(after, env={})
    found = committed(repo, "-a")
    assert (found.cls, set(told(found).values())) == ("human", {"human"})


def test_what_has_no_content_of_its_own_is_passed_over(repo: Path, tmp_path: Path):
    """A submodule, and what is in conflict."""
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"f": "one\nside\n"}, "on the side")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"f": "one\nmain\n"}, "here")
    agent = Agent(repo)
    agent.shell("git merge -q side", ok=False)
    agent.shell(f"git update-index --add --cacheinfo 160000,{git(repo, 'rev-parse', 'HEAD')},sub")
    events = Evidence(Repo.open(repo).home).events()
    assert [(one.path, (one.after or "")[:2]) for event in events for one in event.touched] == [("f", "s:")]


def test_a_file_that_an_agent_had_deleted_and_somebody_brought_back_is_as_any_other(repo: Path):
    Agent(repo).shell("rm f; git rm -q --cached g")
    assert committed(repo, "-a").cls == "ai"
    commit(repo, {"f": "one\ntwo\n"}, "back again, by hand")
    commit(repo, {"f": "one\nmine\n", "g": "one\nmine\n"}, "by hand")
    found = record(repo)
    assert (found.cls, set(told(found).values())) == ("human", {"human"})
