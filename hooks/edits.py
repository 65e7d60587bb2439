"""The agents' edits that can have gone into a commit, out of the evidence store."""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from foureyes.hooks.commits import Commit
from foureyes.hooks.evidence import PENDING_SECONDS, Evidence
from foureyes.hooks.journal import Line
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_blobs
from foureyes.hooks.tool_events import UNKNOWN, UNSEEN, Event, Pending, Ref, Touched, by_end, state_of
from foureyes.shared.attribution import Edit
from foureyes.shared.line_trace import Hand
from foureyes.shared.stored_form import blob_ids, pointer

_MOST_LEFT = 64
_SEEN = {"edit": "agent-hook", "shell": "shell-snapshot"}


class Moment(NamedTuple):
    """When a commit's content stood fast: by the store's clock, None if no hook noted it, and in seconds since 1970."""

    tick: int | None
    at: int

    def precedes(self, tick: int, started: float) -> bool:
        """Whether a call that began then, by both clocks, surely began later."""
        if self.tick is not None and tick:
            return tick > self.tick
        return int(started) > self.at


def moment_of(commit: Commit, lines: Sequence[Line]) -> Moment:
    """The committer's time can be set at will, the hooks' own cannot; where both are known, the later one holds."""
    return Moment(tick_of(lines), max([commit.committed_at, *(line.at for line in lines)]))


def tick_of(lines: Sequence[Line]) -> int | None:
    return max((line.reached for line in lines if line.reached is not None), default=None)


class Result(NamedTuple):
    """What an edit left of a path. `blobs` are the ids that it can be committed under, "" for no file; `ended` is the
    tick by which it can have ended, or 0, and `after` is the time then in seconds since 1970. `carried`: the next edit
    in the list began with just this.
    """

    path: str
    blobs: frozenset[str]
    ended: int
    after: float
    carried: bool


@dataclass(frozen=True)
class Found:
    """`unread` are paths that an agent changed in a way that cannot be followed: content too large, or collected.
    `elsewhere` are edits of the same paths in other worktrees, from where a stash may have brought them. `results` are
    of all edits of the unread paths, path by path. `open` are those of the unread that a call of whose end nothing was
    heard may have changed: it has not landed anywhere. `borrowed` are paths of which all `edits` are other worktrees'.
    `uncommitted` are the edits of the worktree, of whatever paths, that began after the commit's parent was made.
    """

    edits: tuple[Edit, ...]
    unread: frozenset[str]
    elsewhere: tuple[Edit, ...] = ()
    results: tuple[Result, ...] = ()
    open: frozenset[str] = frozenset()
    borrowed: frozenset[str] = frozenset()
    uncommitted: tuple[Edit, ...] = ()

    def results_of(self, path: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.path == path)

    def given_back(self, names: Collection[str]) -> "Found":
        """With what is borrowed of these paths among what happened elsewhere."""
        back = self.borrowed.intersection(names)
        theirs = tuple(edit for edit in self.edits if edit.path in back)
        own = tuple(edit for edit in self.edits if edit.path not in back)
        return replace(self, edits=own, elsewhere=(*self.elsewhere, *theirs))


