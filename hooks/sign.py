"""One signature over the list of a push, made by ssh-keygen with the developer's own key.

It never hangs and never asks without a terminal. On a terminal it asks after a line that says who asks, and Ctrl-C
there stops ssh-keygen alone: the push goes on, unsigned.
"""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.keys import SigningKey, fingerprint
from foureyes.shared.manifest import NAMESPACE

_SECONDS_ALONE = 20.0
_SECONDS_ASKED = 120.0
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


@dataclass(frozen=True)
class Signed:
    """`sig` is the raw SSHSIG blob, `keyid` the fingerprint of the key that really signed."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class NotSigned:
    """`why` completes "the records are not signed: ..."."""

    why: str


def sign(key: SigningKey, message: bytes, *, namespace: str = NAMESPACE) -> Signed | NotSigned:
    """Sign `message`. Asks a person (passphrase, touch) only if there is one: a terminal in the foreground."""
    with tempfile.TemporaryDirectory(prefix="foureyes-sign-") as folder:
        (Path(folder) / "message").write_bytes(message)
        command = _command(key, Path(folder), namespace)
        if not key.needs_touch:
            signed = _alone(command)
            if signed is None and key.path is not None:
                signed = _alone(command, agent=False)  # it does not answer: the key may be in its file
            if signed:
                return _signature(Path(folder))
            if signed is None:
                return NotSigned(f"{key.shown} did not sign within {_SECONDS_ALONE:.0f} seconds")
            if not shutil.which(command[0]):
                return NotSigned("there is no ssh-keygen")
            if key.path is None:
                return NotSigned(f"the SSH agent does not sign with {key.shown}")
        with _terminal() as terminal:
            if terminal is None:
                wanted = "a touch" if key.needs_touch else "its passphrase"
                return NotSigned(f"{key.shown} needs {wanted}, and there is no terminal to ask on")
            sys.stderr.write(
                f"foureyes: signing the records of this push with {key.shown}. Ctrl-C pushes without a signature.\n"
            )
            sys.stderr.flush()
            if not _asked(command, terminal):
                return NotSigned(f"{key.shown} did not sign")
        return _signature(Path(folder))


def signs_unasked(key: SigningKey) -> bool:
    """Whether the key signs without a person, which a hook needs where there is no terminal. Never asks."""
    with tempfile.TemporaryDirectory(prefix="foureyes-sign-") as folder:
        (Path(folder) / "message").write_bytes(b"foureyes doctor")
        return not key.needs_touch and bool(_alone(_command(key, Path(folder), "foureyes.doctor")))


def _command(key: SigningKey, folder: Path, namespace: str) -> list[str]:
    file = key.path
    if file is None:
        file = folder / "key.pub"
        file.write_text(key.public + "\n")
    return [
        "ssh-keygen",
        "-Y",
        "sign",
        "-f",
        str(file),
        "-n",
        namespace,
        "-O",
        "hashalg=sha512",
        str(folder / "message"),
    ]


def _alone(command: list[str], *, agent: bool = True) -> bool | None:
    """Without a terminal: in a session of its own, where nothing can be asked. None: no answer in time."""
    left_out = ("DISPLAY", "SSH_ASKPASS", *(() if agent else ("SSH_AUTH_SOCK",)))
    quiet = {name: value for name, value in os.environ.items() if name not in left_out}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS_ALONE,
            check=False,
            start_new_session=True,
            env={**quiet, "SSH_ASKPASS_REQUIRE": "never"},
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError:
        return False
    return done.returncode == 0


@contextlib.contextmanager
def _terminal() -> Iterator[int | None]:
    """The controlling terminal, if it shows our words and we are in its foreground; otherwise None."""
    try:
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        ours = sys.stderr.isatty() and os.tcgetpgrp(descriptor) == os.getpgrp()
        yield descriptor if ours else None
    finally:
        os.close(descriptor)


def _asked(command: list[str], terminal: int) -> bool:
    """With the terminal's foreground lent to ssh-keygen, so that Ctrl-C reaches it and not `git push`."""
    ours = os.getpgrp()

    def take_foreground() -> None:
        # In the child and before ssh-keygen starts: it must not be stopped for reading the terminal too early.
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpgrp())
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        child = subprocess.Popen(
            command, stdin=terminal, stdout=subprocess.DEVNULL, preexec_fn=take_foreground
        )
        try:
            return child.wait(_SECONDS_ASKED) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(child)
            os.tcsetpgrp(terminal, ours)
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        if child.poll() is None:
            child.kill()
            child.wait()


def _signature(folder: Path) -> Signed | NotSigned:
    try:
        lines = (folder / "message.sig").read_text("ascii").split("\n")
        start, end = lines.index(_BEGIN), lines.index(_END)
        blob = base64.b64decode("".join(lines[start + 1 : end]), validate=True)
        size = int.from_bytes(blob[10:14], "big")  # after "SSHSIG" and the version: the public key
    except (OSError, ValueError):
        return NotSigned("ssh-keygen left no signature")
    return Signed(fingerprint(blob[14 : 14 + size]), blob)
