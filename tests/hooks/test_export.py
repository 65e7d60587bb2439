"""`foureyes export`: records for other tools."""

import json
from pathlib import Path

import pytest
from support_agent import Agent
from support_git import commit, git, head, make_repo, run
from support_hooked import copy_hooked, make_remote, push
from support_in_process import ended, said

from foureyes.shared.git_ai_note import parse_lines

_THEIR_NOTE = """f
  s_0123456789abcd::t_0123456789abcd 2-3
---
{"schema_version": "authorship/3.0.0", "base_commit_sha": "", "prompts": {}, "sessions": {}}
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = copy_hooked(tmp_path / "repo")
    commit(repo, {"f": "human 1\n"}, "by hand")
    Agent(repo).write("f", "human 1\nai 2\nai 3\n")
    commit(repo, {}, "ai")
    return repo


def test_our_records_one_on_each_line_or_in_one_list(repo: Path):
    lines = said(repo, "export", "HEAD~2..").splitlines()
    assert [json.loads(line)["subject"][0]["digest"]["gitCommit"] for line in lines] == [
        head(repo, "HEAD~"),
        head(repo),
    ]
    assert json.loads(said(repo, "export", "HEAD~2..", "--json")) == [json.loads(line) for line in lines]
    assert lines[1:] == said(repo, "export").splitlines()


def test_agent_trace(repo: Path):
    (trace,) = map(json.loads, said(repo, "export", "--format", "agent-trace").splitlines())
    assert trace["vcs"]["revision"] == head(repo)
    assert trace["files"][0]["path"] == "f"
    assert trace["files"][0]["conversations"][0]["ranges"] == [{"start_line": 2, "end_line": 3}]


def test_git_ai_notes_are_shown_and_on_request_written_beside_others(repo: Path):
    (shown,) = map(json.loads, said(repo, "export", "--format", "git-ai", "HEAD~2..").splitlines())
    assert shown["commit"] == head(repo)
    assert git(repo, "for-each-ref", "refs/notes/ai") == ""
    git(repo, "notes", "--ref=ai", "add", "-m", "somebody's own words", "HEAD~")
    assert "1 notes written" in said(repo, "export", "--format", "git-ai", "--notes", "HEAD~2..")
    note = run(["git", "notes", "--ref=ai", "show", "HEAD"], repo).stdout
    assert [(one.path, one.first, one.last) for one in parse_lines(note)] == [("f", 2, 3)]
    assert git(repo, "notes", "--ref=ai", "show", "HEAD~") == "somebody's own words"
    again = said(repo, "export", "--format", "git-ai", "--notes", "--json", "HEAD~2..")
    assert json.loads(again)["written"] == 0


@pytest.mark.parametrize("sign", ["", "its notes", "trace2.eventTarget"])
def test_a_push_writes_notes_of_git_ai_only_where_that_is_at_work(sign: str, repo: Path, tmp_path: Path):
    if sign == "its notes":
        theirs = run(
            ["git", "hash-object", "-w", "--stdin"], repo, stdin=_THEIR_NOTE.encode()
        ).stdout.decode()
        git(repo, "notes", "--ref=ai", "add", "-C", theirs.strip(), "HEAD")
    elif sign:
        git(repo, "config", sign, f"af_unix:{tmp_path}/git-ai/trace.sock")
    make_remote(repo, tmp_path / "remote.git")
    git(repo, "switch", "-q", "-c", "work")
    Agent(repo).write("f", "human 1\nai 2\nai 3\nai 4\n")
    commit(repo, {}, "ai again")
    push(repo, "origin", "work")
    tell = ["git", "notes", "--ref=ai", "show"]
    found = parse_lines(run([*tell, "HEAD"], repo, ok=False).stdout)
    assert [(one.path, one.first, one.last) for one in found] == ([("f", 4, 4)] if sign else [])
    if sign == "its notes":
        assert run([*tell, "HEAD~"], repo).stdout.decode() == _THEIR_NOTE


def test_others_notes_are_read_as_claims(tmp_path: Path):
    plain = make_repo(tmp_path / "plain")
    commit(plain, {"f": "1\n2\n"}, "x")
    trace = {
        "version": "0.1.0",
        "tool": {"name": "cursor", "version": "1"},
        "files": [
            {
                "path": "f",
                "conversations": [
                    {"contributor": {"type": "ai"}, "ranges": [{"start_line": 2, "end_line": 2}]}
                ],
            }
        ],
    }
    git(plain, "notes", "--ref=agent-trace", "add", "-m", json.dumps(trace), "HEAD")
    told = json.loads(said(plain, "blame", "f", "--json"))
    assert [line["class"] for line in told["lines"]] == ["unknown", "claimed"]
    assert told["lines"][1]["agent"] == "cursor"
    assert json.loads(said(plain, "log", "-n1", "--json"))[0]["claims"] == ["cursor"]


def test_what_has_no_record_is_left_out_and_wrong_use_is_told(repo: Path, tmp_path: Path):
    plain = make_repo(tmp_path / "plain")
    assert said(plain, "export") == ""
    assert json.loads(said(plain, "export", "--json")) == []
    for arguments in (("no-such",), ("--notes",), ("--format", "xml")):
        assert ended(repo, "export", *arguments)[0] == 2, arguments
