"""The workers of one process, with all that their looks share, and how long each look takes."""

import logging
import time
from functools import partial
from importlib.resources import files

from sqlalchemy import Engine

from foureyes.github_app.deps import make_deps
from foureyes.github_app.judge import judge_lane
from foureyes.github_app.lanes import Claim, Done, Outcome
from foureyes.github_app.metrics import Figures
from foureyes.github_app.retention import Retention
from foureyes.github_app.settings import Settings
from foureyes.github_app.spending import Spending
from foureyes.github_app.sweeper import Sweeper
from foureyes.github_app.worker import Judge, Workers
from foureyes.shared.agents import parse_catalogue

_log = logging.getLogger(__name__)


def make_workers(settings: Settings, engine: Engine, figures: Figures) -> Workers:
    catalogue = parse_catalogue((files("foureyes.shared") / "agents.json").read_text("utf-8"))
    deps = make_deps(settings, engine, catalogue, log_call, figures)
    sweeper = Sweeper(deps, settings.sweep_seconds)
    figures.registry.register(Spending(deps.github, sweeper))
    return Workers(
        engine,
        timed(partial(judge_lane, deps=deps), figures),
        threads=settings.workers,
        lease_ms=settings.lease_seconds * 1000,
        sweep_seconds=settings.sweep_seconds,
        errands=sweeper,
        keep=Retention(settings.keep_deliveries_days, settings.keep_decisions_days),
    )


def log_call(verb: str, path: str, status: int) -> None:
    """`status` 0: no answer."""
    _log.debug("%s %s: %s", verb, path, status or "no answer")


def timed(judge: Judge, figures: Figures) -> Judge:
    def look(claim: Claim) -> Outcome:
        start, result = time.perf_counter(), "failed"
        try:
            outcome = judge(claim)
            result = "done" if isinstance(outcome, Done) else "again"
            return outcome
        finally:
            took = time.perf_counter() - start
            figures.looks.labels(result).observe(took)
            _log.info("looked: %s, in %.0f ms", result, took * 1000)

    return look
