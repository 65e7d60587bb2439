"""Hook managers: their layouts as they leave them, and the real tools where they are on PATH.

`make test-managers` installs them from their registries; FOUREYES_TEST_MANAGERS=1 fails where one is missing.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support_git import CHECKOUT, commit, foureyes, git, head, make_repo, message, run, write
from support_newer_git import needs_newer_git, use_newer_git

from foureyes.hooks import config_hooks, hook_files, insertion, managers, proof
from foureyes.hooks.capture_files import EVENTS, native_line
from foureyes.hooks.install import Installed, install
from foureyes.hooks.journal import Line, read_journal
from foureyes.hooks.repo import Repo

AGENT = {"QWEN_CODE": "1"}


@pytest.fixture(autouse=True)
def hook_files_with_any_git(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before git 2.54, which needs none of this."""
    if "newer_git" not in request.node.name:
        monkeypatch.setattr(config_hooks, "OLDEST_GIT", (99,))


def lines(repo: Path, oid: str) -> tuple[Line, ...]:
    return read_journal(Repo.open(repo).common_dir).get(oid, ())


def captured_once(repo: Path, name: str = "a") -> None:
    """An agent's commit: one line in the journal, trailers once."""
    oid = commit(repo, {name: f"{len(git(repo, 'rev-list', 'HEAD'))}"}, "subject", env=AGENT)
    assert [line.hook for line in lines(repo, oid)] == ["post-commit"]
    assert message(repo).count("Assisted-by: qwen-code") == 1
    assert message(repo).count("Provenance-Id: ") == 1


def all_in_place(done: Installed) -> bool:
    return done.in_place == EVENTS and done.milliseconds is not None


def husky_layout(repo: Path, hooks: dict[str, str]) -> None:
    """What husky 9 leaves: its own folder of one-line hooks, which look for the person's file one folder up."""
    own = repo / ".husky" / "_"
    own.mkdir(parents=True)
    (own / "h").write_text(
        '#!/usr/bin/env sh\ns=$(dirname "$(dirname "$0")")/$(basename "$0")\n[ ! -f "$s" ] && exit 0\nsh -e "$s" "$@"\n'
    )
    for event in (*EVENTS, "pre-commit"):
        (own / event).write_text('#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n')
        (own / event).chmod(0o755)
    for event, text in hooks.items():
        (repo / ".husky" / event).write_text(text)
    git(repo, "config", "core.hooksPath", ".husky/_")


