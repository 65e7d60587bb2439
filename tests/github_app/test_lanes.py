"""Lanes on both databases. Time is a number that the tests choose."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from foureyes.github_app import lanes, storage
from foureyes.github_app.lanes import Claim, Done, Lane, Retry
from foureyes.github_app.tables import work

LEASE = 60_000
LANE = Lane(7, 1, "acme/shop", head="a" * 40, pull=412)
OTHER = Lane(7, 1, "acme/shop", head="b" * 40)
BRANCH = Lane(7, 1, "acme/shop", ref="refs/heads/main")


def wake(engine: Engine, lane: Lane, at: int) -> int:
    with storage.writing(engine) as conn:
        return lanes.wake(conn, lane, at)


def claim(engine: Engine, at: int, owner: str = "w") -> Claim | None:
    with storage.writing(engine) as conn:
        return lanes.claim(conn, f"{owner}-{at}", at, LEASE)


def finish(engine: Engine, held: Claim, at: int, done: Done | None = None) -> bool:
    with storage.writing(engine) as conn:
        return lanes.finish(conn, held, done or Done(), at)


def retry(engine: Engine, held: Claim, at: int, outcome: Retry, chance: float = 0) -> bool:
    with storage.writing(engine) as conn:
        return lanes.retry_later(conn, held, outcome, at, lambda: chance)


def claimed(engine: Engine, at: int) -> Claim:
    held = claim(engine, at)
    assert held is not None
    return held


def test_keys_tell_heads_and_branches_apart() -> None:
    assert LANE.key == "1:" + "a" * 40
    assert BRANCH.key == "1:push:refs/heads/main"


def test_a_lane_comes_back_as_it_was_woken(engine: Engine) -> None:
    wake(engine, LANE, 1000)
    held = claimed(engine, 1000)
    assert held.lane == LANE
    assert (held.gen, held.tries, held.lease_until) == (1, 0, 1000 + LEASE)


def test_events_join_into_one_look(engine: Engine) -> None:
    assert [wake(engine, LANE, at) for at in (1, 2, 3)] == [1, 2, 3]
    held = claimed(engine, 10)
    assert held.gen == 3
    assert claim(engine, 10) is None
    assert finish(engine, held, 20)
    assert claim(engine, 30) is None


def test_a_later_event_keeps_what_an_earlier_one_said_about_the_pull_request(engine: Engine) -> None:
    wake(engine, LANE, 1)
    wake(engine, replace(LANE, pull=None, slug="acme/renamed", installation_id=8), 2)
    assert claimed(engine, 10).lane == replace(LANE, slug="acme/renamed", installation_id=8)


def test_the_lane_that_has_been_due_longest_is_first(engine: Engine) -> None:
    wake(engine, OTHER, 5)
    wake(engine, LANE, 3)
    assert [claimed(engine, 10).lane.head, claimed(engine, 11).lane.head] == [LANE.head, OTHER.head]


def test_an_event_during_a_look_leaves_the_lane_pending(engine: Engine) -> None:
    wake(engine, LANE, 1)
    held = claimed(engine, 2)
    wake(engine, LANE, 3)
    assert claim(engine, 4) is None, "one look at a time"
    assert finish(engine, held, 5)
    assert claimed(engine, 6).gen == 2


def test_a_worker_that_died_gives_its_lane_back_when_the_lease_ends(engine: Engine) -> None:
    wake(engine, LANE, 1)
    dead = claimed(engine, 10)
    assert claim(engine, 10 + LEASE - 1) is None
    held = claimed(engine, 10 + LEASE)
    assert held.tries == 1, "it may be what ended that worker"
    assert not finish(engine, dead, 10 + LEASE + 1), "an older look must not end a newer one"
    assert finish(engine, held, 10 + LEASE + 2)


def test_a_lane_that_was_taken_over_is_looked_at_once_more(engine: Engine) -> None:
    """Who was only stopped may go on in the middle of a write, when the newer look is over."""
    wake(engine, LANE, 1)
    stopped = claimed(engine, 10)
    assert not stopped.unsure_until
    held = claimed(engine, 10 + LEASE)
    assert held.unsure_until == 10 + LEASE + 60_000
    assert finish(engine, held, 11 + LEASE)
    assert claim(engine, held.unsure_until - 1) is None
    again = claimed(engine, held.unsure_until)
    assert (again.tries, again.unsure_until) == (0, held.unsure_until)
    assert finish(engine, again, held.unsure_until + 1)
    assert claim(engine, 10_000_000) is None


def test_a_write_whose_end_nobody_saw_is_looked_after_once_more(engine: Engine) -> None:
    """GitHub may be about to do it, after what is shown next: also when looks fail and news come between."""
    wake(engine, LANE, 0)
    assert retry(engine, claimed(engine, 0), 0, Retry("no answer", unsure=True))
    held = claimed(engine, 1_000)
    assert (held.tries, held.unsure_until) == (1, 60_000)
    assert retry(engine, held, 1_000, Retry("bad gateway"))
    wake(engine, LANE, 3_000)
    assert finish(engine, claimed(engine, 3_000), 3_001)
    wake(engine, LANE, 4_000)
    assert finish(engine, claimed(engine, 4_000), 4_001)
    assert claim(engine, 59_999) is None
    assert finish(engine, claimed(engine, 60_000), 60_001)
    assert claim(engine, 10_000_000) is None


def test_looking_once_more_does_not_hold_up_news(engine: Engine) -> None:
    wake(engine, LANE, 1)
    claimed(engine, 10)
    held = claimed(engine, 10 + LEASE)
    wake(engine, LANE, 11 + LEASE)
    assert finish(engine, held, 12 + LEASE)
    news = claimed(engine, 13 + LEASE)
    assert news.gen == 3, "one look for both"
    assert finish(engine, news, 14 + LEASE)
    assert claimed(engine, held.unsure_until).gen == 4, "and one when nothing can arrive any more"


def test_who_lost_a_lane_can_neither_finish_nor_put_it_off_nor_renew(engine: Engine) -> None:
    wake(engine, LANE, 1)
    lost = claimed(engine, 10)
    later = 10 + LEASE
    held = claimed(engine, later)
    with storage.writing(engine) as conn:
        assert not lanes.renew(conn, lost, later, LEASE)
        assert lanes.renew(conn, held, later, LEASE)
    assert not retry(engine, lost, later, Retry("late"))
    assert finish(engine, held, later)
    with storage.writing(engine) as conn:
        assert not lanes.renew(conn, held, later, LEASE)


def test_a_renewed_lease_lasts_longer_and_an_ended_one_cannot_be_renewed(engine: Engine) -> None:
    wake(engine, LANE, 1)
    held = claimed(engine, 0 + 10)
    with storage.writing(engine) as conn:
        assert lanes.renew(conn, held, 10 + LEASE - 1, LEASE)
    assert claim(engine, 10 + LEASE) is None
    with storage.writing(engine) as conn:
        assert not lanes.renew(conn, held, 10 + 2 * LEASE, LEASE)


def test_failures_wait_longer_and_longer_and_are_never_dropped(engine: Engine) -> None:
    wake(engine, LANE, 0)
    at, waits = 0, []
    for _ in range(lanes.DEAD_AFTER + 2):
        held = claimed(engine, at)
        assert retry(engine, held, at, Retry("502 from GitHub"))
        with storage.reading(engine) as conn:
            due = conn.execute(select(work.c.due_at)).scalar_one()
        assert claim(engine, due - 1) is None
        waits.append(due - at)
        at = due
    assert waits[:4] == [1000, 2000, 4000, 8000]
    assert waits == sorted(waits)
    assert waits[lanes.DEAD_AFTER - 1 :] == [3_600_000] * 3
    with storage.reading(engine) as conn:
        left = conn.execute(select(work.c.key, work.c.tries, work.c.last_error)).one()
        assert tuple(left) == (LANE.key, lanes.DEAD_AFTER + 2, "502 from GitHub")
        assert lanes.depth(conn, at).dead == 1


def test_what_failed_together_does_not_come_back_together() -> None:
    assert lanes.backoff_ms(3, 0) == 8000
    assert lanes.backoff_ms(3, 1) == 6000
    assert 6000 < lanes.backoff_ms(3, 0.5) < 8000
    assert lanes.backoff_ms(lanes.DEAD_AFTER, 1) == 2_700_000


def test_what_was_told_to_wait_together_does_not_come_back_together(engine: Engine) -> None:
    due = []
    for chance, lane in ((0.0, LANE), (1.0, OTHER)):
        wake(engine, lane, 0)
        assert retry(engine, claimed(engine, 0), 0, Retry("rate limit", after=100), chance)
        with storage.reading(engine) as conn:
            due.append(conn.execute(select(work.c.due_at).where(work.c.key == lane.key)).scalar_one())
    assert due == [100_000, 110_000], "never earlier than was asked for"


def test_a_success_forgets_the_failures(engine: Engine) -> None:
    wake(engine, LANE, 0)
    retry(engine, claimed(engine, 0), 0, Retry("no"))
    finish(engine, claimed(engine, 5000), 5000)
    wake(engine, LANE, 6000)
    assert claimed(engine, 6000).tries == 0


def test_news_end_a_backoff(engine: Engine) -> None:
    wake(engine, LANE, 0)
    for at in (0, 2000, 6000):
        retry(engine, claimed(engine, at), at, Retry("no"))
    wake(engine, LANE, 6500)
    assert claim(engine, 6500) is not None


def test_news_do_not_end_the_wait_that_github_asked_for(engine: Engine) -> None:
    wake(engine, LANE, 0)
    retry(engine, claimed(engine, 0), 0, Retry("rate limit", after=90.5))
    wake(engine, LANE, 10)
    assert claim(engine, 90_499) is None
    held = claimed(engine, 90_500)
    finish(engine, held, 90_500)
    wake(engine, LANE, 90_600)
    assert claim(engine, 90_600) is not None


def routine(engine: Engine, at: int) -> None:
    with storage.writing(engine) as conn:
        lanes.wake(conn, LANE, at, routine=True)


def test_a_routine_look_that_gave_way_has_not_failed_and_holds_up_no_news(engine: Engine) -> None:
    routine(engine, 0)
    held = claimed(engine, 0)
    assert held.routine
    retry(engine, held, 0, Retry("held back", after=3_600))
    assert claim(engine, 3_599_999) is None
    wake(engine, LANE, 10)
    news = claimed(engine, 10)
    assert (news.routine, news.tries) == (False, 0)
    retry(engine, news, 10, Retry("rate limit", after=60))
    wake(engine, LANE, 20)
    assert claim(engine, 60_009) is None, "that is what GitHub asked for"


def test_news_that_came_during_a_routine_look_do_not_give_way_with_it(engine: Engine) -> None:
    routine(engine, 0)
    held = claimed(engine, 0)
    wake(engine, LANE, 5)
    retry(engine, held, 10, Retry("held back", after=3_600))
    assert not claimed(engine, 10).routine


def test_what_is_pending_for_news_is_not_routine_until_it_is_done(engine: Engine) -> None:
    wake(engine, LANE, 0)
    routine(engine, 1)
    held = claimed(engine, 0)
    assert not held.routine
    assert finish(engine, held, 5)
    routine(engine, 10)
    assert claimed(engine, 10).routine


def test_a_routine_look_that_fails_counts_as_a_failure(engine: Engine) -> None:
    routine(engine, 0)
    retry(engine, claimed(engine, 0), 0, Retry("no"))
    assert claimed(engine, 1_000).tries == 1


def test_a_clock_that_was_set_back_holds_nobody_up(engine: Engine) -> None:
    """What was due, put off or leased by the time that was shown before would wait until it comes again."""
    late = 10_000_000
    for number, lane in enumerate((LANE, OTHER, BRANCH)):
        wake(engine, lane, late + number)
    assert retry(engine, claimed(engine, late), late, Retry("slow down", after=600))
    held = claimed(engine, late + 1)
    assert claim(engine, 1_000) is None
    with storage.writing(engine) as conn:
        lanes.clock_went_back(conn, 1_000, LEASE)
    assert {claimed(engine, 1_000).lane, claimed(engine, 1_001).lane} == {LANE, BRANCH}
    assert claim(engine, 1_000 + LEASE - 1) is None
    assert finish(engine, held, 1_002)


def test_finding_that_the_head_moved_wakes_the_new_head_with_the_finish(engine: Engine) -> None:
    wake(engine, LANE, 0)
    assert finish(engine, claimed(engine, 1), 2, Done(live=False, wake=(OTHER,)))
    held = claimed(engine, 3)
    assert held.lane == OTHER


def test_of_many_that_are_woken_together_the_green_ones_go_first(engine: Engine) -> None:
    """A push to the default branch may have brought a stricter policy."""
    heads = [Lane(7, 1, "acme/shop", head=f"{number:040x}") for number in range(12)]
    wake(engine, heads[-1], 0)
    assert finish(engine, claimed(engine, 0), 1, Done(green=True))
    wake(engine, BRANCH, 2)
    assert finish(engine, claimed(engine, 2), 3, Done(live=False, wake=tuple(heads)))
    assert claimed(engine, 3).lane == heads[-1]
    assert claim(engine, 3) is None
    assert {claimed(engine, 4 + number).lane.head for number in range(11)} == {h.head for h in heads[:-1]}


def test_a_lost_claim_wakes_nothing(engine: Engine) -> None:
    wake(engine, LANE, 0)
    lost = claimed(engine, 1)
    held = claimed(engine, 1 + LEASE)
    assert not finish(engine, lost, 2 + LEASE, Done(wake=(OTHER,)))
    assert finish(engine, held, 3 + LEASE)
    assert claim(engine, 4 + LEASE) is None


def test_depth_counts_what_waits_and_what_runs(engine: Engine) -> None:
    for lane, at in ((LANE, 100), (OTHER, 200), (BRANCH, 900)):
        wake(engine, lane, at)
    claim(engine, 150)
    with storage.reading(engine) as conn:
        assert lanes.depth(conn, 500) == lanes.Depth(pending=3, due=1, running=1, dead=0, oldest_due_ms=300)


def test_an_error_text_of_any_length_is_stored(engine: Engine) -> None:
    wake(engine, LANE, 0)
    assert retry(engine, claimed(engine, 0), 0, Retry("x" * 100_000))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wake", "claim", "finish", "retry", "ask", "unsure", "die"]),
            st.integers(0, 2),
            st.sampled_from([0, 1, 30_000, 60_000]),
        ),
        max_size=60,
    )
)
def test_whatever_happens_no_generation_is_forgotten_and_no_lane_has_two_owners(
    sqlite_engine: Engine, steps: list[tuple[str, int, int]]
) -> None:
    """The oracle: per lane the newest generation asked for, and who holds it until when."""
    engine, at = sqlite_engine, 0
    with storage.writing(engine) as conn:
        conn.execute(work.delete())
    asked: dict[str, int] = {}
    done: dict[str, int] = {}
    held: list[Claim] = []
    for number, (step, which, passes) in enumerate(steps):
        at += passes
        if step == "wake":
            lane = (LANE, OTHER, BRANCH)[which]
            asked[lane.key] = wake(engine, lane, at)
        elif step == "claim":
            with storage.writing(engine) as conn:
                new = lanes.claim(conn, f"owner-{number}", at, LEASE)
            if new is not None:
                others = [c for c in held if c.lane.key == new.lane.key and c.lease_until > at]
                assert not others
                assert new.gen == asked[new.lane.key] > done.get(new.lane.key, 0)
                held.append(new)
        elif held:
            mine = held.pop(which % len(held))
            newest = not [c for c in held if c.lane.key == mine.lane.key and c.lease_until > mine.lease_until]
            if step == "finish":
                if finish(engine, mine, at):
                    assert newest
                    done[mine.lane.key] = max(mine.gen, done.get(mine.lane.key, 0))
                    asked[mine.lane.key] += at < mine.unsure_until
            elif step != "die":
                after = 30 if step == "ask" else None
                retry(engine, mine, at, Retry("no", after, unsure=step == "unsure"))
    at += 10_000_000
    while (last := claim(engine, at)) is not None:
        assert finish(engine, last, at)
        done[last.lane.key] = last.gen
        asked[last.lane.key] += at < last.unsure_until
        at += 60_001
    assert done == asked


@pytest.mark.parametrize("workers", [4])
def test_workers_side_by_side_look_at_each_lane_once(engine: Engine, workers: int) -> None:
    for number in range(20):
        wake(engine, Lane(7, 1, "acme/shop", head=f"{number:040x}"), 0)

    def drain(name: str) -> list[str]:
        taken: list[str] = []
        while True:
            with storage.writing(engine) as conn:
                got = lanes.claim(conn, f"{name}-{len(taken)}", 10, LEASE)
            if got is None:
                return taken
            taken.append(got.lane.head)
            assert finish(engine, got, 11)

    with ThreadPoolExecutor(workers) as pool:
        taken = [head for heads in pool.map(drain, [f"w{n}" for n in range(workers)]) for head in heads]
    assert sorted(taken) == [f"{number:040x}" for number in range(20)]
