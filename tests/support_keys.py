"""SSH keys for tests, made by the real ssh-keygen in the sealed home."""

import os
from pathlib import Path

from support_git import run


def home() -> Path:
    return Path(os.environ["HOME"])


def make_key(path: Path, *, kind: str = "ed25519", bits: int | None = None, passphrase: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size = ["-b", str(bits)] if bits else []
    run(["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-C", "test", "-f", path], path.parent)
    return path
