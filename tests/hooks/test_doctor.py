"""`foureyes doctor`: each fault is made for real, found, named with what mends it, and gone once that is done."""

import json
import os
import shutil
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_git import commit, git, make_repo, run, write
from support_newer_git import needs_newer_git, use_newer_git
from support_ssh import make_key

from foureyes.hooks import cli, config_hooks, hook_files, runtime
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.doctor import examine
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.install import install
from foureyes.hooks.journal import journal_dir, read_journal
from foureyes.hooks.repo import Repo
from foureyes.shared.finding import Finding, State


@pytest.fixture(autouse=True)
def hook_files_with_any_git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "newer_git" not in request.node.name:
        monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Where nothing is wrong: hooks, a login and a key."""
    (Path.home() / ".ssh").mkdir(mode=0o700)
    make_key(Path.home() / ".ssh", name="id_ed25519")
    top = make_repo(tmp_path / "my dépôt", first_commit=False)
    install(top, login="olga")
    commit(top, {"README": "hello\n"}, "first")
    return top


def found(repo: Path, state: State = State.PROBLEM, *, online: bool = False) -> list[Finding]:
    return [finding for finding in examine(Repo.open(repo), online=online) if finding.state is state]


def one_problem(repo: Path) -> Finding:
    (problem,) = found(repo)
    return problem


def call(cwd: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    with monkeypatch.context() as here:
        here.chdir(cwd)
        return cli.run(["doctor", *arguments])


def test_where_nothing_is_wrong(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(repo, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "throwaway commit recorded in" in shown
    assert "Commits are recorded here." in shown
    assert call(repo, monkeypatch, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["good"] is True
    states = {f["state"] for f in answer["findings"] if f["subject"] != "git"}
    assert states == {"ok", "unknown"}


POLICY = 'version: 1\nroster: ["@ana", "@ben", "@raj"]\nprotected: ["infra/**"]\n'


@pytest.mark.parametrize("said", ["", "trailers: assisted-by\n", "trailers: loud\n", "# trailers: none\n"])
def test_a_policy_that_asks_for_no_other_trailers_is_left_alone(repo: Path, said: str) -> None:
    write(repo, {".github/foureyes.yml": POLICY + said})
    assert found(repo, State.NOTE) == []


def test_an_agent_is_named_as_the_policy_says_and_a_change_of_it_is_told(repo: Path) -> None:
    write(repo, {".github/foureyes.yml": POLICY + "trailers: none\n"})
    (note,) = found(repo, State.NOTE)
    assert (note.subject, note.mend) == ("trailers", "foureyes install")
    assert "`none`" in note.what
    install(repo)
    assert found(repo, State.NOTE) == []
    commit(repo, {"a": "1"}, "by an agent", env=CLAUDE_ENV)
    assert "Assisted-by" not in git(repo, "log", "-1", "--format=%B")
    install(repo, trailers="generated-by")
    (note,) = found(repo, State.NOTE)
    git(repo, "config", "foureyes.trailers", "generated-by")
    assert found(repo, State.NOTE) == [], "who says it here has the last word"


def test_it_changes_nothing(repo: Path) -> None:
    commit(repo, {"a": "1"}, "x")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in repo.rglob("*") if p.is_file()}
    examine(Repo.open(repo))
    assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in repo.rglob("*") if p.is_file()} == before


def test_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = make_repo(tmp_path / "repo")
    assert call(repo, monkeypatch) == 1
    shown = capsys.readouterr().out
    assert "not installed in this repository" in shown
    assert "foureyes install" in shown
    problems = {finding.subject for finding in found(repo)}
    assert problems == {"hooks", "you", "signing"}


class TestHooksThatDoNotRun:
    def test_a_dead_hooks_path(self, repo: Path) -> None:
        git(repo, "config", "core.hooksPath", "/dev/null")
        problems = found(repo)
        assert {p.subject for p in problems} == {"hooks"}
        assert "core.hooksPath is /dev/null, no folder" in problems[0].what
        run(["sh", "-c", problems[0].mend.split(" && ")[0]], repo)
        assert found(repo) == []

    def test_an_empty_hooks_path(self, repo: Path) -> None:
        git(repo, "config", "core.hooksPath", "")
        problem = found(repo)[0]
        assert problem.what == "core.hooksPath is empty: no hook runs"
        assert problem.mend == "git config --unset core.hooksPath && foureyes install"

    def test_a_dead_hooks_path_of_the_user(self, repo: Path) -> None:
        git(repo, "config", "--global", "core.hooksPath", "~/gone")
        assert "git config --global --unset core.hooksPath" in found(repo)[0].mend

    def test_a_hook_that_is_gone(self, repo: Path) -> None:
        (repo / ".git" / "hooks" / "post-commit").unlink()
        problems = found(repo)
        assert [p.subject for p in problems] == ["hooks", "proof"]
        assert problems[0].what == "gone or not executable: post-commit"
        install(repo)
        assert found(repo) == []

    def test_a_hook_that_is_there_and_is_never_reached(self, repo: Path) -> None:
        """Only a commit can tell."""
        hook = repo / ".git" / "hooks" / "post-commit"
        hook.write_text(hook.read_text().replace("#!/bin/sh\n", "#!/bin/true\n", 1))
        assert one_problem(repo).what.startswith("a throwaway commit was not recorded")

    def test_trailers_that_are_not_added(self, repo: Path) -> None:
        (repo / ".git" / "foureyes" / "trailers.sh").write_text("")
        assert "trailers were not added" in one_problem(repo).what

    def test_scripts_that_are_gone(self, repo: Path) -> None:
        (repo / ".git" / "foureyes" / "capture.sh").unlink()
        problem = one_problem(repo)
        assert "its scripts are gone" in problem.what
        assert problem.mend == "foureyes install"

    def test_another_tool_in_their_place(self, repo: Path) -> None:
        hook = repo / ".git" / "hooks" / "prepare-commit-msg"
        hook.write_text("#!/bin/sh\nexit 0\n")
        problems = found(repo)
        assert problems[0].what == "another tool has replaced ours: prepare-commit-msg"
        assert [p.subject for p in problems] == ["hooks", "proof"]

    def test_lefthook_in_their_place(self, repo: Path) -> None:
        write(repo, {"lefthook.yml": "pre-commit:\n  commands:\n    a: {run: 'true'}\n"})
        (note,) = found(repo, State.NOTE)
        assert "lefthook moves our hooks away" in note.what
        assert note.mend == "foureyes install --write"
        hooks = repo / ".git" / "hooks"
        (hooks / "post-commit").rename(hooks / "post-commit.old")
        (hooks / "post-commit").write_text("#!/bin/sh\n# call_lefthook run post-commit\n")
        (hooks / "post-commit").chmod(0o755)
        assert found(repo)[0].what == "lefthook has replaced ours: post-commit"
        install(repo, write=True)
        assert not (hooks / "post-commit.old").exists()

    def test_a_hooks_folder_that_does_not_call_us(self, repo: Path) -> None:
        (repo / ".husky" / "_").mkdir(parents=True)
        git(repo, "config", "core.hooksPath", ".husky/_")
        problems = found(repo)
        assert problems[0].what == f"husky does not call them: {', '.join(EVENTS)}"
        assert problems[0].mend == "foureyes install --write"

    def test_a_hook_of_another_that_refuses_the_commit(self, repo: Path) -> None:
        folder = repo / ".githooks"
        folder.mkdir()
        git(repo, "config", "core.hooksPath", ".githooks")
        install(repo, write=True)
        assert found(repo) == []
        (folder / "prepare-commit-msg").write_text("#!/bin/sh\necho no such luck >&2\nexit 1\n")
        assert "no such luck" in found(repo)[-1].what


@needs_newer_git
class TestConfigHooks:
    @pytest.fixture(autouse=True)
    def newer_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_newer_git(tmp_path, monkeypatch)

    def test_a_dead_hooks_path_does_not_matter_newer_git(self, repo: Path) -> None:
        git(repo, "config", "core.hooksPath", "/dev/null")
        assert found(repo) == []
        assert any("only config hooks run" in note.what for note in found(repo, State.NOTE))

    def test_one_that_is_switched_off_newer_git(self, repo: Path) -> None:
        git(repo, "config", "hook.foureyes-post-commit.enabled", "false")
        problems = found(repo)
        assert problems[0].what == "switched off: post-commit"
        run(["sh", "-c", problems[0].mend], repo)
        assert found(repo) == []

    def test_one_that_is_gone_newer_git(self, repo: Path) -> None:
        git(repo, "config", "--remove-section", "hook.foureyes-pre-push")
        assert one_problem(repo).what == "gone from git's configuration: pre-push"

    def test_an_older_git_beside_it_newer_git(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older = tmp_path / "older"
        older.mkdir()
        (older / "git").write_text("#!/bin/sh\necho git version 2.40.1\n")
        (older / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{older}")
        assert any(f"{older}/git (2.40.1) would not" in note.what for note in found(repo, State.NOTE))


class TestTheInstallation:
    def change(self, repo: Path, **changes: object) -> None:
        file = repo / ".git" / "foureyes" / "settings"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    def test_an_interpreter_that_is_gone(self, repo: Path) -> None:
        self.change(repo, python="/gone/bin/python3")
        problem = one_problem(repo)
        assert problem.what == "the Python that hooks start is gone: /gone/bin/python3"
        install(repo)
        assert found(repo) == []

    def test_foureyes_has_moved(self, repo: Path, tmp_path: Path) -> None:
        self.change(repo, path=[str(tmp_path)])
        assert "moved since hooks were installed" in one_problem(repo).what

    def test_foureyes_was_upgraded(self, repo: Path) -> None:
        self.change(repo, version="0.0.1")
        assert "the hooks are of foureyes 0.0.1" in one_problem(repo).what

    def test_a_git_that_is_too_old(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = run(["sh", "-c", "command -v git"], tmp_path).stdout.decode().strip()
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").write_text(
            f'#!/bin/sh\n[ "$1" = version ] && echo "git version 2.29.2" && exit\nexec {real} "$@"\n'
        )
        (tmp_path / "bin" / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        assert one_problem(repo) == Finding(
            "git", State.PROBLEM, "git 2.29.2 is too old", "install git 2.30 or newer"
        )

    def test_a_journal_that_is_no_folder(self, repo: Path) -> None:
        shutil.rmtree(journal_dir(repo / ".git"))
        journal_dir(repo / ".git").write_text("")
        assert {"journal", "records"} >= {p.subject for p in found(repo)} >= {"journal"}

    def test_evidence_that_is_no_folder(self, repo: Path) -> None:
        (repo / ".git" / "foureyes" / "evidence").write_text("")
        assert "evidence is not a folder" in one_problem(repo).what

    @pytest.mark.parametrize(("owner", "mend"), [(0, "chmod u+rwX '"), (1, "sudo chown -R $(id -u) '")])
    def test_what_an_agent_in_a_container_left_behind(
        self, repo: Path, monkeypatch: pytest.MonkeyPatch, owner: int, mend: str
    ) -> None:
        Agent(repo).write("f", "by ai\n")
        (file,) = (repo / ".git" / "foureyes" / "evidence" / "sessions").iterdir()
        access = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: path != file and access(path, mode))
        monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + owner)
        problem = one_problem(repo)
        assert (problem.what, problem.mend) == (f"{file} cannot be written or read", f"{mend}{file}'")


class TestTheKey:
    def gh(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "gh").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def test_no_key(self, repo: Path) -> None:
        for file in (Path.home() / ".ssh").iterdir():
            file.unlink()
        problem = one_problem(repo)
        assert (problem.subject, problem.mend[:21]) == ("signing", "ssh-keygen -t ed25519")

    def test_a_passphrase(self, repo: Path) -> None:
        key = Path.home() / ".ssh" / "id_ed25519"
        run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret words", "-f", key], repo)
        (note,) = found(repo, State.NOTE)
        assert "passphrase" in note.what
        assert note.mend == f"ssh-add {key}"

    def test_without_online_github_is_not_asked_and_that_is_said(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.gh(tmp_path, monkeypatch, f"touch '{tmp_path}/asked'")
        (unknown,) = found(repo, State.UNKNOWN)
        assert unknown.mend == "foureyes doctor --online"
        assert not (tmp_path / "asked").exists()

    def test_registered(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        line = (Path.home() / ".ssh" / "id_ed25519.pub").read_text().strip()
        other = json.dumps([{"id": 1, "key": "ssh-ed25519 AAAA"}])
        script = (
            'case "$*" in\n'
            f"'api --paginate users/olga/ssh_signing_keys') echo '{other}'; echo '{json.dumps([{'key': line}])}' ;;\n"
            "'api --paginate users/olga/keys') echo '[]' ;;\n*) exit 1 ;;\nesac"
        )
        self.gh(tmp_path, monkeypatch, script)
        assert found(repo, online=True) == []
        good = [f.what for f in found(repo, State.GOOD, online=True)]
        assert "registered with GitHub for @olga" in good

    def test_not_registered(self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gh(tmp_path, monkeypatch, "echo '[]'")
        (problem,) = found(repo, online=True)
        assert "signatures name nobody" in problem.what
        assert problem.mend.endswith("/.ssh/id_ed25519.pub")

    @pytest.mark.parametrize(
        "script", ["exit 1", "echo 'not json'", "echo '[{}]'", "echo '{}'", "echo '[7]'"]
    )
    def test_an_answer_that_is_none(
        self, script: str, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.gh(tmp_path, monkeypatch, script)
        if script == "echo '{}'":
            assert "signatures name nobody" in found(repo, online=True)[0].what
            return
        assert found(repo, online=True) == []
        assert "could not ask" in found(repo, State.UNKNOWN, online=True)[0].what


class TestAgents:
    def test_hooks_that_are_missing(self, repo: Path) -> None:
        (Path.home() / ".claude").mkdir()
        problem = one_problem(repo)
        assert "its edits are not seen" in problem.what
        assert problem.mend == "foureyes install --agent claude-code"
        install(repo, agents=("claude-code",))
        assert found(repo) == []

    @pytest.mark.parametrize("what", ["python", "foureyes", "command"])
    def test_hooks_that_start_nothing(self, what: str, repo: Path) -> None:
        (Path.home() / ".claude").mkdir()
        install(repo, agents=("claude-code",))
        command = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "foureyes" / "foureyes"
        text = command.read_text()
        if what == "command":
            command.unlink()
        elif what == "python":
            command.write_text(text.replace(runtime.interpreter(), "/gone/bin/python3"))
        else:
            command.write_text(text.replace(runtime.import_path()[0], "/gone"))
        assert "does not start" in one_problem(repo).what
        install(repo, agents=("claude-code",))
        assert found(repo) == []

    def test_hooks_that_codex_has_not_been_told_to_trust(self, repo: Path) -> None:
        (Path.home() / ".codex").mkdir()
        install(repo, agents=("codex-cli",))
        problem = one_problem(repo)
        assert "not approved" in problem.what
        assert "/hooks" in problem.mend

    def test_an_agent_whose_edits_cannot_be_seen(self, repo: Path) -> None:
        (Path.home() / ".factory").mkdir()
        assert any("its commits are seen" in note.what for note in found(repo, State.NOTE))

    def test_what_an_agents_hook_said(self, repo: Path) -> None:
        Evidence(Repo.open(repo).home).note_problem("the disk was full")
        assert any("the disk was full" in note.what for note in found(repo, State.NOTE))


def test_records_that_are_not_published(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "remote", "add", "origin", tmp_path / "remote.git")
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "main")
    assert found(repo) == []  # what is on the default branch has landed
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, {"a": "1"}, "x")
    assert found(repo) == []
    git(repo, "push", "-q", "--no-verify", "-u", "origin", "side")
    assert one_problem(repo).mend == "foureyes publish"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repo)
        assert cli.run(["publish"]) == 0
    assert found(repo) == []


def test_commits_that_no_hook_saw(repo: Path) -> None:
    git(repo, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "x")
    (note,) = found(repo, State.NOTE)
    assert "1 unpushed commit was not seen" in note.what


def test_the_proof_leaves_the_journal_alone(repo: Path) -> None:
    commit(repo, {"a": "1"}, "x")
    before = read_journal(repo / ".git")
    for _ in range(2):
        examine(Repo.open(repo))
    assert read_journal(repo / ".git") == before
    assert hook_files.in_place(repo / ".git" / "hooks") == EVENTS


def test_not_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path, monkeypatch, "--json") == 1
    assert "not in a git repository" in json.loads(capsys.readouterr().err)["error"]["what"]
