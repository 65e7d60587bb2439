"""Git's diffs, to the line: against real git, and against counts known from how the files were made."""

from itertools import pairwise

import pytest
from support_git import commit, git, make_repo, run, write

from foureyes.shared.diff import (
    GIT_DIFF_ARGS,
    GIT_PATCH_ARGS,
    GIT_RAW_ARGS,
    DiffError,
    Hunk,
    pair,
    parse_diff,
    parse_patch,
    parse_raw,
    parse_stream,
    with_counts,
)

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ZERO = "0" * 40


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "repo")


def git_bytes(repo, *arguments, stdin=b""):
    return run(["git", *arguments], repo, stdin=stdin).stdout


def diffs(repo, old="HEAD^", new="HEAD"):
    found = parse_diff(git_bytes(repo, "diff-tree", *GIT_DIFF_ARGS, old, new))
    raw = parse_raw(git_bytes(repo, "diff-tree", *GIT_RAW_ARGS, old, new))
    patches = parse_patch(git_bytes(repo, "diff-tree", *GIT_PATCH_ARGS, old, new))
    assert tuple(diff.change for diff in found) == with_counts(raw, patches)
    return {diff.change.path: diff for diff in found}


def change(repo, before, after):
    """What two contents of one file differ by."""
    commit(repo, {"f": before, "other": "x"}, "before")
    commit(repo, {"f": after, "other": "y"}, "after")
    return diffs(repo)["f"]


def test_nothing(repo):
    assert parse_diff(b"") == ()
    assert diffs(repo, "HEAD", "HEAD") == {}


def test_entries_are_exact(repo):
    commit(repo, {"a": "1\n", "gone": "1\n2\n", "x.sh": "1\n"}, "one")
    git(repo, "update-index", "--chmod=+x", "x.sh")
    blobs = [git(repo, "hash-object", "-w", "--stdin", stdin=text) for text in (b"1\n", b"2\n", b"1\n2\n")]
    write(repo, {"a": "2\n", "new": "1\n", "gone": None})
    git(repo, "add", "a", "new", "gone")
    git(repo, "commit", "-qm", "two")
    found = {path: diff.change for path, diff in diffs(repo).items()}
    shown = {
        path: (c.status, c.old_mode, c.new_mode, c.old_blob, c.new_blob, c.added, c.deleted, c.binary)
        for path, c in found.items()
    }
    assert shown == {
        "a": ("M", "100644", "100644", blobs[0], blobs[1], 1, 1, False),
        "gone": ("D", "100644", "000000", blobs[2], ZERO, 0, 2, False),
        "new": ("A", "000000", "100644", ZERO, blobs[0], 1, 0, False),
        "x.sh": ("M", "100644", "100755", blobs[0], blobs[0], 0, 0, False),
    }


def test_28745_deletions_in_340_files_also_where_attributes_hide_them(repo):
    """The incident. `-diff` blinds numstat; it must not blind us."""
    share, rest = divmod(28_745, 340)
    sizes = {f"svc/{at % 17}/f{at}.py": share + (1 if at < rest else 0) for at in range(340)}
    commit(
        repo,
        {
            ".gitattributes": "*.py -diff\n",
            **{name: "".join(f"{name} {n}\n" for n in range(size)) for name, size in sizes.items()},
        },
        "all there",
    )
    commit(repo, dict.fromkeys(sizes), "gone")
    numstat = git(repo, "diff-tree", "-r", "--numstat", "HEAD^", "HEAD")
    assert numstat.splitlines()[0].startswith("-\t-\t")
    found = diffs(repo)
    assert {path: diff.change.deleted for path, diff in found.items()} == sizes
    assert sum(diff.change.deleted for diff in found.values()) == 28_745
    assert {diff.change.status for diff in found.values()} == {"D"}
    assert not any(diff.change.binary or diff.change.added for diff in found.values())


@pytest.mark.parametrize(
    "line",
    [
        "--- a/f",
        "+++ b/f",
        "@@ -1 +1 @@",
        "diff --git a/f b/f",
        "\\ No newline at end of file",
        "index 1..2",
        ":100644",
        "-",
        "+",
        "",
        "\r",
    ],
)
def test_what_a_line_looks_like_never_decides(repo, line):
    before, after = f"1\n{line}\n{line}\nx\n2\n", f"1\n{line}{line}\n{line}!\nx\n{line}\n"
    diff = change(repo, before, after)
    assert_applies(diff.hunks, before.encode(), after.encode())


