"""The demo's stage: sandbox and App as processes of their own on loopback, people with clones, agents' shells."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foureyes.github_app.sandbox.visitor import Visitor
from foureyes.shared.errors import UserError

_START_PATIENCE = 120.0
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SSL_CERT_FILE")
_SAFE_CONFIG = {"commit.gpgsign": "false", "protocol.file.allow": "always", "advice.detachedHead": "false"}

# What these programs really put into the environment of the shells that they open, read off their own runs.
AGENT_SHELLS: dict[str, dict[str, str]] = {
    "Claude Code": {
        "AI_AGENT": "claude-code_2-1-330_agent",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_CHILD_SESSION": "1",
        "CLAUDE_CODE_SESSION_ID": "6f1d5c1e-3d0c-4f5a-9a55-0b7c5d1f2a10",
        "CLAUDE_CODE_SESSION_ATTENDED": "1",
    },
    "Codex": {
        "CODEX_THREAD_ID": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
        "CODEX_SESSION_ID": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
        "CODEX_CI": "1",
        "CODEX_VERSION": "0.169.0",
    },
    "GitHub Copilot CLI": {
        "COPILOT_CLI": "1",
        "COPILOT_AGENT_SESSION_ID": "5b8e2f34-91aa-4c1d-b0de-7f6a5c4d3e2f",
        "COPILOT_CLI_BINARY_VERSION": "1.0.102",
    },
}


class CannotPlay(UserError):
    """The story cannot begin, for a reason that whoever runs it can mend."""


@dataclass
class Stage:
    """`sandbox` is what `foureyes sandbox --json` said about itself: addresses, tokens, the App's settings.

    `app` is the environment of the App's process.
    """

    folder: Path
    sandbox: dict[str, Any] = field(default_factory=dict)
    app: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        return str(self.sandbox["repository"])

    def visitor(self, login: str) -> Visitor:
        return Visitor(self.sandbox["api_url"], self.repository, login, self.sandbox["users"][login]["token"])

    def home(self, login: str) -> Path:
        return self.folder / "home" / login

    def environment(self, login: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A person's shell: a home of their own, nothing of this machine's git configuration, agents or keys."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        ours = {
            "HOME": str(self.home(login)),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "NO_COLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
        }
        return {**kept, **ours, **(more or {})}

    def run(
        self,
        login: str,
        command: Sequence[str],
        cwd: Path,
        *,
        more: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Raises UserError with the command's own words if it fails and `check` is set."""
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env=self.environment(login, more),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if check and done.returncode:
            raise UserError(
                f"`{' '.join(command)}` ended with {done.returncode}",
                why=(done.stderr or done.stdout).strip(),
                next_step="this is a fault of the demo or of this machine; the lines above say where",
            )
        return done

    def foureyes(
        self, login: str, *arguments: str, cwd: Path, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        return self.run(login, (*_foureyes(), *arguments), cwd, **more)

    def git(self, login: str, *arguments: str, cwd: Path, **more: Any) -> str:
        return self.run(login, ("git", *arguments), cwd, **more).stdout.strip()

    def clone(self, login: str) -> Path:
        """A fresh clone with this person's name, address and token, as `git clone` over HTTP gives it."""
        user = self.sandbox["users"][login]
        home, where = self.home(login), self.folder / "clones" / login
        home.joinpath(".claude").mkdir(parents=True, exist_ok=True)  # as Claude Code leaves it
        where.parent.mkdir(parents=True, exist_ok=True)
        settings = {"user.name": login.capitalize(), "user.email": user["email"], **_SAFE_CONFIG}
        for name, value in settings.items():
            self.git(login, "config", "--global", name, value, cwd=home)
        web = str(self.sandbox["url"])
        address = f"{web}/{self.repository}.git"
        header = f"http.{web}/.extraHeader"
        self.git(
            login, "config", "--global", header, f"Authorization: {_basic(login, user['token'])}", cwd=home
        )
        self.git(login, "clone", "-q", address, str(where), cwd=home)
        return where

    def give_key(self, login: str) -> None:
        """An SSH key, published on the account. A machine without ssh-keygen plays on with unsigned records."""
        if not self.can_sign:
            return
        folder = self.home(login) / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        key = folder / "id_ed25519"
        self.run(login, ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", login, "-f", str(key)), folder)
        self.git(login, "config", "--global", "gpg.format", "ssh", cwd=folder)
        self.git(login, "config", "--global", "user.signingkey", f"{key}.pub", cwd=folder)
        public = key.with_suffix(".pub").read_text()
        self.control("POST", "keys", {"login": login, "key": public, "created_at": "2025-01-01T00:00:00Z"})

    @property
    def can_sign(self) -> bool:
        return shutil.which("ssh-keygen") is not None

    def control(self, method: str, command: str, body: dict[str, Any]) -> None:
        """Changes the sandbox itself; raises UserError if it refuses."""
        answer = self.visitor("noor").call(method, f"{self.sandbox['control_url']}/{command}", body)
        if answer.status != 200:
            raise UserError(f"the sandbox refused {command}: {answer.message}")

    def land(self, login: str, start: str, path: str, side: str) -> None:
        """An owner's own push to main: one change of `path` on top of `start`, then a merge of `side`."""
        where = self.folder / "clones" / login
        if not where.exists():
            self.clone(login)
        self.git(login, "fetch", "-q", self.folder.joinpath("clones", "olga").as_uri(), side, cwd=where)
        self.git(login, "fetch", "-q", "origin", "main", cwd=where)
        self.git(login, "checkout", "-q", "-B", "main", start, cwd=where)
        with (where / path).open("a", encoding="utf-8") as file:
            file.write("# landed on main\n")
        self.git(login, "commit", "-q", "-a", "-m", "Land", cwd=where)
        self.git(login, "merge", "-q", "--no-ff", "-m", "Merge side", side, cwd=where)
        self.git(login, "push", "-q", "origin", "main", cwd=where)

    def decision(self, number: int) -> str:
        """The id of the decision that the check of this pull request names."""
        visitor = self.visitor("noor")
        check = visitor.check(visitor.pull(number)["head"]["sha"]) or {"output": {"text": ""}}
        found = re.search(rf"#{number} `([^`]+)`", check["output"]["text"] or "")
        if found is None:
            raise UserError(f"the check of #{number} names no decision")
        return found.group(1)


@contextmanager
def running(folder: Path, *, merge_check: bool = True) -> Iterator[Stage]:
    """Sandbox and App as processes; both are ended, and the folder is left to who made it.

    Raises UserError with what a process said if it does not come up.
    """
    stage = Stage(folder)
    (folder / "home" / "noor").mkdir(parents=True)
    options = () if merge_check else ("--no-merge-check",)
    with ExitStack() as closing:
        sandbox = ("sandbox", "--json", "--data", str(folder / "sandbox"), *options)
        stage.sandbox = closing.enter_context(process(stage, "sandbox", sandbox, {}))
        stage.app = {
            **stage.sandbox["environment"],
            "FOUREYES_DATA": str(folder / "app"),
            "FOUREYES_HOST": "127.0.0.1",
            "FOUREYES_PORT": "0",
        }
        serving = closing.enter_context(process(stage, "app", ("serve", "--json"), stage.app))
        stage.control("POST", "webhook", {"url": f"{serving['listening']}/webhook"})
        yield stage


@contextmanager
def process(
    stage: Stage, name: str, arguments: Sequence[str], more: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """What the process said about itself in its first line. Its log is in the stage's folder."""
    log = stage.folder / f"{name}.log"
    with log.open("w") as errors:
        child = subprocess.Popen(
            (*_foureyes(), *arguments),
            cwd=stage.folder,
            env=stage.environment("noor", more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield json.loads(_first_line(child, name, log))
        finally:
            child.terminate()
            try:
                child.wait(_START_PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout:
                child.stdout.close()


def _first_line(child: subprocess.Popen[str], name: str, log: Path) -> str:
    """A process that hangs before its first line is ended, which ends the read."""
    watchdog = threading.Timer(_START_PATIENCE, child.kill)
    watchdog.start()
    try:
        line = child.stdout.readline() if child.stdout else ""
    finally:
        watchdog.cancel()
    if not line:
        said = log.read_text().strip().splitlines()
        _raise_told(said[-1:])
        raise UserError(f"`foureyes {name}` did not start", why=" ".join(said[-3:]), next_step=f"see {log}")
    return line


def _raise_told(lines: list[str]) -> None:
    """Raises CannotPlay if the process ended with an error that is meant to be read."""
    try:
        told = json.loads("".join(lines))["error"]
        error = CannotPlay(told["what"], why=told["why"], next_step=told["next_step"])
    except (ValueError, LookupError, TypeError):
        return
    raise error


def _basic(login: str, token: str) -> str:
    return f"Basic {b64encode(f'{login}:{token}'.encode()).decode()}"


def _foureyes() -> tuple[str, ...]:
    """This very program: an installed script of that name may be another version's."""
    return (sys.executable, "-c", "from foureyes.hooks.cli import main; main()")
