"""Settings: every problem at once, no secret in any text, and documented both ways."""

import hashlib
import http.server
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from foureyes.github_app.settings import (
    DEFAULTS,
    PREFIX,
    Settings,
    read_database_url,
    read_settings,
    sqlite_url,
)
from foureyes.shared.errors import UserError

SECRET = "a secret of sixteen letters or more"
TOKEN = "sandbox-token"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, locked).decode()


RSA_KEY = rsa.generate_private_key(65537, 2048)
KEY = pem(RSA_KEY)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "app.pem"
    file.write_text(KEY)
    file.chmod(0o600)
    return file


@pytest.fixture
def environment(key_file: Path) -> dict[str, str]:
    return {
        "FOUREYES_APP_ID": "12",
        "FOUREYES_PRIVATE_KEY_FILE": str(key_file),
        "FOUREYES_WEBHOOK_SECRET": SECRET,
    }


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(UserError) as raised:
        read_settings(environment)
    assert raised.value.exit_code == 1
    assert "docs/operations.md" in raised.value.next_step
    return raised.value.what.split("\n  - ")[1:]


def problem(environment: dict[str, str], **over: str) -> str:
    (only,) = problems({**environment, **{PREFIX + name: value for name, value in over.items()}})
    return only


def test_three_settings_are_enough(environment: dict[str, str]) -> None:
    settings = read_settings({**environment, "PATH": "/bin", "FOUREYES_TEST_LANE": "browser"})
    assert settings == Settings(12, KEY, (SECRET,))
    assert settings.github_url == "https://github.com"
    assert settings.database_url == "sqlite:///foureyes-data/foureyes.sqlite3"


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = problems(
        {
            "FOUREYES_APP_ID": "twelve",
            "FOUREYES_PRIVATE_KEY_FILE": str(tmp_path / "nowhere.pem"),
            "FOUREYES_PORT": "99999",
            "FOUREYES_LOG": "loud",
            "FOUREYES_GITHUB_URL": "github.com",
            "FOUREYES_DATABASE_URL": "mysql://u:hunter2@db/x",
            "FOUREYES_WEBHOOK_SECRETS": SECRET,
        }
    )
    assert [text.split()[0] for text in said] == [
        "FOUREYES_WEBHOOK_SECRETS", "FOUREYES_APP_ID", "FOUREYES_PRIVATE_KEY_FILE", "FOUREYES_WEBHOOK_SECRET",
        "FOUREYES_GITHUB_URL", "FOUREYES_DATABASE_URL", "FOUREYES_PORT", "FOUREYES_LOG",
    ]  # fmt: skip
    assert "did you mean FOUREYES_WEBHOOK_SECRET?" in said[0]
    assert not any("hunter2" in text or SECRET in text for text in said)


def test_without_a_secret_the_server_does_not_start(environment: dict[str, str]) -> None:
    del environment["FOUREYES_WEBHOOK_SECRET"]
    assert (
        problem(environment) == "FOUREYES_WEBHOOK_SECRET is missing: without it anyone could send us events"
    )
    assert "is missing" in problem(environment, WEBHOOK_SECRET=" , \n ")


@pytest.mark.parametrize("between", [",", "\n", " ,\n"])
def test_two_secrets_hold_while_one_is_changed_for_another(environment: dict[str, str], between: str) -> None:
    two = {**environment, "FOUREYES_WEBHOOK_SECRET": f"{SECRET}{between}{SECRET[::-1]}"}
    assert read_settings(two).webhook_secrets == (SECRET, SECRET[::-1])


def test_odd_secrets_are_refused_without_being_repeated(environment: dict[str, str]) -> None:
    for odd, why in (
        ("hunter2", "shorter than 16"),
        (",".join([SECRET] * 3), "3 secrets"),
        (f"{SECRET},x", "shorter"),
    ):
        said = problem(environment, WEBHOOK_SECRET=odd)
        assert why in said
        assert odd not in said


def test_the_key_may_be_given_in_one_line(environment: dict[str, str]) -> None:
    del environment["FOUREYES_PRIVATE_KEY_FILE"]
    inline = {**environment, "FOUREYES_PRIVATE_KEY": KEY.strip().replace("\n", "\\n")}
    assert read_settings(inline).private_key.strip() == KEY.strip()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(
    environment: dict[str, str], key_file: Path, mode: int
) -> None:
    key_file.chmod(mode)
    assert problem(environment) == (
        f"FOUREYES_PRIVATE_KEY_FILE can be read by others (mode {mode:04o}): chmod 600 {key_file}"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "does not hold an unencrypted private key"),
        ("", "does not hold an unencrypted private key"),
        (pem(RSA_KEY, b"password"), "does not hold an unencrypted private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key"),
    ],
)
def test_what_is_no_app_key_is_refused_and_not_repeated(
    environment: dict[str, str], key_file: Path, text: str, why: str
) -> None:
    key_file.write_text(text)
    assert why in problem(environment)
    assert "BEGIN" not in problem(environment)


def test_keys_that_cannot_be_read(environment: dict[str, str], tmp_path: Path, key_file: Path) -> None:
    assert "No such file" in problem(environment, PRIVATE_KEY_FILE=str(tmp_path / "x"))
    assert "Is a directory" in problem(environment, PRIVATE_KEY_FILE=str(tmp_path))
    assert "both set" in problem(environment, PRIVATE_KEY=KEY)
    assert "is missing" in problem(environment, PRIVATE_KEY_FILE="")
    key_file.write_bytes(b"\xff\xfe")
    assert "not text" in problem(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [("APP_ID", "0"), ("APP_ID", "-3"), ("APP_ID", "1e3"), ("APP_ID", "٣"), ("PORT", "65536"), ("WORKERS", "0"),
     ("LEASE_SECONDS", "5"), ("SWEEP_SECONDS", "1"), ("DRAIN_SECONDS", "9999"), ("ORG_FLOOR_REQUIRED", "maybe")],
)  # fmt: skip
def test_values_out_of_range_are_refused(environment: dict[str, str], name: str, value: str) -> None:
    assert problem(environment, **{name: value}).startswith(f"FOUREYES_{name} must be")


