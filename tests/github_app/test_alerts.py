"""Alerts are kept once, listed, counted and told."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support_database import migrated

from foureyes.github_app import alerts, storage
from foureyes.github_app.alerts import Alert, Kind
from foureyes.github_app.alerts_command import command
from foureyes.github_app.metrics import Standing

LANDED = Alert(
    5, "acme/shop", Kind.BYPASS, "refs/heads/main", "a" * 40, "Alert: #3 merged without 1 of 2 approvals",
    "**What happened:** @noor merged it.\n\n**Now:** look.", True, 3, "01D",
)  # fmt: skip
NOTE = Alert(6, "acme/other", Kind.DIRECT, "refs/heads/main", "b" * 40, "Alert: pushed", "text", False)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "foureyes.sqlite3"
    monkeypatch.setenv("FOUREYES_DATABASE_URL", f"sqlite:///{file}")
    with migrated(f"sqlite:///{file}") as engine, storage.writing(engine) as conn:
        assert alerts.keep(conn, LANDED, 1_700_000_000_000)
        assert not alerts.keep(conn, LANDED, 1_700_000_000_009)
        assert alerts.keep(conn, NOTE, 1_700_000_001_000)
    return file


def test_the_command_tells_each_alert_with_its_text(database: Path) -> None:
    told = CliRunner().invoke(command, standalone_mode=False)
    assert told.return_value == 0
    first, *_rest, last, text = told.output.splitlines()
    assert first == "2023-11-14T22:13:20Z  acme/shop  aaaaaaa  #3 merged without 1 of 2 approvals"
    assert last == "2023-11-14T22:13:21Z  acme/other  bbbbbbb  pushed (nothing protected)"
    assert text.strip() == "text"


def test_the_command_answers_in_json_for_one_repository(database: Path) -> None:
    told = CliRunner().invoke(command, ["ACME/Shop", "--json"], standalone_mode=False)
    (one,) = json.loads(told.output)
    assert (one["commit"], one["kind"], one["pull"], one["grave"]) == ("a" * 40, "bypass", 3, True)
    assert one["raised_at"] == "2023-11-14T22:13:20Z"
    none = CliRunner().invoke(command, ["acme/none"], standalone_mode=False)
    assert none.output == "No alerts.\n"


def test_metrics_count_them_by_kind(database: Path) -> None:
    engine = storage.connect(f"sqlite:///{database}")
    found = {family.name: family for family in Standing(engine).collect()}
    samples = {(s.labels["kind"], s.labels["grave"]): s.value for s in found["foureyes_alerts"].samples}
    assert samples == {("bypass", "yes"): 1, ("direct push", "no"): 1}
    engine.dispose()


def test_what_no_check_shows_yet_is_found_until_one_does(database: Path) -> None:
    engine = storage.connect(f"sqlite:///{database}")
    with storage.writing(engine) as conn:
        (waiting,) = alerts.unshown(conn, 5, [Kind.BYPASS])
        alerts.set_check_run(conn, waiting.id, 77)
        assert alerts.unshown(conn, 5, [Kind.BYPASS]) == ()
        assert alerts.listed(conn, "acme/shop")[0].check_run_id == 77
    engine.dispose()
