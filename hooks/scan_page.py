"""A scan as one page without anything outside it: no scripts, no fonts, no pictures from elsewhere."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from foureyes.hooks.on_screen import day, printable
from foureyes.hooks.scan_count import Kind, Sum
from foureyes.hooks.scan_merges import AGENT, NO_RECORD
from foureyes.hooks.scan_plot import Column, columns
from foureyes.hooks.scan_report import Report, share
from foureyes.hooks.scan_text import LIMITS, policy_lines
from foureyes.shared.errors import UserError
from foureyes.shared.markup import count

_MONTHS = 36
_STYLE = {Kind.AI: "ai", Kind.CLAIMED: "claimed", Kind.HUMAN: "human", Kind.NONE: "none"}
_SHOWN = (Kind.AI, Kind.CLAIMED, Kind.HUMAN, Kind.NONE)


def write_page(file: Path, report: Report) -> None:
    """All of it or nothing. Raises UserError."""
    text = page(report)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as made:
            made.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(made.name).chmod(0o666 & ~mask)
        Path(made.name).replace(file)
    except OSError as error:
        raise UserError(
            f"the page was not written to {file}: {error.strerror or error}",
            next_step="name a file in a folder that you may write to",
        ) from error


def page(report: Report) -> str:
    scanned, tally = report.scanned, report.tally
    heading = f"{printable(scanned.repository)}: what agents wrote"
    span = f", {day(tally.first)} to {day(tally.last)}" if tally.first is not None else ""
    since = f", since {scanned.since}" if scanned.since else ""
    about = (
        f"{scanned.branch} at {scanned.tip[:10] or 'no commit'}: {count(report.commits, 'commit')} "
        f"and {count(tally.merges, 'merge')}{span}{since}"
    )
    template = Path(__file__).with_name("scan.html").read_text("utf-8")
    return Template(template).substitute(
        title=escape(heading),
        heading=escape(heading),
        about=escape(printable(about, 200)),
        body="\n".join(_body(report)) if report.commits else "<p>There are no commits here to look at.</p>",
        notes="\n".join(f"<li>{escape(printable(note, 400))}</li>" for note in (*scanned.notes, *LIMITS)),
    )


def _body(report: Report) -> Iterator[str]:
    yield f'<div class="tiles">{"".join(_tiles(report))}</div>'
    yield from _classes(report)
    yield from _months(report)
    yield from _agents(report)
    yield from _places(report)
    yield from _merges(report)
    yield from _deletions(report)
    if report.people and report.authors:
        yield _section("Authors beside an agent", _sums(report, "author", report.authors))


def _tiles(report: Report) -> Iterator[str]:
    kinds = report.tally.by_kind
    yield _tile(
        share(report.with_agents, report.commits), f"of commits name an agent ({report.with_agents:,})"
    )
    if report.lines_counted:
        yield _tile(f"+{kinds[Kind.AI].added + kinds[Kind.CLAIMED].added:,}", "lines added in them")
        yield _tile(f"−{kinds[Kind.AI].deleted + kinds[Kind.CLAIMED].deleted:,}", "lines deleted in them")
    if report.waits and report.waits.looked_at:
        of = f"of the last {count(report.waits.looked_at, 'merge')} would have waited for two humans"
        yield _tile(f"{report.waits.for_two:,}", of)


def _tile(figure: str, words: str) -> str:
    return f'<div class="tile"><b>{escape(figure)}</b><span class="soft">{escape(words)}</span></div>'


def _section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def _classes(report: Report) -> Iterator[str]:
    present = [(kind, report.tally.by_kind[kind]) for kind in _SHOWN if report.tally.by_kind[kind].commits]
    bar = "".join(
        f'<span class="{_STYLE[kind]}" style="flex:{found.commits}"></span>' for kind, found in present
    )
    rows = [(kind.value, found) for kind, found in present]
    yield _section(
        "Commits by what is known of their author",
        f'<div class="stack">{bar}</div>',
        _sums(report, "class", rows, [_STYLE[kind] for kind, _ in present]),
    )


def _months(report: Report) -> Iterator[str]:
    months = report.months[-_MONTHS:]
    if len(months) < 2:
        return
    of = f" (the last {_MONTHS} months)" if len(report.months) > _MONTHS else ""
    shown = [kind for kind in _SHOWN if any(kinds[kind].commits for _, kinds in months)]
    commits = [
        Column(
            month,
            tuple((_STYLE[kind], kinds[kind].commits) for kind in shown),
            (),
            _told(month, kinds, shown),
        )
        for month, kinds in months
    ]
    title = f"Commits by month{of}"
    legend = "".join(_key(_STYLE[kind], kind.value) for kind in shown)
    yield _section(title, f'<div class="legend">{legend}</div>', columns(commits, title))
    if report.lines_counted and report.with_agents:
        title = f"Lines in commits that name an agent, by month{of}"
        lines = [_lines_column(month, kinds) for month, kinds in months]
        legend = _key("claimed", "added") + _key("gone", "deleted")
        yield _section(title, f'<div class="legend">{legend}</div>', columns(lines, title))


def _told(month: str, kinds: dict[Kind, Sum], shown: Sequence[Kind]) -> str:
    return f"{month}: " + ", ".join(f"{kind.value} {kinds[kind].commits:,}" for kind in shown)


def _lines_column(month: str, kinds: dict[Kind, Sum]) -> Column:
    added = kinds[Kind.AI].added + kinds[Kind.CLAIMED].added
    deleted = kinds[Kind.AI].deleted + kinds[Kind.CLAIMED].deleted
    told = f"{month}: {added:,} added, {deleted:,} deleted"
    return Column(month, (("claimed", added),), (("gone", deleted),), told)


def _key(style: str, words: str) -> str:
    return f'<span><i class="{style}"></i>{escape(words)}</span>'


def _agents(report: Report) -> Iterator[str]:
    if not report.agents:
        return
    known = [
        ", ".join(f"{how} {n:,}" for how, n in found.known_by.most_common()) for _, found in report.agents
    ]
    rows = [(report.name(agent), found) for agent, found in report.agents]
    note = '<p class="soft">A commit that names two agents stands in both rows.</p>' if len(rows) > 1 else ""
    yield _section("Agents", _sums(report, "agent", rows, (), ("known by", known)), note)


def _places(report: Report) -> Iterator[str]:
    if report.policy_from:
        rows = [(f"{name} (tier {place.tier})", place) for name, place in report.systems]
        table = _sums(report, "system", rows) if rows else "<p>None, in commits that name an agent.</p>"
        where = printable(report.policy_from)
        yield _section(
            "Protected paths that agents touched", f'<p class="soft">By {escape(where)}.</p>', table
        )
    elif report.folders:
        lines = escape("\n".join(policy_lines(report.suggested)))
        hint = f"<p>To protect the first of them, in <code>.github/foureyes.yml</code>:</p><pre>{lines}</pre>"
        table = _sums(report, "folder", report.folders)
        yield _section("Folders that agents touched most", table, hint if report.suggested else "")


def _merges(report: Report) -> Iterator[str]:
    waits = report.waits
    if waits is None or not waits.looked_at:
        return
    under = (
        ""
        if report.policy_from
        else " if the folders in those lines were protected (workflows and git's settings always are)"
    )
    rest = waits.looked_at - waits.for_two - waits.for_one
    parts = (("claimed", waits.for_two), ("human", waits.for_one), ("none", rest))
    bar = "".join(f'<span class="{style}" style="flex:{n}"></span>' for style, n in parts if n)
    words = (
        f"{waits.for_two:,} would have waited for two humans{under}: {waits.reasons[AGENT]:,} because {AGENT}, "
        f"{waits.reasons[NO_RECORD]:,} because commits have no record, which people's own have once the hooks are "
        f"installed. {waits.for_one:,} would have waited for one human, {rest:,} for nobody."
    )
    systems = ", ".join(f"{printable(name)} {n:,}" for name, n in waits.systems.most_common(report.top))
    yield _section(
        f"The last {count(waits.looked_at, 'merge')}",
        f'<div class="stack">{bar}</div><div class="legend">{_key("claimed", "two humans")}'
        f"{_key('human', 'one human')}{_key('none', 'nobody')}</div>",
        f"<p>{escape(words)}</p>",
        f'<p class="soft">By system: {escape(systems)}</p>' if systems else "",
    )


def _deletions(report: Report) -> Iterator[str]:
    if not report.deletions:
        return
    most = max(found.lines for found in report.deletions) or 1
    rows = []
    for found in report.deletions:
        agents = ", ".join(report.name(agent) for agent in found.agents)
        title = f"{found.author}: {found.title}" if report.people else ""
        lines = f"{found.lines:,}" if report.lines_counted else "–"
        rows.append(
            f'<tr><td class="n">{lines}</td><td class="bar"><span class="gone" '
            f'style="width:{100 * found.lines / most:.1f}%"></span></td><td class="n">{found.files:,}</td>'
            f'<td><code>{found.commit[:10]}</code></td><td class="n">{day(found.at)}</td><td>{_text(agents)}</td>'
            f'<td class="name">{_text(found.mostly_in)}{f"<br>{_text(title)}" if title else ""}</td></tr>'
        )
    head = '<th class="n">lines</th><th class="bar"></th><th class="n">whole files</th><th>commit</th><th>date</th>'
    table = f"<table><tr>{head}<th>agent</th><th>mostly in</th></tr>{''.join(rows)}</table>"
    yield _section("Largest deletions in commits that name an agent", table)


def _sums(
    report: Report,
    title: str,
    rows: Sequence[tuple[str, Sum]],
    styles: Sequence[str] = (),
    last: tuple[str, Sequence[str]] | None = None,
) -> str:
    shown = rows[: report.top]
    most = max((found.commits for _, found in shown), default=0) or 1
    lines = '<th class="n">added</th><th class="n">deleted</th>' if report.lines_counted else ""
    end = f"<th>{escape(last[0])}</th>" if last else ""
    head = f'<th>{escape(title)}</th><th class="n">commits</th><th class="n">share</th><th class="bar"></th>'
    made = [f"<tr>{head}{lines}{end}</tr>"]
    for at, (name, found) in enumerate(shown):
        style = styles[at] if styles else "claimed"
        cells = f'<td class="name">{_text(name)}</td><td class="n">{found.commits:,}</td>'
        cells += f'<td class="n">{share(found.commits, report.commits)}</td>'
        cells += f'<td class="bar"><span class="{style}" style="width:{100 * found.commits / most:.1f}%"></span></td>'
        if report.lines_counted:
            cells += f'<td class="n">{found.added:,}</td><td class="n">{found.deleted:,}</td>'
        cells += f'<td class="soft">{escape(last[1][at])}</td>' if last else ""
        made.append(f"<tr>{cells}</tr>")
    more = f'<p class="soft">and {len(rows) - len(shown):,} more</p>' if len(rows) > len(shown) else ""
    return f"<table>{''.join(made)}</table>{more}"


def _text(text: str) -> str:
    return escape(printable(text))
