"""Operations of Apps: who they are, where they are installed, their tokens and their deliveries."""

import json
import secrets

from foureyes.github_app.sandbox import shapes
from foureyes.github_app.sandbox.answers import Refusal
from foureyes.github_app.sandbox.quota import look
from foureyes.github_app.sandbox.rest import Answer, Ask, Page, handles, page_size
from foureyes.github_app.sandbox.state import Delivery, Installation, Json
from foureyes.github_app.sandbox.tokens import installation_token


@handles("apps/get-authenticated")
def get_app(ask: Ask) -> Json:
    count = sum(i.app is ask.app for i in ask.world.installations.values())
    return shapes.integration(ask.world, ask.app) | {"installations_count": count}


@handles("apps/create-from-manifest")
def convert_manifest(ask: Ask) -> Answer:
    """The code is the only proof that is asked for, works once and for an hour."""
    app, until = ask.world.manifest_codes.pop(ask.parameter("code"), (None, ask.world.time()))
    if app is None or until <= ask.world.time():
        raise Refusal.not_found()
    given = {
        "client_secret": secrets.token_hex(20),
        "webhook_secret": app.webhook_secret,
        "pem": app.private_key,
    }
    return Answer(shapes.integration(ask.world, app) | given, 201)


@handles("apps/get-by-slug")
def get_app_by_slug(ask: Ask) -> Json:
    found = next(
        (app for app in ask.world.apps.values() if app.slug == ask.parameter("app_slug").lower()), None
    )
    if found is None:
        raise Refusal.not_found()
    return shapes.integration(ask.world, found)


@handles("apps/list-installations")
def list_installations(ask: Ask) -> Page:
    found = [i for i in ask.world.installations.values() if i.app is ask.app]
    return Page(found, lambda i: shapes.installation(ask.world, i))


def _installation(ask: Ask) -> Installation:
    found = ask.world.installations.get(ask.number("installation_id"))
    if found is None or found.app is not ask.app:
        raise Refusal.not_found()
    return found


@handles("apps/get-installation")
def get_installation(ask: Ask) -> Json:
    return shapes.installation(ask.world, _installation(ask))


@handles("apps/get-repo-installation")
def get_repository_installation(ask: Ask) -> Json:
    app = ask.app
    repository = ask.world.repository(ask.parameter("owner"), ask.parameter("repo"))
    for found in ask.world.installations_on(repository) if repository else []:
        if found.app is app:
            return shapes.installation(ask.world, found)
    raise Refusal.not_found()


@handles("apps/get-org-installation")
def get_organization_installation(ask: Ask) -> Json:
    for found in ask.world.installations.values():
        if found.app is ask.app and found.account.login.lower() == ask.parameter("org").lower():
            return shapes.installation(ask.world, found)
    raise Refusal.not_found()


@handles("apps/create-installation-access-token")
def create_token(ask: Ask) -> Answer:
    """An hour of rights, narrowed to what the body names."""
    installation = _installation(ask)
    if installation.suspended_at:
        raise Refusal(403, "This installation has been suspended")
    ids, names = ask.body.get("repository_ids"), ask.body.get("repositories")
    covered = [r for r in ask.world.repositories.values() if installation.covers(r)]
    chosen = None
    if ids is not None or names is not None:
        chosen = [r for r in covered if r.id in (ids or []) or r.name in (names or [])]
        if len(chosen) != len(ids or []) + len(names or []):
            raise Refusal(422, "There is at least one repository that does not exist or is not accessible.")
    token, credential = installation_token(ask.world, installation, ask.body.get("permissions"), chosen)
    answer: Json = {
        "token": token,
        "expires_at": credential.expires_at,
        "permissions": credential.permissions,
        "repository_selection": "all" if chosen is None and installation.repositories is None else "selected",
    }
    if chosen is not None:
        answer["repositories"] = [shapes.repository(ask.world, r) for r in chosen]
    return Answer(answer, 201)


@handles("apps/list-repos-accessible-to-installation")
def list_repositories(ask: Ask) -> Page:
    credential, installation = ask.caller.credential, ask.installation
    narrowed = credential.repositories if credential else None
    covered = [r for r in ask.world.repositories.values() if installation.covers(r)]
    seen = [r for r in covered if narrowed is None or r.id in narrowed]
    return Page(seen, lambda r: shapes.repository(ask.world, r), "repositories")


def _delivery_item(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": delivery.delivered_at,
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation.id if delivery.installation else None,
        "repository_id": delivery.repository.id if delivery.repository else None,
        "throttled_at": None,
    }


@handles("apps/list-webhook-deliveries")
def list_deliveries(ask: Ask) -> Answer:
    """Newest first, by cursor. `status=failure` keeps what was not answered with success."""
    app = ask.app
    attempted = [d for d in ask.world.courier.log if d.app is app and d.delivered_at]
    wanted = ask.query.get("status")
    if wanted:
        attempted = [d for d in attempted if (200 <= d.status_code < 400) == (wanted == "success")]
    attempted.sort(key=lambda d: d.id, reverse=True)
    if cursor := ask.query.get("cursor", ""):
        if not cursor.isdecimal():
            raise Refusal(400, "Invalid cursor")
        attempted = [d for d in attempted if d.id < int(cursor)]
    size = page_size(ask.query)
    headers = {}
    if len(attempted) > size:
        url = shapes.api(ask.world, "/app/hook/deliveries")
        more = f"&status={wanted}" if wanted else ""
        last = attempted[size - 1].id
        headers["Link"] = f'<{url}?per_page={size}&cursor={last}{more}>; rel="next"'
    return Answer([_delivery_item(d) for d in attempted[:size]], headers=headers)


def _delivery(ask: Ask) -> Delivery:
    number = ask.number("delivery_id")
    found = next((d for d in ask.world.courier.log if d.id == number and d.app is ask.app), None)
    if found is None:
        raise Refusal.not_found()
    return found


@handles("apps/get-webhook-delivery")
def get_delivery(ask: Ask) -> Json:
    delivery = _delivery(ask)
    return _delivery_item(delivery) | {
        "url": delivery.app.webhook_url,
        "request": {"headers": delivery.headers, "payload": json.loads(delivery.body)},
        "response": {"headers": {}, "payload": delivery.response},
    }


@handles("apps/redeliver-webhook-delivery")
def redeliver(ask: Ask) -> Answer:
    ask.world.courier.redeliver(_delivery(ask))
    return Answer({}, 202)


@handles("rate-limit/get")
def rate_limit(ask: Ask) -> Json:
    names = ("core", "search", "graphql")
    resources = {name: look(ask.world, ask.caller.bucket, name) for name in names}
    return {"resources": resources, "rate": resources["core"]}


@handles("meta/get")
def meta(_: Ask) -> Json:
    return {"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"], "git": ["127.0.0.1/32"]}
