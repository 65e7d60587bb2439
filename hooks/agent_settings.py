"""Agents' own hooks: their configuration in this person's home is told to call `foureyes checkpoint` around each tool
call.

The files belong to the person. What was in them stays as it is written; taking ours out again brings back the very
bytes, also if others have written to them since. One set serves all repositories, so it is given back when the last
one lets go.
"""

import contextlib
import json
import os
import shlex
import subprocess
import tomllib
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from foureyes.hooks.agent_adapters import ADAPTERS, Adapter, Target
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.whole_file import write_whole
from foureyes.shared.errors import UserError

CLAUDE = "claude-code"
REMOVED, NOT_REMOVED = "removed", "NOT removed"
_SECONDS = 10.0
_CODE = "import sys; sys.path += {path!r}; from foureyes.hooks.cli import main; main()"


@dataclass(frozen=True)
class _File:
    """`original` is a file's text from before, None where there was no file; `written` the sha256 of what we made."""

    original: str | None
    written: str


@dataclass(frozen=True)
class _Kept:
    """What was done for one agent, by path, and for which repositories; `folders` were made for it."""

    files: dict[str, _File] = field(default_factory=dict)
    repositories: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def found() -> tuple[str, ...]:
    """Ids of the local agents whose own folder is in this person's home."""
    return tuple(
        agent.id
        for agent in catalogue().agents
        if agent.kind == "local" and any(folder.is_dir() for folder in _own_folders(agent.id))
    )


def _own_folders(agent: str) -> set[Path]:
    """`~/.config` and `~/.agents` are everyone's; a folder in the former is its owner's."""
    folders = set()
    for sign in catalogue().by_id[agent].settings:
        parts = sign.text.split("/")
        if parts[0] != "~" or not parts[1].startswith(".") or parts[1] == ".agents":
            continue
        if parts[1] != ".config":
            folders.add(Path.home() / parts[1])
        elif len(parts) > 3:
            folders.add(Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / parts[2])
    return folders


def add(repository: Path, python: str, path: tuple[str, ...], agent: str = CLAUDE) -> str:
    """Put the hooks into an agent's configuration. Answers `added` or `already there`, and what is left to do.

    Raises UserError if a file is not what the agent itself would read, with nothing changed, or cannot be written.
    """
    adapter = ADAPTERS[agent]
    kept = _read_kept(adapter) or _Kept()
    command = f"{shlex.quote(str(_launcher()))} checkpoint {adapter.agent}"
    new = {}
    for target in adapter.user():
        text = _read(target)
        written = _with_ours(target, text, command)
        if written != text:
            new[target] = (text, written)
    files = dict(kept.files)
    for target, (text, written) in new.items():
        before = files.get(str(_real(target)))
        original = before.original if before and _digest(text) == before.written else _cleaned(target, text)
        files[str(_real(target))] = _File(original, _digest(written))
    made = (folder for file in (_launcher(), *map(_real, new)) for folder in _missing(file))
    folders = dict.fromkeys((*kept.folders, *map(str, made)))
    repositories = dict.fromkeys((*kept.repositories, str(repository)))
    try:
        _write_launcher(python, path)
        if files:  # first, so that what is written after it is always known to be ours
            _write_kept(adapter, _Kept(files, tuple(repositories), tuple(folders)))
        for target, (_, written) in new.items():
            _real(target).parent.mkdir(parents=True, exist_ok=True)
            _replace(_real(target), written, executable=target.executable)
    except OSError as error:
        raise _left_alone(Path(error.filename or _folder()), error.strerror or str(error)) from error
    done = "added" if new else "already there"
    return f"{done}; {adapter.note}" if adapter.note and not is_approved(agent) else done


def _missing(file: Path) -> list[Path]:
    """Folders that have to be made for a file, the innermost first."""
    return [folder for folder in file.parents if not folder.exists()]


def add_shared(root: Path, agent: str) -> tuple[Path, ...]:
    """Put an agent's hooks into the configuration that a repository carries; the files that changed, below `root`.
    They call whatever `foureyes` is on the PATH of who clones it, and nothing where there is none.
    """
    adapter = ADAPTERS[agent]
    calls = f"foureyes checkpoint {adapter.agent}"
    new = []
    for target in adapter.shared():
        here = Target(root / target.path, target.form, target.executable)
        direct = target.path.suffix == ".js" or target.executable
        text = _read(here)
        command = calls if direct else f"if command -v foureyes >/dev/null 2>&1; then {calls}; fi"
        written = _with_ours(here, text, command)
        if written != text:
            new.append((here, target.path, written))
    for here, _, written in new:
        here.path.parent.mkdir(parents=True, exist_ok=True)
        _replace(here.path, written, executable=here.executable, fresh=0o644)
    return tuple(path for _, path, _ in new)


def remove(repository: Path, before: str = "") -> dict[str, str]:
    """Let go of the agents' configurations: agent -> `removed`, `kept for other repositories` or why they could not be
    (`NOT_REMOVED`), for those that this repository holds. `before`: where it was when they were added.
    """
    told: dict[str, str] = {}
    made = [str(_folder())]
    names = {str(repository), before}
    for adapter in dict.fromkeys(ADAPTERS.values()):
        kept = _read_kept(adapter)
        if kept is None or not names & set(kept.repositories):
            continue
        others = (path for path in kept.repositories if path not in names)
        alive = tuple(path for path in others if Path(path, "foureyes").is_dir())
        try:
            told[adapter.agent] = _let_go(adapter, kept, alive)
        except (UserError, OSError) as error:
            told[adapter.agent] = f"{NOT_REMOVED}: {error.what if isinstance(error, UserError) else error}"
        if told[adapter.agent] == REMOVED:
            made += kept.folders
    if not any(_read_kept(adapter) for adapter in ADAPTERS.values()):
        with contextlib.suppress(OSError):
            _launcher().unlink(missing_ok=True)
    for folder in sorted(made, key=len, reverse=True):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()  # others may have put something into it
    return told


