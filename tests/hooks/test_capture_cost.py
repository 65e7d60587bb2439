"""What the hooks spare at a commit, and that nothing is lost by it: no process started, nothing looked for twice."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import commit, git, head, make_repo, run
from support_hooked import copy_hooked, hook_command, made_once

from foureyes.hooks.capture_files import BEGUN, BOOTED, NO_AGENTS
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.journal import Line, read_journal

UPTIME = Path("/proc/uptime")
SHELLS = [
    pytest.param(s, marks=pytest.mark.skipif(not shutil.which(s), reason=f"no {s}")) for s in ("dash", "bash")
]
PLAIN = [
    "subject\n",
    "subject in\ntwo lines: with a colon\n",
    "subject\n\nA body that says something.\nAnd more.\n",
    "subject\n\nA body: with a colon.\n\nAnother, without one.\n",
    "subject\n\nSigned-off-by: Olga <olga@example.com>\n",
    "subject\n\nbody\n\nReviewed-by: Ana <ana@example.com>\nFixes: #12\n",
    "subject\n\nSee http://example.com/ (and\nmore): there\n\nReviewed-by: Ana\n",
    "Größe\n\nprüfen, mit « Zeichen »\n",
]
FOR_GIT = [
    "subject\n\nbody\n\n# a comment\n",
    "subject\n\nSee-also: x\nand some text\n",
    "subject\n\ntext, and then\nSigned-off-by: Olga <olga@example.com>\n",
    "subject\n\nhttp://example.com/\n",
    "subject\n\nFixes:#12\n",
    "subject\n\nReviewed-by: Ana\n  <ana@example.com>\n",
    "subject\n\nbody\n---\nmore\n",
    "subject\n\n(cherry picked from commit 0123456789012345678901234567890123456789)\n",
    "subject\n\nbody\n\n",
    "subject\n\nbody\n \nReviewed-by: Ana\n",
    "\nsubject\n",
    "subject\r\n\r\nbody\r\n",
    "subject\n\nbody without an end",
    "subject\n\ntwo words: here\n",
]


def _one(folder: Path) -> Path:
    return copy_hooked(folder / "repo")


@pytest.fixture
def shared() -> Path:
    return made_once(_one)


def call(repo: Path, event: str, shell: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    """As git calls the hook; this process stands for git."""
    command: Sequence[str] = hook_command(repo, event)
    run([shutil.which(shell) or shell, *command[1:], *arguments], repo, env=env)


def prepare(repo: Path, text: str, shell: str, env: dict[str, str]) -> str:
    message = repo / ".git" / "COMMIT_EDITMSG"
    message.write_bytes(text.encode())
    call(repo, "prepare-commit-msg", shell, ".git/COMMIT_EDITMSG", "message", env={"GIT_EDITOR": ":", **env})
    return message.read_bytes().decode()


def up_for(repo: Path, seconds: int) -> None:
    """The machine has been up for this long, as far as the hooks here are told."""
    uptime = repo / ".git" / "uptime"
    uptime.write_text(f"{seconds}.05 1.00\n")
    told = 0
    for script in [file for file in (repo / ".git").rglob("*") if file.is_file()]:
        text = script.read_bytes()
        if (found := f"<{UPTIME}".encode()) in text:
            script.write_bytes(text.replace(found, f"<'{uptime}'".encode()))
            told += 1
    assert told


def last_line(repo: Path) -> Line:
    return read_journal(repo / ".git")[head(repo)][-1]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", [*PLAIN, *FOR_GIT])
def test_trailers_are_added_as_git_would_add_them(text: str, shell: str, shared: Path) -> None:
    """And to a message with a plain end without git."""
    found = prepare(shared, text, shell, CLAUDE_ENV | ({"PATH": "/nowhere"} if text in PLAIN else {}))
    (id,) = [line for line in found.splitlines() if line.startswith("Provenance-Id: ")]
    expected = run(
        [
            *("git", "interpret-trailers", "--no-divider", "--where", "end", "--if-exists", "addIfDifferent"),
            *("--trailer", "Assisted-by: claude-code", "--trailer", id),
        ],
        shared,
        stdin=text.encode(),
    )
    assert found == expected.stdout.decode()


@pytest.mark.parametrize("source", [(), ("template",), ("merge",)])
def test_a_message_that_is_still_to_be_written_is_left_to_git(source: tuple[str, ...], shared: Path) -> None:
    message = shared / ".git" / "COMMIT_EDITMSG"
    for env in ({"GIT_EDITOR": ":"}, {"GIT_EDITOR": "vi"}):
        message.write_text("subject\n")
        call(shared, "prepare-commit-msg", "sh", ".git/COMMIT_EDITMSG", *source, env=CLAUDE_ENV | env)
        assert message.read_text().startswith("subject\n\nAssisted-by: claude-code\nProvenance-Id: ")
        message.write_text("subject\n")
        nowhere = CLAUDE_ENV | env | {"PATH": "/nowhere"}
        call(shared, "prepare-commit-msg", "sh", ".git/COMMIT_EDITMSG", *source, env=nowhere)
        assert message.read_text() == "subject\n"


@pytest.mark.parametrize("who", [{}, CLAUDE_ENV], ids=["person", "agent"])
def test_under_bash_no_process_is_started_for_a_commit(who: dict[str, str], tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    nothing = {**who, "PATH": "/nowhere"}
    assert ("Assisted-by" in prepare(repo, "x\n", "bash", nothing)) == bool(who)
    call(repo, "post-commit", "bash", env=nothing)
    assert bool(last_line(repo).marks) == bool(who)
    assert last_line(repo).at


@pytest.mark.skipif(not shutil.which("dash") or not UPTIME.exists(), reason="no dash, or no /proc")
def test_under_dash_a_commit_asks_for_the_date_once_an_hour(tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    booted = repo / ".git" / "foureyes" / BOOTED
    up_for(repo, 1000)
    call(repo, "post-commit", "dash")
    assert booted.stat().st_mode & 0o077 == 0
    _, up, then = booted.read_text().split()
    assert up == "1000"
    uptime = repo / ".git" / "uptime"
    for later in (0, 2000, 3599):
        uptime.write_text(f"{1000 + later}.95 1.00\n")
        call(repo, "post-commit", "dash", env={"PATH": "/nowhere"})
        assert last_line(repo).at - int(then) == later


@pytest.mark.skipif(not shutil.which("dash") or not UPTIME.exists(), reason="no dash, or no /proc")
@pytest.mark.parametrize(
    "told",
    [
        "", "\n", "x", "{boot}", "{boot} {up}", "{boot} {up} 12345", "{boot} {up} 0123456789",
        "{boot} $(touch bad) 1234567890", "{boot} {up} a[$(touch bad)]", "{boot} 08 1234567890",
        "{boot} 99999999999999999999 1234567890", "{boot} {later} 1234567890", "{boot} {earlier} 1234567890",
        "another-boot {up} 1234567890", " {up} 1234567890",
    ],
)  # fmt: skip
def test_what_does_not_tell_the_time_of_this_boot_is_not_believed(told: str, tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    date = tmp_path / "bin" / "date"
    date.parent.mkdir()
    date.write_text("#!/bin/sh\necho 1600000000\n")
    date.chmod(0o755)
    up = 100_000
    up_for(repo, up)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    text = told.format(boot=boot, up=up, later=up + 1000, earlier=up - 3600)
    (repo / ".git" / "foureyes" / BOOTED).write_text(text)
    hook = [shutil.which("dash") or "dash", *hook_command(repo, "post-commit")[1:]]
    done = subprocess.run(
        hook,
        cwd=repo,
        env=os.environ | {"PATH": f"{date.parent}:/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert last_line(repo).at == 1600000000
    assert not (repo / "bad").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_what_one_hook_of_a_commit_found_the_next_one_takes_over_once(shell: str, tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    prepare(repo, "x\n", shell, CLAUDE_ENV)
    call(repo, "post-commit", shell)
    noted = last_line(repo)
    assert dict(noted.marks)["AI_AGENT"] == CLAUDE_ENV["AI_AGENT"]
    commit(repo, {"a": "1"}, "by hand")
    assert last_line(repo).marks == ()
    call(repo, "post-commit", shell)
    assert [line.marks for line in read_journal(repo / ".git")[head(repo)]] == [(), ()]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_another_git_left_behind_is_not_taken_over(shell: str, tmp_path: Path) -> None:
    """An agent's commit that came to nothing, then a patch from a mail, of which nothing is prepared."""
    repo = copy_hooked(tmp_path / "repo")
    prepare(repo, "x\n", shell, CLAUDE_ENV)
    begun = repo / ".git" / "foureyes" / f"{BEGUN}main"
    begun.write_text(begun.read_text().replace(str(os.getpid()), str(os.getpid() + 1), 1))
    call(repo, "post-commit", shell)
    assert last_line(repo).marks == ()
    prepare(repo, "x\n", shell, CLAUDE_ENV)
    call(repo, "post-applypatch", shell)
    assert last_line(repo).marks == ()


