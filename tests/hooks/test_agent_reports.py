"""Reports that come twice, late, in halves or never; approvals by agents; models for trailers."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support_agent import Agent
from support_git import commit, git, head, make_repo, run
from support_in_process import told

from foureyes.hooks.agents import review
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.journal import read_journal
from foureyes.hooks.repo import Repo

SAMPLES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "agent_payloads.json").read_text("utf-8")
)


def checkpoint(
    repo: Path,
    payload: Mapping[str, Any] | bytes,
    env: Mapping[str, str] | None = None,
    *,
    named: str = "claude-code",
    answer: str = "",
) -> None:
    told(repo, named, payload, env, answer=answer)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "repo")
    commit(repo, {"app.py": "hello\n"}, "app")
    return repo


def changes(repo: Path) -> Iterator[tuple[str, object, object]]:
    store = Evidence(Repo.open(repo).home)

    def content(ref: str | None) -> object:
        if ref is None or not ref.startswith(("s:", "g:")):
            return ref
        return (
            store.read(ref)
            if ref.startswith("s:")
            else git(repo, "cat-file", "blob", ref[2:]).encode() + b"\n"
        )

    for event in store.events():
        for touched in event.touched:
            yield touched.path, content(touched.before), content(touched.after)


def payloads(agent: str, repo: Path) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(one["stdin"]).replace("/repo", str(repo))) for one in SAMPLES[agent]]


EDIT = [("app.py", b"hello\n", b"hello\nworld\n")]
COPILOT = {"COPILOT_CLI": "1"}


def copilots_claude_form(native: dict[str, Any]) -> dict[str, Any]:
    """What Copilot CLI sends to the hooks of Claude Code's configuration for the same call."""
    return {
        "hook_event_name": "PostToolUse" if "toolResult" in native else "PreToolUse",
        "session_id": native["sessionId"],
        "cwd": native["cwd"],
        "tool_name": "Edit" if native["toolName"] == "edit" else "Bash",
        "tool_input": {"file_path": native["toolArgs"]["path"]}
        if "path" in native["toolArgs"]
        else native["toolArgs"],
    }


