"""Histories that were made to break readers, and repositories that hold only part of one."""

from pathlib import Path

import pytest
from support_git import commit, git, make_repo, run
from support_made_history import PERSON, Made, make_history

from foureyes.hooks.scan_json import as_json
from foureyes.hooks.scan_reading import Asked, scan
from foureyes.shared.errors import UserError

CLAUDE = b"\n\nCo-authored-by: Claude <noreply@anthropic.com>"


def told(path: Path, **asked: object) -> dict:
    return as_json(scan(Asked(path, **asked)))  # type: ignore[arg-type]


def ai(report: dict) -> dict[str, int]:
    return report["classes"]["ai (claimed)"]


def test_messages_and_names_of_any_bytes(tmp_path: Path):
    made = [
        Made(b""),
        Made(b"\n\n\n"),
        Made(b"\xff\xfe\x80" + CLAUDE, author=b"\xe9\xff <\xff@example.com>"),
        Made(b"a" * 10_000_000 + CLAUDE),
        Made(b"line\n" * 100_000 + b"\nGenerated with [Codex](x)"),
        Made(b"\x1b[31mred\x07\r\n\r\nCo-authored-by: Cursor <cursoragent@cursor.com>\r\n"),
        Made(b"\xe2\x80\xae\xf0\x9f\x91\x80" + CLAUDE),
    ]
    make_history(tmp_path / "repo", made)
    report = told(tmp_path / "repo", people=True)
    assert report["commits"] == len(made)
    assert {one["id"]: one["commits"] for one in report["agents"]} == {
        "claude-code": 3,
        "codex-cli": 1,
        "cursor": 1,
    }


def test_a_message_in_another_encoding_is_read(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    message = "Größe\n\nCo-authored-by: Jürgen <noreply@anthropic.com>\n".encode("latin-1")
    git(repo, "-c", "i18n.commitEncoding=latin1", "commit", "-q", "--allow-empty", "-F", "-", stdin=message)
    report = told(repo, people=True)
    assert ai(report)["commits"] == 1


def test_paths_of_any_bytes_are_counted_and_shown_exactly(tmp_path: Path):
    files = {b"d\xff/a\tb": b"1\n", b'"q\\n/x\\tz"': b"1\n2\n", "ü/é".encode(): b"1\n", b"plain": b"1\n"}
    make_history(tmp_path / "repo", [Made(b"x" + CLAUDE, files=files)])
    report = told(tmp_path / "repo")
    assert ai(report)["added"] == 5
    assert {place["folder"] for place in report["folders"]} == {"d\\xff/", "ü/", "(top level)", "q\\x0a/"}


def test_roots_octopus_merges_and_empty_commits(tmp_path: Path):
    made = [
        Made(b"root one", files={b"a": b"1\n"}),
        Made(b"root two" + CLAUDE, files={b"b": b"1\n2\n"}, parents=()),
        Made(b"side" + CLAUDE, files={b"c": b"1\n"}, parents=(0,)),
        Made(b"octopus" + CLAUDE, parents=(0, 1, 2), files={b"b": b"1\n2\n", b"c": b"1\n"}),
        Made(b"empty" + CLAUDE),
    ]
    make_history(tmp_path / "repo", made)
    report = told(tmp_path / "repo")
    assert report["merge_commits"] == {"all": 1, "naming_agents": 1}
    assert report["commits"] == 4
    assert ai(report) == {"commits": 3, "added": 3, "deleted": 0}


def test_binary_files_links_submodules_and_new_types(tmp_path: Path):
    oid = b"1" * 40
    made = [
        Made(b"one", files={b"bin": b"\0\1\n" * 9, b"x": b"1\n2\n", b"e": b""}),
        Made(
            b"two" + CLAUDE,
            files={b"bin": b"\0\2\n", b"x": b"target", b"e": None, b"run": b"1\n"},
            modes={b"x": b"120000", b"run": b"100755"},
        ),
        Made(b"three" + CLAUDE, files={b"run": b"1\n"}),
    ]
    make_history(tmp_path / "repo", made)
    repo = tmp_path / "repo"
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{oid.decode()},sub")
    git(repo, "commit", "-q", "-m", "four" + CLAUDE.decode())
    report = told(repo)
    plain = [line.split("\t") for line in git(repo, "log", "--numstat", "--format=", "HEAD~3..").split("\n")]
    assert ai(report)["added"] == sum(int(n[0]) for n in plain if n[0] != "-")
    assert ai(report)["deleted"] == sum(int(n[1]) for n in plain if n[0] != "-")
    assert any("1 change to binary files" in note for note in report["notes"])
    (deletion,) = [found for found in report["largest_deletions"] if found["files"]]
    assert deletion["files"] == 1


def test_no_setting_of_the_repository_hides_lines_or_starts_programs(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    commit(repo, {"a.lock": "1\n2\n3\n", ".gitattributes": "* -diff\n"}, "two" + CLAUDE.decode())
    (repo / ".git" / "info" / "attributes").write_text("*.lock binary diff=evil\n")
    (repo / ".mailmap").write_text("Claude <noreply@anthropic.com> Test Person <person@example.com>\n")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\ncat\n")
    evil.chmod(0o755)
    for name, value in {
        "diff.external": str(evil),
        "diff.evil.textconv": str(evil),
        "diff.evil.command": str(evil),
        "core.fsmonitor": str(evil),
        "core.pager": str(evil),
        "log.showSignature": "true",
        "gpg.program": str(evil),
        "log.mailmap": "true",
        "diff.renames": "copies",
        "diff.ignoreSubmodules": "all",
        "format.pretty": "oneline",
        "log.diffMerges": "separate",
        "core.attributesFile": str(tmp_path / "attributes"),
    }.items():
        git(repo, "config", name, value)
    (tmp_path / "attributes").write_text("* -diff\n")
    report = told(repo)
    assert ai(report) == {"commits": 1, "added": 4, "deleted": 0}
    assert report["agents"][0]["known_by"] == {"trailer": 1}
    assert not (tmp_path / "ran").exists()


def test_the_environment_of_a_hook_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repo = make_repo(tmp_path / "repo")
    other = make_repo(tmp_path / "other")
    commit(repo, {"a": "1\n"}, "two" + CLAUDE.decode())
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u7")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.renames")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "copies")
    monkeypatch.chdir(other)
    assert ai(told(repo))["added"] == 1


