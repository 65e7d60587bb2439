"""A scan as a person reads it in a terminal."""

from collections.abc import Iterator, Sequence

import click

from foureyes.hooks.on_screen import columns, day, printable
from foureyes.hooks.scan_count import Kind, Sum
from foureyes.hooks.scan_merges import AGENT, NO_RECORD
from foureyes.hooks.scan_report import Report, share
from foureyes.shared.explanation import wrapped
from foureyes.shared.landing import How
from foureyes.shared.markup import count

_MONTHS = 18
_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉"
_PLURAL = {How.MERGE: "merge commits", How.SQUASH: "squashes", How.TRAILER: "by trailer"}
LIMITS = (
    "A lower bound: agents name themselves by default, one setting switches that off, and lines that a person "
    "commits for an agent look like a person's.",
    "(claimed): said by the commit or a note, which anyone can write. No record: nothing says who wrote it.",
)


def as_text(report: Report) -> Iterator[str]:
    """Lines, with colours that click takes out where there is no terminal."""
    yield from _head(report)
    if report.commits:
        for part in (_classes, _agents, _months, _places, _merges, _deletions, _people):
            yield from part(report)
    elif report.scanned.complete:
        yield "There are no commits here to look at."
    notes = (*report.scanned.notes, *LIMITS) if report.commits else report.scanned.notes
    if notes:
        yield ""
    for note in notes:
        yield from _wrapped(note)


def _head(report: Report) -> Iterator[str]:
    scanned, tally = report.scanned, report.tally
    span = f", {day(tally.first)} to {day(tally.last)}" if tally.first is not None else ""
    span += f", looked at since {scanned.since}" if scanned.since else ""
    merges = f" and {count(tally.merges, 'merge')}" if tally.merges else ""
    where = click.style(printable(scanned.repository), bold=True)
    yield f"{where} ({printable(scanned.branch)}): {count(report.commits, 'commit')}{merges}{span}"
    if report.commits:
        yield ""
        part = click.style(share(report.with_agents, report.commits), fg="yellow", bold=True)
        told = f"in {part} of the commits: {report.with_agents:,} of {report.commits:,}."
        yield f"An agent is named {told}" if report.with_agents else "No commit names an agent."


def _classes(report: Report) -> Iterator[str]:
    rows = [
        (kind.value, found)
        for kind, found in report.tally.by_kind.items()
        if found.commits or kind in (Kind.CLAIMED, Kind.NONE)
    ]
    yield from _table(report, "class", rows)


def _agents(report: Report) -> Iterator[str]:
    agents = report.agents
    if not agents:
        return
    known = [", ".join(f"{how} {n:,}" for how, n in found.known_by.most_common()) for _, found in agents]
    rows = [(report.name(agent), found) for agent, found in agents]
    yield from _table(report, "agent", rows, ("known by", known))


def _table(
    report: Report, title: str, rows: Sequence[tuple[str, Sum]], last: tuple[str, Sequence[str]] | None = None
) -> Iterator[str]:
    shown = rows[: report.top]
    figures = 44 if report.lines_counted else 18
    names = [printable(name, max(columns() - figures, 20) if columns() else 80) for name, _ in shown]
    width = max(20, *(len(name) for name in names), len(title)) if names else 20
    head = f"{title:<{width}} {'commits':>9} {'share':>7}"
    if report.lines_counted:
        head += f" {'added':>12} {'deleted':>12}"
    yield ""
    yield _dim(head + (f"   {last[0]}" if last else ""))
    for at, (name, (_, found)) in enumerate(zip(names, shown, strict=True)):
        line = f"{name:<{width}} {found.commits:>9,} {share(found.commits, report.commits):>7}"
        if report.lines_counted:
            line += f" {found.added:>12,} {found.deleted:>12,}"
        yield line + (f"   {last[1][at]}" if last else "")
    if len(rows) > len(shown):
        yield _dim(f"and {len(rows) - len(shown):,} more (--top)")


