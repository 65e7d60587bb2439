"""Which key signs, that the real ssh-keygen accepts what it signed, and that nothing ever hangs or asks unseen."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support_git import foureyes, git, make_repo, python_env, run
from support_keys import home, make_key

from foureyes.hooks import keys, sign
from foureyes.hooks.repo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.open(make_repo(tmp_path / "repo"))


def accepted_by_openssh(tmp_path: Path, public: Path, sig: bytes, message: bytes, namespace: str) -> bool:
    import base64

    body = base64.b64encode(sig).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    armored = tmp_path / "armored"
    armored.write_text(
        "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])
    )
    allowed = tmp_path / "allowed"
    allowed.write_text(f"me {public.read_text()}")
    command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "me", "-n", namespace, "-s", armored]
    return run(command, tmp_path, stdin=message, ok=False).returncode == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_openssh_accepts_the_signature_in_our_namespace_alone(repo: Repo, tmp_path: Path, kind: str):
    make_key(home() / ".ssh" / f"id_{kind}", kind=kind)
    key = keys.find(repo)
    assert key is not None
    signed = sign.sign(key, b"message")
    assert isinstance(signed, sign.Signed)
    public = home() / ".ssh" / f"id_{kind}.pub"
    assert accepted_by_openssh(tmp_path, public, signed.sig, b"message", "foureyes.push.v1")
    assert not accepted_by_openssh(tmp_path, public, signed.sig, b"message", "git")
    assert not accepted_by_openssh(tmp_path, public, signed.sig, b"other", "foureyes.push.v1")
    shown = run(["ssh-keygen", "-l", "-f", public], tmp_path).stdout.decode()
    assert signed.keyid == shown.split()[1] == key.fingerprint


def test_the_key_that_git_signs_with_comes_first(repo: Repo, tmp_path: Path):
    make_key(home() / ".ssh" / "id_ed25519")
    chosen = make_key(tmp_path / "my keys" / "work")
    assert (keys.find(repo).how, keys.find(repo).shown) == ("a default key", "~/.ssh/id_ed25519")
    for value in (str(chosen), f"{chosen}.pub"):
        git(repo.work_tree, "config", "user.signingkey", value)
        found = keys.find(repo)
        assert found.how == "user.signingkey"
        assert isinstance(sign.sign(found, b"m"), sign.Signed)
    (tmp_path / "my keys" / "work.pub").unlink()
    git(repo.work_tree, "config", "user.signingkey", str(chosen))
    without_public = keys.find(repo)
    assert (without_public.kind, without_public.fingerprint) == ("ssh-ed25519", found.fingerprint)
    assert isinstance(sign.sign(without_public, b"m"), sign.Signed)


@pytest.mark.parametrize(
    "value",
    ["0xDEADBEEF", "", "me@example.com", "/no/such/file", "key::nonsense", "~nobody-of-that-name/key"],
)
def test_what_is_no_ssh_key_is_passed_over(repo: Repo, value: str):
    git(repo.work_tree, "config", "user.signingkey", value)
    assert keys.find(repo) is None
    make_key(home() / ".ssh" / "id_ed25519")
    assert (keys.find(repo).how, keys.find(repo).shown) == ("a default key", "~/.ssh/id_ed25519")


def test_where_git_signs_with_a_certificate_the_key_that_it_is_for_signs(repo: Repo, tmp_path: Path):
    for name in ("authority", "mine"):
        make_key(tmp_path / name)
    certify = ["ssh-keygen", "-q", "-s", "authority", "-I", "me", "-n", "me", "mine.pub"]
    run(certify, tmp_path)
    git(repo.work_tree, "config", "user.signingkey", str(tmp_path / "mine-cert.pub"))
    signed = sign.sign(keys.find(repo), b"m")
    assert isinstance(signed, sign.Signed)
    assert accepted_by_openssh(tmp_path, tmp_path / "mine.pub", signed.sig, b"m", "foureyes.push.v1")


def test_an_agent_that_never_answers_keeps_no_key_in_a_file_from_signing(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = make_key(tmp_path / "mine")
    git(repo.work_tree, "config", "user.signingkey", str(mine))
    monkeypatch.setattr(sign, "_SECONDS_ALONE", 0.5)
    monkeypatch.setattr(keys, "_SECONDS", 0.5)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "silent"))
        assert isinstance(sign.sign(keys.find(repo), b"m"), sign.Signed)
        git(repo.work_tree, "config", "user.signingkey", f"key::{(tmp_path / 'mine.pub').read_text()}")
        refused = sign.sign(keys.find(repo), b"m")
    assert isinstance(refused, sign.NotSigned)
    assert "did not sign within" in refused.why


def test_without_ssh_keygen_it_is_named(repo: Repo, monkeypatch: pytest.MonkeyPatch):
    make_key(home() / ".ssh" / "id_ed25519")
    key = keys.find(repo)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert sign.sign(key, b"m") == sign.NotSigned("there is no ssh-keygen")


def test_an_rsa_key_that_nobody_accepts_does_not_sign(repo: Repo, tmp_path: Path):
    weak = make_key(tmp_path / "weak", kind="rsa", bits=1024)
    git(repo.work_tree, "config", "user.signingkey", f"{weak}.pub")
    assert keys.find(repo) is None
    make_key(home() / ".ssh" / "id_rsa", kind="rsa", bits=2048)
    assert keys.find(repo).shown == "~/.ssh/id_rsa"
    (weak.parent / "weak.pub").unlink()
    git(repo.work_tree, "config", "user.signingkey", str(weak))
    assert keys.find(repo).shown == "~/.ssh/id_rsa"
    assert [key.bits for key in keys.passed_over(repo)] == [1024]
    assert "weak (user.signingkey): an RSA key of 1,024 bits" in foureyes(repo.work_tree, "install")
    [told_of] = json.loads(foureyes(repo.work_tree, "install", "--json"))["passed_over"]
    assert (told_of["how"], told_of["why"].split(" bits ")[0]) == ("user.signingkey", "an RSA key of 1,024")
    told = json.loads(foureyes(repo.work_tree, "doctor", "--json", ok=False))["findings"]
    assert [f["what"].split(": ")[1] for f in told if "passed over" in f["what"]] == [
        "an RSA key of 1,024 bits is not accepted, 2,048 are the least"
    ]


def test_a_key_that_only_the_agent_holds_signs(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    held = make_key(tmp_path / "held")
    listens = tmp_path / "a.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(listens)], stdout=subprocess.DEVNULL)
    try:
        while not listens.exists():
            assert agent.poll() is None
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(listens))
        run(["ssh-add", "-q", held], tmp_path)
        public = Path(f"{held}.pub").read_text()
        held.unlink()
        Path(f"{held}.pub").unlink()
        found = keys.find(repo)
        assert (found.how, found.path) == ("ssh-agent", None)
        assert isinstance(sign.sign(found, b"m"), sign.Signed)
        git(repo.work_tree, "config", "user.signingkey", f"key::{public.strip()}")
        assert keys.find(repo).how == "user.signingkey"
        assert isinstance(sign.sign(keys.find(repo), b"m"), sign.Signed)
        run(["ssh-add", "-q", "-D"], tmp_path)
        refused = sign.sign(keys.find(repo), b"m")
        assert isinstance(refused, sign.NotSigned)
        assert "agent" in refused.why
    finally:
        agent.terminate()
        agent.wait()


def test_a_passphrase_without_a_terminal_is_not_signed_and_not_asked(repo: Repo, tmp_path: Path, monkeypatch):
    make_key(home() / ".ssh" / "id_ed25519", passphrase="secret")
    asked = tmp_path / "asked"
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    program.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(program))
    monkeypatch.setenv("DISPLAY", ":0")
    code = (
        "from pathlib import Path; from foureyes.hooks import keys, sign; from foureyes.hooks.repo import Repo\n"
        "print(sign.sign(keys.find(Repo.open(Path.cwd())), b'm'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repo.work_tree,
        env={**os.environ, **python_env()},
        capture_output=True,
        start_new_session=True,
    )
    assert b"NotSigned" in done.stdout
    assert b"passphrase" in done.stdout
    assert not asked.exists()


_ON_A_TERMINAL = """
import subprocess, sys
# A parent that dies of Ctrl-C, as `git push` does while its hook runs.
child = subprocess.run([sys.executable, "-c", '''
import sys
from pathlib import Path
from foureyes.hooks import keys, sign
from foureyes.hooks.repo import Repo
answer = sign.sign(keys.find(Repo.open(Path.cwd())), b"m")
print("ANSWER", type(answer).__name__)
'''])
print("PARENT LIVES", child.returncode)
"""


def on_a_terminal(cwd: Path, answer: bytes) -> str:
    """Run the signing in a session with a terminal; type `answer` when the passphrase is asked for."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(sys.executable, [sys.executable, "-c", _ON_A_TERMINAL], {**os.environ, **python_env()})
    seen, silent = b"", 0
    try:
        while silent < 60:
            if not select.select([terminal], [], [], 1)[0]:
                # ssh-keygen can miss a signal between its prompt and its read; a person would press the key again.
                silent += 1
                if b"Enter passphrase" in seen:
                    os.write(terminal, answer)
                continue
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
            if b"Enter passphrase" in part:
                os.write(terminal, answer)
    finally:
        os.close(terminal)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return seen.decode("utf-8", "replace")


def test_on_a_terminal_the_passphrase_is_asked_for_after_a_line_that_says_who_asks(repo: Repo):
    make_key(home() / ".ssh" / "id_ed25519", passphrase="secret")
    seen = on_a_terminal(repo.work_tree, b"secret\n")
    assert "ANSWER Signed" in seen
    assert seen.index("foureyes:") < seen.index("Enter passphrase")
    assert "Ctrl-C" in seen
    assert "secret" not in seen


def test_ctrl_c_at_the_passphrase_stops_the_signature_and_not_the_push(repo: Repo):
    make_key(home() / ".ssh" / "id_ed25519", passphrase="secret")
    seen = on_a_terminal(repo.work_tree, b"\x03")
    assert "ANSWER NotSigned" in seen
    assert "PARENT LIVES 0" in seen
