"""Figures that are read from the database when someone asks, so that they hold over restarts and replicas."""

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from foureyes.github_app import alerts, decisions, inbox, lanes, storage


class Standing(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not need the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        with storage.reading(self._engine) as conn:
            depth = lanes.depth(conn, storage.now(conn))
            made = decisions.counts(conn)
            undecided = inbox.undecided(conn)
            raised = alerts.counts(conn)
        queue = GaugeMetricFamily("foureyes_heads", "Heads to look at, by state.", labels=["state"])
        for state in ("pending", "due", "running", "dead"):
            queue.add_metric([state], getattr(depth, state))
        yield queue
        yield GaugeMetricFamily(
            "foureyes_oldest_due_seconds",
            "How long the head that waits longest is overdue.",
            depth.oldest_due_ms / 1000,
        )
        yield GaugeMetricFamily("foureyes_undecided_deliveries", "Stored and not decided yet.", undecided)
        outcomes = CounterMetricFamily("foureyes_decisions", "Decisions, by outcome.", labels=["outcome"])
        for outcome, number in sorted(made.items()):
            outcomes.add_metric([outcome], number)
        yield outcomes
        found = CounterMetricFamily(
            "foureyes_alerts", "Alerts raised, by kind; grave: protected paths.", labels=["kind", "grave"]
        )
        for (kind, grave), number in sorted(raised.items()):
            found.add_metric([kind, "yes" if grave else "no"], number)
        yield found
