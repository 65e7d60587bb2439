"""docs/deploy/alerts.yml: each rule can be read, names only what the server tells, fires when it must and not before."""

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from support_database import migrated
from support_git import CHECKOUT
from support_promql import Series, evaluate, key, matches, names, selectors, series

from foureyes.github_app import alerts, storage
from foureyes.github_app.lanes import Claim, Done, Lane, Outcome, Retry
from foureyes.github_app.metrics import Figures, Standing
from foureyes.github_app.spending import Spending
from foureyes.github_app.working import timed
from foureyes.shared.verdict import Outcome as VerdictOutcome
from foureyes.shared.verdict import Reason, Verdict

FILE = CHECKOUT / "docs" / "deploy" / "alerts.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]
]
NOT_OURS = {"up"}
MINUTES = 120

# For each rule: series that must make it fire at the end of two hours, in promtool's notation, one value a minute.
BAD = {
    "FoureyesDown": {'up{job="foureyes"}': "1x60 0x60"},
    "FoureyesDatabaseDown": {"foureyes_database_up": "1x60 0x60"},
    "FoureyesNotStoring": {'foureyes_deliveries_total{event="push",result="failed"}': "0x60 0+1x60"},
    "FoureyesNobodyWorks": {
        "foureyes_oldest_due_seconds": "0x60 0+60x60", 'foureyes_heads{state="running"}': "0x120"},
    "FoureyesBehind": {"foureyes_oldest_due_seconds": "0x60 601x60"},
    "FoureyesDeadLetters": {'foureyes_heads{state="dead"}': "0x60 1x60"},
    "FoureyesLooksFail": {
        'foureyes_look_seconds_count{result="again"}': "0x60 0+6x60", 'foureyes_look_seconds_count{result="done"}': "0+5x120"},
    "FoureyesGitHubFails": {
        'foureyes_github_requests_total{result="failed"}': "0x60 0+30x60",
        'foureyes_github_requests_total{result="ok"}': "0+100x120"},
    "FoureyesBudgetLow": {
        'foureyes_github_budget_remaining{installation="7",resource="core"}': "5000-50x120",
        'foureyes_github_budget_remaining{installation="8",resource="core"}': "5000x120"},
    "FoureyesWebhooksLost": {'foureyes_swept_total{kind="pull request"}': "0x60 0+1x60"},
    "FoureyesRefusing": {'foureyes_deliveries_total{event="other",result="refused"}': "0x60 0+2x60"},
    "FoureyesSlowAcknowledgement": {
        'foureyes_acknowledge_seconds_bucket{le="2.5"}': "0+12x60 732+10x60", 'foureyes_acknowledge_seconds_bucket{le="5.0"}': "0+12x120",
        'foureyes_acknowledge_seconds_bucket{le="+Inf"}': "0+12x120"},
    "FoureyesSlowLooks": {
        'foureyes_look_seconds_bucket{result="done",le="60.0"}': "0+12x60 732+10x60",
        'foureyes_look_seconds_bucket{result="done",le="120.0"}': "0+12x120",
        'foureyes_look_seconds_bucket{result="done",le="+Inf"}': "0+12x120"},
    "FoureyesUnreadable": {'foureyes_decisions_total{outcome="broken"}': "0x60 0+1x60"},
    "FoureyesBypass": {'foureyes_alerts_total{kind="bypass",grave="yes",instance="a"}': "_x116 1x4"},
}  # fmt: skip

