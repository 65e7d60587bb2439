"""The catalogue: what real runs of agents leave behind is recognised, and people who share their names are not."""

import json
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foureyes.shared.agents import CatalogueError, EnvMark, parse_catalogue
from foureyes.shared.people import Identity

HERE = Path(__file__).parent
TEXT = (HERE.parent.parent / "shared" / "agents.json").read_text()
CATALOGUE = parse_catalogue(TEXT)
# What ten agents' commands, started in a sandbox, showed to a git hook: environment, and processes nearest first.
RUNS: dict[str, dict[str, Any]] = json.loads((HERE.parent / "data" / "agent_runs.json").read_text())
PERSON = Identity("Test Person", "person@example.com")
NEAREST = {
    "cline-cli": "cline",
    "claude-code-interactive": "claude-code",
    "claude-code-runs-codex": "codex-cli",
}


def marks(message: str = "", author: Identity = PERSON, committer: Identity = PERSON) -> set[tuple[str, str]]:
    found = CATALOGUE.find_marks(message, author, committer)
    assert set(CATALOGUE.agents_in(message, author, committer)) == {mark.agent for mark in found}
    return {(mark.agent, mark.how) for mark in found}


def nearest(processes: list[dict[str, Any]]) -> str | None:
    for process in processes:
        argv = [PurePosixPath(word).name for word in process["argv"]]
        after = next((word for word in argv[1:] if not word.startswith("-")), "")
        agent = CATALOGUE.by_process(PurePosixPath(process["exe"]).name, argv[0], after)
        if agent:
            return agent
    return None


@pytest.mark.parametrize("run", RUNS)
def test_every_captured_run_is_recognised_by_its_processes(run: str) -> None:
    assert nearest(RUNS[run]["processes"]) == NEAREST.get(run, run)


@pytest.mark.parametrize("run", sorted(set(RUNS) - {"continue-cli"}))
def test_every_captured_run_that_leaves_a_marker_is_recognised_by_it(run: str) -> None:
    found = CATALOGUE.by_env(RUNS[run]["environment"])
    assert NEAREST.get(run, run) in {mark.agent for mark in found}
    assert found[0].strong == (run not in {"cline-cli", "aider"})


def test_kilo_is_not_mistaken_for_the_program_it_was_forked_from() -> None:
    assert [mark.agent for mark in CATALOGUE.by_env(RUNS["kilo-cli"]["environment"])] == ["kilo-cli"]


def test_details_come_with_the_marker() -> None:
    (mark,) = CATALOGUE.by_env(RUNS["qwen-code"]["environment"])
    assert (mark.model, mark.version) == ("fake-model", "0.24.4")
    (claude,) = CATALOGUE.by_env(RUNS["claude-code"]["environment"])
    assert (claude.version, claude.session) == ("2.1.330", "e7dcf057-4f9a-47ea-b881-bc7f1bbb4e52")


def test_an_inner_agent_stands_beside_the_outer_one() -> None:
    found = CATALOGUE.by_env(RUNS["claude-code-runs-codex"]["environment"])
    assert {mark.agent for mark in found} == {"claude-code", "codex-cli"}


@pytest.mark.parametrize(
    "environment",
    [
        {"CURSOR_TRACE_ID": "0123"},
        {"CURSOR_CLI": "1"},
        {"AGENT": "1"},
        {"AI_AGENT": "something-else"},
        {"OPENCODE": "1", "OPENCODE_PID": "7", "OPENCODE_TERMINAL": "1"},
        {"CLAUDE_CODE_ENTRYPOINT": "cli"},
        {"TERM_PROGRAM": "WarpTerminal"},
        {"Q_TERM": "1"},
        {"COPILOT_MODEL": "gpt-5"},
        {"REPL_ID": "x"},
        {"USER": "olga"},
        {"GROK_AGENT": "0"},
        {"CODEX_CI": ""},
    ],
)
def test_what_a_persons_terminal_can_have_shows_no_agent(environment: dict[str, str]) -> None:
    assert CATALOGUE.by_env(environment) == ()


