"""SSH signatures against the real ssh-keygen: what it makes is accepted, what is off by anything is not (G44)."""

import base64
import hashlib
import re

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from support_git import run
from support_ssh import SecurityKey, field, make_key, ssh_accepts, sshsig, to_be_signed

from foureyes.shared.manifest import NAMESPACE
from foureyes.shared.sshsig import SshsigError, fingerprint, parse_public_key, verify

MESSAGE = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


def raw(armored: bytes) -> bytes:
    return base64.b64decode(b"".join(armored.splitlines()[1:-1]))


def armor(blob: bytes) -> bytes:
    text = base64.b64encode(blob).decode()
    lines = "".join(f"{line}\n" for line in re.findall(".{1,70}", text))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n".encode()


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def good(key):
    return key.sign(MESSAGE, NAMESPACE)


def refused(blob: bytes, why: str, message: bytes = MESSAGE, namespace: str = NAMESPACE) -> None:
    with pytest.raises(SshsigError, match=why):
        verify(blob, message, namespace)


@pytest.mark.parametrize(
    ("kind", "bits", "name"),
    [
        ("ed25519", None, "ssh-ed25519"),
        ("rsa", 2048, "ssh-rsa"),
        ("ecdsa", 256, "ecdsa-sha2-nistp256"),
        ("ecdsa", 384, "ecdsa-sha2-nistp384"),
        ("ecdsa", 521, "ecdsa-sha2-nistp521"),
    ],
)
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_accepted(tmp_path, kind, bits, name, hash_name):
    key = make_key(tmp_path, kind, bits)
    armored = key.sign(MESSAGE, NAMESPACE, hash_name)
    for blob in (armored, armored.rstrip(b"\n"), raw(armored)):
        signed = verify(blob, MESSAGE, NAMESPACE)
        assert (signed.key_kind, signed.present) == (name, False)
        assert signed.key_blob == base64.b64decode(key.public_line.split()[1])
        printed = run(["ssh-keygen", "-l", "-f", key.path], tmp_path).stdout.decode()
        assert printed.split()[1] == signed.fingerprint
    refused(armored, "not made by this key", message=MESSAGE + b"!")


def test_every_single_byte_matters(good):
    """Each byte class of the signature: magic, version, key, namespace, reserved, hash, scheme, signature."""
    blob = raw(good)
    for at in range(len(blob)):
        for bit in (0x01, 0x80):
            broken = blob[:at] + bytes([blob[at] ^ bit]) + blob[at + 1 :]
            with pytest.raises(SshsigError):
                verify(broken, MESSAGE, NAMESPACE)


def test_every_cut_is_refused(good):
    blob = raw(good)
    for length in range(len(blob)):
        with pytest.raises(SshsigError):
            verify(blob[:length], MESSAGE, NAMESPACE)


def test_g44_another_namespace(key):
    refused(key.sign(MESSAGE, "git"), "another purpose .'git'.")
    refused(key.sign(MESSAGE, "file"), "another purpose")
    refused(key.sign(MESSAGE, NAMESPACE), "another purpose", namespace="foureyes.push.v2")
    refused(key.sign(MESSAGE, NAMESPACE), "another purpose", namespace="")


def test_g44_a_commit_signature_replayed(key, tmp_path):
    """What signs a commit cannot sign a push, not even with the right bytes."""
    signed = key.sign(MESSAGE, "git")
    assert verify(signed, MESSAGE, "git").key_kind == "ssh-ed25519"
    refused(signed, "another purpose")


@pytest.mark.parametrize("hash_name", ["md5", "sha1", "sha384"])
def test_g44_a_weak_hash(hash_name):
    private = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    public = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    signature = field(b"ssh-ed25519") + field(private.sign(to_be_signed(MESSAGE, NAMESPACE, hash_name)))
    refused(sshsig(public, NAMESPACE, signature, hash_name), f"its hash is {hash_name}")
    signature = field(b"ssh-ed25519") + field(private.sign(to_be_signed(MESSAGE, NAMESPACE)))
    assert verify(sshsig(public, NAMESPACE, signature), MESSAGE, NAMESPACE).key_blob == public


def test_g44_trailing_bytes_anywhere():
    """After the whole, after the key's fields, after the signature's."""
    private = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    public = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    inner = field(b"ssh-ed25519") + field(private.sign(to_be_signed(MESSAGE, NAMESPACE)))
    refused(sshsig(public, NAMESPACE, inner) + b"\0", "trailing bytes")
    refused(sshsig(public + b"\0", NAMESPACE, inner), "trailing bytes")
    refused(sshsig(public, NAMESPACE, inner + b"\0"), "trailing bytes")


