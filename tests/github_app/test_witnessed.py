"""On which base a review was given, though its event names an old one. Real git, no server."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support_facts import RITA, policy
from support_repository import Bare

from foureyes.github_app import merging, seen, storage
from foureyes.github_app.mirror import Mirror, Remote
from foureyes.github_app.pull_query import GivenReview
from foureyes.github_app.seen import PushSeen, SeenReview
from foureyes.github_app.witnessed import Contents, Reader, with_tip
from foureyes.shared import content
from foureyes.shared.facts import Known, ReviewState, Unknown
from foureyes.shared.policy import Policy

POLICY = policy()
NOON = 1_790_000_000_000
OLD, TIP, HEAD = "a" * 40, "b" * 40, "c" * 40
TOLD = SeenReview(HEAD, HEAD, OLD, "main", "APPROVED", NOON + 900)


def given(submitted_at: str = "2026-09-21T14:13:20Z") -> GivenReview:
    return GivenReview(7, RITA, ReviewState.APPROVED, HEAD, submitted_at, can_push=True)


def tip(
    engine: Engine, *pushes: tuple[str, int], told: SeenReview = TOLD, review: GivenReview | None = None
) -> str:
    with storage.writing(engine) as conn:
        for after, at in pushes:
            seen.keep_push(conn, PushSeen(1, "refs/heads/main", OLD, after, RITA), at)
        return with_tip(conn, 1, review or given(), told).tip


def test_the_newest_push_that_came_before_the_review(sqlite_engine: Engine) -> None:
    assert tip(sqlite_engine) == ""
    assert tip(sqlite_engine, ("d" * 40, NOON - 20), (TIP, NOON)) == TIP
    assert tip(sqlite_engine, told=replace(TOLD, base=TIP)) == "", (
        "nothing that the event does not say itself"
    )
    assert tip(sqlite_engine, told=replace(TOLD, base_ref="other")) == ""


@pytest.mark.parametrize("at", [NOON + 1, NOON + 900])
def test_what_came_later_by_either_clock_is_not_what_was_approved(sqlite_engine: Engine, at: int) -> None:
    assert tip(sqlite_engine, (TIP, at)) == ""
    late = given("2026-09-21T15:00:00Z")
    assert tip(sqlite_engine, review=late) == TIP
    assert tip(sqlite_engine, review=late, told=replace(TOLD, at=at - 1)) == ""


@pytest.mark.parametrize(
    ("moves", "left"),
    [
        ([(TIP, HEAD), (OLD, TIP)], HEAD),
        ([("d" * 40, "e" * 40), (OLD, TIP), (TIP, "d" * 40)], "e" * 40),
        ([(OLD, TIP), (TIP, OLD)], OLD),
        ([(TIP, HEAD), (HEAD, TIP)], TIP),
    ],
    ids=["told late", "told late, and those between later still", "put back", "put back, all others unseen"],
)
def test_a_push_that_was_told_late_does_not_put_the_base_back(
    sqlite_engine: Engine, moves: list[tuple[str, str]], left: str
) -> None:
    """A failed delivery is fetched after those of the pushes that followed: what is approved from then on is on these."""
    with storage.writing(sqlite_engine) as conn:
        for at, (before, after) in enumerate(moves):
            seen.keep_push(conn, PushSeen(1, "refs/heads/main", before, after, RITA), NOON - 60 + at)
        assert seen.branch_was(conn, 1, "main", NOON) == left


def test_a_review_without_a_time_is_on_what_its_event_said(sqlite_engine: Engine) -> None:
    assert tip(sqlite_engine, (TIP, NOON - 20), review=given("")) == ""


def test_G23_the_content_is_that_on_the_newer_of_the_two(tmp_path: Path) -> None:
    bare = Bare.make(tmp_path / "origin.git")
    lines = [f"{n}\n" for n in range(20)]

    def tree(**changed: str) -> dict[str, str]:
        return {"infra/a": "".join(changed.get(f"at{n}", line) for n, line in enumerate(lines))}

    base = bare.commit(tree())
    moved = bare.commit(tree(at15="ours\n"), base)
    elsewhere = bare.commit(tree(at18="ours\n"), base)
    head = bare.commit(tree(at2="theirs\n"), base)
    for name, oid in {"main": moved, "other": elsewhere, "head": head}.items():
        bare.ref(f"refs/heads/{name}", oid)
    mirror = Mirror(tmp_path / "m" / "1.git", Remote(str(bare.path), protocols=("file",)))

    def read(base: str, tip: str) -> object:
        review = SeenReview(head, head, base, "main", "APPROVED", 1, tip)
        return Reader(Contents(), mirror, 1, POLICY, "oid", {head}).of([review])[review]

    def on(base: str) -> object:
        return Known(content.of(merging.net(mirror, base, head).changes, POLICY))

    assert read(base, moved) == read(moved, "") == on(moved) != on(base)
    assert read(moved, base) == on(moved), "a push that was missed"
    assert read(elsewhere, moved) == on(elsewhere), "neither holds the other"
    assert read(base, "e" * 40) == on(base), "a tip that is gone"
    assert read("e" * 40, moved) == Unknown("the commits that were reviewed are gone")


def test_G62_of_a_head_that_was_pushed_away_the_steps_are_read_too(tmp_path: Path) -> None:
    bare = Bare.make(tmp_path / "origin.git")
    base = bare.commit({"infra/a": "1\n", "docs/x": "1\n"})
    step = bare.commit({"infra/a": "2\n", "docs/x": "2\n"}, base)
    head = bare.commit({"infra/a": "3\n", "docs/x": "3\n"}, step)
    for name, oid in {"main": base, "head": head}.items():
        bare.ref(f"refs/heads/{name}", oid)
    mirror = Mirror(tmp_path / "m" / "1.git", Remote(str(bare.path), protocols=("file",)))
    review, contents = SeenReview(head, head, base, "main", "APPROVED", 1), Contents()

    def steps(*commits: str, by: Policy = POLICY) -> tuple[str, ...]:
        found = Reader(contents, mirror, 1, by, by.mode, commits).of([review])[review]
        assert isinstance(found, Known)
        return found.value.steps

    assert steps(step, head) == ()
    assert steps() == (f"100644 {bare.blob('2' + chr(10))} infra/a",)
    assert steps(by=policy(squash_only=True, mode="observe")) == ()
