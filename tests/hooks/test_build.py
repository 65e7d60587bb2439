"""Records of real commits, made through the real hooks by people and agents at work together."""

import json
import os
import re
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_built import OLGA, record
from support_git import HOOKS_OFF, commit, git, head, message, write
from support_hooked import copy_hooked

from foureyes.hooks import observe
from foureyes.hooks.build import Builder, build
from foureyes.hooks.capture_files import STYLES
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.journal import read_journal
from foureyes.hooks.place import put_in_place, settings_for
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records
from foureyes.shared.record import Record, record_bytes


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def lines(found: Record, path: str, side: str = "added") -> dict[int, str]:
    """Line number -> class. Fails if a line is named twice."""
    told: dict[int, str] = {}
    for part in found.contributors:
        if (part.path, part.side) == (path, side):
            for line in range(part.start, part.start + part.count):
                assert line not in told
                told[line] = part.cls
    return told


def test_p1_an_agent_appends_to_a_persons_file(repo: Path):
    commit(repo, {"f": "one\ntwo\n"}, "by hand")
    Agent(repo).write("f", "one\ntwo\nthree\nfour\n")
    commit(repo, {}, "more")
    found = record(repo)
    assert found.cls == "ai"
    assert lines(found, "f") == {3: "ai", 4: "ai"}
    assert lines(found, "f", "removed") == {}
    (agent,) = found.agents
    assert (agent.id, agent.version, agent.evidence) == ("claude-code", "2.1.330", ("agent-hook",))


@pytest.mark.parametrize("dirty", [False, True])
def test_a_mode_that_an_agents_shell_changed_is_its_work_and_one_that_a_person_changed_is_not(
    repo: Path, dirty: bool
):
    commit(repo, {"f": "#!/bin/sh\n", "g": "#!/bin/sh\n"}, "by hand")
    if dirty:
        write(repo, {"f": "#!/bin/sh\nby hand\n"})
    Agent(repo).shell("chmod +x f")
    commit(repo, {}, "the agent's")
    found = record(repo)
    assert (found.cls, lines(found, "f")) == ("ai", {2: "human"} if dirty else {})
    (repo / "g").chmod(0o755)
    Agent(repo).shell("cat f g")
    commit(repo, {}, "by hand")
    assert record(repo).cls == "human"


def test_p2_p3_p5_interleaved_hands_are_told_apart_line_by_line(repo: Path):
    commit(repo, {"f": "a\nb\nc\nd\n"}, "by hand")
    agent = Agent(repo)
    agent.write("f", "a\nAI 1\n\nb\nc\nAI 2\nAI 3\nd\n")
    write(repo, {"f": "a\nAI 1\n\nb\nby hand\nc\nAI 2\nrewritten by hand\nd\nlast by hand\n"})
    agent.write("f", "a\nAI 1\n\nb\nby hand\nc\nAI 2\nrewritten by hand\nAI 4\nd\nlast by hand\n")
    commit(repo, {}, "both")
    assert lines(record(repo), "f") == {
        2: "ai",
        3: "ai",
        5: "human",
        7: "ai",
        8: "human",
        9: "ai",
        11: "human",
    }


def test_p4_lines_that_an_agent_reindents_are_its_own(repo: Path):
    commit(repo, {"f": "def f():\n  return 1\n\ndef g():\n  return 2\n"}, "by hand")
    Agent(repo).shell("sed -i '2s/  /    /' f")
    commit(repo, {}, "reindent")
    found = record(repo)
    assert lines(found, "f") == {2: "ai"}
    assert lines(found, "f", "removed") == {2: "ai"}
    assert found.contributors[0].evidence == "shell-snapshot"
    assert found.contributors[0].confidence == "medium"


def test_p6_an_agent_that_only_reads_leaves_a_persons_commit_alone(repo: Path):
    Agent(repo).read("README")
    Agent(repo, session="other").shell("cat README")
    commit(repo, {"README": "hello\nedited by hand\n"}, "by hand")
    found = record(repo)
    assert found.cls == "human"
    assert found.agents == ()
    assert lines(found, "README") == {2: "human"}


def test_p7_a_file_that_is_committed_later_is_attributed_then(repo: Path):
    agent = Agent(repo)
    agent.write("a", "a\n")
    agent.write("b", "b\n")
    git(repo, "add", "a")
    git(repo, "commit", "-qm", "a alone")
    git(repo, "add", "b")
    git(repo, "commit", "-qm", "b later")
    assert [change.path for change in record(repo, "HEAD~").files] == ["a"]
    assert lines(record(repo, "HEAD~"), "a") == {1: "ai"}
    assert {part.path for part in record(repo, "HEAD~").contributors} == {"a"}
    assert lines(record(repo), "b") == {1: "ai"}


