"""Commits of a range and what each touches, read from real histories."""

import pytest
from support_repository import Bare

from foureyes.github_app.mirror import GitError, Mirror
from foureyes.github_app.range import Range, parse_commit, read_range
from foureyes.shared.people import Identity

SAFE = {"infra/a": "v1\n", "docs/x": "1\n"}


def read(mirror: Mirror, base: str, head: str) -> Range:
    mirror.fetch([f"+{oid}:refs/foureyes-mirror/test/{oid}" for oid in (base, head)])
    return read_range(mirror, base, head)


def touched(found: Range) -> set[tuple[str, str]]:
    return {(touch.path, touch.commit) for touch in found.touched}


def test_G62_a_change_that_a_later_commit_takes_back_is_still_touched(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit(SAFE)
    bad = bare.commit({**SAFE, "infra/a": "v2\n"}, base)
    head = bare.commit({**SAFE, "docs/x": "2\n"}, bad)
    found = read(mirror, base, head)
    assert [commit.oid for commit in found.commits] == [head, bad]
    assert touched(found) == {("infra/a", bad), ("infra/a", head), ("docs/x", head)}


def test_identities_come_from_the_raw_object_whatever_a_mailmap_says(bare: Bare, mirror: Mirror) -> None:
    mailmap = "Rita <rita@example.com> Olga <olga@example.com>\n"
    base = bare.commit({**SAFE, ".mailmap": mailmap})
    head = bare.commit(
        {**SAFE, ".mailmap": mailmap, "docs/x": "2\n"},
        base,
        committer=("Ben", "ben@example.com"),
        message="hello\n\nX: y\n",
    )
    (commit,) = read(mirror, base, head).commits
    assert commit.author == Identity("Olga", "olga@example.com")
    assert commit.committer == Identity("Ben", "ben@example.com")
    assert commit.message == "hello\n\nX: y\n"
    assert commit.parents == (base,)


def test_a_clean_merge_is_mechanical_and_touches_nothing(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    feature = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    main = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    head = bare.merge(feature, main)
    found = read(mirror, main, head)
    assert found.mechanical == {head}
    assert touched(found) == {("docs/x", feature)}


def test_an_evil_merge_shows_what_was_put_in_by_hand(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    feature = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    main = bare.commit({**SAFE, "README": "hi\n"}, root)
    evil = bare.commit({"infra/a": "evil\n", "docs/x": "2\n", "README": "hi\n"}, feature, main)
    found = read(mirror, main, evil)
    assert found.mechanical == frozenset()
    assert touched(found) == {("docs/x", feature), ("infra/a", evil)}


def test_a_merge_that_keeps_one_side_shows_what_it_threw_away(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    feature = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    main = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    ours = bare.commit({**SAFE, "docs/x": "2\n"}, feature, main)
    found = read(mirror, main, ours)
    assert ("infra/a", ours) in touched(found)


def test_a_resolved_conflict_shows_the_file_that_was_resolved(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    feature = bare.commit({**SAFE, "infra/a": "mine\n"}, root)
    main = bare.commit({**SAFE, "infra/a": "theirs\n", "README": "hi\n"}, root)
    resolved = bare.commit({**SAFE, "infra/a": "both\n", "README": "hi\n"}, feature, main)
    found = read(mirror, main, resolved)
    assert found.mechanical == frozenset()
    assert touched(found) == {("infra/a", feature), ("infra/a", resolved)}


def test_a_merge_of_three_is_held_against_each_parent(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    parents = [bare.commit({**SAFE, f"docs/{number}": "1\n"}, root) for number in range(3)]
    octopus = bare.commit({**SAFE, **{f"docs/{number}": "1\n" for number in range(3)}}, *parents)
    found = read(mirror, root, octopus)
    assert found.mechanical == frozenset()
    assert {path for path, commit in touched(found) if commit == octopus} == {"docs/0", "docs/1", "docs/2"}


def test_side_branches_are_walked_too(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    feature = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    side = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    head = bare.merge(feature, side)
    assert {commit.oid for commit in read(mirror, root, head).commits} == {head, feature, side}


def test_a_root_commit_touches_all_its_files(bare: Bare, mirror: Mirror) -> None:
    base, stray = bare.commit(SAFE), bare.commit({"infra/b": "x\n"})
    assert touched(read(mirror, base, stray)) == {("infra/b", stray)}


def test_names_with_line_breaks_and_odd_bytes_stay_apart(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit(SAFE)
    head = bare.commit(
        {**SAFE, "infra/new\nline": "1", "infra/\udcff": "2", ":100644 x": "3", "back\\slash": "4"}, base
    )
    paths = {path for path, _commit in touched(read(mirror, base, head))}
    assert paths == {"infra/new\\x0aline", "infra/\\xff", ":100644 x", "back\\\\slash"}


def test_modes_of_a_link_are_kept(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit(SAFE)
    head = bare.commit({"infra": ("120000", bare.blob("docs")), "docs/x": "1\n"}, base)
    found = read(mirror, base, head)
    assert {(t.path, t.old_mode, t.new_mode) for t in found.touched} == {
        ("infra", "000000", "120000"),
        ("infra/a", "100644", "000000"),
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"tree %(t)s\ntree %(t)s\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\nauthor A <a> 1 +0\nauthor B <b> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\ncommitter A <a> 1 +0\n\nx",
        b"tree short\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\nauthor A <a> 1 +0\nparent %(t)s\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\nparent %(t)s\n\nx",
        b"parent %(t)s\ntree %(t)s\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\n more\nparent %(t)s\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"tree %(t)s\ncommitter A <a> 1 +0\nauthor A <a> 1 +0\n\nx",
        b"tree %(t)s\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\nauthor B <b> 1 +0\n\nx",
        b"tree %(t)s\nparent HEAD\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nx",
        b"",
    ],
)
def test_a_commit_that_git_would_not_write_is_not_read(raw: bytes) -> None:
    with pytest.raises(GitError):
        parse_commit("e" * 40, raw.replace(b"%(t)s", b"a" * 40))


def test_parents_are_those_that_git_follows(bare: Bare) -> None:
    """A line further down is none to git, so that what it names would seem to be held where it is not."""
    base = bare.commit(SAFE)
    raw = bare.git("cat-file", "commit", base).replace("\n\n", f"\nparent {base}\n\n", 1)
    odd = bare.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=raw.encode())
    assert bare.git("rev-list", odd) == odd
    with pytest.raises(GitError):
        parse_commit(odd, bare.git("cat-file", "commit", odd).encode())


def test_a_signature_is_not_taken_for_a_header() -> None:
    raw = (
        b"tree " + b"a" * 40 + b"\nauthor A <a@x> 1 +0\ncommitter B <b@x> 1 +0\n"
        b"gpgsig -----BEGIN\n author C <c@x> 1 +0\n -----END\n\nmessage"
    )
    commit = parse_commit("e" * 40, raw)
    assert commit.parents == ()
    assert (commit.author, commit.committer) == (Identity("A", "a@x"), Identity("B", "b@x"))
