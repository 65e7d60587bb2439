"""Several hands at work in one repository. Each line is a text of its own that begins with who wrote it, so who wrote
and who removed a line is known without us.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from support_git import git, run
from support_in_process import told

from foureyes.hooks import observe
from foureyes.hooks.build import Builder, build
from foureyes.hooks.repo import Repo
from foureyes.shared.record import Record

PERSON = "person"
AGENTS = ("claude-code", "gemini-cli")
FILES = ("f", "g", "src/h")
OLGA = Builder("person@example.com", "olga", "github.com/acme/shop", ())


def _begun(hand: str, tool: str) -> tuple[str, str, str, str]:
    """Names of an agent's two events and of its tools, as its hooks send them."""
    claude = hand == "claude-code"
    before, after = ("PreToolUse", "PostToolUse") if claude else ("BeforeTool", "AfterTool")
    names = {"edit": ("Write", "write_file"), "shell": ("Bash", "run_shell_command")}[tool]
    return before, after, names[not claude], "AI_AGENT" if claude else "GEMINI_CLI"


class Hands:
    """A person and two agents in the work tree `repo`. `removed` says for each text who ever took it away."""

    def __init__(self, repo: Path, count: int = 0) -> None:
        self.repo = repo
        self.count = count
        self.clock = int(time.time()) - 100_000
        self.forgot = False
        """The evidence is gone. Of a change that was committed again the removals may not be told apart any more: whoever
        changes a line takes the same one away.
        """
        self.removed: dict[str, set[str]] = {}

    def tick(self) -> dict[str, str]:
        """Now and then a second goes by: much of what is done has the same time for git."""
        self.clock += self.count % 2
        return {name: f"@{self.clock} +0000" for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")}

    def new_line(self, hand: str) -> str:
        self.count += 1
        return f"{hand} wrote line {self.count:04d}, unlike {self.count * 7919 % 9973:04d} others"

    def lines(self, name: str) -> list[str]:
        path = self.repo / name
        return path.read_text().splitlines() if path.exists() else []

    def edit(self, hand: str, name: str, at: int, take: int, put: int, *, tool: str = "edit") -> None:
        """`hand` replaces `take` lines by `put` new ones, at line `at` or at the end; a file without lines goes."""
        lines = self.lines(name)
        at = min(at, len(lines))
        for gone in lines[at : at + take]:
            self.removed.setdefault(gone, set()).add(hand)
        lines[at : at + take] = [self.new_line(hand) for _ in range(put)]
        if hand == PERSON:
            self._write(name, lines)
            return
        with self._call(hand, tool, name):
            self._write(name, lines)

    def _write(self, name: str, lines: Sequence[str]) -> None:
        path = self.repo / name
        path.parent.mkdir(exist_ok=True)
        if lines:
            path.write_text("".join(f"{line}\n" for line in lines))
        else:
            path.unlink(missing_ok=True)

    @contextmanager
    def _call(self, hand: str, tool: str, name: str = ""):
        """A tool call of an agent, told before and after it in the agent's own form."""
        self.count += 1
        before, after, named, mark = _begun(hand, tool)
        given = {"file_path": str(self.repo / name)} if tool == "edit" else {"command": f"call {self.count}"}
        payload: dict[str, Any] = {
            "session_id": f"session of {hand}",
            "cwd": str(self.repo),
            "tool_name": named,
            "tool_input": given,
        }
        if hand == "claude-code":
            payload["tool_use_id"] = f"toolu_{self.count}"
        for event in (before, after):
            self.tick()
            with patch.object(observe.time, "time", lambda: float(self.clock)):
                value = "claude-code_2-1-330_harness" if mark == "AI_AGENT" else "1"
                told(self.repo, hand, {**payload, "hook_event_name": event}, {mark: value})
            if event == before:
                yield

    def by_agent(self, hand: str, *arguments: str) -> bool:
        """`git` in an agent's shell tool, with its mark."""
        mark = {"claude-code": {"CLAUDECODE": "1", "AI_AGENT": "claude-code_2-1-330_agent"}}
        with self._call(hand, "shell"):
            return self.git(*arguments, env=mark.get(hand, {"GEMINI_CLI": "1"}))

    def git(self, *arguments: str, env: dict[str, str] | None = None) -> bool:
        """Whether git did it; a conflict is an answer."""
        return (
            run(
                ["git", *arguments],
                self.repo,
                env={"GIT_EDITOR": "true", **self.tick(), **(env or {})},
                ok=False,
            ).returncode
            == 0
        )

    def take_back(self, commits: str) -> None:
        """A person reverts: what these commits had added is taken away by that person."""
        for line in git(self.repo, "log", "-p", "--format=", "--unified=0", commits).splitlines():
            if line.startswith("+") and not line.startswith("+++"):
                self.removed.setdefault(line[1:], set()).add(PERSON)

    def rename(self, old: str, new: str) -> None:
        """By a person, who takes away what the old file held and has written nothing."""
        for line in self.lines(old):
            self.removed.setdefault(line, set()).add(PERSON)
        git(self.repo, "mv", old, new)

    def written_by(self, text: str) -> str:
        return text.split(" ")[0]

    def removed_by(self, text: str) -> str:
        """ "" where several hands did, at one time or another."""
        hands = self.removed.get(text, set())
        return next(iter(hands)) if len(hands) == 1 else ""


def truth_against(hands: Hands, record: Record, *, run_by: str = "", whole: bool = True) -> set[str]:
    """Compare each line of a record with who really wrote or removed it. Answers the agents that have lines in it.

    `run_by`: the agent that made the commit, to which lines that nobody was seen to write are put down, and so marked.
    `whole`: each line has to be told; of merges only the merge's own are.
    """
    agents: set[str] = set()
    told: dict[tuple[str, str, int], tuple[str, str, str]] = {}
    for part in record.contributors:
        for number in range(part.start, part.start + part.count):
            assert (part.path, part.side, number) not in told
            told[part.path, part.side, number] = (part.cls, part.agent, part.confidence)
    for change in record.files:
        before = _lines_before(hands.repo, record.commit, change.path)
        for side, number, text in _changed(hands.repo, record.commit, change.path):
            expected = hands.written_by(text) if side == "added" else hands.removed_by(text)
            cls, agent, confidence = told.pop((change.path, side, number))
            where = f"{record.commit[:8]} {change.path} {side} {number} {text!r}: {cls} {agent} {confidence}"
            if expected in AGENTS and side == "removed" and hands.forgot:
                continue
            if side == "added" and text in before:
                assert cls != "ai" or agent == expected, where  # moved: by whom is not known here
                continue
            if expected in AGENTS and whole:
                assert (cls, agent) == ("ai", expected), where
                agents.add(expected)
            elif expected == PERSON and not (agent == run_by and confidence == "low"):
                assert cls != "ai", where
            elif expected in AGENTS:
                assert cls == "unknown" or agent == expected, where
    assert not told
    return agents


def _lines_before(repo: Path, commit: str, name: str) -> set[str]:
    found = run(["git", "cat-file", "blob", f"{commit}~:{name}"], repo, ok=False).stdout
    return set(found.decode().splitlines())


def _changed(repo: Path, commit: str, name: str) -> list[tuple[str, int, str]]:
    """Side, line number and text of each changed line of a file, against the first parent, by git's own diff."""
    asked = ("--unified=0", "--no-renames", "--format=", "--first-parent", "-m", "--root", commit, "--", name)
    found, numbers = [], {}
    for line in git(repo, "log", "-1", "-p", *asked).splitlines():
        if line.startswith("@@"):
            old, new = line.split(" ")[1:3]
            numbers = {"-": int(old[1:].split(",")[0]), "+": int(new[1:].split(",")[0])}
        elif numbers and line[:1] in numbers:
            found.append(("added" if line[0] == "+" else "removed", numbers[line[0]], line[1:]))
            numbers[line[0]] += 1
        elif line.startswith("diff "):
            numbers = {}
    return found


def build_now(repo: Path, commits: Sequence[str]) -> dict[str, Record]:
    return build(Repo.open(repo), commits, OLGA)


def stage_some(hands: Hands, chosen: int) -> bool:
    """Stage the hunks of the work tree whose bits are set, as `git add -p` does."""
    whole = git(hands.repo, "diff", "--unified=0", "--no-renames").split("\ndiff --git ")
    picked = []
    for file in whole:
        header, *hunks = file.removeprefix("diff --git ").split("\n@@ ")
        some = [hunk for at, hunk in enumerate(hunks) if chosen >> (at % 4) & 1]
        if some and "deleted file" not in header:
            picked.append("\n@@ ".join([f"diff --git {header}", *_renumbered(some)]))
    if not picked:
        return False
    patch_text = ("\n".join(picked) + "\n").encode()
    done = subprocess.run(
        ["git", "apply", "--cached", "--unidiff-zero", "-"],
        cwd=hands.repo,
        input=patch_text,
        capture_output=True,
    )
    return done.returncode == 0


def _renumbered(hunks: Sequence[str]) -> Iterator[str]:
    """As they stand without those that were left out: hunks without context are put where their new lines say."""
    shift = 0
    for hunk in hunks:
        numbers, rest = hunk.split(" @@", 1)
        (old, gone), (_, come) = (_range(word) for word in numbers.split(" "))
        new = old + shift + (1 if gone == 0 else 0) - (1 if come == 0 else 0)
        yield f"-{old},{gone} +{new},{come} @@{rest}"
        shift += come - gone


def _range(word: str) -> tuple[int, int]:
    """`-3`, `+3,0` -> first line and number of lines."""
    first, _, count = word[1:].partition(",")
    return int(first), int(count or 1)