def test_p8_a_persons_commit_after_an_agents_has_no_stale_session(repo: Path):
    Agent(repo).write("f", "by ai\n")
    commit(repo, {}, "ai")
    commit(repo, {"f": "by ai\nby hand\n", "README": "hello\nmore\n"}, "by hand")
    found = record(repo)
    assert found.cls == "human"
    assert found.agents == ()
    assert lines(found, "f") == {2: "human"}
    assert record(repo, "HEAD~").cls == "ai"


def test_p27_an_agents_deletion_of_300_files_is_recorded_to_the_line(repo: Path):
    commit(repo, {f"d/{n}": "x\n" * (n + 1) for n in range(300)}, "many")
    Agent(repo).shell("git rm -rq d && git commit -qm 'Clean up'")
    found = record(repo)
    assert found.cls == "ai"
    assert (found.totals.files, found.totals.files_deleted) == (300, 300)
    assert found.totals.deleted == sum(range(1, 301))
    removed = [part for part in found.contributors if part.side == "removed"]
    assert {part.cls for part in removed} == {"ai"}
    assert sum(part.count for part in removed) == found.totals.deleted
    assert "journal" in found.agents[0].evidence


def test_p29_without_trailers_the_evidence_still_tells(repo: Path):
    Agent(repo).write("f", "by ai\n")
    git(repo, "add", "f")
    git(repo, *HOOKS_OFF, "commit", "-qm", "nothing to see")
    found = record(repo)
    assert found.cls == "ai"
    assert found.witness is None
    assert lines(found, "f") == {1: "ai"}


def test_an_agents_commit_names_it_by_journal_and_trailer_and_keeps_its_id(repo: Path):
    commit(repo, {"f": "x\n"}, "by an agent", env=CLAUDE_ENV)
    found = record(repo)
    assert found.cls == "ai"
    (agent,) = found.agents
    assert agent.id == "claude-code"
    assert set(agent.evidence) == {"journal", "trailer"}
    assert found.id
    assert f"Provenance-Id: {found.id}" in git(repo, "log", "-1", "--format=%B")
    assert lines(found, "f") == {1: "ai"}
    assert found.contributors[0].confidence == "low"
    assert found.witness is not None
    assert found.witness.hook == "post-commit"


def test_the_session_of_hooks_and_environment_is_one_agent(repo: Path):
    agent = Agent(repo)
    agent.write("f", "x\n")
    agent.shell("git add f && git commit -qm x")
    (found,) = record(repo).agents
    assert set(found.evidence) >= {"journal", "agent-hook"}
    assert found.version == "2.1.330"


def test_the_operator_is_who_ran_it_and_how_that_is_known(repo: Path):
    commit(repo, {"f": "x\n"}, "by an agent", env=CLAUDE_ENV)
    operator = record(repo).operator
    assert (operator.claim, operator.email, operator.how) == ("olga", "person@example.com", "foureyes.login")
    nameless = record(repo, builder=Builder("person@example.com", "", "", ()))
    assert (nameless.operator.claim, nameless.operator.how) == ("", "git")


def human_on(repo: Path, **builder: object) -> str:
    values = {"email": OLGA.email, "login": "olga", "repository": "", "agents": (), **builder}
    return record(repo, builder=Builder(**values)).cls  # type: ignore[arg-type]


def test_human_needs_a_witness_no_sign_of_an_agent_and_the_author_to_push(repo: Path):
    commit(repo, {"f": "x\n"}, "by hand")
    assert human_on(repo) == "human"
    assert human_on(repo, email="someone@else.example") == ""
    assert human_on(repo, email="") == ""
    assert human_on(repo, agents=("codex-cli",)) == ""


@pytest.mark.parametrize(
    ("message", "env", "options"),
    [
        ("x", {}, HOOKS_OFF),
        ("x", {"CLAUDECODE": "1"}, ()),
        ("x\n\nProvenance-Id: 0198-anything", {}, ()),
    ],
    ids=["not witnessed", "a terminal of an editor with an agent", "an id of an unknown agent"],
)
def test_p30_what_is_neither_seen_as_an_agents_nor_beyond_doubt_a_persons_has_no_class(
    repo: Path, message: str, env: dict[str, str], options: tuple[str, ...]
):
    write(repo, {"f": "x\n"})
    git(repo, "add", "f")
    git(repo, *options, "commit", "-qm", message, env=env)
    assert human_on(repo) == ""
    assert record(repo).agents == ()