def assert_applies(hunks, before: bytes, after: bytes) -> None:
    """The hunks, applied by a few lines of their own, give the new content."""
    old, new, at = before.split(b"\n"), [], 0
    for hunk in hunks:
        begin = hunk.old_start - (1 if hunk.old_count else 0)
        new += old[at:begin]
        assert old[begin : begin + hunk.old_count] == list(hunk.removed)
        assert len(new) == hunk.new_start - (1 if hunk.new_count else 0)
        new += hunk.added
        at = begin + hunk.old_count
    assert b"\n".join(new + old[at:]) == after


def test_a_missing_final_newline_is_no_line(repo):
    diff = change(repo, "a\nb", "a\nb\nc")
    assert diff.hunks == (Hunk(2, 1, 2, 2, (b"b",), (b"b", b"c"), removed_open=True, added_open=True),)
    assert (diff.change.added, diff.change.deleted) == (2, 1)
    diff = change(repo, "a\nb", "a\nb\n")
    assert diff.hunks == (Hunk(2, 1, 2, 1, (b"b",), (b"b",), removed_open=True),)


def test_carriage_returns_and_bytes_that_are_no_text(repo):
    diff = change(repo, b"a\r\nb\rc\n", b"a\nb\rc\n\xff\xfe\n")
    assert diff.hunks == (Hunk(1, 1, 1, 1, (b"a\r",), (b"a",)), Hunk(2, 0, 3, 1, (), (b"\xff\xfe",)))


def test_a_nul_byte_makes_a_file_binary_and_its_neighbours_not(repo):
    commit(repo, {"bin": b"a\n\0\n", "text": "a\n", "far": b"\0\na\nb\n"}, "one")
    commit(repo, {"bin": b"a\n\0\0\n", "text": "b\n", "far": b"\0\na\nc\n"}, "two")
    found = {path: (d.change.binary, d.change.added, d.change.deleted) for path, d in diffs(repo).items()}
    assert found["bin"] == (True, 0, 0)
    assert found["text"] == (False, 1, 1)
    assert found["far"] == (False, 1, 1), "the changed lines are text and are counted"


def test_empty_files(repo):
    commit(repo, {"empty": ""}, "one")
    assert diffs(repo)["empty"].hunks == ()
    commit(repo, {"empty": None}, "two")
    assert (diffs(repo)["empty"].change.status, diffs(repo)["empty"].hunks) == ("D", ())


def test_renames_and_copies_are_never_folded_whatever_the_configuration(repo):
    commit(repo, {"infra/a": "1\n2\n3\n"}, "one")
    git(repo, "mv", "infra/a", "docs-a")
    commit(repo, {"copy": "1\n2\n3\n"}, "two")
    for name, value in {
        "diff.renames": "copies", "diff.noprefix": "true", "diff.mnemonicPrefix": "true",
        "diff.interHunkContext": "9", "diff.context": "5", "diff.relative": "true", "color.ui": "always",
        "color.diff": "always", "diff.algorithm": "patience", "diff.external": "false",
        "core.quotePath": "false", "core.abbrev": "4", "diff.submodule": "log", "diff.orderFile": "order",
    }.items():  # fmt: skip
        git(repo, "config", name, value)
    found = {path: (d.change.status, d.change.added, d.change.deleted) for path, d in diffs(repo).items()}
    assert found == {"infra/a": ("D", 0, 3), "docs-a": ("A", 3, 0), "copy": ("A", 3, 0)}


def test_attributes_cannot_change_what_is_seen(repo):
    commit(repo, {"a.txt": "1\n2\n", ".gitattributes": "*.txt diff=evil binary\n"}, "one")
    git(repo, "config", "diff.evil.command", "echo nothing to see #")
    git(repo, "config", "diff.evil.textconv", "echo same #")
    git(repo, "config", "diff.evil.binary", "true")
    commit(repo, {"a.txt": "1\n3\n"}, "two")
    assert diffs(repo)["a.txt"].hunks == (Hunk(2, 1, 2, 1, (b"2",), (b"3",)),)


