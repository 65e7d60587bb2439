"""What one installation may ask for: the hour's budget with a part kept back, the minute's pace, waits, places."""

import threading

import pytest

from foureyes.github_app.limiter import DOCUMENTED, LARGEST_WAIT, Limiter, Pace, Purpose, purpose, spread


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limiter(clock: Clock, paces: dict[str, Pace] | None = None, at_once: int = 20) -> Limiter:
    return Limiter(paces or {}, clock=clock, sleep=clock.sleep, at_once=at_once)


def ask(of: Limiter, purpose: Purpose = Purpose.LOOK, resource: str = "core", points: int = 1) -> float:
    with of.place(resource, points, purpose) as wait:
        return wait


def told(clock: Clock, remaining: int, resource: str = "core", reset: float = 600) -> dict[str, str]:
    return {
        "x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(clock.now + reset)), "x-ratelimit-resource": resource,
    }  # fmt: skip


def test_a_sweep_stops_first_then_looks_and_what_takes_a_success_back_last(clock: Clock) -> None:
    of = limiter(clock)
    of.told(told(clock, 1_251))
    assert [ask(of, each) > 0 for each in Purpose] == [False, False, False]
    with of.place("core", 1, Purpose.LOOK) as wait:
        assert wait == 0
        assert ask(of, Purpose.SWEEP) > 0, "what is under way counts"
    assert ask(of, Purpose.SWEEP) == 0, "an answer that cost nothing does not"
    of.told(told(clock, 1_250))
    assert [ask(of, each) > 0 for each in Purpose] == [True, False, False]
    of.told(told(clock, 150))
    assert [ask(of, each) > 0 for each in Purpose] == [True, True, False]
    of.told(told(clock, 0))
    assert [ask(of, each) > 0 for each in Purpose] == [True, True, True]
    assert ask(of, Purpose.RED) == 601
    assert ask(of, Purpose.LOOK, "graphql") == 0, "another budget"


def test_a_clock_that_was_set_back_takes_nothing_away(clock: Clock) -> None:
    of = limiter(clock, DOCUMENTED)
    assert ask(of) == 0
    of.close(LARGEST_WAIT)
    clock.now -= 7_200
    assert ask(of) == LARGEST_WAIT
    clock.now += 10_801
    assert ask(of) == 0
    clock.now -= 7_200
    assert ask(limiter(clock, DOCUMENTED)) == 0
    assert of._spend("core", 1, Purpose.LOOK, clock.now) == 0


def test_the_next_hour_is_a_new_budget_and_no_headers_are_no_limit(clock: Clock) -> None:
    of = limiter(clock)
    assert ask(of, Purpose.SWEEP) == 0
    of.told({})
    of.told({"x-ratelimit-limit": "many", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"})
    assert ask(of, Purpose.SWEEP) == 0
    of.told(told(clock, 0))
    assert ask(of) > 0
    clock.now += 601
    assert ask(of, Purpose.SWEEP) == 0
    assert of.remaining() == {"core": 5000}


def test_answers_that_overtake_each_other_do_not_give_budget_back(clock: Clock) -> None:
    of = limiter(clock)
    of.told(told(clock, 100))
    of.told(told(clock, 4_000))
    assert of.remaining() == {"core": 100}
    of.told(told(clock, 4_999, reset=4_200))
    assert of.remaining() == {"core": 4_999}


def test_a_request_to_wait_holds_for_all_of_the_installation(clock: Clock) -> None:
    of = limiter(clock)
    of.close(30)
    of.close(10)
    assert ask(of, Purpose.RED) == 30
    assert ask(of, resource="graphql") == 30
    clock.now += 30
    assert ask(of) == 0


def test_the_minutes_pace_is_kept_over_any_minute(clock: Clock) -> None:
    of = limiter(clock, dict(DOCUMENTED))
    began, spent = clock.now, 0
    while clock.now - began < 60:
        if ask(of, points=5) == 0:
            spent += 5
        else:
            clock.now += 1
    assert 850 <= spent <= 900


def test_a_short_wait_is_slept_and_a_long_one_is_told(clock: Clock) -> None:
    of = limiter(clock, {"core": Pace(10, 1)})
    assert [ask(of, points=5) for _ in range(2)] == [0, 0]
    assert ask(of, points=2) == 0
    assert clock.slept == [2]
    assert ask(of, points=5) == 5
    assert clock.slept == [2]


def test_a_sweep_leaves_half_of_the_minute_to_others(clock: Clock) -> None:
    of = limiter(clock, {"core": Pace(100, 0.01)})
    asked = [ask(of, Purpose.SWEEP) for _ in range(100)]
    assert asked.count(0) == 50
    assert ask(of) == 0


def test_no_more_run_side_by_side_than_there_are_places(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foureyes.github_app.limiter._PATIENCE", 0.01)
    of = limiter(clock, at_once=1)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with of.place("core", 1) as wait:
            assert wait == 0
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    assert ask(of) > 0
    leave.set()
    thread.join()
    assert ask(of) == 0


def test_the_purpose_is_the_threads_own(clock: Clock) -> None:
    of = limiter(clock)
    of.told(told(clock, 1_000))
    with purpose(Purpose.SWEEP), of.place("core", 1) as wait:
        assert wait > 0
    with of.place("core", 1) as wait:
        assert wait == 0


def test_those_who_wait_do_not_all_come_back_at_once() -> None:
    waits = {spread(60) for _ in range(20)}
    assert len(waits) > 10
    assert all(60 <= wait <= 67 for wait in waits)
