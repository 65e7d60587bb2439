"""`foureyes check`: what a change will need, told from what is known on this machine and no more."""

import json
from pathlib import Path
from typing import Any

import pytest
from support_agent import CLAUDE_ENV
from support_git import HOOKS_OFF, commit, foureyes, git, head
from support_hooked import copy_hooked, copy_with_remote, made_once, make_remote
from support_in_process import ended as in_process
from support_keys import home, make_key

POLICY = """\
version: 1
roster: ["@ana", "@raj", "@olga"]
systems:
  payments: {paths: ["pay/**"], tier: 0, owners: ["@ana", "@raj"]}
  infra: {paths: ["infra/**"], tier: 1}
"""
TEAM = POLICY.replace('["@ana", "@raj", "@olga"]', '["@acme/engineers"]')
ALONE = POLICY.replace('["@ana", "@raj", "@olga"]', '["@ana", "@olga"]')


def on_a_branch(folder: Path) -> Path:
    repo = copy_hooked(folder / "repo")
    commit(repo, {".github/foureyes.yml": POLICY, "infra/a": "1\n"}, "policy")
    make_remote(repo, folder / "remote.git")
    git(repo, "remote", "set-head", "origin", "main")
    git(repo, "checkout", "-q", "-b", "work")
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return copy_with_remote(made_once(on_a_branch), tmp_path)


