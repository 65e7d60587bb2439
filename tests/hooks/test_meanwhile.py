"""Calls of agents that overlap, and calls whose end was never told while others on the same file went on: each line is
of who wrote it, and what a call may have done that nobody saw is no person's.
"""

from pathlib import Path
from unittest.mock import Mock

import pytest
from support_agent import Agent
from support_built import record
from support_git import commit, git, write
from support_hooked import copy_hooked

from foureyes.hooks import observe
from foureyes.hooks.meanwhile import Part, own_parts
from foureyes.hooks.tool_events import Event, Touched


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = copy_hooked(tmp_path / "repo")
    commit(repo, {"f": "one\n", "g": "one\n"}, "by hand")
    return repo


class Call:
    """One call, told in halves. `kind` is an agent's tool."""

    def __init__(self, repo: Path, kind: str, agent: Agent | None = None) -> None:
        self._agent = agent or Agent(repo)
        self._agent.calls += 1
        given = {"file_path": str(repo / "f")} if kind == "Write" else {"command": "make"}
        self._payload = self._agent._payload("PreToolUse", kind, given)
        self._agent._tell(self._payload)

    def end(self) -> None:
        self._agent._tell({**self._payload, "hook_event_name": "PostToolUse"})


def end_turn(agent: Agent) -> None:
    agent._tell(agent._payload("Stop", "", {}))


def hands(repo: Path) -> dict[str, str]:
    """Committed now: each line that the commit adds -> the class of who wrote it."""
    commit(repo, {}, "all")
    content = git(repo, "show", "HEAD:f").splitlines()
    added = [part for part in record(repo).contributors if part.side == "added"]
    return {
        content[number - 1]: part.cls
        for part in added
        for number in range(part.start, part.start + part.count)
    }


@pytest.mark.parametrize("same_session", [True, False])
def test_what_a_command_wrote_before_another_call_began_is_its_own(repo: Path, same_session: bool) -> None:
    agent = Agent(repo)
    long = Call(repo, "Bash", agent)
    write(repo, {"f": "one\nby the command\n"})
    other = agent if same_session else Agent(repo, session="another-session")
    other.write("f", "one\nby the command\nby the edit\n")
    other.write("f", "one\nby the command\nby the edit\nby a second\n")
    write(repo, {"f": "one\nby the command\nby the edit\nby a second\nat last\n"})
    long.end()
    assert hands(repo) == dict.fromkeys(("by the command", "by the edit", "by a second", "at last"), "ai")


@pytest.mark.parametrize("kind", ["Write", "Bash"])
def test_what_a_call_did_whose_end_was_lost_is_an_agents_though_others_went_on(repo: Path, kind: str) -> None:
    """The checkpoint was killed; the next call found what it had left."""
    write(repo, {"f": "one\nmine before\n"})
    agent = Agent(repo)
    Call(repo, kind, agent)
    write(repo, {"f": "one\nmine before\nby the lost call\n"})
    agent.write("f", "one\nmine before\nby the lost call\nby the next\n")
    agent.write("f", "one\nmine before\nby the lost call\nby the next\nby the last\n")
    end_turn(agent)
    assert hands(repo) == {
        "mine before": "human", "by the lost call": "ai", "by the next": "ai", "by the last": "ai",
    }  # fmt: skip


def test_an_edit_that_was_broken_off_claims_nothing_between_later_ones(repo: Path) -> None:
    """The developer refused it. It would have written the file once, before the next call."""
    agent = Agent(repo)
    Call(repo, "Write", agent)
    agent.write("f", "one\nby the next\n")
    write(repo, {"f": "one\nby the next\nby hand\n"})
    agent.write("f", "one\nby the next\nby hand\nby the last\n")
    end_turn(agent)
    assert hands(repo) == {"by the next": "ai", "by hand": "human", "by the last": "ai"}


