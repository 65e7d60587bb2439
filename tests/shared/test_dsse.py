"""Envelopes: the bytes that are signed, and one way only to write and read them."""

import json

import pytest

from foureyes.shared.dsse import PAYLOAD_TYPE, Envelope, EnvelopeError, Signature, pae, parse


def test_the_specifications_own_example():
    """protocol.md of secure-systems-lab/dsse, "Test Vectors"."""
    signed = pae("http://example.com/HelloWorld", b"hello world")
    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_of_bytes_so_that_no_two_envelopes_are_signed_alike():
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()
    assert pae("a 1", b"b") != pae("a", b"1 b")


@pytest.mark.parametrize(
    "signatures",
    [
        (),
        (Signature("SHA256:x", b"\0\xff"),),
        (Signature("", b"1"), Signature("", b"2")),
        (Signature("", b"1"),) * 16,
    ],
)
def test_round_trip(signatures):
    envelope = Envelope(PAYLOAD_TYPE, b"{\xff}", signatures)
    assert parse(envelope.to_json()) == envelope


def test_url_safe_base64_and_foreign_fields_are_read():
    text = '{"payload":"-_8=","payloadType":"x","signatures":[{"sig":"-_8=","cert":"y"}],"more":1}'
    assert parse(text.encode()) == Envelope("x", b"\xfb\xff", (Signature("", b"\xfb\xff"),))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"payload": "e30"}, "not base64"),
        ({"payload": "e31="}, "not plain base64"),
        ({"payload": "e30=\n"}, "control characters"),
        ({"payload": "-/8="}, "not plain base64"),
        ({"payload": "é"}, "not base64"),
        ({"payload": 1}, "payload is missing or not text"),
        ({"payloadType": None}, "payloadType is missing or not text"),
        ({"signatures": {}}, "signatures is not a list"),
        ({"signatures": ["x"]}, "a signature is not an object"),
        ({"signatures": [{"keyid": "x"}]}, "sig is missing"),
        ({"signatures": [{"keyid": None, "sig": ""}]}, "keyid is missing or not text"),
        ({"signatures": [{"sig": ""}] * 17}, "more than 16"),
    ],
)
def test_anything_else_is_refused(change, why):
    value = {"payload": "e30=", "payloadType": PAYLOAD_TYPE, "signatures": []}
    assert parse(json.dumps(value).encode()).payload == b"{}"
    with pytest.raises(EnvelopeError, match=why):
        parse(json.dumps({**value, **change}).encode())


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"nope", b"\xff", b'{"payload":"","payload":""}', b"[" * 100_000]
)
def test_what_is_no_envelope_is_refused(data):
    with pytest.raises(EnvelopeError):
        parse(data)
