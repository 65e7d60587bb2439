"""What was found on gated branches, as facts about later pull requests. Real git, no server."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from support_repository import Bare

from foureyes.github_app import landed, merging, seen, storage
from foureyes.github_app.landed import Moved
from foureyes.github_app.landed_facts import MOST_LATE, Late, landed_commits, not_let_in
from foureyes.github_app.landing import DECIDED, Landing, Source
from foureyes.github_app.mirror import Mirror, Remote
from foureyes.github_app.range import RawCommit, parse_commit
from foureyes.shared import content
from foureyes.shared.people import Account

DAY = 24 * 3600 * 1000
NOW = 1_800_000_000_000
MAIN = "refs/heads/main"


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    return Bare.make(tmp_path / "origin.git")


def raw(bare: Bare, *oids: str) -> list[RawCommit]:
    return [parse_commit(oid, bare.git("cat-file", "commit", oid).encode() + b"\n") for oid in oids]


def keep(engine: Engine, *steps: Landing, at: int = NOW, repository: int = 1, ref: str = MAIN) -> None:
    with storage.writing(engine) as conn:
        landed.keep(conn, repository, ref, [(step, Moved(step.before, step.after)) for step in steps], at)


def step(before: str, after: str, finding: str = DECIDED, pull: int | None = 7) -> Landing:
    return Landing(before, after, finding, Source(after, pull))


def test_commits_that_a_pass_let_in_are_those_between_the_two_ends(bare: Bare, sqlite_engine: Engine) -> None:
    base = bare.commit({"a": "1"})
    one, two = bare.commit({"a": "2"}, base), bare.commit({"b": "1"}, base)
    merge = bare.merge(one, two)
    later = bare.commit({"a": "3"}, merge)
    commits = raw(bare, one, two, merge, later)

    def found(repository: int = 1) -> frozenset[str]:
        with storage.reading(sqlite_engine) as conn:
            return landed_commits(conn, repository, commits)

    assert found() == frozenset()
    keep(sqlite_engine, step(base, one, "bypass"), step(one, merge))
    assert found() == {two, merge}, "not what came before, past the gate"
    assert found(2) == frozenset()
    keep(sqlite_engine, step(merge, later, "direct push"))
    assert later not in found()
    keep(sqlite_engine, step(base, merge), ref="refs/heads/other")
    assert found() == {one, two, merge}, "on whichever gated branch a Pass let it in"


def test_who_holds_a_commit_that_no_pass_let_in_holds_it_below_those_that_landed_too(bare: Bare) -> None:
    base = bare.commit({"a": "1"})
    one, two = bare.commit({"a": "2"}, base), bare.commit({"b": "1"}, base)
    merge = bare.merge(one, two)
    commits = raw(bare, merge, two, one)
    assert not_let_in(commits, {one, two, merge}) == frozenset()
    assert not_let_in(commits, {one, merge}) == {two, merge}
    assert not_let_in(commits, {two}) == {one, merge}


def test_what_landed_within_a_day_newest_first_with_its_digest(
    bare: Bare, sqlite_engine: Engine, tmp_path: Path
) -> None:
    tips = [bare.commit({"a": "0"})]
    for number in range(1, 4):
        tips.append(bare.commit({"a": str(number)}, tips[-1]))
    bare.ref("refs/heads/main", tips[-1])
    mirror = Mirror(tmp_path / "m.git", Remote(bare.url, protocols=("file",)))
    mirror.fetch(["+refs/heads/main:refs/foureyes-mirror/main"])
    keep(sqlite_engine, step(tips[0], tips[1], pull=1), at=NOW - DAY - 1)
    keep(sqlite_engine, step(tips[1], tips[2], pull=2), at=NOW - DAY)
    keep(sqlite_engine, step(tips[2], tips[3], pull=3), at=NOW - 5)
    keep(sqlite_engine, step(tips[1], "e" * 40, pull=4), at=NOW - 4)  # its commits are not here
    keep(sqlite_engine, step(tips[0], tips[3], pull=None), at=NOW - 3, ref="refs/heads/other")
    late = Late()
    with storage.reading(sqlite_engine) as conn:
        found = late.read(conn, mirror, 1, "main", NOW)
        assert [one.pull for one in found] == [3, 2]
        assert late.read(conn, mirror, 2, "main", NOW) == ()
    assert found[0].change == content.digest(merging.raw_changes(mirror, tips[2], tips[3]))
    assert found[0].change != found[1].change
    assert found[0].at == "2027-01-15T07:59:59.995Z"


def test_only_so_many_are_compared(bare: Bare, sqlite_engine: Engine, tmp_path: Path) -> None:
    tips = [bare.commit({"a": "0"})]
    for number in range(MOST_LATE + 3):
        tips.append(bare.commit({"a": str(number + 1)}, tips[-1]))
        keep(sqlite_engine, step(tips[-2], tips[-1], pull=number), at=NOW - 100 + number)
    bare.ref("refs/heads/main", tips[-1])
    mirror = Mirror(tmp_path / "m.git", Remote(bare.url, protocols=("file",)))
    mirror.fetch(["+refs/heads/main:refs/foureyes-mirror/main"])
    with storage.reading(sqlite_engine) as conn:
        found = Late().read(conn, mirror, 1, "main", NOW)
    assert [one.pull for one in found] == list(range(MOST_LATE + 2, 2, -1))


def test_pushes_are_put_in_the_order_in_which_they_build_on_each_other() -> None:
    a, b, c, d = (Moved(before, after) for before, after in ("ab", "bc", "cd", "xy"))
    assert landed.in_order("a", (c, a, b)) == (a, b, c)
    assert landed.in_order("", (c, b, a)) == (a, b, c), "from the one that builds on none of them"
    assert landed.in_order("a", (d, b, a)) == (a, b, d)
    circle = (Moved("p", "q"), Moved("q", "p"))
    assert set(landed.in_order("z", circle)) == set(circle), "a branch that went there and back"
    assert landed.in_order("a", ()) == ()


def test_who_moved_a_branch_is_only_told_where_one_alone_was_seen_to_do_it(sqlite_engine: Engine) -> None:
    ref, noor, rita = "refs/heads/main", Account(7, "noor"), Account(2, "rita")
    with storage.writing(sqlite_engine) as conn:
        for at, (before, after, who) in enumerate(
            [("a", "b", noor), ("b", "a", noor), ("a", "b", noor), ("b", "c", noor), ("b", "c", rita)]
        ):
            seen.keep_push(conn, seen.PushSeen(1, ref, before, after, who), at)
        assert landed.moved(conn, 1, ref, "b", "a") == Moved("b", "a", 7, "noor")
        assert landed.moved(conn, 1, ref, "a", "b") == Moved("a", "b", 7, "noor")
        assert landed.moved(conn, 1, ref, "b", "c") == Moved("b", "c")
        assert landed.moved(conn, 1, ref, "c", "b") == Moved("c", "b")
        assert landed.moved(conn, 2, ref, "b", "a") == Moved("b", "a")


def test_the_last_look_is_the_last_of_its_steps_and_a_late_one_never(sqlite_engine: Engine) -> None:
    keep(sqlite_engine, step("a", "b"), step("b", "c"))
    with storage.writing(sqlite_engine) as conn:
        landed.keep(conn, 1, MAIN, [(step("x", "y"), Moved("x", "y", late=True))], NOW + 50)
    with storage.reading(sqlite_engine) as conn:
        assert landed.last(conn, 1, MAIN) == "c"
        assert landed.last(conn, 1, "refs/heads/other") == ""
