"""Agents' own hooks: Claude Code's user settings are told to call `foureyes checkpoint` around each tool call.

The file belongs to the user. What was in it stays, in its order; taking ours out again brings back the very bytes if
nobody has written to it since. One file serves all repositories, so it is given back when the last one lets go.
"""

import contextlib
import json
import os
import re
import shlex
import tempfile
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from foureyes.hooks.catalogue import catalogue
from foureyes.shared.errors import UserError

CLAUDE = "claude-code"
_EVENTS: dict[str, str | None] = {"PreToolUse": "*", "PostToolUse": "*", "Stop": None}
_COMMAND = f"foureyes checkpoint {CLAUDE}"
_SECONDS = 10
_CODE = "import sys; sys.path += {path!r}; from foureyes.hooks.cli import main; main()"


@dataclass(frozen=True)
class _Kept:
    """`original` is the file's text from before, None where there was no file; `written` is what we made of it."""

    original: str | None
    written: str
    repositories: tuple[str, ...]


def found() -> tuple[str, ...]:
    """Ids of the local agents whose settings folder is in this user's home."""
    ids = []
    for agent in catalogue().agents:
        places = [sign.text for sign in agent.settings if sign.text.startswith("~/.")]
        if agent.kind == "local" and any((Path.home() / place.split("/")[1]).is_dir() for place in places):
            ids.append(agent.id)
    # `~/.config` and the like are everyone's.
    return tuple(id for id in ids if not _only_shared(id))


def _only_shared(id: str) -> bool:
    own = {sign.text.split("/")[1] for sign in catalogue().by_id[id].settings if sign.text.startswith("~/.")}
    return own <= {".config", ".agents"}


def add(repository: Path, python: str, path: tuple[str, ...]) -> str:
    """Put the hooks into Claude Code's settings. Answers `added` or `already there`.

    Raises UserError, with nothing changed, if the file is not what Claude Code itself would read.
    """
    file = _settings_file()
    launcher = _write_launcher(python, path)
    text = _read(file)
    settings = _parse(file, text)
    changed = _add_to(settings, f"{shlex.quote(str(launcher))} checkpoint {CLAUDE}")
    kept = _read_kept()
    if changed:
        written = json.dumps(settings, indent=_indent(text), ensure_ascii=False)
        written += "\n" if text is None or text.endswith("\n") else ""
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, written)
        kept = _Kept(text, _digest(written), kept.repositories if kept else ())
    if kept is not None:
        repositories = tuple(dict.fromkeys((*kept.repositories, str(repository))))
        _write_kept(_Kept(kept.original, kept.written, repositories))
    return "added" if changed else "already there"


def remove(repository: Path) -> str:
    """Let go of Claude Code's settings. Answers `removed`, `kept for other repositories` or `` (nothing of ours)."""
    kept = _read_kept()
    if kept is None or str(repository) not in kept.repositories:
        return ""
    others = tuple(p for p in kept.repositories if p != str(repository) and Path(p, "foureyes").is_dir())
    if others:
        _write_kept(_Kept(kept.original, kept.written, others))
        return "kept for other repositories"
    file = _settings_file()
    text = _read(file)
    if text is not None and _digest(text) == kept.written:
        if kept.original is None:
            file.unlink()
        else:
            _replace(file, kept.original)
    elif text is not None:
        settings = _parse(file, text)
        _remove_from(settings)
        _replace(file, json.dumps(settings, indent=_indent(text), ensure_ascii=False) + "\n")
    _launcher().unlink(missing_ok=True)
    _kept_file().unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        _folder().rmdir()
    return "removed"


def in_place() -> bool:
    """Whether Claude Code's settings call us."""
    with contextlib.suppress(UserError):
        settings = _parse(_settings_file(), _read(_settings_file()))
        return all(_ours(settings.get("hooks", {}).get(event, [])) for event in _EVENTS)
    return False


def _add_to(settings: dict[str, Any], command: str) -> bool:
    before = json.dumps(settings)
    hooks = settings.setdefault("hooks", {})
    for event, matcher in _EVENTS.items():
        groups = hooks.setdefault(event, [])
        for hook in _ours(groups):
            hook["command"] = command
        if not _ours(groups):
            group: dict[str, Any] = {} if matcher is None else {"matcher": matcher}
            groups.append({**group, "hooks": [{"type": "command", "command": command, "timeout": _SECONDS}]})
    return json.dumps(settings) != before


def _remove_from(settings: dict[str, Any]) -> None:
    hooks = settings.get("hooks", {})
    for event in _EVENTS:
        groups = hooks.get(event, [])
        ours = _ours(groups)
        for group in groups:
            group["hooks"] = [hook for hook in group.get("hooks", []) if hook not in ours]
        hooks[event] = [group for group in groups if group["hooks"]]
        if not hooks[event]:
            del hooks[event]
    if not hooks:
        settings.pop("hooks", None)


def _ours(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    hooks = [hook for group in groups for hook in group.get("hooks", [])]
    return [hook for hook in hooks if _COMMAND in str(hook.get("command")).replace("'", "")]


def _settings_file() -> Path:
    """Behind a link, as people who keep their settings in a repository have it."""
    return Path(os.path.realpath(Path.home() / ".claude" / "settings.json"))


def _read(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _left_alone(file, str(error)) from error


def _parse(file: Path, text: str | None) -> dict[str, Any]:
    try:
        settings = json.loads(text) if text and text.strip() else {}
    except ValueError as error:
        raise _left_alone(file, str(error)) from error
    if isinstance(settings, dict):
        hooks = settings.get("hooks", {})
        if isinstance(hooks, dict) and all(_is_groups(value) for value in hooks.values()):
            return settings
    raise _left_alone(file, "it does not have the form of Claude Code's settings")


def _is_groups(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(group, dict)
        and isinstance(group.get("hooks", []), list)
        and all(isinstance(hook, dict) for hook in group.get("hooks", []))
        for group in value
    )


def _left_alone(file: Path, why: str) -> UserError:
    return UserError(
        f"{file} was left alone: {why}",
        why="without Claude Code's own hooks only its commits are seen, not its lines",
        next_step="mend that file, then run `foureyes install` again",
    )


def _indent(text: str | None) -> int | str:
    found = re.search(r"\n([ \t]+)\S", text or "")
    if found is None:
        return 2
    return "\t" if "\t" in found[1] else len(found[1])


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "foureyes"


def _launcher() -> Path:
    return _folder() / "foureyes"


def _kept_file() -> Path:
    return _folder() / f"{CLAUDE}.json"


def _write_launcher(python: str, path: tuple[str, ...]) -> Path:
    """A command that is found without PATH, and starts in the time that an agent's tool call can spare."""
    text = (
        "#!/bin/sh\n# foureyes, as agents' hooks call it; written by `foureyes install`.\n"
        f"[ -x {shlex.quote(python)} ] || exit 0\n"
        f'exec {shlex.quote(python)} -I -S -c {shlex.quote(_CODE.format(path=list(path)))} "$@"\n'
    )
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(_launcher(), text)
    _launcher().chmod(0o700)
    return _launcher()


def _read_kept() -> _Kept | None:
    try:
        stored = json.loads(_kept_file().read_text("utf-8"))
        return _Kept(**{**stored, "repositories": tuple(stored["repositories"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write_kept(kept: _Kept) -> None:
    _replace(_kept_file(), json.dumps(asdict(kept), indent=1) + "\n")


def _replace(file: Path, text: str) -> None:
    """In one step, with the mode that the file has; a new one is for its owner alone."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "wb") as out:
        out.write(text.encode())
    Path(name).chmod(mode)
    Path(name).replace(file)
