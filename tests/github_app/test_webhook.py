"""G35: who may speak to us."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, text
from werkzeug.test import TestResponse

from foureyes.github_app import lanes, storage, tables
from foureyes.github_app.metrics import Figures
from foureyes.github_app.settings import Settings
from foureyes.github_app.web import Site, create_site
from foureyes.github_app.webhook import LARGEST_BODY, Refusal, receive

SECRET, OTHER = "it is a secret to everybody", "the secret that comes next"
BODY = json.dumps({"zen": "Responsive is better than fast.", "hook_id": 1}).encode()


def signature(body: bytes = BODY, secret: str = SECRET, kind: str = "sha256") -> str:
    return f"{kind}={hmac.digest(secret.encode(), body, kind).hex()}"


def headers(body: bytes = BODY, **over: str) -> dict[str, str]:
    sent = {"X-Hub-Signature-256": signature(body), "X-GitHub-Delivery": "d-1", "X-GitHub-Event": "ping"}
    return {**sent, **{name.replace("_", "-"): value for name, value in over.items()}}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in headers().items() if key != name}


class News:
    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
def client(sqlite_engine: Engine, news: News) -> FlaskClient:
    settings = Settings(1, "", (SECRET, OTHER))
    return create_site(Site(sqlite_engine, settings, news, lambda: True)).test_client()


def stored(engine: Engine) -> int:
    with storage.reading(engine) as conn:
        return conn.execute(select(func.count()).select_from(tables.delivery)).scalar_one()


def send(client: FlaskClient, body: bytes, sent: Mapping[str, str]) -> TestResponse:
    return client.post("/webhook", data=body, headers=dict(sent), content_type="application/json")


def test_github_documents_this_signature_for_this_body_and_secret() -> None:
    """The example in GitHub's own documentation on validating deliveries."""
    known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    body, secret = b"Hello, World!", "It's a Secret to Everybody"
    assert receive(body, headers(X_Hub_Signature_256=known), [secret]) == Refusal(
        400, "the body is not a JSON object: choose application/json as the webhook's content type"
    )
    refused = receive(b"Hello, World?", headers(X_Hub_Signature_256=known), [secret])
    assert isinstance(refused, Refusal)
    assert refused.status == 401


def test_a_signed_delivery_is_stored_and_then_acknowledged(
    client: FlaskClient, sqlite_engine: Engine, news: News
) -> None:
    answer = send(client, BODY, headers())
    assert (answer.status_code, answer.text) == (202, "stored\n")
    assert stored(sqlite_engine) == 1
    assert news.count == 1


def test_the_next_secret_is_accepted_while_secrets_change(client: FlaskClient) -> None:
    assert send(client, BODY, headers(X_Hub_Signature_256=signature(secret=OTHER))).status_code == 202


UNSIGNED = {
    "missing": without("X-Hub-Signature-256"),
    "empty": headers(X_Hub_Signature_256=""),
    "sha1 only": {**without("X-Hub-Signature-256"), "X-Hub-Signature": signature(kind="sha1")},
    "sha1 in its place": headers(X_Hub_Signature_256=signature(kind="sha1")),
    "sha1 digest called sha256": headers(
        X_Hub_Signature_256=signature(kind="sha1").replace("sha1", "sha256")
    ),
    "another secret": headers(X_Hub_Signature_256=signature(secret="guess")),
    "empty secret": headers(X_Hub_Signature_256=signature(secret="")),
    "another body": headers(X_Hub_Signature_256=signature(BODY + b" ")),
    "no prefix": headers(X_Hub_Signature_256=signature().removeprefix("sha256=")),
    "cut short": headers(X_Hub_Signature_256=signature()[:-1]),
    "longer": headers(X_Hub_Signature_256=signature() + "0"),
    "upper case": headers(X_Hub_Signature_256=signature().upper()),
    "not ASCII": headers(X_Hub_Signature_256="sha256=" + "\xe9" * 64),
    "two values": headers(X_Hub_Signature_256=f"{signature()}, {signature()}"),
}


