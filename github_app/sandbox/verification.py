"""Whether GitHub calls a commit verified: made by itself, or signed by an SSH key that an account published."""

import base64
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from foureyes.github_app.sandbox.access import WEB_FLOW_EMAIL, account_of
from foureyes.github_app.sandbox.repositories import Commit, environment
from foureyes.github_app.sandbox.state import Repository, User, World


@dataclass(frozen=True)
class Verification:
    verified: bool
    reason: str
    signer: User | None = None
    by_github: bool = False
    signature: str = ""


def verify(world: World, repository: Repository, commit: Commit) -> Verification:
    if commit.oid in repository.made_by_github:
        web_flow = account_of(world, WEB_FLOW_EMAIL)
        return Verification(True, "valid", web_flow, True, f"made by the sandbox: {commit.oid}")
    if not commit.signature:
        return Verification(False, "unsigned")
    if not commit.signature.startswith("-----BEGIN SSH SIGNATURE-----"):
        return Verification(False, "unknown_key", signature=commit.signature)
    signer = _owner_of_key(world, commit.signature)
    if signer is None:
        return Verification(False, "unknown_key", signature=commit.signature)
    if not _signature_holds(world, commit):
        return Verification(False, "invalid", signature=commit.signature)
    if commit.committer.email.lower() not in (email.lower() for email in signer.emails):
        return Verification(False, "bad_email", signature=commit.signature)
    return Verification(True, "valid", signer, signature=commit.signature)


def _owner_of_key(world: World, armoured: str) -> User | None:
    """The account whose signing key lies in the signature, whose blob starts after magic and version."""
    try:
        blob = base64.b64decode("".join(armoured.split("\n")[1:-1]))
    except ValueError:
        return None
    length = int.from_bytes(blob[10:14], "big")
    wanted = base64.b64encode(blob[14 : 14 + length]).decode()
    for user in world.users.values():
        if any(key.key.split()[1:2] == [wanted] for key in user.signing_keys):
            return user
    return None


def _signature_holds(world: World, commit: Commit) -> bool:
    with tempfile.TemporaryDirectory(dir=world.data_dir) as folder:
        signature = Path(folder) / "signature"
        signature.write_text(commit.signature + "\n")
        done = subprocess.run(
            ["ssh-keygen", "-Y", "check-novalidate", "-n", "git", "-s", str(signature)],
            input=commit.payload,
            capture_output=True,
            check=False,
            env=environment(world.data_dir),
        )
    return done.returncode == 0
