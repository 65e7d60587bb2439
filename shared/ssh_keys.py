"""Kinds of SSH keys and how each of them signs. What is not listed in `_KINDS` is refused by name."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from foureyes.shared.ssh_wire import MAX_RSA_BITS, MIN_RSA_BITS, Reader

_USER_PRESENT = 0x01
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-256": hashes.SHA256(),
    "rsa-sha2-512": hashes.SHA512(),
}
_CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}


class KeyRefused(ValueError):
    """Completes "the signature does not count: ..." for a person."""


class _Parts(NamedTuple):
    kind: str
    key: Reader
    """After the kind."""
    scheme: str
    signature: Reader
    """After the scheme."""
    data: bytes


def check(key_blob: bytes, signature: bytes, data: bytes) -> tuple[str, bool]:
    """The key's kind, and whether the signature proves a touch. Raises KeyRefused (unknown or weak kind, wrong
    signature) or ssh_wire.WireError (not encoded the one right way).
    """
    key = Reader(key_blob)
    kind = key.name()
    if kind not in _KINDS:
        raise KeyRefused(f"keys of kind {kind} are not accepted")
    signed = Reader(signature)
    try:
        present = _KINDS[kind](_Parts(kind, key, signed.name(), signed, data))
    except InvalidSignature:
        raise KeyRefused("it was not made by this key over this content") from None
    return kind, present


def _ed25519(parts: _Parts) -> bool:
    key = parts.key.string()
    parts.key.end()
    _same_scheme(parts)
    signature = parts.signature.string()
    parts.signature.end()
    _verify_ed25519(key, signature, parts.data)
    return False


def _sk_ed25519(parts: _Parts) -> bool:
    key = parts.key.string()
    application = _application(parts)
    _same_scheme(parts)
    signature = parts.signature.string()
    present, data = _asserted(parts, application)
    _verify_ed25519(key, signature, data)
    return present


def _ecdsa(parts: _Parts) -> bool:
    key, digest = _curve_point(parts)
    parts.key.end()
    _same_scheme(parts)
    signature = _dss(parts)
    parts.signature.end()
    key.verify(signature, parts.data, ec.ECDSA(digest))
    return False


def _sk_ecdsa(parts: _Parts) -> bool:
    key, digest = _curve_point(parts)
    application = _application(parts)
    _same_scheme(parts)
    signature = _dss(parts)
    present, data = _asserted(parts, application)
    key.verify(signature, data, ec.ECDSA(digest))
    return present


def _rsa(parts: _Parts) -> bool:
    exponent, modulus = parts.key.positive(), parts.key.positive()
    parts.key.end()
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise KeyRefused(f"an RSA key of {modulus.bit_length()} bits is not accepted")
    if parts.scheme not in _RSA_HASHES:
        raise KeyRefused(f"RSA signatures of scheme {parts.scheme} are not accepted")
    signature = parts.signature.string()
    parts.signature.end()
    try:
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise KeyRefused("its RSA key is not one") from None
    key.verify(signature, parts.data, padding.PKCS1v15(), _RSA_HASHES[parts.scheme])
    return False


def _verify_ed25519(key: bytes, signature: bytes, data: bytes) -> None:
    if len(key) != 32 or len(signature) != 64:
        raise KeyRefused("its Ed25519 key or signature has the wrong length")
    Ed25519PublicKey.from_public_bytes(key).verify(signature, data)


def _curve_point(parts: _Parts) -> tuple[ec.EllipticCurvePublicKey, hashes.HashAlgorithm]:
    name = parts.key.name()
    if parts.kind not in (f"ecdsa-sha2-{name}", f"sk-ecdsa-sha2-{name}@openssh.com"):
        raise KeyRefused("its curve is not the one that its kind names")
    curve, digest = _CURVES[name]
    point = parts.key.string()
    if point[:1] != b"\x04":
        raise KeyRefused("its curve point is not written in full")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point), digest
    except ValueError:
        raise KeyRefused("its point is not on the curve") from None


def _dss(parts: _Parts) -> bytes:
    """SSH's two numbers as the ASN.1 that the library takes."""
    inner = Reader(parts.signature.string())
    r, s = inner.positive(), inner.positive()
    inner.end()
    return encode_dss_signature(r, s)


def _same_scheme(parts: _Parts) -> None:
    if parts.scheme != parts.kind:
        raise KeyRefused(f"a signature of scheme {parts.scheme} does not fit a key of kind {parts.kind}")


def _application(parts: _Parts) -> bytes:
    """Only what ssh itself asked for: a web site's credential is no SSH key."""
    application = parts.key.string()
    parts.key.end()
    if not application.startswith(b"ssh:"):
        raise KeyRefused("its security key was made for something other than ssh")
    return application


def _asserted(parts: _Parts, application: bytes) -> tuple[bool, bytes]:
    """Whether there was a touch, and what the security key really signed: both hashes around flags and counter."""
    flags = parts.signature.take(1)
    counter = parts.signature.take(4)
    parts.signature.end()
    data = hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(parts.data).digest()
    return bool(flags[0] & _USER_PRESENT), data


_KINDS: dict[str, Callable[[_Parts], bool]] = {
    "ssh-ed25519": _ed25519,
    "sk-ssh-ed25519@openssh.com": _sk_ed25519,
    "ssh-rsa": _rsa,
    "ecdsa-sha2-nistp256": _ecdsa,
    "ecdsa-sha2-nistp384": _ecdsa,
    "ecdsa-sha2-nistp521": _ecdsa,
    "sk-ecdsa-sha2-nistp256@openssh.com": _sk_ecdsa,
}