@pytest.mark.parametrize(
    "message",
    [
        "x\n\nCo-Authored-By: Claude <noreply@anthropic.com>",
        "x\n\n    Co-authored-by: Claude <noreply@anthropic.com>\n\nend",
    ],
)
def test_a_commit_that_names_an_agent_is_an_agents_whoever_was_seen(repo: Path, message: str):
    commit(repo, {"f": "x\n"}, message)
    found = record(repo)
    assert found.cls == "ai"
    assert found.agents[0].evidence == ("trailer",)
    assert lines(found, "f") == {1: "unknown"}


def test_an_agents_commit_that_a_person_amends_picks_or_rebases_stays_an_agents(repo: Path):
    commit(repo, {"f": "x\n"}, "by an agent", env=CLAUDE_ENV)
    first = head(repo)
    keep_records(Repo.open(repo), {first: record_bytes(record(repo))}, at=0)
    git(repo, "commit", "-q", "--amend", "-m", "another message")
    amended = record(repo)
    assert amended.cls == "ai"
    assert first in {parent.commit for parent in amended.lineage}
    assert amended.agents[0].evidence[0] == "note"
    git(repo, "reset", "-q", "--hard", first)
    git(repo, "checkout", "-q", "-b", "side", "HEAD~")
    commit(repo, {"g": "y\n"}, "by hand")
    git(repo, "cherry-pick", first)
    picked = record(repo)
    assert picked.cls == "ai"
    assert (first, "provenance-id") in {(parent.commit, parent.how) for parent in picked.lineage}
    assert record(repo, "HEAD~").cls == "human"


def test_edits_after_a_commit_are_not_taken_into_it(repo: Path):
    agent = Agent(repo)
    agent.write("f", "one\ntwo\nthree\n")
    commit(repo, {}, "first")
    agent.write("f", "three\ntwo\none\n")
    agent.write("f", "")
    assert lines(record(repo), "f") == {1: "ai", 2: "ai", 3: "ai"}


def test_a_commit_in_a_linked_worktree_takes_the_edits_made_there(repo: Path, tmp_path: Path):
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    Agent(repo).write("README", "hello\nin main\n")
    Agent(tmp_path / "side", session="other").write("README", "hello\nin side\n")
    commit(tmp_path / "side", {}, "side")
    side = record(tmp_path / "side")
    assert lines(side, "README") == {2: "ai"}
    commit(repo, {"README": "hello\nby hand\n"}, "by hand")
    assert lines(record(repo), "README") == {2: "human"}


def test_p20_p23_what_a_stash_brings_from_another_worktree_stays_the_agents(repo: Path, tmp_path: Path):
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    Agent(repo).write("README", "hello\nin main\n")
    commit(repo, {}, "in main")
    Agent(tmp_path / "side", session="other").write("README", "in side\nhello\n")
    git(tmp_path / "side", "stash", "-q")
    git(repo, "stash", "pop", "-q")
    commit(repo, {"README": "in side\nhello\nin main\nby hand\n"}, "popped")
    assert lines(record(repo), "README") == {1: "ai", 4: "human"}


def test_who_changes_the_line_that_an_agent_changes_in_another_worktree_has_done_that(
    repo: Path, tmp_path: Path
):
    """A stash might have brought the removal from there: that one alone is in doubt."""
    commit(repo, {"f": "one\nversion = 1\nthree\n"}, "by hand")
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    Agent(tmp_path / "side").write("f", "one\nversion = 2\nthree\n")
    commit(repo, {"f": "one\nversion = 1.5\nthree\n"}, "by hand, too")
    found = record(repo)
    assert (found.cls, found.agents, lines(found, "f")) == ("", (), {2: "human"})
    assert lines(found, "f", "removed") == {2: "unknown"}


@pytest.mark.parametrize("name", ["a name before", "z name after"])
def test_p21_what_an_agent_left_uncommitted_stays_its_own_under_every_new_name(repo: Path, name: str):
    commit(repo, {"f": "".join(f"line {n} by hand\n" for n in range(7))}, "by hand")
    Agent(repo).write("f", (repo / "f").read_text() + "line of the agent\n")
    git(repo, "mv", "f", name)
    commit(repo, {}, "moved")
    assert (record(repo).cls, lines(record(repo), name)[8]) == ("ai", "ai")


