"""The command itself: what it lists, what it imports, how it ends."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
from support_git import make_repo, python_env, run

from foureyes.hooks import cli
from foureyes.hooks.version import VERSION
from foureyes.shared.errors import UserError

_CALL = "import sys; from foureyes.hooks.cli import run; code = run(sys.argv[1:])"


def call(cwd: Path, *arguments: str, then: str = "sys.exit(code)", env: dict[str, str] | None = None):
    python = [sys.executable, "-c", f"{_CALL}; {then}", *arguments]
    return run(python, cwd, env={**python_env(), **(env or {})}, ok=False)


def test_help_lists_the_commands_in_the_order_in_which_they_are_met(tmp_path: Path):
    text = call(tmp_path, "--help").stdout.decode()
    places = [text.index(f"\n  {name} ") for name in cli.COMMANDS]
    assert places == sorted(places)
    assert next(iter(cli.COMMANDS)) == "scan"


def test_help_imports_no_server_and_no_command(tmp_path: Path):
    done = call(tmp_path, "--help", then="print('MODULES', *sys.modules)")
    modules = set(done.stdout.decode().split("MODULES ")[1].split())
    assert not {"flask", "git", "github", "sqlalchemy", "rich", "pydantic", "cryptography"} & modules
    ours = {name for name in modules if name.startswith("foureyes.")}
    assert ours == {
        "foureyes.hooks",
        "foureyes.hooks.cli",
        "foureyes.hooks.command_group",
        "foureyes.hooks.version",
        "foureyes.shared",
        "foureyes.shared.errors",
    }


def test_a_checkpoint_loads_no_click(tmp_path: Path):
    done = call(tmp_path, "checkpoint", "claude-code", then="print('MODULES', *sys.modules)")
    modules = set(done.stdout.decode().split("MODULES ")[1].split())
    assert "foureyes.hooks.checkpoint" in modules
    assert not {"click", "pydantic", "cryptography", "rich"} & modules


@pytest.mark.parametrize("command", ["log", "blame README", "status --json"])
def test_an_answer_that_nobody_can_hear_is_no_fault_of_the_commands(tmp_path: Path, command: str):
    """A full disk is told, a reader that went away and a closed stream are not; and nothing is taken apart for it."""
    repo = make_repo(tmp_path / "repo")
    start = f"'{sys.executable}' -c 'from foureyes.hooks.cli import main; main()' {command}"
    for end, told in ((">/dev/full", b"could not be written: No space left"), (">&-", b""), ("| true", b"")):
        done = run(["sh", "-c", f"{start} {end}"], repo, env=python_env(), ok=False)
        assert (told in done.stderr, bool(done.stderr)) == (True, bool(told)), done.stderr


def test_blame_through_a_pipe_loads_no_click_and_says_the_same(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    done = call(repo, "blame", "README", then="print('MODULES', *sys.modules)")
    text, _, modules = done.stdout.decode().partition("MODULES ")
    assert not {"click", "dataclasses", "cryptography", "rich", "_hashlib"} & set(modules.split())
    assert text == call(repo, "blame", "--rev", "HEAD", "README").stdout.decode() != ""
    for wrong, status in (
        (("none",), 2),
        (("none", "--json"), 2),
        ((), 2),
        (("a", "b"), 2),
        (("--no", "f"), 2),
    ):
        assert call(repo, "blame", *wrong).returncode == status
    assert json.loads(call(repo, "blame", "none", "--json").stderr)["error"]["what"].startswith(
        "git cannot blame"
    )
    assert call(tmp_path, "blame", "README").returncode == 1
    assert b"Show who wrote" in call(repo, "blame", "--help").stdout


def test_every_command_of_the_local_half_is_there():
    import click

    for name, entry in cli.COMMANDS.items():
        if entry.target.startswith("foureyes.hooks."):
            found = cli.load(name)
            assert callable(found) if entry.direct else isinstance(found, click.Command), name


def test_a_command_whose_libraries_are_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    entry = cli.Entry("foureyes_test_server_without_flask:command", "…", "app")
    monkeypatch.setitem(cli.COMMANDS, "serve", entry)
    with pytest.raises(UserError) as caught:
        cli.load("serve")
    assert "pip install 'foureyes[app]'" in caught.value.next_step
    assert caught.value.exit_code == 1


def test_an_error_of_ours_is_not_taken_for_a_missing_library(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(cli.COMMANDS, "serve", cli.Entry("foureyes.hooks.no_such_module:command", "…", "app"))
    with pytest.raises(ModuleNotFoundError):
        cli.load("serve")


def test_wrong_use_ends_with_2_and_names_the_likely_command(tmp_path: Path):
    done = call(tmp_path, "instal")
    assert done.returncode == 2
    assert b"foureyes install" in done.stderr
    assert call(tmp_path, "status", "--no-such-option").returncode == 2


def test_an_error_for_a_person_is_text_or_json_on_stderr_and_no_traceback(tmp_path: Path):
    text = call(tmp_path, "status")
    assert text.returncode == 1
    assert text.stdout == b""
    assert b"not in a git repository" in text.stderr
    assert b"Traceback" not in text.stderr
    assert b"\x1b[" not in text.stderr
    as_json = call(tmp_path, "status", "--json")
    assert as_json.returncode == 1
    error = json.loads(as_json.stderr)["error"]
    assert "not in a git repository" in error["what"]
    assert error["next_step"]


def test_the_version_is_that_of_the_package(tmp_path: Path, checkout: Path):
    assert tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"] == VERSION
    assert VERSION in call(tmp_path, "--version").stdout.decode()