def test_a_type_change_has_both_sides(repo):
    commit(repo, {"f": "1\n2\n", "g": "x\n"}, "one")
    write(repo, {"f": None})
    (repo / "f").symlink_to("g")
    commit(repo, {"g": "y\n"}, "two")
    diff = diffs(repo)["f"]
    assert (diff.change.status, diff.change.old_mode, diff.change.new_mode) == ("T", "100644", "120000")
    assert diff.hunks == (
        Hunk(1, 2, 0, 0, (b"1", b"2"), ()),
        Hunk(0, 0, 1, 1, (), (b"g",), added_open=True),
    )
    assert (diff.change.added, diff.change.deleted) == (1, 2)


def test_a_directory_replaced_by_a_link_shows_both(repo):
    commit(repo, {"infra/a": "1\n", "infra/b": "2\n"}, "one")
    write(repo, {"infra/a": None, "infra/b": None})
    (repo / "infra").rmdir()
    (repo / "infra").symlink_to("docs")
    commit(repo, {}, "two")
    found = {path: (d.change.status, d.change.new_mode) for path, d in diffs(repo).items()}
    assert found == {"infra": ("A", "120000"), "infra/a": ("D", "000000"), "infra/b": ("D", "000000")}


def test_a_submodule_is_seen_even_if_gitmodules_says_to_ignore_it(repo):
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    modules = '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tignore = all\n'
    write(repo, {".gitmodules": modules})
    git(repo, "add", ".gitmodules")
    git(repo, "commit", "-qm", "one")
    git(repo, "update-index", "--cacheinfo", f"160000,{'2' * 40},sub")
    git(repo, "commit", "-qm", "two")
    assert git_bytes(repo, "diff-tree", "-r", "HEAD^", "HEAD") == b""
    diff = diffs(repo)["sub"]
    assert (diff.change.old_blob, diff.change.new_blob) == ("1" * 40, "2" * 40)
    assert (diff.change.status, diff.change.new_mode, diff.change.added) == ("M", "160000", 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"with space", "with space"),
        ("ünï".encode(), "ünï"),
        (b'quo"te', 'quo"te'),
        (b"tab\there", "tab\\x09here"),
        (b"line\nbreak", "line\\x0abreak"),
        (b"back\\slash", "back\\\\slash"),
        (b"not\xffutf8", "not\\xffutf8"),
        (b"@@ -1 +1 @@", "@@ -1 +1 @@"),
        (b":100644", ":100644"),
        (b"-- a", "-- a"),
    ],
)
def test_p22_names(repo, name, text):
    blob = git(repo, "hash-object", "-w", "--stdin", stdin=b"1\n2\n")
    tree = git(repo, "mktree", "-z", stdin=b"100644 blob %b\t%b\0" % (blob.encode(), name))
    found = diffs(repo, EMPTY_TREE, tree)
    assert {path: d.change.added for path, d in found.items()} == {text: 2}


def test_many_commits_in_one_process(repo):
    """Roots, merges and commits without any change need no care."""
    for at in range(4):
        commit(repo, {f"f{at}": f"{at}\n" * (at + 1)}, f"{at}")
    git(repo, "commit", "-q", "--allow-empty", "-m", "nothing")
    trees = [EMPTY_TREE, *git(repo, "log", "--reverse", "--format=%T").splitlines()]
    asked = list(pairwise(trees))
    stdin = "".join(f"{old} {new}\n" for old, new in asked).encode()
    found = list(parse_stream(git_bytes(repo, "diff-tree", "--stdin", *GIT_DIFF_ARGS, stdin=stdin)))
    assert [(old, new) for old, new, _ in found] == asked
    for old, new, several in found:
        assert several == parse_diff(git_bytes(repo, "diff-tree", *GIT_DIFF_ARGS, old, new))
    assert [[d.change.added for d in several] for _, _, several in found] == [[1], [1], [2], [3], [4], []]


def test_bytes_cut_anywhere_are_refused(repo):
    """A process that died in the middle must not look like a smaller change."""
    commit(repo, {"a": "1\n", "b": "1\n2\n"}, "one")
    commit(repo, {"a": "2\n", "b": None}, "two")
    data = git_bytes(repo, "diff-tree", *GIT_DIFF_ARGS, "HEAD^", "HEAD")
    whole = parse_diff(data)
    assert len(whole) == 2
    for length in range(1, len(data)):
        with pytest.raises(DiffError):
            parse_diff(data[:length])