@pytest.mark.parametrize("amend", [False, True], ids=["in a merge", "in a merge that it amends"])
def test_p18_p19_what_an_agent_commits_in_a_merge_is_known_when_a_person_commits_it_again(
    repo: Path, amend: bool
):
    """And of what the merge brought along nothing is the agent's."""
    commit(repo, {"f": "one\n", "g": "one\n"}, "by hand")
    git(repo, "checkout", "-q", "-b", "side")
    long_ago = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "@1700000000 +0000")
    commit(repo, {"g": "one\non the side\n"}, "on the side, by hand", env=long_ago)
    git(repo, "checkout", "-q", "main")
    commit(repo, {"h": "here\n"}, "here, by hand")
    if amend:
        git(repo, "merge", "-q", "--no-edit", "side")
        Agent(repo).shell("echo two >>f; git commit -qa --amend --no-edit")
    else:
        Agent(repo).shell("git merge -q --no-commit side; echo two >>f; git commit -qam merged")
    git(repo, "reset", "-q", "--soft", "HEAD~1")
    git(repo, "commit", "-qm", "by a person")
    found = record(repo)
    assert (found.cls, lines(found, "f")) == ("ai", {2: "ai"})
    assert lines(found, "g")[2] != "ai"


@pytest.mark.parametrize("how", ["appended", "over another", "copied"])
def test_what_an_agent_wrote_and_a_person_moved_before_it_was_committed_is_no_persons(repo: Path, how: str):
    """In a file that was there, or with the agent's left aside: whose that is nobody saw."""
    commit(repo, {"f": "a line by hand\n", "g": "another line by hand\n"}, "by hand")
    Agent(repo).write("f", "a line by hand\nthe agent wrote this line with all its letters in it\n")
    if how == "appended":
        write(repo, {"f": "a line by hand\n", "g": (repo / "g").read_text() + (repo / "f").read_text()})
    elif how == "over another":
        (repo / "f").rename(repo / "g")
    else:
        write(repo, {"copy": (repo / "f").read_bytes()})
        git(repo, "add", "copy")
    git(repo, "commit", "-qm", "by hand", *(() if how == "copied" else ("-a",)))
    found = record(repo)
    assert found.cls == ""
    assert "unknown" in {**lines(found, "g"), **lines(found, "copy")}.values()


def test_what_an_agent_wrote_and_somebody_committed_may_be_moved_by_a_person(repo: Path):
    Agent(repo).write("f", "the agent wrote this line with all its letters in it\n")
    commit(repo, {}, "the agent's")
    commit(repo, {"g": (repo / "f").read_text() + "and more\n", "f": ""}, "by hand")
    assert (record(repo).cls, lines(record(repo), "g")) == ("human", {1: "human", 2: "human"})


@pytest.fixture
def at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is done is done within one second, as far as git can tell."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "@1700000000 +0000")


@pytest.mark.usefixtures("at_one_time")
@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_p7_what_was_staged_and_undone_by_the_agent_at_the_same_time_is_no_persons(repo: Path, when: str):
    """However short the line; and an agent's removal as well as its addition."""
    base = commit(repo, {"f": "one\ntwo\n"}, "by hand")
    Agent(repo).write("f", "one\n}\n")
    git(repo, "add", "f")
    if when == "before the commit":
        Agent(repo).write("f", "one\ntwo\n")
    git(repo, "commit", "-qm", "what was staged")
    if when == "after the commit":
        Agent(repo).write("f", "one\ntwo\n")
    made = record(repo)
    expected = "ai" if when == "after the commit" else "unknown"
    assert (lines(made, "f"), lines(made, "f", "removed")) == ({2: expected}, {2: expected})
    assert made.cls == ("ai" if when == "after the commit" else "")
    assert record(repo, base).cls == "human"


@pytest.mark.usefixtures("at_one_time")
def test_an_edit_is_after_the_commit_that_a_person_was_still_writing_the_message_of(
    repo: Path, tmp_path: Path
):
    """The editor runs between the hook that sees the content and the one that sees the commit."""
    Agent(repo).write("other", "here the evidence begins\n")
    write(repo, {"f": "by hand\nand more\n"})
    git(repo, "add", "f")
    write(repo, {"f": "not staged\nby hand\nand more\n"})
    editor = tmp_path / "editor.py"
    editor.write_text(
        f"import sys\nfrom pathlib import Path\nsys.path[:0] = {sys.path!r}\n"
        "from support_agent import Agent\n"
        f"agent = Agent(Path({str(repo)!r}), calls=50)\n"
        "agent.write('f', 'by hand\\n')\n"
        "agent.write('f', 'by hand\\nand more\\nby an agent\\n')\n"
        "Path(sys.argv[1]).write_text('said after a while')\n"
    )
    git(repo, "commit", "-q", env={"GIT_EDITOR": f"{sys.executable} {editor}"})
    assert message(repo) == "said after a while"
    assert lines(record(repo), "f") == {1: "human", 2: "human"}
    assert record(repo).cls == "human"
    (line,) = read_journal(repo / ".git")[head(repo)]
    began = [event.tick_started for event in Evidence(repo / ".git" / "foureyes").events()]
    assert line.reached is not None
    assert [tick > line.reached for tick in began] == [False, True, True]
    commit(repo, {}, "the rest")
    assert lines(record(repo), "f") == {3: "ai"}


