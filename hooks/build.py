"""Records, built when they are first needed: what the journal, the evidence and the commits themselves tell, and what
is known of the commits that they were made from.
"""

from collections.abc import Iterable

from foureyes.hooks.batch import Batch
from foureyes.hooks.batch import Builder as Builder
from foureyes.hooks.commits import read_commits, read_diffs
from foureyes.hooks.journal import read_journal
from foureyes.hooks.lineage import CONTENT, Links
from foureyes.hooks.published import records_in_sight
from foureyes.hooks.rekey import find_links
from foureyes.hooks.renamed import Origins
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Record, RecordError, parse_record

_MOST_TURNS = 4


def build(repo: Repo, commits: Iterable[str], builder: Builder) -> dict[str, Record]:
    """The records of these commits, by id; a commit whose change cannot be read is left out. The number of processes
    does not depend on the number of commits.

    What they were made from, and has no record yet, was made from others in its turn.
    """
    asked = list(dict.fromkeys(commits))
    found = read_commits(repo, asked)
    wanted = {oid: found[oid] for oid in asked if oid in found}
    diffs = read_diffs(repo, list(wanted.values())) if wanted else {}
    wanted = {oid: wanted[oid] for oid in diffs}
    if not wanted:
        return {}
    journal = read_journal(repo.common_dir)
    agents = {oid for oid, lines in journal.items() if any(line.agent or line.marks for line in lines)}
    links: Links = {}
    origins: dict[str, Origins] = {}
    known, kept, looked_at = dict(wanted), dict[str, Record](), list(wanted.values())
    for _ in range(_MOST_TURNS):
        found_links, found_origins = find_links(repo, looked_at, diffs, journal)
        for oid, sources in found_links.items():
            links[oid] = {**sources, **links.get(oid, {})}
        origins |= found_origins
        others = (_sources(found_links) | set(found_links)) - known.keys()
        more = read_commits(repo, others)
        # Those that are not here any more, too: their records still tell what agents did.
        kept |= _kept(repo, others)
        if not more:
            break
        known |= more
        diffs |= read_diffs(repo, list(more.values()))
        # What is but alike, and no agent's, tells whether a person may have taken it over; that is all.
        followed = agents | _sources(found_links, but=CONTENT) | set(found_links)
        looked_at = [c for oid, c in more.items() if oid in diffs and oid not in kept and oid in followed]
    batch = Batch(repo, builder, known, diffs, journal, links, kept, frozenset(kept), origins)
    batch.read()
    return {oid: batch.record(oid) for oid in wanted}


def _sources(links: Links, *, but: str = "") -> set[str]:
    return {source for found in links.values() for source, how in found.items() if how != but}


def _kept(repo: Repo, commits: Iterable[str]) -> dict[str, Record]:
    kept = {}
    for oid, raw in records_in_sight(repo, commits).items():
        try:
            kept[oid] = parse_record(raw)
        except RecordError:
            continue  # of another version, or foreign: then the commit is looked at itself
    return kept
