"""docs/deploy and the set-up part of docs/operations.md, run as far as a machine without a container engine allows."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support_in_process import ended
from support_sandbox import World, running_sandbox
from support_setup import first_run, serving

from foureyes.github_app import credentials
from foureyes.github_app.settings import DEFAULTS, PREFIX, is_first_run, read_settings
from foureyes.hooks.cli import COMMANDS

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "docs" / "deploy"
OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text()
PATIENCE = 300


def instructions() -> list[tuple[str, str]]:
    """Of the Containerfile, in order, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    lines = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in lines]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def image_environment() -> dict[str, str]:
    (line,) = [rest for name, rest in stages()[-1] if name == "ENV"]
    return dict(part.split("=", 1) for part in shlex.split(line))


def compose() -> Any:
    text = (DEPLOY / "compose.yaml").read_text()
    given = {"FOUREYES_URL": "https://foureyes.example.org", "POSTGRES_PASSWORD": "a" * 48}
    filled = re.sub(r"\$\{([A-Z_]+):\?[^}]*\}", lambda match: given[match[1]], text)
    assert "${" not in filled, "a variable without a message for who forgot it"
    return yaml.safe_load(filled)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def test_only_instructions_that_there_are() -> None:
    known = {
        "FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert {name for name, _ in instructions()} <= known


def test_what_the_image_copies_is_enough_for_the_wheel_and_holds_nothing_else(tmp_path: Path) -> None:
    """The first stage, really run on exactly what it copies."""
    build = stages()[0]
    source = tmp_path / "source"
    source.mkdir()
    tracked = subprocess.run(
        ["git", "-C", CHECKOUT, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name, rest in build:
        if name == "COPY":
            *sources, target = rest.split()
            assert all(any(f == part or f.startswith(f"{part}/") for f in tracked) for part in sources), rest
            for file in (
                f for f in tracked if any(f == part or f.startswith(f"{part}/") for part in sources)
            ):
                assert target in ("./", file.split("/")[0])
                (source / file).parent.mkdir(parents=True, exist_ok=True)
                if (CHECKOUT / file).is_file():
                    shutil.copy(CHECKOUT / file, source / file)
    (command,) = [rest for name, rest in build if name == "RUN"]
    wheels = tmp_path / "wheels"
    words = [sys.executable if word == "python" else word for word in shlex.split(command)]
    words = [str(wheels) if word == "/wheels" else word for word in words]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("foureyes-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "github_app/app.yml",
        "github_app/page.html",
        "github_app/setup_done.html",
        "hooks/cli.py",
    ):
        assert f"foureyes/{needed}" in names
    assert not [name for name in names if "tests/" in name or ".git" in name.split("/")]


def test_the_image_runs_as_a_user_without_rights_on_its_own_folder() -> None:
    final = stages()[-1]
    names = [name for name, _ in final]
    run = " ".join(rest for name, rest in final if name == "RUN")
    (user,) = [rest for name, rest in final if name == "USER"]
    assert user.isdecimal()
    assert f"useradd --uid {user} " in run
    assert "install -d -m 0700 -o foureyes -g foureyes " in run
    assert not {"RUN", "COPY"} & set(names[names.index("USER") :])
    (volume,) = [rest for name, rest in final if name == "VOLUME"]
    assert image_environment()["FOUREYES_DATA"] == volume
    entry = [json.loads(rest) for name, rest in final if name in ("ENTRYPOINT", "CMD")]
    assert entry[0] == ["foureyes"]
    assert entry[1][0] in COMMANDS


def test_every_setting_that_is_deployed_is_one_and_the_server_would_start_with_them(tmp_path: Path) -> None:
    service = compose()["services"]["foureyes"]
    environment = {**image_environment(), **service["environment"]}
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    assert {name.removeprefix(PREFIX) for name in ours} <= set(DEFAULTS)
    ours["FOUREYES_DATA"] = str(tmp_path)
    assert is_first_run(ours)
    settings = read_settings(ours, first_run=True)
    assert settings.database_url == f"postgresql+psycopg://foureyes:{'a' * 48}@database/foureyes"
    assert settings.url == "https://foureyes.example.org"


def test_the_parts_fit_each_other() -> None:
    parts = compose()
    service, database = parts["services"]["foureyes"], parts["services"]["database"]
    image = image_environment()
    assert service["ports"] == [f"127.0.0.1:{image['FOUREYES_PORT']}:{image['FOUREYES_PORT']}"]
    assert (DEPLOY / service["build"]["context"]).resolve() == CHECKOUT
    assert (CHECKOUT / service["build"]["dockerfile"]) == DEPLOY / "Containerfile"
    assert service["volumes"] == [f"data:{image['FOUREYES_DATA']}"]
    assert {name.split(":")[0] for part in (service, database) for name in part["volumes"]} == set(
        parts["volumes"]
    )
    assert int(service["stop_grace_period"].removesuffix("s")) > int(DEFAULTS["DRAIN_SECONDS"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["database"]["condition"] == "service_healthy"
    user = database["environment"]["POSTGRES_USER"]
    assert database["healthcheck"]["test"] == ["CMD", "pg_isready", "-U", user]
    assert "ports" not in database


def test_the_health_check_sees_a_server_and_its_absence(world: World) -> None:
    (line,) = [rest for name, rest in stages()[-1] if name == "HEALTHCHECK"]
    command = json.loads(line.partition("CMD ")[2])
    command[0] = sys.executable

    def healthy(port: str) -> bool:
        environment = {**os.environ, "FOUREYES_PORT": port}
        return (
            subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False).returncode
            == 0
        )

    with serving(first_run(world)) as (_, said, _):
        port = said["listening"].rpartition(":")[2]
        assert healthy(port)
    assert not healthy(port)


def documented() -> list[list[str]]:
    """Each `foureyes app credentials` of the page, in its order."""
    lines = re.findall(r"^foureyes (app credentials[^#\n]*)", OPERATIONS, re.MULTILINE)
    return [shlex.split(line) for line in lines]


def test_each_credentials_command_of_the_page_does_what_it_is_said_to(world: World) -> None:
    app = world.sandbox.app
    for name, text in {
        "app.pem": app.private_key, "new.pem": app.private_key, "secret.txt": app.webhook_secret,
        "new.txt": "the-secret-that-comes-next",
    }.items():  # fmt: skip
        (world.folder / name).write_text(text)
    secrets = []
    for words in documented():
        arguments = [str(app.id) if word == "12345" else word for word in words]
        code, _, said = ended(world.folder, *arguments, env=first_run(world))
        assert code == 0, (words, said)
        secrets.append(credentials.read(world.folder / "data")["WEBHOOK_SECRET"].split(","))
    new = "the-secret-that-comes-next"
    assert secrets == [[app.webhook_secret], [app.webhook_secret, new], [new], [new]]


def test_the_page_shows_what_a_first_start_prints(world: World) -> None:
    shown = re.search(
        r"^foureyes has no GitHub App yet.*\n +open +\S+\n +token .*$", OPERATIONS, re.MULTILINE
    )
    assert shown
    process = subprocess.Popen(
        [sys.executable, "-m", "foureyes.hooks.cli", "serve"],
        env=first_run(world, FOUREYES_URL="https://foureyes.example.org"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(3)).rstrip("\n")
    finally:
        process.kill()
        process.communicate()
    assert re.sub(r"token   \S+", "token   ", said) == re.sub(r"token   \S+", "token   ", shown[0])
