"""Which model a session of an agent runs, for the trailers of commits that are made in one of its shells.

`<git common dir>/foureyes/models/<agent>-<end of the session id>` holds the model's name, one line. The whole id
stands nowhere; its end is what a shell can cut off without starting a process.
"""

import contextlib
import re
import time
from pathlib import Path

from foureyes.hooks.agents.tool_call import ToolCall

_NAME = r"[A-Za-z0-9_.]{1,64}"
_KEPT_SECONDS = 30 * 86400


def remember(home: Path, call: ToolCall) -> None:
    """Write the model of the call's session down, if both are known. Raises OSError."""
    if not call.model or not re.fullmatch(_NAME, call.join):
        return
    file = home / "models" / f"{call.agent}-{call.join}"
    line = f"{call.model}\n"
    with contextlib.suppress(OSError):
        if file.read_text("utf-8") == line:
            return
    if not file.exists():
        _collect(file.parent)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}")
    beside.write_text(line, "utf-8")
    beside.replace(file)


def _collect(folder: Path) -> None:
    for old in folder.glob("*"):
        if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            old.unlink(missing_ok=True)