@pytest.mark.parametrize("environment", [{"CLAUDECODE": "1"}, {"OPENCODE": "1"}, {"OR_APP_NAME": "Aider"}])
def test_a_marker_that_a_persons_terminal_shares_is_not_strong(environment: dict[str, str]) -> None:
    assert [mark.strong for mark in CATALOGUE.by_env(environment)] == [False]


def test_a_journal_may_hold_only_agents_values() -> None:
    environment = RUNS["claude-code"]["environment"] | {
        "USER": "olga",
        "ANTHROPIC_API_KEY": "sk-1",
        "AGENT": "1",
    }
    kept = dict(CATALOGUE.marks(environment))
    assert kept["CLAUDE_PID"] == "15688"
    assert not {"CLAUDE_CODE_MESSAGING_TOKEN", "ANTHROPIC_API_KEY", "USER", "AGENT", "SHELL"} & set(kept)
    assert dict(CATALOGUE.marks({"AGENT_DISPLAY_OUT": "/home/olga/x"})) == {"AGENT_DISPLAY_OUT": "set"}
    assert set(kept) <= CATALOGUE.env_allowlist


@given(st.dictionaries(st.sampled_from(sorted(CATALOGUE.env_allowlist)), st.text(max_size=5)))
def test_every_agent_found_in_an_environment_rests_on_a_marker_that_is_noted(
    environment: dict[str, str],
) -> None:
    noted = dict(CATALOGUE.marks(environment))
    for mark in CATALOGUE.by_env(environment):
        assert set(mark.names) <= set(noted)
        assert mark.names


def test_a_journal_line_tells_the_same_as_the_environment_did() -> None:
    environment = RUNS["copilot-cli"]["environment"]
    assert CATALOGUE.by_env(dict(CATALOGUE.marks(environment))) == CATALOGUE.by_env(environment)
    assert CATALOGUE.by_env({"/opt/.devin": "exists"}) == (EnvMark("devin", True, ("/opt/.devin",)),)


@pytest.mark.parametrize(
    ("exe", "argv0", "argv1"),
    [
        ("vim", "vim", "claude"),
        ("bash", "bash", "aider"),
        ("cursor", "cursor", ""),
        ("code", "code", ""),
        ("node", "node", "claude.js"),
        ("node", "MainThread", "server"),
        ("ampere", "ampere", ""),
        ("python3.11", "python3", "devin.py"),
        ("kiro", "kiro", ""),
        ("", "", ""),
    ],
)
def test_other_programs_are_no_agents(exe: str, argv0: str, argv1: str) -> None:
    assert CATALOGUE.by_process(exe, argv0, argv1) is None


