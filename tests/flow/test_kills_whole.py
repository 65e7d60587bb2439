"""`foureyes serve` as it is, killed again and again while people work on the sandbox; only with FOUREYES_TEST_KILLS.

1,000 acknowledged events of a dozen pull requests, 30 kills, ends and stalls beyond the lease, at seeded moments. The
oracle knows the people's rule only: two approvals of this head, none of them the author's, and nobody who asks for changes.
"""

import json
import os
import random
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from support_database import fresh_database, postgresql
from support_gate import SHOP, Gate
from support_git import CHECKOUT
from support_kills import Parcel, Post, Replica, blows, strike, until
from support_repository import Bare

from foureyes.github_app import decisions, storage
from foureyes.github_app.sandbox.server import Sandbox
from foureyes.github_app.tables import delivery, work
from foureyes.shared import facts as pull_facts
from foureyes.shared.facts import Known

pytestmark = pytest.mark.skipif(
    not os.environ.get("FOUREYES_TEST_KILLS"), reason="half an hour: make test-kills"
)

SEED = int(os.environ.get("FOUREYES_TEST_SEED", "1"))
EVENTS = int(os.environ.get("FOUREYES_TEST_EVENTS", "1000"))
PULLS = 12
LEASE = 30
"""Seconds: the least that the setting allows."""
AHEAD = 20
KINDS = {"kill": 30, "term": 4, "stall": 2}
HEARD = ("pull_request", "pull_request_review", "push")


@dataclass(frozen=True)
class Write:
    head: str
    external_id: str
    decision: str


class Observed:
    """WSGI: what is written about heads, in the order in which GitHub hears it."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._runs: dict[str, str] = {}
        self.writes: list[Write] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if "/check-runs" not in path or method not in ("POST", "PATCH"):
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)
        answer = b"".join(self._application(environ, start_response))
        asked, made = json.loads(body), json.loads(answer)
        if "head_sha" in made and asked.get("name", "foureyes") == "foureyes":
            named = re.search(r"`([0-9A-Z]{26})`", asked["output"].get("text", ""))
            self.writes.append(Write(made["head_sha"], asked["external_id"], named.group(1) if named else ""))
        return [answer]


@dataclass
class Street(Gate):
    """People on the sandbox; what happens is told by the post, not by the sandbox itself."""

    post: Post | None = None
    told: int = 0
    branches: dict[int, str] = field(default_factory=dict)

    def hear(self, event: str, payload: Any) -> None:
        if event in HEARD and self.post is not None:
            self.told += 1
            self.post.put(Parcel(str(uuid.uuid4()), event, json.dumps(payload).encode()))

    def open_one(self, number: int) -> None:
        commit = self.change({"infra/network.tf": f"{number}\n".encode()})
        pull = self.open("olga", f"change-{number}", commit, by="raj")
        self.branches[pull] = f"change-{number}"

    def do_something(self, chance: random.Random) -> None:
        number = chance.choice(sorted(self.branches))
        if chance.random() < 0.08:
            text = f"{chance.random()}\n".encode()
            self.push(
                "olga", self.branches[number], self.change({"infra/network.tf": text}, self.pull(number).head)
            )
        else:
            kind = chance.choices(("APPROVE", "REQUEST_CHANGES", "COMMENT"), (6, 3, 1))[0]
            self.review(chance.choice(("rita", "sam")), number, kind)

    def expected(self, number: int) -> str:
        """From the sandbox's state alone."""
        pull, opinions = self.pull(number), {}
        for review in self.sandbox.world.repositories[SHOP].pulls[number].reviews:
            if review.user is not None and review.state in ("APPROVED", "CHANGES_REQUESTED"):
                opinions[review.user.login] = review
        if any(review.state == "CHANGES_REQUESTED" for review in opinions.values()):
            return "failure"
        standing = [review for review in opinions.values() if review.commit_id == pull.head]
        return "success" if len(standing) >= 2 else "in_progress"


