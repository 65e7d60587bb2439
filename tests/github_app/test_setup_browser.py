"""Set-up in a real browser: its own rules on cookies, origins and policies, and what the pages look like to it."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support_chromium import Chromium, chromium, needs_chromium
from support_sandbox import World, running_sandbox
from support_setup import first_run, serving

pytestmark = needs_chromium

LIGHT, DARK = (0xF6, 0xF5, 0xF1), (0x14, 0x17, 0x1A)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_sandbox(tmp_path) as world:
        yield world


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "profile") as tab:
        yield tab


def by_name(address: str) -> str:
    """`localhost` and 127.0.0.1 are two sites, as a server and GitHub are; two ports are not."""
    return f"http://localhost:{urlsplit(address).port}"


def test_the_whole_way_with_github_as_another_site(world: World, browser: Chromium) -> None:
    with serving(first_run(world)) as (_, said, _):
        browser.open(f"{by_name(said['listening'])}/setup")
        browser.submit({"token": said["token"]}, then="Who owns it?")
        filled = {"organization": "acme", "name": "acme foureyes", "address": said["listening"]}
        browser.submit(filled, then="You have an hour.")
        browser.submit({}, then="acme foureyes is at work")
        assert browser.script("location.hostname") == "localhost"
        assert browser.script("document.cookie") == ""
        browser.open(f"{by_name(said['listening'])}/")
        assert "holds AI-written" in browser.script("document.body.innerText")
    assert [text for text in browser.complaints if "favicon" not in text and "404" not in text] == []


def test_pages_are_light_or_dark_as_the_person_likes(world: World, browser: Chromium) -> None:
    """And with that: the policy lets the page's own style through."""
    with serving(first_run(world)) as (_, said, _):
        browser.open(said["setup"])
        browser.dark(False)
        assert browser.corner() == LIGHT
        browser.dark(True)
        assert browser.corner() == DARK


def test_nothing_is_wider_than_a_telephone(world: World, browser: Chromium) -> None:
    with serving(first_run(world)) as (_, said, _):
        browser.ask(
            "Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=True
        )
        browser.open(said["setup"])
        browser.submit({"token": said["token"]}, then="Who owns it?")
        assert browser.script("document.documentElement.scrollWidth") == 320
        filled = {"organization": "a" * 39, "name": "acme foureyes", "address": said["listening"]}
        browser.submit(filled, then="You have an hour.")
        assert browser.script("document.documentElement.scrollWidth") == 320


@contextmanager
def evil_page(html: str) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_site_can_neither_send_the_form_nor_frame_the_page(world: World, browser: Chromium) -> None:
    with serving(first_run(world)) as (_, said, _):
        ours = by_name(said["listening"])
        form = f'<form method="post" action="{ours}/setup"><input name="token" value="{said["token"]}"><button></form>'
        with evil_page(form) as evil:
            browser.open(evil)
            browser.submit({}, then="This form was not sent from here")
        with evil_page(f'<iframe src="{ours}/setup"></iframe>') as evil:
            browser.open(evil)
            assert browser.complains_of("frame-ancestors"), browser.complaints
        browser.open(f"{ours}/setup")
        browser.submit({"token": said["token"]}, then="Who owns it?")


def test_a_page_that_breaks_its_policy_would_be_seen(browser: Chromium) -> None:
    """The control: the complaints that the other tests find absent do arrive here."""
    html = (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
        "<style>body { background: red }</style><p>hello"
    )
    with evil_page(html) as page:
        browser.open(page)
        browser.wait_for("document.body.innerText.includes('hello')")
        assert browser.corner() != (255, 0, 0)
    assert browser.complains_of("Content Security Policy")
