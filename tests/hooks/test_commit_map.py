"""After `git filter-repo` the old commits are gone, with their reflogs. Its map, what the hooks noted and kept records are
what is left. The rewriting is done here with plain git, and the map written as filter-repo 2.47 writes it.
"""

from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_built import OLGA, record
from support_git import commit, git, head, write
from support_hooked import copy_hooked

from foureyes.hooks.build import build
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records
from foureyes.shared.record import record_bytes

MAP = ".git/filter-repo/commit-map"
HEADING = "old                                      new\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Lines of an agent and of a person in one commit of the person's, then one of the person alone."""
    made = copy_hooked(tmp_path / "repo")
    Agent(made).write("a", "ai first line\nai second line\n")
    write(made, {"a": "ai first line\nai second line\nhuman third line\n"})
    commit(made, {"README": "human greeting\n"}, "both")
    commit(made, {"b": "human only\n"}, "person only")
    return made


def keep(repo: Path) -> None:
    commits = git(repo, "rev-list", "HEAD").split()
    made = build(Repo.open(repo), commits, OLGA)
    keep_records(Repo.open(repo), {oid: record_bytes(one) for oid, one in made.items()}, at=1)


def move_below(repo: Path, folder: str) -> dict[str, str]:
    """As `git filter-repo --path-rename :FOLDER/`: all history made again, and nothing left of the old one."""
    made: dict[str, str] = {}
    for old in git(repo, "rev-list", "--reverse", "HEAD").split():
        git(repo, "read-tree", "--empty")
        git(repo, "read-tree", f"--prefix={folder}/", old)
        names = ("GIT_AUTHOR_DATE", "%at"), ("GIT_COMMITTER_DATE", "%ct")
        dates = {name: f"@{git(repo, 'log', '-1', f'--format={form}', old)} +0000" for name, form in names}
        parents = [
            word for one in git(repo, "log", "-1", "--format=%P", old).split() for word in ("-p", made[one])
        ]
        message = git(repo, "log", "-1", "--format=%B", old)
        made[old] = git(repo, "commit-tree", git(repo, "write-tree"), *parents, "-m", message, env=dates)
    git(repo, "reset", "-q", "--hard", made[head(repo)])
    git(repo, "clean", "-qfd")
    git(repo, "update-ref", "-d", "ORIG_HEAD")
    git(repo, "reflog", "expire", "--expire=now", "--all")
    git(repo, "gc", "-q", "--prune=now")
    (repo / MAP).parent.mkdir()
    (repo / MAP).write_text(HEADING + "".join(f"{old} {new}\n" for old, new in made.items()))
    return made


def parts(repo: Path, name: str) -> list[tuple[str, str, int, int, str]]:
    return [
        (p.path, p.side, p.start, p.count, p.cls) for p in record(repo, name).contributors if p.cls == "ai"
    ]


@pytest.mark.parametrize("kept", [True, False], ids=["from the record", "from the evidence"])
def test_a_history_that_filter_repo_moved_keeps_what_agents_wrote_and_nothing_human(repo: Path, kept: bool):
    old = head(repo, "HEAD~")
    if kept:
        keep(repo)
    move_below(repo, "sub")
    found = record(repo, "HEAD~")
    assert (found.cls, [agent.id for agent in found.agents]) == ("ai", ["claude-code"])
    assert parts(repo, "HEAD~") == [("sub/a", "added", 1, 2, "ai")]
    assert {part.cls for part in found.contributors} == {"ai", "unknown"}
    assert [(parent.commit, parent.how) for parent in found.lineage] == [(old, "filter-repo")]
    assert found.operator.claim == "olga"
    alone = record(repo)
    assert (alone.cls, {part.cls for part in alone.contributors}) == ("", {"unknown"})


def test_what_an_agent_removed_or_made_is_carried_too(repo: Path):
    Agent(repo, session="another").shell("git rm -q a")
    commit(repo, {}, "removes")
    commit(repo, {"c": "ai by git\n"}, "message without a word of it", env=CLAUDE_ENV)
    git(repo, "commit", "-q", "--amend", "-m", "no trailer any more")
    keep(repo)
    move_below(repo, "sub")
    assert parts(repo, "HEAD~") == [("sub/a", "removed", 1, 3, "ai")]
    assert parts(repo, "HEAD") == [("sub/c", "added", 1, 1, "ai")]


def test_without_a_record_the_hooks_still_tell_which_agent_ran_git(repo: Path):
    agent = {"CLAUDECODE": "1", "AI_AGENT": "claude-code_2-1-330_agent"}
    commit(repo, {"c": "ai by git\n"}, "one", env=agent)
    git(repo, "commit", "-q", "--amend", "-m", "no trailer", env={"FOUREYES_SKIP": "1"})
    move_below(repo, "sub")
    found = record(repo)
    assert (found.cls, [one.id for one in found.agents]) == ("ai", ["claude-code"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADING,
        "\0\xff\n \n  \n" * 1000,
        f"{'x' * 40} HEAD\n",
        f"HEAD HEAD HEAD\nHEAD HEAD\n{'0' * 40} HEAD\n{'1' * 39} HEAD\n",
        "a" * 100_000,
    ],
    ids=["empty", "heading", "bytes", "no ids", "of itself and of nothing", "one long line"],
)
def test_a_map_that_tells_nothing_changes_nothing(repo: Path, text: str):
    before = record(repo)
    (repo / MAP).parent.mkdir()
    (repo / MAP).write_bytes(text.replace("HEAD", head(repo)).encode("latin-1"))
    found = record(repo)
    assert (found.cls, found.contributors) == (before.cls, before.contributors)


def test_what_the_hooks_saw_being_made_is_not_what_a_map_makes_of_it(repo: Path):
    (repo / MAP).parent.mkdir()
    (repo / MAP).write_text(f"{'1' * 40} {head(repo)}\n")
    assert (record(repo).cls, record(repo).lineage) == ("human", ())


def test_a_person_amends_what_filter_repo_made(repo: Path):
    keep(repo)
    git(repo, "reset", "-q", "--hard", "HEAD~")
    move_below(repo, "sub")
    commit(
        repo, {"sub/a": "ai first line\nai second line\nhuman third line\nhuman fourth\n"}, "more", "--amend"
    )
    assert record(repo).cls == "ai"
    assert parts(repo, "HEAD") == [("sub/a", "added", 1, 2, "ai")]


def test_a_map_of_a_folder_or_without_end_is_passed_over(repo: Path, monkeypatch: pytest.MonkeyPatch):
    (repo / MAP).mkdir(parents=True)
    assert record(repo).cls == "human"
    (repo / MAP).rmdir()
    monkeypatch.setattr("foureyes.hooks.commit_map._LARGEST", 60)
    (repo / MAP).write_text(f"{head(repo, 'HEAD~')} {head(repo)}\n")
    assert record(repo).lineage == ()
