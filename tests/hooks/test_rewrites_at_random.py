"""Random edits by several hands and random git operations: after each step every line is whose its text says."""

import random
from pathlib import Path

import pytest
from support_agent import Agent
from support_git import commit, git, head, run, write
from support_hooked import copy_hooked

from foureyes.hooks.build import Builder, build
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import keep_records
from foureyes.shared.record import record_bytes

OLGA = Builder("person@example.com", "olga", "", ())
FILES = ("f", "g")


class World:
    """A repository and two agents. Every line that is ever written is a text of its own."""

    def __init__(self, repo: Path, seed: int) -> None:
        self.repo, self.random, self.count = repo, random.Random(seed), 0
        self.agents = [Agent(repo, session=f"session-{n}") for n in range(2)]
        commit(repo, {name: "".join(self.line("human") for _ in range(6)) for name in FILES}, "base")
        self.commits = 0

    def line(self, hand: str) -> str:
        self.count += 1
        return f"{hand} wrote line number {self.count} of all\n"

    def edited(self, name: str, hand: str) -> str:
        path = self.repo / name
        lines = path.read_text().splitlines(True) if path.exists() else []
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randint(0, len(lines))
            gone = self.random.choice([0, 0, 1]) if len(lines) > 4 else 0
            lines[at : at + gone] = [self.line(hand) for _ in range(self.random.randint(1, 2))]
        return "".join(lines)

    def edit(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            name = self.random.choice(FILES)
            if self.random.random() < 0.6:
                self.random.choice(self.agents).write(name, self.edited(name, "ai"))
            else:
                write(self.repo, {name: self.edited(name, "human")})

    def commit(self) -> None:
        self.edit()
        self.commits += 1
        commit(self.repo, {}, f"commit {self.commits}")

    def amend(self) -> None:
        self.edit()
        git(self.repo, "commit", "-qa", "--amend", "-m", f"amended {self.count}")

    def squash(self) -> None:
        git(self.repo, "reset", "-q", "--soft", "HEAD~2")
        git(self.repo, "commit", "-qm", f"squashed {self.count}")

    def rebase(self) -> None:
        """Onto an upstream that has another line on top of a file."""
        tip = head(self.repo, "HEAD")
        git(self.repo, "checkout", "-q", "--detach", "HEAD~2")
        name = self.random.choice(FILES)
        commit(self.repo, {name: self.line("human") + (self.repo / name).read_text()}, "upstream")
        upstream = head(self.repo)
        onto = run(["git", "rebase", "-q", "--onto", upstream, f"{tip}~2", tip], self.repo, ok=False)
        if onto.returncode != 0:
            git(self.repo, "rebase", "--abort")
            git(self.repo, "checkout", "-q", "--detach", tip)

    def pick(self) -> None:
        tip = head(self.repo)
        git(self.repo, "checkout", "-q", "--detach", "HEAD~")
        write(self.repo, {"other": self.line("human")})
        commit(self.repo, {}, "aside")
        if run(["git", "cherry-pick", tip], self.repo, ok=False).returncode != 0:
            git(self.repo, "cherry-pick", "--abort")
            git(self.repo, "checkout", "-q", "--detach", tip)

    def stash(self) -> None:
        self.edit()
        git(self.repo, "stash", "-q")
        git(self.repo, "stash", "pop", "-q")
        self.commits += 1
        commit(self.repo, {}, f"popped {self.commits}")

    def push(self) -> None:
        oids = git(self.repo, "rev-list", "HEAD").split()
        found = build(Repo.open(self.repo), oids, OLGA)
        keep_records(Repo.open(self.repo), {oid: record_bytes(found[oid]) for oid in oids}, at=1)

    def step(self) -> str:
        steps = [self.commit, self.amend, self.squash, self.rebase, self.pick, self.stash, self.push]
        ready = steps if len(git(self.repo, "rev-list", "HEAD").split()) > 4 else [self.commit]
        chosen = self.random.choice(ready)
        chosen()
        return chosen.__name__

    def check(self, told: str) -> None:
        oids = git(self.repo, "rev-list", "-n", "3", "HEAD").split()
        for oid, record in build(Repo.open(self.repo), oids, OLGA).items():
            by_path = {change.path: change for change in record.files}
            seen = dict.fromkeys(by_path, 0)
            for part in record.contributors:
                if part.side != "added":
                    continue
                texts = git(self.repo, "cat-file", "blob", by_path[part.path].new_blob).split("\n")
                seen[part.path] += part.count
                for text in texts[part.start - 1 : part.start - 1 + part.count]:
                    assert (part.cls == "ai") == text.startswith("ai"), (told, oid, part, text)
            assert seen == {path: change.added for path, change in by_path.items()}, told
            ai = any(part.cls == "ai" for part in record.contributors)
            assert (record.cls == "ai") >= ai, told


@pytest.mark.parametrize("seed", range(4))
def test_every_line_stays_whose_it_is(tmp_path: Path, seed: int):
    world = World(copy_hooked(tmp_path / "repo"), seed)
    told: list[str] = []
    for _ in range(10):
        told.append(world.step())
        world.check(" ".join(told))