@pytest.mark.parametrize(
    ("web", "api", "graphql"),
    [
        ("https://github.com", "https://api.github.com", "https://api.github.com/graphql"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("https://git.acme.example/", "https://git.acme.example/api/v3", "https://git.acme.example/api/graphql"),
        ("https://git.acme.example:8443", "https://git.acme.example:8443/api/v3",
         "https://git.acme.example:8443/api/graphql"),
    ],
)  # fmt: skip
def test_one_address_gives_the_others(environment: dict[str, str], web: str, api: str, graphql: str) -> None:
    settings = read_settings({**environment, "FOUREYES_GITHUB_URL": web})
    assert (settings.api_url, settings.graphql_url) == (api, graphql)
    assert settings.git_url("acme/shop") == f"{web.rstrip('/')}/acme/shop.git"


@pytest.mark.parametrize(
    "url",
    ["github.com", "ftp://github.com", "https://", "https://u:p@github.com", "https://github.com/acme", "https://x:0x",
     "https://github.com?a=b", "https://api.github.com", "https://www.github.com"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(environment: dict[str, str], url: str) -> None:
    assert "must be" in problem(environment, GITHUB_URL=url)


@pytest.mark.parametrize(
    "url",
    ["http://github.com", "http://127.0.0.1:1", "https://127.0.0.1:1", "https://localhost:1", "https://LOCALHOST.:1",
     "https://a.localhost:1", "http://[::1]:1", "https://127.9.9.9:1", "https://0.0.0.0:1", "http://git.acme.example"],
)  # fmt: skip
def test_addresses_where_anyone_could_answer_are_refused(environment: dict[str, str], url: str) -> None:
    assert "only `foureyes sandbox` may be used like that" in problem(environment, GITHUB_URL=url)


class Proof(http.server.BaseHTTPRequestHandler):
    answer = ""

    def do_GET(self) -> None:
        right = self.path == "/_sandbox/token-proof"
        self.send_response(200 if right else 404)
        self.end_headers()
        self.wfile.write(self.answer.encode() if right else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def standin() -> Iterator[str]:
    """Something that answers on loopback; what it answers is `Proof.answer`."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Proof)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_sandbox_is_accepted_by_its_proof_and_nothing_else_is(
    environment: dict[str, str], standin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment |= {"FOUREYES_GITHUB_URL": standin, "FOUREYES_SANDBOX_TOKEN": TOKEN}
    monkeypatch.setattr(Proof, "answer", hashlib.sha256(TOKEN.encode()).hexdigest() + "\n")
    assert read_settings(environment).github_url == standin
    for wrong in ("", TOKEN, hashlib.sha256(b"another").hexdigest(), "x" * 100_000):
        monkeypatch.setattr(Proof, "answer", wrong)
        assert "not the sandbox of this token" in problem(environment)


def test_where_no_sandbox_answers_the_error_says_so(environment: dict[str, str], standin: str) -> None:
    over = {"GITHUB_URL": standin.replace("127.0.0.1", "127.0.0.2"), "SANDBOX_TOKEN": TOKEN}
    assert "no sandbox answers there" in problem(environment, **over)


def test_no_secret_shows_when_settings_are_printed(environment: dict[str, str]) -> None:
    environment["FOUREYES_DATABASE_URL"] = "postgresql://foureyes:hunter2@db/foureyes"
    settings = read_settings(environment)
    assert settings.database_url == "postgresql+psycopg://foureyes:hunter2@db/foureyes"
    shown = repr(settings)
    assert not any(secret in shown for secret in (SECRET, "BEGIN", "hunter2"))


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x", "postgres", "postgresql://",
     "postgresql://h:port/x", "sqlite:x", "file.db"],
)  # fmt: skip
def test_only_databases_that_keep_what_they_are_given(environment: dict[str, str], url: str) -> None:
    assert "must be postgresql://... or sqlite:///FILE" in problem(environment, DATABASE_URL=url)


def test_a_command_that_only_needs_the_database_asks_for_nothing_else() -> None:
    assert (
        read_database_url({"FOUREYES_DATA": "/srv/four eyes"})
        == "sqlite:////srv/four%20eyes/foureyes.sqlite3"
    )
    assert sqlite_url(Path("a/b.sqlite3")) == "sqlite:///a/b.sqlite3"
    with pytest.raises(UserError, match="DATABASE_URL"):
        read_database_url({"FOUREYES_DATABASE_URL": "oracle://x"})


def test_the_documentation_and_the_server_name_the_same_settings(checkout: Path) -> None:
    page = (checkout / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `FOUREYES_([A-Z_]+)` \| (.*?) \|", page, re.MULTILINE)
    assert [name for name, _ in rows] == sorted(DEFAULTS)
    for name, default in rows:
        assert default == (f"`{DEFAULTS[name]}`" if DEFAULTS[name] else "–"), name
    mentioned = set(re.findall(r"FOUREYES_([A-Z_]+)", page))
    assert mentioned == set(DEFAULTS)


def test_every_setting_reaches_the_server() -> None:
    names = {field.name.upper() for field in fields(Settings)}
    told_by_the_command = {"POLL"}
    secrets = {"PRIVATE_KEY_FILE", "WEBHOOK_SECRET"}
    assert names - told_by_the_command == (set(DEFAULTS) - secrets) | {"WEBHOOK_SECRETS"}
