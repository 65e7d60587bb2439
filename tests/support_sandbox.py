"""A sandbox that is held to GitHub's contract, people who act on it with their own tokens, and an App that reads it."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from support_contract import ContractGuard
from support_git import commit, git, head

from foureyes.github_app.sandbox import seed
from foureyes.github_app.sandbox.server import Sandbox

SHOP = "acme/shop"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None


def ask(url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """One request over a connection of its own; header names come back in lower case."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        data = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, data, kind | (headers or {}))
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read())
    finally:
        connection.close()


@dataclass
class World:
    """A running sandbox with its guard."""

    sandbox: Sandbox
    guard: ContractGuard
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.sandbox.url

    def request(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        return ask(self.url, method, path, body, sent)

    def by(self, login: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """REST with a person's token."""
        return self.request(method, f"/api/v3{path}", body, token=self.sandbox.token(login), **headers)

    def shop(self, login: str, method: str, path: str, body: Any = None) -> Answer:
        return self.by(login, method, f"/repos/{SHOP}{path}", body)

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self.request(method, f"/_sandbox/{name}", body)
        assert answer.status == 200, answer.body
        return answer.body

    def app_jwt(self, *, key: str = "", issuer: str = "", lifetime: int = 300) -> str:
        now = int(time.time())
        claims = {"iat": now - 30, "exp": now + lifetime, "iss": issuer or str(self.sandbox.app.id)}
        return jwt.encode(claims, key or self.sandbox.app.private_key, algorithm="RS256")

    @property
    def installation(self) -> int:
        return next(iter(self.sandbox.world.installations))

    def installation_token(self, **narrowed: Any) -> str:
        path = f"/api/v3/app/installations/{self.installation}/access_tokens"
        answer = self.request("POST", path, narrowed or None, token=self.app_jwt())
        assert answer.status == 201, answer.body
        return str(answer.body["token"])

    def app(self, method: str, path: str, body: Any = None) -> Answer:
        """REST with one installation token of our App, below acme/shop."""
        if "app" not in self.tokens:
            self.tokens["app"] = self.installation_token()
        return self.request(method, f"/api/v3/repos/{SHOP}{path}", body, token=self.tokens["app"])

    def query(self, text: str, *, token: str = "", **variables: Any) -> Any:
        """The whole GraphQL answer, by our App unless a token is given."""
        if not token and "app" not in self.tokens:
            self.tokens["app"] = self.installation_token()
        body = {"query": text, "variables": variables}
        answer = self.request("POST", "/api/graphql", body, token=token or self.tokens["app"])
        assert answer.status == 200, answer.body
        return answer.body

    def pull_field(self, text: str, number: int = 1) -> Any:
        """One selection on a pull request of acme/shop, without errors."""
        whole = (
            f'{{ repository(owner: "acme", name: "shop") {{ pullRequest(number: {number}) {{ {text} }} }} }}'
        )
        answer = self.query(whole)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]["repository"]["pullRequest"]

    def remote(self, login: str, slug: str = SHOP) -> str:
        return f"http://{login}:{self.sandbox.token(login)}@{self.url.removeprefix('http://')}/{slug}.git"

    def clone(self, login: str, slug: str = SHOP) -> Path:
        where = self.folder / f"{login}-{slug.replace('/', '-')}"
        git(self.folder, "clone", "-q", self.remote(login, slug), where)
        git(where, "config", "user.name", login.capitalize())
        git(where, "config", "user.email", f"{login}@acme.example")
        return where

    def open_pull(
        self,
        login: str = "olga",
        branch: str = "feature",
        files: dict[str, str | None] | None = None,
        **more: Any,
    ) -> int:
        """A branch with one commit, pushed, and the pull request for it."""
        where = self.folder / f"{login}-acme-shop"
        where = where if where.exists() else self.clone(login)
        git(where, "checkout", "-q", "-b", branch, "origin/main")
        commit(where, files or {f"infra/{branch}.tf": "one\n"}, f"Change {branch}")
        git(where, "push", "-q", "origin", branch)
        body = {"title": branch, "head": branch, "base": "main"} | more
        answer = self.shop(login, "POST", "/pulls", body)
        assert answer.status == 201, answer.body
        return int(answer.body["number"])

    def review(self, login: str, number: int, event: str = "APPROVE", **more: Any) -> Answer:
        body = {"event": event, "body": "seen"} | more
        return self.shop(login, "POST", f"/pulls/{number}/reviews", body)

    def publish(self, sha: str, conclusion: str | None, name: str = "foureyes") -> Answer:
        """A check run by our App; no conclusion: in progress."""
        body: dict[str, Any] = {"name": name, "head_sha": sha, "status": "in_progress"}
        if conclusion:
            body |= {"status": "completed", "conclusion": conclusion}
        return self.app("POST", "/check-runs", body)

    def merge(self, login: str, number: int, **body: Any) -> Answer:
        return self.shop(login, "PUT", f"/pulls/{number}/merge", body)

    def sent(self, event: str, action: str | None = None) -> list[Any]:
        """Payloads of webhooks that were handed over, oldest first."""
        log = self.sandbox.world.courier.log
        found = [d for d in log if d.event == event and action in (None, d.action)]
        return [json.loads(delivery.body) for delivery in found]


def send_manifest(
    world: World, manifest: Any, state: str = "s", organization: str = "acme"
) -> tuple[str, str]:
    """As the person's browser does it: (code, state) of where GitHub sends it back to."""
    whose = f"/organizations/{organization}" if organization else ""
    url = f"{world.url}{whose}/settings/apps/new?{urlencode({'state': state})}"
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        form = urlencode({"manifest": json.dumps(manifest)})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{parts.path}?{parts.query}", form, kind)
        answer = connection.getresponse()
        assert answer.status == 302, answer.read()
        query = parse_qs(urlsplit(str(answer.getheader("Location"))).query)
        return query["code"][0], query["state"][0]
    finally:
        connection.close()


@cache
def app_key() -> str:
    """Made once per session: making one takes longer than all else that a sandbox does to start."""
    return seed.new_key()


@contextmanager
def running_sandbox(folder: Path, *, merge_check: bool = True) -> Iterator[World]:
    """Every request, answer and webhook is judged; what breaks the contract fails at the end."""
    guards: list[ContractGuard] = []

    def wrap(application: Any) -> ContractGuard:
        guards.append(ContractGuard(application))
        return guards[0]

    sandbox = Sandbox.start(
        folder / "sandbox",
        merge_check=merge_check,
        app_key=app_key(),
        wrap=wrap,
        on_webhook=lambda event, payload: guards[0].webhook(event, payload),
    )
    try:
        yield World(sandbox, guards[0], folder)
        guards[0].check()
    finally:
        sandbox.stop()


class Receiver:
    """An App's webhook endpoint that keeps what it hears; `statuses` are its next answers, then 202."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self._lock = Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._lock:
                    outer.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                    status = outer.statuses.pop(0) if outer.statuses else 202
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Quiet."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def events(self) -> list[str]:
        return [headers["x-github-event"] for headers, _ in self.heard]


__all__ = [
    "SHOP",
    "Answer",
    "Receiver",
    "World",
    "ask",
    "commit",
    "git",
    "head",
    "running_sandbox",
    "send_manifest",
]
