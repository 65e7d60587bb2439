"""DSSE envelopes, protocol v1: https://github.com/secure-systems-lab/dsse

Differs from that specification in two ways, both stricter or harmless: an envelope may have no signature yet (a push
from a machine without a key), and text that decodes ambiguously is refused.
"""

import base64
import binascii
from dataclasses import dataclass

from foureyes.shared.canonical import Json, canonical_bytes
from foureyes.shared.strict_json import JsonError, read

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_SIGNATURES = 16


class EnvelopeError(ValueError):
    """Completes "the envelope was not read: ..." for a person."""


@dataclass(frozen=True)
class Signature:
    keyid: str
    """A hint, not covered by the signature: it never decides anything."""
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    def to_json(self) -> bytes:
        signatures: list[Json] = [{"keyid": s.keyid, "sig": _encode(s.sig)} for s in self.signatures]
        return canonical_bytes(
            {"payload": _encode(self.payload), "payloadType": self.payload_type, "signatures": signatures}
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed (pre-authentication encoding)."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse(data: bytes) -> Envelope:
    """Raises EnvelopeError. Fields that the specification does not name are ignored, as it demands."""
    try:
        value = read(data)
    except JsonError as error:
        raise EnvelopeError(str(error)) from None
    if not isinstance(value, dict):
        raise EnvelopeError("not an object")
    signatures = value.get("signatures")
    if not isinstance(signatures, list):
        raise EnvelopeError("signatures is not a list")
    if len(signatures) > MAX_SIGNATURES:
        raise EnvelopeError(f"more than {MAX_SIGNATURES} signatures")
    return Envelope(
        payload_type=_text(value, "payloadType"),
        payload=_bytes(value, "payload"),
        signatures=tuple(_signature(item) for item in signatures),
    )


def _signature(value: Json) -> Signature:
    if not isinstance(value, dict):
        raise EnvelopeError("a signature is not an object")
    return Signature(_text(value, "keyid") if "keyid" in value else "", _bytes(value, "sig"))


def _text(value: dict[str, Json], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise EnvelopeError(f"{name} is missing or not text")
    return text


def _bytes(value: dict[str, Json], name: str) -> bytes:
    """Standard or URL-safe base64, as the specification allows, but only the one spelling that encoding gives."""
    text = _text(value, name)
    standard = text.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError):
        raise EnvelopeError(f"{name} is not base64") from None
    if text not in (_encode(data), base64.urlsafe_b64encode(data).decode("ascii")):
        raise EnvelopeError(f"{name} is not plain base64")
    return data


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
