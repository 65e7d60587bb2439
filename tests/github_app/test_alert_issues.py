"""`alert_issues`: one issue for each alert, never two, and none without the permission."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support_gate import SHOP, Gate, running_gate

from foureyes.github_app import storage, tables
from foureyes.github_app.alert_issues import LABEL
from foureyes.github_app.alerts_command import command
from foureyes.github_app.judge import judge_with
from foureyes.github_app.optional_permissions import optional_permissions, permission_findings
from foureyes.github_app.sandbox.state import Issue
from foureyes.shared.finding import State
from foureyes.shared.policy_text import parse_policy

POLICY = 'version: 1\nroster: ["@acme/engineers", "@acme/reviewers"]\nprotected: ["infra/**"]\n'


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        gate.push("noor", "main", gate.change({".github/foureyes.yml": POLICY + "alert_issues: true\n"}))
        gate.settle()
        forget_alerts(gate)
        yield gate


def forget_alerts(gate: Gate) -> None:
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.alert.delete())


def permit(gate: Gate) -> None:
    for installation in gate.sandbox.world.installations.values():
        installation.permissions["issues"] = "write"
    gate.judge = judge_with(gate.settings, gate.engine, gate.observe)


def past_the_gate(gate: Gate, path: str = "infra/network.tf") -> str:
    oid = gate.change({path: "past the gate\n"})
    gate.push("noor", "main", oid)
    gate.settle()
    return oid


def issues(gate: Gate) -> list[Issue]:
    return list(gate.sandbox.world.repositories[SHOP].issues.values())


def test_each_alert_has_one_issue_and_none_without_the_permission(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = past_the_gate(gate)
    assert issues(gate) == []
    assert not any(path.startswith("POST") and path.endswith("/issues") for path in gate.paths)
    permit(gate)
    second = past_the_gate(gate, "docs/notes.md")
    told, note = issues(gate)
    assert (told.title, told.labels) == ("Alert: pushed to main without a pull request", (LABEL,))
    assert "@noor brought" in told.body
    assert first in told.body
    assert second in note.body
    past_the_gate(gate, "docs/more.md")
    assert [issue.number for issue in issues(gate)] == [told.number, note.number, note.number + 1]
    monkeypatch.setenv("FOUREYES_DATABASE_URL", str(gate.engine.url))
    assert f"(issue #{told.number})" in CliRunner().invoke(command, standalone_mode=False).output


def test_an_issue_whose_answer_was_lost_is_found_and_not_opened_again(gate: Gate) -> None:
    permit(gate)
    body = {"title": "x", "body": "x", "labels": [LABEL]}
    gate.as_person("ben", "POST", f"/repos/{SHOP}/issues", body)
    gate.fault("lost-answer", "POST */issues", status=502)
    past_the_gate(gate)
    somebodys, opened = issues(gate)
    somebodys.body = opened.body  # edited, to pass for ours
    past_the_gate(gate, "docs/notes.md")
    with storage.reading(gate.engine) as conn:
        numbers = sorted(conn.execute(tables.alert.select()).mappings(), key=lambda row: row["raised_at"])
    assert [row["issue"] for row in numbers] == [opened.number, opened.number + 1]
    assert len(issues(gate)) == 3


def test_what_was_raised_long_ago_gets_no_issue(gate: Gate) -> None:
    past_the_gate(gate)
    with storage.writing(gate.engine) as conn:
        conn.execute(tables.alert.update().values(raised_at=tables.alert.c.raised_at - 8 * 24 * 3600 * 1000))
    permit(gate)
    recent = past_the_gate(gate, "docs/notes.md")
    (told,) = issues(gate)
    assert recent in told.body


def test_doctor_says_whether_the_app_could() -> None:
    asks = optional_permissions(parse_policy(POLICY + "alert_issues: true\nrequest_reviewers: true\n"))
    assert asks == {"alert_issues": "issues", "request_reviewers": "pull_requests"}
    granted = {"issues": "write", "pull_requests": "read"}
    assert {f.subject: f.state for f in permission_findings(asks, granted)} == {
        "alert_issues": State.GOOD,
        "request_reviewers": State.PROBLEM,
    }
    assert {f.state for f in permission_findings(asks, None)} == {State.UNKNOWN}
    assert list(permission_findings(optional_permissions(parse_policy(POLICY)), granted)) == []
