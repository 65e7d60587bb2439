"""`foureyes install --repo`: agents' hooks in the project's own files, so that a fresh clone has them.

The command there names no path: it is found on PATH where a colleague has foureyes, and is silent where not.
"""

import contextlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from foureyes.hooks.repo import Repo
from foureyes.shared.errors import UserError

_CLAUDE = ".claude/settings.json"
_EVENTS: dict[str, str | None] = {"PreToolUse": "*", "PostToolUse": "*", "Stop": None}
_SECONDS = 10
COMMAND = "if command -v foureyes >/dev/null 2>&1; then foureyes checkpoint claude-code; fi"


def write(repo: Repo) -> tuple[Path, ...]:
    """Add our hooks to Claude Code's settings of the project; what is there stays. Answers the files that a person
    should commit. Raises UserError, with nothing changed, if the file is not of Claude Code's form.
    """
    assert repo.work_tree is not None  # noqa: S101 -- bare repositories are refused before
    file = repo.work_tree / _CLAUDE
    try:
        text = file.read_bytes().decode("utf-8") if file.exists() else ""
        settings = json.loads(text or "{}")
        if _add(settings):
            new = json.dumps(settings, indent=_indent(text), ensure_ascii=False)
            file.parent.mkdir(exist_ok=True)
            _replace(file, new + ("" if text and not text.endswith("\n") else "\n"))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{_CLAUDE} was left alone: {error}",
            why="it does not have the form of Claude Code's settings",
            next_step="mend that file, then run `foureyes install --repo` again",
        ) from error
    return (file,)


def _add(settings: dict[str, Any]) -> bool:
    hooks = settings.setdefault("hooks", {})
    changed = False
    for event, matcher in _EVENTS.items():
        groups = hooks.setdefault(event, [])
        if any("foureyes checkpoint" in str(hook.get("command")) for g in groups for hook in g["hooks"]):
            continue
        group: dict[str, Any] = {} if matcher is None else {"matcher": matcher}
        groups.append({**group, "hooks": [{"type": "command", "command": COMMAND, "timeout": _SECONDS}]})
        changed = True
    return changed


def _indent(text: str) -> int | str:
    found = re.search(r"\n([ \t]+)\S", text)
    if found is None:
        return 2
    return "\t" if "\t" in found[1] else len(found[1])


def _replace(file: Path, text: str) -> None:
    mode = 0o644
    with contextlib.suppress(OSError):
        mode = file.stat().st_mode & 0o777
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "wb") as out:
        out.write(text.encode())
    Path(name).chmod(mode)
    Path(name).replace(file)
