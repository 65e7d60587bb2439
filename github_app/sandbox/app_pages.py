"""The two places on GitHub's web where a person makes and installs an App, as if the person clicked at once.

GitHub shows a page with a button in between; here the form itself is the click. The person is the owner of the
organisation, who is always signed in.
"""

import json
import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Request, Response

from foureyes.github_app.sandbox import contract, control, seed, webhooks
from foureyes.github_app.sandbox.state import App, Json, Organization, User, World

_NEW = re.compile(r"/(?:organizations/(?P<organization>[^/]+)/)?settings/apps/new")
_INSTALL = re.compile(r"/apps/(?P<slug>[^/]+)/installations/new")
_KEYS = {
    "name", "url", "hook_attributes", "redirect_url", "callback_urls", "setup_url", "description", "public",
    "default_events", "default_permissions", "request_oauth_on_install", "setup_on_update",
}  # fmt: skip
_CODE_LIVES = timedelta(hours=1)


def is_page(request: Request) -> bool:
    return bool(_NEW.fullmatch(request.path) or _INSTALL.fullmatch(request.path))


def respond(world: World, request: Request) -> Response:
    with world.lock:
        if found := _NEW.fullmatch(request.path):
            return _new(world, request, found["organization"])
        match = _INSTALL.fullmatch(request.path)
        return _install(world, request, match["slug"] if match else "")


def _new(world: World, request: Request, organization: str | None) -> Response:
    """`manifest` in the form, `state` in the address: makes the App, and sends the person back with a code."""
    owner = world.organization(organization) if organization else world.user(seed.OWNER)
    if owner is None:
        return _told("There is no such organization.", 404)
    if request.method != "POST":
        return _told("Register a new GitHub App: send a manifest here.", 200)
    try:
        manifest = json.loads(request.form.get("manifest", ""))
    except ValueError:
        manifest = None
    problems = _problems(world, manifest)
    if problems:
        return _told("Invalid manifest: " + "; ".join(problems), 422)
    code = secrets.token_hex(20)
    world.manifest_codes[code] = (_made(world, owner, manifest), world.time() + _CODE_LIVES)
    query = {"code": code} | ({"state": request.args["state"]} if "state" in request.args else {})
    return _sent_to(f"{manifest['redirect_url']}?{urlencode(query)}")


def _made(world: World, owner: Organization | User, manifest: Json) -> App:
    permissions = {"metadata": "read"} | manifest.get("default_permissions", {})
    events = tuple(manifest.get("default_events", ()))
    app = seed.add_app(world, owner, _slug(manifest["name"]), permissions, events)
    app.name = manifest["name"]
    hook = manifest.get("hook_attributes", {})
    if hook.get("active", True) and hook:
        app.webhook_url = hook["url"]
        webhooks.ping(world, app)
    return app


def _problems(world: World, manifest: Any) -> list[str]:
    if not isinstance(manifest, dict):
        return ["it is not a JSON object"]
    found = [f"{name} is not a key of a manifest" for name in sorted(set(manifest) - _KEYS)]
    found += [f"{name} is missing" for name in ("name", "url", "redirect_url") if not manifest.get(name)]
    addresses = {name: manifest.get(name) for name in ("url", "redirect_url", "setup_url")}
    if "hook_attributes" in manifest:
        addresses["hook_attributes.url"] = manifest["hook_attributes"].get("url", "")
    found += [
        f"{name} is not an address"
        for name, value in addresses.items()
        if value is not None and not _is_web(value)
    ]
    taken = {app.slug for app in world.apps.values()}
    if _slug(str(manifest.get("name", ""))) in taken:
        found.append("name is already taken")
    permissions = manifest.get("default_permissions", {})
    found += [
        f"no permission {n}: {v}"
        for n, v in permissions.items()
        if v not in contract.permissions().get(n, ())
    ]
    for event in manifest.get("default_events", ()):
        published = contract.events().get(event, {"receivers": [], "needs": {}})
        if "app" not in published["receivers"] or not set(published["needs"]) & set(permissions):
            found.append(f"event {event} is unknown or not covered by the permissions")
    return found


def _install(world: World, request: Request, slug: str) -> Response:
    """GET shows what POST does: installs the App on all repositories of `organization`, by default of acme."""
    app = next((a for a in world.apps.values() if a.slug == slug), None)
    organization = world.organization(request.form.get("organization", "acme"))
    if app is None or organization is None:
        return _told("There is no such App or organization.", 404)
    if request.method != "POST":
        return _told(f"Install {app.name}: POST here, organization=acme.", 200)
    if any(i.app is app and i.account is organization for i in world.installations.values()):
        return _told(f"{app.name} is installed on {organization.login}.", 200)
    installation = seed.install(world, app, organization)
    webhooks.installation(world, "created", installation, control.owner(world, organization))
    return _sent_to(
        f"{world.url}/organizations/{organization.login}/settings/installations/{installation.id}"
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _is_web(value: object) -> bool:
    parts = urlsplit(str(value))
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _sent_to(address: str) -> Response:
    return Response("", 302, {"Location": address})


def _told(text: str, status: int) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