class TestHusky:
    def test_nothing_is_written_unless_asked(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        husky_layout(repo, {"pre-commit": "true\n"})
        done = install(repo)
        assert done.in_place == ()
        assert sorted(p.name for p in (repo / ".husky").iterdir()) == ["_", "pre-commit"]
        assert git(repo, "config", "core.hooksPath") == ".husky/_"
        shown = foureyes(repo, "install", ok=False) if not _newer_git_on_path() else ""
        assert not shown or "foureyes install --write" in shown

    def test_written_lines_are_called_and_others_still_run(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "my dépôt")
        theirs = {"post-commit": "touch theirs\n", "prepare-commit-msg": "echo 'Theirs: yes' >> \"$1\""}
        husky_layout(repo, theirs)
        done = install(repo, write=True)
        assert all_in_place(done)
        captured_once(repo)
        assert (repo / "theirs").exists()
        assert "Theirs: yes" in message(repo)

    def test_uninstall_brings_every_file_back(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        husky_layout(repo, {"post-commit": "true", "pre-push": "npm test\n"})
        before = _files(repo / ".husky")
        install(repo, write=True)
        install(repo, write=True)
        assert _files(repo / ".husky") != before
        foureyes(repo, "uninstall")
        assert _files(repo / ".husky") == before

    def test_what_was_committed_with_our_lines_is_left_and_does_no_harm(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        husky_layout(repo, {})
        install(repo, write=True)
        git(repo, "add", "-f", ".husky/post-commit")
        git(repo, "commit", "-qm", "share the hook")
        answer = json.loads(foureyes(repo, "uninstall", "--json"))
        assert [Path(file).name for file in answer["files_with_our_lines"]] == ["post-commit"]
        assert (repo / ".husky" / "post-commit").read_text() == native_line("post-commit") + "\n"
        assert not (repo / ".husky" / "pre-push").exists()
        write(repo, {"a": "1"})
        git(repo, "add", "a")
        assert run(["git", "commit", "-qm", "x"], repo).stderr == b""

    def test_later_lines_of_others_stay(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        husky_layout(repo, {"post-commit": "true\n"})
        install(repo, write=True)
        with (repo / ".husky" / "post-commit").open("a") as file:
            file.write("later\n")
        foureyes(repo, "uninstall")
        assert (repo / ".husky" / "post-commit").read_text() == "true\nlater\n"

    def test_in_a_linked_worktree_too(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        husky_layout(repo, {})
        install(repo, write=True)
        git(repo, "add", "-f", ".husky")
        git(repo, "commit", "-qm", "share")
        git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked tree")
        captured_once(tmp_path / "linked tree")

    def test_a_hook_of_ours_that_is_there_all_the_same_is_not_doubled(self, tmp_path: Path) -> None:
        """A shared line, and hook files of our own from before husky was there, or after it went."""
        repo = make_repo(tmp_path / "repo")
        install(repo)
        (repo / ".git" / "hooks" / "pre-commit").write_text(f"#!/bin/sh\n{native_line('post-commit')}\n")
        (repo / ".git" / "hooks" / "pre-commit").chmod(0o755)
        captured_once(repo)


class TestAFolderOfHooks:
    def folder(self, repo: Path, **hooks: str) -> Path:
        folder = repo / ".githooks"
        folder.mkdir()
        for name, text in hooks.items():
            file = folder / name.replace("_", "-")
            file.write_text(text)
            file.chmod(0o755)
        git(repo, "config", "core.hooksPath", ".githooks")
        return folder

    def test_scripts_of_sh_get_a_line_and_others_are_left_to_a_person(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        python = "#!/usr/bin/env python3\nprint('x')\n"
        folder = self.folder(repo, post_commit="#!/bin/bash\ntouch theirs\nexit 0\n", post_merge=python)
        done = install(repo, write=True)
        assert done.left == (folder / "post-merge",)
        assert (folder / "post-merge").read_text() == python
        assert set(done.in_place) == set(EVENTS) - {"post-merge"}
        captured_once(repo)
        assert (repo / "theirs").exists()

    def test_a_file_that_git_would_not_run_is_not_in_place(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        folder = self.folder(repo)
        assert all_in_place(install(repo, write=True))
        (folder / "post-commit").chmod(0o644)
        done = install(repo)
        assert "post-commit" not in done.in_place
        assert done.milliseconds is None


def test_a_line_goes_where_it_is_reached() -> None:
    line = native_line("post-commit")
    into = insertion.into_script
    assert into("", "post-commit", shebang=True) == f"#!/bin/sh\n{line}\n"
    assert into("", "post-commit", shebang=False) == f"{line}\n"
    assert into("npm test", "post-commit", shebang=False) == f"npm test\n{line}\n"
    assert into("#!/bin/sh\nx\nexit 0\n", "post-commit", shebang=True) == f"#!/bin/sh\n{line}\nx\nexit 0\n"
    assert into("x\n  exec y\n", "post-commit", shebang=False) == f"{line}\nx\n  exec y\n"
    assert into(f"x\n{line}\n", "post-commit", shebang=False) == f"x\n{line}\n"
    assert into("#!/usr/bin/env node\n", "post-commit", shebang=True) is None


LEFTHOOK = {
    "empty": "",
    "only comments": "# nothing yet\n",
    "commands": "# ours\npost-commit:\n  parallel: true\n  commands:\n    lint:\n      run: npm run lint # fast\n\npre-commit:\n  commands: {a: {run: b}}\n",
    "jobs": "post-commit:\n    jobs:\n        - run: |\n            one\n            two\n\n        - name: x\n          run: y",
    "settings only": "pre-push:\n  follow: true\nskip_output: [meta]\n",
}


@pytest.mark.parametrize("text", LEFTHOOK.values(), ids=LEFTHOOK)
def test_lefthook_keeps_what_it_had(text: str) -> None:
    new = insertion.into_lefthook(text)
    assert new is not None
    assert insertion.into_lefthook(new) == new
    for line in text.splitlines():
        assert line in new.splitlines()
    before, after = yaml.safe_load(text) or {}, yaml.safe_load(new)
    for event in EVENTS:
        hook = after[event]
        ours = hook["commands"]["foureyes"] if "commands" in hook else hook["jobs"][-1]
        assert f'sh "$foureyes" {event}' in ours["run"]
        assert ours.get("use_stdin", False) is (event in {"pre-push", "post-rewrite"})
        hook.get("commands", {}).pop("foureyes", None)
        if "jobs" in hook:
            hook["jobs"].pop()
    assert {k: v for k, v in after.items() if v != {"commands": {}}} | before == {
        k: v
        | (
            {"commands": {}}
            if k in EVENTS and k in before and "commands" in v and "commands" not in before[k]
            else {}
        )
        if isinstance(v, dict)
        else v
        for k, v in after.items()
        if v != {"commands": {}}
    } | before


@pytest.mark.parametrize(
    "text",
    [
        "post-commit: {commands: {a: {run: b}}}\n",
        "post-commit: 7\n",
        "- a\n",
        "a: [\n",
        "post-commit: &a\n  commands:\n    x: {run: y}\npre-push: *a\n",
    ],
)
def test_lefthook_in_a_form_that_is_not_understood_is_left(text: str) -> None:
    assert insertion.into_lefthook(text) is None


PRE_COMMIT = {
    "one": "repos:\n- repo: local\n  hooks:\n  - id: a\n    name: a\n    entry: 'true'\n    language: system\n",
    "indented": "# top\nrepos:\n  - repo: https://example.com/x\n    rev: v1\n    hooks:\n      - id: a\n        args: [--x, y] # why\n\n  # off\n  # - repo: y\nfail_fast: true\n",
    "no break": "default_stages: [pre-commit]\nrepos:\n    - repo: meta\n      hooks:\n        - id: identity",
}


@pytest.mark.parametrize("text", PRE_COMMIT.values(), ids=PRE_COMMIT)
def test_pre_commit_keeps_what_it_had(text: str) -> None:
    new = insertion.into_pre_commit(text)
    assert new is not None
    assert insertion.into_pre_commit(new) == new
    after = yaml.safe_load(new)
    ours = after["repos"].pop()
    assert after == yaml.safe_load(text)
    assert [hook["stages"] for hook in ours["hooks"]] == [["prepare-commit-msg"], ["post-commit"]]
    for line in text.splitlines():
        assert line in new.splitlines()


@pytest.mark.parametrize(
    "text",
    ["", "repos: []\n", "repos: [{repo: meta, hooks: [{id: identity}]}]\n", "repos:\n", "- x\n", "repos: ["],
)
def test_pre_commit_in_a_form_that_is_not_understood_is_left(text: str) -> None:
    assert insertion.into_pre_commit(text) is None


def test_prek_keeps_what_it_had() -> None:
    text = 'fail_fast = true\n[[repos]]\nrepo = "meta"\nhooks = [{ id = "identity" }] # why'
    new = insertion.into_prek(text)
    assert new is not None
    assert new.startswith(text + "\n")
    assert insertion.into_prek(new) == new
    assert insertion.into_prek("repos = [") is None
    assert insertion.into_prek("repos = []\n") is None


class TestGeneratedHooks:
    """What pre-commit and prek write, and that they call what they found as `.legacy`."""

    GENERATED = """#!/bin/sh
# File generated by {name}: https://example.com
touch "{name} ran"
legacy="$(dirname "$0")/{event}.legacy"
[ ! -x "$legacy" ] || exec "$legacy" "$@"
"""

    def generated(self, repo: Path, name: str) -> None:
        """As they do it: what is there and not theirs is moved, over what was moved before."""
        for event in ("post-commit", "prepare-commit-msg"):
            hook = repo / ".git" / "hooks" / event
            if hook.exists() and "File generated by" not in hook.read_text().splitlines()[1]:
                hook.replace(hook.with_name(f"{event}.legacy"))
            hook.write_text(self.GENERATED.format(name=name, event=event))
            hook.chmod(0o755)

    @pytest.mark.parametrize("name", ["pre-commit", "prek"])
    @pytest.mark.parametrize(
        "order", ["theirs first", "ours first", "theirs, ours, theirs", "ours, theirs, ours"]
    )
    def test_both_run_in_any_order_and_never_in_a_circle(self, order: str, name: str, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / "repo")
        steps = {
            "theirs first": "to",
            "ours first": "ot",
            "theirs, ours, theirs": "tot",
            "ours, theirs, ours": "oto",
        }
        for step in steps[order]:
            if step == "t":
                self.generated(repo, name)
            else:
                assert install(repo).in_place == EVENTS
        captured_once(repo)
        assert (repo / f"{name} ran").exists()
        assert proof.rehearse(Repo.open(repo), as_agent=True).recorded


def test_lefthook_takes_its_hooks_back_and_calls_us_by_its_configuration(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    write(repo, {"lefthook.yml": "pre-commit:\n  commands:\n    a: {run: 'true'}\n"})
    first = install(repo)
    assert [manager.takes_hooks_back for manager in first.managers] == [True]
    done = install(repo, write=True)
    assert done.written == (repo / "lefthook.yml",)
    hooks = repo / ".git" / "hooks"
    config = yaml.safe_load((repo / "lefthook.yml").read_text())
    for event in EVENTS:
        (hooks / event).rename(hooks / f"{event}.old")
        run_line = config[event]["commands"]["foureyes"]["run"]
        for number in "12":
            run_line = run_line.replace(f"{{{number}}}", f"${number}")
        (hooks / event).write_text(f"#!/bin/sh\n# call_lefthook run {event}\n{run_line}\n")
        (hooks / event).chmod(0o755)
    assert all_in_place(install_again(repo))
    captured_once(repo)


def install_again(repo: Path) -> Installed:
    """`foureyes install` finds lefthook's files where ours were, with ours kept by lefthook."""
    return install(repo)


def test_the_hooks_that_are_shipped_for_pre_commit_are_there_and_run(tmp_path: Path) -> None:
    shipped = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in shipped] == ["foureyes-prepare-commit-msg", "foureyes-post-commit"]
    repo = make_repo(tmp_path / "repo")
    for hook in shipped:
        script, event = hook["entry"].split()
        assert hook["stages"] == [event]
        assert os.access(CHECKOUT / script, os.X_OK)
        assert run([CHECKOUT / script, event, "M"], repo).stderr == b""
    install(repo)
    oid = head(repo)
    (repo / ".git" / "hooks" / "post-commit").unlink()
    run([CHECKOUT / "hooks/pre_commit.sh", "post-commit"], repo)
    assert len(lines(repo, oid)) == 1


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(p.relative_to(folder)): (p.stat().st_mode, p.read_bytes())
        for p in folder.rglob("*")
        if p.is_file()
    }


def _newer_git_on_path() -> bool:
    words = run(["git", "version"], CHECKOUT).stdout.decode().split()[2].split(".")
    return (int(words[0]), int(words[1])) >= (2, 54)


def tool(name: str) -> pytest.MarkDecorator:
    """The real one, from its registry."""
    missing = shutil.which(name) is None and os.environ.get("FOUREYES_TEST_MANAGERS") != "1"
    return pytest.mark.skipif(missing, reason=f"{name} is not on PATH: make test-managers")


Set = Callable[[Path], None]


def _husky(repo: Path) -> None:
    write(repo, {"package.json": "{}\n"})
    run(["husky"], repo)
    if not (repo / ".husky" / "post-commit").exists():
        write(repo, {".husky/post-commit": "touch 'theirs ran'\n"})


def _lefthook(repo: Path) -> None:
    if not (repo / "lefthook.yml").exists():
        write(
            repo, {"lefthook.yml": "post-commit:\n  commands:\n    theirs:\n      run: touch 'theirs ran'\n"}
        )
    run(["lefthook", "install"], repo)


_LOCAL = {
    "repos": [
        {
            "repo": "local",
            "hooks": [
                {
                    "id": "theirs",
                    "name": "theirs",
                    "entry": "touch 'theirs ran'",
                    "language": "system",
                    "stages": ["post-commit"],
                    "always_run": True,
                }
            ],
        }
    ]
}


def _pre_commit_like(program: str) -> Set:
    def set_up(repo: Path) -> None:
        if not (repo / ".pre-commit-config.yaml").exists():
            write(repo, {".pre-commit-config.yaml": yaml.safe_dump(_LOCAL)})
        git(repo, "add", ".pre-commit-config.yaml")
        run([program, "install", "-t", "prepare-commit-msg", "-t", "post-commit"], repo)

    return set_up


REAL = [
    pytest.param(_husky, id="husky", marks=tool("husky")),
    pytest.param(_lefthook, id="lefthook", marks=tool("lefthook")),
    pytest.param(_pre_commit_like("pre-commit"), id="pre-commit", marks=tool("pre-commit")),
    pytest.param(_pre_commit_like("prek"), id="prek", marks=tool("prek")),
]


@pytest.mark.parametrize("set_up", REAL)
@pytest.mark.parametrize("order", ["to", "ot", "tot", "oto", "otot"])
def test_the_real_tool_and_ours_both_run_in_any_order(set_up: Set, order: str, tmp_path: Path) -> None:
    """`t`: the tool is installed, `o`: ours, with our lines in its configuration."""
    repo = make_repo(tmp_path / "my dépôt")
    for step in order:
        if step == "t":
            set_up(repo)
        else:
            install(repo, write=True)
    if order == "ot" and set_up is _husky:
        assert install(repo).in_place == ()  # husky took over git's hooks folder; it has to be told
        install(repo, write=True)
    if order == "ot" and set_up is _lefthook:
        # lefthook moved away the hooks that it knows, before our lines were in its configuration.
        install(repo, write=True)
    captured_once(repo)
    assert (repo / "theirs ran").exists()
    assert proof.rehearse(Repo.open(repo), as_agent=True).with_trailers


@pytest.mark.parametrize("set_up", REAL)
def test_records_go_out_at_a_push_beside_the_real_tool(set_up: Set, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    set_up(repo)
    install(repo, login="olga", write=True)
    set_up(repo)
    captured_once(repo)
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(repo, "push", "-q", tmp_path / "remote.git", "main")
    assert "refs/foureyes/b/" in git(tmp_path / "remote.git", "for-each-ref")


@pytest.mark.parametrize("set_up", REAL)
def test_in_a_linked_worktree_beside_the_real_tool(set_up: Set, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    set_up(repo)
    install(repo, write=True)
    git(repo, "add", "-Af")
    git(repo, "commit", "-qm", "share")
    git(repo, "worktree", "add", "-q", "-b", "w", tmp_path / "linked tree")
    captured_once(tmp_path / "linked tree")


@needs_newer_git
@pytest.mark.parametrize("set_up", REAL)
def test_the_real_tool_beside_config_hooks_of_a_newer_git(
    set_up: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_newer_git(tmp_path, monkeypatch)
    repo = make_repo(tmp_path / "repo")
    set_up(repo)
    assert install(repo, write=True).settings.how == "config"
    set_up(repo)
    captured_once(repo)
    assert (repo / "theirs ran").exists()


@pytest.mark.parametrize("program", [pytest.param(p, marks=tool(p)) for p in ("pre-commit", "prek")])
def test_the_shipped_hooks_run_in_the_real_tool(program: str, tmp_path: Path) -> None:
    shipped = make_repo(tmp_path / "shipped")
    (shipped / "hooks").mkdir()
    for name in (".pre-commit-hooks.yaml", "hooks/pre_commit.sh"):
        shutil.copy(CHECKOUT / name, shipped / name)
    commit(shipped, {}, "hooks")
    repo = make_repo(tmp_path / "repo")
    ids = [{"id": "foureyes-prepare-commit-msg"}, {"id": "foureyes-post-commit"}]
    config = {"repos": [{"repo": str(shipped), "rev": head(shipped), "hooks": ids}]}
    write(repo, {".pre-commit-config.yaml": yaml.safe_dump(config)})
    git(repo, "add", "-A")
    install(repo)
    for event in EVENTS:
        (repo / ".git" / "hooks" / event).unlink()
    run([program, "install", "-t", "prepare-commit-msg", "-t", "post-commit"], repo)
    assert set(install_again(repo).in_place) >= {"prepare-commit-msg", "post-commit"}
    for event in EVENTS:
        for file in (repo / ".git" / "hooks").glob(f"{event}*"):
            if hook_files.is_ours(file):
                file.unlink()
    run([program, "install", "-t", "prepare-commit-msg", "-t", "post-commit"], repo)
    captured_once(repo)


def test_every_manager_of_a_project_is_found_by_its_files(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    assert managers.find(Repo.open(repo)) == ()
    write(
        repo,
        {
            ".husky/pre-commit": "x",
            ".lefthook.toml": "",
            ".pre-commit-config.yaml": "repos: []\n",
            "prek.toml": "",
        },
    )
    found = managers.find(Repo.open(repo))
    assert [manager.name for manager in found] == ["husky", "lefthook", "pre-commit", "prek"]
    assert not any(manager.owns_hooks for manager in found)
    git(repo, "config", "core.hooksPath", ".git/hooks")
    assert not any(manager.owns_hooks for manager in managers.find(Repo.open(repo)))
