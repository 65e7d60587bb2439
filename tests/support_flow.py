"""The whole product at work: real hooks in a clone, real pushes over HTTP, a real server process, the sandbox.

Every exchange with the sandbox is held to GitHub's contract while the tests run.
"""

import os
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support_sandbox import World, running_sandbox

from foureyes.github_app.sandbox.command import described
from foureyes.github_app.sandbox.demo_stage import AGENT_SHELLS, Stage, process
from foureyes.github_app.sandbox.visitor import Visitor

CLAUDE = "Claude Code"


@dataclass
class Town:
    world: World
    stage: Stage
    address: str
    clone: Path = Path()
    branches: int = 0
    opened: dict[int, str] = field(default_factory=dict)

    def who(self, login: str) -> Visitor:
        return self.stage.visitor(login)

    def git(self, *arguments: str, agent: str = "", more: Mapping[str, str] | None = None) -> str:
        shell = {**AGENT_SHELLS.get(agent, {}), **(more or {})}
        return self.stage.git("olga", *arguments, cwd=self.clone, more=shell)

    def branch(self) -> str:
        """A new branch of olga's at the tip of main, checked out."""
        self.branches += 1
        name = f"change-{os.getpid()}-{self.branches}"
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", name, "origin/main")
        return name

    def commit(
        self, files: Mapping[str, str | None], *options: str, agent: str = CLAUDE, message: str = "Change"
    ) -> str:
        """Writes the files (None: deletes) and commits them as olga, in the agent's shell. The new commit's id."""
        for name, text in files.items():
            path = self.clone / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        self.git(*options, "commit", "-q", "-m", message, agent=agent)
        return self.git("rev-parse", "HEAD")

    def open(self, branch: str, by: str = "raj", *options: str) -> int:
        """Pushes as olga, with the hooks that are installed, and opens as somebody else."""
        self.git("push", "-q", *options, "origin", branch)
        number = self.who(by).open_pull(branch, "A change", "Please look.")
        self.opened[number] = branch
        return number

    def agent_pull(self, files: Mapping[str, str | None], agent: str = CLAUDE, **more: Any) -> int:
        branch = self.branch()
        self.commit(files, agent=agent, **more)
        return self.open(branch)

    def approve(self, number: int, *logins: str) -> None:
        for login in logins:
            answer = self.who(login).review(number)
            assert answer.status == 200, answer

    def settled(self, number: int) -> dict[str, Any]:
        """The check on the head, once every delivery so far is decided."""
        assert self.world.sandbox.wait_delivered()
        end = time.monotonic() + 300
        while time.monotonic() < end:
            if self.undecided() == 0:
                head = self.who("noor").pull(number)["head"]["sha"]
                check = self.who("noor").check(head)
                assert check is not None, f"no check on #{number}"
                return check
            time.sleep(0.02)
        raise AssertionError("deliveries stay undecided")

    def undecided(self) -> int:
        with urllib.request.urlopen(f"{self.address}/metrics") as answer:
            found = re.search(r"^foureyes_undecided_deliveries (\S+)", answer.read().decode(), re.M)
        assert found
        return int(float(found.group(1)))

    def passes(self, number: int) -> bool:
        """The check is a success, and GitHub's own merge button agrees with it."""
        check = self.settled(number)
        return check["status"] == "completed" and check["conclusion"] == "success"


@contextmanager
def running_town(folder: Path) -> Iterator[Town]:
    with running_sandbox(folder) as world:
        stage = Stage(folder, described(world.sandbox))
        stage.home("noor").mkdir(parents=True)
        stage.app = {
            **world.sandbox.environment(),
            "FOUREYES_DATA": str(folder / "app"),
            "FOUREYES_PORT": "0",
            "PYTHONPATH": str(Path(__file__).parent.parent / ".types"),
        }
        with process(stage, "app", ("serve", "--json"), stage.app) as serving:
            world.sandbox.set_webhook_url(f"{serving['listening']}/webhook")
            town = Town(world, stage, serving["listening"])
            town.clone = stage.clone("olga")
            stage.give_key("olga")
            stage.foureyes("olga", "install", "--login", "olga", cwd=town.clone)
            yield town