def test_replace_refs_and_grafts_are_passed_over_and_told(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    hidden = commit(repo, {"a": "1\n"}, "two" + CLAUDE.decode())
    tip = commit(repo, {"b": "1\n"}, "three")
    git(repo, "replace", "--graft", tip, git(repo, "rev-parse", f"{hidden}~"))
    report = told(repo)
    assert (report["commits"], ai(report)["commits"]) == (3, 1)
    assert any("Grafts and replace refs" in note for note in report["notes"])
    git(repo, "replace", "-d", tip)
    assert told(repo)["notes"] == []
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "grafts").write_text(f"{tip}\n")
    report = told(repo)
    assert report["commits"] == 3
    assert any("Grafts and replace refs" in note for note in report["notes"])


def upstream(tmp_path: Path) -> Path:
    path = tmp_path / "upstream"
    made = [
        Made(b"c%d" % n + (CLAUDE if n % 2 else b""), files={b"src/f%d" % n: b"1\n2\n", b"same": b"%d\n" % n})
        for n in range(6)
    ]
    make_history(path, made)
    git(path, "config", "uploadpack.allowFilter", "true")
    return path


def test_a_shallow_clone_does_not_take_its_edge_for_a_first_commit(tmp_path: Path):
    source = upstream(tmp_path)
    git(tmp_path, "clone", "-q", "--depth=3", f"file://{source}", "clone")
    report = told(tmp_path / "clone")
    assert report["commits"] == 3
    # c3 (an agent's) is the edge: what it changed is not known. c5 is whole.
    assert ai(report) == {"commits": 2, "added": 3, "deleted": 1}
    (note,) = report["notes"]
    assert "shallow clone" in note
    assert "1 commit at its edge" in note
    assert [found["commit"] for found in report["largest_deletions"]] == [git(source, "rev-parse", "HEAD")]


@pytest.mark.parametrize(
    ("filter", "words", "places"), [("blob:none", "lines", 3), ("tree:0", "lines and paths", 0)]
)
def test_a_partial_clone_is_read_as_deep_as_it_goes_and_fetches_nothing(
    filter: str, words: str, places: int, tmp_path: Path
):
    source = upstream(tmp_path)
    git(tmp_path, "clone", "-q", "--no-checkout", f"--filter={filter}", f"file://{source}", "clone")
    source.rename(tmp_path / "gone")  # a fetch would fail now
    clone = tmp_path / "clone"
    before = sorted(str(path) for path in (clone / ".git" / "objects").rglob("*"))
    report = told(clone)
    assert report["commits"] == 6
    assert ai(report) == {"commits": 3, "added": None, "deleted": None}
    assert sum(place["commits"] for place in report["folders"] if place["folder"] == "src/") == places
    assert [note for note in report["notes"] if f"A partial clone: {words} are not counted" in note]
    assert sorted(str(path) for path in (clone / ".git" / "objects").rglob("*")) == before


