"""What one tool call of an agent changed: what was there before it, against what is there after it."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from foureyes.hooks import snapshot, staged
from foureyes.hooks.agents.tool_call import ToolCall
from foureyes.hooks.digest import sha256_hex
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.journal import append_line, seen_commits, worktree_id
from foureyes.hooks.meanwhile import Part, own_parts
from foureyes.hooks.named_files import by_repository, open_or_none
from foureyes.hooks.repo import Repo
from foureyes.hooks.session_models import remember
from foureyes.hooks.sharing import keep_to
from foureyes.hooks.tool_events import LOST, ONGOING, UNKNOWN, UNSEEN, Event, Pending, Ref, Touched
from foureyes.shared import paths
from foureyes.shared.errors import UserError

_TWICE = 10 * 10**9
"""Two reports of one edit, by two configurations, come within so many ticks."""
_SECONDS_TO_NAME = 2.0
"""For all large files of a call together: the event itself must not be lost over them."""


def observe(call: ToolCall, problems: list[Evidence]) -> None:
    """Keep the half of a call that has begun, or the event of one that has ended. `problems` is given each store that
    is written to, before it is. Raises UserError and OSError.
    """
    if call.kind == "edit" and call.phase != "end":
        for repo, files in by_repository(call).items():
            problems.append(Evidence(repo.home))
            keep_to(repo.home)
            _edit(call, repo, files)
        return
    for at, place in enumerate((call.cwd or ".", *call.elsewhere)):
        there = open_or_none(Path(place))
        if there is not None:
            _other_tool(call._replace(call=_name(call, place, at)), there, problems)


def lose(call: ToolCall) -> None:
    """What a call changes, or has changed, could not be seen. Until the agent's turn ends it may be anything; what then
    is not as the commit has it may be its work. Raises UserError and OSError.
    """
    if call.phase == "end":
        return  # what is open stays open
    named = (str(Path(call.cwd or ".") / file) for file in call.files[:1])
    for at, place in enumerate((call.cwd or ".", *call.elsewhere, *map(os.path.dirname, named))):
        repo, one = open_or_none(Path(place)), call._replace(call=_name(call, place, at))
        if repo is not None and not Evidence(repo.home).is_open(one.call):
            try:
                _begin(one, repo, LOST, "", {})
            except OSError:
                Evidence(repo.home).cannot_be_written(worktree_id(repo))


def _other_tool(call: ToolCall, repo: Repo, problems: list[Evidence]) -> None:
    problems.append(Evidence(repo.home))
    keep_to(repo.home)
    remember(repo.home, call)
    if call.phase == "end":
        for held in Evidence(repo.home).held_by(call.session):
            with contextlib.suppress(UserError):  # a work tree that is gone hides no other
                _finish(call, repo, held, left=True)
        _end_unwritten(call, repo)
    elif call.phase == "before":
        _begin_shell(call, repo, "shell")
        if call.is_review:
            _note_review(call, repo)
    else:
        _finish(call, repo, call.call)
        if call.goes_on:
            _begin_shell(call._replace(call=f"{call.call}-on"), repo, ONGOING)


def _end_unwritten(call: ToolCall, repo: Repo) -> None:
    """All that was not seen while nothing could be written has ended, too, unless another agent is at work here."""
    evidence, here = Evidence(repo.home), worktree_id(repo)
    unseen = [one for one in evidence.unseen() if one.worktree == here]
    if unseen and not any(one.session for one in evidence.open_calls() if one.worktree == here):
        _append(call, repo, UNSEEN, unseen[0], snapshot.since(repo, unseen[0], evidence))
        evidence.can_be_written(here)


def _begin_shell(call: ToolCall, repo: Repo, kind: str) -> None:
    head = snapshot.head_of(repo)
    root, names = snapshot.root_of(repo), snapshot.changed(repo, head)
    dirty = snapshot.contents(root, names, Evidence(repo.home))
    pending = _pending(call, repo, kind, head, dirty)._replace(
        executable=snapshot.executable(root, names), staged=tuple(staged.staged(repo, head).items())
    )
    Evidence(repo.home).hold(call.call, pending)


def _name(call: ToolCall, place: str, at: int) -> str:
    """Worktrees of one repository share their store: each look, but for the first, has a name of its own."""
    return f"{call.call}-{sha256_hex(os.fsencode(place))[:12]}" if at else call.call


def _note_review(call: ToolCall, repo: Repo) -> None:
    """An agent that holds a reviewer's token: the approval is the agent's, whoever's account it is."""
    from foureyes.hooks.who import logged_in

    now = time.time()
    Evidence(repo.home).append(_event(call, repo, "review", now, (), account=logged_in()))


def _edit(call: ToolCall, repo: Repo, files: Mapping[bytes, str]) -> None:
    evidence, root = Evidence(repo.home), snapshot.root_of(repo)
    remember(repo.home, call)
    if call.phase == "before":
        _begin(call, repo, "edit", "", snapshot.contents(root, files, evidence))
        return
    if evidence.was_taken(call.call):
        return  # two configurations report the same call
    pending = evidence.take(call.call)
    known = pending.contents if pending else {}
    touched = []
    with _open_until_written(evidence, call.call):
        for path, now in snapshot.contents(root, files, evidence).items():
            if pending is None and evidence.held_by(call.session, path):
                continue  # its own end will be told with what was there before
            then = known[path] if path in known else _told(call, files[paths.encode(path)], now, evidence)
            if then != now:
                touched.append(Touched(path, then, now))
        _append(call, repo, "edit", pending, tuple(touched))


