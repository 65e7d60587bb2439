"""`foureyes install` and the way back: one command, shown; nothing of anyone else's is lost."""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support_git import commit, foureyes, git, head, make_repo, python_env, run, write
from support_hooked import make_remote, records

from foureyes.hooks import cli, config_hooks, hook_files, place, proof
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.journal import read_journal
from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError


@pytest.fixture(autouse=True)
def hook_files_with_any_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """What git before 2.54 needs works with every git; hooks in the configuration have tests of their own."""
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


def call(cwd: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as here:
        here.chdir(cwd)
        return cli.run(arguments)


@pytest.fixture
def install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """`foureyes install --json` in a folder -> its answer."""

    def run_it(cwd: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert call(cwd, "install", "--json", *arguments, monkeypatch=monkeypatch) == code
        answer = json.loads(capsys.readouterr().out)
        assert isinstance(answer, dict)
        return answer

    return run_it


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file, link and folder below: mode and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        data = (
            os.fsencode(path.readlink())
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else b""
        )
        found[str(path.relative_to(folder))] = (mode, data)
    return found


def test_one_command_shows_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repo(tmp_path / "my dépôt")
    assert call(repo, "install", "--login", "@olga", monkeypatch=monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "@olga (from --login)" in shown
    assert "throwaway commit recorded in" in shown
    assert "undo     foureyes uninstall" in shown
    assert git(repo, "config", "--local", "foureyes.login") == "olga"
    oid = commit(repo, {"a": "1"}, "x")
    assert oid in read_journal(repo / ".git")


def test_many_agents_have_lines_of_their_own_and_what_a_person_has_to_do_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (".claude", ".codex", ".cursor", ".factory"):
        (Path.home() / folder).mkdir()
    repo = make_repo(tmp_path / "repo")
    assert call(repo, "install", "--login", "olga", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.split("\n\n")[1].splitlines() == [
        "agents        Claude Code, Cursor: hooks added",
        "              Factory Droid: its commits are seen",
        "              Codex CLI: hooks added; approve them in Codex with /hooks",
    ]
    (Path.home() / ".cursor" / "hooks.json").write_text("{")
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("agents")]
    assert told[0] == "agents        Claude Code, Codex CLI: hooks removed"
    assert told[1].startswith("agents        Cursor: hooks NOT removed: ")


def test_a_second_time_changes_nothing(install, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / ".git/hooks/post-commit").write_text("#!/bin/sh\ntouch ran\n")
    (repo / ".git/hooks/post-commit").chmod(0o755)
    install(repo, "--login", "olga")
    once = contents(repo / ".git")
    again = install(repo)
    assert contents(repo / ".git") == once
    assert again["hooks"]["kept"] == ["post-commit"]
    assert again["login"] == {"name": "olga", "how": "git config"}


def test_uninstall_brings_everything_back_to_the_byte(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "repo")
    hooks = repo / ".git" / "hooks"
    (hooks / "post-commit").write_bytes(b"#!/bin/sh\r\n\xff\xfe odd bytes, no line break at the end")
    (hooks / "post-commit").chmod(0o754)
    (hooks / "pre-push").write_text("not executable, so git ignores it\n")
    (tmp_path / "elsewhere").write_text("#!/bin/sh\nexit 0\n")
    (hooks / "prepare-commit-msg").symlink_to(tmp_path / "elsewhere")
    (hooks / "commit-msg").write_text("#!/bin/sh\n")
    before = contents(repo / ".git")
    install(repo, "--login", "olga")
    assert contents(repo / ".git") != before
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
    assert contents(repo / ".git") == before


@pytest.mark.parametrize("config", ["", "[core]\n\tbare = false", "[foureyes]\n\ttrailers = none\n# end\n"])
def test_uninstall_brings_the_configuration_back(
    config: str, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "repo")
    with (repo / ".git" / "config").open("a") as file:
        file.write(config)
    text = (repo / ".git" / "config").read_text()
    install(repo, "--login", "olga")
    config_hooks.write(Repo.open(repo))
    assert (repo / ".git" / "config").read_text() != text
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
    assert (repo / ".git" / "config").read_text().rstrip("\n") == text.rstrip("\n")


def test_what_the_hooks_noted_stays_until_it_is_to_be_forgotten(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    oid = commit(repo, {"a": "1"}, "x")
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
    assert oid in read_journal(repo / ".git")
    later = commit(repo, {"a": "2"}, "y")
    assert later not in read_journal(repo / ".git")
    assert call(repo, "uninstall", "--forget", monkeypatch=monkeypatch) == 0
    assert not (repo / ".git" / "foureyes").exists()


def test_without_a_hooks_folder_none_is_left_behind(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("repo").mkdir()
    repo = tmp_path / "repo"
    git(repo, "init", "-q", "--template=")
    assert not (repo / ".git" / "hooks").exists()
    install(repo)
    commit(repo, {"a": "1"}, "x")
    assert len(read_journal(repo / ".git")) == 1
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
    assert not (repo / ".git" / "hooks").exists()


class TestThePreviousHook:
    """It runs as if it were alone: same arguments, same input, and its refusal counts. First where git asks; after the
    fact ours has noted what happened by then.
    """

    def hook(self, repo: Path, event: str, body: str) -> Path:
        file = repo / ".git" / "hooks" / event
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    def test_arguments_and_order(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "prepare-commit-msg", 'echo "$# $2" > seen; echo "Added: by previous" >> "$1"')
        install(repo)
        write(repo, {"a": "1"})
        git(repo, "add", "a")
        git(repo, "commit", "-qm", "x", env={"QWEN_CODE": "1"})
        assert (repo / "seen").read_text() == "2 message\n"
        assert "Added: by previous" in git(repo, "log", "-1", "--format=%B")
        assert "Assisted-by: qwen-code" in git(repo, "log", "-1", "--format=%B")

    @pytest.mark.parametrize("shebang", ["#!/bin/sh", "#!/usr/bin/env bash", "#! /bin/bash"])
    @pytest.mark.parametrize(
        "body",
        [
            'name=$(basename "$0"); . "$(dirname -- "$0")/shared"; echo "$name $1" >seen',
            'for part in "$0".d/*; do . "$part"; done; echo "${0##*/} $1" >seen',
            'cat "${0%/*}/shared"; for part in "${0}".d/*; do . "$part"; done; echo "`basename "$0"` $1" >seen; exit 0',
        ],
    )
    def test_one_that_looks_at_its_own_name(
        self, body: str, shebang: str, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo = make_repo(tmp_path / "my repo")
        file = self.hook(repo, "pre-push", "")
        file.write_text(f"{shebang}\n{body}\n")
        write(repo / ".git" / "hooks", {"pre-push.d/one": "cat >input\n", "shared": "cat >input\n"})
        before = file.read_bytes()
        install(repo)
        run([file, "origin", "url"], repo, stdin=b"a b c d\n")
        assert (repo / "seen").read_text() == "pre-push origin\n"
        assert (repo / "input").read_text() == "a b c d\n"
        file.rename(file.with_name("pre-push.legacy"))
        run([file.with_name("pre-push.legacy"), "again", "url"], repo)
        assert (repo / "seen").read_text() == "pre-push again\n"
        file.with_name("pre-push.legacy").rename(file)
        assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
        assert file.read_bytes() == before

    @pytest.mark.parametrize(
        "body",
        ['exec flock "$0" true', '[ "$1" ] || exec "$0" again', 'readlink "$0"', "basename $00", "true"],
    )
    def test_one_that_does_more_with_its_name_runs_under_the_name_that_it_has(
        self, body: str, install, tmp_path: Path
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        file = self.hook(repo, "post-commit", body)
        install(repo)
        assert '"$foureyes_previous" "$@" || foureyes_status=$?' in file.read_text()
        assert "shift; ." not in file.read_text()

    def test_its_refusal_stops_the_commit(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "prepare-commit-msg", "echo no >&2; exit 7")
        install(repo)
        write(repo, {"a": "1"})
        git(repo, "add", "a")
        before = head(repo)
        assert run(["git", "commit", "-qm", "x"], repo, ok=False).returncode == 1
        assert head(repo) == before
        hook = repo / ".git" / "hooks" / "prepare-commit-msg"
        assert run([hook, ".git/M"], repo, ok=False).returncode == 7

    def test_a_failure_after_the_fact_is_passed_on_and_the_commit_still_noted(
        self, install, tmp_path: Path
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "post-commit", "exit 9")
        install(repo)
        oid = commit(repo, {"a": "1"}, "x")
        assert oid in read_journal(repo / ".git")
        assert run([repo / ".git" / "hooks" / "post-commit"], repo, ok=False).returncode == 9

    def test_one_that_pushes_what_has_just_been_committed_publishes_its_record(
        self, install, tmp_path: Path
    ) -> None:
        """A record that is built before the commit was noted would say for ever that no hook saw it."""
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "post-commit", "git push -q origin main")
        make_remote(repo, tmp_path / "remote")
        install(repo)
        oid = commit(repo, {"a": "1"}, "x", env={"QWEN_CODE": "1"})
        (found,) = records(tmp_path / "remote", "main").values()
        assert (found.commit, found.cls) == (oid, "ai")
        assert found.witness is not None

    def test_its_refusal_stops_the_push_and_it_gets_gits_lines(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "pre-push", 'cat > seen; echo "$1" >> seen; [ ! -e refuse ]')
        install(repo)
        git(tmp_path, "init", "-q", "--bare", "remote.git")
        git(repo, "remote", "add", "origin", tmp_path / "remote.git")
        (repo / "refuse").touch()
        assert run(["git", "push", "-q", "origin", "main"], repo, ok=False).returncode != 0
        (repo / "refuse").unlink()
        git(repo, "push", "-q", "origin", "main")
        expected = f"refs/heads/main {head(repo)} refs/heads/main {'0' * 40}\norigin\n"
        assert (repo / "seen").read_text() == expected

    @pytest.mark.parametrize("given", [b"", b"a b c d\n", b"a b c d\ne f g h\n", b"$(touch x) `y` \\n %s\n"])
    def test_input_is_replayed_whole_to_both(self, given: bytes, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "pre-push", "cat > first")
        install(repo)
        (repo / ".git" / "foureyes" / "push.sh").write_text("cat > second\n")
        run([repo / ".git" / "hooks" / "pre-push", "origin", "url"], repo, stdin=given)
        assert (repo / "first").read_bytes() == given
        assert (repo / "second").read_bytes() == given

    def test_one_that_does_not_read_its_input(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        self.hook(repo, "post-rewrite", "exit 0")
        install(repo)
        lines = b"".join(
            b"%040d %s\n" % (n, head(repo).encode()) for n in range(1000)
        )  # more than a pipe holds
        assert run([repo / ".git" / "hooks" / "post-rewrite", "rebase"], repo, stdin=lines).stderr == b""
        assert len(read_journal(repo / ".git")[head(repo)]) == 1000


def test_a_tool_that_renames_our_hook_and_calls_it_keeps_us(install, tmp_path: Path) -> None:
    """As pre-commit does: `.legacy` beside its own hook. The hook from before us still runs too."""
    repo = make_repo(tmp_path / "repo")
    hooks = repo / ".git" / "hooks"
    (hooks / "post-commit").write_text("#!/bin/sh\ntouch first\n")
    (hooks / "post-commit").chmod(0o755)
    install(repo)
    (hooks / "post-commit").rename(hooks / "post-commit.legacy")
    (hooks / "post-commit").write_text('#!/bin/sh\ntouch second\n"$0.legacy" "$@"\n')
    (hooks / "post-commit").chmod(0o755)
    assert "post-commit" in install(repo)["hooks"]["in_place"]
    oid = commit(repo, {"a": "1"}, "x")
    assert (repo / "first").exists()
    assert (repo / "second").exists()
    assert len(read_journal(repo / ".git")[oid]) == 1


def test_a_tool_that_replaced_our_hook_is_not_overruled(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repo(tmp_path / "repo")
    hooks = repo / ".git" / "hooks"
    (hooks / "post-commit").write_text("#!/bin/sh\ntouch first\n")
    (hooks / "post-commit").chmod(0o755)
    install(repo)
    (hooks / "post-commit").write_text("#!/bin/sh\ntouch other\n")
    before = contents(repo / ".git")
    assert call(repo, "install", monkeypatch=monkeypatch) == 1
    assert "another tool has replaced" in capsys.readouterr().err
    assert contents(repo / ".git") == before
    assert call(repo, "uninstall", "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["held_by_another_tool"] == ["post-commit"]
    assert (hooks / "post-commit").read_text() == "#!/bin/sh\ntouch other\n"
    assert (hooks / f"post-commit{hook_files.PREVIOUS}").read_text() == "#!/bin/sh\ntouch first\n"


def test_a_hooks_folder_of_another_tool_is_left_alone(
    install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / ".husky").mkdir()
    git(repo, "config", "core.hooksPath", ".husky")
    answer = install(repo, code=1)
    assert answer["hooks"]["how"] == "by hand"
    assert list((repo / ".husky").iterdir()) == []
    assert git(repo, "config", "core.hooksPath") == ".husky"
    for event, line in answer["hooks"]["add"].items():
        (repo / ".husky" / event).write_text(f"#!/bin/sh -e\n{line}\n")
        (repo / ".husky" / event).chmod(0o755)
    again = install(repo)
    assert (again["hooks"]["in_place"], again["hooks"]["add"]) == (list(EVENTS), {})
    assert again["proof_milliseconds"] > 0
    oid = commit(repo, {"a": "1"}, "x", env={"QWEN_CODE": "1"})
    assert oid in read_journal(repo / ".git")
    assert "Assisted-by: qwen-code" in git(repo, "log", "-1", "--format=%B")
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "w")
    assert commit(tmp_path / "w", {"b": "1"}, "y") in read_journal(repo / ".git")


@pytest.mark.parametrize(("scope", "value"), [("--local", ""), ("--global", "/gone")])
def test_a_hooks_path_to_nowhere_is_told_with_the_way_out(
    scope: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repo = make_repo(tmp_path / "repo")
    git(repo, "config", scope, "core.hooksPath", value)
    assert call(repo, "install", "--login", "olga", monkeypatch=monkeypatch) == 1
    shown = capsys.readouterr().out
    assert "NOT YET: core.hooksPath names no folder" in shown
    run(["sh", "-c", shown.splitlines()[-1]], repo)
    assert call(repo, "install", monkeypatch=monkeypatch) == 0


def test_a_newer_git_moves_the_hooks_into_the_configuration(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "repo")
    before = contents(repo / ".git")
    assert install(repo)["hooks"]["how"] == "files"
    monkeypatch.setattr(config_hooks, "OLDEST_GIT", (2, 30))
    monkeypatch.setattr(proof, "recorded_in", lambda settings: 1.0)  # this git may not know such hooks
    assert install(repo)["hooks"] == {"how": "config", "in_place": list(EVENTS), "kept": [], "add": {}}
    assert contents(repo / ".git" / "hooks") == {
        k[6:]: v for k, v in before.items() if k.startswith("hooks/")
    }
    git(repo, "config", "hook.foureyes-post-commit.enabled", "false")
    assert "post-commit" not in install(repo, code=1)["hooks"]["in_place"]
    assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
    assert contents(repo / ".git") == before


def test_from_a_linked_worktree_all_worktrees_are_served(install, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "w")
    install(tmp_path / "w")
    for place_ in (repo, tmp_path / "w"):
        assert commit(place_, {"a": place_.name}, "x") in read_journal(repo / ".git")


class TestBadInput:
    def refused(
        self,
        cwd: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        *arguments: str,
        code: int = 1,
    ) -> str:
        assert call(cwd, "install", *arguments, monkeypatch=monkeypatch) == code
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "Traceback" not in shown.err
        return shown.err

    def test_not_a_repository(self, tmp_path: Path, monkeypatch, capsys) -> None:
        assert "not in a git repository" in self.refused(tmp_path, monkeypatch, capsys)
        assert list(tmp_path.iterdir()) == []

    def test_bare(self, tmp_path: Path, monkeypatch, capsys) -> None:
        git(tmp_path, "init", "-q", "--bare", "b.git")
        before = contents(tmp_path)
        assert "bare repository" in self.refused(tmp_path / "b.git", monkeypatch, capsys)
        assert contents(tmp_path) == before

    def test_no_git(self, tmp_path: Path, monkeypatch, capsys) -> None:
        repo = make_repo(tmp_path / "repo")
        before = contents(repo)
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        assert "git was not found" in self.refused(repo, monkeypatch, capsys)
        assert contents(repo) == before

    def test_git_too_old(self, tmp_path: Path, monkeypatch, capsys) -> None:
        repo = make_repo(tmp_path / "repo")
        before = contents(repo)
        real = run(["sh", "-c", "command -v git"], tmp_path).stdout.decode().strip()
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").write_text(
            f'#!/bin/sh\n[ "$1" = version ] && echo "git version 2.29.2" && exit\nexec {real} "$@"\n'
        )
        (tmp_path / "bin" / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        assert "git 2.29.2 is too old" in self.refused(repo, monkeypatch, capsys)
        assert contents(repo) == before

    def test_an_impossible_login(self, tmp_path: Path, monkeypatch, capsys) -> None:
        repo = make_repo(tmp_path / "repo")
        before = contents(repo)
        assert "cannot be a GitHub login" in self.refused(
            repo, monkeypatch, capsys, "--login", "o/../x", code=2
        )
        assert contents(repo) == before

    def test_an_unknown_style_in_the_configuration(self, tmp_path: Path, monkeypatch, capsys) -> None:
        repo = make_repo(tmp_path / "repo")
        git(repo, "config", "foureyes.trailers", "loud")
        before = contents(repo)
        assert "no style of trailers" in self.refused(repo, monkeypatch, capsys, code=2)
        assert contents(repo) == before

    def test_nothing_half_written_if_the_hooks_cannot_be(self, tmp_path: Path, monkeypatch, capsys) -> None:
        repo = make_repo(tmp_path / "repo")
        hooks = repo / ".git" / "hooks"
        for file in hooks.iterdir():
            file.unlink()
        hooks.rmdir()
        hooks.write_text("a file where the folder should be")
        before = contents(repo)
        assert "could not be written" in self.refused(repo, monkeypatch, capsys)
        assert contents(repo) == before

    def test_errors_in_json(self, tmp_path: Path, monkeypatch, capsys) -> None:
        error = json.loads(self.refused(tmp_path, monkeypatch, capsys, "--json"))["error"]
        assert "not in a git repository" in error["what"]
        assert error["next_step"]


def test_an_unrecorded_proof_is_told(install, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    (repo / ".git" / "hooks" / "post-commit").write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(UserError, match="was not recorded"):
        proof.recorded_in(Repo.open(repo))


def test_the_proof_never_touches_the_repository_that_git_is_bound_to(
    install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    before = contents(repo)
    monkeypatch.setenv("GIT_DIR", str(repo / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repo))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / ".git" / "index"))
    assert proof.rehearse(Repo.open(repo), as_agent=True).recorded
    assert contents(repo) == before


def test_the_proof_runs_no_hook_that_ours_only_keep_beside(install, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    for event in ("post-commit", "commit-msg"):
        (repo / ".git" / "hooks" / event).write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
        (repo / ".git" / "hooks" / event).chmod(0o755)
    install(repo)
    assert not (tmp_path / "ran").exists()


def test_python_is_started_as_installed_and_not_from_the_working_directory(install, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    install(repo)
    for name in ("foureyes", "click", "json"):
        write(repo, {f"{name}/__init__.py": "open('taken over', 'w')\n"})
    write(repo, {"sitecustomize.py": "open('taken over', 'w')\n"})
    commit(repo, {}, "x")
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(
        repo,
        "push",
        "-q",
        tmp_path / "remote.git",
        "main",
        env={"PYTHONPATH": str(repo), "PYTHONSTARTUP": "x"},
    )
    assert not (repo / "taken over").exists()
    settings = place.read_settings(Repo.open(repo))
    assert settings is not None
    assert Path(settings.python).is_absolute()
    assert settings.path


class TestGh:
    def test_the_login_comes_from_gh(self, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "gh").write_text('#!/bin/sh\n[ "$1" = config ] && exit 1\necho olga-gh\n')
        (tmp_path / "bin" / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        repo = make_repo(tmp_path / "repo")
        assert install(repo)["login"] == {"name": "olga-gh", "how": "gh"}
        assert git(repo, "config", "--local", "foureyes.login") == "olga-gh"

    def test_what_gh_says_in_trouble_is_no_login(
        self, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "gh").write_text("#!/bin/sh\necho 'To get started, run: gh auth login'\n")
        (tmp_path / "bin" / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        assert install(make_repo(tmp_path / "repo"))["login"] is None


class TestClaudeCode:
    SETTINGS = '{\n    "model": "opus",\n    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "mine é"}]}]},\n    "env": {"A": "1"}\n}'

    @pytest.fixture
    def file(self) -> Path:
        folder = Path.home() / ".claude"
        folder.mkdir()
        (folder / "settings.json").write_text(self.SETTINGS)
        (folder / "settings.json").chmod(0o640)
        return folder / "settings.json"

    def commands(self, file: Path, event: str) -> list[str]:
        groups = json.loads(file.read_text())["hooks"].get(event, [])
        return [hook["command"] for group in groups for hook in group["hooks"]]

    def test_hooks_are_added_and_taken_out_to_the_byte(
        self, file: Path, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        assert install(repo)["agents"]["claude-code"] == "hooks added"
        assert self.commands(file, "PreToolUse")[0] == "mine é"
        for event in ("PreToolUse", "PostToolUse", "Stop"):
            assert self.commands(file, event)[-1].endswith("foureyes checkpoint claude-code")
        assert list(json.loads(file.read_text())) == ["model", "hooks", "env"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert install(repo)["agents"]["claude-code"] == "hooks already there"
        assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
        assert file.read_text() == self.SETTINGS
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert not (Path.home() / ".config" / "foureyes").exists()

    def test_the_command_runs_without_path_and_says_nothing(
        self, file: Path, install, tmp_path: Path
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        install(repo)
        command = self.commands(file, "PostToolUse")[-1]
        payload = {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "tool_name": "Bash",
            "tool_input": {},
            "cwd": str(repo),
        }
        git_only = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = run(["/bin/sh", "-c", command], repo, only_env=git_only, stdin=json.dumps(payload).encode())
        assert (done.stdout, done.stderr) == (b"", b"")

    def test_later_changes_of_the_user_stay(
        self, file: Path, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        install(repo)
        changed = json.loads(file.read_text()) | {"theme": "dark"}
        file.write_text(json.dumps(changed))
        assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
        assert json.loads(file.read_text()) == json.loads(self.SETTINGS) | {"theme": "dark"}

    def test_it_is_kept_while_another_repository_needs_it(
        self, file: Path, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = make_repo(tmp_path / "first"), make_repo(tmp_path / "second")
        install(first)
        install(second)
        assert call(first, "uninstall", monkeypatch=monkeypatch) == 0
        assert self.commands(file, "Stop")
        assert call(second, "uninstall", monkeypatch=monkeypatch) == 0
        assert file.read_text() == self.SETTINGS

    @pytest.mark.parametrize(
        "text", ["{ // comment\n}", "[]", '{"hooks": []}', '{"hooks": {"PreToolUse": {}}}', "{\xff"]
    )
    def test_a_file_of_another_form_is_left_alone_and_the_hooks_are_set_up(
        self, text: str, file: Path, install, tmp_path: Path
    ) -> None:
        file.write_bytes(text.encode("latin-1"))
        answer = install(make_repo(tmp_path / "repo"))
        assert "was left alone" in answer["agents"]["claude-code"]
        assert file.read_bytes() == text.encode("latin-1")
        assert answer["hooks"]["in_place"] == list(EVENTS)

    def test_a_linked_file_stays_a_link(self, file: Path, install, tmp_path: Path) -> None:
        real = tmp_path / "dotfiles.json"
        file.rename(real)
        file.symlink_to(real)
        install(make_repo(tmp_path / "repo"))
        assert file.is_symlink()
        assert "foureyes checkpoint" in real.read_text()

    def test_without_claude_code_nothing_is_made_unless_asked(
        self, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        assert install(repo)["agents"] == {}
        assert not (Path.home() / ".claude").exists()
        assert install(repo, "--agent", "claude-code")["agents"] == {"claude-code": "hooks added"}
        assert call(repo, "uninstall", monkeypatch=monkeypatch) == 0
        assert not (Path.home() / ".claude" / "settings.json").exists()

    def test_other_agents_are_named(self, install, tmp_path: Path) -> None:
        for folder in (".codex", ".factory"):
            (Path.home() / folder).mkdir()
        assert install(make_repo(tmp_path / "repo"))["agents"] == {
            "codex-cli": "hooks added; approve them in Codex with /hooks",
            "droid": "its commits are seen",
        }


class TestForEveryClone:
    """`--repo`: agents' hooks in the project's own files."""

    def test_a_fresh_clone_records_an_agents_edit_without_any_install(
        self, install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo = make_repo(tmp_path / "repo")
        write(repo, {".claude/settings.json": '{\n  "model": "opus"\n}\n'})
        answer = install(repo, "--repo")
        assert answer["to_commit"] == [str(repo / ".claude" / "settings.json")]
        assert json.loads((repo / ".claude" / "settings.json").read_text())["model"] == "opus"
        commit(repo, {}, "share")
        git(tmp_path, "clone", "-q", repo, tmp_path / "a clone")
        clone = tmp_path / "a clone"
        bin = tmp_path / "bin"
        bin.mkdir()
        (bin / "foureyes").write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from foureyes.hooks.cli import main; main()' \"$@\"\n"
        )
        (bin / "foureyes").chmod(0o755)
        env = {**os.environ, **python_env(), "PATH": f"{bin}:{os.environ['PATH']}"}
        for event in ("PreToolUse", "PostToolUse"):
            if event == "PostToolUse":
                write(clone, {"new": "by the agent\n"})
            self.run_hook(clone, event, env)
        commit(clone, {}, "typed by a person")
        shown = json.loads(foureyes(clone, "show", "--json"))
        (part,) = shown["record"]["predicate"]["contributors"]
        assert (shown["class"], part["path"], part["agent"]) == ("ai", "new", "claude-code")

    def test_where_foureyes_is_not_installed_they_are_silent(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        install(repo, "--repo")
        self.run_hook(repo, "PreToolUse", {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})

    def test_a_second_time_changes_nothing(self, install, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        install(repo, "--repo", "--agent", "claude-code", "--agent", "gemini-cli")
        once = contents(repo)
        assert {p.name for p in repo.iterdir()} >= {".claude", ".gemini"}
        install(repo, "--repo", "--agent", "claude-code", "--agent", "gemini-cli")
        assert contents(repo) == once

    def run_hook(self, repo: Path, event: str, env: dict[str, str]) -> None:
        groups = json.loads((repo / ".claude" / "settings.json").read_text())["hooks"][event]
        payload = {
            "hook_event_name": event,
            "session_id": "s",
            "tool_name": "Write",
            "tool_use_id": "t1",
            "tool_input": {"file_path": str(repo / "new"), "content": "by the agent\n"},
            "cwd": str(repo),
        }
        for hook in (hook for group in groups for hook in group["hooks"]):
            done = run(
                ["/bin/sh", "-c", hook["command"]], repo, only_env=env, stdin=json.dumps(payload).encode()
            )
            assert (done.stdout, done.stderr) == (b"", b"")


def test_the_interpreter_is_the_base_one(tmp_path: Path) -> None:
    from foureyes.hooks import runtime

    assert Path(runtime.interpreter()).resolve() == Path(runtime.interpreter())
    assert Path(runtime.interpreter()).is_file()
    with pytest.raises(UserError, match="cannot run the hooks"):
        runtime.check(sys.executable, (str(tmp_path),))
