"""Figures for Prometheus. Those of this process are counted as it works (`Figures`); those of the whole service are
read from the database when someone asks (`Standing`), so that each replica tells the same and restarts change nothing.
"""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foureyes.github_app import alerts, inbox, lanes, storage
from foureyes.shared.evaluate import VERSION
from foureyes.shared.verdict import Verdict

_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where processes that share one port (gunicorn) keep their counts, so that each tells the sum of all."""

_ACKNOWLEDGING = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LOOKING = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Figures:
    """What this process counts. One per process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        shared = bool(os.environ.get(_SHARED_FOLDER))
        if shared:
            MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        self._own = None if shared else self.registry
        self.deliveries = self._counter(
            "foureyes_deliveries", "Webhook requests, by event and by what became of them.", "event", "result"
        )
        self.acknowledging = self._histogram(
            "foureyes_acknowledge_seconds", "From a webhook's arrival to its answer.", _ACKNOWLEDGING
        )
        self.looks = self._histogram(
            "foureyes_look_seconds", "One look at a head or a branch, by how it ended.", _LOOKING, "result"
        )
        self.decisions = self._counter(
            "foureyes_decisions", "Decisions that were stored and shown, by outcome.", "outcome"
        )
        self.reasons = self._counter(
            "foureyes_decision_reasons", "Reasons in decisions, by their rule's outcome.", "outcome", "reason"
        )
        version = GaugeMetricFamily("foureyes_evaluator", "Which evaluator decides.", labels=["version"])
        version.add_metric([VERSION], 1)
        self.registry.register(_Fixed(version))
        ProcessCollector(registry=self.registry)

    def decided(self, verdict: Verdict) -> None:
        outcome = verdict.outcome.name.lower()
        self.decisions.labels(outcome).inc()
        found = {(v.outcome.name.lower(), reason.code) for v in verdict.walk() for reason in v.reasons}
        for pair in sorted(found):
            self.reasons.labels(*pair).inc()

    def text(self) -> bytes:
        """In Prometheus' own format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._own)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self._own)


class _Fixed(Collector):
    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


class Standing(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not need the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        up = "foureyes_database_up", "Whether the database answers; if not, nothing else of it is told."
        try:
            found = list(self._read())
        except SQLAlchemyError:
            return [GaugeMetricFamily(*up, 0)]
        return [GaugeMetricFamily(*up, 1), *found]

    def _read(self) -> Iterable[Metric]:
        with storage.reading(self._engine) as conn:
            depth = lanes.depth(conn, storage.now(conn))
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
        found = CounterMetricFamily(
            "foureyes_alerts", "Alerts raised, by kind; grave: protected paths.", labels=["kind", "grave"]
        )
        for (kind, grave), number in sorted(raised.items()):
            found.add_metric([kind, "yes" if grave else "no"], number)
        yield found