class TestTwice:
    """One call, reported by two configurations."""

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_copilots_own_hooks_and_those_of_claudes_configuration(
        self, order: tuple[int, int], repo: Path
    ) -> None:
        _, before, after, *_ = payloads("copilot-cli", repo)
        for half in (before, after):
            if half is after:
                (repo / "app.py").write_text("hello\nworld\n")
            both = [(half, "copilot-cli"), (copilots_claude_form(half), "claude-code")]
            for number in order:
                payload, named = both[number]
                checkpoint(repo, payload, COPILOT, named=named)
        assert list(changes(repo)) == EDIT
        assert [event.agent for event in Evidence(Repo.open(repo).home).events()] == ["copilot-cli"]

    def test_a_shell_command_and_the_commit_that_it_made(self, repo: Path) -> None:
        native = [p for p in payloads("copilot-cli", repo) if p.get("toolName") == "bash"]
        for half in native:
            if "toolResult" in half:
                run(["sh", "-c", "echo x >x; git add x; git -c core.hooksPath=/dev/null commit -qm x"], repo)
            checkpoint(repo, half, COPILOT, named="copilot-cli")
            checkpoint(repo, copilots_claude_form(half), COPILOT)
        assert list(changes(repo)) == [("x", None, b"x\n")]
        (lines,) = read_journal(repo / ".git").values()
        assert [(line.commit, line.agent) for line in lines] == [(head(repo), "copilot-cli")]

    def test_the_same_configuration_twice(self, repo: Path) -> None:
        agent = Agent(repo)
        agent.calls += 1
        given = {"file_path": str(repo / "app.py")}
        for event in ("PreToolUse", "PreToolUse", "PostToolUse", "PostToolUse"):
            if event == "PostToolUse":
                (repo / "app.py").write_text("hello\nworld\n")
            checkpoint(repo, agent._payload(event, "Write", given), agent.env)
        assert list(changes(repo)) == EDIT

    def test_the_same_edit_made_again_later_is_another_one(self, repo: Path) -> None:
        """Gemini CLI gives no id for a call."""
        _, before, after, *_ = payloads("gemini-cli", repo)
        for text in ("hello\nworld\n", "hello\n", "hello\nworld\n"):
            checkpoint(repo, before, named="gemini-cli")
            (repo / "app.py").write_text(text)
            checkpoint(repo, after, named="gemini-cli")
        assert [after for _, _, after in changes(repo)] == [b"hello\nworld\n", b"hello\n", b"hello\nworld\n"]

    def test_an_edit_during_a_shell_command_is_told_once(self, repo: Path) -> None:
        agent = Agent(repo)
        long = agent._payload("PreToolUse", "Bash", {"command": "sleep"}) | {"tool_use_id": "long"}
        checkpoint(repo, long, agent.env)
        agent.write("app.py", "hello\nworld\n")
        (repo / "other").write_text("by the shell\n")
        checkpoint(repo, long | {"hook_event_name": "PostToolUse"}, agent.env)
        assert sorted(changes(repo)) == [*EDIT, ("other", None, b"by the shell\n")]

    def test_what_another_session_does_meanwhile_is_its_own(self, repo: Path) -> None:
        first, second = Agent(repo), Agent(repo, session="another-session")
        long = first._payload("PreToolUse", "Bash", {"command": "sleep"})
        checkpoint(repo, long, first.env)
        second.write("app.py", "hello\nworld\n")
        (repo / "app.py").write_text("hello\nworld\nagain\n")
        checkpoint(repo, long | {"hook_event_name": "PostToolUse"}, first.env)
        assert list(changes(repo)) == [*EDIT, ("app.py", b"hello\nworld\n", b"hello\nworld\nagain\n")]

    def test_two_sessions_that_make_the_same_change_are_both_told(self, repo: Path) -> None:
        first, second = Agent(repo), Agent(repo, session="another-session")
        first.write("app.py", "hello\nworld\n")
        git(repo, "checkout", "-q", "app.py")
        second.write("app.py", "hello\nworld\n")
        assert list(changes(repo)) == EDIT * 2


