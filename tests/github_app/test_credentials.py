"""Where the App's credentials are kept, and `foureyes app credentials`, which keeps those of an App that is there."""

import hmac
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from support_git import CHECKOUT
from support_in_process import ended
from support_sandbox import World, app_key, ask, running_sandbox

from foureyes.github_app import credentials
from foureyes.github_app.credentials import Credentials, CredentialsError
from foureyes.github_app.settings import is_first_run, read_settings
from foureyes.shared.errors import UserError

FIRST, SECOND, THIRD = "first-secret-of-many", "second-secret-of-many", "third-secret-of-many"
GITHUB = "https://github.com"
PATIENCE = 60


def given(**over: Any) -> Credentials:
    return Credentials(
        **{"app_id": 12, "github_url": GITHUB, "private_key": app_key(), "webhook_secrets": (FIRST,), **over}
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_stored_is_for_this_user_alone_and_comes_back(tmp_path: Path, umask: int) -> None:
    data = tmp_path / "new" / "data"
    before = os.umask(umask)
    try:
        path = credentials.store(data, given(webhook_secrets=(FIRST, SECOND)), replace=False)
    finally:
        os.umask(before)
    assert {mode(file) for file in data.iterdir()} == {0o600}
    assert mode(data) == 0o700
    settings = read_settings({"FOUREYES_DATA": str(data)})
    assert (settings.app_id, settings.github_url, settings.webhook_secrets) == (12, GITHUB, (FIRST, SECOND))
    assert settings.private_key == app_key()
    assert path == data / "app.env"


def test_the_folder_can_be_moved(tmp_path: Path) -> None:
    credentials.store(tmp_path / "here", given(), replace=False)
    (tmp_path / "here").rename(tmp_path / "there")
    assert read_settings({"FOUREYES_DATA": str(tmp_path / "there")}).app_id == 12


def test_another_app_takes_the_place_of_the_first_only_when_that_is_meant(tmp_path: Path) -> None:
    credentials.store(tmp_path, given(), replace=False)
    before = (tmp_path / "app.env").read_bytes()
    with pytest.raises(CredentialsError, match="is there already"):
        credentials.store(tmp_path, given(app_id=13), replace=False)
    assert (tmp_path / "app.env").read_bytes() == before
    (tmp_path / "mine.pem").write_text("not ours")
    other = app_key().replace("\n", "\n\n", 1)
    credentials.store(tmp_path, given(app_id=13, private_key=other), replace=True)
    assert credentials.read(tmp_path)["APP_ID"] == "13"
    assert len(list(tmp_path.glob("app-*.pem"))) == 1
    assert (tmp_path / "mine.pem").exists()


def test_a_crash_between_the_files_leaves_the_app_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials.store(tmp_path, given(), replace=False)
    real = Path.replace

    def power_cut(self: Path, target: Path) -> Path:
        if target.name == "app.env":
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", power_cut)
    with pytest.raises(CredentialsError, match="No space left"):
        credentials.store(tmp_path, given(app_id=13, private_key=app_key() + "\n#"), replace=True)
    assert read_settings({"FOUREYES_DATA": str(tmp_path)}).app_id == 12
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "elsewhere").write_text("untouched")
    (data / "app.env").symlink_to(tmp_path / "elsewhere")
    credentials.store(data, given(), replace=True)
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert not (data / "app.env").is_symlink()


def test_the_environment_wins_name_by_name(tmp_path: Path) -> None:
    credentials.store(tmp_path, given(), replace=False)
    data = {"FOUREYES_DATA": str(tmp_path)}
    assert read_settings({**data, "FOUREYES_WEBHOOK_SECRET": SECOND}).webhook_secrets == (SECOND,)
    assert read_settings({**data, "FOUREYES_APP_ID": "99"}).app_id == 99
    assert read_settings({**data, "FOUREYES_PRIVATE_KEY": app_key()}).app_id == 12
    assert (
        read_settings({**data, "FOUREYES_GITHUB_URL": "https://acme.ghe.com"}).github_url
        == "https://acme.ghe.com"
    )


