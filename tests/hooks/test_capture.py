"""The hooks at commit time: real git, real shells, with and without an agent, and with everything in the way."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from support_git import commit, git, head, make_repo, message, run, write
from support_newer_git import needs_newer_git, use_newer_git

from foureyes.hooks import config_hooks, hook_files
from foureyes.hooks.capture_files import EVENTS, render
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.journal import Line, journal_dir, read_journal
from foureyes.hooks.place import Settings, put_in_place, settings_for
from foureyes.hooks.repo import Repo
from foureyes.shared.trailers import parse_trailers

RUNS = json.loads((Path(__file__).parent.parent / "data" / "agent_runs.json").read_text())
CLAUDE = {k: v for k, v in RUNS["claude-code"]["environment"].items() if not k.startswith("GIT_")}
UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
SHELLS = [
    pytest.param(s, marks=pytest.mark.skipif(not shutil.which(s), reason=f"no {s}")) for s in ("dash", "bash")
]


@pytest.fixture(autouse=True)
def hook_files_with_any_git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What git before 2.54 needs works with every git."""
    if "config_hooks" not in request.node.name:
        monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


@cache
def settings(style: str) -> Settings:
    return settings_for(style=style)


def hooked(path: Path, *, shell: str = "", style: str = "assisted-by") -> Path:
    top = make_repo(path)
    put_in_place(Repo.open(top), settings(style))
    if shell:
        for file in hook_files.hooks_folder(Repo.open(top)).iterdir():
            if hook_files.is_ours(file):
                file.write_text(file.read_text().replace("#!/bin/sh", f"#!{shutil.which(shell)}", 1))
    return top


def line(repo: Path, oid: str = "") -> Line:
    (found,) = read_journal(Repo.open(repo).common_dir)[oid or head(repo)]
    return found


