"""Who wrote, and who removed, each line of a commit.

Every line carries a label through the edits that agents were seen to make. What changed between two of those edits,
or between the last one and the commit, was somebody else. In the end git's own hunks say which lines count.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from foureyes.shared.diff import FileDiff
from foureyes.shared.line_trace import Hand, Trace, bare, split, squeezed
from foureyes.shared.record import Contributor
from foureyes.shared.stored_form import are_comparable, as_stored

Contents: TypeAlias = Mapping[str, tuple[bytes | None, bytes | None]]
"""Path -> content before and after the commit; None: absent."""

_CONFIDENCE = {"agent-hook": "high", "shell-snapshot": "medium"}
_MAX_COMPARED = 64
_SIMILAR = 0.5
_TELLING = 3
"""Characters that a line must have to tell where it comes from: a bare bracket is written by everyone."""


@dataclass(frozen=True)
class Edit:
    """One change of one file by an agent, as its hooks saw it. None: the file was absent. The same content before and
    after: only its mode was changed.
    """

    path: str
    before: bytes | None
    after: bytes | None
    hand: Hand
    fresh: bool = False
    """It began after the commit's parent was made: its result cannot have landed there."""
    earlier: bool = False
    """It had ended when the commit's parent was made."""


@dataclass(frozen=True)
class Committing:
    """Who ran `git commit`, as the journal has it: an agent, or `witnessed` and no agent, or nobody saw it."""

    agent: Hand | None = None
    witnessed: bool = False


def is_telling(line: bytes) -> bool:
    """Whether it tells where it comes from."""
    return len(line.strip()) >= _TELLING


def wanted(diffs: Sequence[FileDiff], edits: Sequence[Edit]) -> tuple[str, ...]:
    """Paths whose contents `attribute` needs: all else can be told from the hunks."""
    edited = {edit.path for edit in edits if edit.before != edit.after}
    return tuple(
        diff.change.path for diff in diffs if diff.change.status == "M" and diff.change.path in edited
    )


def attribute(
    diffs: Sequence[FileDiff],
    edits: Sequence[Edit],
    contents: Contents,
    committing: Committing,
    elsewhere: Sequence[Edit] = (),
    unread: Set[str] = frozenset(),
) -> tuple[Contributor, ...]:
    """Every changed line of the commit, each exactly once, as ranges per hunk side; and as such each changed entry
    without lines (binary, empty, mode alone), and one whose mode an agent changed beside its lines.

    `edits` in the order they happened, best without those made after the commit; earlier ones that have landed do
    no harm. `elsewhere` are edits of the same paths in other worktrees. `unread` are paths that agents also changed in
    a way that cannot be followed. `contents` for the paths of `wanted`; raises KeyError if one is missing.

    A person can have staged what an agent wrote or removed, and the agent can have undone it before the commit was
    made: a line that may have come about in this way is `unknown`, never `human`.
    """
    needed = set(wanted(diffs, edits))
    known = {
        d.change.path: contents[d.change.path] if d.change.path in needed else _contents(d) for d in diffs
    }
    by_path, away = _by_path(edits, known), _by_path(elsewhere, known)
    traces = {path: _follow(known.get(path), by_path[path]) for path in by_path}
    # Before any of them is brought to its end: of a file that is gone nothing is left there.
    moved = {diff.change.path: _moved(diff, known, traces) for diff in diffs}
    result: list[Contributor] = []
    for diff in diffs:
        path = diff.change.path
        trace = traces.get(path) or moved[path]
        undone = _undone(known[path], by_path.get(path, ())) if path in needed else None
        if trace is not None:
            trace.end(known[path][1])
            undone = None if trace.exact else undone
        own = by_path.get(path, ())
        rest = _rest(committing, seen=trace is not None)
        rest = _doubted(rest, path in unread or _tell_nothing(traces.get(path), own, known[path]))
        aside = _set_aside([*away.get(path, ()), *own], known[path])
        told = _told(diff, trace, undone, aside, rest)
        mode = _of_mode(diff, edits, rest)
        result += _of_file(diff, told, _label(_last_hand(own, known[path]), mode))
        if diff.hunks and mode.hand is not None and mode != rest:
            result.append(_contributor(path, "added", 0, 0, mode))
    return tuple(result)


def _by_path(edits: Sequence[Edit], known: Contents) -> dict[str, list[Edit]]:
    """Edits that changed anything, in the form in which git stores the file."""
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.before != edit.after:
            there = known.get(edit.path, ())
            before, after = (as_stored(content, there) for content in (edit.before, edit.after))
            found.setdefault(edit.path, []).append(replace(edit, before=before, after=after))
    return found


