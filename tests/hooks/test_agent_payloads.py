"""Every agent's hook payloads, as captured from runs (Cursor, VS Code, Windsurf, agent-v1: as documented), through
real processes in a real repository. The story is the same each time: app.py gets a line, new.py is made, a commit.
"""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support_git import commit, git, make_repo, run
from support_in_process import told

from foureyes.hooks.agent_adapters import ADAPTERS
from foureyes.hooks.agents import payload as payloads
from foureyes.hooks.agents.places import named_elsewhere
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.journal import read_journal
from foureyes.hooks.repo import Repo

SAMPLES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "agent_payloads.json").read_text("utf-8")
)
IDS = {"agent-v1": "my-agent", "cline-cli": "cline"}
MODELS = {
    "codex-cli": "gpt-5.5",
    "cursor": "claude-sonnet-5",
    "windsurf": "swe-2",
    "opencode": "gpt-5.5",
    "agent-v1": "some-model",
}
LOOKS = {"Read", "read_file", "read"}


def samples(agent: str, root: str = "/repo") -> Iterator[tuple[str, dict[str, Any]]]:
    """Event name and payload, with the repository in its place."""
    for sample in SAMPLES[agent]:
        yield sample["event"], json.loads(json.dumps(sample["stdin"]).replace("/repo", root))


def act(repo: Path, step: str) -> None:
    """What the agent does between the two halves of a call."""
    if step == "commit":
        run(["sh", "-c", "git add -A && git -c core.hooksPath=/dev/null commit -qm 'Add world'"], repo)
    elif step == "new":
        (repo / "new.py").write_text("print(1)\n")
    elif step == "app":
        (repo / "app.py").write_text("hello\nworld\n")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "repo")
    commit(
        repo,
        {"app.py": "hello\n"},
        "app",
        env={"GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"},
    )
    return repo


def changes(repo: Path) -> list[tuple[str, object, object]]:
    store = Evidence(Repo.open(repo).home)

    def content(ref: str | None) -> object:
        if ref is None or not ref.startswith(("s:", "g:")):
            return ref
        return (
            store.read(ref)
            if ref.startswith("s:")
            else git(repo, "cat-file", "blob", ref[2:]).encode() + b"\n"
        )

    return [
        (touched.path, content(touched.before), content(touched.after))
        for event in store.events()
        for touched in event.touched
    ]


STORY = [("app.py", b"hello\n", b"hello\nworld\n"), ("new.py", None, b"print(1)\n")]


ANSWERS = {"cline-cli": '{"cancel":false}\n', "cursor": "{}\n"}


def looks(payload: dict[str, Any]) -> bool:
    tool = payload.get("tool_name") or payload.get("toolName") or payload.get("input", {}).get("tool")
    return tool in LOOKS


def step_of(payload: dict[str, Any]) -> str:
    """Which part of the story a payload is about."""
    told = json.dumps(payload)
    if "git commit" in told or (payload.get("type") == "ai_agent" and "edited_filepaths" not in payload):
        return "commit"
    return "new" if "new.py" in told else "app" if "app.py" in told else ""


@pytest.mark.parametrize("agent", sorted(SAMPLES))
def test_the_story_of_each_agent_is_recorded_line_for_line(agent: str, repo: Path) -> None:
    done: set[str] = set()
    for event, payload in samples(agent, str(repo)):
        step = step_of(payload)
        # It is done when the first report of its end comes; Cursor sends several.
        ended = "ost" in event or "fter" in event or event == "ai_agent"
        if ended and step not in done and not looks(payload):
            done.add(step)
            act(repo, step)
        told(repo, IDS.get(agent, agent), payload, answer=ANSWERS.get(agent, ""))
    assert {"app", "commit"} <= done
    assert changes(repo) == [change for change in STORY if change[0] == "app.py" or "new" in done]
    events = Evidence(Repo.open(repo).home).events()
    assert {event.agent for event in events} == {IDS.get(agent, agent)}
    assert {event.model for event in events} == {MODELS.get(agent, "")}
    assert len({event.session for event in events}) == 1
    lines = read_journal(repo / ".git")
    assert set(lines) == {git(repo, "rev-parse", "HEAD")}
    assert {(line.hook, line.agent) for found in lines.values() for line in found} == {
        ("checkpoint", IDS.get(agent, agent))
    }