@pytest.mark.usefixtures("at_one_time")
def test_a_commit_dated_back_takes_the_edits_that_went_before_it(repo: Path):
    Agent(repo).write("f", "by an agent\n")
    commit(repo, {}, "dated 2023")
    assert lines(record(repo), "f") == {1: "ai"}
    journal = repo / ".git" / "foureyes" / "journal" / "main"
    older = [line.rpartition("\t")[0] + "\n" for line in journal.read_text().splitlines()]
    journal.write_text("".join(older))
    assert lines(record(repo), "f") == {1: "ai"}, "and as older versions noted it"


@pytest.mark.parametrize("name", ["moved", 'd/ü "q"'])
def test_p21_what_a_person_moved_before_committing_it_stays_the_agents(repo: Path, name: str):
    by_agent = "".join(f"written by the agent {n}\n" for n in range(4))
    Agent(repo).write("f", by_agent)
    (repo / "f").unlink()
    commit(repo, {name: f"{by_agent}by hand\n", "g": "by hand too\n"}, "moved, and more")
    made = record(repo)
    assert (made.cls, lines(made, name)) == ("ai", {1: "ai", 2: "ai", 3: "ai", 4: "ai", 5: "human"})
    assert lines(made, "g") == {1: "human"}


def test_who_copies_what_an_agent_wrote_and_committed_has_done_that(repo: Path):
    Agent(repo).write("f", "one by the agent\ntwo by the agent\n")
    commit(repo, {}, "the agent's")
    commit(repo, {"g": "one by the agent\ntwo by the agent\n"}, "copied by hand")
    assert record(repo).cls == "human"


@pytest.mark.parametrize(
    "command", ["cd '../a worktree' && {}", "cd sub; {}", 'sh -c "cd {there}; {}"', "{}{there}/new"]
)
def test_p23_a_shell_command_is_seen_in_every_repository_that_it_names(
    repo: Path, tmp_path: Path, command: str
):
    place = {"'": tmp_path / "a worktree", "s": repo / "sub"}.get(command[3], tmp_path / "next-door")
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "a worktree"))
    next_door = copy_hooked(tmp_path / "next-door")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(next_door), "sub")
    put_in_place(Repo.open(repo / "sub"), settings_for(style=STYLES[0]))
    write = "echo ai > " if command.startswith("{}") else "echo ai > new"
    Agent(repo).shell(command.replace("{there}", str(next_door)).replace("{}", write))
    commit(place, {"other": "by hand\n"}, "by a person")
    made = record(place)
    assert (made.cls, lines(made, "new"), lines(made, "other")) == ("ai", {1: "ai"}, {1: "human"})


def test_p22_odd_contents_and_names_are_told_exactly(repo: Path):
    agent = Agent(repo)
    agent.write("crlf", b"a\r\nb\r\n")
    agent.write("open", b"no newline at the end")
    agent.write("binary", b"\0\1\2")
    agent.write("empty", b"")
    agent.write('ü "q"\n', b"x\n")
    agent.write(os.fsdecode(b"not \xff text"), b"x\n")
    commit(repo, {}, "odd")
    found = record(repo)
    assert lines(found, "crlf") == {1: "ai", 2: "ai"}
    assert lines(found, "open") == {1: "ai"}
    assert lines(found, 'ü "q"\\x0a') == {1: "ai"}
    assert lines(found, "not \\xff text") == {1: "ai"}
    assert {(p.path, p.cls) for p in found.contributors if not p.count} == {("binary", "ai"), ("empty", "ai")}
    assert {change.path for change in found.files if change.binary} == {"binary"}


def test_an_edit_that_cannot_be_followed_makes_no_ones_commit_human(repo: Path):
    Agent(repo).write("f", b"x" * (5 * 2**20))
    commit(repo, {"g": "by hand\n"}, "large")
    assert record(repo).cls == ""
    assert lines(record(repo), "f") == {1: "unknown"}
    assert lines(record(repo), "g") == {1: "human"}


LARGE = "".join(
    f"line {number} {'of a file that is too large to be kept ' * 30}\n" for number in range(4_000)
)


def change(text: str, was: str, now: str) -> str:
    assert was in text
    return text.replace(was, now, 1)


