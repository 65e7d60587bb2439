"""The one line at a push: told only when somebody has to wait, and never in the push's way."""

import sys
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV
from support_git import commit, git, head, python_env, run
from support_hooked import copy_hooked, copy_with_remote, made_once, make_remote, push, records
from support_in_process import said_at_push

POLICY = """\
version: 1
roster: ["@ana", "@raj", "@olga"]
systems:
  payments: {paths: ["pay/**"], tier: 0, owners: ["@ana", "@raj"]}
  infra: {paths: ["infra/**"], tier: 1}
  style: {paths: ["style/**"], tier: 2}
  notes: {paths: ["notes/**"], tier: 3}
"""


def on_a_branch(folder: Path) -> Path:
    repo = copy_hooked(folder / "repo")
    commit(repo, {".github/foureyes.yml": POLICY}, "policy")
    make_remote(repo, folder / "remote.git")
    git(repo, "remote", "set-head", "origin", "main")
    git(repo, "checkout", "-q", "-b", "work")
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_with_remote(made_once(on_a_branch), tmp_path)


def said(repo: Path, files: dict[str, str | None], branch: str = "work", *, agent: bool = True) -> str:
    commit(repo, files, "change", env=CLAUDE_ENV if agent else {})
    return said_at_push(repo, branch, "origin", git(repo, "remote", "get-url", "origin"))


def test_a_protected_path_is_one_line_with_who_can_finish(repo: Path) -> None:
    commit(repo, {"pay/x": "1\n"}, "change", env=CLAUDE_ENV)
    assert push(repo, "origin", "HEAD:refs/heads/work") == (
        "foureyes: touches payments (tier 0): 2 humans needed, not you; can finish: @ana @raj\n"
    )
    assert set(records(repo.parent / "remote.git", "work")) == {head(repo)}


def test_several_systems_are_named_strictest_first(repo: Path) -> None:
    line = said(repo, {"infra/x": "1\n", "pay/x": "1\n"})
    assert line.startswith("foureyes: touches payments (tier 0) and infra (tier 1): 2 humans needed")


def test_what_a_later_commit_takes_back_is_still_touched(repo: Path) -> None:
    commit(repo, {"infra/x": "1\n"}, "in", env=CLAUDE_ENV)
    assert "touches infra (tier 1)" in said(repo, {"infra/x": None, "other": "x\n"})


def test_what_protects_the_gate_itself_needs_no_line_in_the_policy(repo: Path) -> None:
    assert "touches the gate itself (tier 0)" in said(repo, {".github/workflows/x.yml": "on: push\n"})


@pytest.mark.parametrize("path", ["docs/x", "notes/x"])
def test_nothing_is_said_where_nobody_waits(repo: Path, path: str) -> None:
    assert said(repo, {path: "1\n"}) == ""


def test_nothing_is_said_in_observe_and_on_a_gated_branch_itself(repo: Path) -> None:
    assert said(repo, {"infra/x": "1\n"}, "main") == ""
    commit(repo, {".github/foureyes.yml": f"mode: observe\n{POLICY}"}, "observe")
    git(repo, "push", "-q", "origin", "HEAD:main")
    git(repo, "fetch", "-q")
    assert said(repo, {"infra/x": "2\n"}) == ""


def test_a_team_is_named_and_its_members_are_not_guessed(repo: Path) -> None:
    policy = POLICY.replace('["@ana", "@raj", "@olga"]', '["@acme/engineers"]').replace("infra:", "machines:")
    commit(repo, {".github/foureyes.yml": policy}, "policy")
    git(repo, "push", "-q", "origin", "HEAD:main")
    git(repo, "fetch", "-q")
    assert said(repo, {"infra/x": "2\n"}).endswith("2 humans needed, not you; can finish: @acme/engineers\n")


def test_a_policy_of_three_lines_names_no_system(repo: Path) -> None:
    policy = 'version: 1\nroster: ["@ana", "@raj", "@olga"]\nprotected: ["infra/**"]\n'
    commit(repo, {".github/foureyes.yml": policy}, "policy")
    git(repo, "push", "-q", "origin", "HEAD:main")
    git(repo, "fetch", "-q")
    assert "touches protected paths (tier 1): 2 humans needed" in said(repo, {"infra/x": "2\n"})