def test_an_environment_that_names_the_whole_app_is_all_there_is(tmp_path: Path) -> None:
    """Also the address of GitHub: the stored one belongs to another App."""
    credentials.store(tmp_path, given(github_url="https://acme.ghe.com"), replace=False)
    (tmp_path / "app.env").chmod(0o644)
    whole = {"FOUREYES_APP_ID": "9", "FOUREYES_PRIVATE_KEY": app_key(), "FOUREYES_WEBHOOK_SECRET": SECOND}
    settings = read_settings({**whole, "FOUREYES_DATA": str(tmp_path)})
    assert (settings.app_id, settings.github_url) == (9, GITHUB)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("FOUREYES_APP_ID", "line 1"),
        ("# x\n\nAPP_ID=1", "line 3"),
        ("FOUREYES_PORT=1", "line 1"),
        ("FOUREYES_APP_ID=1\nFOUREYES_APP_ID=2", "line 2"),
        ("\0\xff", "line 1"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_a_file_that_was_not_written_by_us_is_an_error(
    tmp_path: Path, content: str | bytes, why: str
) -> None:
    file = tmp_path / "app.env"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(0o600)
    with pytest.raises(UserError, match=why) as raised:
        read_settings({"FOUREYES_DATA": str(tmp_path)})
    assert "FOUREYES_APP_ID is missing" in raised.value.what


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
def test_files_that_others_can_read_are_refused(tmp_path: Path, bits: int) -> None:
    credentials.store(tmp_path, given(), replace=False)
    for file in tmp_path.iterdir():
        file.chmod(bits)
        with pytest.raises(UserError, match=f"mode {bits:04o}.*chmod 600"):
            read_settings({"FOUREYES_DATA": str(tmp_path)})
        file.chmod(0o600)
    assert read_settings({"FOUREYES_DATA": str(tmp_path)}).app_id == 12


def test_a_first_run_is_one_where_nothing_is_known_of_an_app(tmp_path: Path) -> None:
    data = {"FOUREYES_DATA": str(tmp_path)}
    assert is_first_run(data)
    assert is_first_run({**data, "FOUREYES_GITHUB_URL": "https://acme.ghe.com", "FOUREYES_APP_ID": " "})
    for name in ("APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_FILE", "WEBHOOK_SECRET"):
        assert not is_first_run({**data, f"FOUREYES_{name}": "x"})
    (tmp_path / "app.env").symlink_to(tmp_path / "nowhere")
    assert not is_first_run(data)


def test_no_secret_shows_when_credentials_are_printed() -> None:
    shown = repr(given())
    assert FIRST not in shown
    assert "BEGIN" not in shown


# The command


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


@pytest.fixture
def files(world: World) -> dict[str, Path]:
    """As a person has them after a download: readable by others."""
    app = world.sandbox.app
    content = {
        "key": app.private_key,
        "secret": app.webhook_secret,
        "next": THIRD,
        "wrong": given().private_key[:300],
    }
    for name, text in content.items():
        (world.folder / name).write_text(text + "\n")
    return {name: world.folder / name for name in content}


def environment(world: World) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT / ".types"),
        "FOUREYES_GITHUB_URL": world.url,
        "FOUREYES_SANDBOX_TOKEN": world.sandbox.world.token,
        "FOUREYES_DATA": str(world.folder / "data"),
    }


@dataclass(frozen=True)
class Ran:
    returncode: int
    stdout: str
    stderr: str


def run(env: dict[str, str], *arguments: object, stdin: str = "") -> Ran:
    """The command in this process; one test, in which a person is asked, starts it by itself."""
    with patch("sys.stdin", StringIO(stdin)):
        done = Ran(*ended(Path.cwd(), "app", "credentials", *map(str, arguments), env=env))
    assert "Traceback" not in done.stderr
    return done


def store(world: World, files: dict[str, Path], *more: object) -> Ran:
    return run(
        environment(world),
        "--id",
        world.sandbox.app.id,
        "--key",
        files["key"],
        "--secret",
        files["secret"],
        *more,
    )


def test_an_app_that_is_there_is_checked_and_stored(world: World, files: dict[str, Path]) -> None:
    done = store(world, files, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "app_id": world.sandbox.app.id, "app": "foureyes", "checked": True, "environment_wins": [], "missing": [],
        "secrets": 1, "stored": str(world.folder / "data" / "app.env"),
    }  # fmt: skip
    settings = read_settings({k: v for k, v in environment(world).items() if k.startswith("FOUREYES_")})
    assert settings.private_key.strip() == world.sandbox.app.private_key.strip()
    assert settings.webhook_secrets == (world.sandbox.app.webhook_secret,)
    assert {mode(file) for file in (world.folder / "data").iterdir()} == {0o600}
    for secret in (world.sandbox.app.webhook_secret, "PRIVATE KEY"):
        assert secret not in done.stdout + done.stderr


def test_run_again_without_anything_it_checks_what_is_stored(world: World, files: dict[str, Path]) -> None:
    assert store(world, files).returncode == 0
    before = (world.folder / "data" / "app.env").read_bytes()
    again = run(environment(world))
    assert again.returncode == 0, again.stderr
    assert "foureyes (App" in again.stdout
    assert (world.folder / "data" / "app.env").read_bytes() == before


def test_a_key_of_another_app_is_refused_and_changes_nothing(world: World, files: dict[str, Path]) -> None:
    assert store(world, files).returncode == 0
    before = (world.folder / "data" / "app.env").read_bytes()
    refused = run(environment(world), "--id", 999)
    assert refused.returncode == 1
    assert "knows no App 999 with this key" in refused.stderr
    broken = run(environment(world), "--key", files["wrong"])
    assert "does not hold an unencrypted private key" in broken.stderr
    nowhere = run(environment(world), "--key", world.folder / "nowhere.pem")
    assert "cannot be read" in nowhere.stderr
    short = run(environment(world), "--secret", "-", stdin="short")
    assert "could be guessed" in short.stderr
    assert (world.folder / "data" / "app.env").read_bytes() == before