def test_an_agent_that_is_only_among_the_processes_is_taken_over_too(tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    shutil.copy(shutil.which("bash") or "/bin/sh", tmp_path / "claude")
    run([tmp_path / "claude", "-c", "git commit -q --allow-empty -m x; exit $?"], repo)
    assert (last_line(repo).hook, last_line(repo).agent) == ("post-commit", "claude-code")
    git(repo, "commit", "-q", "--allow-empty", "-m", "y")
    assert last_line(repo).agent == ""


def test_programs_that_need_no_search_are_no_agents() -> None:
    names = {sign.text for agent in catalogue().agents for sign in agent.processes}
    assert not names & set(NO_AGENTS)
    assert not [
        name for name in names for start in NO_AGENTS if name.startswith(start.removesuffix("*") + ":")
    ]
    assert not any(name.startswith("tmux") for name in names)


def test_uninstalled_nothing_of_it_is_left(tmp_path: Path) -> None:
    from support_git import foureyes

    repo = make_repo(tmp_path / "repo")
    foureyes(repo, "install", "--login", "olga")
    commit(repo, {"a": "1"}, "x")
    git(repo, "worktree", "add", "-q", tmp_path / "linked", "-b", "w")
    commit(tmp_path / "linked", {"b": "1"}, "y")
    home = repo / ".git" / "foureyes"
    assert {file.name for file in home.glob(f"{BEGUN}*")} == {"begun-main", "begun-linked-linked"}
    foureyes(repo, "uninstall")
    assert not [*home.glob(f"{BEGUN}*"), *home.glob(BOOTED)]
