"""Which processes are above this one, with /proc and without."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from support_git import commit, git, run
from support_hooked import make_hooked, make_remote, records

from foureyes.hooks import processes, runtime
from foureyes.hooks.catalogue import agents_around
from foureyes.hooks.processes import Process, ancestors

needs_ps = pytest.mark.skipif(not shutil.which("ps"), reason="no ps")
WITHOUT_PROC = """import sys
sys.path[:0] = {path!r}
from pathlib import Path
from foureyes.hooks import processes
processes._PROC = Path("/nowhere")
"""


@pytest.fixture
def without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PROC", tmp_path / "none")


def fake_ps(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    ps = folder / "ps"
    ps.write_text(f"#!/bin/sh\n{text}\n")
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def table(*rows: str) -> str:
    return "cat <<'end'\n" + "\n".join(rows).replace("ME", str(os.getppid())) + "\nend"


@needs_ps
def test_both_ways_tell_of_the_same_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_proc = [process.argv0 for process in ancestors()]
    assert with_proc
    monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    assert [process.argv0 for process in ancestors()] == with_proc


@pytest.mark.usefixtures("without_proc")
def test_a_table_as_macos_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        "    1     0 /sbin/launchd",
        "   ME   700 git push origin work",
        "  700   600 node --no-warnings /opt/homebrew/bin/codex exec",
        "  600     1 -zsh",
        "  601     1 /Applications/Any App.app/Contents/MacOS/Any App --flag",
    )
    fake_ps(tmp_path, monkeypatch, table(*rows))
    assert list(ancestors()) == [
        Process("", "git", "push"),
        Process("", "node", "codex"),
        Process("", "-zsh", ""),
    ]
    assert agents_around({}) == ("codex-cli",)


@pytest.mark.usefixtures("without_proc")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exit 1", 0),
        (r"printf 'PID PPID COMMAND\n\nx y z\n\377\n7\n'", 0),
        (table("ME ME claude"), 64),
        ("exec sleep 60", 0),
    ],
    ids=["fails", "prints something else", "goes in circles", "hangs"],
)
def test_a_ps_that_is_of_no_use_ends_the_search(
    text: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ps(tmp_path, monkeypatch, text)
    monkeypatch.setattr(processes, "_SECONDS", 0.3)
    assert len(list(ancestors())) == expected


@pytest.mark.usefixtures("without_proc")
def test_without_either_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(ancestors()) == []


@needs_ps
@pytest.mark.parametrize(("program", "cls"), [("claude", ""), ("bash", "human")])
def test_without_proc_a_push_by_an_agent_that_left_no_marker_calls_nobodys_commit_human(
    program: str, cls: str, tmp_path: Path
) -> None:
    repo = make_hooked(tmp_path / "repo")
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    made = commit(repo, {"f": "x\n"}, "by hand")
    shutil.copy(shutil.which("bash") or "/bin/sh", tmp_path / program)
    code = (
        WITHOUT_PROC.format(path=list(runtime.import_path())) + "from foureyes.hooks.push import main; main()"
    )
    run(
        [tmp_path / program, "-c", '"$@"; exit $?', "sh", sys.executable, "-c", code, "origin", str(remote)],
        repo,
        stdin=f"refs/heads/work {made} refs/heads/work {'0' * 40}\n".encode(),
    )
    assert records(remote, "work")[made].cls == cls
