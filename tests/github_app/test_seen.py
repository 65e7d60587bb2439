"""What was witnessed stays witnessed, on both databases."""

from dataclasses import replace

from sqlalchemy import Engine

from foureyes.github_app import seen, storage
from foureyes.github_app.seen import PushSeen, ReviewSeen, SeenPolicy, SeenRecord, SeenReview
from foureyes.shared.facts import Push
from foureyes.shared.people import Account, Kind

OLGA, SAM, BOT = Account(1, "olga"), Account(3, "sam"), Account(5, "app[bot]", Kind.BOT)
A, B, C, D = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)
NEW = "0" * 40
"""What a push that creates a branch says it replaced."""


def keep(engine: Engine, at: int, *pushes: PushSeen) -> None:
    with storage.writing(engine) as conn:
        for push in pushes:
            seen.keep_push(conn, push, at)


def to_branch(after: str, who: Account | None, repository: int = 9, ref: str = "refs/heads/fix") -> PushSeen:
    return PushSeen(repository, ref, NEW, after, who)


def to_pull(after: str, who: Account | None, number: int = 412) -> PushSeen:
    return PushSeen(20, "refs/heads/fix", NEW, after, who, 9, number)


def test_pushes_that_a_pull_request_told_are_its_own_whatever_became_of_them(engine: Engine) -> None:
    keep(engine, 5, to_pull(A, OLGA), to_pull(A, OLGA), to_pull(B, OLGA, number=413))
    keep(engine, 6, to_pull(A, OLGA), to_pull(C, None), to_pull(A, SAM))
    with storage.reading(engine) as conn:
        assert set(seen.pushes_seen(conn, 9, 412)) == {
            Push(A, OLGA, NEW),
            Push(A, SAM, NEW),
            Push(C, None, NEW),
        }
        assert seen.pushes_seen(conn, 10, 412) == ()


def test_pushes_to_the_branch_count_if_they_brought_a_commit_or_came_after_it_was_opened(
    engine: Engine,
) -> None:
    keep(engine, 10, to_branch(A, SAM), to_branch(B, OLGA))
    keep(
        engine,
        30,
        to_branch(C, BOT),
        to_branch(D, SAM, ref="refs/heads/other"),
        to_branch(D, SAM, repository=8),
    )
    with storage.reading(engine) as conn:
        on_branch = {"head_repository_id": 9, "head_ref": "fix"}
        assert seen.pushes_seen(conn, 9, 412) == ()
        assert seen.pushes_seen(conn, 9, 412, **on_branch) == ()
        assert seen.pushes_seen(conn, 9, 412, **on_branch, commits=[B]) == (Push(B, OLGA, NEW),)
        assert seen.pushes_seen(conn, 9, 412, **on_branch, opened_at=30) == (Push(C, BOT, NEW),)
        assert seen.pushes_seen(conn, 9, 412, **on_branch, commits=[A], opened_at=20) == (
            Push(A, SAM, NEW),
            Push(C, BOT, NEW),
        )


def test_G12_who_pushed_a_head_that_was_replaced_later_counts_whenever_that_was(engine: Engine) -> None:
    keep(engine, 10, to_branch(A, SAM), to_branch(B, OLGA))
    keep(engine, 30, replace(to_branch(C, BOT), before=A), replace(to_pull(C, BOT), before=B))
    with storage.reading(engine) as conn:
        told = (Push(B, OLGA, NEW), Push(C, BOT, B))
        on_branch = {"head_repository_id": 9, "head_ref": "fix"}
        assert set(seen.pushes_seen(conn, 9, 412, **on_branch)) == set(told)
        found = seen.pushes_seen(conn, 9, 412, **on_branch, opened_at=20)
        assert set(found) == {Push(A, SAM, NEW), Push(C, BOT, A), *told}
        assert seen.pushes_seen(conn, 9, 413, **on_branch, commits=[C]) == (Push(C, BOT, A),), (
            "of an earlier use of the branch's name it is not asked what came before"
        )