CLAUDES_CONFIGURATION = [agent for agent in sorted(SAMPLES) if agent not in {"agent-v1"}]


@pytest.mark.parametrize("agent", CLAUDES_CONFIGURATION)
def test_the_payload_names_the_agent_not_the_configuration_that_called(agent: str) -> None:
    for other in ("claude-code", "gemini-cli", "cursor"):
        found = {
            call.agent
            for _, payload in samples(agent)
            if (call := payloads.read(payload, {}, other)) is not None
        }
        assert found == {IDS.get(agent, agent)}


@pytest.mark.parametrize("agent", sorted(SAMPLES))
def test_an_outer_agents_marks_in_the_environment_do_not_rename_it(agent: str) -> None:
    outer = {
        "COPILOT_CLI": "1",
        "GEMINI_SESSION_ID": "x",
        "AI_AGENT": "claude-code_2-1-330_agent",
        "CODEX_CI": "1",
    }
    for event, payload in samples(agent):
        call = payloads.read(payload, outer, "claude-code") if event != "human" else None
        assert call is None or call.agent == IDS.get(agent, agent)


@pytest.mark.parametrize(
    ("environment", "agent"),
    [
        ({}, "claude-code"),
        ({"COPILOT_CLI": "1"}, "copilot-cli"),
        ({"GEMINI_SESSION_ID": "x"}, "gemini-cli"),
        ({"QWEN_CODE_SESSION_ID": "x"}, "qwen-code"),
    ],
)
def test_claudes_form_without_a_home_of_its_own_is_named_by_the_environment(
    environment: dict[str, str], agent: str
) -> None:
    payload = {"hook_event_name": "PreToolUse", "session_id": "s", "tool_name": "Bash", "tool_input": {}}
    call = payloads.read(payload, environment, "claude-code")
    assert call is not None
    assert call.agent == agent


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"hook_event_name": "PreToolUse"},
        {"hook_event_name": ["PreToolUse"], "session_id": "s", "tool_name": "Bash"},
        {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "tool_name": "TodoWrite",
            "tool_input": {"content": "x"},
        },
        {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "tool_name": "Grep",
            "tool_input": {"path": "/repo"},
        },
        {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "tool_name": "AskUserQuestion",
            "tool_input": {},
        },
        {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "Bash"},
        {"hook_event_name": "SubagentStop", "session_id": "s"},
        {"type": "human", "text": "a message of something else"},
        {"sessionId": "s", "source": "new", "initialPrompt": "x"},
        {"taskId": "t", "hookName": "agent_start", "taskStart": {}},
        {"event": "tool.execute.before", "input": "x"},
        {
            "conversation_id": "c",
            "generation_id": "g",
            "hook_event_name": "beforeSubmitPrompt",
            "prompt": "rm",
        },
        {"agent_action_name": "pre_user_prompt", "trajectory_id": "t", "tool_info": {}},
        {"hook_event_name": "BeforeTool", "session_id": "s", "tool_name": "read_file", "tool_input": {}},
    ],
)
def test_what_changes_no_file_is_no_call(payload: dict[str, Any]) -> None:
    assert payloads.read(payload, {}, "claude-code") is None


@pytest.mark.parametrize("agent", sorted(SAMPLES))
@pytest.mark.parametrize("junk", [None, 3, [], {}, "x\x00y", True, [[]], {"a": [None]}])
def test_no_field_of_another_type_is_an_error(agent: str, junk: object) -> None:
    for _, payload in samples(agent):
        for name in payload:
            payloads.read({**payload, name: junk}, {}, "")
            payloads.answer({**payload, name: junk}, "")


PATCH = "*** Begin Patch\n*** Update File: a b.py\n@@\n-x\n+*** Add File: no\n*** Move to: c.py\n*** Delete File: d\r\n*** Add File: e\n+y\n*** End Patch"