def test_a_missing_object_takes_the_lines_away_and_is_told(tmp_path: Path):
    source = upstream(tmp_path)
    first = git(source, "rev-parse", "HEAD~3:same")
    (source / ".git" / "objects" / first[:2] / first[2:]).unlink()
    report = told(source)
    assert (report["commits"], ai(report)) == (6, {"commits": 3, "added": None, "deleted": None})
    assert any("Objects are missing here, so lines are not counted" in note for note in report["notes"])
    root = git(source, "rev-parse", "HEAD~3")
    (source / ".git" / "objects" / root[:2] / root[2:]).unlink()
    with pytest.raises(UserError) as caught:
        told(source)
    assert "could not be read to its end" in caught.value.what


def test_an_empty_repository_has_nothing_to_look_at(tmp_path: Path):
    repo = make_repo(tmp_path / "repo", first_commit=False)
    report = told(repo)
    assert (report["commits"], report["months"], report["merges"]) == (0, [], None)
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    assert told(tmp_path / "bare.git")["repository"] == "bare"


def test_bare_repositories_worktrees_and_folders_below(tmp_path: Path):
    source = upstream(tmp_path)
    git(tmp_path, "clone", "-q", "--bare", str(source), "bare.git")
    git(source, "worktree", "add", "-q", "../tree", "HEAD~1")
    whole = ai(told(source))
    assert whole == {"commits": 3, "added": 9, "deleted": 3}
    assert ai(told(tmp_path / "bare.git")) == whole
    assert ai(told(source / "src")) == whole
    report = told(tmp_path / "tree")
    assert ai(report)["commits"] == 2
    assert report["branch"].startswith("detached at ")
    assert report["repository"] == "tree"


def test_objects_borrowed_from_another_repository_are_read(tmp_path: Path):
    source = upstream(tmp_path)
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(source), "borrows")
    assert ai(told(tmp_path / "borrows"))["added"] == 9


def test_sha_256(tmp_path: Path):
    made = [Made(b"one"), Made(b"two" + CLAUDE, files={b"a": b"1\n"})]
    ids = make_history(tmp_path / "repo", made, "--object-format=sha256")
    report = told(tmp_path / "repo")
    assert len(report["tip"]) == 64
    assert report["tip"] == ids[1]
    assert ai(report) == {"commits": 1, "added": 1, "deleted": 0}


@pytest.mark.parametrize("when", [1, 2**31 + 5, 32_503_680_000, 999_999_999_999])
def test_dates_that_nobody_believes_leave_the_figures_whole(when: int, tmp_path: Path):
    made = [Made(b"one" + CLAUDE, at=1_600_000_000), Made(b"two" + CLAUDE, files={b"a": b"1\n"}, at=when)]
    make_history(tmp_path / "repo", made)
    report = told(tmp_path / "repo")
    dated = sum(month["ai (claimed)"]["commits"] for month in report["months"])
    assert dated + report["without_date"] == ai(report)["commits"] == 2
    assert len(report["months"]) <= 26


def test_a_commit_without_author_or_time_is_still_a_commit(tmp_path: Path):
    repo = make_repo(tmp_path / "repo")
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    raw = (
        f"tree {tree}\nparent {git(repo, 'rev-parse', 'HEAD')}\nauthor\ncommitter x\n\nodd".encode() + CLAUDE
    )
    oid = run(
        ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"], repo, stdin=raw
    ).stdout.decode()
    git(repo, "update-ref", "HEAD", oid.strip())
    report = told(repo)
    assert (report["commits"], ai(report)["commits"]) == (2, 1)


def test_a_very_wide_commit(tmp_path: Path):
    files: dict[bytes, bytes | None] = {b"d%d/f%d" % (n % 50, n): b"%d\n" % n for n in range(20_000)}
    gone: dict[bytes, bytes | None] = dict.fromkeys(files)
    make_history(tmp_path / "repo", [Made(b"in", PERSON, files=files), Made(b"out" + CLAUDE, files=gone)])
    report = told(tmp_path / "repo")
    assert ai(report) == {"commits": 1, "added": 0, "deleted": 20_000}
    assert report["largest_deletions"][0]["files"] == 20_000
