"""Dead letters on both databases: listed with why, and tried again when a person says so."""

import json
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, insert, select

from foureyes.github_app import lanes, storage
from foureyes.github_app.dead_letters import failing, retry_now
from foureyes.github_app.dead_letters_command import group
from foureyes.github_app.lanes import EVERY_BRANCH, LANDED, Lane, Retry
from foureyes.github_app.tables import delivery_awaits, work
from foureyes.shared.errors import UserError

PULL = Lane(7, 9, "acme/shop", head="a" * 40, pull=412)
COMMIT = Lane(7, 9, "acme/shop", head="b" * 40)
LANDING = Lane(7, 8, "acme/infra", ref=f"{LANDED}refs/heads/main")
LATER, LATER_YEAR = 4_000_000_000_000, 2096
"""So that nothing is due by the clock."""
BRANCH = Lane(7, 9, "acme/shop", ref="refs/heads/next")
ALL = Lane(7, 9, "acme/shop", ref=EVERY_BRANCH)


def fail(
    engine: Engine, lane: Lane, times: int, why: str = "502 from GitHub", after: float | None = None
) -> None:
    with storage.writing(engine) as conn:
        lanes.wake(conn, lane, LATER)
        for number in range(times):
            conn.execute(work.update().where(work.c.key == lane.key).values(due_at=-1))
            held = lanes.claim(conn, f"w{number}", LATER, 60_000)
            assert held is not None
            assert held.lane.key == lane.key
            lanes.retry_later(conn, held, Retry(why, after), LATER)


@pytest.fixture
def named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    url = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=False)
    monkeypatch.setenv("FOUREYES_DATABASE_URL", url)
    return engine


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result.output


def test_dead_letters_are_listed_with_why_the_longest_first(named: Engine) -> None:
    fail(named, PULL, 12)
    fail(named, LANDING, 14, "the installation is suspended")
    fail(named, COMMIT, 3)
    with storage.writing(named) as conn:
        conn.execute(insert(delivery_awaits).values(guid="g1", lane=PULL.key, gen=1))
    code, said = run("list")
    assert code == 0
    first, second = said.split("\nacme/shop")
    assert first.startswith("acme/infra  what landed on main: failed 14 times; next at ")
    assert "the installation is suspended" in first
    assert second.startswith(
        "  #412, commit aaaaaaa: failed 12 times, 1 delivery undecided; next at 2096-10-02T"
    )
    assert f"lane {PULL.key}" in second
    assert "bbbbbbb" not in said
    assert "commit bbbbbbb: failed 3 times" in run("list", "--failing")[1]
    assert [one["lane"] for one in json.loads(run("list", "ACME/infra", "--json")[1])] == [LANDING.key]


def test_branches_are_told_in_words(engine: Engine) -> None:
    for lane in (BRANCH, ALL):
        fail(engine, lane, 1)
    with storage.reading(engine) as conn:
        assert {one.about for one in failing(conn, 1)} == {"pull requests into next", "the default branch"}


def test_where_nothing_fails_it_says_so(named: Engine) -> None:
    assert run("list") == (0, "No dead letters.\n")
    assert run("list", "--failing") == (0, "Nothing fails.\n")
    assert json.loads(run("list", "--json")[1]) == []
    assert run("retry", "--all") == (0, "No dead letters.\n")


def test_a_retried_letter_is_due_at_once_and_counts_its_failures_on(named: Engine) -> None:
    fail(named, PULL, 12, after=86_400)
    fail(named, COMMIT, 2, after=86_400)
    code, said = run("retry", "--all")
    assert (code, said) == (0, "1 lane made due: a running server looks within a second.\n")
    with storage.writing(named) as conn:
        at = storage.now(conn)
        held = lanes.claim(conn, "w", at, 60_000)
        assert held is not None
        assert (held.lane, held.tries) == (PULL, 12)
        assert lanes.claim(conn, "w2", at, 60_000) is None, "what is not dead was not asked for"
        lanes.retry_later(conn, held, Retry("still"), at)
        assert [one.tries for one in failing(conn)] == [13]


def test_one_is_retried_by_its_lane_dead_or_not(named: Engine) -> None:
    fail(named, PULL, 2, after=86_400)
    assert json.loads(run("retry", PULL.key, "--json")[1]) == {"retried": 1, "lanes": [PULL.key]}
    with storage.reading(named) as conn:
        due = datetime.fromtimestamp(conn.execute(select(work.c.due_at)).scalar_one() / 1000, UTC)
    assert due.year < LATER_YEAR


def test_what_does_not_fail_is_not_retried(named: Engine) -> None:
    with storage.writing(named) as conn:
        lanes.wake(conn, PULL, 5)
    with pytest.raises(UserError, match="nothing fails in lane 9:"):
        run("retry", PULL.key)
    for wrong in (("retry",), ("retry", PULL.key, "--all")):
        with pytest.raises(click.UsageError, match="Name lanes"):
            run(*wrong)


def test_what_is_done_meanwhile_is_not_made_due(engine: Engine) -> None:
    fail(engine, PULL, 1)
    with storage.writing(engine) as conn:
        conn.execute(work.update().values(done_gen=work.c.gen))
        assert retry_now(conn, [PULL.key], 77) == 0