@pytest.mark.parametrize(
    ("tool", "given", "kind", "files"),
    [
        ("apply_patch", {"command": PATCH}, "edit", ("a b.py", "c.py", "d", "e")),
        ("apply_patch", {"input": PATCH, "explanation": "x"}, "edit", ("a b.py", "c.py", "d", "e")),
        ("patch", {"patchText": PATCH}, "edit", ("a b.py", "c.py", "d", "e")),
        (
            "multi_replace_string_in_file",
            {"replacements": [{"filePath": "a"}, {"filePath": "b"}]},
            "edit",
            ("a", "b"),
        ),
        ("editFiles", {"files": ["a", "b", "a"]}, "edit", ("a", "b")),
        ("Delete", {"path": "a"}, "edit", ("a",)),
        ("a_tool_of_next_year", {"file_path": "a", "new_string": "x"}, "edit", ("a",)),
        ("apply_patch", {"command": "not a patch"}, "shell", ()),
        ("mcp__files__move", {"path": "a", "content": "b"}, "shell", ()),
        ("Bash", {"command": PATCH}, "shell", ()),
    ],
)
def test_the_files_of_an_edit(tool: str, given: dict[str, Any], kind: str, files: tuple[str, ...]) -> None:
    payload = {"hook_event_name": "PreToolUse", "session_id": "s", "tool_name": tool, "tool_input": given}
    call = payloads.read(payload, {}, "claude-code")
    assert call is not None
    assert (call.kind, call.files) == (kind, files)


@pytest.mark.parametrize(
    ("payload", "environment", "version"),
    [
        (0, {"AI_AGENT": "claude-code_2-1-330_harness"}, "2.1.330"),
        (0, {"AI_AGENT": "claude-code/2.1.330/agent"}, "2.1.330"),
        (0, {"AI_AGENT": "claude-code_x_agent"}, ""),
    ],
)
def test_the_version_of_claude_code(payload: int, environment: dict[str, str], version: str) -> None:
    sample = list(samples("claude-code"))[3 + payload][1]
    call = payloads.read(sample, environment, "claude-code")
    assert call is not None
    assert call.version == version


def test_versions_of_others() -> None:
    copilot = payloads.read(list(samples("copilot-cli"))[1][1], {"COPILOT_CLI_BINARY_VERSION": "1.0.102"}, "")
    cursor = payloads.read(next(samples("cursor"))[1], {}, "")
    cloud = payloads.read(list(samples("copilot-cli"))[1][1], {"COPILOT_AGENT_JOB_ID": "1"}, "")
    kilo = payloads.read(list(samples("opencode"))[2][1], {"KILO": "1"}, "")
    assert copilot is not None
    assert cursor is not None
    assert cloud is not None
    assert kilo is not None
    assert (copilot.version, cursor.version) == ("1.0.102", "2.9.4")
    assert (cloud.agent, kilo.agent) == ("copilot-swe-agent", "kilo-cli")


def test_copilots_model_is_read_from_its_session_file(tmp_path: Path) -> None:
    sample = list(samples("copilot-cli"))[1][1]
    folder = tmp_path / ".copilot" / "session-state" / sample["sessionId"]
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text(
        '{"type":"x","data":{"model":"gpt-5.5"}}\n{"text":"\\"model\\":\\"no\\""}\n'
    )
    asked = {"HOME": str(tmp_path), "COPILOT_MODEL": "gpt-4.1"}
    call = payloads.read(sample, asked, "")
    assert call is not None
    assert call.model == "gpt-5.5"
    unwritten = payloads.read({**sample, "sessionId": "0" * 36}, asked, "")
    assert unwritten is not None
    assert unwritten.model == "gpt-4.1", "the file comes later: what was asked for"
    claudes = {"hook_event_name": "PreToolUse", "session_id": sample["sessionId"], "tool_name": "bash"}
    same = payloads.read(claudes, {"HOME": str(tmp_path), "COPILOT_CLI": "1"}, "claude-code")
    assert same is not None
    assert (same.agent, same.model, same.session) == ("copilot-cli", "gpt-5.5", call.session)
    outside = payloads.read({**sample, "sessionId": "../../session"}, {"HOME": str(tmp_path)}, "")
    assert outside is not None
    assert outside.model == ""