# A service at work, with a hiccup here and there: nothing fires.
GOOD = {
    'up{job="foureyes"}': "1x60 0x2 1x58",
    "foureyes_database_up": "1x60 0 1x60",
    'foureyes_deliveries_total{event="push",result="failed"}': "0x60 0 1x60",
    'foureyes_deliveries_total{event="other",result="refused"}': "0+1x120",
    'foureyes_deliveries_total{event="push",result="stored"}': "0+90x120",
    "foureyes_oldest_due_seconds": "5x60 130x3 5x60",
    'foureyes_heads{state="running"}': "2x120",
    'foureyes_heads{state="dead"}': "0x60 1x5 0x60",
    'foureyes_look_seconds_count{result="again"}': "0+1x120",
    'foureyes_look_seconds_count{result="done"}': "0+50x120",
    'foureyes_look_seconds_bucket{result="done",le="0.5"}': "0+50x120",
    'foureyes_look_seconds_bucket{result="done",le="60.0"}': "0+50x120",
    'foureyes_look_seconds_bucket{result="done",le="+Inf"}': "0+50x120",
    'foureyes_acknowledge_seconds_bucket{le="0.05"}': "0+90x120",
    'foureyes_acknowledge_seconds_bucket{le="2.5"}': "0+91x120",
    'foureyes_acknowledge_seconds_bucket{le="+Inf"}': "0+91x120",
    'foureyes_github_requests_total{result="failed"}': "0+1x120",
    'foureyes_github_requests_total{result="ok"}': "0+100x120",
    'foureyes_github_budget_remaining{installation="7",resource="core"}': "5000-20x120",
    'foureyes_github_budget_remaining{installation="0",resource="core"}': "10x120",
    'foureyes_swept_total{kind="pull request"}': "0 3x120",
    'foureyes_decisions_total{outcome="broken"}': "0x60 3x60",
    'foureyes_alerts_total{kind="bypass",grave="yes",instance="a"}': "4x120",
    'foureyes_alerts_total{kind="bypass",grave="no",instance="a"}': "4+1x120",
}


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)(s|m|h)", text)
    assert found
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def fires(rule: dict[str, Any], given: Series, at: float) -> bool:
    """As Prometheus does: the expression has held at every minute of `for`."""
    span = seconds(rule.get("for", "0s"))
    return all(
        any(not math.isnan(value) for value in evaluate(rule["expr"], given, at - back).values())
        for back in range(0, span + 1, 60)
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    file = tmp_path_factory.mktemp("figures") / "foureyes.sqlite3"
    with migrated(f"sqlite:///{file}") as engine:
        yield engine


class Asked:
    """What a GitHub and a sweep of a process have counted."""

    calls = {"ok": 5, "failed": 1, "limited": 1, "refused": 0, "held back": 0}  # noqa: RUF012
    woken = {"pull request": 1, "branch": 0, "records": 0, "delivery": 2}  # noqa: RUF012

    def budgets(self) -> dict[int, dict[str, int]]:
        return {7: {"core": 4000}}


@pytest.fixture(scope="module")
def scraped(engine: Engine) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Every series that a server tells after something of everything has happened to it."""
    figures = Figures()
    figures.registry.register(Standing(engine))
    figures.registry.register(Spending(Asked(), Asked()))  # type: ignore[arg-type]
    for result in ("stored", "repeated", "refused", "failed"):
        figures.deliveries.labels("push", result).inc()
    figures.acknowledging.observe(0.01)
    reasons = (Reason("policy-broken", ""),)
    figures.decided(
        Verdict("foureyes", VerdictOutcome.BROKEN, (), (Verdict("x", VerdictOutcome.BROKEN, reasons),))
    )
    claim = Claim(Lane(1, 2, "acme/shop", "a" * 40), 1, "o", 0)

    def fails(_: Claim) -> Outcome:
        raise RuntimeError

    for judge in (lambda _: Done(), lambda _: Retry("x")):
        timed(judge, figures)(claim)
    with pytest.raises(RuntimeError):
        timed(fails, figures)(claim)
    with storage.writing(engine) as conn:
        alerts.keep(
            conn, alerts.Alert(1, "acme/shop", "bypass", "refs/heads/main", "a" * 40, "t", "x", grave=True), 1
        )
    found = set()
    for family in text_string_to_metric_families(figures.text().decode()):
        found |= {(s.name, frozenset({**s.labels, "instance": "a"}.items())) for s in family.samples}
    return found


def test_each_rule_has_a_name_a_text_and_a_series_that_makes_it_fire() -> None:
    assert [rule["alert"] for rule in RULES] == list(BAD)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith((".", "foureyes alerts"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_it_names_only_what_the_server_tells(rule: dict[str, Any], scraped: set[Any]) -> None:
    assert names(rule["expr"])
    for selector in selectors(rule["expr"]):
        if selector.name in NOT_OURS:
            continue
        hits = [labels for name, labels in scraped if name == selector.name and matches(selector, labels)]
        assert hits, f"{selector.name} with these labels is never told"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_it_fires_when_it_must_and_not_before(rule: dict[str, Any], scraped: set[Any]) -> None:
    given = BAD[rule["alert"]]
    for written in given:
        name, labels = key(written)
        if name not in NOT_OURS:
            told = [dict(found) for other, found in scraped if other == name]
            assert told, f"{name} is made up"
            assert set(dict(labels)) <= set(told[0])
    assert fires(rule, series(given), MINUTES * 60)
    assert not fires(rule, series(given), 45 * 60)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_it_is_silent_while_the_service_does_well_and_where_nothing_is_told(rule: dict[str, Any]) -> None:
    for minute in range(20, MINUTES, 7):
        assert not fires(rule, series(GOOD), minute * 60)
    assert not fires(rule, {}, MINUTES * 60)


def test_each_rule_is_explained_with_what_to_do_and_the_other_way_round() -> None:
    page = (CHECKOUT / "docs" / "operations.md").read_text()
    explained = re.findall(r"^\| `(Foureyes[A-Za-z]+)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    assert explained == list(BAD)


def test_each_figure_is_explained_and_the_other_way_round(scraped: set[Any]) -> None:
    told = {
        re.sub(r"_(total|created|bucket|count|sum)$", "", name)
        for name, _ in scraped
        if name.startswith("foureyes_")
    }
    page = (CHECKOUT / "docs" / "operations.md").read_text()
    explained = re.findall(r"^\| `(foureyes_[a-z_]+)(?:\{[a-z, ]+\})?` \|", page, re.MULTILINE)
    assert {re.sub(r"_total$", "", name) for name in explained} == told


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed here")
def test_promtool_reads_and_evaluates_them_alike(tmp_path: Path) -> None:
    """Prometheus itself, on the same series."""

    def case(given: dict[str, str], firing: list[str]) -> dict[str, Any]:
        return {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in given.items()],
            "alert_rule_test": [],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}})',
                    "eval_time": f"{MINUTES}m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if rule["alert"] in firing else [],
                }
                for rule in RULES
                if not firing or rule["alert"] in firing
            ],
        }

    tests = [case(GOOD, []), *(case(given, [name]) for name, given in BAD.items())]
    shutil.copy(FILE, tmp_path / "alerts.yml")
    whole = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(whole))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
