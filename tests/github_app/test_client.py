"""The client against a server on loopback that answers what each test scripts: tokens, retries, limits, errors."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from foureyes.github_app.answer import judged
from foureyes.github_app.client import GitHub, GitHubError, InstallationClient, RetryLater, segment
from foureyes.github_app.settings import Settings

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
TOKEN = "ghs_42_" + "a" * 60 + ".b_c-d"


@dataclass
class Told:
    """A scripted answer. `delay` in seconds; `cut` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False


@dataclass
class Server:
    url: str
    script: list[Told]
    """Answers to everything but requests for tokens, in order; the last one stays."""
    requests: list[tuple[str, str, dict[str, str], Any]]
    tokens: list[str]
    """JWTs that a token was asked with."""
    token_life: timedelta = timedelta(hours=1)

    def say(self, *answers: Told) -> None:
        self.script[:] = answers


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server("", [Told(body={})], [], [])
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            with lock:
                if self.path.endswith("/access_tokens"):
                    state.tokens.append(self.headers["Authorization"].removeprefix("Bearer "))
                    expires = (datetime.now(UTC) + state.token_life).strftime("%Y-%m-%dT%H:%M:%SZ")
                    told = Told(201, {"token": f"{TOKEN}{len(state.tokens)}", "expires_at": expires})
                else:
                    state.requests.append(
                        (self.command, self.path, dict(self.headers), json.loads(sent) if sent else None)
                    )
                    told = state.script.pop(0) if len(state.script) > 1 else state.script[0]
            time.sleep(told.delay)
            if told.cut:
                self.close_connection = True
                return
            body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            # without a Date of its own where the script has one
            (self.send_response_only if "Date" in told.headers else self.send_response)(told.status)
            for name, value in {"Content-Length": str(len(body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_args: object) -> None:
            return None

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(server: Server, slept: list[float]) -> InstallationClient:
    settings = Settings(42, PEM, ("s" * 16,), server.url)
    return GitHub(settings, sleep=slept.append).installation(7)


def test_requests_carry_the_installations_token_and_a_pinned_version(
    server: Server, client: InstallationClient
) -> None:
    server.say(Told(body={"id": 1}))
    assert client.get("/users/olga") == {"id": 1}
    verb, path, headers, body = server.requests[0]
    assert (verb, path, body) == ("GET", "/api/v3/users/olga", None)
    assert headers["Authorization"] == f"Bearer {TOKEN}1"
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"
    claims = jwt.decode(server.tokens[0], KEY.public_key(), algorithms=["RS256"])
    assert claims["iss"] == "42"


def test_threads_share_one_token_and_do_not_mix_their_requests(
    server: Server, client: InstallationClient
) -> None:
    barrier = threading.Barrier(8)
    failures = []

    def ask(number: int) -> None:
        barrier.wait()
        for _ in range(20):
            client.patch(f"/mine/{number}", {"number": number})

    def run(number: int) -> None:
        try:
            ask(number)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(server.tokens) == 1
    assert len(server.requests) == 160
    assert all(path == f"/api/v3/mine/{body['number']}" for _verb, path, _headers, body in server.requests)


def test_a_token_that_is_about_to_end_is_not_used(server: Server, client: InstallationClient) -> None:
    server.token_life = timedelta(seconds=60)
    client.get("/x")
    client.get("/x")
    assert len(server.tokens) == 2


def test_a_token_that_was_revoked_is_made_anew_once(server: Server, client: InstallationClient) -> None:
    client.get("/x")
    server.say(Told(401, {"message": "Bad credentials"}), Told(body={"ok": True}))
    assert client.post("/x", {}) == {"ok": True}
    assert len(server.tokens) == 2
    server.say(Told(401, {"message": "Bad credentials"}))
    with pytest.raises(GitHubError):
        client.get("/x")


@pytest.mark.parametrize(
    "trouble", [Told(502, {"message": "Server Error"}), Told(cut=True), Told(200, b"<html>")]
)
def test_reads_are_tried_again(
    server: Server, client: InstallationClient, trouble: Told, slept: list[float]
) -> None:
    server.say(trouble, trouble, Told(body={"ok": 1}))
    assert client.get("/x") == {"ok": 1}
    assert len(slept) == 2
    server.say(trouble, Told(body={"data": {"a": 1}}))
    assert client.graphql("query { a }", {}) == {"a": 1}


@pytest.mark.parametrize("trouble", [Told(502, {"message": "Server Error"}), Told(cut=True), Told(delay=1.4)])
def test_writes_are_never_repeated(server: Server, trouble: Told) -> None:
    settings = Settings(42, PEM, ("s" * 16,), server.url)
    client = GitHub(settings, timeout=1 if trouble.delay else 15).installation(7)
    client.token()
    server.say(trouble, Told(201, {"id": 1}))
    with pytest.raises(GitHubError):
        client.post("/repos/a/b/check-runs", {})
    assert len(server.requests) == 1
    server.say(trouble, Told(201, {"id": 1}))
    with pytest.raises(GitHubError):
        client.patch("/repos/a/b/check-runs/1", {})
    assert len(server.requests) == 2


def test_a_read_that_keeps_failing_ends(server: Server, client: InstallationClient) -> None:
    server.say(Told(503, {"message": "down"}))
    with pytest.raises(GitHubError) as error:
        client.get("/x")
    assert error.value.status == 503
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        (Told(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "37"}), 37, 42),
        (Told(429, {"message": "x"}, {"Retry-After": "5"}), 5, 7),
        (Told(403, {"message": "You have exceeded a secondary rate limit. Please wait"}), 60, 67),
        (Told(429, {"message": "x"}), 60, 67),
        (Told(503, {"message": "x"}, {"Retry-After": "9"}), 9, 11),
    ],
)
def test_a_limit_says_how_long(
    server: Server, client: InstallationClient, told: Told, least: float, most: float
) -> None:
    server.say(told)
    with pytest.raises(RetryLater) as error:
        client.get("/x")
    assert least <= error.value.after <= most
    assert len(server.requests) == 1


