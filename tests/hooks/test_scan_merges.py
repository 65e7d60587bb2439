"""The last merges: how each landed, which commits it brought, and whether it would have waited for two humans."""

from pathlib import Path

import pytest
from support_git import commit, git, head, make_repo
from support_made_history import Made, make_history

from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_merges import LAST
from foureyes.hooks.scan_reading import Asked, scan
from foureyes.shared.errors import UserError

POLICY = "version: 1\nroster: ['@acme/all']\nprotected: ['infra/**']\n"
CLAUDE = "\n\nCo-authored-by: Claude <noreply@anthropic.com>"


def merges(repo: Path, **asked: object) -> dict:
    return as_json(scan(Asked(repo, **asked)))["merges"]  # type: ignore[arg-type]


def shop(tmp_path: Path, policy: str = POLICY) -> Path:
    repo = make_repo(tmp_path / "shop")
    commit(repo, {".github/foureyes.yml": policy}, "policy")
    return repo


def branch(repo: Path, name: str, files: dict[str, str], *messages: str) -> None:
    """Merge a branch with one commit for each message; all of them touch the files."""
    git(repo, "switch", "-q", "-c", name)
    for number, message in enumerate(messages):
        commit(repo, {path: f"{content}{number}\n" for path, content in files.items()}, message)
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", f"Merge pull request #{number} from acme/{name}", name)


def test_each_merge_is_judged_by_its_own_commits_and_paths(tmp_path: Path):
    repo = shop(tmp_path)
    branch(repo, "agents", {"infra/a": "1"}, "one", "two" + CLAUDE)
    branch(repo, "persons", {"infra/b": "1"}, "three")
    branch(repo, "elsewhere", {"src/c": "1"}, "four" + CLAUDE)
    commit(repo, {"infra/d": "1\n"}, "squashed (#9)" + CLAUDE)
    commit(repo, {"docs/e": "1\n"}, "squashed (#10)")
    commit(repo, {"infra/f": "1\n"}, "pushed straight to the branch" + CLAUDE)
    assert merges(repo) == {
        "looked_at": 5,
        "how": {"merge commit": 3, "squash": 2},
        "naming_agents": 3,
        "would_wait_for_two": 3,
        "would_wait_for_one": 0,
        "reasons": {"an agent is named": 2, "no record": 1},
        "systems": {"protected": 3},
    }


def test_a_pull_request_that_landed_commit_by_commit_is_one_merge(tmp_path: Path):
    repo = shop(tmp_path)
    url = "\n\nPR-URL: https://github.com/acme/shop/pull/"
    commit(repo, {"infra/a": "1\n"}, "one" + url + "5")
    commit(repo, {"docs/a": "1\n"}, "two" + url + "5" + CLAUDE[1:])
    commit(repo, {"docs/b": "1\n"}, "three" + url + "6")
    found = merges(repo)
    assert (found["looked_at"], found["how"], found["naming_agents"]) == (2, {"by trailer": 2}, 1)
    assert found["reasons"] == {"an agent is named": 1}


def test_commits_that_two_merges_share_belong_to_the_older_one(tmp_path: Path):
    repo = shop(tmp_path)
    git(repo, "switch", "-q", "-c", "long")
    commit(repo, {"src/a": "1\n"}, "agent" + CLAUDE)
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "first", "long")
    git(repo, "switch", "-q", "long")
    commit(repo, {"infra/a": "1\n"}, "person")
    git(repo, "merge", "-q", "-m", "main back into the branch", "main")
    commit(repo, {"infra/b": "1\n"}, "person again")
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "second", "long")
    found = merges(repo)
    assert (found["looked_at"], found["naming_agents"]) == (2, 1)
    assert (found["would_wait_for_two"], found["reasons"]) == (1, {"no record": 1})


def test_an_octopus_brings_in_all_its_branches(tmp_path: Path):
    made = [
        Made(b"root", files={b".github/foureyes.yml": POLICY.encode()}),
        Made(b"side", files={b"infra/a": b"1\n"}, parents=(0,)),
        Made(b"agent" + CLAUDE.encode(), files={b"b": b"1\n"}, parents=(0,)),
        Made(b"octopus", files={b"infra/a": b"1\n", b"b": b"1\n"}, parents=(0, 1, 2)),
    ]
    make_history(tmp_path / "shop", made)
    assert merges(tmp_path / "shop")["reasons"] == {"an agent is named": 1}


