"""A person at the sandbox: what they do through GitHub's own REST operations, with their own token.

Used by the demo and by tests; nothing of the App is in here.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_PATIENCE = 30.0
_STEP = 0.05


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def message(self) -> str:
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else ""


@dataclass(frozen=True)
class Visitor:
    """`api` is the REST base, `http://127.0.0.1:PORT/api/v3`; `repository` is `owner/name`."""

    api: str
    repository: str
    login: str
    token: str

    def call(self, method: str, path: str, body: Json | None = None) -> Answer:
        """`path` is below the repository, or below the API if it starts with `/`, or a whole address. A refusal is
        an answer like any other.
        """
        url = path if "://" in path else f"{self.api}/repos/{self.repository}/{path}"
        url = f"{self.api}{path}" if path.startswith("/") else url
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - loopback http on purpose
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, json.loads(refusal.read() or b"null"))

    def open_pull(self, head: str, title: str, body: str = "", base: str = "main") -> int:
        answer = self.call("POST", "pulls", {"head": head, "base": base, "title": title, "body": body})
        if answer.status != 201:
            raise RuntimeError(f"opening a pull request answered {answer.status}: {answer.body}")
        return int(answer.body["number"])

    def review(self, number: int, event: str = "APPROVE", body: str = "") -> Answer:
        """`event`: APPROVE, REQUEST_CHANGES or COMMENT."""
        return self.call("POST", f"pulls/{number}/reviews", {"event": event, "body": body or "looked"})

    def merge(self, number: int) -> Answer:
        return self.call("PUT", f"pulls/{number}/merge", {})

    def pull(self, number: int) -> Json:
        found: Json = self.call("GET", f"pulls/{number}").body
        return found

    def check(self, head: str, name: str = "foureyes") -> Json | None:
        """The newest check run of this name on a commit, as GitHub shows it."""
        answer = self.call("GET", f"commits/{head}/check-runs?check_name={name}&filter=latest")
        runs = answer.body.get("check_runs", []) if answer.status == 200 else []
        return runs[0] if runs else None

    def wait_for_check(
        self, number: int, wanted: Callable[[Json], bool], patience: float = _PATIENCE
    ) -> Json:
        """The check on the pull request's head once it is as wanted. Raises TimeoutError, saying what it was last."""
        end = time.monotonic() + patience
        last: Json | None = None
        while time.monotonic() < end:
            last = self.check(self.pull(number)["head"]["sha"])
            if last is not None and wanted(last):
                return last
            time.sleep(_STEP)
        raise TimeoutError(f"the check of #{number} did not come to what was expected; last: {told(last)}")


def told(check: Mapping[str, Any] | None) -> str:
    if check is None:
        return "no check at all"
    return f"{check['status']}/{check['conclusion']}: {check['output']['title']}"
