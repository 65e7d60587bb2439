"""The test merge and what it changes, on histories made to fool a reader of diffs."""

import pytest
from support_repository import Bare

from foureyes.github_app.merging import Merged, merge, net, uncounted
from foureyes.github_app.mirror import GitError, Mirror, Trouble
from foureyes.shared.facts import Held, MergeState

SAFE = {"infra/a": "v1\n", "docs/x": "1\n"}


def merged(mirror: Mirror, base: str, head: str, github: str = "") -> Merged:
    mirror.fetch([f"+{oid}:refs/foureyes-mirror/test/{oid}" for oid in (base, head, github) if oid])
    return merge(mirror, base, head, (github,))


def paths(found: Merged) -> dict[str, str]:
    return {change.path: change.status for change in found.changes}


@pytest.mark.parametrize(("old", "new"), [("infra/a", "docs/a"), ("docs/a", "infra/a")])
def test_G25_G26_a_rename_shows_both_paths(bare: Bare, mirror: Mirror, old: str, new: str) -> None:
    base = bare.commit({old: "content\n" * 9, "x": "1"})
    head = bare.commit({new: "content\n" * 9, "x": "1"}, base)
    assert paths(merged(mirror, base, head)) == {old: "D", new: "A"}


def test_G27_a_change_of_mode_alone_is_a_change(bare: Bare, mirror: Mirror) -> None:
    blob = bare.blob("v1\n")
    base = bare.commit({"infra/a": ("100644", blob)})
    head = bare.commit({"infra/a": ("100755", blob)}, base)
    (change,) = merged(mirror, base, head).changes
    assert (change.path, change.old_mode, change.new_mode, change.added) == ("infra/a", "100644", "100755", 0)


def test_G32_every_deleted_line_is_counted_whatever_attributes_say(bare: Bare, mirror: Mirror) -> None:
    hidden = "* -diff\n"
    counts = [84] * 339 + [28_745 - 84 * 339]
    files = {f"infra/{n:03}": "".join(f"{n} {i}\n" for i in range(count)) for n, count in enumerate(counts)}
    base = bare.commit({**files, ".gitattributes": hidden})
    head = bare.commit({".gitattributes": hidden}, base)
    found = merged(mirror, base, head)
    assert len(found.changes) == 340
    assert sum(change.deleted for change in found.changes) == 28_745
    assert {change.status for change in found.changes} == {"D"}