def _let_go(adapter: Adapter, kept: _Kept, others: tuple[str, ...]) -> str:
    if others:
        _write_kept(adapter, replace(kept, repositories=others))
        return "kept for other repositories"
    _take_out(adapter, kept)
    _kept_file(adapter).unlink(missing_ok=True)
    return REMOVED


def in_place(agent: str = CLAUDE) -> bool:
    """Whether an agent's configuration calls us."""
    with contextlib.suppress(UserError, ValueError):
        return all(target.form.has(_read(target)) for target in ADAPTERS[agent].user())
    return False


def starts(agent: str) -> bool:
    """Whether what an agent's configuration calls starts this foureyes: its Python may be gone since, or we."""
    texts = [_read(target) or "" for target in ADAPTERS[agent].user()]
    written = (str(_launcher()), json.dumps(str(_launcher()))[1:-1])
    if not any(form in text for text in texts for form in written):
        return True  # written by hand, or shared: whatever is on the agent's PATH
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [_launcher(), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        return done.returncode == 0 and b"foureyes" in done.stdout
    return False


def is_approved(agent: str) -> bool:
    """Whether the agent runs hooks that are in place. Codex skips those that its user has not approved: it keeps a
    table of them, by file, event and place in it. Whether an approval is of this very text only Codex can tell.
    """
    if agent != "codex-cli":
        return True
    try:
        config = tomllib.loads(Path(ADAPTERS[agent].user()[0].path.parent, "config.toml").read_text("utf-8"))
        state = config["hooks"]["state"]
        files = {str(_real(target)) for target in ADAPTERS[agent].user()}
        files |= {str(target.path) for target in ADAPTERS[agent].user()}
        return any(
            key.rpartition(":pre_tool_use:")[0] in files and entry.get("enabled") is not False
            for key, entry in state.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _with_ours(target: Target, text: str | None, command: str) -> str:
    try:
        return target.form.add(text, command)
    except (ValueError, KeyError, RecursionError) as error:
        raise _left_alone(target.path, str(error)) from error


def _cleaned(target: Target, text: str | None) -> str | None:
    """What the file was without us: it may hold hooks of ours of which nothing is written down."""
    if text is None or not target.form.has(text):
        return text
    return target.form.remove(text, None)


def _take_out(adapter: Adapter, kept: _Kept) -> None:
    for path, file in kept.files.items():
        place = Path(path)
        target = next((target for target in adapter.user() if str(_real(target)) == path), None)
        text = _read(target or Target(place, adapter.user()[0].form))
        if text is None:
            continue
        left: str | None = text
        if _digest(text) == file.written:
            left = file.original
        elif target is not None:
            try:
                left = target.form.remove(text, file.original)
            except (ValueError, RecursionError) as error:
                raise _left_alone(place, str(error)) from error
        if left is None:
            place.unlink()
        elif left != text:
            _replace(place, left)


def _real(target: Target) -> Path:
    """Behind a link, as people who keep their settings in a repository have it."""
    return Path(os.path.realpath(target.path))


def _read(target: Target) -> str | None:
    try:
        return _real(target).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _left_alone(target.path, str(error)) from error


def _left_alone(file: Path, why: str) -> UserError:
    return UserError(
        f"{file} was left alone: {why}",
        why="without the agent's own hooks only its commits are seen, not its lines",
        next_step="mend that file, then run `foureyes install` again",
    )


def _digest(text: str | None) -> str:
    return sha256((text or "").encode()).hexdigest()


def _folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "foureyes"


def _launcher() -> Path:
    return _folder() / "foureyes"


def _kept_file(adapter: Adapter) -> Path:
    return _folder() / f"{adapter.agent}.json"


def _write_launcher(python: str, path: tuple[str, ...]) -> None:
    """A command that is found without PATH, and starts in the time that an agent's tool call can spare."""
    text = (
        "#!/bin/sh\n# foureyes, as agents' hooks call it; written by `foureyes install`.\n"
        f"[ -x {shlex.quote(python)} ] || exit 0\n"
        f'exec {shlex.quote(python)} -I -S -c {shlex.quote(_CODE.format(path=list(path)))} "$@"\n'
    )
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(_launcher(), text, executable=True)


def _read_kept(adapter: Adapter) -> _Kept | None:
    try:
        stored = json.loads(_kept_file(adapter).read_text("utf-8"))
        files = {path: _File(**file) for path, file in stored["files"].items()}
        return _Kept(files, tuple(stored["repositories"]), tuple(stored.get("folders", ())))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write_kept(adapter: Adapter, kept: _Kept) -> None:
    _replace(_kept_file(adapter), json.dumps(asdict(kept), indent=1) + "\n")


def _replace(file: Path, text: str, *, executable: bool = False, fresh: int = 0o600) -> None:
    """In one step, with the mode that the file has; a new one is for its owner alone."""
    mode = file.stat().st_mode & 0o777 if file.exists() else fresh
    write_whole(file, text.encode(), mode | (mode & 0o444) >> 2 if executable else mode)