@pytest.mark.parametrize(
    ("exe", "argv0", "argv1", "agent"),
    [
        ("python3.11", "/usr/bin/python3", "aider", "aider"),
        ("node", "MainThread", "gemini", "gemini-cli"),
        ("claude.exe", "anything", "", "claude-code"),
        ("bun", "bun", "qwen", "qwen-code"),
    ],
)
def test_scripts_are_known_by_their_own_name(exe: str, argv0: str, argv1: str, agent: str) -> None:
    assert CATALOGUE.by_process(exe, argv0, argv1) == agent


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        ("Co-Authored-By: Claude Opus 5.5 <noreply@anthropic.com>", "claude-code"),
        ("Co-authored-by: Codex Opus 4.6 <noreply@anthropic.com>", "claude-code"),
        ("    Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>", "copilot-cli"),
        ("* Co-authored-by: Cursor <cursoragent@cursor.com>", "cursor"),
        ("Co-authored-by: x <Devin-AI-Integration[bot]@users.noreply.github.com>", "devin"),
        ("Co-authored-by: claude[bot] <41898282+claude[bot]@users.noreply.github.com>", "claude-github-app"),
        ("Co-authored-by: renamed <198982749+anything@users.noreply.github.com>", "copilot-swe-agent"),
        ("Co-authored-by: openhands <openhands-gpt-5 openhands@all-hands.dev>", "openhands"),
        ("Signed-off-by: Amp <amp@ampcode.com>", "amp"),
        ("Assisted-by: Claude Code:claude-opus-4-7", "claude-code"),
        ("Assisted-by: claude-code:opus", "claude-code"),
        ("Assisted-by: Crush:gpt-5", "crush"),
        ("Assisted-by: Claude Opus 4.7", "claude-code"),
        ("Assisted-by: Opus 4.7", "unnamed-ai"),
        ("Assisted-by: Claude Sonnet", "claude-code"),
        ("Assisted-by: GitHub Copilot (gpt-5)", "copilot-cli"),
        ("Assisted-by: Opus 4.7 via Crush <crush@charm.land>", "crush"),
        ("Assisted-by: devin:latest", "devin"),
        ("Generated-by: Gemini 2.5 Pro", "gemini-cli"),
        ("Assisted-by: LLM", "unnamed-ai"),
        ("Amp-Thread-ID: https://ampcode.com/threads/T-1", "amp"),
        ("Claude-Session: https://claude.ai/code/session_1", "claude-code"),
        ("Agent-Logs-Url: https://github.com/o/r/sessions/00aa", "copilot-swe-agent"),
        ("Replit-Commit-Author: Agent", "replit"),
    ],
)
def test_trailers_of_agents(line: str, agent: str) -> None:
    assert marks(f"Subject\n\nBody.\n\n{line}\n") == {(agent, "trailer")}


@pytest.mark.parametrize(
    "line",
    [
        "Co-authored-by: Devin Burnette <devin.burnette@example.com>",
        "Co-authored-by: Claude Dioudonnat <claude@example.com>",
        "Co-authored-by: Jules Maselbas <jmaselbas@example.com>",
        "Co-authored-by: Benjamin Goose <goose@example.com>",
        "Co-authored-by: Travis Cline <travis@example.com>",
        "Co-authored-by: Paul <paul@aider.chat>",
        "Co-authored-by: Paul <aider@paulg.org>",
        "Co-authored-by: someone <ashwin@anthropic.com>",
        "Co-authored-by: someone <tfc@ampcode.com>",
        "Co-authored-by: someone <bruno@roocode.com>",
        "Co-authored-by: Claude <claude@users.noreply.github.com>",
        "Co-authored-by: x <12+devin-holland@users.noreply.github.com>",
        "Co-authored-by: x <41898282+github-actions[bot]@users.noreply.github.com>",
        "Co-authored-by: x <49699333+dependabot[bot]@users.noreply.github.com>",
        "Co-authored-by: drmicha <git@drmicha.warpmail.net>",
        "Co-authored-by: x <noreply@anthropic.com.example.com>",
        "Co-authored-by: x <xnoreply@anthropic.com>",
        "Assisted-by: Daniel Stenberg",
        "Assisted-by: Jay Satiro",
        "Assisted-by: Claude Dioudonnat",
        "Assisted-by: Devin Burnette",
        "Assisted-by: Jules Maselbas <jm@example.com>",
        "Assisted-by: Devin",
        "Assisted-by: Opus Magnum",
        "Generated-by: protoc 3.2",
        "Reviewed-by: Claude <noreply@anthropic.com>",
        "Replit-Commit-Author: olga",
        "Made-with: love",
    ],
)
def test_people_and_robots_that_are_no_ai(line: str) -> None:
    assert marks(f"Subject\n\n{line}\n") == set()


def test_models_are_read_where_they_are_told() -> None:
    def model(line: str) -> str:
        (mark,) = CATALOGUE.find_marks(f"S\n\n{line}\n", PERSON, PERSON)
        return mark.model

    assert model("Co-authored-by: aider (openai/gpt-5) <aider@aider.chat>") == "openai/gpt-5"
    assert model("Co-Authored-By: Claude Opus 5.5 <noreply@anthropic.com>") == "Opus 5.5"
    assert model("Co-Authored-By: Claude <noreply@anthropic.com>") == ""
    assert model("Assisted-by: codex-cli:gpt-5.5") == "gpt-5.5"