def test_what_an_agent_did_to_a_large_file_has_landed_once_it_is_committed(repo: Path):
    commit(repo, {"f": LARGE}, "by hand")
    text = change(LARGE, "line 7 ", "agent's 7 ")
    Agent(repo).write("f", text)
    commit(repo, {}, "the agent's")
    assert record(repo).cls == ""
    for number in (30, 31, 32):
        text = change(text, f"line {number} ", f"mine {number} ")
        commit(repo, {"f": text}, "by hand")
        assert (record(repo).cls, lines(record(repo), "f")) == ("human", {number + 1: "human"})
    commit(repo, {"f": change(text, "agent's 7 ", "mine 7 ")}, "over the agent's line")
    assert record(repo).cls == "human"
    commit(repo, {"f": change(text, "line 50 ", "mine 50 ")}, "with the agent's line, which is back")
    assert record(repo).cls == ""


@pytest.mark.parametrize(
    "then", ["on top of it", "an agent's edit after it", "a part of it", "all of it again"]
)
def test_what_of_it_has_not_landed_for_sure_stays_in_doubt(repo: Path, then: str):
    commit(repo, {"f": LARGE, "g": "g\n"}, "by hand")
    part = change(LARGE, "line 9 ", "agent's 9 ")
    text = change(part, "line 7 ", "agent's 7 ")
    Agent(repo).write("f", text)
    if then == "on top of it":
        commit(repo, {"f": change(text, "line 30 ", "mine 30 ")}, "both at once")
    elif then == "a part of it":
        commit(repo, {"f": part}, "a part")
        text = part
    else:
        commit(repo, {}, "the agent's")
    if then == "an agent's edit after it":
        text = change(text, "line 8 ", "agent's 8 ")
        Agent(repo).write("f", text)
    if then == "all of it again":
        git(repo, "revert", "-n", "HEAD")
        commit(repo, {}, "back")
        assert record(repo).cls == "human"
    text = text if then == "all of it again" else change(text, "line 40 ", "mine 40 ")
    commit(repo, {"f": text}, "by hand")
    assert record(repo).cls == ""


def test_a_large_file_that_lfs_keeps_is_known_by_its_pointer(repo: Path):
    write(repo, {".gitattributes": "f filter=lfs\n"})
    git(repo, "config", "filter.lfs.clean", f"'{sys.executable}' '{repo}/.git/clean'")
    write(
        repo,
        {
            ".git/clean": "import hashlib, sys; d = sys.stdin.buffer.read(); "
            "print('version https://git-lfs.github.com/spec/v1'); "
            "print('oid sha256:' + hashlib.sha256(d).hexdigest()); print('size', len(d))\n"
        },
    )
    Agent(repo).write("f", LARGE)
    commit(repo, {}, "the agent's")
    assert record(repo).cls == ""
    commit(repo, {"f": LARGE + "and more"}, "by hand")
    assert record(repo).cls == "human"
    commit(repo, {"f": LARGE}, "the agent's again")
    assert record(repo).cls == ""


def test_an_agent_whose_hook_tells_only_the_end_leaves_no_doubt_for_ever(repo: Path):
    commit(repo, {"f": "one\n"}, "by hand")
    Agent(repo).write("f", "one\ntwo\n", before=False)
    commit(repo, {}, "the agent's")
    assert record(repo).cls == ""
    commit(repo, {"f": "one\ntwo\nthree\n"}, "by hand")
    assert record(repo).cls == "human"


def test_what_was_changed_before_an_edit_of_which_only_the_end_was_told_is_nobodys(repo: Path):
    """The agent took the line away that a person had added since its last edit; that nobody was seen to do."""
    agent = Agent(repo)
    agent.write("f", "one\n")
    commit(repo, {"f": "one\nline by hand\n"}, "mixed")
    agent.write("f", "one\nline of the agent\n", before=False)
    commit(repo, {}, "the agent's")
    assert (record(repo).cls, lines(record(repo), "f")) == ("ai", {2: "ai"})
    assert lines(record(repo), "f", "removed") == {2: "unknown"}


@pytest.mark.parametrize("kept", [False, True], ids=["from the evidence", "from the record"])
@pytest.mark.parametrize("how", [["cherry-pick"], ["cherry-pick", "-n"], ["merge", "--squash"]], ids=" ".join)
def test_what_is_in_doubt_stays_so_in_another_worktree(
    repo: Path, tmp_path: Path, how: list[str], kept: bool
):
    """A call that was broken off is only known where it was made."""
    side = tmp_path / "side"
    git(repo, "worktree", "add", "-q", "-b", "side", side)
    agent = Agent(repo)
    agent._tell(agent._payload("PreToolUse", "Bash", {"command": "make"}))
    commit(repo, {"f": "whose this line is was not seen by anybody, nor whose it is not\n"}, "in doubt")
    doubtful = record(repo)
    assert doubtful.cls == ""
    if kept:
        keep_records(Repo.open(repo), {head(repo): record_bytes(doubtful)}, at=1)
    journal = repo / ".git/foureyes/journal/main"
    journal.write_text(re.sub(r"\t\d{10}\t", "\t1700000000\t", journal.read_text()))  # not within one second
    git(side, *how, "main")
    if how != ["cherry-pick"]:
        git(side, "commit", "-qm", "taken over")
    assert (record(side).cls, lines(record(side), "f")) == ("", {1: "unknown"})