def test_reserved_must_be_empty_and_the_version_known():
    private = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    public = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    inner = field(b"ssh-ed25519") + field(private.sign(to_be_signed(MESSAGE, NAMESPACE)))
    whole = sshsig(public, NAMESPACE, inner)
    namespace = field(NAMESPACE.encode())
    refused(whole.replace(namespace + field(b""), namespace + field(b"x")), "reserved")
    refused(whole.replace(b"SSHSIG\0\0\0\1", b"SSHSIG\0\0\0\2"), "version 2")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: b" " + a,
        lambda a: b"\n" + a,
        lambda a: a + b"\n",
        lambda a: a + a,
        lambda a: a.replace(b"\n", b"\r\n"),
        lambda a: a.replace(b"BEGIN SSH", b"BEGIN PGP"),
        lambda a: a.replace(b"-----\nU1NI", b"-----\nComment: x\nU1NI"),
        lambda a: a.replace(b"U1NI", b"U1NI="),
        lambda a: b"",
        lambda a: b"SSHSIG",
        lambda a: armor(b"SSHSIC" + raw(a)[6:]),
        lambda a: a.replace(b"\n-----END", b"A\n-----END"),
        lambda a: armor(raw(a) + b"\0").replace(b"A=\n", b"B=\n").replace(b"AA==\n", b"AB==\n"),
        lambda a: a + b"\n" * 20_000,
    ],
)
def test_armor_is_exact(good, spoil):
    assert spoil(good) != good
    with pytest.raises(SshsigError):
        verify(spoil(good), MESSAGE, NAMESPACE)


def test_no_namespace_is_none_of_ours():
    private = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    public = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    inner = field(b"ssh-ed25519") + field(private.sign(to_be_signed(MESSAGE, "")))
    refused(sshsig(public, "", inner), "another purpose", namespace="")


