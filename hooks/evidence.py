"""What agents were seen to write: an append-only store in the common git dir, read when records are built.

    evidence/sessions/<session>.jsonl   one line per tool call, one file per agent session
    evidence/contents/ab/cdef...        file contents, zlib, named by their sha256
    evidence/pending/<call>             the "before" half of a tool call that has not ended
    evidence/unwritten/<worktree>       whether nothing can be written since some time (unwritten.py)
    evidence/clock                      the last tick: what order things happened in, exactly
    evidence/reviews-told               the tick up to which a push told of reviews that agents submitted

No prompt, no transcript and no environment is ever in here, and nothing that git ignores. Contents are plain files,
not git objects, so `git gc` cannot take them away.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from foureyes.hooks import unwritten
from foureyes.hooks.digest import sha256_hex
from foureyes.hooks.sharing import keep_to, make_folder
from foureyes.hooks.tool_events import UNSEEN, Event, Pending, Touched, by_end, parse_event, parse_pending
from foureyes.shared.errors import UserError

LARGEST_KEPT = 4 * 2**20
DEFAULT_LIMIT = 200 * 2**20
_RECENT = 64 * 1024
PENDING_SECONDS = 2 * 86400
"""Nothing is heard any more of a call that began so long ago."""
_RECORDED_SECONDS = 30 * 86400
_RECORDED, _FORGOTTEN = ".recorded", ".forgotten"
_NEW = ".new-"
"""Begins the name of a file that is being written, before the name that it will have."""
_MARKS = (_RECORDED, _FORGOTTEN)
"""Beside a session to which nothing has been added since: it has gone into records; its contents are gone."""
_TAKEN, _DONE = ".taken", ".done"
"""End the name of a call whose end is being written, and of one whose end is written."""
_LONGEST_EDIT = 10 * 10**9
"""Ticks by which an edit may have begun before its end, if its beginning was not told."""


class Evidence:
    def __init__(self, home: Path) -> None:
        """`home` is the repository's `Repo.home`; nothing is made before something is stored."""
        self._home, self._folder = home, home / "evidence"

    def keep(self, content: bytes) -> str:
        """Store a content (once, however often it is given) and answer its reference."""
        digest = sha256_hex(content)
        target = self._content_path(digest)
        if not target.exists():
            _write_whole(target, zlib.compress(content, 1))
        return f"s:{digest}"

    def read(self, ref: str) -> bytes | None:
        """The content behind an `s:` reference; None if it was collected or is damaged."""
        digest = ref.removeprefix("s:")
        try:
            content = zlib.decompress(self._content_path(digest).read_bytes())
        except (OSError, zlib.error):
            return None
        return content if sha256_hex(content) == digest else None

    def tick(self) -> int:
        """The clock goes on. Of two ticks the later one is the greater, in whatever process and whatever becomes of
        the machine's time; git's hooks read the last one when they see a commit. In nanoseconds since 1970 or more,
        so that a lost file sets nothing back.
        """
        make_folder(self._home)
        mode = keep_to(self._home)
        self._folder.mkdir(exist_ok=True)
        descriptor = os.open(self._folder / "clock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last = os.pread(descriptor, 40, 0).strip()
            now = max(time.time_ns(), int(last) + 1 if last.isdigit() else 0)
            os.pwrite(descriptor, b"%019d\n" % now, 0)
        finally:
            os.close(descriptor)
        return now

    def append(self, event: Event) -> None:
        """Add one line to the session's file: under a lock, in one write. It has ended now, if it does not say when."""
        ended = event.tick_ended or self.tick()
        started = event.tick_started or (0 if event.kind == UNSEEN else ended - _LONGEST_EDIT)
        event = event._replace(tick_started=started, tick_ended=ended)
        unwritten.prepare(self._folder, event.worktree)
        path = self._session_path(event.session)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        whole = {**event._asdict(), "touched": [touched._asdict() for touched in event.touched]}
        line = json.dumps(whole, separators=(",", ":")).encode() + b"\n"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, keep_to(self._home))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                line = b"\n" + line  # a torn line (disk full) must not swallow this one
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            _unmark(path)
        finally:
            os.close(descriptor)
        if new:
            self.collect()

    def events(self) -> tuple[Event, ...]:
        """All events, by end: that is when their contents were seen. Lines that cannot be read are skipped: they may
        be torn. Raises UserError if the files cannot be read: an agent that ran as another user may have made them.
        """
        with _to_be_read(self._folder):
            return tuple(sorted(_parsed(self._sessions()), key=by_end))

    def _sessions(self) -> list[Path]:
        return [path for path in self._listed("sessions") if path.suffix == ".jsonl"]

    def _listed(self, name: str) -> list[Path]:
        with _to_be_read(self._folder):
            try:
                return sorted((self._folder / name).iterdir())
            except FileNotFoundError:
                return []

    def since(self, tick: int) -> tuple[Event, ...]:
        """Events that ended after a tick, by end; of the last ones only, where a session has very many."""
        untouched = min(tick / 1e9, time.time() - 3600) - 1  # the machine's time may have been set back
        found: list[Event] = []
        for path in self._sessions():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                if os.fstat(file.fileno()).st_mtime < untouched:
                    continue
                file.seek(max(0, file.seek(0, os.SEEK_END) - _RECENT))
                events = map(parse_event, file.read().splitlines())
                found += [event for event in events if event is not None and event.tick_ended > tick]
        return tuple(sorted(found, key=by_end))

    def hold(self, call: str, pending: Pending) -> None:
        """Keep the half of a call that begins now. An agent without ids for its calls may make the same one again."""
        pending = pending._replace(tick=self.tick())
        unwritten.prepare(self._folder, pending.worktree)
        path = self._folder / "pending" / call
        for end in (_TAKEN, _DONE):
            path.with_suffix(end).unlink(missing_ok=True)
        _write_whole(path, json.dumps(pending._asdict()).encode())

    def take(self, call: str, *, left: bool = False) -> Pending | None:
        """The pending half of a call, once: two hooks that report the same call make one event. What a checkpoint that
        was killed had written and not put in its place yet is such a half, too, where it is whole; `left`: and what one
        that was killed had taken. The call is open until it is told that it is done.
        """
        path = self._folder / "pending" / call
        mine, taken = path.with_suffix(_TAKEN), None
        for held in (path, *path.parent.glob(f"{_NEW}{call}.*"), *((mine,) if left else ())):
            with contextlib.suppress(OSError, ValueError, TypeError):
                held.rename(mine)
                taken = taken or parse_pending(mine.read_bytes())
        return taken

    def done(self, call: str) -> None:
        """What was taken is written."""
        path = self._folder / "pending" / call
        with contextlib.suppress(OSError):
            path.with_suffix(_TAKEN).rename(path.with_suffix(_DONE))

    def give_back(self, call: str) -> None:
        """What was taken has not ended after all: its end could not be written."""
        path = self._folder / "pending" / call
        with contextlib.suppress(OSError):
            path.with_suffix(_TAKEN).rename(path)

    def is_open(self, call: str) -> bool:
        return (self._folder / "pending" / call).exists()

    def open_calls(self) -> tuple[Pending, ...]:
        """Calls that have begun and of whose end nothing was heard. Raises UserError."""
        found = list(self.unseen())
        for file in self._listed("pending"):
            with _to_be_read(self._folder), contextlib.suppress(FileNotFoundError, ValueError, TypeError):
                if file.suffix != _DONE and not file.is_dir():
                    found.append(parse_pending(file.read_bytes()))
        return tuple(found)

    def cannot_be_written(self, worktree: str) -> None:
        """What agents do there is not seen as of now. Raises OSError where not even that can be told."""
        unwritten.begin(self._folder, worktree)

    def unseen(self) -> tuple[Pending, ...]:
        """The work trees that cannot be written, as open calls that nobody made. Raises UserError."""
        marks = self._listed("unwritten")
        with _to_be_read(self._folder):
            return tuple(unwritten.as_open_calls(marks))

    def can_be_written(self, worktree: str) -> None:
        unwritten.end(self._folder, worktree)

    def was_taken(self, call: str) -> bool:
        path = self._folder / "pending" / call
        return any(path.with_suffix(end).exists() for end in (_TAKEN, _DONE))

    def held_by(self, session: str, path: str = "") -> tuple[str, ...]:
        """Calls of a session that have begun and not ended; with `path` those that know its content from before and
        whose own end will be told: not what was left by a checkpoint that was killed.
        """
        calls = []
        for file in sorted((self._folder / "pending").glob("*")):
            left = file.name.startswith(_NEW)
            if file.suffix == _DONE or (path and left):
                continue
            with contextlib.suppress(FileNotFoundError):
                held = file.read_bytes()
                if session.encode() in held and (not path or json.dumps(path).encode() in held):
                    calls.append(file.stem.removeprefix(_NEW) if left else file.name.removesuffix(_TAKEN))
        return tuple(dict.fromkeys(calls))

    def mark_recorded(self, sessions: Iterable[str]) -> None:
        """These sessions have gone into records: they are the first to be collected."""
        for session in sessions:
            if self._session_path(session).exists():
                self._session_path(session).with_suffix(_RECORDED).touch()

    def told_reviews(self) -> int:
        """The tick up to which a push has told of agents' reviews; 0 for none."""
        try:
            text = (self._folder / "reviews-told").read_text("ascii", "replace").strip()
        except OSError:
            return 0
        return int(text) if text.isdecimal() else 0

    def reviews_since(self, tick: int) -> tuple[Event, ...]:
        """The reviews that agents submitted after a tick, by end. Raises UserError."""
        with _to_be_read(self._folder):
            reviews = list(_parsed(self._sessions(), b'"kind":"review"'))
        return tuple(sorted((event for event in reviews if event.tick_ended > tick), key=by_end))

    def mark_reviews_told(self, tick: int) -> None:
        _write_whole(self._folder / "reviews-told", f"{tick}\n".encode())

    def note_problem(self, problem: str) -> None:
        """A checkpoint is silent towards the agent; what went wrong stands here for `foureyes status`."""
        path = self._folder / "problems"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > 64 * 1024:
            path.unlink()
        with path.open("a") as file:
            file.write(f"{int(time.time())}\t{' '.join(problem.split())[:400]}\n")

    def collect(self, limit: int = DEFAULT_LIMIT) -> None:
        """Drop what is recorded and a month old, then, beyond `limit` bytes, the oldest recorded sessions, then the
        contents of the oldest others: that an agent changed these files is known for a month, and so nobody else is
        said to have written what it did. Contents that no remaining session names go.
        """
        now = time.time()
        for path in (self._folder / "pending").glob("*"):
            if now - path.stat().st_mtime > PENDING_SECONDS:
                path.unlink(missing_ok=True)
        by_age = sorted(self._sessions(), key=lambda path: path.stat().st_mtime)
        sessions = sorted(by_age[:-1], key=_collected_first)  # never the newest of all: it is being written
        size = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        for path in sessions:
            expired = _is_done(path) and now - path.stat().st_mtime > _RECORDED_SECONDS
            if size <= limit and not expired:
                continue
            if _is_done(path):
                _unmark(path)
                path.unlink()
            else:
                path.with_suffix(_FORGOTTEN).touch()
            size = self._drop_contents(now)

    def _drop_contents(self, now: float) -> int:
        """Remove contents that nothing names (young ones may be of an event about to be written); bytes left."""
        kept = [path for path in self._sessions() if not path.with_suffix(_FORGOTTEN).exists()]
        named = {ref for event in _parsed(kept) for touched in event.touched for ref in _refs(touched)}
        for path in (self._folder / "pending").glob("*"):
            named.update(part for part in path.read_text().split('"') if part.startswith("s:"))
        for path in (self._folder / "contents").glob("*/*"):
            if f"s:{path.parent.name}{path.name}" not in named and now - path.stat().st_mtime > 60:
                path.unlink()
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    def _content_path(self, digest: str) -> Path:
        return self._folder / "contents" / digest[:2] / digest[2:]

    def _session_path(self, session: str) -> Path:
        return self._folder / "sessions" / f"{session}.jsonl"


