"""The real agent programs, with their hooks as `foureyes install` sets them up, against a scripted model on loopback:
an edit, a shell command that edits, a commit, a push, and the record tells it line by line.

`make test-agents` installs them from their registry; FOUREYES_TEST_AGENTS names the folder of their programs.
"""

import fcntl
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from support_git import commit, foureyes, git, make_repo, message, run
from support_hooked import make_remote, push, records
from support_model_server import Say, Shell, Write, model_server

from foureyes.hooks.journal import read_journal

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
FOLDER = os.environ.get("FOUREYES_TEST_AGENTS", "")


def claude(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    quiet = {
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    env = {"ANTHROPIC_BASE_URL": address, "ANTHROPIC_API_KEY": "x", "IS_SANDBOX": "1", **quiet}
    return ["claude", "-p", "go", "--dangerously-skip-permissions"], env


def codex(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    (home / ".codex" / "config.toml").write_text(
        'model = "gpt-5.5"\nmodel_provider = "x"\n[model_providers.x]\nname = "x"\nwire_api = "responses"\n'
        f'base_url = "{address}/v1"\nenv_key = "OPENAI_API_KEY"\n[analytics]\nenabled = false\n'
    )
    free = ["--dangerously-bypass-approvals-and-sandbox", "--dangerously-bypass-hook-trust"]
    return ["codex", "exec", *free, "go"], {"OPENAI_API_KEY": "x"}


def gemini(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    file = home / ".gemini" / "settings.json"
    more = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    file.write_text(
        json.dumps({**json.loads(file.read_text()), **more, "general": {"disableAutoUpdate": True}})
    )
    env = {"GOOGLE_GEMINI_BASE_URL": address, "GEMINI_API_KEY": "x", "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    return ["gemini", "-p", "go", "--yolo", "-m", "gemini-3-pro"], env


def copilot(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    provider = {"BASE_URL": f"{address}/v1", "TYPE": "openai", "API_KEY": "x"}
    env = {f"COPILOT_PROVIDER_{name}": value for name, value in provider.items()}
    free = ["--allow-all-tools", "--allow-all-paths"]
    return ["copilot", "-p", "go", *free], {**env, "COPILOT_OFFLINE": "true", "COPILOT_MODEL": "gpt-4.1"}


def opencode(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    options = {"baseURL": f"{address}/v1", "apiKey": "x"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "x", "options": options, "models": {"m-1": {}}}
    (home / ".config" / "opencode" / "opencode.json").write_text(
        json.dumps({"autoupdate": False, "model": "x/m-1", "provider": {"x": provider}})
    )
    off = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")
    return ["opencode", "run", "go"], {f"OPENCODE_DISABLE_{name}": "1" for name in off}


def qwen(home: Path, address: str) -> tuple[list[str], dict[str, str]]:
    file = home / ".qwen" / "settings.json"
    off = {"privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **off}))
    env = {"OPENAI_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": "x", "OPENAI_MODEL": "m-1"}
    env |= dict.fromkeys(PROXIES, "")  # it would send what is for loopback there too
    return ["qwen", "-p", "go", "--yolo", "--auth-type", "openai"], env


Start = Callable[[Path, str], tuple[list[str], dict[str, str]]]
AGENTS: list[tuple[str, Start, str]] = [
    ("claude-code", claude, ":claude-"),
    ("codex-cli", codex, ":gpt-5.5"),
    ("gemini-cli", gemini, ""),
    ("copilot-cli", copilot, ":gpt-4.1"),
    ("opencode", opencode, ":m-1"),
    ("qwen-code", qwen, ""),
]
"""Catalogue id, how it is started, and how its model stands in the trailer, if one of ours is there."""


@pytest.mark.skipif(not FOLDER, reason="the agent programs are not installed: see `make test-agents`")
@pytest.mark.parametrize(("agent", "start", "model"), AGENTS, ids=[one[0] for one in AGENTS])
def test_an_agents_edits_shell_commit_and_push(agent: str, start: Start, model: str, tmp_path: Path) -> None:
    repo, home = make_repo(tmp_path / "repo"), Path.home()
    old = {"GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}
    commit(repo, {"app.py": "hello\n"}, "app", env=old)
    git(repo, "config", "user.name", "Olga")
    git(repo, "config", "user.email", "person@example.com")
    foureyes(repo, "install", "--login", "olga", "--agent", agent)
    remote = make_remote(repo, tmp_path / "remote.git")
    script = (
        Write(repo / "new.py", "print(1)"),
        Shell("printf 'hello\\nworld\\n' > app.py"),
        Shell("git add -A && git commit -q -m 'Add world'"),
    )
    with model_server(script) as address:
        command, env = start(home, address)
        run(command, repo, only_env=sealed(home) | env)
    assert message(repo).startswith("Add world")
    if model:
        assert f"Assisted-by: {agent}{model}" in message(repo)
    ((line, *_),) = [
        lines for oid, lines in read_journal(repo / ".git").items() if oid == git(repo, "rev-parse", "HEAD")
    ]
    assert line.agent == agent
    push(repo, "origin", "HEAD:refs/heads/feature", env={"PATH": os.environ["PATH"]})
    (record,) = records(remote, "feature").values()
    assert record.cls == "ai"
    assert [one.id for one in record.agents][:1] == [agent]
    assert {(c.path, c.side, c.start, c.count, c.cls, c.agent) for c in record.contributors} == {
        ("new.py", "added", 1, 1, "ai", agent),
        ("app.py", "added", 2, 1, "ai", agent),
    }


@pytest.mark.skipif(not FOLDER, reason="the agent programs are not installed: see `make test-agents`")
def test_aiders_edit_and_commit(tmp_path: Path) -> None:
    """aider has no hooks of its own and commits with --no-verify: what git's own hooks see of it is all there is."""
    if not (Path(FOLDER) / "aider").exists():
        pytest.skip("aider is not installed: it needs Python 3.12 or older")
    repo, home = make_repo(tmp_path / "repo"), Path.home()
    commit(repo, {"notes.txt": "hello\n"}, "notes")
    git(repo, "config", "user.name", "Olga")
    git(repo, "config", "user.email", "person@example.com")
    foureyes(repo, "install", "--login", "olga")
    remote = make_remote(repo, tmp_path / "remote.git")
    edit = "notes.txt\n```\n<<<<<<< SEARCH\nhello\n=======\nhello\nworld\n>>>>>>> REPLACE\n```\n"
    with model_server((Say("# Diffs:", "Add world"), Say("", edit))) as address:
        quiet = ["--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings"]
        plain = ["--no-auto-lint", "--no-gitignore", "--edit-format", "diff", "--map-tokens", "0"]
        command = ["aider", "--model", "openai/m-1", *quiet, *plain, "--message", "go", "notes.txt"]
        key = {
            "OPENAI_API_BASE": f"{address}/v1",
            "OPENAI_API_KEY": "x",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        run(command, repo, only_env=sealed(home) | key)
    assert message(repo).startswith("Add world")
    push(repo, "origin", "HEAD:refs/heads/feature", env={"PATH": os.environ["PATH"]})
    (record,) = records(remote, "feature").values()
    assert record.cls == "ai"
    assert [one.id for one in record.agents] == ["aider"]
    assert {"journal", "trailer"} <= set(record.agents[0].evidence)
    assert {(c.path, c.side, c.start, c.count, c.cls, c.agent, c.evidence) for c in record.contributors} == {
        ("notes.txt", "added", 2, 1, "ai", "aider", "journal")
    }


@pytest.fixture(autouse=True)
def loopback() -> None:
    """In a network of their own (see the Makefile) even loopback is down at first."""
    if FOLDER and [name for _, name in socket.if_nameindex()] == ["lo"]:
        with socket.socket() as any_socket:
            up_and_running = struct.pack("16sh14x", b"lo", 0x41)
            fcntl.ioctl(any_socket, 0x8914, up_and_running)  # SIOCSIFFLAGS


def sealed(home: Path) -> dict[str, str]:
    """No way out but loopback, for programs that keep to a proxy."""
    nowhere = dict.fromkeys(PROXIES, "http://127.0.0.1:9")
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    return {**nowhere, **local, "PATH": f"{FOLDER}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}