def _tell_nothing(
    trace: Trace | None, edits: Sequence[Edit], known: tuple[bytes | None, bytes | None]
) -> bool:
    """Whether an agent changed the file, and what was committed is of another form than what the agent saw."""
    if trace is None or trace.exact or known[1] is None:
        return False
    return not are_comparable((content for edit in edits for content in (edit.before, edit.after)), *known)


def _contents(diff: FileDiff) -> tuple[bytes | None, bytes | None]:
    """From the hunks, which hold the whole file if it is added, removed or of a new type."""
    old = [(hunk.removed, hunk.removed_open) for hunk in diff.hunks if hunk.removed]
    new = [(hunk.added, hunk.added_open) for hunk in diff.hunks if hunk.added]
    status = diff.change.status
    return (None if status == "A" else _join(old), None if status == "D" else _join(new))


def _join(parts: Sequence[tuple[tuple[bytes, ...], bool]]) -> bytes:
    text = b"".join(line + b"\n" for lines, _ in parts for line in lines)
    return text[:-1] if parts and parts[-1][1] else text


def _follow(known: tuple[bytes | None, bytes | None] | None, edits: Sequence[Edit]) -> Trace | None:
    """The labels after the agents' edits. None: none of these edits is in this commit's change.

    Starts after the last edit that gave exactly the content before the commit (all up to there has landed; so has an
    earlier removal of a file that was there again in the parent, and still is), and
    ends at the first point where the content is exactly the committed one (the rest is for a later commit): unless an
    edit began with that content before the parent was made, and a later one led back to it.
    """
    base, committed = known or (edits[0].before, None)
    there = base is not None and committed is not None
    landed = [
        at
        for at, edit in enumerate(edits)
        if (edit.after == base and base is not None) or (edit.after is None and edit.earlier and there)
    ]
    remaining = edits[landed[-1] + 1 :] if landed else edits
    trace = Trace(base)
    used = 0
    back = max((at for at, edit in enumerate(remaining) if known and edit.after == committed), default=-1)
    for at, edit in enumerate(remaining):
        if known and edit.before == committed and (edit.fresh or at > back):
            break
        trace.step(edit.before, None)
        trace.step(edit.after, edit.hand)
        used += 1
        if known and edit.after == committed:
            break
    return trace if used else None


def _undone(known: tuple[bytes | None, bytes | None], edits: Sequence[Edit]) -> Trace | None:
    """What agents did since the parent was made and had undone when the file was once more as in the parent, which
    `_follow` passes over.
    """
    base = known[0]
    back = max((at for at, edit in enumerate(edits) if edit.after == base), default=-1)
    passed = [edit for edit in edits[: back + 1] if edit.fresh]
    trace = Trace(base)
    for edit in passed:
        trace.step(edit.before, None)
        trace.step(edit.after, edit.hand)
    return trace if passed else None


def _moved(diff: FileDiff, known: Contents, traces: Mapping[str, Trace | None]) -> Trace | None:
    """Labels for a new file that no agent was seen to write, from a followed file that went away: moved by others."""
    if diff.change.status != "A" or diff.change.binary:
        return None
    lines = frozenset(split(known[diff.change.path][1]))
    gone = [trace for path, trace in traces.items() if trace is not None and _is_gone(path, known)]
    ranked = [(trace.likeness(lines), -at, trace) for at, trace in enumerate(gone[:_MAX_COMPARED])]
    likeness, _, best = max(ranked, key=lambda item: item[:2], default=(0.0, 0, None))
    return best.moved() if best is not None and likeness >= _SIMILAR else None


def _is_gone(path: str, known: Contents) -> bool:
    return path not in known or known[path][1] is None


def _last_hand(edits: Sequence[Edit], known: tuple[bytes | None, bytes | None]) -> Hand | None:
    """Whose edit gave exactly the committed content: all that can be said of a file without lines."""
    old, new = known
    hands = [edit.hand for edit in edits if edit.after == new and edit.before != new and old != new]
    return hands[-1] if hands else None


@dataclass(frozen=True)
class _Label:
    cls: str
    hand: Hand | None = None
    confidence: str = ""


def _of_mode(diff: FileDiff, edits: Sequence[Edit], rest: _Label) -> _Label:
    """Whose the change of a file's mode is. What an agent did to it may have landed, unless it is fresh."""
    if diff.change.status != "M" or diff.change.old_mode == diff.change.new_mode:
        return rest
    seen = [edit for edit in edits if edit.path == diff.change.path and edit.before == edit.after]
    fresh = [edit.hand for edit in seen if edit.fresh]
    return _label(fresh[-1] if fresh else None, _doubted(rest, bool(seen)))


def _rest(committing: Committing, *, seen: bool) -> _Label:
    """For lines that no agent was seen to touch. A file whose edits were followed needs no guess."""
    if committing.agent is not None:
        return _Label("unknown") if seen else _Label("ai", committing.agent, "low")
    return _Label("human", None, "low") if committing.witnessed else _Label("unknown")


