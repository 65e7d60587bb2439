"""A scan as JSON; docs/scan.md names the fields."""

from typing import Any

from foureyes.hooks.on_screen import day
from foureyes.hooks.scan_count import Deletion, Kind, Sum
from foureyes.hooks.scan_report import FORMAT, Report


def as_json(report: Report) -> dict[str, Any]:
    """Names of people only where they were asked for; line counts are null where lines could not be counted."""
    tally, scanned = report.tally, report.scanned
    whole: dict[str, Any] = {
        "format": FORMAT,
        "repository": scanned.repository,
        "branch": scanned.branch,
        "tip": scanned.tip,
        "since": scanned.since or None,
        "complete": scanned.complete,
        "first_commit": day(tally.first) or None,
        "last_commit": day(tally.last) or None,
        "commits": report.commits,
        "merge_commits": {"all": tally.merges, "naming_agents": tally.merges_by_agents},
        "classes": {kind.value: _sum(report, found) for kind, found in tally.by_kind.items()},
        "agents": [
            {
                "id": agent,
                "name": report.name(agent),
                **_sum(report, found),
                "known_by": dict(sorted(found.known_by.items())),
                "models": dict(sorted(found.models.items())),
            }
            for agent, found in report.agents
        ],
        "months": [
            {"month": month, **{kind.value: _sum(report, kinds[kind]) for kind in Kind}}
            for month, kinds in report.months
        ],
        "without_date": sum(found.commits for found in tally.months.get("", {}).values()),
        "policy": report.policy_from or None,
        "protected": [
            {"system": name, "tier": place.tier, **_sum(report, place), "files_deleted": place.files_deleted}
            for name, place in report.systems
        ],
        "folders": [
            {"folder": name, **_sum(report, place), "files_deleted": place.files_deleted}
            for name, place in report.folders[: report.top]
        ],
        "suggested": list(report.suggested),
        "merges": _merges(report),
        "largest_deletions": [_deletion(report, found) for found in report.deletions],
        "notes": list(scanned.notes),
    }
    if report.people:
        whole["people"] = [
            {"name": name, **_sum(report, found)} for name, found in report.authors[: report.top]
        ]
    return whole


def _sum(report: Report, found: Sum) -> dict[str, int | None]:
    lines = report.lines_counted
    return {
        "commits": found.commits,
        "added": found.added if lines else None,
        "deleted": found.deleted if lines else None,
    }


def _merges(report: Report) -> dict[str, Any] | None:
    waits = report.waits
    if waits is None:
        return None
    return {
        "looked_at": waits.looked_at,
        "how": dict(sorted(waits.by_how.items())),
        "naming_agents": waits.with_agents,
        "would_wait_for_two": waits.for_two,
        "would_wait_for_one": waits.for_one,
        "reasons": dict(sorted(waits.reasons.items())),
        "systems": dict(sorted(waits.systems.items())),
    }


def _deletion(report: Report, found: Deletion) -> dict[str, Any]:
    told: dict[str, Any] = {
        "commit": found.commit,
        "date": day(found.at) or None,
        "class": found.kind.value,
        "agents": list(found.agents),
        "lines": found.lines if report.lines_counted else None,
        "files": found.files,
        "mostly_in": found.mostly_in,
    }
    if report.people:
        told |= {"author": found.author, "title": found.title}
    return told