class TestHalves:
    """A report without its other half."""

    def test_codex_patches_through_the_shell_and_never_tells_the_end(self, repo: Path) -> None:
        pre = next(p for p in payloads("codex-cli", repo) if p.get("tool_name") == "Bash")
        stop = payloads("codex-cli", repo)[-1]
        patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: app.py\n@@\n hello\n+world\n*** End Patch\nEOF"
        checkpoint(repo, pre | {"tool_input": {"command": patch}}, named="codex-cli")
        (repo / "app.py").write_text("hello\nworld\n")
        assert list(changes(repo)) == []
        checkpoint(repo, stop, named="codex-cli")
        assert list(changes(repo)) == EDIT
        checkpoint(repo, stop, named="codex-cli")
        assert list(changes(repo)) == EDIT

    def test_a_subagents_end_does_not_end_calls_of_others(self, repo: Path) -> None:
        agent = Agent(repo)
        pre = agent._payload("PreToolUse", "Bash", {"command": "x"})
        checkpoint(repo, pre, agent.env)
        checkpoint(repo, {**pre, "hook_event_name": "SubagentStop"}, agent.env)
        (repo / "app.py").write_text("hello\nworld\n")
        checkpoint(repo, pre | {"hook_event_name": "PostToolUse"}, agent.env)
        assert list(changes(repo)) == EDIT

    @pytest.mark.parametrize(
        ("edits", "before"),
        [
            ([{"old_string": "hello\n", "new_string": "hello\nworld\n"}], b"hello\n"),
            (
                [{"old_string": "x", "new_string": "hello"}, {"old_string": "", "new_string": "world\n"}],
                b"x\n",
            ),
            ([{"old_string": "world\n", "new_string": ""}], "?"),
            ([{"old_string": "a", "new_string": "not there"}], "?"),
            ([{"old_string": "", "new_string": "hello\nworld\n"}], None),
            ("junk", "?"),
        ],
    )
    def test_an_older_cursor_tells_only_what_it_did(self, edits: object, before: object, repo: Path) -> None:
        given = next(p for p in payloads("cursor", repo) if p["hook_event_name"] == "afterFileEdit")
        (repo / "app.py").write_text("hello\nworld\n")
        checkpoint(repo, given | {"edits": edits}, named="cursor", answer="{}\n")
        assert list(changes(repo)) == [("app.py", before, b"hello\nworld\n")]

    @pytest.mark.parametrize("agent", ["claude-code", "gemini-cli", "qwen-code"])
    def test_the_agents_own_report_of_what_was_there(self, agent: str, repo: Path) -> None:
        ends = [
            p
            for p in payloads(agent, repo)
            if "tool_response" in p and "app.py" in json.dumps(p["tool_input"])
        ]
        (repo / "app.py").write_text("hello\nworld\n")
        checkpoint(repo, ends[-1], named=agent)
        assert list(changes(repo)) == EDIT

    @pytest.mark.parametrize(
        ("agent", "before"), [("claude-code", None), ("gemini-cli", None), ("qwen-code", "?")]
    )
    def test_and_of_a_file_that_was_not_there(self, agent: str, before: object, repo: Path) -> None:
        """Qwen Code tells a new file and an empty one in the same way."""
        end = next(
            p
            for p in payloads(agent, repo)
            if "tool_response" in p and "new.py" in json.dumps(p["tool_input"])
        )
        (repo / "new.py").write_text("print(1)\n")
        checkpoint(repo, end, named=agent)
        assert list(changes(repo)) == [("new.py", before, b"print(1)\n")]

    def test_carriage_returns_that_the_agent_does_not_report_are_no_change(self, repo: Path) -> None:
        end = next(p for p in payloads("claude-code", repo) if p.get("tool_response", {}).get("originalFile"))
        (repo / "app.py").write_bytes(b"hello\r\nworld\r\n")
        checkpoint(repo, end)
        assert list(changes(repo)) == [("app.py", b"hello\r\n", b"hello\r\nworld\r\n")]

    def test_what_was_seen_before_counts_more_than_what_the_agent_reports(self, repo: Path) -> None:
        pre, end = (
            next(
                p
                for p in payloads("claude-code", repo)
                if p["hook_event_name"] == e and p["tool_name"] == "Edit"
            )
            for e in ("PreToolUse", "PostToolUse")
        )
        (repo / "app.py").write_bytes(b"\xff\xfeh\0i\0")
        checkpoint(repo, pre)
        (repo / "app.py").write_bytes(b"\xff\xfeh\0o\0")
        checkpoint(repo, end)
        assert list(changes(repo)) == [("app.py", b"\xff\xfeh\0i\0", b"\xff\xfeh\0o\0")]