@pytest.mark.parametrize("sent", UNSIGNED.values(), ids=UNSIGNED.keys())
def test_g35_without_a_valid_signature_nothing_is_stored(
    client: FlaskClient, sqlite_engine: Engine, news: News, sent: dict[str, str]
) -> None:
    assert send(client, BODY, sent).status_code == 401
    assert stored(sqlite_engine) == 0
    assert news.count == 0


def test_g35_a_changed_byte_is_refused_before_anything_is_parsed(client: FlaskClient) -> None:
    assert send(client, b"{" * 10, headers()).status_code == 401


MALFORMED = {
    "not JSON": b"zen=1",
    "form": b"payload=%7B%7D",
    "a list": b"[]",
    "half": b'{"a":',
    "empty": b"",
    "not text": b"\xff\xfe\x00",
    "deep": b"[" * 200_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_signed_body_that_is_not_a_json_object_is_refused(
    client: FlaskClient, sqlite_engine: Engine, body: bytes
) -> None:
    assert send(client, body, headers(body)).status_code == 400
    assert stored(sqlite_engine) == 0


@pytest.mark.parametrize(
    "sent",
    [
        without("X-GitHub-Delivery"),
        without("X-GitHub-Event"),
        headers(X_GitHub_Delivery="x" * 65),
        headers(X_GitHub_Delivery="a b"),
        headers(X_GitHub_Event="../ping"),
    ],
)
def test_a_delivery_without_a_name_is_refused(
    client: FlaskClient, sqlite_engine: Engine, sent: dict[str, str]
) -> None:
    assert send(client, BODY, sent).status_code == 400
    assert stored(sqlite_engine) == 0


def test_a_body_that_is_larger_than_github_sends_is_refused(
    client: FlaskClient, sqlite_engine: Engine
) -> None:
    body = b'{"a":"' + b"x" * LARGEST_BODY + b'"}'
    assert send(client, body, headers(body)).status_code == 413
    assert stored(sqlite_engine) == 0


def test_the_largest_body_that_github_sends_is_stored(client: FlaskClient) -> None:
    body = b'{"a":"' + b"x" * (LARGEST_BODY - 8) + b'"}'
    assert len(body) == LARGEST_BODY
    assert send(client, body, headers(body)).status_code == 202


def test_the_bytes_are_signed_and_not_what_they_mean(client: FlaskClient) -> None:
    body = b'{ "a" : 1.0, "b": 12345678901234567890, "c": "\\u00e9" }\n'
    assert send(client, body, headers(body)).status_code == 202


def test_a_delivery_that_cannot_be_stored_is_not_acknowledged(
    client: FlaskClient, sqlite_engine: Engine, news: News
) -> None:
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("drop table delivery"))
    answer = send(client, BODY, headers())
    assert answer.status_code == 503
    assert news.count == 0


def test_a_refusal_does_not_repeat_what_was_sent(client: FlaskClient) -> None:
    answer = send(client, b"secret-looking body", headers(X_Hub_Signature_256="sha256=<script>"))
    assert "script" not in answer.text
    assert "secret-looking" not in answer.text


def test_only_posts_are_deliveries(client: FlaskClient) -> None:
    assert client.get("/webhook").status_code == 405


def test_the_page_says_what_this_is(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "The operator does not count." in page
    assert "https://github.com" in page


def test_health_is_about_workers_and_readiness_about_the_database(sqlite_engine: Engine) -> None:
    health = {"alive": True}
    site = Site(sqlite_engine, Settings(1, "", (SECRET,)), lambda: None, lambda: health["alive"])
    client = create_site(site).test_client()
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)
    health["alive"] = False
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (503, 503)
    health["alive"] = True
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("update alembic_version set version_num = 'r9999'"))
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)


@pytest.mark.parametrize(
    ("version", "says"), [("r0001", "not set up for this version"), ("r9999", "newer foureyes")]
)
def test_readiness_tells_tables_of_another_version(sqlite_engine: Engine, version: str, says: str) -> None:
    client = create_site(
        Site(sqlite_engine, Settings(1, "", (SECRET,)), lambda: None, lambda: True)
    ).test_client()
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("update alembic_version set version_num = :version"), {"version": version})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert says in answer.text


