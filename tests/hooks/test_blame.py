"""`foureyes blame`: each line's text begins with who wrote it, so the right answer is known without us."""

import json
import os
import pty
import sys
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_git import commit, git, make_repo, python_env, run, write
from support_hooked import copy_hooked, make_remote, push
from support_in_process import said


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def blame(repo: Path, *arguments: str) -> dict:
    return json.loads(said(repo, "blame", "--json", *arguments))


def classes(told: dict) -> list[tuple[str, str]]:
    return [(line["text"].split()[0] if line["text"] else "", line["class"]) for line in told["lines"]]


def history(repo: Path) -> None:
    commit(repo, {"f": "human 1\nhuman 2\n"}, "by hand")
    Agent(repo).write("f", "human 1\nai 1\nhuman 2\nai 2\n")
    commit(repo, {"f": "human 1\nai 1\nhuman 2\nai 2\nhuman 3\n"}, "both")
    git(repo, "mv", "f", "moved")
    git(repo, "commit", "-qm", "renamed")


def test_every_line_is_told_by_its_commit_as_it_was_then(repo: Path):
    history(repo)
    write(repo, {"moved": "new 0\n" + (repo / "moved").read_text()})
    told = blame(repo, "moved")
    assert classes(told) == [
        ("new", "uncommitted"),
        ("human", "human"),
        ("ai", "ai"),
        ("human", "human"),
        ("ai", "ai"),
        ("human", "human"),
    ]
    assert told["totals"] == {"ai": 2, "human": 3, "unknown": 0, "claimed": 0, "uncommitted": 1}
    line = told["lines"][2]
    assert (line["line"], line["line_then"], line["path_then"]) == (3, 2, "f")
    assert (line["agent"], line["evidence"], line["confidence"]) == ("claude-code", "agent-hook", "high")
    assert line["commit"] == git(repo, "rev-parse", "HEAD~")


def test_it_agrees_with_gits_blame_line_for_line(repo: Path):
    history(repo)
    own = git(repo, "blame", "-s", "-l", "moved").splitlines()
    told = blame(repo, "moved")["lines"]
    assert [line["commit"] for line in told] == [line.split(" ")[0].lstrip("^") for line in own]
    assert [line["text"] for line in told] == [line.split(") ", 1)[1] for line in own]


def test_a_person_reads_names_and_plain_text_through_a_pipe(repo: Path):
    history(repo)
    lines = said(repo, "blame", "moved").splitlines()
    assert [line.split(") ", 1)[1] for line in lines] == (repo / "moved").read_text().splitlines()
    assert "Claude Code" in lines[1]
    assert "Test Person" in lines[0]
    assert "?" not in lines[0]
    assert not any("\x1b" in line for line in lines)


def test_an_older_version_and_another_folder(repo: Path):
    commit(repo, {"d/f": "human 1\n"}, "one")
    commit(repo, {"d/f": "human 1\nai 2\n"}, "two", env=CLAUDE_ENV)
    assert classes(blame(repo / "d", "f")) == [("human", "human"), ("ai", "ai")]
    assert classes(blame(repo, "d/f", "--rev", "HEAD~")) == [("human", "human")]


def test_without_a_record_a_message_and_a_note_of_git_ai_are_claims(repo: Path):
    plain = make_repo(repo.parent / "plain")
    named = "x\n\nCo-authored-by: Claude <noreply@anthropic.com>"
    commit(plain, {"f": "claimed 1\n"}, named)
    noted = commit(plain, {"f": "claimed 1\nclaimed 2\nunknown 3\nhuman-noted 4\n"}, "no trailer")
    about = {
        "schema_version": "authorship/3.0.0",
        "sessions": {"s_00112233445566": {"agent_id": {"tool": "cursor", "id": "1", "model": "gpt-5"}}},
        "humans": {"h_00112233445566": {"author": "Olga"}},
    }
    note = f"f\n  s_00112233445566::t_00112233445566 2\n  h_00112233445566 4\n---\n{json.dumps(about)}\n"
    git(plain, "notes", "--ref=ai", "add", "-m", note, noted)
    told = blame(plain, "f")
    assert classes(told) == [
        ("claimed", "claimed"),
        ("claimed", "claimed"),
        ("unknown", "unknown"),
        ("human-noted", "unknown"),
    ]
    assert [line["evidence"] for line in told["lines"][:2]] == ["message", "note"]
    assert [line["agent"] for line in told["lines"][:2]] == ["claude-code", "cursor"]
    lines = said(plain, "blame", "f").splitlines()
    assert "~Claude Code" in lines[0]
    assert "Test Person ?" in lines[2]


def test_a_colleagues_lines_are_fetched_on_demand_and_not_offline(repo: Path, tmp_path: Path):
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    Agent(repo).write("f", "ai 1\n")
    commit(repo, {"f": "ai 1\nhuman 2\n"}, "both")
    push(repo, "origin", "work")
    git(tmp_path, "clone", "-q", "-b", "work", str(remote), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    assert classes(blame(clone, "f", "--offline")) == [("ai", "unknown"), ("human", "unknown")]
    assert git(clone, "for-each-ref", "refs/foureyes") == ""
    assert classes(blame(clone, "f")) == [("ai", "ai"), ("human", "human")]


@pytest.mark.parametrize("name", ['ü "q"', "tab\there", "back\\slash", "sp ace"])
def test_odd_names_and_odd_contents(repo: Path, name: str):
    Agent(repo).write(name, b"ai 1\r\nai \xff 2\n\tai 3")
    commit(repo, {}, "odd")
    told = blame(repo, name)
    assert [line["class"] for line in told["lines"]] == ["ai", "ai", "ai"]
    assert [line["text"] for line in told["lines"]] == ["ai 1\r", "ai \ufffd 2", "\tai 3"]


def test_wrong_use(repo: Path, tmp_path: Path):
    def refused(cwd: Path, *arguments: str) -> tuple[int, str]:
        code = "from foureyes.hooks.cli import main; main()"
        done = run([sys.executable, "-c", code, "blame", *arguments], cwd, env=python_env(), ok=False)
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stderr.decode()

    assert refused(repo, "nowhere")[0] == 2
    assert "git cannot blame `nowhere`" in refused(repo, "nowhere")[1]
    assert "`.` is a folder" in refused(repo, ".")[1]
    assert "git cannot blame" in refused(repo, "x" * 5000)[1]
    assert refused(repo, "README", "--rev", "no-such")[0] == 2
    assert refused(tmp_path, "README")[0] == 1
    write(repo, {"empty": ""})
    git(repo, "add", "empty")
    git(repo, "commit", "-qm", "empty")
    assert said(repo, "blame", "empty") == ""


def test_on_a_terminal_there_are_colours_and_the_readers_pager(repo: Path, tmp_path: Path):
    history(repo)
    code = "from foureyes.hooks.cli import main; main()"
    env = {**os.environ, **python_env(), "PAGER": "sed s/^/PAGED:/", "TERM": "xterm"}
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(repo)
        os.execve(sys.executable, [sys.executable, "-c", code, "blame", "moved"], env)
    said = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.waitpid(pid, 0)
    assert said.count(b"PAGED:") == 5