def _months(report: Report) -> Iterator[str]:
    months = report.months[-_MONTHS:]
    if len(months) < 2 or not report.with_agents:
        return
    yield ""
    yield _dim("commits in which an agent is named, by month")
    for month, kinds in months:
        every = sum(found.commits for found in kinds.values())
        agents = kinds[Kind.AI].commits + kinds[Kind.CLAIMED].commits
        bar = click.style(f"{_bar(agents, every):<{_BAR}}", fg="yellow")
        yield f"{month}  {bar} {share(agents, every):>6}  {agents:,} of {every:,}" if every else f"{month}"


def _bar(part: int, whole: int) -> str:
    eighths = max(round(_BAR * 8 * part / whole), 1) if part and whole else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _places(report: Report) -> Iterator[str]:
    if report.policy_from:
        yield ""
        yield f"Protected paths by {printable(report.policy_from)}, as agents touched them:"
        if not report.systems:
            yield "  none was touched in a commit that names an agent"
        for name, place in report.systems[: report.top]:
            yield f"  {printable(name)} (tier {place.tier}): {_touched(report, place)}"
        return
    if report.folders:
        yield from _table(report, "folders agents touched most", report.folders)
    if report.suggested:
        yield ""
        yield "No policy yet. These lines in .github/foureyes.yml protect those folders:"
        for line in policy_lines(report.suggested):
            yield click.style(f"  {line}", fg="cyan")


def policy_lines(patterns: Sequence[str]) -> list[str]:
    """The shortest policy. JSON's strings are YAML's."""
    import json

    listed = ", ".join(json.dumps(pattern, ensure_ascii=False) for pattern in patterns)
    return ["version: 1", 'roster: ["@YOUR-ORG/YOUR-TEAM"]', f"protected: [{listed}]"]


def _touched(report: Report, found: Sum) -> str:
    lines = f", +{found.added:,} -{found.deleted:,} lines" if report.lines_counted else ""
    return f"{count(found.commits, 'commit')}{lines}"


def _merges(report: Report) -> Iterator[str]:
    waits = report.waits
    if waits is None:
        return
    yield ""
    if not waits.looked_at:
        yield "No merges or pull requests are to be seen in this branch."
        return
    under = "" if report.policy_from else ", were those folders protected"
    if waits.for_two and not report.policy_from:
        under += " (workflows and git's settings always are)"
    two = click.style(f"{waits.for_two:,} would have waited for two humans", bold=True)
    how = ", ".join(count(n, name, _PLURAL[How(name)]) for name, n in waits.by_how.most_common())
    yield wrapped(f"Of the last {count(waits.looked_at, 'merge')} ({how}), {two}{under}.", columns())
    if waits.for_two:
        without = f"{waits.reasons[NO_RECORD]:,} because commits have no record"
        yield wrapped(f"  {waits.reasons[AGENT]:,} because {AGENT}; {without}", columns())
        systems = ", ".join(f"{printable(name)} {n:,}" for name, n in waits.systems.most_common(report.top))
        yield wrapped(f"  by system: {systems}", columns())
        if waits.reasons[NO_RECORD]:
            hint = "  With the hooks installed, people's own commits have a record and wait for fewer."
            yield wrapped(hint, columns())
    if waits.for_one:
        yield f"  {waits.for_one:,} more for one human"


def _deletions(report: Report) -> Iterator[str]:
    if not report.deletions:
        return
    yield ""
    yield _dim("largest deletions in commits that name an agent")
    for found in report.deletions:
        size = [f"{found.lines:,} lines"] if report.lines_counted else []
        size += [count(found.files, "whole file")] if found.files else []
        agents = ", ".join(report.name(agent) for agent in found.agents)
        where = printable(found.mostly_in, max(columns() - 70, 20) if columns() else 80)
        yield f"{', '.join(size):>28}   {found.commit[:10]}  {day(found.at)}  {agents}, mostly in {where}"
        if report.people:
            yield f"{'':>28}   {printable(found.author)}: {printable(found.title)}"


def _people(report: Report) -> Iterator[str]:
    if report.people and report.authors:
        yield from _table(report, "author beside an agent", report.authors)


def _dim(text: str) -> str:
    return click.style(text, dim=True)


def _wrapped(text: str) -> list[str]:
    return click.wrap_text(text, width=columns() or 100, initial_indent="- ", subsequent_indent="  ").split(
        "\n"
    )
