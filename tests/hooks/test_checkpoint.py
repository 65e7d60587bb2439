"""What an agent's hook calls leave behind, with real git, real processes and payloads as captured."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support_agent import Agent, checkpoint
from support_git import commit, git, head, make_repo, python_env, run, write

from foureyes.hooks.agents import claude_style
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.journal import read_journal, worktree_id
from foureyes.hooks.repo import Repo
from foureyes.hooks.tool_events import Event


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def evidence(repo: Path) -> Evidence:
    return Evidence(Repo.open(repo).home)


def contents(repo: Path, event: Event) -> dict[str, tuple[object, object]]:
    store = evidence(repo)

    def read(ref: str | None) -> object:
        if ref is None or not ref.startswith(("s:", "g:")):
            return ref
        if ref.startswith("g:"):
            return git(repo, "cat-file", "blob", ref[2:]).encode() + b"\n"
        return store.read(ref)

    return {touched.path: (read(touched.before), read(touched.after)) for touched in event.touched}


def test_an_edit_is_one_event_with_both_contents(repo: Path):
    agent = Agent(repo)
    agent.write("README", "hello\nworld\n")
    agent.write("new/file.py", "print(1)\n")
    first, second = evidence(repo).events()
    assert contents(repo, first) == {"README": (b"hello\n", b"hello\nworld\n")}
    assert contents(repo, second) == {"new/file.py": (None, b"print(1)\n")}
    assert (first.agent, first.version, first.kind) == ("claude-code", "2.1.330", "edit")
    assert first.started <= first.ended <= second.started


def test_the_session_is_a_hash_and_no_text_of_the_conversation_is_kept(repo: Path):
    agent = Agent(repo)
    secret = "the words of a prompt"
    checkpoint(repo, agent._payload("UserPromptSubmit", "", {}, prompt=secret))
    checkpoint(repo, agent._payload("PreToolUse", "Bash", {"command": f"echo {secret}"}))
    checkpoint(
        repo, agent._payload("PostToolUse", "Bash", {"command": f"echo {secret}"}, tool_response=secret)
    )
    agent.write("README", "changed\n")
    kept = b"".join(p.read_bytes() for p in (repo / ".git" / "foureyes").rglob("*") if p.is_file())
    assert secret.encode() not in kept
    assert agent.session.encode() not in kept
    assert b"README" in kept


def test_reading_changes_nothing(repo: Path):
    Agent(repo).read("README")
    assert evidence(repo).events() == ()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("sed -i s/hello/bye/ README", {"README": (b"hello\n", b"bye\n")}),
        ("rm README", {"README": (b"hello\n", None)}),
        ("git mv README LIESMICH", {"README": (b"hello\n", None), "LIESMICH": (None, b"hello\n")}),
        ("echo x > new; git add new; git commit -qm new", {"new": (None, b"x\n")}),
        ("echo x > new; git add -A; git commit -qm new; rm new", {"new": (None, None)}),
        ("echo y >> README; git commit -qa --amend --no-edit", {"README": (b"hello\n", b"hello\ny\n")}),
        ("ln -s README link", {"link": (None, b"README")}),
        ("touch README; true", {}),
        ("echo x > ignored.log", {}),
        ("git checkout -q side", {}),
        ("git checkout -q side && echo z > z", {"z": (None, b"z\n")}),
    ],
)
def test_a_shell_command_is_seen_by_what_it_left(repo: Path, script: str, expected: dict[str, object]):
    commit(repo, {".gitignore": "*.log\n"}, "ignore")
    git(repo, "checkout", "-q", "-b", "side")
    commit(
        repo,
        {"side": "by someone else\n"},
        "side",
        env={"GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"},
    )
    git(repo, "checkout", "-q", "main")
    Agent(repo).shell(script)
    events = evidence(repo).events()
    found = {path: both for event in events for path, both in contents(repo, event).items()}
    assert found == {path: both for path, both in expected.items() if both != (None, None)}


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("RunCommand", {"command": "make"}),
        ("Terminal", {"cmd": "make"}),
        ("write_bash", {"sessionId": "1", "input": "y"}),
        ("write_stdin", {"session_id": 1, "chars": "y"}),
        ("move_file", {"source": "README", "destination": "b"}),
        ("ApplyDiff", {"diff": "..."}),
        ("batch", {"tool_calls": [{"tool": "edit", "parameters": {"filePath": "README"}}]}),
        ("Save", {"path": "README", "content": "changed\n"}),
    ],
)
def test_a_tool_that_no_list_names_is_looked_at_if_it_is_given_something_to_do(
    repo: Path, tool: str, given: dict[str, object]
):
    agent = Agent(repo)
    agent._tell(agent._payload("PreToolUse", tool, given))
    write(repo, {"README": "changed\n"})
    agent._tell(agent._payload("PostToolUse", tool, given))
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {"README": (b"hello\n", b"changed\n")}


@pytest.mark.parametrize("session", [None, 5, {"id": 1}, "left out"])
def test_a_payload_that_tells_no_session_is_of_one_all_the_same(repo: Path, session: object):
    agent, given = Agent(repo), {"file_path": str(repo / "README")}
    for event in ("PreToolUse", "PostToolUse"):
        payload = agent._payload(event, "Write", given, session_id=session)
        if session == "left out":
            del payload["session_id"]
        agent._tell(payload)
        write(repo, {"README": "changed\n"})
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {"README": (b"hello\n", b"changed\n")}


def test_what_a_person_left_uncommitted_is_not_the_agents(repo: Path):
    write(repo, {"README": "hello\nby hand\n", "notes": "mine\n"})
    Agent(repo).shell("echo agent >> README")
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {"README": (b"hello\nby hand\n", b"hello\nby hand\nagent\n")}


def test_300_deleted_files_are_one_event_that_copies_nothing(repo: Path):
    commit(repo, {f"d/{n}": f"{n}\n" for n in range(300)}, "many")
    Agent(repo).shell("rm -r d")
    (event,) = evidence(repo).events()
    assert len(event.touched) == 300
    assert {touched.after for touched in event.touched} == {None}
    assert contents(repo, event)["d/7"] == (b"7\n", None)
    assert not (repo / ".git" / "foureyes" / "evidence" / "contents").exists()


def test_many_files_named_in_one_call_need_no_process_for_each(repo: Path, monkeypatch: pytest.MonkeyPatch):
    inner = make_repo(repo / "inner")
    write(repo, {".gitignore": "inner\n*.key\n"} | {f"d{n % 7}/f{n}": f"{n}\n" for n in range(40)})
    git(repo, "add", "-A")
    write(repo, {"d0/secret.key": "secret\n"})
    names = [*(f"d{n % 7}/f{n}" for n in range(40)), "d0/secret.key", "inner/README", "x" * 300, "nul\0"]
    started: list[str] = []
    popen = subprocess.Popen.__init__

    def counted(self: object, arguments: list[str], *more: object, **options: object) -> None:
        started.append(arguments[1])
        popen(self, arguments, *more, **options)

    agent, patch = Agent(repo), "".join(f"*** Delete File: {name}\n" for name in names)
    given = {"command": f"*** Begin Patch\n{patch}*** End Patch"}
    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "__init__", counted)
        agent._tell(agent._payload("PreToolUse", "apply_patch", given))
    assert len(started) <= 6, started
    for name in names[:-2]:
        (repo / name).unlink()
    agent._tell(agent._payload("PostToolUse", "apply_patch", given))
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {f"d{n % 7}/f{n}": (b"%d\n" % n, None) for n in range(40)}
    (event,) = evidence(inner).events()
    assert contents(inner, event) == {"README": (b"hello\n", None)}


def test_in_a_call_of_many_files_one_that_git_cannot_ask_about_hides_no_other(repo: Path):
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "mod")
    (repo / "mod" / ".git").unlink()
    given = {"files": ["mod/README", "README"]}
    agent = Agent(repo)
    agent._tell(agent._payload("PreToolUse", "MultiEdit", given))
    write(repo, {"README": "edited\n"})
    agent._tell(agent._payload("PostToolUse", "MultiEdit", given))
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {"README": (b"hello\n", b"edited\n")}


def test_files_whose_times_alone_change_are_neither_events_nor_copied(repo: Path):
    commit(repo, {f"d/{n}": f"{n}\n" for n in range(300)}, "many")
    Agent(repo).shell("find d -type f -exec touch -d 2001-01-01 {} + && git status -s")
    assert evidence(repo).events() == ()
    assert not (repo / ".git" / "foureyes" / "evidence" / "contents").exists()


def test_what_is_staged_and_then_taken_back_is_followed(repo: Path):
    agent = Agent(repo)
    agent.shell("echo staged >> README && git add README")
    agent.shell("git show HEAD:README > README")
    agent.shell("git add README")
    first, second = evidence(repo).events()
    assert contents(repo, first) == {"README": (b"hello\n", b"hello\nstaged\n")}
    assert contents(repo, second) == {"README": (b"hello\nstaged\n", b"hello\n")}


def test_a_failed_command_and_one_that_never_ended_count_too(repo: Path):
    agent = Agent(repo)
    agent.shell("echo a > a; false", event="PostToolUseFailure", ok=False)
    agent.calls += 1
    checkpoint(repo, agent._payload("PreToolUse", "Bash", {"command": "x"}))
    write(repo, {"b": "b\n"})
    checkpoint(repo, {"session_id": agent.session, "cwd": str(repo), "hook_event_name": "Stop"})
    assert [set(contents(repo, event)) for event in evidence(repo).events()] == [{"a"}, {"b"}]


def test_a_call_reported_twice_is_one_event(repo: Path):
    agent = Agent(repo)
    agent.write("README", "x\n")
    checkpoint(repo, agent._payload("PostToolUse", "Write", {"file_path": str(repo / "README")}))
    assert len(evidence(repo).events()) == 1


def test_without_the_before_half_the_agents_own_report_is_taken_or_the_content_is_unknown(repo: Path):
    agent = Agent(repo)
    agent.write("README", "x\n", before=False, after=False)
    given = {"file_path": str(repo / "README")}
    answer = {"originalFile": "hello\n"}
    checkpoint(repo, agent._payload("PostToolUse", "Edit", given, tool_response=answer))
    agent.write("README", "y\n", before=False)
    first, second = evidence(repo).events()
    assert contents(repo, first) == {"README": (b"hello\n", b"x\n")}
    assert contents(repo, second) == {"README": ("?", b"y\n")}


def test_ignored_files_and_files_elsewhere_are_never_kept(repo: Path, tmp_path: Path):
    commit(repo, {".gitignore": ".env\n"}, "ignore")
    agent = Agent(repo)
    agent.write(".env", "KEY=secret\n")
    agent.write("../outside", "secret\n")
    agent.write(".git/description", "secret\n")
    agent.shell("echo KEY=secret2 > .env")
    kept = [p for p in (repo / ".git" / "foureyes").rglob("*") if p.is_file() and p.suffix != ".done"]
    assert {p.name: p.stat().st_size for p in kept} == {"clock": 20, "main": 0}


def test_p30_a_commit_that_no_git_hook_saw_is_journaled_by_the_checkpoint(repo: Path):
    agent = Agent(repo)
    before = head(repo)
    agent.shell(
        "echo x > x && git add x && git -c core.hooksPath=/dev/null commit -qm x && git commit -q --allow-empty -m y"
    )
    lines = read_journal(repo / ".git")
    made = git(repo, "rev-list", f"{before}..HEAD").split()
    assert set(lines) == set(made)
    assert {(line.hook, line.agent) for found in lines.values() for line in found} == {
        ("checkpoint", "claude-code")
    }


def test_commits_that_a_pull_brought_are_not_journaled(repo: Path, tmp_path: Path):
    git(tmp_path, "clone", "-q", "--bare", repo, tmp_path / "remote.git")
    git(tmp_path, "clone", "-q", tmp_path / "remote.git", tmp_path / "other")
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit(tmp_path / "other", {"theirs": "1\n"}, "theirs")
    git(tmp_path / "other", "push", "-q", "origin", "main")
    Agent(repo).shell("git pull -q origin main")
    assert (repo / "theirs").exists()
    assert read_journal(repo / ".git") == {}
    assert evidence(repo).events() == ()


def test_odd_names_and_linked_worktrees(repo: Path, tmp_path: Path):
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side tree"))
    agent = Agent(tmp_path / "side tree")
    agent.write('ü "quoted"\n.txt', "x\n")
    agent.shell("printf 'y\\n' > \"$(printf 'caf\\351')\"")
    first, second = evidence(repo).events()
    assert [touched.path for touched in first.touched] == ['ü "quoted"\\x0a.txt']
    assert [touched.path for touched in second.touched] == ["caf\\xe9"]
    assert {first.worktree, second.worktree} == {worktree_id(Repo.open(tmp_path / "side tree"))}
    assert first.worktree != worktree_id(Repo.open(repo))


def test_p23_a_worktree_inside_a_bare_repository(repo: Path, tmp_path: Path):
    """Its files are below git's own folder there, and are the project's all the same."""
    git(tmp_path, "clone", "-q", "--bare", repo, tmp_path / "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", "side")
    side = tmp_path / "bare.git" / "side"
    agent = Agent(side)
    agent.write("README", "edited\n")
    agent.write("../description", "secret\n")
    agent.shell("echo by shell > other")
    assert [contents(side, event) for event in evidence(side).events()] == [
        {"README": (b"hello\n", b"edited\n")},
        {"other": (None, b"by shell\n")},
    ]


@pytest.mark.parametrize("name", ["two\nlines", "ends in one\n", "one\u2028two", "one\x85two", "one\x0ctwo"])
def test_p23_a_repository_whose_path_holds_line_breaks(name: str, tmp_path: Path):
    repo = make_repo(tmp_path / name)
    assert Repo.open(repo) == (repo, repo / ".git", repo / ".git")
    Agent(repo).write("README", "edited\n")
    (event,) = evidence(repo).events()
    assert contents(repo, event) == {"README": (b"hello\n", b"edited\n")}


@pytest.mark.parametrize(
    "junk", [b"", b"{", b"[]", b"null", b'{"session_id": 3}', b"\xff\xfe", b"[" * 100_000]
)
def test_junk_is_survived_in_silence(repo: Path, junk: bytes):
    checkpoint(repo, junk)
    assert evidence(repo).events() == ()


def test_a_stdin_that_is_never_closed_does_not_hang(repo: Path):
    code = "import sys; from foureyes.hooks.cli import run; sys.exit(run(['checkpoint', 'claude-code']))"
    given = {"file_path": str(repo / "README")}
    payload = Agent(repo)._payload("PreToolUse", "Write", given)
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=repo, stdin=subprocess.PIPE, env={**os.environ, **python_env()}
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(payload).encode())
    process.stdin.flush()
    assert process.wait(timeout=60) == 0
    process.stdin.close()
    assert len(list((repo / ".git/foureyes/evidence/pending").iterdir())) == 1


@pytest.mark.parametrize("named", ["claude-code", "cursor", ""])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_error(repo: Path, named: str, closed: str):
    code = "import sys; from foureyes.hooks.checkpoint import main; sys.exit(main(sys.argv[1:]))"
    command = f'"$0" -S -c "$1" {named} {closed}'
    run(["sh", "-c", command, sys.executable, code], repo, env=python_env(), stdin=b"{}")


def test_a_problem_is_noted_and_the_agent_hears_nothing(repo: Path):
    (repo / ".git" / "foureyes" / "evidence").mkdir(parents=True)
    (repo / ".git" / "foureyes" / "evidence" / "pending").write_text("in the way")
    Agent(repo).write("README", "x\n", after=False)
    problems = (repo / ".git" / "foureyes" / "evidence" / "problems").read_text()
    assert "pending" in problems


def test_what_is_stored_is_for_its_owner_alone(repo: Path):
    Agent(repo).write("README", "x\n")
    for path in (repo / ".git" / "foureyes").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_model_is_read_from_the_payload_or_the_end_of_the_transcript(tmp_path: Path):
    transcript = tmp_path / "t.jsonl"
    said = {"type": "user", "text": 'the user says "model":"not-this"'}
    answered = {"type": "assistant", "message": {"model": "claude-opus-5", "content": "…"}}
    faked = {"type": "assistant", "message": {"model": "<synthetic>"}}
    lines = (json.dumps(part, separators=(",", ":")) for part in (said, answered, said, faked))
    transcript.write_text("\n".join(lines) + "\n")
    payload = {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {}}
    call = claude_style.read({**payload, "transcript_path": str(transcript)}, {}, "claude-code")
    assert call is not None
    assert call.model == "claude-opus-5"
    given = claude_style.read(
        {**payload, "model": "gpt-5.5", "transcript_path": str(transcript)}, {}, "claude-code"
    )
    assert given is not None
    assert given.model == "gpt-5.5"
    hostile = claude_style.read({**payload, "transcript_path": "/\0", "model": "a\nb"}, {}, "claude-code")
    assert hostile is not None
    assert hostile.model == ""


@pytest.mark.parametrize(
    ("environment", "agent"),
    [({}, "claude-code"), ({"COPILOT_CLI": "1"}, "copilot-cli"), ({"GEMINI_SESSION_ID": "x"}, "gemini-cli")],
)
def test_another_agent_that_runs_claudes_hooks_is_named_by_its_environment(
    environment: dict[str, str], agent: str
):
    payload = {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {}}
    call = claude_style.read(payload, environment, "claude-code")
    assert call is not None
    assert call.agent == agent
