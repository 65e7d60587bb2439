"""The evidence store: nothing is lost by many writers, torn lines or collection, and nobody else can read it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support_git import python_env

from foureyes.hooks import evidence
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.tool_events import Event, Pending, Touched
from foureyes.shared.errors import UserError

EVENT = Event("claude-code", "2.1", "m", "a" * 64, "main", "edit", 10.0, 11.0, (Touched("f", None, "s:1"),))


def test_contents_come_back_exactly_and_damage_is_not_read(tmp_path: Path):
    store = Evidence(tmp_path)
    for content in (b"", b"\0\xff\r\n", b"x" * 100_000):
        ref = store.keep(content)
        assert store.keep(content) == ref
        assert store.read(ref) == content
    file = next((tmp_path / "evidence" / "contents").glob("*/*"))
    file.write_bytes(b"not zlib")
    assert None in {store.read(store_ref) for store_ref in (f"s:{file.parent.name}{file.name}",)}


def test_events_of_all_sessions_come_by_their_start_and_torn_lines_are_skipped(tmp_path: Path):
    store = Evidence(tmp_path)
    later = EVENT._replace(session="b" * 64, started=12.0)
    store.append(later)
    store.append(EVENT)
    with (tmp_path / "evidence" / "sessions" / f"{'a' * 64}.jsonl").open("ab") as file:
        file.write(b'{"agent": "claude-co')
    third = EVENT._replace(started=13.0)
    store.append(third)
    found = store.events()
    assert [(event.session, event.started) for event in found] == [
        (event.session, event.started) for event in (later, EVENT, third)
    ]
    ticks = [event.tick_ended for event in found]
    assert ticks == sorted(set(ticks))
    assert all(event.tick_started < event.tick_ended for event in found)


def test_events_of_a_version_without_a_clock_come_by_their_time_and_before_later_ones(tmp_path: Path):
    store = Evidence(tmp_path)
    store.append(EVENT)
    file = next((tmp_path / "evidence" / "sessions").iterdir())
    older = {name: value for name, value in EVENT._asdict().items() if not name.startswith("tick")}
    lines = [json.dumps({**older, "touched": [], "ended": at}) for at in (12.0, 11.0)]
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in lines))
    assert [(event.ended, event.tick_ended > 0) for event in store.events()] == [
        (11.0, False),
        (12.0, False),
        (11.0, True),
    ]


def test_the_clock_only_goes_on_whatever_becomes_of_its_file_and_of_the_machines_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store, clock = Evidence(tmp_path), tmp_path / "evidence" / "clock"
    first = store.tick()
    assert clock.read_text() == f"{first}\n"
    with monkeypatch.context() as patched:
        patched.setattr(evidence.time, "time_ns", lambda: 5)
        assert [store.tick(), store.tick()] == [first + 1, first + 2]
    clock.unlink()
    assert store.tick() > first + 2
    clock.write_text("")
    assert store.tick() > first + 2


def test_parallel_writers_lose_nothing(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path\n"
        "from foureyes.hooks.evidence import *\n"
        "store = Evidence(Path(sys.argv[1]))\n"
        "event = Event('a', '', '', 's' * 64, 'main', 'edit', 0.0, 0.0, ())\n"
        "for n in range(50):\n"
        "    ref = store.keep(b'same for all %d' % n)\n"
        "    store.append(event._replace(model=sys.argv[2], started=float(n), touched=(Touched('x' * 5000, None, ref),)))\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(n)], env={**os.environ, **python_env()}
        )
        for n in range(6)
    ]
    assert [writer.wait() for writer in writers] == [0] * 6
    events = Evidence(tmp_path).events()
    assert {(event.model, event.started) for event in events} == {
        (str(w), float(n)) for w in range(6) for n in range(50)
    }
    assert len(events) == 300


def test_a_pending_call_is_taken_once(tmp_path: Path):
    store = Evidence(tmp_path)
    pending = Pending("s" * 64, "main", "shell", 1.5, "/x", "", {"f": None, "g": "s:1"})
    store.hold("call", pending)
    assert store.held_by("s" * 64) == ("call",)
    assert store.held_by("t" * 64) == ()
    taken = store.take("call")
    assert taken is not None
    assert taken.tick > 0
    assert taken._replace(tick=0) == pending
    assert store.take("call") is None
    assert store.was_taken("call")
    assert store.held_by("s" * 64) == ("call",), "the one that took it may be killed"
    assert store.take("call", left=True) == taken
    store.done("call")
    assert store.was_taken("call")
    assert store.held_by("s" * 64) == ()
    assert store.take("call", left=True) is None


def left_by_a_killed_checkpoint(home: Path, call: str) -> Path:
    """The file of a pending call as it was before it had its name."""
    file = home / "evidence" / "pending" / call
    return file.rename(file.with_name(f".new-{call}.1-1"))


def test_what_a_killed_checkpoint_left_is_no_call_of_its_own_but_that_of_which_the_end_is_told(
    tmp_path: Path,
):
    store = Evidence(tmp_path)
    pending = Pending("s" * 64, "main", "edit", 1.0, "/repo", "", {"f": None})
    for call in ("call", "call-elsewhere"):
        store.hold(call, pending)
        left_by_a_killed_checkpoint(tmp_path, call)
    assert store.held_by("s" * 64, "f") == ()
    assert store.held_by("s" * 64) == ("call-elsewhere", "call")
    taken = store.take("call")
    assert taken is not None
    assert taken.contents == {"f": None}
    assert store.take("call") is None
    assert store.was_taken("call")
    store.done("call")
    assert [call.contents for call in store.open_calls()] == [{"f": None}]
    assert store.take("call-elsewhere") is not None
    assert len(store.open_calls()) == 1, "its end is not written yet"
    store.done("call-elsewhere")
    assert store.open_calls() == ()


def test_half_of_a_pending_call_is_none_and_goes_with_its_end(tmp_path: Path):
    store = Evidence(tmp_path)
    store.hold("call", Pending("s" * 64, "main", "edit", 1.0, "/repo", "", {"f": None}))
    left = left_by_a_killed_checkpoint(tmp_path, "call")
    left.write_bytes(left.read_bytes()[:-3])
    assert store.open_calls() == ()
    assert store.take("call") is None
    assert not left.exists()


def test_collection_drops_the_oldest_recorded_first_and_keeps_what_is_named(tmp_path: Path):
    store = Evidence(tmp_path)
    refs = {}
    for number, session in enumerate("abc"):
        refs[session] = store.keep(os.urandom(40_000))
        store.append(EVENT._replace(session=session * 64, touched=(Touched(session, None, refs[session]),)))
        path = tmp_path / "evidence" / "sessions" / f"{session * 64}.jsonl"
        os.utime(path, (time.time() - 1000 + number,) * 2)
    for file in (tmp_path / "evidence" / "contents").glob("*/*"):
        os.utime(file, (time.time() - 1000,) * 2)
    store.mark_recorded({"b" * 64})
    store.collect(limit=100_000)
    assert [event.session[0] for event in store.events()] == ["a", "c"]
    assert store.read(refs["b"]) is None
    assert store.read(refs["a"]) is not None
    assert store.read(refs["c"]) is not None


def test_what_is_recorded_and_a_month_old_goes_whatever_its_size(tmp_path: Path):
    store = Evidence(tmp_path)
    for session in "ab":
        store.append(EVENT._replace(session=session * 64))
    store.mark_recorded({"a" * 64})
    old = time.time() - 31 * 86400
    os.utime(tmp_path / "evidence" / "sessions" / f"{'a' * 64}.jsonl", (old, old))
    store.collect()
    assert [event.session[0] for event in store.events()] == ["b"]


def test_beyond_the_limit_what_is_in_no_record_yet_stays_known_without_its_contents(tmp_path: Path):
    store = Evidence(tmp_path)
    contents, sessions = tmp_path / "evidence" / "contents", tmp_path / "evidence" / "sessions"

    def add(session: str) -> str:
        ref = store.keep(os.urandom(40_000))
        store.append(EVENT._replace(session=session * 64, touched=(Touched(session, None, ref),)))
        return ref

    def collect(limit: int) -> str:
        for file in contents.glob("*/*"):
            os.utime(file, (time.time() - 1000,) * 2)
        for number, session in enumerate("abc"):
            os.utime(sessions / f"{session * 64}.jsonl", (time.time() - 1000 + number,) * 2)
        store.collect(limit=limit)
        return "".join(sorted(event.session[0] for event in store.events()))

    first, second, third = map(add, "abc")
    assert collect(100_000) == "abc", "else a person would seem to have written what is in file `a`"
    assert [store.read(ref) is not None for ref in (first, second, third)] == [False, True, True]
    again = add("a")
    assert collect(130_000) == "aabc"
    assert store.read(again) is not None, "a session that goes on is kept like any other"
    store.mark_recorded({"b" * 64})
    add("b")
    assert collect(170_000) == "aabbc", "what was recorded of it is not all of it any more"
    assert (collect(1), collect(1)) == ("aabbc", "c"), "bounded all the same: the newest alone stays"


@pytest.mark.parametrize("name", ["sessions", "pending", "sessions/x.jsonl", ""])
def test_what_cannot_be_read_is_not_nothing(tmp_path: Path, name: str):
    """An agent in a container may have run as another user; here something else is in the place."""
    store = Evidence(tmp_path)
    place = tmp_path / "evidence" / name
    if name.endswith("l"):
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text("in the way")
    read = store.open_calls if name == "pending" else store.events
    with pytest.raises(UserError, match="cannot be read"):
        read()
    assert Evidence(tmp_path / "elsewhere").events() == Evidence(tmp_path / "elsewhere").open_calls() == ()


@pytest.mark.parametrize(
    "odd",
    [{"started": "x"}, {"ended": None}, {"tick_ended": "1"}, {"agent": 3}, {"touched": [["f", None, 5]]}],
    ids=lambda odd: next(iter(odd)),
)
def test_a_line_of_other_types_is_none(tmp_path: Path, odd: dict[str, object]):
    store = Evidence(tmp_path)
    store.append(EVENT)
    (file,) = (tmp_path / "evidence" / "sessions").iterdir()
    value = {**json.loads(file.read_text()), **odd}
    if "touched" in odd:
        value["touched"] = [{"path": "f", "before": None, "after": 5}]
    file.write_text(file.read_text() + json.dumps(value) + "\n")
    assert len(store.events()) == 1


def test_a_pending_call_of_other_types_is_none(tmp_path: Path):
    store = Evidence(tmp_path)
    store.hold("call", Pending("s" * 64, "main", "edit", 1.0, "/repo", "", {"f": None}))
    file = tmp_path / "evidence" / "pending" / "call"
    for odd in ({"started": "x"}, {"contents": [1]}, {"tick": "1"}):
        file.write_text(json.dumps({**json.loads(file.read_text()), **odd}))
        assert store.open_calls() == ()
        assert store.take("call") is None
        store.hold("call", Pending("s" * 64, "main", "edit", 1.0, "/repo", "", {"f": None}))
