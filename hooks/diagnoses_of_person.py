"""The other half of what `foureyes doctor` looks at: who you are, your key, your agents, and your records."""

import json
import subprocess
from collections.abc import Iterator

from foureyes.hooks import agent_settings, keys, status
from foureyes.hooks.agent_adapters import ADAPTERS
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.diagnoses import Look
from foureyes.hooks.sign import signs_unasked
from foureyes.shared.errors import UserError
from foureyes.shared.finding import Finding, State

_SECONDS = 20.0
_ONLINE = "foureyes doctor --online"


def identity(look: Look) -> Iterator[Finding]:
    if look.login is None:
        yield Finding(
            "you", State.PROBLEM, "not known: records cannot name you", "foureyes install --login NAME"
        )
    else:
        yield Finding("you", State.GOOD, f"@{look.login.name} (from {look.login.how})")


def signing(look: Look) -> Iterator[Finding]:
    for weak in keys.passed_over(look.repo):
        yield Finding(
            "signing",
            State.NOTE,
            f"{weak.shown} ({weak.how}) is passed over: {keys.why_not(weak)}",
            'make another one: ssh-keygen -t ed25519, then add it on GitHub as a "Signing key"',
        )
    key = look.key
    if key is None:
        yield Finding(
            "signing",
            State.PROBLEM,
            "no SSH key: records go out unsigned, and count as if there were none",
            'ssh-keygen -t ed25519, then add it on GitHub as a "Signing key"',
        )
        return
    if key.needs_touch:
        yield Finding("signing", State.GOOD, f"{key.shown}: asks for a touch at each push with records")
    elif signs_unasked(key):
        yield Finding("signing", State.GOOD, f"{key.shown} ({key.how})")
    else:
        yield Finding(
            "signing",
            State.NOTE,
            f"{key.shown} asks for its passphrase: a push without a terminal is not signed",
            f"ssh-add {key.path}" if key.path else "ssh-add",
        )
    yield from _registered(look)


def _registered(look: Look) -> Iterator[Finding]:
    """Whether GitHub publishes the key for this person: only then does a signature name them."""
    key = look.key
    if look.login is None or key is None:
        return
    if not look.online:
        yield Finding("signing", State.UNKNOWN, "whether GitHub knows this key was not asked", _ONLINE)
        return
    published = []
    for listed in ("ssh_signing_keys", "keys"):
        answer = _ask_gh(f"users/{look.login.name}/{listed}")
        if answer is None:
            yield Finding(
                "signing",
                State.UNKNOWN,
                f"`gh` could not ask GitHub for the keys of @{look.login.name}",
                f"gh auth login, then {_ONLINE}",
            )
            return
        published += answer
    if key.fingerprint in published:
        yield Finding("signing", State.GOOD, f"registered with GitHub for @{look.login.name}")
    else:
        file = f" {key.path.with_suffix('.pub')}" if key.path else ""
        yield Finding(
            "signing",
            State.PROBLEM,
            f"GitHub does not list {key.fingerprint} for @{look.login.name}: signatures name nobody",
            f"gh ssh-key add --type signing{file}",
        )


def _ask_gh(path: str) -> list[str] | None:
    """Fingerprints of the keys that GitHub lists; None if it could not be asked."""
    try:
        done = subprocess.run(
            ["gh", "api", "--paginate", path],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            return None
        # One JSON array for each page, one after the other.
        return [keys.fingerprint_of(str(item["key"])) for item in _items(done.stdout.decode("utf-8"))]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def _items(text: str) -> Iterator[dict[str, object]]:
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        page, at = decoder.raw_decode(text, at)
        yield from page


def agents(look: Look) -> Iterator[Finding]:  # noqa: ARG001 -- their settings are the person's, not the repository's
    names = {agent.id: agent.name for agent in catalogue().agents}
    for agent in agent_settings.found():
        if agent not in ADAPTERS:
            yield Finding("agents", State.NOTE, f"{names[agent]}: its commits are seen, its edits are not")
        elif not agent_settings.in_place(agent):
            yield Finding(
                "agents",
                State.PROBLEM,
                f"{names[agent]}: its own hooks do not call foureyes, so its edits are not seen",
                f"foureyes install --agent {agent}",
            )
        elif not agent_settings.starts(agent):
            yield Finding(
                "agents",
                State.PROBLEM,
                f"{names[agent]}: its hooks call a foureyes that does not start, so its edits are not seen",
                f"foureyes install --agent {agent}",
            )
        elif not agent_settings.is_approved(agent):
            yield Finding(
                "agents",
                State.PROBLEM,
                f"{names[agent]}: its hooks are in place and not approved, so it skips them",
                ADAPTERS[agent].note,
            )
        else:
            yield Finding("agents", State.GOOD, f"{names[agent]}: its own hooks call foureyes")


def records(look: Look) -> Iterator[Finding]:
    try:
        now = status.read(look.repo)
    except UserError as error:
        yield Finding("records", State.PROBLEM, error.what, error.next_step)
        return
    if now.published is False:
        yield Finding(
            "records",
            State.PROBLEM,
            "pushed commits of this branch have no record in sight",
            "foureyes publish",
        )
    elif now.published:
        yield Finding("records", State.GOOD, "published for what this branch has pushed")
    if now.unseen and now.how:
        count = len(now.unseen)
        some = ", ".join(oid[:10] for oid in now.unseen[:3])
        yield Finding(
            "records",
            State.NOTE,
            f"{count} unpushed {'commit was' if count == 1 else 'commits were'} not seen by the hooks: {some}",
            "they count as having no record: two humans have to look",
        )
    for problem in now.problems:
        yield Finding("records", State.NOTE, f"an agent's hook said: {problem}")
