"""Figures of what GitHub was asked and of what the sweep found; what is left of each installation's budget."""

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from foureyes.github_app.client import GitHub
from foureyes.github_app.sweeper import Sweeper

RESULTS = ("ok", "refused", "failed", "limited", "held back")
WOKEN = ("pull request", "to be sure", "branch", "records", "delivery")


class Spending(Collector):
    """Of one process."""

    def __init__(self, github: GitHub, sweeper: Sweeper) -> None:
        self._github = github
        self._sweeper = sweeper

    def collect(self) -> Iterable[Metric]:
        asked = CounterMetricFamily(
            "foureyes_github_requests",
            "Requests to GitHub's API, by what came of them; held back: not sent, for the budget's sake.",
            labels=["result"],
        )
        for result in RESULTS:
            asked.add_metric([result], self._github.calls[result])
        yield asked
        left = GaugeMetricFamily(
            "foureyes_github_budget_remaining",
            "What GitHub last said is left of the hour; installation 0 is the App itself.",
            labels=["installation", "resource"],
        )
        for installation, resources in self._github.budgets().items():
            for resource, points in sorted(resources.items()):
                left.add_metric([str(installation), resource], points)
        yield left
        found = CounterMetricFamily(
            "foureyes_swept",
            "What the sweep found that no webhook had told, or not in time: looked at again, by kind.",
            labels=["kind"],
        )
        for kind in WOKEN:
            found.add_metric([kind], self._sweeper.woken.get(kind, 0))
        yield found