@contextmanager
def street(folder: Path, url: str, replicas: int) -> Iterator[tuple[Street, Observed, list[Replica]]]:
    holder: list[Street] = []
    seen: list[Observed] = []

    def wrap(application: Any) -> Observed:
        seen.append(Observed(application))
        return seen[0]

    def heard(event: str, payload: Any) -> None:
        if holder:
            holder[0].hear(event, payload)

    sandbox = Sandbox.start(folder / "sandbox", wrap=wrap, on_webhook=heard)
    herd: list[Replica] = []
    engine = storage.connect(url)
    try:
        for number in range(replicas):
            environment = {
                **os.environ,
                **sandbox.environment(),
                "FOUREYES_DATA": str(folder / f"data-{number}"),
                "FOUREYES_DATABASE_URL": url,
                "FOUREYES_PORT": "0",
                "FOUREYES_LEASE_SECONDS": str(LEASE),
                "PYTHONPATH": str(CHECKOUT / ".types"),
            }
            command = [sys.executable, "-m", "foureyes.hooks.cli", "serve", "--json"]
            herd.append(Replica(command, environment))
        clone = Bare.make(folder / "clone.git")
        people = Street(sandbox, engine, None, None, clone, None)  # type: ignore[arg-type]
        people.post = Post(herd, sandbox.app.webhook_secret, random.Random(SEED + 1), timeout=5.0)
        holder.append(people)
        yield people, seen[0], herd
    finally:
        holder.clear()
        if people.post is not None:
            people.post.close()
        for replica in herd:
            replica.close()
        engine.dispose()
        sandbox.stop()


def read_by(engine: Any, write: Write) -> int:
    """The newest review that the written decision knew of."""
    with storage.reading(engine) as conn:
        made = decisions.load(conn, write.decision)
    assert made is not None, "a decision is stored before it is shown"
    reviews = pull_facts.load(made.facts).reviews
    return max((r.id for r in reviews.value), default=0) if isinstance(reviews, Known) else 0


def by_head(writes: Iterable[Write]) -> dict[str, list[Write]]:
    found: dict[str, list[Write]] = {}
    for write in writes:
        found.setdefault(write.head, []).append(write)
    return found


def older_over_newer(engine: Any, writes: Iterable[Write]) -> int:
    count = 0
    for written in by_head(writes).values():
        versions = [read_by(engine, write) for write in written if write.decision]
        count += sum(b < a for a, b in pairwise(versions))
    return count


def suffer(folder: Path, url: str, replicas: int) -> None:
    chance = random.Random(SEED)
    print(f"\nseed {SEED}, {EVENTS} events, {replicas} replicas, {KINDS}")  # noqa: T201
    with street(folder, url, replicas) as (people, observed, herd):
        assert people.post is not None
        planned = blows(chance, EVENTS, replicas, KINDS, longest=4.0)
        chaos = threading.Thread(target=strike, args=(planned, herd, people.post, LEASE + 2))
        for number in range(PULLS):
            people.open_one(number)
        chaos.start()
        while people.told < EVENTS:
            people.do_something(chance)
            # They go on while servers die, but not far ahead of them.
            people.post.wait_for(people.told - AHEAD)
        chaos.join()
        people.post.wait_for(people.told)

        def undecided() -> int:
            with storage.reading(people.engine) as conn:
                return int(
                    conn.execute(select(func.count()).where(delivery.c.decided_at.is_(None))).scalar_one()
                )

        until(lambda: undecided() == 0, "every delivery is decided", 300)
        wanted = {number: people.expected(number) for number in people.branches}

        def shown() -> dict[int, str]:
            found = {}
            for number in people.branches:
                runs = people.runs(people.pull(number).head)
                found[number] = (runs[-1].conclusion or runs[-1].status) if runs else ""
            return found

        until(lambda: shown() == wanted, "GitHub shows what is true", 300)
        with storage.reading(people.engine) as conn:
            stored = set(conn.execute(select(delivery.c.guid)).scalars())
            dead = conn.execute(select(func.count()).where(work.c.tries >= 12)).scalar_one()
        older = older_over_newer(people.engine, observed.writes)
        twice = sum(
            a.external_id == b.external_id
            for written in by_head(observed.writes).values()
            for a, b in pairwise(written)
        )
        print(  # noqa: T201
            f"{len(people.post.acknowledged)} acknowledged in {people.post.tries} tries,"
            f" {len(people.post.acknowledged - stored)} lost, {len(observed.writes)} checks written, {twice} twice,"
            f" {older} older over newer; now {sorted(wanted.values())}"
        )
        assert people.post.acknowledged <= stored
        assert dead == 0
        assert older <= KINDS["stall"]
        assert twice <= sum(KINDS.values())


def test_one_process_on_sqlite(tmp_path: Path) -> None:
    suffer(tmp_path, f"sqlite:///{tmp_path / 'foureyes.sqlite3'}", 1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_replicas_on_postgresql(server: str, tmp_path: Path, replicas: int) -> None:
    with fresh_database(server, f"t{uuid.uuid4().hex}") as url:
        suffer(tmp_path, url, replicas)