def _mpint(number: int) -> bytes:
    return field(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def test_numbers_and_points_are_written_the_one_right_way():
    private = ec.derive_private_key(4711, ec.SECP256R1())
    point = private.public_key().public_numbers()
    full = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    short = bytes([2 + point.y % 2]) + point.x.to_bytes(32, "big")
    kind = b"ecdsa-sha2-nistp256"
    r, s = decode_dss_signature(private.sign(to_be_signed(MESSAGE, NAMESPACE), ec.ECDSA(hashes.SHA256())))

    def signature(first: bytes, q: bytes = full, curve: bytes = b"nistp256", last: bytes = b"") -> bytes:
        public = field(kind) + field(curve) + field(q)
        return sshsig(public, NAMESPACE, field(kind) + field(first + _mpint(s) + last))

    assert verify(signature(_mpint(r)), MESSAGE, NAMESPACE).key_kind == kind.decode()
    refused(signature(field(b"\0" + _mpint(r)[4:])), "one right way")
    refused(signature(field(b"\xff" + r.to_bytes(32, "big"))), "one right way")
    refused(signature(field(b"")), "one right way")
    refused(signature(field(b"\0")), "one right way")
    refused(signature(_mpint(r), last=b"\0"), "trailing bytes")
    refused(signature(_mpint(r), q=short), "not written in full")
    refused(signature(_mpint(r), q=full[:-1] + bytes([full[-1] ^ 1])), "not on the curve")
    refused(signature(_mpint(r), curve=b"nistp384"), "not the one that its kind names")


def test_kinds_that_are_not_accepted_are_refused_by_name():
    for kind in (b"ssh-dss", b"ssh-rsa-cert-v01@openssh.com", b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"):
        refused(sshsig(field(kind), NAMESPACE, field(kind)), f"kind {kind.decode()} ")
    refused(sshsig(field(b"x\n"), NAMESPACE, field(b"x")), "not a name")


def _rsa_signature(bits: int, scheme: bytes, digest: hashes.HashAlgorithm) -> bytes:
    private = rsa.generate_private_key(65537, bits)
    numbers = private.public_key().public_numbers()
    parts = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (numbers.e, numbers.n)]
    public = b"".join(map(field, [b"ssh-rsa", *parts]))
    signature = private.sign(to_be_signed(MESSAGE, NAMESPACE), padding.PKCS1v15(), digest)
    return sshsig(public, NAMESPACE, field(scheme) + field(signature))


def test_rsa_must_be_long_and_not_sha1():
    assert (
        verify(_rsa_signature(2048, b"rsa-sha2-256", hashes.SHA256()), MESSAGE, NAMESPACE).key_kind
        == "ssh-rsa"
    )
    refused(_rsa_signature(1024, b"rsa-sha2-512", hashes.SHA512()), "1024 bits")
    refused(_rsa_signature(2048, b"ssh-rsa", hashes.SHA512()), "scheme ssh-rsa")
    refused(_rsa_signature(2048, b"rsa-sha2-512", hashes.SHA256()), "not made by this key")


def test_a_security_key_and_its_touch(tmp_path):
    """Made by hand, and believed by OpenSSH itself."""
    key = SecurityKey(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    line = f"sk-ssh-ed25519@openssh.com {base64.b64encode(key.public).decode()}"
    for flags, present in ((0x01, True), (0x05, True), (0x00, False), (0x04, False)):
        blob = key.sign(MESSAGE, NAMESPACE, flags)
        signed = verify(blob, MESSAGE, NAMESPACE)
        assert (signed.present, signed.key_kind) == (present, "sk-ssh-ed25519@openssh.com")
        assert ssh_accepts(tmp_path, line, armor(blob), MESSAGE, NAMESPACE)


def test_a_security_key_of_the_other_kind(tmp_path):
    """`sk-ecdsa`, likewise made by hand and believed by OpenSSH itself."""
    private = ec.derive_private_key(4711, ec.SECP256R1())
    point = private.public_key().public_numbers()
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
    q = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    public = b"".join(map(field, (kind, b"nistp256", q, b"ssh:")))
    line = f"{kind.decode()} {base64.b64encode(public).decode()}"
    for flags, present in ((1, True), (0, False)):
        tail = bytes([flags]) + b"\0\0\0\7"
        inside = hashlib.sha256(to_be_signed(MESSAGE, NAMESPACE)).digest()
        data = hashlib.sha256(b"ssh:").digest() + tail + inside
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
        blob = sshsig(public, NAMESPACE, field(kind) + field(_mpint(r) + _mpint(s)) + tail)
        assert verify(blob, MESSAGE, NAMESPACE).present is present
        assert ssh_accepts(tmp_path, line, armor(blob), MESSAGE, NAMESPACE)
        refused(blob[:-5] + bytes([flags ^ 1]) + blob[-4:], "not made by this key")


def test_lengths_and_numbers_that_make_no_key():
    kind = b"ssh-ed25519"
    for key, signature in ((b"k" * 31, b"s" * 64), (b"k" * 32, b"s" * 63), (b"", b"")):
        refused(sshsig(field(kind) + field(key), NAMESPACE, field(kind) + field(signature)), "wrong length")
    even = (2 << 2046).to_bytes(257, "big")
    public = field(b"ssh-rsa") + field(b"\3") + field(even)
    with pytest.raises(SshsigError):
        verify(sshsig(public, NAMESPACE, field(b"rsa-sha2-512") + field(b"s" * 256)), MESSAGE, NAMESPACE)
    public = field(b"ssh-rsa") + field(b"\2") + field(even)
    refused(sshsig(public, NAMESPACE, field(b"rsa-sha2-512") + field(b"s" * 256)), "not one")


def test_the_touch_is_under_the_signature():
    key = SecurityKey(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    blob = key.sign(MESSAGE, NAMESPACE, flags=0)
    assert blob[-5:] == b"\0\0\0\0\7"
    refused(blob[:-5] + b"\1\0\0\0\7", "not made by this key")
    refused(blob[:-1] + b"\6", "not made by this key")
    refused(blob + b"\0", "trailing bytes")


def test_a_web_sites_credential_is_no_ssh_key():
    key = SecurityKey(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32), application=b"github.com")
    refused(key.sign(MESSAGE, NAMESPACE), "something other than ssh")


def test_a_plain_key_cannot_claim_a_touch(key):
    """An ed25519 signature dressed as one of a security key."""
    private = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
    public = field(b"ssh-ed25519") + field(private.public_key().public_bytes_raw())
    signature = field(private.sign(to_be_signed(MESSAGE, NAMESPACE)))
    refused(sshsig(public, NAMESPACE, field(b"sk-ssh-ed25519@openssh.com") + signature), "does not fit")


def test_our_answer_is_that_of_ssh_keygen(key, good, tmp_path):
    """Both refuse the same tampered signatures; neither is a copy of the other."""
    blob = raw(good)
    cases = [blob, blob[:-1] + bytes([blob[-1] ^ 1]), blob + b"\0", raw(key.sign(MESSAGE, "git"))]
    for case in cases:
        try:
            ours = bool(verify(case, MESSAGE, NAMESPACE))
        except SshsigError:
            ours = False
        assert ours == ssh_accepts(tmp_path, key.public_line, armor(case), MESSAGE, NAMESPACE)


def test_public_key_lines(key):
    parsed = parse_public_key(key.public_line)
    assert parsed.kind == "ssh-ed25519"
    assert parsed.fingerprint == fingerprint(parsed.blob)
    assert parse_public_key(" ".join(key.public_line.split()[:2])) == parsed
    kind, blob, _ = key.public_line.split()
    for line in (
        "",
        kind,
        f"ssh-rsa {blob}",
        f"{kind} {blob[:-2]}",
        f"{kind} !{blob}",
        f"{kind} AAAA",
        f"{kind} é",
    ):
        with pytest.raises(SshsigError):
            parse_public_key(line)


def test_a_key_has_one_spelling():
    blob = base64.b64encode(field(b"abc"))
    assert blob.endswith(b"w==")
    assert parse_public_key(f"abc {blob.decode()}").kind == "abc"
    with pytest.raises(SshsigError, match="not plain base64"):
        parse_public_key(f"abc {blob.replace(b'w==', b'x==').decode()}")


def test_what_is_too_long_is_not_read():
    refused(b"SSHSIG".ljust(16_385, b"\0"), "too long")
    refused(b"SSHSIG".ljust(16_384, b"\0"), "version 0")
