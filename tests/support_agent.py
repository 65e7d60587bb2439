"""An agent at work for tests: it calls `foureyes checkpoint` before and after each tool, as Claude Code does.

A session calls it in this process, where what is tested is what it leaves; `checkpoint` starts it as an agent would.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support_git import python_env, run
from support_in_process import told

# As captured from a run of Claude Code 2.1.330 in its tool shells.
CLAUDE_ENV = {
    "AI_AGENT": "claude-code_2-1-330_agent",
    "CLAUDECODE": "1",
    "CLAUDE_CODE_CHILD_SESSION": "1",
    "CLAUDE_CODE_SESSION_ID": "e7dcf057-4f9a-47ea-b881-bc7f1bbb4e52",
}


def checkpoint(
    cwd: Path,
    payload: Mapping[str, Any] | bytes,
    env: Mapping[str, str] | None = None,
    *,
    named: str = "claude-code",
    quiet: bool = True,
):
    """Run the hook as a process, as configured for the agent `named`. It ends with 0, and for most in silence."""
    code = f"import sys; from foureyes.hooks.cli import run; sys.exit(run(['checkpoint', {named!r}]))"
    stdin = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    done = run([sys.executable, "-c", code], cwd, env={**python_env(), **(env or {})}, stdin=stdin)
    if quiet:
        assert (done.stdout, done.stderr) == (b"", b"")
    return done


def make_launcher(file: Path) -> Path:
    """A command that starts foureyes from this checkout, whatever the environment."""
    path = python_env()["PYTHONPATH"]
    file.write_text(f"#!/bin/sh\nPYTHONPATH='{path}' exec '{sys.executable}' -m foureyes.hooks.cli \"$@\"\n")
    file.chmod(0o755)
    return file


@dataclass
class Agent:
    """One session of Claude Code in `repo`."""

    repo: Path
    session: str = "e7dcf057-4f9a-47ea-b881-bc7f1bbb4e52"
    env: Mapping[str, str] = field(default_factory=lambda: {"AI_AGENT": "claude-code_2-1-330_harness"})
    calls: int = 0

    def _payload(self, event: str, tool: str, given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "session_id": self.session,
            "transcript_path": str(self.repo.parent / "no-transcript.jsonl"),
            "cwd": str(self.repo),
            "hook_event_name": event,
            "tool_name": tool,
            "tool_input": dict(given),
            "tool_use_id": f"toolu_{self.session[:4]}_{self.calls}",
            **more,
        }

    def _tell(self, payload: Mapping[str, Any]) -> None:
        told(self.repo, "claude-code", payload, self.env)

    def read(self, name: str) -> None:
        self.calls += 1
        given = {"file_path": str(self.repo / name)}
        for event in ("PreToolUse", "PostToolUse"):
            self._tell(self._payload(event, "Read", given))

    def write(self, name: str, content: str | bytes, *, before: bool = True, after: bool = True) -> None:
        """Change one file with an edit tool."""
        self.calls += 1
        path = self.repo / name
        given = {"file_path": str(path)}
        if before:
            self._tell(self._payload("PreToolUse", "Write", given))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if after:
            self._tell(self._payload("PostToolUse", "Write", given))

    def shell(
        self,
        script: str,
        *,
        event: str = "PostToolUse",
        env: Mapping[str, str] | None = None,
        ok: bool = True,
    ) -> None:
        """Run a shell command as the agent's tool does, with the markers that its shells carry."""
        self.calls += 1
        given = {"command": script}
        self._tell(self._payload("PreToolUse", "Bash", given))
        run(["sh", "-c", script], self.repo, env=CLAUDE_ENV if env is None else env, ok=ok)
        self._tell(self._payload(event, "Bash", given))
