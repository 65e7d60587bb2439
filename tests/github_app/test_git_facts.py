"""What is read again and what is kept, on real repositories: a kept reading must never hide a change."""

import shutil

import pytest
from support_repository import Bare

from foureyes.github_app import merging
from foureyes.github_app.git_facts import Kept, Wanted, bring, read, renewed
from foureyes.github_app.mirror import GitError, Mirror, Trouble
from foureyes.shared.record_ref import record_path, record_ref

SAFE = {"infra/a": "v1\n", "docs/x": "1\n"}


@pytest.fixture
def wanted(bare: Bare) -> Wanted:
    base = bare.commit(SAFE)
    head = bare.commit({**SAFE, "infra/a": "v2\n"}, base)
    bare.ref("refs/heads/main", base)
    bare.ref("refs/pull/1/head", head)
    return Wanted(1, base, head, "main", base, record_branch="feat")


def gated(name: str) -> bool:
    return name in ("main", "release/1")


def never(_commits: object) -> bool:
    return False


def published(bare: Bare, commit: str, text: str) -> None:
    bare.ref(record_ref("feat"), bare.commit({record_path(commit): text}))


def test_a_renewed_reading_sees_a_record_that_came_or_changed(
    bare: Bare, mirror: Mirror, wanted: Wanted
) -> None:
    kept = read(mirror, wanted, gated, never)
    assert kept.published.records == {}
    for text in ("one", "two"):
        published(bare, wanted.head, text)
        kept = renewed(mirror, wanted, kept, gated, never)
        assert kept.published.records == {wanted.head: text.encode()}
    bare.git("update-ref", "-d", record_ref("feat"))
    assert renewed(mirror, wanted, kept, gated, never).published.records == {}


def test_G58_a_renewed_reading_sees_githubs_merge_change(bare: Bare, mirror: Mirror, wanted: Wanted) -> None:
    kept = read(mirror, wanted, gated, never)
    assert kept.merged.merge.github_tree is None
    wrong = bare.commit({**SAFE, "infra/a": "slipped in\n"}, wanted.base, wanted.head)
    bare.ref("refs/pull/1/merge", wrong)
    assert renewed(mirror, wanted, kept, gated, never).merged.merge.github_tree == bare.git(
        "rev-parse", f"{wrong}^{{tree}}"
    )


def test_a_mirror_that_vanished_or_broke_is_built_anew(bare: Bare, mirror: Mirror, wanted: Wanted) -> None:
    kept = read(mirror, wanted, gated, never)
    shutil.rmtree(mirror.folder)
    assert renewed(mirror, wanted, kept, gated, never).merged == kept.merged
    for pack in (mirror.folder / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK" + b"\0" * 40)
    assert read(mirror, wanted, gated, never).merged == kept.merged


def test_a_failure_that_is_not_the_mirrors_fault_is_not_tried_on_a_new_one(
    bare: Bare, mirror: Mirror, wanted: Wanted
) -> None:
    read(mirror, wanted, gated, never)
    shutil.rmtree(bare.path)
    with pytest.raises(GitError) as error:
        read(mirror, wanted, gated, never)
    assert error.value.trouble is not Trouble.SUSPECT
    assert mirror.exists


def test_G24_only_a_parent_on_a_gated_branch_makes_an_update(
    bare: Bare, mirror: Mirror, wanted: Wanted
) -> None:
    side = bare.commit({**SAFE, "docs/y": "1\n"}, wanted.base)
    release = bare.commit({**SAFE, "docs/z": "1\n"}, wanted.base)
    bare.ref("refs/heads/side", side)
    bare.ref("refs/heads/release/1", release)
    head = bare.merge(bare.merge(wanted.head, side), release)
    bare.ref("refs/pull/1/head", head)
    found = read(mirror, Wanted(1, wanted.base, head, "main", wanted.base, gated=("release/",)), gated, never)
    assert side in found.ungated
    assert release not in found.ungated
    assert len(found.range.mechanical) == 2


def test_commits_that_are_gone_do_not_keep_others_from_coming(
    bare: Bare, mirror: Mirror, wanted: Wanted
) -> None:
    old = bare.commit({**SAFE, "infra/a": "old\n"}, wanted.base)
    assert bring(mirror, [old, "e" * 40, "not an id"]) == {old}
    assert merging.net(mirror, wanted.base, old).changes


def test_what_is_kept_stays_small() -> None:
    from foureyes.github_app.git_facts import GitFacts
    from foureyes.github_app.merging import Merged
    from foureyes.github_app.range import Range
    from foureyes.github_app.records import Published
    from foureyes.shared.facts import Change, Merge, MergeState

    def facts(count: int) -> GitFacts:
        changes = tuple(Change(str(n), "A", "000000", "100644", "0" * 40, "1" * 40) for n in range(count))
        merged = Merged(Merge(MergeState.CLEAN), changes, ())
        return GitFacts(merged, Range((), frozenset(), ()), frozenset(), Published({}, ()))

    kept = Kept(most=2, most_paths=5)
    for key in ("a", "b", "c"):
        kept.put(key, facts(5))
    kept.put("large", facts(6))
    assert [kept.get(key) is not None for key in ("a", "b", "c", "large")] == [False, True, True, False]
    kept.settle(1, ["x"])
    assert kept.settled(1, ["x"])
    assert not kept.settled(2, ["x"])
    assert not kept.settled(1, ["x", "y"])