def _again(hand: Hand | None, rest: _Label) -> _Label:
    return rest if hand is None else _Label("ai", hand, "low")


def _label(hand: Hand | None, rest: _Label) -> _Label:
    return rest if hand is None else _Label("ai", hand, _CONFIDENCE.get(hand.evidence, "low"))


@dataclass(frozen=True)
class _Aside:
    """What agents were seen to do to a file and the parent does not have: a stash or a reset took it away, and whoever
    brings it back has not done it. `written` are lines that it does not hold; `removed` are lines that it holds once
    and that an agent took out of a version that held them once. Short lines prove nothing.
    """

    written: Mapping[bytes, Hand]
    removed: Mapping[bytes, Hand]


def _set_aside(edits: Sequence[Edit], known: tuple[bytes | None, bytes | None]) -> _Aside:
    base, committed = known
    there = Counter(map(bare, split(base)))
    written: dict[bytes, Hand] = {}
    removed: dict[bytes, Hand] = {}
    for edit in edits:
        before, after = (Counter(map(bare, split(content))) for content in (edit.before, edit.after))
        for line in after:
            if line not in before and line not in there and is_telling(line):
                written[line] = edit.hand
        if edit.after is None and committed is not None:
            continue  # brought back, it would have taken the file away
        for line, count in before.items():
            if count == there[line] == 1 and line not in after and is_telling(line):
                removed[line] = edit.hand
    return _Aside(written, removed)


_Told: TypeAlias = dict[tuple[str, int], _Label]
"""Side and line -> whose it is."""


def _told(diff: FileDiff, trace: Trace | None, undone: Trace | None, aside: _Aside, rest: _Label) -> _Told:
    """Each line of the change. A removal that was set aside is brought back together with what came in its place."""
    removed, added = trace.hands(diff.hunks) if trace is not None else ({}, {})
    exact = trace is not None and trace.exact
    passed = [one for one in (trace, undone) if one is not None]
    dropped = set().union(*(one.dropped for one in passed))
    taken = {n for one in passed for n, by in one.removed.items() if by is not None}
    told: _Told = {}
    for hunk in diff.hunks:
        back = {aside.written[text] for text in map(bare, hunk.added) if text in aside.written}
        for n, text in enumerate(map(bare, hunk.removed), hunk.old_start):
            hand = aside.removed.get(text)
            doubt = n in taken or (hand is not None and not exact)
            again = _again(hand if hand in back and not exact else None, _doubted(rest, doubt))
            told["removed", n] = _label(removed.get(n), again)
        for n, text in enumerate(map(bare, hunk.added), hunk.new_start):
            again = _again(aside.written.get(text), _doubted(rest, squeezed(text) in dropped))
            told["added", n] = _label(added.get(n), again)
    return told


def _doubted(rest: _Label, doubt: bool) -> _Label:
    return _Label("unknown") if doubt and rest.cls == "human" else rest


def _of_file(diff: FileDiff, told: _Told, entry: _Label) -> Iterator[Contributor]:
    change = diff.change
    if change.binary or not diff.hunks:
        side = "removed" if change.status == "D" else "added"
        yield _contributor(change.path, side, 0, 0, entry)
        return
    for hunk in diff.hunks:
        for side, start, count in (
            ("removed", hunk.old_start, hunk.old_count),
            ("added", hunk.new_start, hunk.new_count),
        ):
            labels = ((line, told[side, line]) for line in range(start, start + count))
            for label, run in groupby(labels, key=lambda item: item[1]):
                lines = [line for line, _ in run]
                yield _contributor(change.path, side, lines[0], len(lines), label)


def is_doubtful(diffs: Sequence[FileDiff], parts: Sequence[Contributor]) -> bool:
    """Whether lines that could not be told apart forbid to call a person's commit `human`: removals, telling ones, or
    any if there is nothing else.
    """
    texts = {
        (diff.change.path, n): line
        for diff in diffs
        for hunk in diff.hunks
        for n, line in enumerate(hunk.added, hunk.new_start)
    }
    unclear = [part for part in parts if part.cls == "unknown"]
    telling = (
        part.side == "removed" or is_telling(texts.get((part.path, n), b""))
        for part in unclear
        for n in range(part.start, part.start + part.count)
    )
    return bool(unclear) and (any(telling) or all(part.cls != "human" for part in parts))


def _contributor(path: str, side: str, start: int, count: int, label: _Label) -> Contributor:
    hand = label.hand or Hand()
    evidence = hand.evidence if label.hand else ("journal" if label.cls == "human" else "")
    return Contributor(
        path=path,
        side=side,
        start=start,
        count=count,
        cls=label.cls,
        agent=hand.agent,
        version=hand.version,
        model=hand.model,
        session=hand.session,
        evidence=evidence,
        confidence=label.confidence,
    )
