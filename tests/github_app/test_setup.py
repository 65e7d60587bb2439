"""A first run: who may set a server up, and the whole way through GitHub and back, without a browser's scripts."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_browser import Browser
from support_sandbox import World, ask, running_sandbox
from support_setup import first_run, serving

from foureyes.github_app.setup import LIFETIME, Setup

PATIENCE = 60


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_token_opens_one_session_once() -> None:
    setup = Setup()
    token = setup.token
    assert len(token) >= 32
    for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), "\udcff", "é"):
        assert setup.enter(wrong) == ""
    session = setup.enter(token)
    assert setup.knows(session)
    assert session != token
    assert setup.enter(token) == ""
    assert setup.enter("") == ""
    assert not setup.is_open


def test_nothing_is_known_before_the_token_or_after_the_end() -> None:
    setup = Setup()
    assert not setup.knows("")
    assert not setup.redeem("", "")
    assert setup.new_state("") == ""
    session = setup.enter(setup.token)
    state = setup.new_state(session)
    setup.close()
    assert not setup.knows(session)
    assert not setup.redeem(session, state)
    assert setup.enter("") == ""


def test_a_state_holds_once_and_for_its_own_session() -> None:
    setup = Setup()
    session = setup.enter(setup.token)
    state = setup.new_state(session)
    assert not setup.redeem("another", state)
    assert not setup.redeem(session, "another")
    assert not setup.redeem(session, "")
    assert setup.redeem(session, state)
    assert not setup.redeem(session, state)
    assert not setup.redeem(session, "")


def test_a_newer_state_ends_the_one_before() -> None:
    setup = Setup()
    session = setup.enter(setup.token)
    older, newer = setup.new_state(session), setup.new_state(session)
    assert older != newer
    assert not setup.redeem(session, older)
    assert setup.redeem(session, newer)


@pytest.mark.parametrize("what", ["token", "session", "state"])
def test_all_of_it_ends_after_an_hour(what: str) -> None:
    clock = Clock()
    setup = Setup(clock)
    if what == "token":
        clock.now += LIFETIME - 1
        assert setup.is_open
        clock.now += 1
        assert not setup.is_open
        assert setup.enter(setup.token) == ""
        return
    session = setup.enter(setup.token)
    state = setup.new_state(session)
    clock.now += LIFETIME
    assert not setup.knows(session)
    assert not setup.redeem(session, state)


def test_of_many_who_enter_or_redeem_at_once_one_succeeds() -> None:
    setup = Setup()
    token = setup.token
    together = threading.Barrier(8)
    sessions: list[str] = []

    def enter() -> None:
        together.wait()
        sessions.append(setup.enter(token))

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([session for session in sessions if session]) == 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


def set_up(said: dict[str, str], **filled: str) -> Browser:
    """As far as the form that leads to GitHub."""
    browser = Browser()
    assert browser.open(said["setup"]).status == 200
    browser.submit(token=said["token"])
    assert "Who owns it?" in browser.page.text
    browser.submit(**{"organization": "acme", "name": "acme foureyes", **filled})
    return browser


def test_from_nothing_to_a_working_app_in_three_forms(world: World) -> None:
    environment = first_run(world)
    data = Path(environment["FOUREYES_DATA"])
    with serving(environment) as (process, said, logs):
        address = said["listening"]
        assert ask(address, "GET", "/healthz").status == 200
        assert ask(address, "GET", "/readyz").status == 503
        assert ask(address, "POST", "/webhook", {}).status == 503

        browser = set_up(said, address=address)
        assert f"{address}/webhook" in browser.page.text
        done = browser.submit()

        assert done.status == 200, done.text
        assert "acme foureyes is at work" in done.text
        app = next(a for a in world.sandbox.world.apps.values() if a.name == "acme foureyes")
        assert (app.owner.login, app.webhook_url) == ("acme", f"{address}/webhook")
        assert f"{world.url}/apps/acme-foureyes/installations/new" in done.links

        # It works at once, as that App: what GitHub signs is heard, and set-up is over.
        world.control("POST", "ping", {"slug": "acme-foureyes"})
        assert world.sandbox.wait_delivered()
        assert [d.status_code for d in world.sandbox.world.courier.log if d.app is app][-1] == 202
        assert ask(address, "GET", "/readyz").status == 200
        assert ask(address, "GET", "/setup").status == 404
        assert ask(address, "POST", "/setup", {}).status == 404
        assert ask(address, "GET", f"/setup/done?code=x&state={said['token']}").status == 404
        assert not browser.cookies[address.removeprefix("http://")]["foureyes_setup"].value

        pages = done.html + logs.read_text()
        for secret in (app.private_key.splitlines()[5], app.webhook_secret, said["token"]):
            assert secret not in pages
        process.terminate()
        assert process.wait(PATIENCE) == 0

    modes = {
        file.name: oct(file.stat().st_mode & 0o777)
        for file in data.iterdir()
        if file.suffix in (".env", ".pem")
    }
    assert len(modes) == 2
    assert set(modes.values()) == {"0o600"}
    assert oct(data.stat().st_mode & 0o777) == "0o700"

    # The next start finds what it needs by itself.
    with serving(environment) as (_, said, _):
        assert "token" not in said
        assert ask(said["listening"], "GET", "/setup").status == 404
        world.control("POST", "webhook", {"slug": "acme-foureyes", "url": f"{said['listening']}/webhook"})
        world.control("POST", "ping", {"slug": "acme-foureyes"})
        assert world.sandbox.wait_delivered()
        assert world.sandbox.world.courier.log[-1].status_code == 202


def test_a_person_can_own_it_and_a_proxy_can_stand_in_front(world: World) -> None:
    """Behind a proxy GitHub gets the outer address, and the browser comes back by the one that it used."""
    with serving(first_run(world, FOUREYES_URL="https://foureyes.acme.example")) as (_, said, _):
        assert said["setup"] == "https://foureyes.acme.example/setup"
        browser = Browser()
        browser.open(f"{said['listening']}/setup")
        browser.submit(token=said["token"])
        (form,) = browser.page.forms
        assert form.fields["address"] == "https://foureyes.acme.example"
        # What is set is not up to the form.
        browser.submit(owner="person", name="mine", address="https://evil.example")
        done = browser.submit()
        assert "mine is at work" in done.text
        app = next(a for a in world.sandbox.world.apps.values() if a.name == "mine")
        assert (app.owner.login, app.webhook_url) == ("noor", "https://foureyes.acme.example/webhook")


def test_an_answer_that_is_lost_leaves_nothing_half_done(world: World) -> None:
    environment = first_run(world)
    with serving(environment) as (_, said, logs):
        browser = set_up(said, address=said["listening"])
        world.control("POST", "faults", {"kind": "status", "match": "POST *conversions"})
        failed = browser.submit()
        assert failed.status == 502
        assert "GitHub did not hand over the App" in failed.text
        code = next(iter(world.sandbox.world.manifest_codes))
        assert code not in logs.read_text()
        assert code not in failed.html
        assert not (Path(environment["FOUREYES_DATA"]) / "app.env").exists()
        world.control("DELETE", "faults")
        browser.open(f"{said['listening']}/setup")
        browser.submit(organization="acme", name="second try", address=said["listening"])
        assert "second try is at work" in browser.submit().text


def test_what_is_wrong_with_the_settings_is_said_before_a_token_is_made(world: World) -> None:
    environment = first_run(world, FOUREYES_PORT="99999", FOUREYES_URL="http://foureyes.acme.example:x")
    done = subprocess.run(
        [sys.executable, "-m", "foureyes.hooks.cli", "serve"], env=environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "FOUREYES_PORT must be" in done.stderr
    assert "FOUREYES_URL must be" in done.stderr
    assert "APP_ID" not in done.stderr


def test_half_of_an_app_is_no_first_run(world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foureyes.hooks.cli", "serve"], env=first_run(world, FOUREYES_APP_ID="12"),
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "FOUREYES_WEBHOOK_SECRET is missing" in done.stderr
    assert "foureyes app credentials" in done.stderr


def test_in_words_it_says_where_to_go(world: World) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "foureyes.hooks.cli", "serve"], env=first_run(world), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
    finally:
        process.kill()
        process.communicate()
    assert "no GitHub App yet" in lines[0]
    assert lines[1].split()[0] == "open"
    assert lines[1].split()[1].endswith("/setup")
    assert lines[2].split()[0] == "token"
