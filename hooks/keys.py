"""Which of the developer's own SSH keys signs: what git signs with, else the SSH agent's, else the usual files."""

import base64
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.repo import Repo
from foureyes.shared.ssh_wire import MAX_RSA_BITS, MIN_RSA_BITS, Reader, WireError

_KINDS = {
    "ssh-ed25519": "ED25519",
    "sk-ssh-ed25519@openssh.com": "ED25519-SK",
    "ecdsa-sha2-nistp256": "ECDSA",
    "ecdsa-sha2-nistp384": "ECDSA",
    "ecdsa-sha2-nistp521": "ECDSA",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA-SK",
    "ssh-rsa": "RSA",
}
_FILES = ("id_ed25519_sk", "id_ed25519", "id_ecdsa_sk", "id_ecdsa", "id_rsa")
_LISTED = re.compile(r"^(\d+) (SHA256:\S+) .*\(([A-Z0-9-]+)\)$")
_DEFAULT = "a default key"
_SECONDS = 5.0


@dataclass(frozen=True)
class SigningKey:
    """`kind` is SSH's name of the key type; `fingerprint` is `SHA256:...`; `how` says where it was found.

    `path` is the file that ssh-keygen is given; None where the key was given as text and only the SSH agent holds it,
    in `public` then.
    """

    kind: str
    fingerprint: str
    how: str
    path: Path | None
    public: str
    bits: int = 0
    """Of an RSA key."""

    @property
    def is_accepted(self) -> bool:
        """By whoever checks the signature."""
        return self.kind != "ssh-rsa" or MIN_RSA_BITS <= self.bits <= MAX_RSA_BITS

    @property
    def needs_touch(self) -> bool:
        return self.kind.startswith("sk-")

    @property
    def shown(self) -> str:
        """For people: the file or, without one, the fingerprint."""
        if self.path is None:
            return self.fingerprint
        home = str(_expanded("~"))
        return (
            f"~{str(self.path)[len(home) :]}" if str(self.path).startswith(home + os.sep) else str(self.path)
        )


def find(repo: Repo) -> SigningKey | None:
    """The key that will sign, or None. Starts at most two short processes; never asks anyone anything."""
    return next((key for key in _candidates(repo) if key is not None and key.is_accepted), None)


def passed_over(repo: Repo) -> tuple[SigningKey, ...]:
    """Keys that would come before that one, and that nobody accepts."""
    weak: dict[str, SigningKey] = {}
    for key in _candidates(repo):
        if key is not None:
            if key.is_accepted:
                break
            weak.setdefault(key.fingerprint, key)
    return tuple(weak.values())


def why_not(key: SigningKey) -> str:
    """Completes "the key is passed over: ..."."""
    return f"an RSA key of {key.bits:,} bits is not accepted, {MIN_RSA_BITS:,} are the least"


def _candidates(repo: Repo) -> Iterator[SigningKey | None]:
    yield _configured(repo)
    yield from _in_agent()
    for name in _FILES:
        yield _in_file(_expanded("~/.ssh") / name, _DEFAULT)


def _configured(repo: Repo) -> SigningKey | None:
    value = repo.config("user.signingkey") or ""
    literal = value.removeprefix("key::")
    if literal.split(" ")[0] in _KINDS:
        return _from_line(literal, "user.signingkey", None)
    if not value or (repo.config("gpg.format") != "ssh" and not value.endswith(".pub") and "/" not in value):
        return None  # the id of an OpenPGP key
    path = _expanded(value)
    if not path.is_absolute():
        path = (repo.work_tree or repo.git_dir) / path
    return _in_file(path, "user.signingkey")


def _expanded(path: str) -> Path:
    """As it is where nobody has such a home: a user that this machine does not know, in a container."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 -- Path's own raises


def _in_agent() -> Iterator[SigningKey | None]:
    if os.environ.get("SSH_AUTH_SOCK"):
        for line in _ask("ssh-add", "-L").splitlines():
            yield _from_line(line, "ssh-agent", None)


def _in_file(path: Path, how: str) -> SigningKey | None:
    """A key pair by either of its files. Without a `.pub` beside it ssh-keygen tells what the private file holds."""
    private = path.with_suffix("") if path.suffix == ".pub" else path
    if path.name.endswith("-cert.pub"):  # nobody checks certificates; the key that it is for is beside it
        path = private = path.with_name(path.name.removesuffix("-cert.pub"))
    public = private.with_name(private.name + ".pub")
    try:
        if public.is_file():
            return _from_line(public.read_text("utf-8", "replace"), how, path if path.exists() else public)
        if not private.is_file():
            return None
    except OSError:
        return None
    found = _LISTED.match(_ask("ssh-keygen", "-l", "-f", str(private)).strip())
    kinds = [kind for kind, name in _KINDS.items() if found and name == found.group(3)]
    return (
        SigningKey(kinds[0], found.group(2), how, private, "", int(found.group(1)))
        if found and kinds
        else None
    )


def _from_line(line: str, how: str, path: Path | None) -> SigningKey | None:
    kind, _, rest = line.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except ValueError:
        return None
    if kind not in _KINDS or not blob:
        return None
    return SigningKey(kind, fingerprint(blob), how, path, line.strip(), _rsa_bits(kind, blob))


def _rsa_bits(kind: str, blob: bytes) -> int:
    """0 for another kind, or one that cannot be read."""
    if kind != "ssh-rsa":
        return 0
    key = Reader(blob)
    try:
        _, _, modulus = key.name(), key.positive(), key.positive()
    except WireError:
        return 0
    return modulus.bit_length()


def fingerprint(blob: bytes) -> str:
    """As OpenSSH shows it: `SHA256:` and base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def fingerprint_of(line: str) -> str:
    """Of a public key as text (`ssh-ed25519 AAAA...`). Raises ValueError if it is none."""
    words = line.split()
    return fingerprint(base64.b64decode(words[1] if len(words) > 1 else "", validate=True))


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,  # without a terminal nothing can be asked
            env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
