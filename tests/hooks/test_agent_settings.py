"""The hooks that are put into agents' own configuration, and taken out again."""

import errno
import json
import os
import stat
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_agent import Agent
from support_git import make_repo, python_env, run

from foureyes.hooks import agent_settings
from foureyes.hooks.agent_adapters import ADAPTERS
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

AGENTS = sorted({adapter.agent for adapter in ADAPTERS.values()})
NESTED = """{
    "model": "opus",   "env": {"A": "1", "B": "é"},
    "hooks": {
        "EVENT": [
            {"matcher": "Bash", "hooks": [{"type": "command", "command": "mine"}]}
        ],
        "SessionStart": []
    }
}"""
THEIRS = {
    "claude-code": (".claude/settings.json", NESTED.replace("EVENT", "PreToolUse")),
    "codex-cli": (
        ".codex/hooks.json",
        '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"mine"}]}]}}',
    ),
    "cursor": (
        ".cursor/hooks.json",
        '{\n\t"version": 1,\n\t"hooks": {\n\t\t"stop": [\n\t\t\t{"command": "./mine.sh"}\n\t\t]\n\t}\n}\n',
    ),
    "gemini-cli": (
        ".gemini/settings.json",
        '// mine\r\n{\r\n  "ui": {"theme": "x"}, // not this one\r\n  /* later: "hooks": {} */\r\n}\r\n',
    ),
    "qwen-code": (".qwen/settings.json", '{\n  "hooks": {\n    // none yet\n  },\n}\n'),
}
OWN_FILES = {
    "copilot-cli": [".copilot/hooks/foureyes.json"],
    "opencode": [".config/opencode/plugins/foureyes.js"],
    "cline": [
        f".cline/hooks/{event}" for event in ("PreToolUse", "PostToolUse", "TaskComplete", "TaskCancel")
    ],
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def add(repo: Path, agent: str) -> str:
    """As `foureyes install` does it, with the interpreter and the folders of this run."""
    (repo / ".git" / "foureyes").mkdir(exist_ok=True)
    path = tuple(part for part in (python_env()["PYTHONPATH"], *sys.path) if part)
    return agent_settings.add(repo / ".git", sys.executable, path, agent)


def everything() -> dict[str, tuple[bytes, int]]:
    home = Path.home()
    return {
        str(path.relative_to(home)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def theirs(agent: str) -> Path:
    name, text = THEIRS[agent]
    file = Path.home() / name
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode())
    file.chmod(0o640)
    return file


@pytest.mark.parametrize("agent", AGENTS)
def test_on_an_empty_home_the_files_are_made_and_go_again(agent: str, repo: Path) -> None:
    before = everything()
    assert not agent_settings.in_place(agent)
    assert add(repo, agent).startswith("added")
    assert agent_settings.in_place(agent)
    made = everything().keys() - before.keys()
    expected = OWN_FILES.get(agent) or [THEIRS[agent][0]]
    assert made == {*expected, ".config/foureyes/foureyes", f".config/foureyes/{agent}.json"}
    again = everything()
    assert add(repo, agent).startswith("already there")
    assert everything() == again
    assert agent_settings.remove(repo / ".git") == {agent: "removed"}
    assert everything() == before
    assert not (Path.home() / ".config" / "foureyes").exists()
    assert agent_settings.remove(repo / ".git") == {}


@pytest.mark.parametrize("agent", sorted(THEIRS))
def test_what_a_person_wrote_stays_as_it_is_and_comes_back_to_the_byte(agent: str, repo: Path) -> None:
    file = theirs(agent)
    before = everything()
    text = file.read_bytes()
    add(repo, agent)
    added = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    # All that was there is there, in its order: ours are insertions.
    rest = iter(added)
    assert all(byte in rest for byte in text)
    assert agent_settings.in_place(agent)
    agent_settings.remove(repo / ".git")
    assert everything() == before


@pytest.mark.parametrize("agent", sorted(THEIRS))
def test_later_changes_of_the_person_stay_and_only_ours_goes(agent: str, repo: Path) -> None:
    file = theirs(agent)
    text = file.read_bytes()
    add(repo, agent)
    changed = (
        b'{\n "added": "later", // x\n'
        if agent in {"gemini-cli", "qwen-code"}
        else b'{\n "added": "later",\n'
    )
    file.write_bytes(file.read_bytes().replace(b"{", changed, 1))
    agent_settings.remove(repo / ".git")
    left = file.read_bytes()
    if agent in {"gemini-cli", "codex-cli", "cursor", "claude-code"}:
        assert left == text.replace(b"{", changed, 1)
    else:  # a pair of brackets that held a comment alone
        assert left.split() == text.replace(b"{", changed, 1).split()


def calls(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            if name in {"command", "bash"} and isinstance(child, str):
                yield child
            else:
                yield from calls(child)
    elif isinstance(value, list):
        for child in value:
            yield from calls(child)


@pytest.mark.parametrize("agent", [agent for agent in AGENTS if agent not in {"opencode"}])
def test_what_is_configured_runs_without_path_and_records(agent: str, repo: Path) -> None:
    add(repo, agent)
    for name in OWN_FILES.get(agent) or [THEIRS[agent][0]]:
        file = Path.home() / name
        if agent == "cline":
            assert os.access(file, os.X_OK)
            commands = {str(file)}
        else:
            commands = set(calls(json.loads(file.read_text())))
        assert len(commands) == 1
    payload = Agent(repo)._payload("PreToolUse", "Bash", {"command": "x"})
    git_only = {"PATH": os.environ["PATH"], "HOME": str(Path.home())}
    done = run(
        ["/bin/sh", "-c", f"'{commands.pop()}'" if agent == "cline" else commands.pop()],
        repo,
        only_env=git_only,
        stdin=json.dumps(payload).encode(),
    )
    assert done.stderr == b""
    assert len(list((repo / ".git/foureyes/evidence/pending").iterdir())) == 1


@pytest.mark.parametrize("agent", AGENTS)
def test_a_python_that_is_gone_is_silence(agent: str, repo: Path) -> None:
    (repo / ".git" / "foureyes").mkdir()
    agent_settings.add(repo / ".git", "/gone/python3", ("/gone",), agent)
    launcher = Path.home() / ".config/foureyes/foureyes"
    done = run([str(launcher), "checkpoint", agent], repo, stdin=b"{}")
    assert (done.stdout, done.stderr) == (b"", b"")


def test_one_configuration_serves_all_repositories(repo: Path, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    before = everything()
    for agent in ("cursor", "opencode"):
        add(repo, agent)
        add(other, agent)
    assert agent_settings.remove(repo / ".git") == {
        "cursor": "kept for other repositories",
        "opencode": "kept for other repositories",
    }
    assert agent_settings.in_place("cursor")
    assert agent_settings.remove(other / ".git") == {"cursor": "removed", "opencode": "removed"}
    assert everything() == before


def test_a_repository_that_is_gone_holds_nothing(repo: Path, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    add(other, "cursor")
    add(repo, "cursor")
    (other / ".git").rename(tmp_path / "moved")
    assert agent_settings.remove(repo / ".git") == {"cursor": "removed"}


def test_a_repository_that_was_moved_lets_go_of_what_it_held(repo: Path, tmp_path: Path) -> None:
    before = everything()
    add(repo, "cursor")
    repo.rename(tmp_path / "moved")
    assert agent_settings.remove(tmp_path / "moved" / ".git") == {}
    assert agent_settings.remove(tmp_path / "moved" / ".git", str(repo / ".git")) == {"cursor": "removed"}
    assert everything() == before


@pytest.mark.parametrize("agent", ["opencode", "copilot-cli", "cline"])
def test_folders_that_were_made_go_again_and_others_stay(agent: str, repo: Path) -> None:
    above = Path.home() / (OWN_FILES.get(agent) or [THEIRS[agent][0]])[0]
    above.parent.parent.mkdir(parents=True)
    before = sorted(Path.home().rglob("*"))
    add(repo, agent)
    agent_settings.remove(repo / ".git")
    assert sorted(Path.home().rglob("*")) == before
    add(repo, agent)
    (above.parent / "mine").write_text("x")
    agent_settings.remove(repo / ".git")
    assert [path.name for path in above.parent.iterdir()] == ["mine"]


def test_what_cannot_be_written_is_told_and_changes_nothing(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs("claude-code")

    def refuse(descriptor: int, *_arguments: object, **_more: object) -> object:
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fdopen", refuse)
    before = everything()
    with pytest.raises(UserError, match="foureyes was left alone: No space left on device"):
        add(repo, "claude-code")
    assert everything() == before


def test_a_file_that_broke_later_keeps_no_other_agents_hooks_in(repo: Path) -> None:
    file = theirs("claude-code")
    for agent in ("claude-code", "cursor"):
        add(repo, agent)
    whole = file.read_text()
    file.write_text("{" + whole)
    told = agent_settings.remove(repo / ".git")
    assert told["cursor"] == "removed"
    assert told["claude-code"].startswith(f"NOT removed: {file} was left alone")
    file.write_text(whole)
    assert agent_settings.remove(repo / ".git") == {"claude-code": "removed"}
    assert file.read_text() == THEIRS["claude-code"][1]


def test_vs_code_reads_what_copilot_is_given(repo: Path) -> None:
    assert add(repo, "copilot-vscode") == "added"
    assert add(repo, "copilot-cli") == "already there"


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("claude-code", "{ // a comment\n}"),
        ("claude-code", "[]"),
        ("cursor", '{"hooks": {"stop": {}}}'),
        ("cursor", '{"hooks": [1]}'),
        ("gemini-cli", '{"hooks": {"BeforeTool": [3]}}'),
        ("gemini-cli", '{"hooks": {"BeforeTool": [{"hooks": 3}]}}'),
        ("codex-cli", "{"),
        ("qwen-code", "\ufeff{}"),
        ("copilot-cli", '{"version": 1, "hooks": {}}'),
        ("opencode", "export const mine = 1\n"),
    ],
)
def test_a_file_of_another_form_is_left_alone(agent: str, text: str, repo: Path) -> None:
    file = Path.home() / (OWN_FILES.get(agent) or [THEIRS[agent][0]])[0]
    file.parent.mkdir(parents=True)
    file.write_text(text)
    before = everything()
    with pytest.raises(UserError, match="was left alone"):
        add(repo, agent)
    assert everything() == before
    assert not agent_settings.in_place(agent)


def test_clines_other_hook_of_the_same_name_stops_before_any_is_written(repo: Path) -> None:
    file = Path.home() / ".cline/hooks/PostToolUse"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\nmine\n")
    before = everything()
    with pytest.raises(UserError, match="another file of that name"):
        add(repo, "cline")
    assert everything() == before


def test_an_older_command_of_ours_is_replaced(repo: Path) -> None:
    file = theirs("claude-code")
    add(repo, "claude-code")
    launcher = str(Path.home() / ".config/foureyes/foureyes")
    file.write_text(file.read_text().replace(launcher, "/old place/foureyes"))
    (Path.home() / ".config/foureyes/claude-code.json").unlink()
    add(repo, "claude-code")
    found = list(calls(json.loads(file.read_text())))
    assert found == ["mine"] + [f"{launcher} checkpoint claude-code"] * 3
    agent_settings.remove(repo / ".git")
    assert file.read_text() == THEIRS["claude-code"][1]


def test_a_hook_of_theirs_in_one_group_with_ours_stays(repo: Path) -> None:
    file = theirs("claude-code")
    add(repo, "claude-code")
    value = json.loads(file.read_text())
    value["hooks"]["Stop"][0]["hooks"].insert(0, {"type": "command", "command": "joined"})
    file.write_text(json.dumps(value))
    agent_settings.remove(repo / ".git")
    left = json.loads(file.read_text())
    assert left["hooks"].pop("Stop") == [{"hooks": [{"type": "command", "command": "joined"}]}]
    assert left == json.loads(THEIRS["claude-code"][1])


class TestCodex:
    CONFIG = '# mine\nmodel = "gpt-5.5"\n\n[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = "mine"'

    @pytest.fixture
    def config(self) -> Path:
        file = Path.home() / ".codex" / "config.toml"
        file.parent.mkdir()
        file.write_text(self.CONFIG)
        return file

    def test_hooks_join_those_in_the_toml_file(self, config: Path, repo: Path) -> None:
        before = everything()
        assert add(repo, "codex-cli") == "added; approve them in Codex with /hooks"
        assert not (config.parent / "hooks.json").exists()
        assert config.read_text().startswith(self.CONFIG)
        value = tomllib.loads(config.read_text())
        assert [len(value["hooks"][event]) for event in ("PreToolUse", "PostToolUse", "Stop")] == [2, 1, 1]
        assert len(set(calls(value))) == 2
        assert add(repo, "codex-cli").startswith("already there")
        agent_settings.remove(repo / ".git")
        assert everything() == before

    def test_what_codex_writes_beside_them_stays(self, config: Path, repo: Path) -> None:
        add(repo, "codex-cli")
        state = '\n[hooks.state."x"]\nenabled = true\n'
        config.write_text(config.read_text() + state)
        agent_settings.remove(repo / ".git")
        assert config.read_text() == self.CONFIG + "\n" + state

    def test_a_configuration_without_hooks_keeps_to_itself(self, config: Path, repo: Path) -> None:
        config.write_text('model = "gpt-5.5"\n')
        add(repo, "codex-cli")
        assert config.read_text() == 'model = "gpt-5.5"\n'
        assert (config.parent / "hooks.json").is_file()

    def test_inline_hooks_are_left_alone(self, config: Path, repo: Path) -> None:
        config.write_text('hooks = {Stop = [{hooks = [{type = "command", command = "mine"}]}]}\n')
        with pytest.raises(UserError, match="was left alone"):
            add(repo, "codex-cli")

    def test_nothing_is_approved_in_the_persons_name(self, repo: Path) -> None:
        add(repo, "codex-cli")
        assert not (Path.home() / ".codex" / "config.toml").exists()
        assert not agent_settings.is_approved("codex-cli")

    @pytest.mark.parametrize(
        ("enabled", "approved"), [("enabled = true", True), ("", True), ("enabled = false", False)]
    )
    def test_an_approval_is_seen(self, enabled: str, approved: bool, repo: Path) -> None:
        add(repo, "codex-cli")
        key = json.dumps(f"{Path.home()}/.codex/hooks.json:pre_tool_use:0:0")
        config = Path.home() / ".codex" / "config.toml"
        config.write_text(f'[hooks.state.{key}]\n{enabled}\ntrusted_hash = "sha256:00"\n')
        assert agent_settings.is_approved("codex-cli") is approved
        assert ("approve" in add(repo, "codex-cli")) is not approved

    def test_an_approval_of_another_file_is_none(self, repo: Path) -> None:
        add(repo, "codex-cli")
        config = Path.home() / ".codex" / "config.toml"
        config.write_text('[hooks.state."/repo/.codex/hooks.json:pre_tool_use:0:0"]\nenabled = true\n')
        assert not agent_settings.is_approved("codex-cli")


def test_folders_of_their_own_choice_are_used(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "c"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "x"))
    add(repo, "claude-code")
    add(repo, "codex-cli")
    assert (tmp_path / "c" / "settings.json").is_file()
    assert (tmp_path / "x" / "hooks.json").is_file()


@pytest.mark.parametrize(
    ("folder", "agents"),
    [
        (".claude", ("claude-code",)),
        (".codex", ("codex-cli",)),
        (".cursor", ("cursor",)),
        (".copilot", ("copilot-cli", "copilot-vscode")),
        (".gemini", ("gemini-cli",)),
        (".config/opencode", ("opencode",)),
        (".config", ()),
        (".agents/plugins", ()),
        (".cline", ("cline",)),
        (".qwen", ("qwen-code",)),
        (".factory", ("droid",)),
    ],
)
def test_an_agent_is_found_by_its_folder(folder: str, agents: tuple[str, ...]) -> None:
    assert agent_settings.found() == ()
    (Path.home() / folder).mkdir(parents=True)
    assert agent_settings.found() == agents


SHARED = {
    "claude-code": ".claude/settings.json",
    "codex-cli": ".codex/hooks.json",
    "copilot-cli": ".github/hooks/foureyes.json",
    "cursor": ".cursor/hooks.json",
    "gemini-cli": ".gemini/settings.json",
    "opencode": ".opencode/plugins/foureyes.js",
    "qwen-code": ".qwen/settings.json",
}


@pytest.mark.parametrize("agent", sorted(SHARED))
def test_a_repository_can_carry_the_hooks(agent: str, repo: Path, tmp_path: Path) -> None:
    (name,) = agent_settings.add_shared(repo, agent)
    assert name == Path(SHARED[agent])
    text = (repo / name).read_text()
    assert str(Path.home()) not in text
    assert str(tmp_path) not in text
    assert stat.S_IMODE((repo / name).stat().st_mode) == 0o644
    assert agent_settings.add_shared(repo, agent) == ()
    if agent != "opencode":
        (command,) = set(calls(json.loads(text)))
        without = {"PATH": "/nowhere", "HOME": str(tmp_path)}
        done = run(["/bin/sh", "-c", command], repo, only_env=without, stdin=b"{}")
        assert (done.stdout, done.stderr) == (b"", b"")


def test_what_a_repository_carries_records_where_foureyes_is_installed(repo: Path, tmp_path: Path) -> None:
    from support_agent import make_launcher

    agent_settings.add_shared(repo, "claude-code")
    (tmp_path / "bin").mkdir()
    make_launcher(tmp_path / "bin" / "foureyes")
    (command,) = set(calls(json.loads((repo / ".claude/settings.json").read_text())))
    payload = Agent(repo)._payload("PreToolUse", "Bash", {"command": "x"})
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    run(["/bin/sh", "-c", command], repo, only_env=env, stdin=json.dumps(payload).encode())
    assert len(list((repo / ".git/foureyes/evidence/pending").iterdir())) == 1
    assert Evidence(Repo.open(repo).home).events() == ()


def test_the_page_about_agents_names_each_file() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "agents.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in row.split("|")[1:-1]] for row in page.splitlines() if row.startswith("| `")
    ]
    assert {name.strip(" `") for row in rows for name in row[0].split(",")} == set(ADAPTERS)
    for names, user, shared, _ in rows:
        adapter = ADAPTERS[names.split(",")[0].strip("`")]
        for target in adapter.user():
            place = "~/" + str(target.path.relative_to(Path.home()))
            assert f"`{place}`" in user or f"`{place.rpartition('/')[0]}/`" in user
        assert [f"`{target.path}`" for target in adapter.shared()] == ([shared] if shared else [])