def test_a_database_that_is_gone_is_told_and_names_nothing_of_it(
    sqlite_engine: Engine, client: FlaskClient, tmp_path: Path
) -> None:
    assert "foureyes_database_up 1.0" in client.get("/metrics").text
    sqlite_engine.dispose()
    for file in tmp_path.glob("foureyes.sqlite3*"):
        file.unlink()
    (tmp_path / "foureyes.sqlite3").mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the database cannot be used\n")
    told = client.get("/metrics")
    assert told.status_code == 200
    assert "foureyes_database_up 0.0" in told.text
    assert "foureyes_heads" not in told.text


def test_a_web_process_says_when_nobody_works(sqlite_engine: Engine) -> None:
    settings = Settings(1, "", (SECRET,))
    alone = Site(sqlite_engine, settings, lambda: None, lambda: True, works=False)
    client = create_site(alone).test_client()
    with storage.writing(sqlite_engine) as conn:
        lanes.wake(conn, lanes.Lane(7, 9, "acme/shop", "a" * 40), storage.now(conn))
    assert "worker" not in client.get("/readyz").text
    with storage.writing(sqlite_engine) as conn:
        conn.execute(text("update work set due_at = due_at - 60000"))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert "does `foureyes worker` run?" in answer.text
    both = create_site(replace(alone, works=True, figures=Figures())).test_client()
    assert "worker" not in both.get("/readyz").text


def test_a_process_that_only_works_hears_nothing(sqlite_engine: Engine) -> None:
    site = Site(sqlite_engine, Settings(1, "", (SECRET,)), lambda: None, lambda: True, hears=False)
    client = create_site(site).test_client()
    assert send(client, BODY, headers()).status_code == 404
    assert stored(sqlite_engine) == 0
    assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]


def test_whatever_goes_wrong_with_storing_is_no_acknowledgement(
    client: FlaskClient, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr("foureyes.github_app.web._NOT_STORED_SECONDS", 1e9)  # however slow this machine is
    with monkeypatch.context() as failing:
        failing.setattr("foureyes.github_app.web.accept", fails)
        assert send(client, BODY, headers()).status_code == 503
    assert news.count == 0
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (
        503,
        "the newest delivery could not be stored: the log says why\n",
    )
    assert send(client, BODY, headers()).status_code == 202
    assert client.get("/readyz").status_code == 200, "the next one could be"
    assert 'foureyes_deliveries_total{event="ping",result="failed"} 1.0' in client.get("/metrics").text


def test_metrics_tell_deliveries_and_what_waits(client: FlaskClient) -> None:
    send(client, BODY, headers())
    send(client, BODY, headers())
    send(client, BODY, without("X-Hub-Signature-256"))
    send(client, BODY, headers(X_GitHub_Event="star", X_GitHub_Delivery="d-2"))
    lines = client.get("/metrics").text.splitlines()
    assert 'foureyes_deliveries_total{event="ping",result="stored"} 1.0' in lines
    assert 'foureyes_deliveries_total{event="ping",result="repeated"} 1.0' in lines
    assert 'foureyes_deliveries_total{event="other",result="refused"} 1.0' in lines
    assert 'foureyes_deliveries_total{event="other",result="stored"} 1.0' in lines
    assert 'foureyes_heads{state="pending"} 0.0' in lines
    assert "foureyes_undecided_deliveries 0.0" in lines


def test_a_signature_is_compared_with_the_real_digest() -> None:
    """So that a comparison which is always true would be seen here."""
    for secret in (SECRET, OTHER):
        assert not isinstance(
            receive(BODY, headers(X_Hub_Signature_256=signature(secret=secret)), [secret]), Refusal
        )
        wrong = OTHER if secret == SECRET else SECRET
        assert isinstance(
            receive(BODY, headers(X_Hub_Signature_256=signature(secret=secret)), [wrong]), Refusal
        )
