"""The pages of set-up: who gets in, what is refused, what they load and where their forms may lead."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from support_browser import Page
from support_sandbox import app_key
from werkzeug.test import TestResponse

from foureyes.github_app import app_manifest
from foureyes.github_app.client import GitHubError
from foureyes.github_app.credentials import Credentials
from foureyes.github_app.settings import Settings
from foureyes.github_app.setup import LIFETIME, Setup
from foureyes.github_app.setup_answer import read_answer
from foureyes.github_app.setup_page import COOKIE, FirstRun, create_setup
from foureyes.shared.errors import UserError

GITHUB = "https://github.com"
PUBLIC = "https://foureyes.acme.example"
SECRET = "0123456789abcdef-secret"
FORM = {"owner": "organization", "organization": "acme", "name": "acme foureyes", "address": PUBLIC}


def answer(**over: Any) -> dict[str, Any]:
    return {
        "id": 77, "slug": "acme-foureyes", "name": "acme foureyes", "owner": {"login": "acme", "type": "Organization"},
        "html_url": f"{GITHUB}/apps/acme-foureyes", "pem": app_key(), "webhook_secret": SECRET, "client_id": "Iv1.x",
        "client_secret": "never-needed", **over,
    }  # fmt: skip


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Visit:
    """A first run with one visitor; `codes` are those that were traded, `begun` what the server began with."""

    def __init__(
        self,
        url: str = "",
        data: Path = Path("/data"),
        convert: Callable[[], Any] = answer,
        clock: Clock | None = None,
    ) -> None:
        self.codes: list[str] = []
        self.begun: list[Credentials] = []
        self.setup = Setup(clock or Clock())
        settings = Settings(0, "", (), data=data, url=url)

        def trade(code: str) -> Any:
            self.codes.append(code)
            return convert()

        app = create_setup(FirstRun(self.setup, settings, trade, self.begun.append))
        self.client: FlaskClient = app.test_client()

    def enter(self) -> None:
        assert self.client.post("/setup", data={"token": self.setup.token}).status_code == 303

    def choose(self, **over: str) -> TestResponse:
        return self.client.post("/setup/app", data={**FORM, **over})

    def state(self, **over: str) -> str:
        return found(r"\?state=([^\"]+)", self.choose(**over).text)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def page(response: TestResponse) -> Page:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Page("http://localhost/setup", response.status_code, headers, response.text)


@pytest.fixture
def visit() -> Visit:
    return Visit()


def test_the_way_through(visit: Visit) -> None:
    assert visit.client.get("/").location == "/setup"
    visit.enter()
    done = visit.client.get(f"/setup/done?code=abc&state={visit.state()}")
    assert done.status_code == 200
    assert visit.codes == ["abc"]
    assert visit.begun == [Credentials(77, GITHUB, app_key(), (SECRET,))]
    assert "https://github.com/apps/acme-foureyes/installations/new" in page(done).links
    for secret in (SECRET, "never-needed", app_key()[40:80]):
        assert secret not in done.text


def test_without_the_token_there_is_no_form_but_that_for_it(visit: Visit) -> None:
    (form,) = page(visit.client.get("/setup")).forms
    assert list(form.fields) == ["token"]
    for response in (visit.choose(), visit.client.get("/setup/done?code=abc&state=x")):
        assert response.status_code == 403
        assert "has not entered the token" in response.text
    visit.client.set_cookie(COOKIE, "guess", path="/setup")
    assert visit.choose().status_code == 403
    visit.client.set_cookie(COOKIE, "", path="/setup")
    assert visit.choose().status_code == 403
    assert visit.codes == []


def test_a_wrong_token_is_refused_and_the_right_one_still_works(visit: Visit) -> None:
    for wrong in ("", "wrong", visit.setup.token[:-1]):
        response = visit.client.post("/setup", data={"token": wrong})
        assert response.status_code == 403
        assert "not the token" in response.text
        assert "Set-Cookie" not in response.headers
    assert visit.client.post("/setup").status_code == 403
    visit.client.post("/setup", data={"token": f"  {visit.setup.token}\n"})
    assert visit.choose().status_code == 200


def test_the_cookie_is_for_this_page_and_no_script(visit: Visit) -> None:
    for url, secure in (("", False), (PUBLIC, True)):
        visit = Visit(url)
        response = visit.client.post("/setup", data={"token": visit.setup.token})
        parts = {part.strip() for part in response.headers["Set-Cookie"].split(";")[1:]}
        assert {"HttpOnly", "SameSite=Lax", "Path=/setup", f"Max-Age={int(LIFETIME)}"} <= parts
        assert ("Secure" in parts) is secure


def test_a_used_or_old_token_is_told_as_that() -> None:
    clock = Clock()
    visit = Visit(clock=clock)
    assert page(visit.client.get("/setup")).forms
    clock.now += LIFETIME
    late = visit.client.get("/setup")
    assert not page(late).forms
    assert "Start the server again" in late.text


@pytest.mark.parametrize(
    "query", ["code=abc&state=wrong", "code=abc", "state={}", "", "code=a/../b&state={}", "code=&state={}"]
)
def test_a_way_back_that_is_not_ours_is_refused_before_anything_is_asked(visit: Visit, query: str) -> None:
    visit.enter()
    response = visit.client.get("/setup/done?" + query.format(visit.state()))
    assert response.status_code == 403
    assert "not the way you left by" in response.text
    assert visit.codes == []
    assert visit.begun == []


def test_a_state_is_good_for_one_way_back(visit: Visit) -> None:
    def broken() -> Any:
        raise GitHubError("POST /app-manifests/.../conversions: 502", 502)

    visit = Visit(convert=broken)
    visit.enter()
    state = visit.state()
    assert visit.client.get(f"/setup/done?code=abc&state={state}").status_code == 502
    assert visit.client.get(f"/setup/done?code=abc&state={state}").status_code == 403
    assert visit.codes == ["abc"]


def test_another_browser_cannot_finish_what_one_began(visit: Visit) -> None:
    visit.enter()
    state = visit.state()
    visit.client.delete_cookie(COOKIE, path="/setup")
    assert visit.client.get(f"/setup/done?code=abc&state={state}").status_code == 403
    assert visit.codes == []


def test_once_it_is_done_nothing_is_known_any_more(visit: Visit) -> None:
    visit.enter()
    state = visit.state()
    cookie = visit.client.get_cookie(COOKIE, path="/setup")
    assert cookie
    assert visit.client.get(f"/setup/done?code=abc&state={state}").status_code == 200
    # Kept by the browser against our word, it still opens nothing.
    visit.client.set_cookie(COOKIE, cookie.value, path="/setup")
    assert visit.choose().status_code == 403
    assert visit.client.get(f"/setup/done?code=abc&state={state}").status_code == 403
    assert visit.client.post("/setup", data={"token": ""}).status_code == 403
    assert len(visit.begun) == 1


@pytest.mark.parametrize(
    ("url", "origin", "host", "fine"),
    [
        ("", "http://localhost", "localhost", True),
        ("", "https://foureyes.acme.example", "foureyes.acme.example", True),
        ("", "https://evil.example", "localhost", False),
        ("", "null", "localhost", False),
        ("", "http://localhost:81", "localhost", False),
        ("", "http://[", "localhost", False),
        ("", "http://evil.example@localhost", "localhost", False),
        (PUBLIC, PUBLIC, "backend:8080", True),
        ("", PUBLIC, "backend:8080", False),
    ],
)
def test_forms_come_from_here(url: str, origin: str, host: str, fine: bool) -> None:
    visit = Visit(url)
    sent = {"Origin": origin, "Host": host}
    entered = visit.client.post("/setup", data={"token": visit.setup.token}, headers=sent)
    assert (entered.status_code == 303) is fine
    if not fine:
        assert "FOUREYES_URL" in entered.text


def manifest_of(response: TestResponse) -> Any:
    (form,) = page(response).forms
    return json.loads(form.fields["manifest"])


def test_what_goes_to_github_is_app_yml_with_the_addresses_of_this_server(
    visit: Visit, checkout: Path
) -> None:
    visit.enter()
    sent = manifest_of(visit.choose())
    ours = yaml.safe_load((checkout / "app.yml").read_text())
    for name in ("default_permissions", "default_events", "public", "request_oauth_on_install"):
        assert sent.pop(name) == ours[name]
    assert sent == {
        "name": "acme foureyes",
        "description": " ".join(ours["description"].split()),
        "url": PUBLIC,
        "hook_attributes": {"url": f"{PUBLIC}/webhook", "active": True},
        "redirect_url": "http://localhost/setup/done",
    }


def test_the_browser_comes_back_by_the_address_that_it_used() -> None:
    visit = Visit(PUBLIC)
    visit.enter()
    for origin, back in ((PUBLIC, PUBLIC), ("http://localhost", "http://localhost")):
        response = visit.client.post("/setup/app", data=FORM, headers={"Origin": origin})
        assert manifest_of(response)["redirect_url"] == f"{back}/setup/done"


@pytest.mark.parametrize(
    ("over", "path"),
    [
        ({}, "/organizations/acme/settings/apps/new"),
        ({"owner": "person", "organization": ""}, "/settings/apps/new"),
    ],
)
def test_the_form_leads_to_the_owners_settings_and_the_policy_allows_that_alone(
    visit: Visit, over: dict[str, str], path: str
) -> None:
    visit.enter()
    sent = page(visit.choose(**over))
    (form,) = sent.forms
    assert form.action.startswith(f"{GITHUB}{path}?state=")
    assert sent.may_send_to(form.action)
    assert not sent.may_send_to("https://evil.example")
    assert not page(visit.client.get("/setup")).may_send_to(GITHUB)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"organization": ""}, "Which organisation?"),
        ({"organization": "acme/../evil"}, "Which organisation?"),
        ({"organization": "a" * 40}, "Which organisation?"),
        ({"organization": '"><script>alert(1)</script>'}, "Which organisation?"),
        ({"owner": "organization", "organization": "acme?state=x"}, "Which organisation?"),
        ({"name": ""}, "does not take this name"),
        ({"name": "x" * 35}, "does not take this name"),
        ({"address": ""}, "must be an address"),
        ({"address": "http://foureyes.acme.example"}, "is not https"),
        ({"address": "https://localhost:8080"}, "address of this machine"),
        ({"address": "https://user:pw@foureyes.acme.example"}, "address alone"),
        ({"address": "https://foureyes.acme.example/path"}, "address alone"),
        ({"address": "javascript:alert(1)"}, "must be an address"),
    ],
)
def test_what_github_would_refuse_is_said_here_and_nothing_typed_is_lost(
    visit: Visit, over: dict[str, str], said: str
) -> None:
    visit.enter()
    response = visit.choose(**over)
    again = page(response)
    assert response.status_code == 422
    assert said in again.text
    assert "<script" not in response.text
    (form,) = again.forms
    assert {name: form.fields[name] for name in FORM} == {**FORM, **over}


def test_an_owner_that_is_neither_counts_as_an_organisation(visit: Visit) -> None:
    visit.enter()
    (form,) = page(visit.choose(owner="robot")).forms
    assert form.action.startswith(f"{GITHUB}/organizations/acme/")


def test_a_server_that_cannot_begin_says_how_to_go_on(visit: Visit) -> None:
    def full(_given: Credentials) -> None:
        raise UserError("the disk is full", next_step="Make room.")

    settings = Settings(0, "", ())
    setup = Setup()
    client = create_setup(FirstRun(setup, settings, lambda _code: answer(), full)).test_client()
    client.post("/setup", data={"token": setup.token})
    state = found(r"\?state=([^\"]+)", client.post("/setup/app", data=FORM).text)
    response = client.get(f"/setup/done?code=abc&state={state}")
    assert response.status_code == 500
    assert "the disk is full" in response.text
    assert "foureyes app credentials" in response.text
    assert "https://github.com/organizations/acme/settings/apps/acme-foureyes" in page(response).links


@pytest.mark.parametrize(
    "wrong",
    [
        [], None, "text", {}, answer(owner=None), answer(owner=[]), answer(id=0), answer(id="77"), answer(slug="a/b"),
        answer(pem=None), answer(pem="x"), answer(webhook_secret=None), answer(webhook_secret="short"),
        answer(webhook_secret="two,secrets-in-one-value"), answer(webhook_secret="with\nline-end-in-it..."),
        answer(owner={"login": "../x", "type": "Organization"}), answer(id=True),
    ],
)  # fmt: skip
def test_half_an_answer_is_no_app(wrong: Any) -> None:
    with pytest.raises(GitHubError) as raised:
        read_answer(wrong, Settings(0, "", ()))
    assert raised.value.why.startswith(("its answer", "the key in its answer"))
    assert "BEGIN" not in raised.value.why


def test_only_githubs_own_pages_are_linked_to() -> None:
    settings = Settings(0, "", ())
    assert read_answer(answer(html_url="https://evil.example/apps/x"), settings).install_url == (
        "https://github.com/apps/acme-foureyes/installations/new"
    )
    server = Settings(0, "", (), github_url="https://git.acme.example")
    page = "https://git.acme.example/github-apps/acme-foureyes"
    assert read_answer(answer(html_url=page), server).install_url == f"{page}/installations/new"
    persons = read_answer(answer(owner={"login": "olga", "type": "User"}), settings)
    assert persons.settings_url == "https://github.com/settings/apps/acme-foureyes"


def every_page() -> list[TestResponse]:
    visit = Visit()
    pages = [visit.client.get("/setup"), visit.client.post("/setup", data={"token": "x"}), visit.choose()]
    visit.enter()
    pages += [visit.client.get("/setup"), visit.choose(name=""), visit.choose()]
    return [*pages, visit.client.get(f"/setup/done?code=abc&state={visit.state()}")]


def test_pages_load_nothing_run_nothing_and_are_kept_by_nobody() -> None:
    for response in every_page():
        shown = page(response)
        assert shown.loads == [], shown.text
        policy = response.headers["Content-Security-Policy"]
        nonce = found(r"style-src 'nonce-([A-Za-z0-9_-]{20,})'", policy)
        assert shown.html.count("<style") == shown.html.count(f'<style nonce="{nonce}">') == 1
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'; base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert 'lang="en"' in shown.html
        assert shown.html.count("<h1>") == 1
    nonces = {found(r"nonce-([^']+)'", r.headers["Content-Security-Policy"]) for r in every_page()}
    assert len(nonces) == len(every_page())


def test_what_is_not_a_page_of_set_up_waits_or_is_not_there(visit: Visit) -> None:
    assert visit.client.get("/healthz").status_code == 200
    assert visit.client.get("/readyz").status_code == 503
    assert visit.client.post("/webhook", data=b"{}").status_code == 503
    assert visit.client.get("/nowhere").status_code == 404
    assert visit.client.get("/setup/app").status_code == 405
    assert visit.client.post("/setup", data={"token": "x" * 20_000}).status_code == 413


def test_the_packaged_app_yml_is_the_one_at_the_top(checkout: Path) -> None:
    assert (checkout / "github_app" / "app.yml").read_bytes() == (checkout / "app.yml").read_bytes()


def test_what_an_app_lacks_is_judged_by_level() -> None:
    granted = dict.fromkeys(app_manifest.permissions("read"), "read") | {"checks": "write"}
    events = app_manifest.manifest("n", PUBLIC, PUBLIC)["default_events"]
    assert app_manifest.missing(granted, events) == ()
    assert app_manifest.missing(granted | {"contents": "write"}, events) == ()
    assert app_manifest.missing(granted | {"checks": "read"}, events) == ("checks: write",)
    assert app_manifest.missing({}, None)[0] == "metadata: read"
