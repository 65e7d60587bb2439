"""SSH signatures (OpenSSH's PROTOCOL.sshsig), verified strictly: one right encoding, nothing left over.

https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig and PROTOCOL.u2f (security keys).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from foureyes.shared import ssh_keys
from foureyes.shared.people import Account
from foureyes.shared.ssh_wire import Reader, WireError, string

MAX_BYTES = 16_384
_MAGIC = b"SSHSIG"
_VERSION = 1
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_ARMOR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]{1,76}\n)+)-----END SSH SIGNATURE-----\n?"
)


class SshsigError(ValueError):
    """Completes "the signature does not count: ..." for a person."""


@dataclass(frozen=True)
class Signed:
    """What a valid signature proves: this key signed. Whose key it is, the published keys say."""

    key_blob: bytes
    key_kind: str
    fingerprint: str
    present: bool
    """A touch: a security key, with the user-presence flag under the signature."""


@dataclass(frozen=True)
class PublicKey:
    kind: str
    blob: bytes
    fingerprint: str
    """`SHA256:...`, as ssh-keygen prints it."""


@dataclass(frozen=True)
class PublishedKey:
    """A key that GitHub publishes for an account, be it for signing or for authentication."""

    account: Account
    blob: bytes
    kind: str
    fingerprint: str
    published_at: str | None
    """RFC 3339; None where GitHub does not say."""


def verify(sig_blob: bytes, message: bytes, namespace: str) -> Signed:
    """`sig_blob` as ssh-keygen writes it (armored), or the bytes inside. Raises SshsigError unless it is a valid
    signature of exactly this message in exactly this namespace, by a kind of key that is known to be sound.
    """
    try:
        return _verify(_without_armor(sig_blob), message, namespace)
    except (WireError, ssh_keys.KeyRefused) as error:
        raise SshsigError(str(error)) from None


def parse_public_key(line: str) -> PublicKey:
    """`KIND BASE64 [COMMENT]`, as in a .pub file or GitHub's answer. Any kind is read; `verify` refuses by kind.

    Raises SshsigError.
    """
    parts = line.strip().split(None, 2)
    if len(parts) < 2:
        raise SshsigError("not a public key line")
    blob = _base64(parts[1].encode("utf-8", "surrogatepass"))
    try:
        kind = Reader(blob).name()
    except WireError as error:
        raise SshsigError(str(error)) from None
    if kind != parts[0]:
        raise SshsigError("the key is of another kind than its line says")
    return PublicKey(kind, blob, fingerprint(blob))


def fingerprint(key_blob: bytes) -> str:
    digest = base64.b64encode(hashlib.sha256(key_blob).digest()).decode("ascii")
    return "SHA256:" + digest.rstrip("=")


def _verify(blob: bytes, message: bytes, namespace: str) -> Signed:
    reader = Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise WireError("it is not an SSH signature")
    version = reader.uint32()
    if version != _VERSION:
        raise WireError(f"it has version {version}, known is {_VERSION}")
    key_blob = reader.string()
    signed_for = reader.string()
    if not namespace or signed_for != namespace.encode("utf-8"):
        raise WireError(
            f"it was made for another purpose ({ascii(signed_for.decode('utf-8', 'replace'))[:60]})"
        )
    if reader.string():
        raise WireError("its reserved field is not empty")
    hash_name = reader.name()
    if hash_name not in _HASHES:
        raise WireError(f"its hash is {hash_name}, accepted are sha256 and sha512")
    signature = reader.string()
    reader.end()
    digest = _HASHES[hash_name](message).digest()
    data = _MAGIC + b"".join(map(string, (signed_for, b"", hash_name.encode("ascii"), digest)))
    kind, present = ssh_keys.check(key_blob, signature, data)
    return Signed(key_blob, kind, fingerprint(key_blob), present)


def _without_armor(blob: bytes) -> bytes:
    if len(blob) > MAX_BYTES:
        raise SshsigError("it is too long")
    if blob.startswith(_MAGIC):
        return blob
    armor = _ARMOR.fullmatch(blob)
    if armor is None:
        raise SshsigError("it is not an SSH signature")
    return _base64(armor[1].replace(b"\n", b""))


def _base64(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SshsigError("it is not base64") from None
    if base64.b64encode(data) != text:
        raise SshsigError("it is not plain base64")
    return data