class Edits:
    """All that is known of some paths, and of all others since a tick, read once for a batch of commits."""

    def __init__(self, repo: Repo, paths: Collection[str], since: float) -> None:
        self._repo = repo
        self._evidence = Evidence(repo.home)
        self._all = [(event, touched) for event in self._evidence.events() for touched in event.touched]
        self._events = [(event, touched) for event, touched in self._all if touched.path in paths]
        self._late = sorted((one for one in self._all if _begun(one) > since), key=_begun)
        self._blobs: dict[str, bytes] = {}
        self._read_blobs([*self._events, *self._late])
        self._contents: dict[str, bytes | None] = {}
        self._open = self._evidence.open_calls()

    def _read_blobs(self, chosen: Sequence[tuple[Event, Touched]]) -> None:
        refs = {ref for _, touched in chosen for ref in (touched.before, touched.after) if ref}
        self._blobs |= read_blobs(self._repo, (ref[2:] for ref in refs if ref.startswith("g:")))

    def left(self, changed: Mapping[str, str], worktrees: Set[str], until: Moment) -> tuple[str, ...]:
        """Paths of files that agents left in worktrees and that a commit did not change, the last ones first."""
        found: dict[str, Ref] = {}
        for event, touched in reversed(self._all):
            here = event.worktree in worktrees and touched.path not in changed
            if here and not until.precedes(event.tick_started, event.started):
                found.setdefault(touched.path, touched.after)
        return tuple(path for path, ref in found.items() if ref is not None)[:_MOST_LEFT]

    def of(self, names: Collection[str], worktrees: Set[str], until: Moment) -> tuple[Edit, ...]:
        """Edits of these paths in worktrees that began by `until`, in order."""
        chosen = [
            (event, touched)
            for event, touched in self._all
            if event.worktree in worktrees
            and touched.path in names
            and not until.precedes(event.tick_started, event.started)
        ]
        self._read_blobs(chosen)
        return self._resolve(chosen, None, until).edits

    def for_commit(
        self, changed: Mapping[str, str], worktrees: Set[str], until: Moment, parent: int | None
    ) -> Found:
        """Edits that began by `until` of the paths that a commit changed, given with the blob that it has of each, in
        order. Those of the worktree in which the commit was made (of all in which the very same one was); of the others
        only for paths that were not edited there. Those that began after `parent`, the tick of the commit's parent, are
        fresh.
        """
        candidates = [
            (e, t)
            for e, t in self._events
            if t.path in changed and not until.precedes(e.tick_started, e.started)
        ]
        here = {touched.path for event, touched in candidates if event.worktree in worktrees}
        chosen = [(e, t) for e, t in candidates if e.worktree in worktrees or t.path not in here]
        others = [(e, t) for e, t in candidates if e.worktree not in worktrees and t.path in here]
        found = self._resolve(chosen, parent, until)
        elsewhere = self._resolve(others, parent, until).edits if others else ()
        open_calls = (call for call in self._open if call.worktree in worktrees and _is_open_at(call, until))
        open_ = frozenset(path for call in open_calls for path in self._may_have_changed(call, changed))
        borrowed = frozenset(edit.path for edit in found.edits) - here
        fresh = self._between(parent, until, worktrees) if parent is not None else []
        return replace(
            found,
            elsewhere=elsewhere,
            unread=found.unread | open_,
            open=open_,
            borrowed=borrowed,
            uncommitted=self._resolve(fresh, parent, until).edits if fresh else (),
        )

    def _between(self, parent: int, until: Moment, worktrees: Set[str]) -> list[tuple[Event, Touched]]:
        first = bisect_right(self._late, parent, key=_begun)
        last = bisect_right(self._late, math.inf if until.tick is None else until.tick, key=_begun)
        chosen = (
            (e, t)
            for e, t in self._late[first:last]
            if e.worktree in worktrees and not until.precedes(e.tick_started, e.started)
        )
        return sorted(chosen, key=lambda one: by_end(one[0]))

    def _may_have_changed(self, call: Pending, changed: Mapping[str, str]) -> Iterator[str]:
        """All but what it found there already: it still runs, or was broken off."""
        for path, blob in changed.items():
            concerned = path in call.contents or call.kind != "edit"
            if concerned and blob not in self._blob_ids(call.contents.get(path, UNKNOWN)):
                yield path

    def _resolve(self, chosen: Sequence[tuple[Event, Touched]], parent: int | None, until: Moment) -> Found:
        edits: list[Edit] = []
        unread: set[str] = set()
        last: dict[str, bytes | None] = {}
        for event, touched in chosen:
            after_known, after = self._content(touched.after)
            before_known, before = self._content(touched.before)
            if not after_known or event.kind == UNSEEN:
                unread.add(touched.path)
                last.pop(touched.path, None)
                continue
            seen = _SEEN.get(event.kind, "shell-snapshot")
            if not before_known:
                unread.add(touched.path)  # who else changed it since the last edit cannot be told
                if touched.path not in last:
                    last[touched.path] = after
                    continue
                before, seen = last[touched.path], "shell-snapshot"
            last[touched.path] = after
            hand = Hand(event.agent, event.version, event.model, event.session, seen)
            fresh = parent is not None and event.tick_started > parent
            earlier = parent is not None and 0 < event.tick_ended <= parent
            edits.append(Edit(touched.path, before, after, hand, fresh, earlier))
        return Found(tuple(edits), frozenset(unread), results=tuple(self._results(chosen, unread, until)))

    def _results(
        self, chosen: Sequence[tuple[Event, Touched]], unread: Collection[str], until: Moment
    ) -> Iterator[Result]:
        for path in sorted(unread):
            here = [(event, touched) for event, touched in chosen if touched.path == path]
            for (event, touched), then in zip(here, [*here[1:], None], strict=True):
                yield Result(
                    path,
                    self._blob_ids(touched.after),
                    *_ended(event, until),
                    carried=then is not None
                    and then[0].worktree == event.worktree
                    and UNKNOWN != state_of(then[1].before) == state_of(touched.after),
                )

    def _blob_ids(self, ref: Ref) -> frozenset[str]:
        if ref is None:
            return frozenset({""})
        if ref.startswith("g:"):
            return frozenset({ref[2:]})
        fields = ref.split(":")
        if fields[0] == "t":
            stored = blob_ids(pointer(fields[3], int(fields[1]))) if len(fields) == 6 else ()
            return frozenset({*fields[4:], *stored})
        _, content = self._content(ref)
        if content is None:
            return frozenset()
        return blob_ids(content) | blob_ids(pointer(ref[2:], len(content)))

    def _content(self, ref: Ref) -> tuple[bool, bytes | None]:
        """Whether it is known, and what it is (None: there was no file)."""
        if ref is None:
            return True, None
        if ref not in self._contents:
            self._contents[ref] = self._read(ref)
        content = self._contents[ref]
        return content is not None, content

    def _read(self, ref: str) -> bytes | None:
        if ref.startswith("g:"):
            return self._blobs.get(ref[2:])
        return self._evidence.read(ref) if ref.startswith("s:") else None


def _begun(one: tuple[Event, Touched]) -> int:
    return one[0].tick_started


def _is_open_at(call: Pending, until: Moment) -> bool:
    return not until.precedes(call.tick, call.started) and until.at - call.started < PENDING_SECONDS


def _ended(event: Event, until: Moment) -> tuple[int, float]:
    """When a commit can first have landed what an edit left, as `Result` has it. What nobody saw may have ended long
    before that was told, but a commit from before it was told stays in doubt.
    """
    if event.kind != UNSEEN or until.tick is None or until.tick < event.tick_ended:
        return event.tick_ended, math.inf
    return event.tick_started, event.started
