"""How an explanation looks as a check run, and when it needs no write."""

from datetime import UTC, datetime

import pytest

from foureyes.github_app.publish import NAME, OBSERVE, ended, face, grows_stale, newest, unread
from foureyes.github_app.pull_query import Check
from foureyes.shared.explanation import Explanation, Section
from foureyes.shared.verdict import Outcome

SATISFIES = {"success", "neutral", "skipped"}
"""Conclusions with which GitHub lets a required check pass."""


def told(outcome: Outcome, line: str = "why", click: bool = False) -> Explanation:
    return Explanation(outcome, "Title", (Section("Why", (line,)),), click=click)


@pytest.mark.parametrize("click", [False, True])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_a_pass_satisfies_a_required_check(outcome: Outcome, click: bool) -> None:
    shown = face(told(outcome, click=click), observe=False)
    assert shown.name == NAME
    assert (shown.conclusion in SATISFIES) == (outcome is Outcome.PASS)
    assert (shown.status == "completed") == bool(shown.conclusion)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_G59_observe_is_neutral_under_a_name_of_its_own(outcome: Outcome) -> None:
    shown = face(told(outcome), observe=True)
    assert (shown.name, shown.status, shown.conclusion) == (OBSERVE, "completed", "neutral")
    assert OBSERVE != NAME


@pytest.mark.parametrize(
    ("title", "told_as"),
    [
        ("Waiting: 1 of 2 humans", "Would wait: 1 of 2 humans"),
        ("Blocked: a conflict", "Would be blocked: a conflict"),
        ("Passed: 2 humans", "Would pass: 2 humans"),
        ("Error: no policy", "Error: no policy"),
    ],
)
def test_G59_observe_says_what_would_be_and_that_nothing_waits(title: str, told_as: str) -> None:
    shown = face(Explanation(Outcome.WAIT, title, (Section("Why", ("because",)),)), observe=True)
    assert shown.title == told_as
    assert shown.summary.startswith("**Only observed:** nothing waits for this check")
    assert "because" in shown.summary


@pytest.mark.parametrize("shown", [ended(), unread()])
def test_what_replaces_a_success_satisfies_nothing(shown: object) -> None:
    assert getattr(shown, "conclusion", None) not in SATISFIES


def check(shown: object, **over: object) -> Check:
    parts = {
        "id": 1,
        "name": NAME,
        "status": "completed",
        "conclusion": "success",
        "external_id": shown.external_id,
    }  # type: ignore[attr-defined]
    return Check(**{**parts, **over})  # type: ignore[arg-type]


def test_unchanged_is_what_github_shows() -> None:
    shown = face(told(Outcome.PASS), observe=False)
    assert shown.is_shown_by(check(shown))
    assert not shown.is_shown_by(None)
    assert not shown.is_shown_by(check(shown, conclusion="stale"))
    assert not shown.is_shown_by(check(shown, status="in_progress", conclusion=""))
    assert not face(told(Outcome.PASS, "another"), observe=False).is_shown_by(check(shown))


def test_the_newest_of_a_name_is_the_one_that_counts() -> None:
    shown = face(told(Outcome.PASS), observe=False)
    checks = [check(shown, id=3), check(shown, id=9), check(shown, id=12, name=OBSERVE)]
    found = newest(checks, NAME)
    assert found is not None
    assert found.id == 9
    assert newest([], NAME) is None


@pytest.mark.parametrize(
    ("status", "started_at", "stale"),
    [
        ("in_progress", "2026-01-01T00:00:00Z", True),
        ("in_progress", "2026-01-03T00:00:00Z", False),
        ("completed", "2026-01-01T00:00:00Z", False),
        ("in_progress", "", False),
        ("in_progress", "not a time", True),
    ],
)
def test_a_wait_is_renewed_before_github_calls_it_stale(status: str, started_at: str, stale: bool) -> None:
    at = int(datetime(2026, 1, 14, tzinfo=UTC).timestamp() * 1000)
    assert grows_stale(Check(1, NAME, status, "", "x", started_at), at) is stale
    assert not grows_stale(None, at)
