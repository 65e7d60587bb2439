"""The workers of one process, with all that their looks share, and how long each look takes."""

import logging
import time

from sqlalchemy import Engine

from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Claim, Done, Outcome
from foureyes.github_app.metrics import Figures
from foureyes.github_app.retention import Retention
from foureyes.github_app.settings import Settings
from foureyes.github_app.worker import Judge, Workers

_log = logging.getLogger(__name__)


def make_workers(settings: Settings, engine: Engine, figures: Figures) -> Workers:
    return Workers(
        engine,
        timed(judge_with(settings, engine, figures=figures), figures),
        threads=settings.workers,
        lease_ms=settings.lease_seconds * 1000,
        sweep_seconds=settings.sweep_seconds,
        keep=Retention(settings.keep_deliveries_days, settings.keep_decisions_days),
    )


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