NODE = shutil.which("node")
DRIVER = """
import { readFileSync } from "node:fs"
import { execFileSync } from "node:child_process"
import { pathToFileURL } from "node:url"
const [plugin, directory] = process.argv.slice(2)
const { foureyes } = await import(pathToFileURL(plugin))
const hooks = await foureyes({ directory })
await hooks["chat.params"]({ sessionID: "ses_1", model: { id: "gpt-5.5" } }, {})
const steps = [
  ["edit", { filePath: `${directory}/app.py` }, "printf 'hello\\\\nworld\\\\n' >app.py"],
  ["write", { filePath: `${directory}/new.py` }, "printf 'print(1)\\\\n' >new.py"],
  ["bash", { command: "x" }, "git add -A && git -c core.hooksPath=/dev/null commit -qm x"],
]
let call = 0
for (const [tool, args, script] of steps) {
  const input = { tool, sessionID: "ses_1", callID: `call_${++call}` }
  await hooks["tool.execute.before"](input, { args })
  execFileSync("sh", ["-c", script], { cwd: directory })
  await hooks["tool.execute.after"]({ ...input, args }, { title: "", output: "", metadata: {} })
}
const shell = { env: {} }
await hooks["shell.env"]({ cwd: directory, sessionID: "ses_1" }, shell)
await hooks["shell.env"]({ cwd: directory }, shell)
if (JSON.stringify(shell.env) !== '{"FOUREYES_OPENCODE_MODEL":"gpt-5.5"}') throw new Error(JSON.stringify(shell))
await hooks.event({ event: { type: "session.idle", properties: { sessionID: "ses_1" } } })
await hooks.event({ event: { type: "session.created" } })
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed: opencode's plugin is not run")
@pytest.mark.parametrize("works", [True, False])
def test_opencodes_plugin_tells_all_and_never_fails(
    works: bool, repo: Path, tmp_path: Path, launcher: Path
) -> None:
    (target,) = ADAPTERS["opencode"].user()
    plugin = tmp_path / "plugin.mjs"
    command = f"'{launcher}' checkpoint opencode" if works else f"{tmp_path}/gone checkpoint opencode"
    plugin.write_text(target.form.add(None, command))
    (tmp_path / "driver.mjs").write_text(DRIVER)
    done = run([str(NODE), str(tmp_path / "driver.mjs"), str(plugin), str(repo)], tmp_path)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert changes(repo) == (STORY if works else [])
    if works:
        assert {(e.agent, e.model) for e in Evidence(Repo.open(repo).home).events()} == {
            ("opencode", "gpt-5.5")
        }
        assert len(read_journal(repo / ".git")) == 1


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    from support_agent import make_launcher

    return make_launcher(tmp_path / "a launcher")


def test_clines_script_answers_whatever_happens(tmp_path: Path, repo: Path, launcher: Path) -> None:
    target = ADAPTERS["cline"].user()[0]
    for command in (
        f"'{launcher}' checkpoint cline",
        "/gone/foureyes checkpoint cline",
        "true checkpoint cline",
    ):
        script = tmp_path / "PreToolUse"
        script.write_text(target.form.add(None, command))
        _, payload = list(samples("cline-cli", str(repo)))[1]
        for stdin in (json.dumps(payload).encode(), b"junk"):
            done = run(["sh", str(script)], repo, stdin=stdin)
            assert json.loads(done.stdout) == {"cancel": False}
            assert done.stderr == b""


def test_places_in_other_repositories_are_found_in_a_command(tmp_path: Path):
    for name in ("here/.git", "there/.git", "third/.git", "fourth/.git", "fifth/.git", "here/deep"):
        (tmp_path / name).mkdir(parents=True)
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    named = partial(named_elsewhere, here)
    assert named({"command": f"sed -i s/a/b/ {there}/not/there/yet"}) == (there,)
    assert named({"command": ["git", "-C", "../there", "commit"]}) == (there,)
    assert named({"cmd": "cd ..; cd there"}) == (), "a name alone is looked for where the command starts"
    assert named({"command": "ls /; cat deep/x; echo ../there\\0"}) == ()
    assert (
        named({"description": there})
        == named(None)
        == named(["x", 1])
        == named({"command": "a " * 999})
        == ()
    )
    every = " ".join(f"../{name}" for name in ("there", "third", "fourth", "fifth"))
    assert len(named({"command": every})) == 3
    assert named_elsewhere(str(tmp_path), {"command": "cd there"}) == (there,)