@pytest.mark.parametrize("how", ["edit", "shell"])
def test_what_a_call_without_an_end_may_have_changed_is_no_persons(repo: Path, how: str):
    """It still runs, or was broken off: only what it found there already is surely not its work."""
    commit(repo, {"f": "one\n", "g": "one\n"}, "by hand")
    write(repo, {"f": "one\ntwo\n"})
    agent = Agent(repo)
    tool, given = ("Write", {"file_path": "f"}) if how == "edit" else ("Bash", {"command": "make"})
    agent._tell(agent._payload("PreToolUse", tool, given))
    commit(repo, {}, "what was there before it")
    assert record(repo).cls == "human"
    commit(repo, {"f": "one\ntwo\nthree\n"}, "whose, nobody saw")
    assert (record(repo).cls, lines(record(repo), "f")) == ("", {3: "unknown"})
    commit(repo, {"g": "one\ntwo\n"}, "a file that the edit did not name")
    assert record(repo).cls == ("human" if how == "edit" else "")
    agent._tell(agent._payload("Stop", "", {}))
    commit(repo, {"g": "one\n"}, "by hand, once it is over")
    assert record(repo).cls == "human"


@pytest.mark.parametrize("how", ["edit", "shell"])
@pytest.mark.parametrize("failed", ["PreToolUse", "PostToolUse", "both"])
def test_what_a_checkpoint_that_failed_did_not_see_is_no_persons(
    repo: Path, monkeypatch: pytest.MonkeyPatch, how: str, failed: str
):
    """A disk that was full, ten thousand files within its seconds: whatever it was."""
    commit(repo, {"f": "one\n", "g": "one\n"}, "by hand")
    tool, given = ("Write", {"file_path": "f"}) if how == "edit" else ("Bash", {"command": "make"})

    def call(agent: Agent, text: str) -> None:
        for event in ("PreToolUse", "PostToolUse"):
            with monkeypatch.context() as patched:
                if failed in {event, "both"}:
                    patched.setattr(observe, "observe", Mock(side_effect=OSError("too slow")))
                agent._tell(agent._payload(event, tool, given))
            write(repo, {"f": text})

    agent = Agent(repo)
    call(agent, "one\ntwo\n")
    commit(repo, {}, "in its turn")
    assert (record(repo).cls, lines(record(repo), "f")) == ("", {2: "unknown"})
    agent.calls += 1
    call(agent, "one\ntwo\nthree\n")
    agent._tell(agent._payload("Stop", "", {}))
    assert (record(repo).cls, lines(record(repo), "f")) in (("", {2: "unknown"}), ("ai", {2: "ai"}))
    commit(repo, {}, "after its turn")
    assert record(repo).cls in {"", "ai"}
    assert lines(record(repo), "f") in ({3: "unknown"}, {3: "ai"})
    commit(repo, {"f": "one\ntwo\nthree\nfour\n", "g": "two\n"}, "by hand")
    assert (record(repo).cls, lines(record(repo), "f")) == ("human", {4: "human"})


@pytest.mark.parametrize(
    "given",
    [{"run_in_background": True}, {"is_background": True}, {"isBackground": True}, {"mode": "async"}],
    ids=lambda given: next(iter(given)),
)
def test_what_changes_while_a_command_of_an_agent_runs_in_the_background_may_be_its_work(
    repo: Path, given: dict[str, object]
):
    """Until the turn ends, and of what is not committed then: nobody can tell it from what a person does beside it."""
    commit(repo, {name: "one\n" for name in "fghi"}, "by hand")
    write(repo, {"i": "one\nmine before\n"})
    agent = Agent(repo)
    for event in ("PreToolUse", "PostToolUse"):
        agent._tell(agent._payload(event, "Bash", {"command": "make watch", **given}))
        write(repo, {"f": "one\nby the command\n"})
    agent.write("g", "one\nby the agent\n")
    write(repo, {"g": "one\nby the agent\nby whom\n", "h": "one\nby whom\n"})
    git(repo, "add", "i")
    git(repo, "commit", "-qm", "as it found it")
    assert record(repo).cls == "human"
    git(repo, "add", "f", "g")
    git(repo, "commit", "-qm", "in its turn")
    found = record(repo)
    assert (lines(found, "f"), lines(found, "g")) == ({2: "ai"}, {2: "ai", 3: "unknown"})
    agent._tell(agent._payload("Stop", "", {}))
    commit(repo, {}, "after its turn")
    assert (record(repo).cls, lines(record(repo), "h")) == ("", {2: "unknown"})
    commit(repo, {"h": "one\nby whom\nmine\n"}, "by hand")
    assert record(repo).cls == "human"