def test_what_needs_one_human_is_counted_apart(tmp_path: Path):
    repo = shop(
        tmp_path, "version: 1\nroster: ['@acme/all']\nsystems: {w: {paths: ['watched/**'], tier: 2}}\n"
    )
    branch(repo, "x", {"watched/a": "1"}, "one")
    found = merges(repo)
    assert (found["would_wait_for_two"], found["would_wait_for_one"]) == (0, 1)


def test_no_more_than_the_last_are_looked_at(tmp_path: Path):
    made = [Made(b"root", files={b".github/foureyes.yml": POLICY.encode()})]
    made += [Made(b"old (#%d)" % n, files={b"infra/a": b"%d" % n}) for n in range(30)]
    made += [Made(b"new (#%d)" % n, files={b"docs/a": b"%d" % n}) for n in range(LAST)]
    make_history(tmp_path / "shop", made)
    found = merges(tmp_path / "shop")
    assert (found["looked_at"], found["would_wait_for_two"]) == (LAST, 0)


def test_since_holds_for_merges_too(tmp_path: Path):
    made = [
        Made(b"root", files={b".github/foureyes.yml": POLICY.encode()}, at=1_500_000_000),
        Made(b"old (#1)", files={b"infra/a": b"1"}, at=1_500_000_100),
        Made(b"new (#2)", files={b"infra/a": b"2"}, at=1_600_000_000),
    ]
    make_history(tmp_path / "shop", made)
    assert merges(tmp_path / "shop", since="2020-01-01")["looked_at"] == 1


def test_another_policy_can_be_tried(tmp_path: Path):
    repo = shop(tmp_path)
    branch(repo, "x", {"src/a": "1"}, "one" + CLAUDE)
    file = tmp_path / "other.yml"
    file.write_text(POLICY.replace("infra", "src"))
    report = as_json(scan(Asked(repo, policy=file)))
    assert report["merges"]["would_wait_for_two"] == 1
    assert report["policy"] == str(file)
    assert report["protected"] == [
        {"system": "protected", "tier": 1, "commits": 1, "added": 1, "deleted": 0, "files_deleted": 0}
    ]
    assert as_json(scan(Asked(repo)))["merges"]["would_wait_for_two"] == 0


def test_a_policy_with_mistakes_is_told_with_their_places(tmp_path: Path):
    repo = shop(tmp_path, "version: 1\nroster: ['@acme/all']\nprotectd: []\n")
    file = tmp_path / "other.yml"
    file.write_text("version: 1\nrooster: []\nprotected: ['a']\n")
    with pytest.raises(UserError) as caught:
        scan(Asked(repo, policy=file))
    assert f"{file}:2:1:" in caught.value.what
    assert caught.value.exit_code == 2
    with pytest.raises(UserError):
        scan(Asked(repo, policy=tmp_path / "missing.yml"))
    report = as_json(scan(Asked(repo)))
    assert report["policy"] is None
    assert any(".github/foureyes.yml was not used: line " in note for note in report["notes"])


def test_without_a_policy_the_folders_that_agents_touched_stand_in_for_it(tmp_path: Path):
    repo = make_repo(tmp_path / "shop")
    branch(repo, "x", {"services/pay/a": "1", "services/pay/deep/b": "1"}, "one" + CLAUDE, "two" + CLAUDE)
    branch(repo, "y", {"docs/a": "1"}, "three" + CLAUDE)
    branch(repo, "z", {"src/a": "1"}, "four")
    report = as_json(scan(Asked(repo)))
    assert report["suggested"] == ["services/pay/**", "docs/**"]
    assert report["merges"]["would_wait_for_two"] == 2


def test_folders_are_suggested_as_patterns_that_mean_them(tmp_path: Path):
    from foureyes.shared.patterns import Patterns

    made = [Made(b"x" + CLAUDE.encode(), files={b"a[1]*/x?/f": b"1\n", b"!odd/f": b"1\n", b"\xff/f": b"1\n"})]
    make_history(tmp_path / "shop", made)
    suggested = as_json(scan(Asked(tmp_path / "shop")))["suggested"]
    assert len(suggested) == 2
    patterns = Patterns.compile(suggested)
    assert patterns.match("a[1]*/x?/f")
    assert patterns.match("!odd/f")
    assert not patterns.match("a1b/xx/f")


def test_a_branch_without_merges_says_so(tmp_path: Path):
    repo = shop(tmp_path)
    commit(repo, {"infra/a": "1\n"}, "straight")
    assert merges(repo)["looked_at"] == 0
    assert head(repo)