@contextmanager
def _to_be_read(folder: Path) -> Iterator[None]:
    """What cannot be read is not nothing."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"what agents were seen to do cannot be read: {error.filename}: {error.strerror}",
            why="without it their lines would be taken for a person's",
            next_step=f"make {folder} and all in it readable for you, then run this again",
        ) from error


def _parsed(sessions: Iterable[Path], holding: bytes = b"") -> Iterator[Event]:
    for path in sessions:
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            continue  # collected meanwhile
        for line in lines:
            event = parse_event(line) if holding in line else None
            if event is not None:
                yield event


def _collected_first(session: Path) -> int:
    return 0 if session.with_suffix(_RECORDED).exists() else 2 if _is_done(session) else 1


def _is_done(session: Path) -> bool:
    return any(session.with_suffix(mark).exists() for mark in _MARKS)


def _unmark(session: Path) -> None:
    for mark in _MARKS:
        session.with_suffix(mark).unlink(missing_ok=True)


def _refs(touched: Touched) -> Iterator[str]:
    for ref in (touched.before, touched.after):
        if ref is not None:
            yield ref


def _write_whole(path: Path, content: bytes) -> None:
    """A file that is there is there whole, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as temporary:
        temporary.write_bytes(content)
        temporary.replace(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f"{_NEW}{path.name}.{os.getpid()}-{time.monotonic_ns()}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