def test_a_call_that_began_within_another_claims_nothing_of_what_it_found(repo: Path) -> None:
    agent = Agent(repo)
    outer = Call(repo, "Bash", agent)
    write(repo, {"f": "one\nby the outer\n"})
    inner = Call(repo, "Bash", Agent(repo, session="another-session"))
    write(repo, {"f": "one\nby the outer\nby either\n"})
    outer.end()
    inner.end()
    assert hands(repo) == {"by the outer": "ai", "by either": "ai"}
    write(repo, {"f": "one\nby the outer\nby either\nby hand\n"})
    assert hands(repo) == {"by hand": "human"}


@pytest.mark.parametrize("left", [False, True])
def test_a_call_of_which_nothing_was_seen_leaves_no_doubt_where_the_next_found_all_unchanged(
    repo: Path, monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    agent = Agent(repo)
    with monkeypatch.context() as patched:
        patched.setattr(observe, "observe", Mock(side_effect=OSError("too slow")))
        Call(repo, "Bash", agent)
    if left:
        write(repo, {"f": "one\nunseen\n"})
    agent.write("f", (repo / "f").read_text() + "seen\n")
    end_turn(agent)
    assert hands(repo) == ({"unseen": "unknown", "seen": "ai"} if left else {"seen": "ai"})


def test_a_call_that_is_open_leaves_doubt_though_an_earlier_one_has_landed(repo: Path) -> None:
    """The earlier one's beginning was lost, too, so that the file is looked at as a whole."""
    agent = Agent(repo)
    agent.write("f", "one\nby the first\n", before=False)
    assert hands(repo) == {"by the first": "unknown"}
    Call(repo, "Write", agent)
    write(repo, {"f": "one\nby the first\nby the second\n"})
    assert hands(repo) == {"by the second": "unknown"}


def test_line_ends_that_git_writes_are_no_change(repo: Path) -> None:
    git(repo, "config", "core.autocrlf", "true")
    (repo / "f").unlink()
    git(repo, "checkout", "-q", "f")
    assert (repo / "f").read_bytes() == b"one\r\n"
    agent = Agent(repo)
    long = Call(repo, "Bash", agent)
    Agent(repo, session="another-session").write("f", b"one\r\nby an agent\r\n")
    long.end()
    assert hands(repo) == {"by an agent": "ai"}


def told(before: str | None, after: str | None, started: int, ended: int) -> tuple[Event, Touched]:
    event = Event("a", "", "", "s", "w", "shell", 0.0, 0.0, (), tick_started=started, tick_ended=ended)
    return event, Touched("f", before, after)


@pytest.mark.parametrize(
    ("others", "parts"),
    [
        ((), [("0", "9", 0)]),
        ((told("0", "9", 11, 12),), []),
        ((told("0", "5", 11, 12),), [("5", "9", 0)]),
        ((told("3", "9", 11, 12),), [("0", "3", 11)]),
        ((told("3", "4", 11, 12), told("5", "6", 13, 14)), [("0", "3", 11), ("4", "5", 13), ("6", "9", 0)]),
        ((told("3", "9", 8, 12),), []),
        ((told("0", "4", 11, 14), told("3", "9", 13, 15)), []),
        ((told("?", "9", 11, 12),), []),
        ((told(None, "9", 11, 12),), [("0", None, 11)]),
    ],
    ids=[
        *("alone", "told already", "went on", "was before it", "before, between and after"),
        *("began earlier", "beside each other", "of unknown beginning", "had deleted it"),
    ],
)  # fmt: skip
def test_what_is_a_calls_own(
    others: tuple[tuple[Event, Touched], ...], parts: list[tuple[str | None, str | None, int]]
) -> None:
    def same(one: str | None, other: str | None) -> bool:
        return one == other

    expected = [Part(Touched("f", before, after), ended) for before, after, ended in parts]
    assert list(own_parts(Touched("f", "0", "9"), 10, others, same, at_once=False)) == expected
    once = [part for part in expected if part.touched.before in {"0", "6", "5"} or not part.ended]
    assert list(own_parts(Touched("f", "0", "9"), 10, others, same, at_once=True)) == once
