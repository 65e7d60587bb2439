"""kill -9 in the middle of a hook, of a push and of a checkpoint: what git did stands, the repository and our store stay
usable, the next build makes it good, and nothing of an agent's is called a person's.

FOUREYES_TEST_LONG=1 (`make test-long`) kills at every step; without it, at some of them.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support_agent import CLAUDE_ENV, Agent
from support_git import commit, git, head, run, write
from support_hooked import copy_hooked, make_remote, push, records
from support_killed import ShellSteps, python_steps

from foureyes.hooks.build import Builder, build
from foureyes.hooks.evidence import Evidence
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Record

LONG = bool(os.environ.get("FOUREYES_TEST_LONG"))
OLGA = Builder("person@example.com", "olga", "", ())


def chosen(count: int, few: int) -> list[int]:
    """Steps 1 to `count`: every one, or a few of them with the first and the last."""
    return (
        list(range(1, count + 1)) if LONG else sorted({1 + n * (count - 1) // (few - 1) for n in range(few)})
    )


def built(repo: Path) -> dict[str, Record]:
    return build(Repo.open(repo), git(repo, "rev-list", "HEAD").split(), OLGA)


def by_agent(repo: Path, *arguments: str) -> bool:
    return run(["git", *arguments], repo, ok=False, env=CLAUDE_ENV).returncode == 0


def by_hand(repo: Path, *arguments: str) -> bool:
    return run(["git", *arguments], repo, ok=False, env={"GIT_EDITOR": "true"}).returncode == 0


def commit_by_hand(repo: Path) -> bool:
    return by_hand(repo, "commit", "-qam", "by hand")


def commit_by_agent(repo: Path) -> bool:
    return by_agent(repo, "commit", "-qam", "by an agent")


def amend(repo: Path) -> bool:
    return by_hand(repo, "commit", "-qa", "--amend", "-m", "amended")


def merge(repo: Path) -> bool:
    done = by_hand(repo, "merge", "-q", "--no-edit", "--autostash", "side")
    if not done:
        by_hand(repo, "merge", "--abort")
    return done


def mail(repo: Path) -> bool:
    git(repo, "checkout", "-q", "f")
    done = by_hand(repo, "am", "-q", str(repo.parent / "0001-mailed.patch"))
    if not done:
        by_hand(repo, "am", "--abort")
    return done


def rebase(repo: Path) -> bool:
    git(repo, "checkout", "-q", "f")
    done = by_hand(repo, "rebase", "-q", "--force-rebase", "HEAD~")
    if not done:
        by_hand(repo, "rebase", "--abort")
    return done


@pytest.mark.parametrize(
    ("work", "few"),
    [(commit_by_hand, 4), (commit_by_agent, 3), (amend, 3), (merge, 2), (mail, 2), (rebase, 2)],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_hook_that_is_killed_costs_no_commit_and_nothing_later(
    tmp_path: Path, work: Callable[[Path], bool], few: int
) -> None:
    """Where git waits for our hook's word before it commits (prepare-commit-msg), it makes no commit; again, it does."""
    repo = copy_hooked(tmp_path / "repo")
    git(repo, "checkout", "-q", "-b", "side")
    commit(repo, {"s": "on the side\n"}, "side")
    git(repo, "checkout", "-q", "main")
    commit(repo, {"m": "mailed\n"}, "mailed")
    git(repo, "format-patch", "-q", "-1", "-o", str(tmp_path))
    git(repo, "reset", "-q", "--hard", "HEAD~")
    base = commit(repo, {"f": "here\n"}, "base")
    steps = ShellSteps(repo, tmp_path)

    def begin(text: str) -> None:
        git(repo, "reset", "-q", "--hard", base)
        write(repo, {"f": f"here\n{text}\n"})

    begin("counted")
    steps.kill_at(0)
    assert work(repo)
    for step in chosen(steps.count, few):
        steps.no_more()
        begin(f"step {step}")
        steps.kill_at(step)
        done = work(repo)
        steps.no_more()
        assert (done and head(repo) != base) or work(repo), step
        found = built(repo)
        assert found[head(repo)].cls in ({"ai"} if work is commit_by_agent else {"human", ""}), step
        later = commit(repo, {"later": f"{step}\n"}, "later")
        assert built(repo)[later].cls == "human", step
        assert not list((repo / ".git").glob("*.lock")), step