def test_without_github_it_is_stored_only_when_that_is_meant(world: World, files: dict[str, Path]) -> None:
    world.control("POST", "faults", {"kind": "status", "match": "GET /api/v3/app", "times": 9})
    failed = store(world, files)
    assert failed.returncode == 1
    assert "--offline" in failed.stderr
    assert not (world.folder / "data").exists()
    done = store(world, files, "--offline")
    assert done.returncode == 0
    assert "not checked" in done.stdout


def test_what_the_app_lacks_of_app_yml_is_named(world: World, files: dict[str, Path]) -> None:
    app = world.sandbox.app
    app.permissions, app.events = {"metadata": "read", "contents": "write", "checks": "read"}, ("push",)
    done = store(world, files, "--json")
    wanted = yaml.safe_load((CHECKOUT / "app.yml").read_text())
    events = [f"event {name}" for name in wanted["default_events"] if name != "push"]
    rights = ["pull_requests: read", "checks: write", "merge_queues: read", "members: read"]
    assert json.loads(done.stdout)["missing"] == [*rights, *events]
    assert "lacks what app.yml asks for: pull_requests: read" in store(world, files).stdout


def test_nobody_is_asked_where_nobody_is(world: World, files: dict[str, Path]) -> None:
    alone = run(environment(world), "--key", files["key"], "--secret", files["secret"])
    assert alone.returncode == 2
    assert "--id" in alone.stderr
    assert run(environment(world), "--keep-secret").returncode == 2


def test_a_person_is_asked_for_what_is_missing_and_the_secret_is_not_shown(
    world: World, files: dict[str, Path]
) -> None:
    app = world.sandbox.app
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "foureyes.hooks.cli", "app", "credentials"]
    process = subprocess.Popen(command, env=environment(world), stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    seen = b""
    for question, answer in (
        (b"App's id", str(app.id)),
        (b"private key", str(files["key"])),
        (b"webhook secret", app.webhook_secret),
    ):
        while question not in seen.rpartition(b"\n")[2]:
            seen += os.read(outer, 1000)
        os.write(outer, answer.encode() + b"\n")
        while b"\n" not in seen.rpartition(question)[2]:
            seen += os.read(outer, 1000)
    while True:
        try:
            more = os.read(outer, 1000)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        seen += more
    os.close(outer)
    assert process.wait(PATIENCE) == 0, seen
    assert b"stored in" in seen
    assert app.webhook_secret.encode() not in seen


def test_an_environment_that_wins_is_named(world: World, files: dict[str, Path]) -> None:
    env = {**environment(world), "FOUREYES_APP_ID": "77", "FOUREYES_WEBHOOK_SECRET": SECOND}
    done = run(env, "--id", world.sandbox.app.id, "--key", files["key"], "--secret", files["secret"])
    assert done.returncode == 0, done.stderr
    assert (
        "the environment wins over what is stored: it sets FOUREYES_APP_ID, FOUREYES_WEBHOOK_SECRET"
        in done.stdout
    )


def heard(address: str, secret: str) -> int:
    body = {"zen": "z"}
    digest = hmac.digest(secret.encode(), json.dumps(body).encode(), "sha256").hex()
    sent = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": "d", "X-GitHub-Event": "ping"}
    return ask(address, "POST", "/webhook", body, sent).status


def test_the_webhook_secret_is_changed_without_losing_a_delivery(
    world: World, files: dict[str, Path]
) -> None:
    """As docs/operations.md says: both, then GitHub, then the new one alone."""
    old = world.sandbox.app.webhook_secret
    assert store(world, files).returncode == 0
    expected = [
        ((), {old: 202, THIRD: 401}),
        (("--secret", files["next"], "--keep-secret"), {old: 202, THIRD: 202}),
        (("--secret", files["next"]), {old: 401, THIRD: 202}),
    ]
    for arguments, answers in expected:
        assert run(environment(world), *arguments).returncode == 0
        env = {
            **environment(world),
            "FOUREYES_PORT": "0",
            "FOUREYES_WORKERS": "1",
            "FOUREYES_DRAIN_SECONDS": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "foureyes.hooks.cli", "serve", "--json"], env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = json.loads(process.stdout.readline())["listening"]
            assert {secret: heard(address, secret) for secret in answers} == answers
        finally:
            process.kill()
            process.communicate()


def test_keeping_the_secret_again_never_makes_three(world: World, files: dict[str, Path]) -> None:
    assert store(world, files).returncode == 0
    for _ in range(2):
        done = run(environment(world), "--secret", files["next"], "--keep-secret", "--json")
        assert json.loads(done.stdout)["secrets"] <= 2
    fourth = run(environment(world), "--secret", "-", "--keep-secret", stdin=SECOND)
    assert fourth.returncode == 0
    assert credentials.read(world.folder / "data")["WEBHOOK_SECRET"] == f"{THIRD},{SECOND}"