@pytest.mark.parametrize("end", ["PostToolUse", "Stop"])
def test_a_call_whose_beginning_a_killed_checkpoint_left_ends_like_any_other(repo: Path, end: str):
    commit(repo, {"f": "one\n"}, "by hand")
    write(repo, {"f": "one\ntwo\n"})
    agent, given = Agent(repo), {"file_path": str(repo / "f")}
    agent._tell(agent._payload("PreToolUse", "Write", given))
    (held,) = (Repo.open(repo).home / "evidence" / "pending").iterdir()
    held.rename(held.with_name(f".new-{held.name}.1-1"))
    write(repo, {"f": "one\ntwo\nthree\n"})
    agent._tell(agent._payload(end, "Write", given))
    commit(repo, {}, "both")
    assert lines(record(repo), "f") == {2: "human", 3: "ai"}
    commit(repo, {"f": "one\ntwo\nthree\nfour\n"}, "by hand")
    assert record(repo).cls == "human"


def test_p22_what_a_filter_of_git_stores_otherwise_is_no_persons(repo: Path):
    write(repo, {".gitattributes": "wide working-tree-encoding=UTF-16 text\nhidden filter=rot\n"})
    git(repo, "config", "filter.rot.clean", "tr a-z n-za-m")
    Agent(repo).write("wide", "by an agent\n".encode("utf-16"))
    commit(repo, {"hidden": "by hand\n"}, "an agent's")
    assert (record(repo).cls, lines(record(repo), "wide")) == ("ai", {1: "ai"})
    Agent(repo).write("hidden", "by hand\nby an agent\n")
    commit(repo, {}, "seen, but not comparable")
    assert (record(repo).cls, lines(record(repo), "hidden")) == ("", {2: "unknown"})


def test_root_merge_and_empty_commits_have_records(repo: Path):
    root = record(repo, "HEAD")
    assert [change.status for change in root.files] == ["A"]
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"s": "s\n"}, "side")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"m": "m\n"}, "main")
    git(repo, "merge", "-q", "--no-edit", "side")
    merged = record(repo)
    assert [change.path for change in merged.files] == ["s"]
    assert merged.witness is not None
    git(repo, "commit", "-q", "--allow-empty", "-m", "empty")
    assert record(repo).files == ()
    assert record(repo).cls == "human"


def test_a_batch_needs_as_many_processes_as_one_commit(repo: Path, monkeypatch: pytest.MonkeyPatch):
    from foureyes.hooks import repo as module

    for number in range(12):
        Agent(repo).write("f", f"{number}\n" * (number + 1))
        commit(repo, {}, f"{number}")
    started: list[str] = []
    run_git = module.run_git

    def counted(*arguments, **options):
        started.append(arguments[0])
        return run_git(*arguments, **options)

    monkeypatch.setattr(module, "run_git", counted)
    opened = Repo.open(repo)
    every = git(repo, "rev-list", "HEAD").split()
    started.clear()
    build(opened, every[:1], OLGA)
    one = len(started)
    started.clear()
    assert len(build(opened, every, OLGA)) == len(every)
    assert len(started) <= one + 1


def test_a_record_is_the_same_bytes_whenever_it_is_built(repo: Path):
    Agent(repo).write("f", "x\n")
    commit(repo, {}, "x")
    assert record_bytes(record(repo)) == record_bytes(record(repo))
    assert json.loads(record_bytes(record(repo)))["subject"][0]["digest"] == {"gitCommit": head(repo)}


def test_a_note_of_git_ai_adds_an_agent_and_its_lines(repo: Path):
    commit(repo, {"f": "one\ntwo\nthree\n"}, "by hand, says the journal")
    assert record(repo).cls == "human"
    about = {
        "schema_version": "authorship/3.0.0",
        "sessions": {"s_00112233445566": {"agent_id": {"tool": "cursor", "id": "1", "model": "gpt-5"}}},
    }
    note = f"f\n  s_00112233445566::t_00112233445566 2\n---\n{json.dumps(about)}\n"
    git(repo, "notes", "--ref=ai", "add", "-m", note, "HEAD")
    found = record(repo)
    assert found.cls == "ai"
    assert [(agent.id, agent.model, agent.evidence) for agent in found.agents] == [
        ("cursor", "gpt-5", ("note",))
    ]
    assert {line for line, cls in lines(found, "f").items() if cls == "ai"} == {2}
