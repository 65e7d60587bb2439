"""No secret leaves in a log line or an error."""

import io
import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from foureyes.github_app.answer import GitHubError, RetryLater
from foureyes.github_app.git_process import failure
from foureyes.github_app.logs import JsonLines, about
from foureyes.github_app.redaction import redact

TOKEN = "ghs_123456_eyJhbGciOi.JIUzI1NiJ9-x_y.abcdefghijklmnop"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjEyfQ.c2lnbmF0dXJl"

SECRETS = {
    "installation token": (f"token {TOKEN} refused", TOKEN),
    "older token": ("ghp_" + "a1" * 18, "a1a1"),
    "fine-grained token": ("github_pat_11ABCDEFG0123456789_abcdef", "11ABCDEFG"),
    "key": (f"key {PEM} end", "MIIEow"),
    "key cut off": (PEM[:50], "MIIEow"),
    "key in one line": (PEM.replace("\n", "\\n"), "MIIEow"),
    "web token": (f"Bearer {JWT}", "eyJpc3M"),
    "basic header": ("Authorization: Basic eC1hY2Nlc3M6c2VjcmV0", "eC1hY2"),
    "header in JSON": ('{"authorization": "bearer abc.def"}', "abc.def"),
    "header in a dict": ("{'Authorization': 'token abcdef'}", "abcdef"),
    "password in an address": ("https://x-access-token:hunter2@git.example/a.git", "hunter2"),
    "database": ("postgresql+psycopg://foureyes:hunter2@db/x", "hunter2"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS.keys())
def test_secrets_are_taken_out(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text",
    ["acme/shop#412 at a1b2c3d: Waiting", "https://github.com/acme/shop.git", "olga@acme.example", "GET /app -> 401",
     "authorization failed for @olga"],
)  # fmt: skip
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@given(
    st.from_regex(r"ghs_[A-Za-z0-9._-]{36,80}", fullmatch=True), st.text(max_size=20), st.text(max_size=20)
)
def test_no_installation_token_survives(token: str, before: str, after: str) -> None:
    # Inside a word it is not a token: a base64 text may hold these letters.
    if not before or not (before[-1].isalnum() or before[-1] == "_"):
        assert not re.search(r"ghs_[A-Za-z0-9._-]{36,}", redact(f"{before}{token}{after}"))


def test_what_becomes_of_an_error_in_a_check_or_a_decision_holds_no_secret() -> None:
    """Its reason may be published or stored: it is clean from the start, whoever tells it."""
    said = f"refused: {TOKEN}"
    for error in (GitHubError(said), RetryLater(said, 403, 1.0), failure("fetch", 128, f"fatal: {said}\n")):
        assert TOKEN not in f"{error.why} {error} {error!r}"
        assert "refused: [redacted]" in error.why


def logged(message: str, *values: object, exc_info: bool = False) -> dict[str, str]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("foureyes.test")
    logger.addHandler(handler)
    logger.warning(message, *values, exc_info=exc_info)
    (line,) = stream.getvalue().splitlines()
    found: dict[str, str] = json.loads(line)
    return found


def test_a_log_line_is_one_json_object_and_names_what_it_is_about() -> None:
    with about(delivery="g1"), about(lane="9:abc"):
        line = logged("looked\nat %s", "acme/shop")
    assert {name: line[name] for name in ("level", "from", "message", "delivery", "lane")} == {
        "level": "warning", "from": "foureyes.test", "message": "looked\nat acme/shop", "delivery": "g1", "lane": "9:abc",
    }  # fmt: skip
    assert "delivery" not in logged("after")


def test_a_log_line_holds_no_secret_in_any_part() -> None:
    try:
        raise RuntimeError(f"push with {TOKEN}\n{PEM}")
    except RuntimeError:
        with about(lane=TOKEN):
            line = logged("failed with %s", TOKEN, exc_info=True)
    whole = json.dumps(line)
    assert TOKEN not in whole
    assert "MIIEow" not in whole
    assert "RuntimeError" in line["error"]


def test_a_database_that_is_gone_is_told_without_the_way_there() -> None:
    """Every worker tells it every second."""
    engine = create_engine("sqlite:////nowhere/at/all.sqlite3")
    try:
        try:
            engine.connect()
        except SQLAlchemyError as error:
            raise RuntimeError("lost") from error
    except RuntimeError:
        line = logged("a worker could not reach the database", exc_info=True)
    assert line["error"] == "OperationalError: unable to open database file"
    try:
        raise RuntimeError("else")
    except RuntimeError:
        assert "Traceback" in logged("another", exc_info=True)["error"]