def test_a_spent_quota_waits_for_its_reset_and_never_for_ever(
    server: Server, client: InstallationClient
) -> None:
    soon = str(int(time.time()) + 100)
    spent = {"x-ratelimit-remaining": "0"}
    server.say(Told(403, {"message": "API rate limit exceeded"}, {**spent, "x-ratelimit-reset": soon}))
    with pytest.raises(RetryLater) as error:
        client.get("/x")
    assert 90 <= error.value.after <= 112
    server.say(
        Told(403, {"message": "API rate limit exceeded"}, {**spent, "x-ratelimit-reset": "99999999999"})
    )
    with pytest.raises(RetryLater) as far:
        client.github.installation(8).get("/x")
    assert 3600 <= far.value.after <= 3610


def test_a_refusal_is_not_a_limit(server: Server, client: InstallationClient) -> None:
    server.say(Told(403, {"message": "Resource not accessible by integration"}))
    with pytest.raises(GitHubError) as error:
        client.get("/x")
    assert not isinstance(error.value, RetryLater)
    assert error.value.status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "message": "gone"}]},
        {"data": {"repository": {"half": 1}}, "errors": [{"message": "Something went wrong"}]},
        {"errors": "odd"},
        {"data": None},
        [],
        "text",
    ],
)
def test_errors_in_a_200_are_errors_and_never_a_part(
    server: Server, client: InstallationClient, body: object
) -> None:
    server.say(Told(body=body))
    with pytest.raises(GitHubError):
        client.graphql("query { a }", {})


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (Told(body={"errors": [{"type": "NOT_FOUND", "path": ["repository"]}]}), 404),
        (Told(body={"errors": [{"type": "NOT_FOUND", "path": ["repository", "pullRequest"]}]}), 404),
        (
            Told(body={"errors": [{"type": "NOT_FOUND", "path": ["repository", "pullRequest", "headRef"]}]}),
            200,
        ),
        (Told(404, {"message": "Not Found"}), 502),
        (Told(404, "<html>"), 502),
    ],
    ids=["the repository", "the pull request", "something in it", "the way there", "a page"],
)
def test_only_what_was_asked_for_can_be_called_not_there(
    server: Server, client: InstallationClient, told: Told, status: int
) -> None:
    """A pull request of which GitHub cannot resolve a part is not one that is gone."""
    server.say(told)
    with pytest.raises(GitHubError) as error:
        client.graphql("query { a }", {})
    assert error.value.status == status


def test_pages_that_lead_back_are_not_read_again(server: Server, client: InstallationClient) -> None:
    link = '<https://x/y?page=1&per_page=100>; rel="next"'
    server.say(Told(body=[1], headers={"Link": link}))
    with pytest.raises(GitHubError):
        list(client.get_all("/x"))
    assert len(server.requests) == 2


def test_a_graphql_limit_in_a_200_is_a_limit(server: Server, client: InstallationClient) -> None:
    errors = [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]
    server.say(Told(body={"errors": errors}, headers={"x-ratelimit-reset": str(int(time.time()) + 50)}))
    with pytest.raises(RetryLater) as error:
        client.graphql("query { a }", {})
    assert 40 <= error.value.after <= 60


def test_every_page_is_read_and_the_path_stays_ours(server: Server, client: InstallationClient) -> None:
    link = '<http://evil.example/api/v3/elsewhere?page=2&per_page=100>; rel="next", <x>; rel="last"'
    server.say(Told(body=[1, 2], headers={"Link": link}), Told(body=[3]))
    assert list(client.get_all("/orgs/acme/teams/x/members")) == [1, 2, 3]
    paths = [path for _verb, path, _headers, _body in server.requests]
    assert paths[0] == "/api/v3/orgs/acme/teams/x/members?per_page=100"
    assert paths[1] == "/api/v3/orgs/acme/teams/x/members?page=2&per_page=100"


