"""One repository read for a scan: the history, then the last merges."""

import os
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.on_screen import day
from foureyes.hooks.repo import GitFailed, Repo
from foureyes.hooks.scan_asked import policy_at, policy_in, policy_of, since_when, suggest, tip_asked
from foureyes.hooks.scan_count import Look, Tally
from foureyes.hooks.scan_history import Depth, read_history
from foureyes.hooks.scan_merges import Waits, look_at_merges
from foureyes.hooks.scan_objects import Objects, open_objects
from foureyes.hooks.scan_progress import Bar, Interrupt, interrupts, progress_bar
from foureyes.hooks.scan_records import Records, read_told
from foureyes.hooks.scan_report import Report, Scanned
from foureyes.shared import paths
from foureyes.shared.diff import DiffError
from foureyes.shared.errors import UserError
from foureyes.shared.history_signs import HistorySigns
from foureyes.shared.markup import count
from foureyes.shared.policy import Policy


@dataclass(frozen=True)
class Asked:
    path: Path
    branch: str = ""
    since: str = ""
    policy: Path | None = None
    top: int = 10
    people: bool = False


def scan(asked: Asked) -> Report:
    """An interrupt ends the reading, and what was read until then is reported. Raises UserError: no repository, no
    such branch, a date or policy that cannot be read, a history that cannot.
    """
    repo = Repo.open(asked.path, bare_ok=True)
    since = since_when(repo, asked.since)
    given = policy_in(asked.policy) if asked.policy else None
    tip, branch = tip_asked(repo, asked.branch)
    with open_objects(repo) as objects, interrupts() as interrupt:
        source = given or policy_at(objects, tip)
        records = read_told(repo, objects, catalogue()) if tip else Records()
        look = Look(HistorySigns(catalogue()), records.by_commit)
        reading = _Reading(objects, tip, since, look, interrupt)
        tally = reading.history(source.policy, asked.top)
        suggested = () if source.policy else suggest(tally)
        waits = reading.merges(source.policy or policy_of(suggested))
    scanned = Scanned(
        repository=_name(repo),
        branch=branch,
        tip=tip,
        since=day(since),
        depth=reading.depth,
        complete=reading.complete,
        notes=tuple(filter(None, (source.note, *_notes(reading, tally, records)))),
    )
    names = {agent.id: agent.name for agent in catalogue().agents}
    return Report(scanned, tally, waits, source.where, suggested, names, asked.top, asked.people)


class _Reading:
    """As deep as the repository holds its history."""

    def __init__(
        self, objects: Objects, tip: str, since: int | None, look: Look, interrupt: Interrupt
    ) -> None:
        self.objects, self.tip, self.since, self.look, self.interrupt = objects, tip, since, look, interrupt
        self.depth = {"": Depth.LINES, "blob": Depth.PATHS}.get(objects.missing, Depth.COMMITS)
        self.complete = True
        self.missing = ""
        """What git said when it could not read as deep as the clone seemed to be."""
        self.notes: list[str] = []

    def history(self, policy: Policy | None, keep: int) -> Tally:
        """Where objects are missing, once more and less deep. Raises UserError."""
        while True:
            tally = Tally(self.look, policy, self.objects.boundary, keep)
            try:
                with progress_bar(self._count) as bar:
                    self._read(tally, bar)
            except KeyboardInterrupt:
                self._interrupted(tally)
            except (GitFailed, DiffError) as error:
                if self.depth is Depth.COMMITS:
                    raise _unreadable(error) from error
                self.depth = Depth(self.depth - 1)
                self.missing = str(error)
                continue
            return tally

    def _read(self, tally: Tally, bar: Bar) -> None:
        if not self.tip:
            return
        for commit in read_history(self.objects, self.tip, self.since, self.depth):
            with self.interrupt.hold():
                tally.add(commit)
            bar()

    def _interrupted(self, tally: Tally) -> None:
        self.complete = False
        read = sum(found.commits for found in tally.by_kind.values()) + tally.merges
        self.notes.append(
            f"Interrupted after the newest {count(read, 'commit')}: the figures are of those alone."
        )

    def _count(self) -> int:
        since = () if self.since is None else (f"--max-age={self.since}",)
        counted = self.objects.ask("rev-list", "--count", *since, self.tip).out if self.tip else b""
        return int(counted) if counted.strip().isdigit() else 0

    def merges(self, policy: Policy | None) -> Waits | None:
        if policy is None or self.depth is Depth.COMMITS or not self.complete:
            return None
        try:
            return look_at_merges(self.objects, self.tip, self.since, self.look, policy)
        except KeyboardInterrupt:
            self.complete = False
            self.notes.append("Interrupted before the merges were looked at.")
        except (GitFailed, DiffError) as error:
            self.notes.append(f"The merges could not be read: {error}")
        return None


def _unreadable(error: Exception) -> UserError:
    return UserError(
        "the history could not be read to its end",
        why=str(error),
        next_step="`git fsck` says what is wrong with this repository",
    )


def _name(repo: Repo) -> str:
    if repo.work_tree is not None:
        return paths.decode(os.fsencode(repo.work_tree.name))
    folder = repo.git_dir.parent if repo.git_dir.name == ".git" else repo.git_dir
    return paths.decode(os.fsencode(folder.name.removesuffix(".git")))


def _notes(reading: _Reading, tally: Tally, records: Records) -> list[str]:
    objects, notes = reading.objects, list(reading.notes)
    if objects.boundary:
        cut = (
            f", and the lines of {count(tally.cut_off, 'commit')} at its edge are not known"
            if tally.cut_off
            else ""
        )
        notes.append(
            f"A shallow clone: older commits are not here{cut}. `git fetch --unshallow` brings them."
        )
    what = "lines" if reading.depth is Depth.PATHS else "lines and paths"
    if reading.missing:
        notes.append(f"Objects are missing here, so {what} are not counted. {reading.missing}")
    elif reading.depth < Depth.LINES:
        notes.append(
            f"A partial clone: {what} are not counted, for that would fetch what is not here. Scan a whole clone."
        )
    if objects.grafted:
        notes.append("Grafts and replace refs are passed over: this is the history that everyone else has.")
    if records.refused:
        notes.append(
            f"{count(records.refused, 'record')} could not be used: not readable, or of another tree."
        )
    if tally.binary:
        notes.append(
            f"{count(tally.binary, 'change')} to binary files by agents: their lines are not counted."
        )
    return notes