def test_who_made_the_commit() -> None:
    bot = Identity("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com")
    assert marks(author=bot) == {("copilot-swe-agent", "author")}
    assert marks(committer=Identity("Claude", "noreply@anthropic.com")) == {("claude-code", "committer")}
    assert marks(author=Identity("Olga (aider)", "olga@example.com")) == {("aider", "author")}
    assert (
        marks(author=Identity("Claude", "claude@example.com"), committer=Identity("aider", "o@example.com"))
        == set()
    )


def test_lines_that_agents_leave_in_the_text() -> None:
    assert marks("S\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)\n") == {
        ("claude-code", "body")
    }
    assert marks("S\n\n💘 Generated with Crush\n") == {("crush", "body")}
    assert (
        marks('Revert "Generated with Crush"\n\nRemove the line Generated with [Codex] from docs\n') == set()
    )


@pytest.mark.parametrize(
    ("id", "login", "agent"),
    [
        (198982749, "Copilot", "copilot-swe-agent"),
        (198982749, "whatever-it-is-called-now", "copilot-swe-agent"),
        (136622811, "coderabbitai[bot]", "coderabbit"),
        (999, "Claude[bot]", "claude-github-app"),
        (None, "v0[bot]", "v0"),
        (7, "claude", None),
        (7, "Copilot", None),
        (7, "cursor", None),
        (41898282, "github-actions[bot]", None),
        (49699333, "dependabot[bot]", None),
        (7, "v0", None),
        (7, "other[bot]", None),
        (7, "theagenticguy", None),
        (7, "TheRAWagent", None),
        (7, "Iheanacho-ai", None),
        (7, "liketosweep", None),
    ],
)
def test_accounts(id: int | None, login: str, agent: str | None) -> None:
    assert CATALOGUE.is_agent_account(id, login) == agent


def test_the_file_itself() -> None:
    assert [id for id, n in Counter(agent.id for agent in CATALOGUE.agents).items() if n > 1] == []
    owners: dict[object, set[str]] = {}
    for agent in CATALOGUE.agents:
        assert agent.kind in {"local", "cloud", "reviewer", "convention", "automation"}
        for fork in agent.forks:
            assert fork in CATALOGUE.by_id
        signs = (*agent.processes, *agent.addresses, *agent.author_suffixes, *agent.trailers, *agent.lines)
        for sign in (*signs, *agent.names, *agent.settings, *agent.environment, *agent.accounts):
            assert sign.source in {"run", "source-code", "docs", "recall"}, sign
        for variable in agent.environment:
            assert variable.sign in {"strong", "medium", "info", "trap"}
            assert variable.gives in {"", "session", "model", "version"}
            assert variable.value.isascii()
        for account in agent.accounts:
            owners.setdefault(account.id or account.login, set()).add(agent.id)
        for sign in (*agent.addresses, *agent.processes):
            owners.setdefault(sign.text.casefold(), set()).add(agent.id)
            assert "*" not in sign.text
    assert {key: ids for key, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "models": [], "agents": []}',
        '{"version": 1, "agents": []}',
        '{"version": 1, "models": [], "agents": [], "more": 1}',
        '{"version": 1, "models": [], "agents": [{"id": "x"}]}',
        '{"version": 1, "models": [], "agents": [{"id": "x", "name": "", "vendor": "", "kind": "local", "env": []}]}',
        '{"version": 1, "models": [], "agents": [{"id": "x", "name": "", "vendor": "", "kind": "local", "names": [1]}]}',
    ],
)
def test_what_is_not_a_catalogue_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError):
        parse_catalogue(text)


@pytest.mark.parametrize(
    ("tool", "agent"),
    [
        ("claude", "claude-code"),
        ("Claude Code", "claude-code"),
        ("github-copilot", "copilot-cli"),
        ("nobody", None),
        ("", None),
    ],
)
def test_the_names_that_other_tools_give_to_agents(tool: str, agent: str | None) -> None:
    assert CATALOGUE.by_tool(tool) == agent