def test_a_list_that_is_no_list_or_does_not_end_is_an_error(
    server: Server, client: InstallationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.say(Told(body={"message": "?"}))
    with pytest.raises(GitHubError):
        list(client.get_all("/x"))
    monkeypatch.setattr("foureyes.github_app.client.MOST_PAGES", 3)
    server.say(Told(body=[1], headers={"Link": '<http://x/?page=2>; rel="next"'}))
    with pytest.raises(GitHubError):
        list(client.get_all("/x"))


def test_no_secret_is_in_an_error_or_a_log(
    server: Server, client: InstallationClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.say(Told(500, {"message": "boom"}))
    with pytest.raises(GitHubError) as error:
        client.post("/x", {})
    told = f"{error.value.why} {error.value!r} {caplog.text}"
    assert TOKEN not in told
    assert server.tokens[0] not in told
    assert "PRIVATE" not in told


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_another_host_is_never_followed_to_nor_shown_the_token(
    server: Server, client: InstallationClient, status: int
) -> None:
    elsewhere = f"{server.url.replace('127.0.0.1', 'localhost')}/elsewhere"
    server.say(Told(status, {}, {"Location": elsewhere}))
    with pytest.raises(GitHubError):
        client.get("/x")
    assert {path for _, path, _, _ in server.requests} == {"/api/v3/x"}


def test_a_name_cannot_reach_another_resource() -> None:
    assert segment("../../app") == "..%2F..%2Fapp"
    assert segment("a?b#c d") == "a%3Fb%23c%20d"


def test_a_page_that_is_the_same_is_asked_for_and_not_sent_again(
    server: Server, client: InstallationClient
) -> None:
    tag = {"ETag": 'W/"one"', "Link": '<http://x/?page=2>; rel="next"'}
    noon, later = (
        {"Date": f"Sun, 22 Nov 2026 {time_of_day} GMT"} for time_of_day in ("12:00:00", "12:30:00")
    )
    server.say(
        Told(body=[1, 2], headers=tag | noon),
        Told(304, b"", tag | later),
        Told(body=[4], headers={"ETag": 'W/"two"'}),
    )
    pages = [client.unchanged_or_new("/installation/repositories", {"page": "1"}, sum) for _ in range(3)]
    assert [page.data for page in pages] == [3, 3, 4], "what is needed of it is kept"
    assert "page=2" in pages[1].headers["link"]
    sent = [headers.get("If-None-Match") for _verb, _path, headers, _body in server.requests]
    assert sent == [None, 'W/"one"', 'W/"one"']
    assert pages[0].began < pages[1].began - 1000, "when it was asked is of the newest answer"


def test_when_it_was_asked_is_told_by_githubs_clock(server: Server, client: InstallationClient) -> None:
    server.say(Told(body={}, headers={"Date": "Sun, 22 Nov 2026 12:00:10 GMT"}))
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    began = client.github.send(7, "GET", "/x").began
    assert noon - 60 < began <= noon + 9
    server.say(Told(body={}, headers={"Date": "some day"}))
    assert client.github.send(7, "GET", "/x").began <= time.time() - 60


def test_after_a_request_to_wait_nothing_of_the_installation_is_sent(
    server: Server, client: InstallationClient
) -> None:
    server.say(Told(403, {"message": "secondary rate limit"}, {"Retry-After": "30"}), Told(body={}))
    for _ in range(3):
        with pytest.raises(RetryLater) as error:
            client.get("/x")
        assert error.value.after > 25
    assert len(server.requests) == 1
    client.github.installation(8).get("/x")
    assert len(server.requests) == 2
    assert client.github.calls["limited"] == 1
    assert client.github.calls["held back"] == 2


def test_what_takes_a_success_back_is_sent_when_little_is_left(
    server: Server, client: InstallationClient
) -> None:
    left = {
        "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "20",
        "X-RateLimit-Reset": str(int(time.time()) + 600), "X-RateLimit-Resource": "core",
    }  # fmt: skip
    server.say(Told(body={}, headers=left))
    client.get("/x")
    with pytest.raises(RetryLater):
        client.get("/x")
    with pytest.raises(RetryLater):
        client.patch("/repos/a/b/check-runs/1", {"conclusion": "success"})
    client.patch("/repos/a/b/check-runs/1", {"status": "in_progress"}, urgent=True)
    assert client.github.budgets()[7] == {"core": 20}


def test_the_apps_own_token_is_signed_once_for_many_requests(
    server: Server, client: InstallationClient
) -> None:
    for number in range(3):
        client.github.installation(number).token()
    assert len(set(server.tokens)) == 1


@pytest.mark.parametrize(
    ("off", "told"),
    [
        (3_600, "; this machine's clock is 3600 s ahead of GitHub's"),
        (-90, "; this machine's clock is 90 s behind"),
        (20, ""),
    ],
)
def test_a_refusal_by_a_clock_that_is_wrong_says_so(off: int, told: str) -> None:
    headers = {"date": "Mon, 30 Nov 2026 03:00:00 GMT"}
    at = datetime(2026, 11, 30, 3, tzinfo=UTC).timestamp() + off
    with pytest.raises(GitHubError) as refused:
        judged("GET /app", 401, headers, '{"message": "no"}', at)
    assert refused.value.why.startswith(f"GET /app: 401 no{told}")
    assert ("clock" in refused.value.why) is bool(told)
    with pytest.raises(GitHubError) as other:
        judged("GET /app", 404, headers, "", at)
    assert "clock" not in other.value.why
