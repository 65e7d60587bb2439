"""The gate without its processes: a sandbox whose webhooks go straight into the inbox, and lanes looked at in turn.

Everything else is real: people act over HTTP with their own tokens and push with git; the App reads over HTTP and
fetches with git; every exchange is held to GitHub's contract.
"""

import base64
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine
from support_contract import ContractGuard
from support_database import migrated
from support_record import RECORD
from support_repository import Bare
from support_sandbox import app_key
from support_ssh import KeyFile, SecurityKey

from foureyes.github_app import inbox, lanes, storage, worker
from foureyes.github_app.judge import judge_with
from foureyes.github_app.lanes import Claim, Outcome
from foureyes.github_app.sandbox.faults import Fault
from foureyes.github_app.sandbox.server import Sandbox
from foureyes.github_app.sandbox.state import CheckRun
from foureyes.github_app.settings import Settings
from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.dsse import Signature
from foureyes.shared.manifest import NAMESPACE, Entry, Manifest, manifest_bytes
from foureyes.shared.record import Agent, Operator, Reviewed, record_bytes
from foureyes.shared.record_ref import push_path, record_path, record_ref

SHOP = "acme/shop"


@dataclass
class Gate:
    sandbox: Sandbox
    engine: Engine
    settings: Settings
    guard: ContractGuard
    clone: Bare
    judge: Callable[[Claim], Outcome]
    calls: Counter[str] = field(default_factory=Counter)
    """What the App asked of GitHub: `graphql`, or the verb and the kind of thing."""
    paths: list[str] = field(default_factory=list)
    deaf: bool = False
    """Webhooks are lost."""
    outcomes: list[Outcome] = field(default_factory=list)
    listed: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """What commits hold, as far as it was asked."""

    # people

    def as_person(self, login: str, verb: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            verb, f"{self.sandbox.url}/api/v3{path}", json=body, timeout=20,
            headers={"Authorization": f"Bearer {self.sandbox.token(login)}"},
        )  # fmt: skip
        assert answer.status_code < 300, f"{verb} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None

    def control(self, verb: str, name: str, **body: object) -> Any:
        answer = requests.request(verb, f"{self.sandbox.url}/_sandbox/{name}", json=body, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def push(self, login: str, ref: str, oid: str, *, slug: str = SHOP) -> None:
        address = f"{self.sandbox.url}/{slug}.git".replace("://", f"://{login}:{self.sandbox.token(login)}@")
        self.clone.git(
            "push",
            "-q",
            "--force",
            address,
            f"{oid}:{ref if ref.startswith('refs/') else 'refs/heads/' + ref}",
        )

    def tip(self, branch: str = "main", *, slug: str = SHOP) -> str:
        """Brought here over HTTP unless it is here."""
        tip = self.sandbox.world.repositories[slug].git.branch(branch)
        if tip is not None and self.clone.has(tip):
            return tip
        address = f"{self.sandbox.url}/{slug}.git".replace("://", f"://olga:{self.sandbox.token('olga')}@")
        self.clone.git("fetch", "-q", address, f"+refs/heads/{branch}:refs/seen/{branch}")
        return self.clone.git("rev-parse", f"refs/seen/{branch}")

    def files(self, commit: str) -> dict[str, bytes | str | tuple[str, str]]:
        if commit not in self.listed:
            listed = self.clone.git("ls-tree", "-r", "-z", commit)
            entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
            self.listed[commit] = {path: (meta.split()[0], meta.split()[2]) for meta, path in entries}
        return dict(self.listed[commit])

    def change(
        self, files: Mapping[str, bytes | str | tuple[str, str] | None], *parents: str, **options: Any
    ) -> str:
        """A commit with these files changed (None: deleted) in its first parent; by olga unless said otherwise."""
        options.setdefault("author", ("Olga", "olga@acme.example"))
        first = parents[0] if parents else self.tip()
        whole = {path: value for path, value in {**self.files(first), **files}.items() if value is not None}
        return self.clone.commit(whole, *(parents or (first,)), **options)

    def open(
        self, login: str, branch: str, oid: str, *, base: str = "main", by: str = "", title: str = "Change"
    ) -> int:
        """Pushes as `login`, opens as `by` or the same."""
        self.push(login, branch, oid)
        body = {"title": title, "head": branch, "base": base, "body": "text"}
        return int(self.as_person(by or login, "POST", f"/repos/{SHOP}/pulls", body)["number"])

    def review(self, login: str, number: int, event: str = "APPROVE") -> int:
        body = {"event": event, "body": "seen"}
        return int(self.as_person(login, "POST", f"/repos/{SHOP}/pulls/{number}/reviews", body)["id"])

    def approve(self, number: int, *logins: str) -> str:
        """By all of them; the verdict after it, "" where there is no check."""
        for login in logins:
            self.review(login, number)
        self.settle()
        return self.verdict(number) if self.runs(self.pull(number).head) else ""

    def publish(
        self,
        login: str,
        branch: str,
        commit: str,
        *,
        cls: str = "ai",
        operator: str = "olga",
        others: Sequence[str] = (),
        reviewed_as: Sequence[str] = (),
        key: KeyFile | SecurityKey | None = None,
        tree: str = "",
        onto: str = "",
    ) -> None:
        """Pushes a record of one commit to the branch's record ref, signed if a key is given. `others` ran agents too,
        and an agent reviewed as `reviewed_as`. `onto` is the tip of the ref's history to add to; else the ref is
        replaced.
        """
        tree = tree or self.clone.git("rev-parse", f"{commit}^{{tree}}")
        agents = (Agent("claude-code", "2.1", "opus", "s1", ("journal",)),) if cls == "ai" else ()
        made = replace(
            RECORD,
            commit=commit,
            tree=tree,
            cls=cls,
            agents=agents,
            contributors=(),
            operator=Operator(operator, "", "test"),
            operators=tuple(Operator(login, "", "test") for login in (operator, *others)) if others else (),
            reviews=tuple(Reviewed(login, "claude-code", "s1", 1) for login in reviewed_as),
        )
        body = record_bytes(made)
        listed = Manifest("", f"refs/heads/{branch}", (Entry(commit, tree, sha256_hex(body)),))
        payload = manifest_bytes(listed)
        signatures: tuple[Signature, ...] = ()
        if key is not None:
            signed = key.sign(dsse.pae(dsse.PAYLOAD_TYPE, payload), NAMESPACE)
            armored = b"".join(signed.splitlines()[1:-1])
            raw = base64.b64decode(armored) if signed.startswith(b"-----") else signed
            signatures = (Signature("SHA256:x", raw),)
        envelope = dsse.Envelope(dsse.PAYLOAD_TYPE, payload, signatures).to_json()
        files = dict(self.files(onto)) if onto else {}
        files |= {record_path(commit): body, push_path(payload): envelope}
        self.push(login, record_ref(branch), self.clone.commit(files, *([onto] if onto else [])))

    # the App

    def hear(self, event: str, payload: Any) -> None:
        self.guard.webhook(event, payload)
        if not self.deaf:
            body = json.dumps(payload).encode()
            inbox.accept(self.engine, inbox.Delivery(uuid.uuid4().hex, event, body, payload))

    def settle(self, most: int = 50) -> None:
        """Looks at every lane that is due, until none is."""
        for _ in range(most):
            claim = worker.take(self.engine, 60_000)
            if claim is None:
                return
            self.look(claim)
        raise AssertionError("the lanes do not come to rest")

    def look(self, claim: Claim) -> Outcome:
        outcome = worker.look(claim, self.judge)
        self.outcomes.append(outcome)
        assert worker.settle(self.engine, claim, outcome)
        return outcome

    def wake(self, number: int) -> None:
        """As the sweep would: the lane of the pull request's head."""
        pull = self.pull(number)
        installation = next(iter(self.sandbox.world.installations))
        lane = lanes.Lane(installation, pull.repository.id, SHOP, pull.head, pull=number)
        with storage.writing(self.engine) as conn:
            lanes.wake(conn, lane, storage.now(conn))

    def forget_calls(self) -> None:
        self.calls.clear()
        self.paths.clear()

    # what stands

    def pull(self, number: int) -> Any:
        return self.sandbox.world.repositories[SHOP].pulls[number]

    def runs(self, head: str, name: str = "foureyes") -> list[CheckRun]:
        runs = self.sandbox.world.repositories[SHOP].check_runs
        return [run for run in runs if run.suite.head_sha == head and run.name == name]

    def check(self, number: int, name: str = "foureyes") -> CheckRun:
        """The one check run of ours on the head."""
        (run,) = self.runs(self.pull(number).head, name)
        return run

    def verdict(self, number: int) -> str:
        run = self.check(number)
        return run.conclusion or run.status

    def fault(self, kind: str, match: str = "*", **more: Any) -> None:
        self.sandbox.world.faults.add(Fault(kind, match, **more))

    def observe(self, verb: str, path: str, _status: int) -> None:
        self.paths.append(f"{verb} {path}")
        self.calls[
            "graphql" if path.endswith("/graphql") else f"{verb} {path.rstrip('/').split('/')[-1]}"
        ] += 1


@contextmanager
def running_gate(folder: Path) -> Iterator[Gate]:
    holder: list[Gate] = []
    guards: list[ContractGuard] = []

    def wrap(app: Any) -> Any:
        guards.append(ContractGuard(app))
        return guards[0]

    def heard(event: str, payload: Any) -> None:
        if holder:
            holder[0].hear(event, payload)

    sandbox = Sandbox.start(folder / "sandbox", wrap=wrap, on_webhook=heard, app_key=app_key())
    try:
        app = sandbox.app
        settings = Settings(app.id, app.private_key, (app.webhook_secret,), sandbox.url, data=folder / "data")
        with migrated(f"sqlite:///{folder / 'foureyes.sqlite3'}") as engine:
            gate = Gate(
                sandbox,
                engine,
                settings,
                guards[0],
                Bare.make(folder / "clone.git"),
                lambda claim: holder[0].look(claim),
            )
            gate.clone.take(sandbox.world.repositories[SHOP].git.path)
            gate.judge = judge_with(settings, engine, gate.observe)
            holder.append(gate)
            yield gate
    finally:
        sandbox.stop()
    guards[0].check()
