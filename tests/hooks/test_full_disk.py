"""An evidence store that cannot be written: nothing that an agent did meanwhile is called a person's."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from support_agent import Agent
from support_built import record
from support_git import commit, write
from support_hooked import copy_hooked

from foureyes.hooks import evidence
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.tool_events import Event, Touched

Disk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = copy_hooked(tmp_path / "repo")
    commit(made, {name: "one\n" for name in "fg"}, "by hand")
    Agent(made).write("f", "one\nseen\n")
    commit(made, {}, "by an agent")
    return made


@pytest.fixture(params=["really", "as told"])
def full(request: pytest.FixtureRequest, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Fills the disk on which our folder is, for as long as it is held."""
    if request.param == "as told":
        no_space = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))

        @contextmanager
        def told() -> Iterator[None]:
            with monkeypatch.context() as patched:
                patched.setattr(evidence, "_write_whole", no_space)
                patched.setattr(Evidence, "append", no_space)
                yield

        yield told
        return
    home, beside = repo / ".git" / "foureyes", repo.parent / "beside"
    home.rename(beside)
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=400,mode=700", "none", str(home)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        shutil.copytree(beside, home, dirs_exist_ok=True)

        @contextmanager
        def filled() -> Iterator[None]:
            used = home / "used"
            used.mkdir()
            with pytest.raises(OSError, match="No space"):
                (used / "all").write_bytes(b"\0" * 2**21)
            with pytest.raises(OSError, match="No space"):
                touch_all(used / str(number) for number in range(1000))
            yield
            shutil.rmtree(used)

        yield filled
    finally:
        subprocess.run(["umount", str(home)], check=True)


def touch_all(files: Iterable[Path]) -> None:
    for file in files:
        file.touch()


def make(agent: Agent, phase: str, full: Disk, *, fails: bool) -> None:
    payload = agent._payload(phase, "Bash", {"command": "make"})
    if not fails:
        agent._tell(payload)
        return
    with full():
        agent._tell(payload)
    mark = agent.repo / ".git" / "foureyes" / "evidence" / "unwritten" / "main"
    if since := mark.stat().st_mtime:
        os.utime(mark, (since - 2, since - 2))  # what is told by seconds, not ticks, would be of the same one


@pytest.mark.parametrize(
    "failed", [{"PreToolUse"}, {"PostToolUse"}, {"PreToolUse", "PostToolUse"}], ids=sorted
)
@pytest.mark.parametrize("built", ["in its turn", "later"])
def test_what_an_agent_did_while_nothing_could_be_written_is_no_persons(
    repo: Path, full: Disk, failed: set[str], built: str
) -> None:
    agent = Agent(repo, session="another-session")
    make(agent, "PreToolUse", full, fails="PreToolUse" in failed)
    write(repo, {"f": "one\nseen\nunseen\n"})
    make(agent, "PostToolUse", full, fails="PostToolUse" in failed)
    commit(repo, {}, "in its turn")
    if built == "in its turn":
        assert record(repo).cls == ""
    write(repo, {"g": "one\nunseen\n"})
    agent._tell(agent._payload("Stop", "", {}))
    assert record(repo).cls in ("", "ai")
    commit(repo, {}, "what it left")
    assert record(repo).cls in ("", "ai")
    commit(repo, {"f": "one\nseen\nunseen\nmine\n"}, "by hand")
    assert record(repo).cls == "human"


def test_a_turn_whose_end_cannot_be_written_goes_on(repo: Path, full: Disk) -> None:
    agent = Agent(repo)
    agent._tell(agent._payload("PreToolUse", "Bash", {"command": "make"}))
    write(repo, {"f": "one\nseen\nby make\n"})
    with full():
        agent._tell(agent._payload("Stop", "", {}))
    commit(repo, {}, "in its turn")
    assert record(repo).cls == ""
    agent._tell(agent._payload("Stop", "", {}))
    assert record(repo).cls == "ai"


def test_the_end_of_one_agents_turn_is_not_that_of_another_in_the_same_work_tree(
    repo: Path, full: Disk
) -> None:
    one, other = Agent(repo), Agent(repo, session="another-session")
    with full():
        one._tell(one._payload("PreToolUse", "Bash", {"command": "make"}))
    one.calls += 1
    one._tell(one._payload("PreToolUse", "Bash", {"command": "make"}))
    other._tell(other._payload("Stop", "", {}))
    commit(repo, {"g": "whose?\n"}, "in its turn")
    assert record(repo).cls == ""


def test_a_line_that_did_not_fit_is_not_taken_for_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that has room for half of it: the write says so, and does not fail."""
    store, write_all = Evidence(tmp_path), os.write
    event = Event("claude-code", "2", "m", "a" * 64, "main", "edit", 1.0, 2.0, (Touched("f", None, "s:1"),))
    with monkeypatch.context() as patched:
        patched.setattr(evidence.os, "write", lambda descriptor, line: write_all(descriptor, line[:20]))
        with pytest.raises(OSError, match="No space"):
            store.append(event)
    store.append(event)
    assert len(store.events()) == 1