def test_a_shell_tool_with_a_folder_of_its_own_is_followed_there(repo: Path, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    pre = next(p for p in payloads("codex-cli", repo) if p.get("tool_name") == "Bash")
    call = pre | {"tool_input": {"command": "x", "workdir": str(other)}}
    checkpoint(repo, call, named="codex-cli")
    (other / "x").write_text("x\n")
    checkpoint(repo, call | {"hook_event_name": "PostToolUse"}, named="codex-cli")
    assert list(changes(other)) == [("x", None, b"x\n")]
    assert list(changes(repo)) == []


def test_control_characters_in_a_payload_are_let_pass(repo: Path) -> None:
    """Windsurf sends them raw."""
    pre, post, *_ = payloads("windsurf", repo)
    checkpoint(repo, json.dumps(pre).replace("hello\\n", "hello\n\t\x01").encode(), named="windsurf")
    (repo / "app.py").write_text("hello\nworld\n")
    checkpoint(repo, json.dumps(post).replace("hello\\n", "hello\n\t\x01").encode(), named="windsurf")
    assert list(changes(repo)) == EDIT


@pytest.mark.parametrize(
    ("command", "approves"),
    [
        ("gh pr review 12 --approve", True),
        ("gh pr review --approve -b 'fine'", True),
        ("cd x && gh  pr review 12 -a", True),
        ("gh pr review 12 -ab fine", True),
        ("gh api repos/acme/shop/pulls/12/reviews -f event=APPROVE", True),
        ('gh api -X POST /repos/a/b/pulls/1/reviews --input - <<E\n{"event": "APPROVE"}\nE', True),
        ('curl -d \'{"event":"APPROVE"}\' https://x/pulls/1/reviews', False),
        ('curl https://x/repos/a/b/pulls/1/reviews -d \'{"event":"APPROVE"}\'', True),
        ("gh api graphql -f query='mutation {addPullRequestReview(input: {event: APPROVE}) {x}}'", True),
        ("gh pr review 12 --comment -b x", False),
        ("gh pr review 12 --request-changes -b 'no -a thing'", False),
        ("gh pr view 12; ls -a", False),
        ("gh pr review 12 -c -b ok | tee --approve", False),
        ("gh api repos/a/b/pulls/12/reviews", False),
        ("git commit -m 'APPROVE'", False),
    ],
)
def test_an_approval_in_a_command_line_is_seen(command: str, approves: bool) -> None:
    assert review.is_approval("Bash", {"command": command}) is approves
    assert review.is_approval("run_commands", {"commands": ["ls", command]}) is approves


@pytest.mark.parametrize(
    ("tool", "given", "approves"),
    [
        ("mcp__github__create_pull_request_review", {"event": "APPROVE"}, True),
        ("mcp__github__pull_request_review_write", {"method": "create", "event": "approve"}, True),
        ("mcp__github__create_pull_request_review", {"event": "COMMENT"}, False),
        ("mcp__github__get_pull_request_reviews", {}, False),
        ("Bash", {}, False),
        ("Bash", {"command": 3}, False),
        ("Bash", None, False),
    ],
)
def test_an_approval_by_a_servers_tool_is_seen(tool: str, given: object, approves: bool) -> None:
    assert review.is_approval(tool, given) is approves


def test_an_approval_is_noted_once_with_the_account_and_nothing_of_the_command(
    repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text('#!/bin/sh\n[ "$1" = config ] && echo olga\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    agent = Agent(repo)
    env = {**agent.env, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    for event in ("PreToolUse", "PostToolUse"):
        checkpoint(repo, agent._payload(event, "Bash", {"command": "gh pr review 4711 --approve"}), env)
    (event_,) = Evidence(Repo.open(repo).home).events()
    assert (event_.kind, event_.account, event_.touched, event_.agent) == (
        "review",
        "olga",
        (),
        "claude-code",
    )
    kept = b"".join(p.read_bytes() for p in (repo / ".git" / "foureyes").rglob("*") if p.is_file())
    assert b"4711" not in kept


def test_the_model_of_a_session_is_written_down_under_the_end_of_its_id(repo: Path) -> None:
    pre = next(p for p in payloads("codex-cli", repo) if p.get("tool_name") == "Bash")
    checkpoint(repo, pre, named="codex-cli")
    (file,) = (repo / ".git" / "foureyes" / "models").iterdir()
    assert file.name == "codex-cli-7c7e4a845116"
    assert file.read_text() == "gpt-5.5\n"
    checkpoint(repo, pre | {"model": "gpt-6"}, named="codex-cli")
    assert file.read_text() == "gpt-6\n"
    checkpoint(repo, pre | {"session_id": "../../x/..", "model": "m"}, named="codex-cli")
    checkpoint(repo, pre | {"model": "a model\nwith $(more)"}, named="codex-cli")
    assert [f.read_text() for f in (repo / ".git" / "foureyes" / "models").iterdir()] == ["gpt-6\n"]
    os.utime(file, (0, 0))
    checkpoint(repo, pre | {"session_id": "x-aaa"}, named="codex-cli")
    assert [f.name for f in (repo / ".git" / "foureyes" / "models").iterdir()] == ["codex-cli-aaa"]