def test_a_push_whose_hook_is_killed_is_made_again_with_its_records(tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    steps = ShellSteps(repo, tmp_path)
    made = commit(repo, {"f": "counted\n"}, "counted")
    steps.kill_at(0)
    push(repo, "origin", "work")
    for step in chosen(steps.count, few=2):
        steps.no_more()
        made = commit(repo, {"f": f"step {step}\n"}, "more")
        steps.kill_at(step)
        push(repo, "origin", "work", ok=False)
        steps.no_more()
        push(repo, "origin", "work")
        if head(remote, "work") != made or made not in records(remote, "work"):
            commit(repo, {"f": f"step {step}, more\n"}, "more")
            push(repo, "origin", "work")
        assert records(remote, "work")[made].cls == "human", step


PUSH = "import os\nos.chdir({repo!r})\nfrom foureyes.hooks import push\nimport foureyes.hooks.push_notice"
PUSHED = "push.main(['origin', {remote!r}])"


def test_records_that_a_killed_push_could_not_publish_are_published_by_the_next(tmp_path: Path) -> None:
    repo = copy_hooked(tmp_path / "repo")
    remote = make_remote(repo, tmp_path / "remote.git")
    git(repo, "checkout", "-q", "-b", "work")
    first, then = PUSH.format(repo=str(repo)), PUSHED.format(remote=str(remote))

    def pushed_until(step: int) -> tuple[str, int, int]:
        """The commit, how the push's own program ended, and how many steps it took in all."""
        made = commit(repo, {"f": f"{step}\n"}, f"{step}")
        line = f"refs/heads/work {made} refs/heads/work {'0' * 40}\n".encode()
        done = run(python_steps(first, then, step), repo, stdin=line, ok=False)
        left = done.stderr.rpartition(b"steps left: ")[2]
        return made, done.returncode, step - int(left) if done.returncode == 0 else step

    _, status, count = pushed_until(10_000)
    assert status == 0
    for step in chosen(count - 2, few=3):
        made, status, _ = pushed_until(step)
        assert status == -signal.SIGKILL, step
        later = commit(repo, {"f": f"{step}, more\n"}, "more")
        push(repo, "origin", "work")
        found = records(remote, "work")
        assert (found[made].cls, found[later].cls) == ("human", "human"), step
        assert not list((repo / ".git").glob("*.lock")), step


CHECKPOINT = """
import io, json, os
os.chdir({repo!r})
os.environ["AI_AGENT"] = "claude-code_2-1-330_harness"
from foureyes.hooks import checkpoint, observe
"""


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_checkpoint_that_is_killed_leaves_a_store_that_goes_on(tmp_path: Path, phase: str) -> None:
    repo = copy_hooked(tmp_path / "repo")
    agent = Agent(repo)
    store = Evidence(repo / ".git" / "foureyes")

    def killed_at(step: int) -> int:
        """Write a line, with one of the two reports killed at a step; how it ended."""
        agent.calls += 1
        given = {"file_path": str(repo / "f")}
        done = 0
        for event, named in (("PreToolUse", "before"), ("PostToolUse", "after")):
            payload = json.dumps(agent._payload(event, "Write", given)).encode()
            at = step if named == phase else 10_001
            code = python_steps(CHECKPOINT.format(repo=str(repo)), "checkpoint.main(['claude-code'])", at)
            status = run(code, repo, stdin=payload, ok=False)
            if named == phase:
                done = status.returncode or step - int(status.stderr.rpartition(b"steps left: ")[2])
            if event == "PreToolUse":
                write(repo, {"f": f"the same\nby an agent {step}\n"})
        return done

    killed_at(9_999)  # the first one makes the folders, too
    count = killed_at(10_000)
    commit(repo, {}, "counted")
    for step in chosen(count, few=3):
        assert killed_at(step) == -signal.SIGKILL, step
        made = commit(repo, {}, f"step {step}")
        cls = built(repo)[made].cls
        assert cls == "ai" or (phase == "after" and cls == "") or not store.events(), step
        agent.write("g", f"afterwards {step}\n")
        commit(repo, {}, "afterwards")
        (part,) = [part for part in built(repo)[head(repo)].contributors if part.side == "added"]
        assert (part.cls, part.evidence) == ("ai", "agent-hook"), step
        agent._tell(agent._payload("Stop", "", {}))  # or what is still open would hide the next step's loss