def _told(call: ToolCall, named: str, now: Ref, evidence: Evidence) -> Ref:
    """A file's content from before the call, as far as the agent itself tells it."""
    content = evidence.read(now) if now is not None and now.startswith("s:") else None
    if named in dict(call.originals):
        original = dict(call.originals)[named]
        if original is None:
            return None
        if content is not None and b"\r\n" in content and b"\r" not in original:
            original = original.replace(b"\n", b"\r\n")  # agents read such files without the carriage returns
        return evidence.keep(original)
    if content is None or not call.undo:
        return UNKNOWN
    for new, old in call.undo:
        found = new.encode("utf-8", "surrogatepass")
        if found not in content:
            return UNKNOWN
        content = content.replace(found, old.encode("utf-8", "surrogatepass"), 1)
    return evidence.keep(content) if content else None


def _begin(call: ToolCall, repo: Repo, kind: str, head: str, contents: dict[str, Ref]) -> None:
    Evidence(repo.home).hold(call.call, _pending(call, repo, kind, head, contents))


def _pending(call: ToolCall, repo: Repo, kind: str, head: str, contents: dict[str, Ref]) -> Pending:
    root = str(snapshot.root_of(repo))
    return Pending(call.session, worktree_id(repo), kind, time.time(), root, head, contents)


def _finish(call: ToolCall, repo: Repo, held: str, *, left: bool = False) -> None:
    """The end of a call whose beginning was seen. Without that nothing tells the call's work from anyone else's."""
    evidence = Evidence(repo.home)
    pending = evidence.take(held, left=left)
    if pending is not None:
        with _open_until_written(evidence, held):
            _end(call, repo, pending, evidence)


@contextlib.contextmanager
def _open_until_written(evidence: Evidence, held: str) -> Iterator[None]:
    try:
        yield
    except OSError:
        evidence.give_back(held)
        raise
    evidence.done(held)


def _end(call: ToolCall, repo: Repo, pending: Pending, evidence: Evidence) -> None:
    if Path(pending.root) != repo.work_tree:
        repo = Repo.open(Path(pending.root))
    if pending.kind == "edit":
        now = snapshot.contents(snapshot.root_of(repo), map(paths.encode, pending.contents), evidence)
        touched = tuple(
            Touched(p, pending.contents[p], ref) for p, ref in now.items() if pending.contents[p] != ref
        )
    elif pending.kind == LOST:
        touched = snapshot.since(repo, pending, evidence)
    elif pending.kind == ONGOING:
        touched = snapshot.compare(repo, pending, evidence, snapshot.new_commits(repo, pending))
    else:
        commits = snapshot.new_commits(repo, pending)
        touched = snapshot.compare(repo, pending, evidence, commits)
        known = seen_commits(repo, {commit.oid for commit in commits})
        for commit in reversed(commits):
            if commit.oid not in known:
                # No hook of git's saw it: hooks were off for this commit, and the agent's own hook is the witness.
                append_line(repo, commit.oid, commit.made, "checkpoint", call.agent, reached=evidence.tick())
        if index := tuple(staged.only_staged(repo, pending, evidence)):
            event = _event(call, repo, pending.kind, pending.started, index)
            evidence.append(event._replace(tick_started=pending.tick))
    _append(call, repo, UNSEEN if pending.kind in {LOST, ONGOING} else pending.kind, pending, touched)


def _append(
    call: ToolCall, repo: Repo, kind: str, pending: Pending | None, touched: tuple[Touched, ...]
) -> None:
    """Add what the call did by itself: without what was told meanwhile, by hooks that are configured twice or about
    another call beside this one.
    """
    evidence, root, until = Evidence(repo.home), snapshot.root_of(repo), time.monotonic() + _SECONDS_TO_NAME
    touched = tuple(
        one._replace(after=snapshot.known_again(root, one.path, one.after, until)) for one in touched
    )
    told = _told_meanwhile(call, repo, pending, evidence)
    by_end: dict[int, list[Touched]] = {}
    for one in touched:
        for part in _own_parts(one, pending, told.get(one.path, ()), evidence):
            by_end.setdefault(part.ended, []).append(part.touched)
    started, tick = (pending.started, pending.tick) if pending else (time.time(), 0)
    event = _event(call, repo, kind, started, ())._replace(tick_started=tick)
    for ended, parts in by_end.items():
        evidence.append(event._replace(touched=tuple(parts), tick_ended=ended))


def _told_meanwhile(
    call: ToolCall, repo: Repo, pending: Pending | None, evidence: Evidence
) -> dict[str, list[tuple[Event, Touched]]]:
    """Path -> what was told of it, in order. Without a beginning nothing shows that another session's work is not this
    one's too.
    """
    here = worktree_id(repo)
    told: dict[str, list[tuple[Event, Touched]]] = {}
    for event in evidence.since(pending.tick if pending else evidence.tick() - _TWICE):
        if event.worktree == here and (pending or event.session == call.session):
            for one in event.touched:
                told.setdefault(one.path, []).append((event, one))
    return told


def _own_parts(
    whole: Touched, pending: Pending | None, told: Sequence[tuple[Event, Touched]], evidence: Evidence
) -> Iterator[Part]:
    if pending is None:
        if not told or told[-1][1].after != whole.after:
            yield Part(whole, 0)
        return
    same = partial(snapshot.is_same, evidence=evidence)
    for part in own_parts(whole, pending.tick, told, same, at_once=pending.kind == "edit"):
        if pending.kind == LOST:  # what it found may be what a commit has, or not
            part = part._replace(touched=part.touched._replace(before=UNKNOWN))
        yield part


def _event(
    call: ToolCall, repo: Repo, kind: str, started: float, touched: tuple[Touched, ...], *, account: str = ""
) -> Event:
    return Event(
        agent=call.agent,
        version=call.version,
        model=call.model,
        session=call.session,
        worktree=worktree_id(repo),
        kind=kind,
        started=started,
        ended=time.time(),
        touched=touched,
        account=account,
    )