def test_G12_who_pushed_a_commit_of_it_to_any_branch_of_the_two_repositories(engine: Engine) -> None:
    keep(engine, 10, to_branch(A, OLGA), to_branch(A, None), to_branch(A, SAM, ref="refs/heads/other"))
    keep(engine, 20, to_branch(B, SAM, repository=8), to_branch(B, OLGA, repository=7), to_branch(D, SAM))
    keep(engine, 20, to_pull(C, SAM, number=413), replace(to_pull(C, BOT), pull_repository_id=7))
    with storage.reading(engine) as conn:

        def found(
            *commits: str, fork: int | None = 8, base: str = "main", heads: tuple[str, ...] = ()
        ) -> set[Push]:
            elsewhere = seen.pushes_elsewhere(
                conn, 9, base, head_repository_id=fork, commits=commits, heads=heads
            )
            return set(elsewhere)

        assert found() == set()
        assert found(A) == found(heads=(A,)) == {Push(A, OLGA, NEW), Push(A, SAM, NEW)}
        assert found(B) == {Push(B, SAM, NEW)}
        assert found(B, fork=None) == set()
        assert found(C) == {Push(C, SAM, NEW)}, "another pull request's event told it, from whichever fork"
        assert found(A, base="fix", heads=(A, D)) == found(A), "the branch once stood where its base did"


def test_a_review_is_kept_as_it_was_first_told(engine: Engine) -> None:
    first = SeenReview(A, B, C, "main", "APPROVED")
    told = replace(first, at=5)
    with storage.writing(engine) as conn:
        seen.keep_review(conn, ReviewSeen(77, 9, 412, SAM, first), 5)
        seen.keep_review(conn, ReviewSeen(77, 9, 412, SAM, SeenReview(D, D, D, "other", "APPROVED")), 6)
        seen.keep_review(conn, ReviewSeen(78, 9, 412, None, first), 6)
    with storage.reading(engine) as conn:
        assert seen.reviews_seen(conn, [77, 78, 79]) == {77: told, 78: replace(first, at=6)}
        assert seen.reviews_seen(conn, []) == {}


def test_every_form_of_a_record_is_kept_and_what_vanished_is_still_there(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        assert seen.keep_record(conn, 9, A, b"ai", [b"one", b"two"], 5)
        assert not seen.keep_record(conn, 9, A, b"ai", [b"two", b"one", b"one"], 6)
        assert seen.keep_record(conn, 9, A, b"human", [b"one"], 7)
        assert seen.keep_record(conn, 9, A, b"ai", [], 8)
        assert seen.keep_record(conn, 9, B, b"ai", [b"one"], 9)
        assert seen.keep_record(conn, 8, A, b"elsewhere", [b"three"], 9)
    with storage.reading(engine) as conn:
        found = seen.records_seen(conn, 9, [A, C])
        assert set(found) == {A}
        assert [form.record for form in found[A]] == [b"ai", b"human", b"ai"]
        assert set(found[A][0].envelopes) == {b"one", b"two"}
        assert found[A][1:] == (SeenRecord(b"human", (b"one",)), SeenRecord(b"ai", ()))


def test_the_policy_that_was_in_force_last_is_the_last_good_one(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        assert not seen.policy_ever_seen(conn, 9)
        seen.keep_policy(conn, 9, "o1", "first", True, 5)
        seen.keep_policy(conn, 9, "o2", "second", True, 6)
        seen.keep_policy(conn, 9, "o3", "broken", False, 7)
        assert seen.last_good_policy(conn, 9) == SeenPolicy("o2", "second")
        seen.keep_policy(conn, 9, "o1", "first", True, 8)
        assert seen.last_good_policy(conn, 9) == SeenPolicy("o1", "first")
        assert seen.last_good_policy(conn, 10) is None
        seen.keep_policy(conn, 10, "o3", "broken", False, 8)
    with storage.reading(engine) as conn:
        assert seen.policy_ever_seen(conn, 10)
        assert seen.last_good_policy(conn, 10) is None


def test_a_floor_is_kept_under_its_owner_and_apart_from_the_policies(engine: Engine) -> None:
    with storage.writing(engine) as conn:
        seen.keep_floor(conn, 9, "o1", "first", True, 5)
        seen.keep_floor(conn, 9, "o2", "broken", False, 6)
        seen.keep_policy(conn, 9, "o3", "policy", True, 7)
    with storage.reading(engine) as conn:
        assert seen.last_good_floor(conn, 9) == SeenPolicy("o1", "first")
        assert seen.last_good_policy(conn, 9) == SeenPolicy("o3", "policy")
        assert (seen.floor_ever_seen(conn, 9), seen.floor_ever_seen(conn, 10)) == (True, False)
