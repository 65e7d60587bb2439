"""For each agent whose own hooks we set up: which files, in which form. All others stand in the catalogue with the
files in which a person can do it.
"""

import json
import os
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks import agents
from foureyes.hooks.hook_forms import Form, JsonHooks, OwnFile, TomlHooks, grouped, own_json

_SECONDS = 10
"""After this an agent goes on without us; a checkpoint ends itself before."""
_CLAUDE_EVENTS = ("PreToolUse", "PostToolUse", "Stop")
_GEMINI_EVENTS = ("BeforeTool", "AfterTool", "AfterAgent")
_COPILOT_EVENTS = ("preToolUse", "postToolUse", "agentStop")
_CURSOR_EVENTS = ("preToolUse", "postToolUse", "afterFileEdit", "stop")
_CLINE_EVENTS = ("PreToolUse", "PostToolUse", "TaskComplete", "TaskCancel")


@dataclass(frozen=True)
class Target:
    """One file of an agent's configuration. `executable`: the agent starts the file itself."""

    path: Path
    form: Form
    executable: bool = False


@dataclass(frozen=True)
class Adapter:
    """`user` gives the files in this person's home, `shared` those in a repository (below its root)."""

    agent: str
    user: Callable[[], tuple[Target, ...]]
    shared: Callable[[], tuple[Target, ...]]
    note: str = ""
    """What a person still has to do."""


def _one(agent: str, path: Callable[[], Path], shared: str, form: Form) -> Adapter:
    return Adapter(agent, lambda: (Target(path(), form),), lambda: (Target(Path(shared), form),))


def _home(variable: str, folder: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / folder)


def _plugin(command: str) -> str:
    source = Path(agents.__file__ or "").with_name("opencode_plugin.js").read_text("utf-8")
    return source.replace("@COMMAND@", json.dumps(shlex.split(command)))


def _script(command: str) -> str:
    # Cline waits for an answer, also when nothing of ours is left to give it.
    return (
        "#!/bin/sh\n# Written by `foureyes install`, taken away by `foureyes uninstall`.\n"
        f"answer=$({command} 2>/dev/null)\n"
        """printf '%s\\n' "${answer:-{\\"cancel\\":false\\}}"\n"""
    )


def _copilot_entry(command: str) -> dict[str, object]:
    return {"type": "command", "bash": command, "timeoutSec": _SECONDS}


def _cursor_entry(command: str) -> dict[str, object]:
    return {"command": command, "timeout": _SECONDS}


def _codex() -> tuple[Target, ...]:
    """hooks.json, unless this person's hooks are in config.toml: Codex warns about hooks in both."""
    folder = _home("CODEX_HOME", ".codex")
    if not (folder / "hooks.json").exists():
        try:
            hooks = tomllib.loads((folder / "config.toml").read_text("utf-8")).get("hooks", {})
        except (OSError, ValueError):
            hooks = {}
        if isinstance(hooks, dict) and hooks.keys() - {"state"}:
            return (Target(folder / "config.toml", TomlHooks(_CLAUDE_EVENTS, _SECONDS)),)
    return (Target(folder / "hooks.json", _CODEX_FORM),)


def _cline(folder: Path) -> tuple[Target, ...]:
    form = OwnFile(_script)
    return tuple(Target(folder / event, form, executable=True) for event in _CLINE_EVENTS)


_CODEX_FORM = JsonHooks(_CLAUDE_EVENTS, grouped(_SECONDS), comments=False)
# Gemini CLI and Qwen Code count in milliseconds.
_GEMINI_FORM = JsonHooks(_GEMINI_EVENTS, grouped(_SECONDS * 1000, name="foureyes"))
_QWEN_FORM = JsonHooks(_CLAUDE_EVENTS, grouped(_SECONDS * 1000))
_CURSOR_FORM = JsonHooks(_CURSOR_EVENTS, _cursor_entry, beside=(("version", 1),))
_COPILOT = _one(
    "copilot-cli",
    lambda: Path.home() / ".copilot" / "hooks" / "foureyes.json",
    ".github/hooks/foureyes.json",
    OwnFile(own_json(_COPILOT_EVENTS, _copilot_entry), "foureyes"),
)
ADAPTERS: dict[str, Adapter] = {
    "claude-code": _one(
        "claude-code",
        lambda: _home("CLAUDE_CONFIG_DIR", ".claude") / "settings.json",
        ".claude/settings.json",
        JsonHooks(_CLAUDE_EVENTS, grouped(_SECONDS), comments=False),
    ),
    "codex-cli": Adapter(
        "codex-cli",
        _codex,
        lambda: (Target(Path(".codex/hooks.json"), _CODEX_FORM),),
        note="approve them in Codex with /hooks",
    ),
    "cursor": _one(
        "cursor", lambda: Path.home() / ".cursor" / "hooks.json", ".cursor/hooks.json", _CURSOR_FORM
    ),
    "copilot-cli": _COPILOT,
    "copilot-vscode": _COPILOT,
    "gemini-cli": _one(
        "gemini-cli", lambda: Path.home() / ".gemini" / "settings.json", ".gemini/settings.json", _GEMINI_FORM
    ),
    "opencode": _one(
        "opencode",
        lambda: _home("XDG_CONFIG_HOME", ".config") / "opencode" / "plugins" / "foureyes.js",
        ".opencode/plugins/foureyes.js",
        OwnFile(_plugin),
    ),
    "qwen-code": _one(
        "qwen-code", lambda: Path.home() / ".qwen" / "settings.json", ".qwen/settings.json", _QWEN_FORM
    ),
    # Where a repository would hold Cline's hooks is not known for certain.
    "cline": Adapter("cline", lambda: _cline(Path.home() / ".cline" / "hooks"), lambda: ()),
}
"""By the catalogue's id. VS Code reads the hooks of Copilot CLI."""
