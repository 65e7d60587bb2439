"""A webhook request: whose it is, and what it says. Nothing is parsed before the signature is right."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foureyes.github_app.inbox import Delivery

LARGEST_BODY = 25 * 1024 * 1024
"""Bytes. GitHub sends no more."""

_GUID = re.compile(r"[A-Za-z0-9-]{1,64}")
_EVENT = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True)
class Refusal:
    """Not accepted, not stored. `status` is the HTTP status, `why` goes back to the sender."""

    status: int
    why: str


def receive(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> Delivery | Refusal:
    """`body` is raw, as it came."""
    headers = {name.lower(): value for name, value in headers.items()}
    if len(body) > LARGEST_BODY:
        return Refusal(413, "larger than GitHub's webhooks can be")
    if not is_signed(body, headers.get("x-hub-signature-256", ""), secrets):
        return Refusal(401, "no valid X-Hub-Signature-256: is the webhook secret the same on both sides?")
    guid, event = headers.get("x-github-delivery", ""), headers.get("x-github-event", "")
    if not _GUID.fullmatch(guid) or not _EVENT.fullmatch(event):
        return Refusal(400, "X-GitHub-Delivery or X-GitHub-Event is missing or odd")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        return Refusal(
            400, "the body is not a JSON object: choose application/json as the webhook's content type"
        )
    return Delivery(guid, event, body, payload)


def is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether `sha256=...` is the HMAC of the body under one of the secrets. All are tried, in constant time."""
    given = signature.encode("latin-1", "replace")
    right = False
    for secret in secrets:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        right |= hmac.compare_digest(expected.encode(), given)
    return right