@pytest.mark.parametrize("spoil", [b"x", b"\n", b":", b"diff --git a/x b/x\n"])
def test_more_than_was_asked_for_is_refused(repo, spoil):
    commit(repo, {"a": "1\n"}, "one")
    data = git_bytes(repo, "diff-tree", *GIT_DIFF_ARGS, "HEAD^", "HEAD")
    assert parse_diff(data)
    with pytest.raises(DiffError):
        parse_diff(data + spoil)


def test_other_options_than_ours_are_refused(repo):
    commit(repo, {"a": "1\n2\n3\n4\n"}, "one")
    git(repo, "mv", "a", "b")
    git(repo, "commit", "-qm", "moved")
    for arguments, parse in ((GIT_DIFF_ARGS, parse_diff), (GIT_RAW_ARGS, parse_raw)):
        assert parse(git_bytes(repo, "diff-tree", *arguments, "HEAD^", "HEAD"))
        with pytest.raises(DiffError):
            parse(git_bytes(repo, "diff-tree", *arguments, "-M", "HEAD^", "HEAD"))
    commit(repo, {"b": "1\n2\n!\n4\n"}, "two")
    with pytest.raises(DiffError):
        parse_diff(git_bytes(repo, "diff-tree", *GIT_DIFF_ARGS, "-U1", "HEAD^", "HEAD"))


def test_context_forced_by_the_environment_is_an_error_and_never_miscounted(repo):
    commit(repo, {"a": "1\n2\n3\n4\n"}, "one")
    commit(repo, {"a": "1\n2\n!\n4\n"}, "two")
    data = run(
        ["git", "diff-tree", *GIT_DIFF_ARGS, "HEAD^", "HEAD"], repo, env={"GIT_DIFF_OPTS": "-u2"}
    ).stdout
    with pytest.raises(DiffError):
        parse_diff(data)


def test_an_external_diff_in_the_environment_is_not_run(repo):
    commit(repo, {"a": "1\n"}, "one")
    commit(repo, {"a": "2\n"}, "two")
    evil = {"GIT_EXTERNAL_DIFF": "echo nothing to see #"}
    data = run(["git", "diff-tree", *GIT_DIFF_ARGS, "HEAD^", "HEAD"], repo, env=evil).stdout
    assert [d.change.added for d in parse_diff(data)] == [1]


@pytest.mark.parametrize(
    "data",
    [
        b"diff --git a/f b/f\nindex 1234\n",
        b"diff --git a/f b/f\n@@ -1\n",
        b"diff --git a/f b/f\n@@ -1 +x @@\n",
        b"diff --git a/f b/f\n@@ -1,x +1 @@\n",
        b"diff --git a/f b/f\n@@ -1 +1 &&\n",
        b"diff --git a/f b/f",
        b"Binary files a/f and b/f differ\n",
    ],
)
def test_what_is_no_patch_is_refused(data):
    with pytest.raises(DiffError):
        parse_patch(data)


@pytest.mark.parametrize("data", [b"x\n", b"a b c\n", b"a b"])
def test_what_is_no_stream_is_refused(data):
    with pytest.raises(DiffError):
        list(parse_stream(data))


def test_a_patch_is_paired_by_blob_and_never_guessed(repo):
    commit(repo, {"a": "1\n", "b": "2\n"}, "one")
    data = git_bytes(repo, "diff-tree", *GIT_PATCH_ARGS, "HEAD^", "HEAD")
    raw = parse_raw(git_bytes(repo, "diff-tree", *GIT_RAW_ARGS, "HEAD^", "HEAD"))
    patches = parse_patch(data)
    assert len(pair(raw, patches)) == 2
    for wrong in (patches[::-1], patches[:1], patches + patches[:1]):
        with pytest.raises(DiffError):
            pair(raw, wrong)


def test_sha256_repositories(tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "--object-format=sha256")
    commit(repo, {"a": "1\n"}, "one")
    commit(repo, {"a": "2\n"}, "two")
    [diff] = diffs(repo).values()
    assert len(diff.change.old_blob) == 64
    assert (diff.change.added, diff.change.deleted) == (1, 1)
