"""A model that an agent tells its hooks stands in the trailers of what it commits, and in the record."""

import json
from pathlib import Path

import pytest
from support_agent import checkpoint
from support_git import commit, message
from support_hooked import copy_hooked

CODEX = {"CODEX_THREAD_ID": "01a20223-2476-7ea0-a75f-7c7e4a845116", "CODEX_CI": "1"}
SAMPLES = json.loads((Path(__file__).parent.parent / "data" / "agent_payloads.json").read_text("utf-8"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_hooked(tmp_path / "repo")


def tell(repo: Path, **changed: str) -> None:
    told = next(one["stdin"] for one in SAMPLES["codex-cli"] if one["stdin"].get("tool_name") == "Bash")
    checkpoint(repo, {**told, "cwd": str(repo), **changed}, named="codex-cli")


def assisted(repo: Path) -> str:
    return next(line for line in message(repo).splitlines() if line.startswith("Assisted-by: "))


def test_the_model_of_the_session_that_commits_is_named(repo: Path) -> None:
    tell(repo)
    tell(repo, session_id="01a20223-2476-7ea0-a75f-000000000000", model="another")
    commit(repo, {"a": "1"}, "x", env=CODEX)
    assert assisted(repo) == "Assisted-by: codex-cli:gpt-5.5"


def test_a_session_of_which_nothing_is_known_names_no_model(repo: Path) -> None:
    tell(repo, session_id="01a20223-2476-7ea0-a75f-000000000000")
    commit(repo, {"a": "1"}, "x", env=CODEX)
    assert assisted(repo) == "Assisted-by: codex-cli"


def test_another_agents_model_is_not_taken(repo: Path) -> None:
    tell(repo)
    outer = {"AI_AGENT": "claude-code_2-1-330_agent", "CLAUDE_CODE_SESSION_ID": "x-7c7e4a845116"}
    commit(repo, {"a": "1"}, "x", env=outer)
    assert assisted(repo) == "Assisted-by: claude-code"


def test_a_file_that_was_tampered_with_writes_nothing_else_into_a_message(repo: Path) -> None:
    tell(repo)
    (file,) = (repo / ".git" / "foureyes" / "models").iterdir()
    file.write_text("m $(touch x)`y` é\nSigned-off-by: someone\n")
    commit(repo, {"a": "1"}, "x", env=CODEX)
    assert assisted(repo) == "Assisted-by: codex-cli:mtouchxy"
    assert "Signed-off-by" not in message(repo)
    assert not (repo / "x").exists()
