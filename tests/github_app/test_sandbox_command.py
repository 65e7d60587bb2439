"""`foureyes sandbox` as a process: what it prints works, it ends cleanly, it listens on loopback alone."""

import hashlib
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support_git import git, python_env, run
from support_sandbox import ask

from foureyes.github_app.sandbox.command import command
from foureyes.github_app.sandbox.server import HOST


@contextmanager
def sandbox(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    import os

    code = "import sys; from foureyes.hooks.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **python_env(), "TMPDIR": str(tmp_path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return line


def test_in_json_it_says_all_that_an_app_and_people_need(tmp_path: Path) -> None:
    with sandbox(tmp_path, "--json") as process:
        facts = json.loads(first_line(process))
        assert facts["merge_check"] is True
        proof = ask(facts["url"], "GET", "/_sandbox/token-proof").raw.decode()
        token = facts["environment"]["FOUREYES_SANDBOX_TOKEN"]
        assert proof == hashlib.sha256(token.encode()).hexdigest()
        bearer = {"Authorization": f"Bearer {facts['users']['olga']['token']}"}
        assert ask(facts["url"], "GET", "/api/v3/user", None, bearer).body["login"] == "olga"
        assert set(facts["environment"]) == {
            "FOUREYES_GITHUB_URL",
            "FOUREYES_APP_ID",
            "FOUREYES_PRIVATE_KEY",
            "FOUREYES_WEBHOOK_SECRET",
            "FOUREYES_SANDBOX_TOKEN",
        }
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert list(tmp_path.glob("foureyes-sandbox-*")) == []


def test_what_it_prints_drives_a_pull_request_when_pasted(tmp_path: Path) -> None:
    with sandbox(tmp_path, "--no-merge-check") as process:
        assert process.stdout is not None
        lines = []
        while "Ctrl-C" not in (lines or [""])[-1]:
            lines.append(first_line(process))
        exports = next(shlex.split(line)[-1] for line in lines if "/exports" in line)
        url = exports.removeprefix("$(curl -s ").removesuffix(")")
        text = ask(url.removesuffix("/_sandbox/exports"), "GET", "/_sandbox/exports").raw.decode()
        shell = ["sh", "-c", f'{text}echo "$FOUREYES_APP_ID"; echo "$FOUREYES_PRIVATE_KEY"']
        number, first, *_ = run(shell, tmp_path).stdout.decode().splitlines()
        assert (number.isdecimal(), first) == (True, "-----BEGIN RSA PRIVATE KEY-----")
        story = [line.strip() for line in lines if re.match(r"  (git|curl) ", line)]
        assert "/_sandbox/webhook" in story[0]
        assert _curl(story.pop(0)) == {}
        where, answers = tmp_path, []
        for line in story:
            for part in line.split(" && "):
                if part.startswith("cd "):
                    where = tmp_path / part[3:]
                elif " >> " in part:
                    text, _, name = part.removeprefix("echo ").partition(" >> ")
                    with (where / name).open("a") as file:
                        file.write(text.strip("'") + "\n")
                elif part.startswith("git"):
                    run(shlex.split(part), where)
                else:
                    answers.append(_curl(part))
        assert [body.get("state") for body in answers[:3]] == ["open", "APPROVED", "APPROVED"]
        assert answers[3]["merged"] is True
        assert git(where, "log", "-1", "--format=%ae", "origin/widen") == "olga@acme.example"
        git(where, "fetch", "-q", "origin")
        assert "# wider" in git(where, "show", "origin/main:infra/network.tf")


def _curl(line: str) -> dict[str, str]:
    """What curl would do with this line; it need not be installed."""
    words = shlex.split(line)
    name, _, value = words[words.index("-H") + 1].partition(": ") if "-H" in words else ("X", "", "")
    url = next(word for word in words if word.startswith("http://"))
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else "POST"
    path = "/" + url.split("/", 3)[3]
    found: dict[str, str] = ask(url, method, path, body, {name: value}).body
    return found


def test_a_taken_port_is_said_and_nothing_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with sandbox(tmp_path, "--port", str(taken.getsockname()[1])) as process:
            _, told = process.communicate(timeout=60)
            assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in told
    assert "leave --port out" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("git_says", "told"), [(None, "needs git,"), ("git version 2.30.2", "git 2.38 or newer")]
)
def test_without_a_usable_git_it_says_so_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git_says: str | None, told: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if git_says:
        (programs / "git").write_text(f"#!/bin/sh\necho {git_says}\n")
        (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    with sandbox(tmp_path, "--data", "kept") as process:
        _, error = process.communicate(timeout=60)
    assert (process.returncode, told in error) == (1, True)
    assert "Traceback" not in error
    assert not (tmp_path / "kept").exists()


def test_it_has_no_way_to_listen_elsewhere() -> None:
    assert HOST == "127.0.0.1"
    assert not {"host", "bind", "address"} & {parameter.name for parameter in command.params}


def test_the_data_folder_can_be_kept(tmp_path: Path) -> None:
    with sandbox(tmp_path, "--json", "--data", "kept") as process:
        first_line(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert list((tmp_path / "kept" / "repositories").glob("*.git"))


@pytest.mark.parametrize("wrong", [["--port", "70000"], ["--nonsense"]])
def test_wrong_use_is_exit_2(tmp_path: Path, wrong: list[str]) -> None:
    with sandbox(tmp_path, *wrong) as process:
        process.communicate(timeout=60)
        assert process.returncode == 2
