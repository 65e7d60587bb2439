"""Keys and signatures for tests: made by the real ssh-keygen, or by hand for security keys that are not here."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support_git import run


@dataclass(frozen=True)
class KeyFile:
    """A private key without passphrase, made by ssh-keygen."""

    path: Path

    @property
    def public_line(self) -> str:
        return self.path.with_suffix(".pub").read_text()

    def sign(self, message: bytes, namespace: str, hash_name: str = "sha512") -> bytes:
        """An armored signature by `ssh-keygen -Y sign`."""
        arguments = [
            "ssh-keygen",
            "-Y",
            "sign",
            "-q",
            "-f",
            self.path,
            "-n",
            namespace,
            "-O",
            f"hashalg={hash_name}",
        ]
        return run(arguments, self.path.parent, stdin=message).stdout


def make_key(folder: Path, kind: str = "ed25519", bits: int | None = None, name: str = "key") -> KeyFile:
    path = folder / name
    size = ["-b", str(bits)] if bits else []
    run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "test", "-f", path], folder)
    return KeyFile(path)


def ssh_accepts(folder: Path, public_line: str, signature: bytes, message: bytes, namespace: str) -> bool:
    """What `ssh-keygen -Y verify` says. `signature` is armored."""
    (folder / "allowed").write_text(f"who@example.com {public_line.strip()}\n")
    (folder / "signature").write_bytes(signature)
    arguments = [
        "-f",
        folder / "allowed",
        "-I",
        "who@example.com",
        "-n",
        namespace,
        "-s",
        folder / "signature",
    ]
    return run(["ssh-keygen", "-Y", "verify", *arguments], folder, stdin=message, ok=False).returncode == 0


def field(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def sshsig(public: bytes, namespace: str, signature: bytes, hash_name: str = "sha512") -> bytes:
    """The outer layout of PROTOCOL.sshsig."""
    head = b"SSHSIG" + (1).to_bytes(4, "big") + field(public) + field(namespace.encode()) + field(b"")
    return head + field(hash_name.encode()) + field(signature)


def to_be_signed(message: bytes, namespace: str, hash_name: str = "sha512") -> bytes:
    digest = hashlib.new(hash_name, message).digest()
    return b"SSHSIG" + field(namespace.encode()) + field(b"") + field(hash_name.encode()) + field(digest)


@dataclass(frozen=True)
class SecurityKey:
    """What a FIDO key does for ssh, in software (PROTOCOL.u2f)."""

    private: Ed25519PrivateKey
    application: bytes = b"ssh:"

    @property
    def public(self) -> bytes:
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return field(b"sk-ssh-ed25519@openssh.com") + field(raw) + field(self.application)

    def sign(self, message: bytes, namespace: str, flags: int = 1, counter: int = 7) -> bytes:
        """A raw signature with these flags (1: touched)."""
        tail = bytes([flags]) + counter.to_bytes(4, "big")
        signed = to_be_signed(message, namespace)
        data = hashlib.sha256(self.application).digest() + tail + hashlib.sha256(signed).digest()
        inner = field(b"sk-ssh-ed25519@openssh.com") + field(self.private.sign(data)) + tail
        return sshsig(self.public, namespace, inner)