def test_G63_a_directory_that_becomes_a_link_shows_the_link(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit(SAFE)
    head = bare.commit({"infra": ("120000", bare.blob("elsewhere")), "docs/x": "1\n"}, base)
    found = {change.path: (change.old_mode, change.new_mode) for change in merged(mirror, base, head).changes}
    assert found == {"infra": ("000000", "120000"), "infra/a": ("100644", "000000")}


def test_a_submodule_that_is_not_here_is_a_change_like_any(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit(SAFE)
    head = bare.commit({**SAFE, "vendor": ("160000", "d" * 40)}, base)
    (change,) = merged(mirror, base, head).changes
    assert (change.path, change.new_mode, change.new_blob) == ("vendor", "160000", "d" * 40)


def test_the_merge_result_counts_and_not_the_head(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    head = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    base = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    assert paths(merged(mirror, base, head)) == {"docs/x": "M"}


@pytest.mark.parametrize("feature_is_newer", [True, False])
def test_a_criss_cross_history_cannot_hide_what_the_merge_reverts(
    bare: Bare, mirror: Mirror, feature_is_newer: bool
) -> None:
    root = bare.commit(SAFE)
    fixed = bare.commit({**SAFE, "infra/a": "fixed\n"}, root, at=1_700_001_000)
    at = 1_700_002_000 if feature_is_newer else 1_700_000_500
    feature = bare.commit({**SAFE, "docs/x": "2\n"}, root, at=at)
    main = bare.merge(fixed, feature)
    reverting = bare.commit({**SAFE, "docs/x": "2\n"}, feature, fixed)  # a merge that keeps its own side
    found = merged(mirror, main, reverting)
    assert found.merge.state is MergeState.CLEAN
    assert paths(found) == {"infra/a": "M"}
    assert found.hidden == ("infra/a",)


def test_a_plain_history_hides_nothing(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    base = bare.commit({**SAFE, "README": "x\n"}, root)
    head = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    assert merged(mirror, base, head).hidden == ()


def test_a_conflict_is_not_a_tree(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    base = bare.commit({**SAFE, "infra/a": "theirs\n"}, root)
    head = bare.commit({**SAFE, "infra/a": "mine\n"}, root)
    found = merged(mirror, base, head)
    assert (found.merge.state, found.merge.tree) == (MergeState.CONFLICT, None)
    assert paths(found) == {"infra/a": "M"}
    with pytest.raises(GitError):
        net(mirror, base, head)


def test_unrelated_histories_are_told_apart(bare: Bare, mirror: Mirror) -> None:
    base, head = bare.commit(SAFE), bare.commit({"other": "1"})
    found = merged(mirror, base, head)
    assert (found.merge.state, found.merge.tree) == (MergeState.UNRELATED, None)
    with pytest.raises(GitError):
        net(mirror, base, head)


def test_G58_githubs_merge_of_the_same_two_with_another_tree_is_told(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit(SAFE)
    base = bare.commit({**SAFE, "README": "x\n"}, root)
    head = bare.commit({**SAFE, "docs/x": "2\n"}, root)
    right = bare.merge(base, head)
    assert merged(mirror, base, head, right).merge.github_tree == merged(mirror, base, head).merge.tree
    wrong = bare.commit({**SAFE, "infra/a": "slipped in\n"}, base, head)
    told = merged(mirror, base, head, wrong).merge
    assert told.github_tree not in (None, told.tree)
    swapped = bare.commit({**SAFE, "infra/a": "slipped in\n"}, head, base)
    assert merged(mirror, base, head, swapped).merge.github_tree is None


def test_the_net_change_of_an_approval_is_the_same_where_the_base_moved_elsewhere(
    bare: Bare, mirror: Mirror
) -> None:
    root = bare.commit(SAFE)
    head = bare.commit({**SAFE, "infra/a": "v2\n"}, root)
    moved = bare.commit({**SAFE, "README": "x\n"}, root)
    merged(mirror, root, head)
    merged(mirror, moved, head)
    assert net(mirror, root, head).changes == net(mirror, moved, head).changes


def many(directory: str) -> dict[str, str]:
    return {f"{directory}{n}": "1\n" for n in range(12)}


@pytest.mark.parametrize(
    "directory", ["shop/cart/", ":(top)x/", ":/", "-r/", "a*/", "line\nbreak/", "\udcff\udcfe/"]
)
def test_what_a_directory_held_is_counted_whatever_its_name(
    bare: Bare, mirror: Mirror, directory: str
) -> None:
    gone, kept = many(directory), {f"{directory}deep/er": "1", f"{directory}top": "2", "shop/cartoon": "3"}
    base = bare.commit({**gone, **kept, **SAFE})
    head = bare.commit({**kept, **SAFE}, base)
    shown = directory.replace("\n", "\\x0a").replace("\udcff\udcfe", "\\xff\\xfe")
    assert merged(mirror, base, head).held == Held(shown, 14)


def test_what_attributes_hide_and_what_is_no_file_of_text_is_counted_all_the_same(
    bare: Bare, mirror: Mirror
) -> None:
    hidden = {"cart/.gitattributes": "* -diff export-ignore\n", ".gitattributes": "cart/** -diff\n"}
    module = {"cart/vendor": ("160000", "d" * 40), "cart/link": ("120000", bare.blob("x"))}
    base = bare.commit({**many("cart/"), **hidden, **module})
    head = bare.commit({**hidden}, base)
    assert merged(mirror, base, head).held == Held("cart/", 15)


def test_the_whole_repository_is_a_directory_too(bare: Bare, mirror: Mirror) -> None:
    base = bare.commit({**many("a/"), **many("b/"), "kept": "1"})
    assert merged(mirror, base, bare.commit({"kept": "1"}, base)).held == Held("", 25)


def test_it_is_counted_in_what_the_changes_are_held_against(bare: Bare, mirror: Mirror) -> None:
    root = bare.commit({**many("a/"), "x": "1\n"})
    base = bare.commit({**many("a/"), "a/new": "1\n", "x": "2\n"}, root)
    clean, conflict = bare.commit({"x": "1\n"}, root), bare.commit({"x": "3\n"}, root)
    assert merged(mirror, base, clean).held == Held("a/", 13)
    found = merged(mirror, base, conflict)
    assert (found.merge.state, found.held) == (MergeState.CONFLICT, Held("a/", 12))
    found = merged(mirror, base, bare.commit({"y": "1\n"}))
    assert (found.merge.state, found.held) == (MergeState.UNRELATED, Held("", 14))


def test_git_is_asked_only_where_much_is_deleted_and_may_fail(
    bare: Bare, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bare.commit({**many("a/"), **SAFE})
    little, much = bare.commit({**many("a/"), "docs/x": "1\n"}, base), bare.commit(SAFE, base)
    asked = []

    def fails(_mirror: Mirror, tree: str, directory: bytes) -> int:
        asked.append((tree, directory))
        raise GitError(Trouble.SUSPECT, "it was killed")

    monkeypatch.setattr(Mirror, "files_below", fails)
    merged(mirror, base, little)
    assert asked == []
    found = merged(mirror, base, much)
    assert (found.merge.state, len(found.changes), found.held) == (MergeState.CLEAN, 12, None)
    uncounted(mirror, base, much)
    assert asked == [(base, b"a/")]
