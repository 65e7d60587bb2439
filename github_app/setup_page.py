"""The pages of a first run: token, App, to GitHub and back. Gone as soon as the server has an App.

Every step but the first wants the session's cookie. It is sent along when GitHub sends the person back (SameSite=Lax)
and not with a form on another site; the `Origin` of each form is looked at all the same.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import HTTPException

from foureyes.github_app import app_manifest
from foureyes.github_app.client import GitHubError
from foureyes.github_app.credentials import Credentials
from foureyes.github_app.pages import render
from foureyes.github_app.settings import Settings, public_address_problem
from foureyes.github_app.setup import LIFETIME, Setup
from foureyes.github_app.setup_answer import Made, read_answer
from foureyes.shared.errors import UserError

_log = logging.getLogger(__name__)

COOKIE = "foureyes_setup"
_LARGEST_BODY = 16 * 1024
_ORGANIZATION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.-]{0,33})")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class FirstRun:
    """What the pages need. `convert` trades GitHub's code for its answer (raises GitHubError); `begin` stores what was
    in it and lets the server begin (raises UserError).
    """

    setup: Setup
    settings: Settings
    convert: Callable[[str], Any]
    begin: Callable[[Credentials], None]

    @property
    def github(self) -> str:
        return self.settings.github_url

    @property
    def github_host(self) -> str:
        return urlsplit(self.github).netloc


@dataclass(frozen=True)
class _Chosen:
    """The form as it was filled in."""

    owner: str = "organization"
    organization: str = ""
    name: str = "foureyes"
    address: str = ""

    def problem(self, with_sandbox: bool) -> UserError | None:
        if self.owner == "organization" and not _ORGANIZATION.fullmatch(self.organization):
            return UserError(
                "Which organisation?", next_step="Its name is what stands in its address on GitHub."
            )
        if not _NAME.fullmatch(self.name):
            return UserError(
                "GitHub does not take this name.",
                next_step="Up to 34 letters, digits, spaces, dots and hyphens, beginning with a letter or a digit.",
            )
        if wrong := public_address_problem(self.address, with_sandbox):
            return UserError(
                f"The address {wrong}.",
                next_step="Put a proxy with a certificate in front of this server and give the proxy's address.",
            )
        return None


def create_setup(run: FirstRun) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY

    @app.get("/")
    def front() -> Any:
        return redirect("/setup", 303)

    @app.get("/setup")
    def start() -> Response:
        if run.setup.knows(_session()):
            return _choose(run, _Chosen(address=_likely_address(run.settings)))
        return render("setup_token", is_open=run.setup.is_open)

    @app.post("/setup")
    def enter() -> Any:
        return _entered(run)

    @app.post("/setup/app")
    def choose() -> Response:
        return _chosen(run)

    @app.get("/setup/done")
    def done() -> Response:
        return _returned(run)

    @app.get("/healthz")
    def health() -> Response:
        return _text("alive, and not set up yet\n")

    @app.get("/readyz")
    @app.get("/metrics")
    @app.post("/webhook")
    def not_yet() -> Response:
        return _text("not set up yet\n", 503)

    @app.errorhandler(HTTPException)
    def odd(error: HTTPException) -> Response:
        return _text(f"{error.name}\n", error.code or 500)

    return app


def _entered(run: FirstRun) -> Any:
    if _is_foreign(run.settings):
        return _foreign()
    session = run.setup.enter(request.form.get("token", "").strip())
    if not session:
        _log.warning("set-up: a wrong token was entered")
        problem = UserError("This is not the token.", next_step="Copy it again from the server's console.")
        return render("setup_token", status=403, is_open=run.setup.is_open, problem=problem)
    _log.info("set-up: the token was entered")
    answer = redirect("/setup", 303)
    answer.set_cookie(
        COOKIE, session, max_age=int(LIFETIME), path="/setup", httponly=True, samesite="Lax",
        secure=run.settings.url.startswith("https:"),
    )  # fmt: skip
    return answer


def _chosen(run: FirstRun) -> Response:
    if _is_foreign(run.settings):
        return _foreign()
    if not run.setup.knows(_session()):
        return _no_session()
    form = {name: request.form.get(name, "").strip() for name in ("owner", "organization", "name", "address")}
    chosen = _Chosen(**{**form, "address": run.settings.url or form["address"].rstrip("/")})
    if problem := chosen.problem(bool(run.settings.sandbox_token)):
        return _choose(run, chosen, problem)
    is_persons = chosen.owner == "person"
    whose = "" if is_persons else f"/organizations/{chosen.organization}"
    state = urlencode({"state": run.setup.new_state(_session())})
    return render(
        "setup_send",
        sends_to=(run.github,),
        github_host=run.github_host,
        manifest=app_manifest.manifest(chosen.name, chosen.address, f"{_way_back(run.settings)}/setup/done"),
        owner_name="your own account" if is_persons else chosen.organization,
        target=f"{run.github}{whose}/settings/apps/new?{state}",
    )


def _choose(run: FirstRun, chosen: _Chosen, problem: UserError | None = None) -> Response:
    return render(
        "setup_choose",
        status=422 if problem else 200,
        problem=problem,
        github_host=run.github_host,
        owner=chosen.owner,
        organization=chosen.organization,
        name=chosen.name,
        address=chosen.address,
        is_address_fixed=bool(run.settings.url),
        reads=app_manifest.permissions("read"),
        writes=app_manifest.permissions("write"),
    )


def _returned(run: FirstRun) -> Response:
    """GitHub sent the person back. The state is spent before anything else is done with what came."""
    if not run.setup.knows(_session()):
        return _no_session()
    code = request.args.get("code", "")
    if not run.setup.redeem(_session(), request.args.get("state", "")) or not _CODE.fullmatch(code):
        _log.warning("set-up: somebody came back from GitHub with a state or code that is not ours")
        return _again(
            "This is not the way you left by",
            "The link back from GitHub belongs to another try, was used before, or is older than an hour.",
            "Go through the form again. If GitHub has made an App already, delete it there or choose another name.",
        )
    try:
        made = read_answer(run.convert(code), run.settings)
    except GitHubError as error:
        _log.error("set-up: the code could not be traded for the App: %s", error.why)
        return _again(
            "GitHub did not hand over the App",
            f"{error.why}.",
            "If it lists the new App under its settings, delete it there. Then go through the form again.",
            502,
        )
    return _begun(run, made)


def _begun(run: FirstRun, made: Made) -> Response:
    try:
        run.begin(made.credentials)
    except UserError as error:
        _log.error("set-up: %s", error)
        return render(
            "setup_problem",
            status=500,
            what="The App is made, and this server cannot begin",
            why=error.what,
            next_step="Make a new private key and a new webhook secret on the App's page, and hand both over with"
            f" `foureyes app credentials`. {error.next_step}",
            link=made.settings_url,
            link_text=f"The App's page on {run.github_host}",
        )
    run.setup.close()
    _log.info("set-up: done, as App %d", made.credentials.app_id)
    answer = render(
        "setup_done",
        name=made.name,
        github_host=run.github_host,
        install_url=made.install_url,
        roster='["@YOU", "@SOMEONE-ELSE", ...]' if made.is_persons else f'["@{made.owner}/TEAM"]',
        folder=str(run.settings.data.absolute()),
    )
    answer.delete_cookie(COOKIE, path="/setup")
    return answer


def _session() -> str:
    return request.cookies.get(COOKIE, "")


def _is_foreign(settings: Settings) -> bool:
    """Whether a form came from another site. Programs that are no browsers send no `Origin`."""
    origin = request.headers.get("Origin")
    if origin is None or (settings.url and origin == settings.url):
        return False
    return origin.partition("://")[2] != request.host


def _way_back(settings: Settings) -> str:
    """Where this browser reaches this server, which may be another address than the one that GitHub uses."""
    return request.headers.get("Origin") or settings.url or f"http://{request.host}"


def _likely_address(settings: Settings) -> str:
    if settings.url:
        return settings.url
    local = settings.sandbox_token or request.host.startswith(("127.", "localhost", "[::1]"))
    return (
        (f"http://{request.host}" if settings.sandbox_token else "") if local else f"https://{request.host}"
    )


def _foreign() -> Response:
    return _again(
        "This form was not sent from here",
        "The address in the browser and the one that reached this server differ.",
        "Behind a proxy set FOUREYES_URL to the address that the browser shows, and start the server again.",
    )


def _no_session() -> Response:
    return _again(
        "This browser has not entered the token",
        "An hour has passed, or it was entered in another browser or under another address.",
        "Use the browser and the address of before, or start the server again for a new token.",
    )


def _again(what: str, why: str, next_step: str, status: int = 403) -> Response:
    return render(
        "setup_problem",
        status=status,
        what=what,
        why=why,
        next_step=next_step,
        link="/setup",
        link_text="To the beginning",
    )


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