def test_a_stranger_to_the_configuration_is_told_of_nobody(repo: Path) -> None:
    git(repo, "config", "--unset-all", "foureyes.login")
    assert said(repo, {"infra/x": "2\n"}).endswith("touches infra (tier 1): 2 humans needed, not you\n")


@pytest.mark.parametrize(
    "policy", ["version: 7\n", "[", "a\0b", "\udcff", 'version: 1\nroster: ["@a"]\nprotected: ["a**"]\n']
)
def test_a_policy_that_cannot_be_read_is_silence_and_the_push_goes_on(repo: Path, policy: str) -> None:
    (repo / ".github/foureyes.yml").write_bytes(policy.encode("utf-8", "surrogateescape"))
    commit(repo, {}, "broken")
    git(repo, "push", "-q", "origin", "HEAD:main")
    git(repo, "fetch", "-q")
    commit(repo, {"infra/x": "2\n"}, "change", env=CLAUDE_ENV)
    assert push(repo, "origin", "HEAD:refs/heads/work") == ""
    assert git(repo.parent / "remote.git", "rev-parse", "work") == head(repo)


def test_a_push_by_address_and_one_without_a_policy_are_silent(repo: Path, tmp_path: Path) -> None:
    commit(repo, {"infra/x": "1\n"}, "x", env=CLAUDE_ENV)
    assert push(repo, str(repo.parent / "remote.git"), "HEAD:refs/heads/work") == ""
    other = copy_hooked(tmp_path / "other")
    make_remote(other, tmp_path / "other.git")
    git(other, "checkout", "-q", "-b", "work")
    assert said(other, {"infra/x": "1\n"}) == ""


def test_a_branch_with_very_many_commits_of_its_own_is_not_looked_at(repo: Path) -> None:
    stream = "".join(
        f"commit refs/heads/work\ncommitter O <o@x> {n} +0000\ndata 0\n"
        + (f"from {head(repo)}\n" if n == 1 else "")
        + f"M 100644 inline infra/x\ndata 4\n{n:03}\n\n"
        for n in range(1, 202)
    )
    git(repo, "checkout", "-q", "--detach")
    git(repo, "fast-import", "--quiet", stdin=stream.encode())
    assert push(repo, "origin", "work") == ""
    assert "touches infra" in push(repo, "origin", "work~1:refs/heads/other")


def modules_of_a_push(repo: Path, env: dict[str, str]) -> set[str]:
    code = (
        "import sys; from foureyes.hooks.push import main; main(sys.argv[1:]); print('MODULES', *sys.modules)"
    )
    url = git(repo, "remote", "get-url", "origin")
    line = f"refs/heads/work {head(repo)} refs/heads/work {'0' * 40}\n"
    done = run(
        [sys.executable, "-c", code, "origin", url], repo, env={**python_env(), **env}, stdin=line.encode()
    )
    return set(done.stdout.decode().split("MODULES ")[1].split())


def test_only_a_path_that_may_be_protected_costs_more_than_two_git_calls(repo: Path, tmp_path: Path) -> None:
    traced = tmp_path / "trace"
    commit(repo, {"docs/x": "1\n"}, "x", env=CLAUDE_ENV)
    assert "pydantic" not in modules_of_a_push(repo, {"GIT_TRACE": str(traced)})
    ours = [line for line in traced.read_text().splitlines() if "built-in: git" in line]
    assert sum("foureyes.yml" in line or " --raw -z --format= " in line for line in ours) == 1
    commit(repo, {"infra/x": "1\n"}, "x", env=CLAUDE_ENV)
    assert "pydantic" in modules_of_a_push(repo, {})


def test_without_a_policy_one_git_call_is_all(tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    commit(repo, {"infra/x": "1\n"}, "x", env=CLAUDE_ENV)
    modules = modules_of_a_push(repo, {})
    assert not {"yaml", "pydantic", "click"} & modules