def ended(repo: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    return in_process(repo, "check", *arguments, env=env)


def test_it_is_a_command(repo: Path) -> None:
    by_agent(repo, {"docs/a": "2\n"})
    assert foureyes(repo, "check").startswith("Passed: no protected path is touched")


def told(repo: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, err = ended(repo, *arguments, "--json")
    assert err == "" or status == 1, err
    return status, json.loads(out or "{}")


def by_agent(repo: Path, files: dict[str, str | None], *arguments: str) -> str:
    return commit(repo, files, "change", *arguments, env=CLAUDE_ENV)


def test_an_agents_change_to_a_protected_path_waits_for_two_others(repo: Path) -> None:
    make_key(home() / ".ssh" / "id_ed25519")
    by_agent(repo, {"infra/a": "2\n"})
    status, out, err = ended(repo)
    assert (status, err) == (3, "")
    lines = out.splitlines()
    assert lines[0] == "Waiting: 0 of 2 humans. Next: @ana or @raj"
    assert "@olga ran Claude Code for its only commit" in out
    assert "infra (1 file, tier 1: infra/a)" in out
    assert "whether GitHub publishes your key" in lines[-1]
    status, answer = told(repo)
    assert (status, answer["outcome"], answer["conclusion"]) == (3, "wait", None)
    assert (answer["data"]["class"], answer["data"]["can_finish"]) == ("ai", ["ana", "raj"])
    assert answer["asked"]["head"] == head(repo)
    assert answer["policy"] == "origin/main:.github/foureyes.yml"


def test_without_a_key_nothing_is_taken_for_signed(repo: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    status, answer = told(repo)
    assert (status, answer["data"]["class"]) == (3, "unattested")
    assert "not signed" in " ".join(answer["sections"]["No record"])
    assert "olga" in [one["login"] for one in answer["data"]["excluded"]]


def test_a_commit_without_hooks_has_no_record_and_two_humans(repo: Path) -> None:
    make_key(home() / ".ssh" / "id_ed25519")
    git(repo, "checkout", "-q", "main")
    (repo / "infra/a").write_text("3\n")
    git(repo, "checkout", "-q", "-b", "quiet")
    git(repo, *HOOKS_OFF, "commit", "-qam", "by hand")
    status, answer = told(repo)
    assert (status, answer["data"]["needed"]) == (3, 2)


def test_a_person_alone_is_told_what_a_touched_key_would_change(repo: Path) -> None:
    make_key(home() / ".ssh" / "id_ed25519")
    commit(repo, {"infra/a": "2\n"}, "by hand")
    status, answer = told(repo)
    assert (status, answer["data"]["needed"]) == (3, 2)
    assert "older than 7 days" in " ".join(answer["sections"]["Not known here"])


def test_nothing_protected_ends_with_0(repo: Path) -> None:
    by_agent(repo, {"docs/a": "2\n"})
    status, answer = told(repo)
    assert (status, answer["outcome"]) == (0, "pass")
    assert ended(repo)[1].startswith("Passed: no protected path is touched\n")


def test_what_a_mass_deletion_destroys_is_told_as_the_check_does(repo: Path) -> None:
    git(repo, "checkout", "-q", "main")
    old: dict[str, str | None] = {f"infra/old/{n}": "line\n" for n in range(11)}
    commit(repo, {**old, "infra/old/kept": "line\n"}, "to be deleted")
    git(repo, "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "-b", "gone")
    by_agent(repo, dict.fromkeys(old))
    said = "11 lines and 11 whole files (91 % of infra/old/); adds 0 lines."
    assert f"Destroys: {said}" in ended(repo)[1]
    assert told(repo)[1]["sections"]["Destroys"][0].startswith(said)


def test_a_path_that_a_later_commit_takes_back_is_protected_all_the_same(repo: Path) -> None:
    by_agent(repo, {"infra/new": "2\n"})
    by_agent(repo, {"infra/new": None, "docs/x": "1\n"})
    assert told(repo)[0] == 3


def test_G47_a_roster_of_names_that_cannot_do_it_is_blocked_and_a_team_is_not(
    repo: Path, tmp_path: Path
) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    (tmp_path / "alone.yml").write_text(ALONE)
    status, out, _ = ended(repo, "--policy", str(tmp_path / "alone.yml"))
    assert (status, out.splitlines()[0]) == (4, "Blocked: not enough eligible reviewers")
    (tmp_path / "team.yml").write_text(TEAM)
    status, out, _ = ended(repo, "--policy", str(tmp_path / "team.yml"))
    assert (status, out.splitlines()[0]) == (3, "Waiting: 0 of 2 humans. Next: @acme/engineers")
    assert "Not known here: who is in @acme/engineers" in out


def test_a_conflict_with_the_branch_it_goes_to_is_blocked(repo: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"infra/a": "3\n"}, "other")
    git(repo, "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "work")
    status, out, _ = ended(repo)
    assert status == 4
    assert "conflicts with main" in out.splitlines()[0]


def test_what_the_branch_itself_did_meanwhile_is_not_this_change(repo: Path) -> None:
    by_agent(repo, {"docs/a": "2\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"infra/a": "3\n"}, "other")
    git(repo, "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "work")
    assert told(repo)[0] == 0
    git(repo, "merge", "-q", "--no-edit", "origin/main")
    status, answer = told(repo)
    assert status == 0
    assert "merge that git made by itself" in " ".join(answer["details"]["Commits"])


def test_a_merge_with_something_in_it_is_looked_at(repo: Path) -> None:
    by_agent(repo, {"docs/a": "2\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"docs/b": "3\n"}, "other")
    git(repo, "push", "-q", "origin", "main")
    git(repo, "checkout", "-q", "work")
    git(repo, "merge", "-q", "--no-commit", "origin/main")
    commit(repo, {"infra/hidden": "x\n"}, "merge")
    assert told(repo)[0] == 3


def test_addresses_and_co_authors_are_not_guessed_to_be_anyone(repo: Path) -> None:
    message = "x\n\nCo-authored-by: Rita <rita@acme.example>\nCo-authored-by: Claude <noreply@anthropic.com>"
    commit(repo, {"infra/a": "2\n"}, message, "--author=Raj <77+raj@users.noreply.github.com>")
    status, answer = told(repo)
    assert (status, answer["data"]["needed"]) == (4, 2)
    assert answer["data"]["can_finish"] == ["ana"]
    assert "`rita@acme.example`".strip("`") in " ".join(answer["sections"]["Not known here"])
    assert "noreply@anthropic.com" not in " ".join(answer["sections"]["Not known here"])


def test_ranges_are_gits(repo: Path) -> None:
    first = by_agent(repo, {"docs/a": "1\n"})
    second = by_agent(repo, {"infra/a": "2\n"})
    assert told(repo, first)[0] == 0
    assert told(repo, f"{first}..{second}")[0] == 3
    assert told(repo, f"main..{first}")[0] == 0
    assert told(repo, f"main...{second}")[0] == 3
    status, answer = told(repo, f"{second}..{first}")
    assert (status, answer["title"][:17]) == (0, "nothing to check:")
    assert set(answer) == set(told(repo, second)[1]), "the same keys as always"
    status, _, err = ended(repo, "no-such-thing")
    assert status == 2
    assert "there is no commit `no-such-thing` here" in err


def test_a_shallow_clone_does_not_know_that_nothing_is_shared(repo: Path, tmp_path: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    git(repo, "push", "-q", "origin", "work")
    address = f"file://{git(repo, 'remote', 'get-url', 'origin')}"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", address, "shallow")
    shallow = tmp_path / "shallow"
    git(shallow, "checkout", "-q", "work")
    status, _, err = ended(shallow, "--login", "olga")
    assert status == 1
    assert "git fetch --unshallow" in err
    git(shallow, "fetch", "-q", "--unshallow")
    assert ended(shallow, "--login", "olga")[0] == 3


def test_a_branch_that_is_not_gated_waits_for_nobody(repo: Path) -> None:
    git(repo, "push", "-q", "origin", "main:side")
    by_agent(repo, {"infra/a": "2\n"})
    status, out, _ = ended(repo, "--into", "side")
    assert (status, out) == (
        0,
        "`side` is not gated by origin/main:.github/foureyes.yml: nobody waits there.\n",
    )
    assert ended(repo, "--into", "main")[0] == 3
    assert ended(repo, "--into", "none")[0] == 2
    assert ended(repo, "--remote", "none")[0] == 2


def test_no_policy_a_bad_one_and_no_remote_are_errors_with_what_to_do(repo: Path, tmp_path: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    (tmp_path / "bad.yml").write_text("version: 2\n")
    status, _, err = ended(repo, "--policy", str(tmp_path / "bad.yml"))
    assert status == 1
    assert "bad.yml:1:10: error: the version must be 1" in err
    alone = copy_hooked(tmp_path / "alone")
    status, _, err = ended(alone)
    assert status == 1
    assert "--into" in err
    (tmp_path / "good.yml").write_text(POLICY)
    git(alone, "checkout", "-q", "-b", "work")
    by_agent(alone, {"infra/a": "2\n"})
    assert ended(alone, "--into", "main", "--policy", str(tmp_path / "good.yml"))[0] == 3
    git(alone, "checkout", "-q", "main")  # what a newer git takes for the remote's default branch
    make_remote(alone, tmp_path / "alone.git")
    git(alone, "checkout", "-q", "work")
    status, _, err = ended(alone)
    assert status == 1
    assert "there is no policy on origin/main" in err


def test_who_you_are_is_asked_for_where_nothing_tells(repo: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    git(repo, "config", "--unset-all", "foureyes.login")
    status, _, err = ended(repo, env={"PATH": "/usr/bin:/bin"})
    assert status == 1
    assert "--login NAME" in err
    status, out, _ = ended(repo, "--login", "ana")
    assert status == 3
    assert out.splitlines()[0] == "Waiting: 0 of 2 humans. Next: @olga or @raj"


def test_observe_is_said(repo: Path, tmp_path: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    (tmp_path / "observe.yml").write_text(f"mode: observe\n{POLICY}")
    status, out, _ = ended(repo, "--policy", str(tmp_path / "observe.yml"))
    assert status == 3
    assert "nothing will wait: the policy's mode is observe" in out


def test_nothing_here_is_changed_by_looking(repo: Path) -> None:
    by_agent(repo, {"infra/a": "2\n"})
    before = git(repo, "for-each-ref"), git(repo, "status", "--porcelain")
    ended(repo)
    assert (git(repo, "for-each-ref"), git(repo, "status", "--porcelain")) == before


def test_what_others_pushed_is_told_as_far_as_its_records_are_in_sight(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", tmp_path / "remote.git", other)
    git(other, "checkout", "-q", "-b", "work")
    theirs = commit(other, {"infra/a": "9\n"}, "theirs", "--author=Kim <kim@acme.example>")
    git(other, "push", "-q", "origin", "work")
    git(repo, "fetch", "-q")
    git(repo, "reset", "-q", "--hard", "origin/work")
    status, answer = told(repo)
    assert (status, answer["data"]["class"]) == (3, "unattested")
    unknown = " ".join(answer["sections"]["Not known here"])
    assert "what signed records say of 1 commit that others pushed" in unknown
    assert "kim@acme.example" in unknown
    assert theirs[:7] in " ".join(answer["sections"]["No record"])