def trailers(repo: Path, name: str = "HEAD") -> dict[str, str]:
    found = parse_trailers(message(repo, name))
    assert len({t.key for t in found}) == len(found), found
    assert all(t.in_block for t in found)
    return {t.key: t.value for t in found}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_persons_commit_is_witnessed_and_untouched(shell: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    oid = commit(repo, {"a": "1"}, "by hand\n\nwith a body")
    seen = line(repo)
    assert (seen.commit, seen.hook, seen.operation, seen.agent, seen.marks) == (
        oid,
        "post-commit",
        "",
        "",
        (),
    )
    assert abs(seen.at - int(git(repo, "log", "-1", "--format=%ct"))) <= 5
    assert message(repo) == "by hand\n\nwith a body"


@pytest.mark.parametrize("shell", SHELLS)
def test_an_agents_commit_gets_trailers_and_its_markers_are_noted(shell: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    commit(repo, {"a": "1"}, "subject\n\nbody", env=CLAUDE)
    found = trailers(repo)
    assert found["Assisted-by"] == "claude-code"
    assert re.fullmatch(UUID, found["Provenance-Id"])
    assert set(found) == {"Assisted-by", "Provenance-Id"}
    marks = dict(line(repo).marks)
    assert marks["CLAUDE_CODE_SESSION_ID"] == CLAUDE["CLAUDE_CODE_SESSION_ID"]
    assert marks == dict(catalogue().marks(CLAUDE))


@pytest.mark.parametrize("run_name", sorted(set(RUNS) - {"gemini-cli"}))
def test_the_shell_notes_what_the_catalogue_allows_of_every_captured_run(
    run_name: str, tmp_path: Path
) -> None:
    repo = hooked(tmp_path / "repo")
    environment = {
        k: v for k, v in RUNS[run_name]["environment"].items() if not k.startswith(("GIT_", "SHELL"))
    }
    commit(repo, {"a": "1"}, "x", env=environment)
    noted = {
        name: re.sub(r"[^A-Za-z0-9._:/@+-]", "", value) for name, value in catalogue().marks(environment)
    }
    assert dict(line(repo).marks) == noted
    strong = [mark for mark in catalogue().by_env(environment) if mark.strong]
    assert ("Provenance-Id" in trailers(repo)) == bool(strong)
    secret = environment.get("CLAUDE_CODE_MESSAGING_TOKEN")
    assert not secret or secret not in (journal_dir(repo / ".git") / "main").read_text()


def under(program: Path, repo: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Run git as the grandchild of a process called like `program`."""
    # A real binary under that name: a script would be known by its interpreter's.
    shutil.copy(shutil.which("bash") or "/bin/sh", program)
    run([program, "-c", '"$@"; exit $?', "sh", "git", *arguments], repo, env=env)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("program", ["claude", "codex", "opencode.exe", "kilo", "cline"])
def test_an_agent_above_git_is_known_by_its_process_alone(program: str, shell: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    under(tmp_path / program, repo, "commit", "-qm", "x")
    expected = catalogue().by_process(program, program, "")
    assert line(repo).agent == expected
    assert trailers(repo)["Assisted-by"] == expected


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("script", "agent"), [("aider", "aider"), ("cn", "continue-cli"), ("claude.py", "")])
def test_a_script_is_known_by_its_own_name_and_not_by_its_interpreters(
    script: str, agent: str, shell: str, tmp_path: Path
) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    (tmp_path / script).write_text("import subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\n")
    run([sys.executable, "-B", tmp_path / script, "git", "commit", "-qm", "x"], repo)
    assert line(repo).agent == agent
    assert ("Assisted-by" in trailers(repo)) == bool(agent)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_name_full_of_brackets_hides_no_agent_above_it(shell: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    wait = ("-c", '"$@"; exit $?', "sh")
    for name in ("claude", "a) S 1 (b"):
        shutil.copy(shutil.which("bash") or "/bin/sh", tmp_path / name)
    run([tmp_path / "claude", *wait, tmp_path / "a) S 1 (b", *wait, "git", "commit", "-qm", "x"], repo)
    assert line(repo).agent == "claude-code"


def test_without_an_agents_own_script_its_trailers_are_added_by_its_id(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    _spoil_agents_gone(repo / ".git" / "foureyes")
    commit(repo, {"a": "1"}, "x [y]", env=CLAUDE)
    assert trailers(repo)["Assisted-by"] == "claude-code"


def test_the_nearest_agent_counts_and_the_outer_ones_markers_are_kept(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    under(tmp_path / "codex", repo, "commit", "-qm", "x", env=CLAUDE)
    assert line(repo).agent == "codex-cli"
    assert "AI_AGENT" in dict(line(repo).marks)
    assert trailers(repo)["Assisted-by"] == "codex-cli"


def test_a_persons_terminal_inside_an_agents_app(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    env = {"OPENCODE": "1", "OPENCODE_PID": "7", "OPENCODE_TERMINAL": "1"}
    under(tmp_path / "opencode", repo, "commit", "-qm", "x", env=env)
    assert (line(repo).agent, line(repo).marks) == ("", ())
    assert message(repo) == "x"


@pytest.mark.parametrize(
    "env", [{"CLAUDECODE": "1"}, {"CURSOR_TRACE_ID": "1"}, {"AGENT": "1"}, {"AI_AGENT": "x"}]
)
def test_what_a_persons_terminal_can_have_adds_no_trailer(env: dict[str, str], tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, "x", env=env)
    assert message(repo) == "x"


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps")
@pytest.mark.parametrize("shell", SHELLS)
def test_without_proc_the_processes_come_from_ps(shell: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    scripts = render(
        catalogue(), style="assisted-by", python=sys.executable, path=[], proc=str(tmp_path / "none")
    )
    for name, text in scripts.items():
        (repo / ".git" / "foureyes" / name).write_text(text)
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    under(tmp_path / "claude", repo, "commit", "-qm", "x")
    assert line(repo).agent == "claude-code"
    assert commit(repo, {"a": "2"}, "y") == line(repo).commit
    assert line(repo).agent == ""


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("assisted-by", {"Assisted-by": "qwen-code:m-1"}),
        ("generated-by", {"Generated-by": "qwen-code:m-1"}),
        ("co-authored-by", {"Co-authored-by": "Qwen Code (m-1) <qwen-coder@alibabacloud.com>"}),
        ("none", {}),
    ],
)
def test_styles_of_trailers(style: str, expected: dict[str, str], tmp_path: Path) -> None:
    env = {"QWEN_CODE": "1", "QWEN_CODE_MODEL": "m-1"}
    installed = hooked(tmp_path / "installed", style=style)
    configured = hooked(tmp_path / "configured")
    git(configured, "config", "foureyes.trailers", style)
    for repo in (installed, configured):
        commit(repo, {"a": "1"}, "x", env=env)
        found = trailers(repo)
        assert found.pop("Provenance-Id")
        assert found == expected


@pytest.mark.parametrize(
    "named",
    [
        "Co-Authored-By: Claude Opus 5.5 <noreply@anthropic.com>",
        "co-authored-by: claude[bot] <209825114+claude[bot]@users.noreply.github.com>",
        "Assisted-by: Claude Code",
        "Assisted-by: claude-code:opus",
        "assisted-by: Claude (opus)",
        "Claude-Session: https://claude.ai/code/session_1",
    ],
)
def test_an_agent_that_named_itself_is_not_named_twice(named: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, f"x\n\n{named}", env=CLAUDE)
    assert [t.key for t in parse_trailers(message(repo))] == [named.split(":")[0], "Provenance-Id"]


@pytest.mark.parametrize(
    "other",
    [
        "Co-authored-by: Claude Dioudonnat <claude@example.com>",
        "Assisted-by: Claude Dioudonnat",
        "Co-authored-by: Codex <noreply@openai.com>",
        "Signed-off-by: Olga <olga@example.com>",
    ],
)
def test_others_in_the_message_do_not_stand_for_the_agent(other: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, f"x\n\n{other}", env=CLAUDE)
    lines = message(repo).splitlines()
    assert lines[2] == other
    assert lines[3] == "Assisted-by: claude-code"


def test_a_rule_in_the_message_does_not_cut_it(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, "x\n\nabove\n---\nbelow", env=CLAUDE)
    assert message(repo).startswith("x\n\nabove\n---\nbelow\n\nAssisted-by: claude-code\nProvenance-Id: ")


def test_an_empty_message_still_stops_the_commit(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    done = run(["git", "commit"], repo, env={**CLAUDE, "GIT_EDITOR": "true"}, ok=False)
    assert done.returncode == 1
    assert b"empty commit message" in done.stderr


def test_values_cannot_forge_lines_or_trailers(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    env = {
        "QWEN_CODE": "1",
        "QWEN_CODE_SESSION_ID": "a\n`touch x`$(touch y)\tv1 'q\"",
        "QWEN_CODE_MODEL": "m\nX: y" * 300,
    }
    commit(repo, {"a": "1"}, "x", env=env)
    marks = dict(line(repo).marks)
    assert marks["QWEN_CODE_SESSION_ID"] == "atouchxtouchyv1q"
    assert len(marks["QWEN_CODE_MODEL"]) <= 200
    assert set(trailers(repo)) == {"Assisted-by", "Provenance-Id"}
    assert sorted(p.name for p in repo.iterdir()) == [".git", "README", "a"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_skips_checks_does_not_skip_the_record(shell: str, tmp_path: Path) -> None:
    """P30, the half about `--no-verify`."""
    repo = hooked(tmp_path / "repo", shell=shell)
    commit(repo, {"a": "1"}, "x", "--no-verify", env=CLAUDE)
    assert line(repo).hook == "post-commit"
    assert "Assisted-by" in trailers(repo)


def test_amend_keeps_the_id_and_tells_what_was_before(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    first = commit(repo, {"a": "1"}, "x", env=CLAUDE)
    before = trailers(repo)
    write(repo, {"a": "2"})
    git(repo, "commit", "-qa", "--amend", "--no-edit", env=CLAUDE)
    assert trailers(repo) == before
    hooks = {seen.hook: seen for seen in read_journal(repo / ".git")[head(repo)]}
    assert set(hooks) == {"post-commit", "post-rewrite"}
    assert hooks["post-rewrite"].operation == "amend"
    assert dict(hooks["post-rewrite"].marks)["FOUREYES_WAS"] == first


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
@pytest.mark.parametrize("who", [{}, CLAUDE], ids=["person", "agent"])
def test_a_rebase_keeps_trailers_and_is_noted(who: dict[str, str], backend: str, tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1"}, "by agent", env=CLAUDE)
    theirs = trailers(repo)
    commit(repo, {"b": "1"}, "by hand")
    git(repo, "switch", "-q", "main")
    commit(repo, {"c": "1"}, "upstream")
    git(repo, "switch", "-q", "side")
    old = [head(repo, "HEAD~1"), head(repo)]
    git(repo, "rebase", "-q", backend, "main", env=who)
    assert trailers(repo, "HEAD~1") == theirs
    assert message(repo) == "by hand"
    journal = read_journal(repo / ".git")
    for name, was in zip(("HEAD~1", "HEAD"), old, strict=True):
        lines = journal[head(repo, name)]
        assert {seen.hook for seen in lines} >= {"post-rewrite"}
        assert all(seen.operation.startswith("rebase") for seen in lines)
        assert was in {dict(seen.marks).get("FOUREYES_WAS") for seen in lines}


@pytest.mark.parametrize("who", [{}, CLAUDE], ids=["person", "agent"])
def test_a_cherry_pick_keeps_the_id(who: dict[str, str], tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1"}, "by agent", env=CLAUDE)
    theirs = trailers(repo)
    commit(repo, {"b": "1"}, "by hand")
    git(repo, "switch", "-q", "main")
    commit(repo, {"c": "1"}, "else")
    git(repo, "cherry-pick", "side~1", "side", env=who)
    assert trailers(repo, "HEAD~1") == theirs
    assert message(repo) == "by hand"
    assert line(repo).operation == "cherry-pick"


def test_a_cherry_pick_after_a_conflict_is_still_one(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1\n"}, "by hand")
    git(repo, "switch", "-q", "main")
    commit(repo, {"a": "2\n"}, "else")
    assert run(["git", "cherry-pick", "side"], repo, ok=False).returncode == 1
    write(repo, {"a": "3\n"})
    git(repo, "add", "a")
    git(repo, "cherry-pick", "--continue", env={**CLAUDE, "GIT_EDITOR": "true"})
    assert line(repo).operation == "cherry-pick"
    assert "AI_AGENT" in dict(line(repo).marks)
    assert message(repo) == "by hand"


def test_a_revert_by_an_agent_is_its_own_commit(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, "by hand")
    git(repo, "revert", "--no-edit", "HEAD", env=CLAUDE)
    assert trailers(repo)["Assisted-by"] == "claude-code"
    assert line(repo).operation == "revert"


def test_a_true_merge_is_witnessed_and_a_fast_forward_is_not(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1"}, "side")
    other = make_repo(tmp_path / "other", first_commit=False)
    git(other, "pull", "-q", repo, "main")
    theirs = commit(other, {"b": "1"}, "made elsewhere")
    git(repo, "switch", "-q", "main")
    git(repo, "pull", "-q", "--ff-only", other, "main")
    assert head(repo) == theirs
    assert theirs not in read_journal(repo / ".git")
    git(repo, "merge", "-q", "--no-edit", "side")
    assert (line(repo).hook, line(repo).operation) == ("post-merge", "merge")
    git(repo, "switch", "-q", "-c", "squashed", theirs)
    before = (journal_dir(repo / ".git") / "main").read_text()
    git(repo, "merge", "-q", "--squash", "side")
    assert (journal_dir(repo / ".git") / "main").read_text() == before


def test_a_conflicted_merge_is_witnessed_when_it_is_committed(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1\n"}, "side")
    git(repo, "switch", "-q", "main")
    commit(repo, {"a": "2\n"}, "main")
    assert run(["git", "merge", "side"], repo, ok=False).returncode == 1
    write(repo, {"a": "3\n"})
    git(repo, "commit", "-qa", "--no-edit")
    assert line(repo).hook == "post-commit"


def test_a_mailed_patch_is_witnessed(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    commit(repo, {"a": "1"}, "mailed")
    patch = git(repo, "format-patch", "-1", "--stdout")
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    git(repo, "am", "-q", stdin=f"{patch}\n".encode(), env={"GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"})
    assert (line(repo).hook, line(repo).operation) == ("post-applypatch", "am")


def test_many_processes_append_to_one_worktrees_journal_whole(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    hook = hook_files.hooks_folder(Repo.open(repo)) / "post-commit"
    env = {**CLAUDE, "CLAUDE_CODE_SESSION_ID": "x" * 500}
    started = [
        subprocess.Popen([hook], cwd=repo, env={**os.environ, **env}, stdin=subprocess.DEVNULL)
        for _ in range(40)
    ]
    assert [process.wait() for process in started] == [0] * 40
    lines = read_journal(repo / ".git")[head(repo)]
    assert len(lines) == 40
    assert len({seen.marks for seen in lines}) == 1


def test_submodules_subfolders_and_a_moved_repository(tmp_path: Path) -> None:
    inner = make_repo(tmp_path / "inner")
    repo = make_repo(tmp_path / "outer")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub")
    put_in_place(Repo.open(repo / "sub"), settings("assisted-by"))
    commit(repo / "sub", {"a": "1"}, "x")
    assert line(repo / "sub").worktree == "main"

    plain = hooked(tmp_path / "before")
    plain.rename(tmp_path / "after wards")
    write(tmp_path / "after wards", {"d/e/a": "1"})
    git(tmp_path / "after wards" / "d", "add", "-A")
    git(tmp_path / "after wards" / "d" / "e", "commit", "-qm", "x")
    assert line(tmp_path / "after wards").hook == "post-commit"


def test_a_repository_whose_refs_are_packed_or_detached(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    git(repo, "pack-refs", "--all")
    commit(repo, {"a": "1"}, "x")
    git(repo, "checkout", "-q", "--detach")
    oid = commit(repo, {"a": "2"}, "y")
    assert line(repo).commit == oid
    assert len(read_journal(repo / ".git")) == 2


def test_a_repository_with_sha256_names(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "--object-format=sha256")
    put_in_place(Repo.open(repo), settings("assisted-by"))
    assert len(commit(repo, {"a": "1"}, "x")) == 64
    assert line(repo).hook == "post-commit"


def _spoil_journal_unwritable(home: Path) -> None:
    shutil.rmtree(home / "journal")
    (home / "journal").write_text("a file where the folder should be")


def _spoil_scripts_gone(home: Path) -> None:
    shutil.rmtree(home)


def _spoil_scripts_torn(home: Path) -> None:
    text = (home / "capture.sh").read_text()
    (home / "capture.sh").write_text(text[: len(text) // 2] + '"')


def _spoil_tables_gone(home: Path) -> None:
    (home / "marks.sh").unlink()
    (home / "trailers.sh").unlink()
    (home / "push.sh").unlink()
    _spoil_agents_gone(home)


def _spoil_agents_gone(home: Path) -> None:
    for script in home.glob("agent-*.sh"):
        script.unlink()


def _spoil_tables_torn(home: Path) -> None:
    for script in ("marks.sh", "trailers.sh", "push.sh", "agent-claude-code.sh"):
        (home / script).write_text("if then (")


def _spoil_folder_for_file(home: Path) -> None:
    (home / "capture.sh").unlink()
    (home / "capture.sh").mkdir()


SPOILERS = [value for name, value in sorted(globals().items()) if name.startswith("_spoil_")]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("who", [{}, CLAUDE], ids=["person", "agent"])
@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda f: f.__name__.removeprefix("_spoil_"))
def test_whatever_is_broken_the_commit_stands(
    spoil: Callable[[Path], None], who: dict[str, str], shell: str, tmp_path: Path
) -> None:
    repo = hooked(tmp_path / "repo", shell=shell)
    spoil(repo / ".git" / "foureyes")
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    done = run(["git", "commit", "-qm", "subject"], repo, env=who)
    assert message(repo).splitlines()[0] == "subject"
    assert git(repo, "status", "--porcelain") == ""
    assert done.stdout == b""


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda f: f.__name__.removeprefix("_spoil_"))
def test_whatever_is_broken_the_push_stands(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    spoil(repo / ".git" / "foureyes")
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "push", "-q", tmp_path / "remote.git", "main")
    assert head(tmp_path / "remote.git", "main") == head(repo)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("closed", ["foureyes", "foureyes/journal"])
def test_folders_without_permission(closed: str, shell: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o755)
        repo = hooked(top / "repo", shell=shell)
        write(repo, {"a": "1"})
        git(repo, "add", "a")
        # Root may read everything, so that there git runs as the user that nobody is.
        user = 65534 if os.geteuid() == 0 else None
        if user is not None:
            for path in (repo, *repo.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        (repo / ".git" / closed).chmod(0)
        try:
            done = subprocess.run(
                ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
                cwd=repo,
                env={**os.environ, **CLAUDE, "HOME": name, "XDG_CONFIG_HOME": name},
                capture_output=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        finally:
            (repo / ".git" / closed).chmod(0o700)
        assert done.returncode == 0, done.stderr
        assert any(line.startswith("foureyes: ") for line in done.stderr.decode().splitlines())
        theirs = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        log = run(["git", "log", "--format=%s"], repo, env=theirs)
        assert log.stdout == b"x\nfirst\n"


def test_a_commit_that_is_not_recorded_says_so_in_one_line(tmp_path: Path) -> None:
    repo = hooked(tmp_path / "repo")
    _spoil_journal_unwritable(repo / ".git" / "foureyes")
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    done = run(["git", "commit", "-qm", "x"], repo)
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith("foureyes: this commit was not recorded")
    assert "foureyes status" in said


def test_a_push_goes_on_when_the_python_is_gone(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    put_in_place(Repo.open(repo), settings("assisted-by"))
    scripts = render(catalogue(), style="none", python=str(tmp_path / "gone"), path=[])
    (repo / ".git" / "foureyes" / "push.sh").write_text(scripts["push.sh"])
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    done = run(["git", "push", "-q", tmp_path / "remote.git", "main"], repo)
    (said,) = done.stderr.decode().splitlines()
    assert "foureyes install" in said


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_plain_sh_and_end_well(shell: str, tmp_path: Path) -> None:
    scripts = render(catalogue(), style="assisted-by", python="/a b/python'3", path=["/x y/'z"])
    for name, text in scripts.items():
        assert not re.search(r"@[A-Z_]+@", text), name
        (tmp_path / name).write_text(text)
        assert run([shell, "-n", tmp_path / name], tmp_path).stderr == b""
    for event in EVENTS:
        assert hook_files.text(event).endswith("\nexit 0\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_hook_from_the_configuration_does_the_same(shell: str, tmp_path: Path) -> None:
    """As git 2.54 starts it: by a shell, with the hook's arguments added to the command."""
    repo = hooked(tmp_path / "repo")
    hook_files.remove(hook_files.hooks_folder(Repo.open(repo)))
    commit(repo, {"a": "1"}, "x")
    config_hooks.write(Repo.open(repo))
    text = repo / ".git" / "MESSAGE"
    text.write_text("subject\n")
    for event, arguments in (("prepare-commit-msg", [".git/MESSAGE", "message"]), ("post-commit", [])):
        command = git(repo, "config", f"hook.foureyes-{event}.command")
        done = run([shell, "-c", f'{command} "$@"', command, *arguments], repo, env=CLAUDE)
        assert (done.stdout, done.stderr) == (b"", b"")
    assert "Assisted-by: claude-code" in text.read_text()
    assert line(repo).hook == "post-commit"


@needs_newer_git
def test_config_hooks_run_even_under_a_dead_hooks_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P30"""
    use_newer_git(tmp_path, monkeypatch)
    repo = make_repo(tmp_path / "repo")
    assert put_in_place(Repo.open(repo), settings("assisted-by")).how == "config"
    write(repo, {"a": "1"})
    git(repo, "add", "-A")
    git(repo, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--no-verify", "-m", "x", env=CLAUDE)
    assert line(repo).hook == "post-commit"
    assert trailers(repo)["Assisted-by"] == "claude-code"
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked")
    commit(tmp_path / "linked", {"b": "1"}, "y")
    assert line(tmp_path / "linked").worktree == "linked-linked"
    write(repo, {"a": "2"})
    git(repo, "commit", "-qa", "--amend", "--no-edit")
    assert {seen.hook for seen in read_journal(repo / ".git")[head(repo)]} == {"post-commit", "post-rewrite"}
