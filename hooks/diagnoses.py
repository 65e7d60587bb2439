"""What can be wrong between a commit and its record: each found by looking, with the command that mends it."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from foureyes.hooks import config_hooks, everywhere, hook_files, keys, managers, place, proof, runtime, who
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.journal import journal_dir
from foureyes.hooks.keys import SigningKey
from foureyes.hooks.place import Settings
from foureyes.hooks.policy_file import trailers_of
from foureyes.hooks.repo import Repo, run_git
from foureyes.hooks.version import VERSION
from foureyes.hooks.who import Login
from foureyes.shared.errors import UserError
from foureyes.shared.finding import Finding, State

_INSTALL = "foureyes install"
_HOW = {
    "config": "config hooks",
    "files": "hook files",
    "by hand": "called by another tool's hooks",
    everywhere.HOW: "config hooks of all your repositories",
}


@dataclass(frozen=True)
class Look:
    """One look at a repository. `online`: GitHub may be asked, through `gh`."""

    repo: Repo
    online: bool = False

    @cached_property
    def settings(self) -> Settings | None:
        return everywhere.settings_of(self.repo)

    @cached_property
    def how(self) -> str:
        return self.settings.how if self.settings else ""

    @cached_property
    def managers(self) -> tuple[managers.Manager, ...]:
        return managers.find(self.repo)

    @cached_property
    def login(self) -> Login | None:
        return who.find(self.repo)

    @cached_property
    def key(self) -> SigningKey | None:
        return keys.find(self.repo)


Diagnosis = Callable[[Look], Iterator[Finding]]


def git(look: Look) -> Iterator[Finding]:
    try:
        version = look.repo.version
    except UserError as error:
        yield Finding("git", State.PROBLEM, error.what, "install git 2.30 or newer")
        return
    shown = ".".join(map(str, version[:3]))
    others = [
        f"{path} ({'.'.join(map(str, older))})"
        for path, older in _other_gits()
        if older < config_hooks.OLDEST_GIT
    ]
    if look.how in {"config", everywhere.HOW} and version >= config_hooks.OLDEST_GIT and others:
        yield Finding(
            "git",
            State.NOTE,
            f"git {shown} runs the hooks; {', '.join(others)} would not: commits made with it have no record",
            "use the newer git everywhere",
        )
    else:
        yield Finding("git", State.GOOD, f"git {shown}")


def _other_gits() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every git on PATH but the first, with its version as it says itself."""
    seen = {os.path.realpath(shutil.which("git") or "")}
    for folder in os.get_exec_path():
        file = shutil.which("git", path=folder)
        if file is None or os.path.realpath(file) in seen:
            continue
        seen.add(os.path.realpath(file))
        words = run_git("version", cwd=Path("/"), program=file).out.decode("utf-8", "replace").split()
        numbers = [part for part in (words[2] if len(words) > 2 else "").split(".") if part.isdigit()]
        if numbers:
            yield file, tuple(map(int, numbers))


def hooks(look: Look) -> Iterator[Finding]:
    """Are they in place, and do they run? The second is proved."""
    dead = list(_hooks_path(look))
    yield from dead
    if look.settings is None:
        yield Finding("hooks", State.PROBLEM, "not installed in this repository", _INSTALL)
        return
    if any(finding.state is State.PROBLEM for finding in dead):
        return  # what else does not run follows from that
    working = place.in_place(look.repo, look.settings)
    missing = [event for event in EVENTS if event not in working]
    if missing:
        yield Finding("hooks", State.PROBLEM, *_why_missing(look, missing))
    else:
        yield Finding("hooks", State.GOOD, _HOW[look.how])
    yield from _proof(look)


def _hooks_path(look: Look) -> Iterator[Finding]:
    value = look.repo.config("core.hooksPath")
    if value is None or (value and hook_files.hooks_folder(look.repo).is_dir()):
        return
    shown = f"core.hooksPath is {value}, no folder" if value else "core.hooksPath is empty"
    if look.how in {"config", everywhere.HOW}:
        yield Finding("hooks", State.NOTE, f"{shown}: only config hooks run")
    else:
        mend = f"{look.repo.unset('core.hooksPath')} && {_INSTALL}"
        yield Finding("hooks", State.PROBLEM, f"{shown}: no hook runs", mend)


def _why_missing(look: Look, missing: list[str]) -> tuple[str, str]:
    names = ", ".join(missing)
    if look.how in {"config", everywhere.HOW}:
        if look.repo.version < config_hooks.OLDEST_GIT:
            version = ".".join(map(str, look.repo.version[:3]))
            return f"installed for a newer git, and git {version} knows no config hooks", _INSTALL
        hook = "hook.foureyes-everywhere" if look.how == everywhere.HOW else "hook.foureyes"
        off = [f"{hook}-{event}.enabled" for event in missing if look.repo.config(f"{hook}-{event}.enabled")]
        if off:
            return f"switched off: {names}", look.repo.unset(off[0])
        return f"gone from git's configuration: {names}", _INSTALL + _global(look)
    owners = [manager for manager in look.managers if manager.owns_hooks]
    if owners:
        return f"{owners[0].shown} does not call them: {names}", f"{_INSTALL} --write"
    replaced = [event for event in missing if _replaced(look.repo, event)]
    if replaced:
        by = next((m.name for m in look.managers if m.takes_hooks_back), "another tool")
        mend = f"{_INSTALL} --write" if by == "lefthook" else _INSTALL
        return f"{by} has replaced ours: {', '.join(replaced)}", mend
    return f"gone or not executable: {names}", _INSTALL


def _replaced(repo: Repo, event: str) -> bool:
    folder = hook_files.hooks_folder(repo)
    return (folder / event).exists() and not hook_files.is_ours(folder / event)


def _global(look: Look) -> str:
    return " --global" if look.how == everywhere.HOW else ""


def _proof(look: Look) -> Iterator[Finding]:
    try:
        done = proof.rehearse(look.repo, as_agent=True)
    except UserError as error:
        yield Finding("proof", State.PROBLEM, error.what, _INSTALL + _global(look))
        return
    if not done.recorded:
        said = f": {' '.join(done.said.split())}" if done.said else ""
        yield Finding(
            "proof", State.PROBLEM, f"a throwaway commit was not recorded{said}", _INSTALL + _global(look)
        )
    elif not done.with_trailers:
        yield Finding(
            "proof",
            State.PROBLEM,
            "a throwaway commit was recorded, but an agent's trailers were not added to it",
            _INSTALL + _global(look),
        )
    else:
        yield Finding("proof", State.GOOD, f"throwaway commit recorded in {done.milliseconds:.0f} ms")


def other_tools(look: Look) -> Iterator[Finding]:
    for manager in look.managers:
        calls = [event for event in manager.events if manager.calls_us(event)]
        if len(calls) == len(manager.events):
            yield Finding("beside", State.GOOD, f"{manager.shown} calls our hooks")
        elif look.how == "files" and manager.takes_hooks_back:
            yield Finding(
                "beside",
                State.NOTE,
                f"{manager.shown} moves our hooks away when it is installed again",
                f"{_INSTALL} --write",
            )
        elif not manager.owns_hooks or look.how in {"config", everywhere.HOW}:
            yield Finding("beside", State.GOOD, f"{manager.shown} runs beside our hooks")


def installation(look: Look) -> Iterator[Finding]:
    """The foureyes that the hooks start at a push: is it there, and is it this one?"""
    settings = look.settings
    if settings is None:
        return
    mend = _INSTALL + _global(look)
    if not os.access(settings.python, os.X_OK):
        yield Finding(
            "foureyes", State.PROBLEM, f"the Python that hooks start is gone: {settings.python}", mend
        )
        return
    try:
        runtime.check(settings.python, settings.path)
    except UserError as error:
        yield Finding(
            "foureyes", State.PROBLEM, f"it has moved since hooks were installed: {error.what}", mend
        )
        return
    if settings.version != VERSION:
        yield Finding(
            "foureyes",
            State.PROBLEM,
            f"the hooks are of foureyes {settings.version}, this is {VERSION}",
            mend,
        )
    elif settings.path[:1] != runtime.import_path()[:1]:
        yield Finding(
            "foureyes", State.NOTE, f"hooks start another foureyes than this: {settings.path[0]}", mend
        )
    else:
        yield Finding("foureyes", State.GOOD, f"foureyes {VERSION}, started with {settings.python}")
    wanted = trailers_of(look.repo.work_tree)
    if wanted and wanted != settings.style and not look.repo.config("foureyes.trailers"):
        everyones = f"git config foureyes.trailers {wanted}" if look.how == everywhere.HOW else _INSTALL
        what = f"the policy has agents named by `{wanted}`, and these hooks do not"
        yield Finding("trailers", State.NOTE, what, everyones)


def journal(look: Look) -> Iterator[Finding]:
    """Where hooks note what they see."""
    if look.settings is None:
        return
    folder = journal_dir(look.repo.common_dir)
    places = [look.repo.common_dir, look.repo.home]
    evidence = look.repo.home / "evidence"
    for part in (folder, evidence, evidence / "sessions", evidence / "pending"):
        places.append(part)
        with contextlib.suppress(OSError):
            places += sorted(part.iterdir())
    for path in places:
        if os.path.lexists(path) and not _can_be_used(path):
            yield Finding("journal", State.PROBLEM, f"{path} cannot be written or read", _made_usable(path))
            return
    no_folder = [path for path in (folder, evidence) if path.exists() and not path.is_dir()]
    if no_folder:
        mend = f"rm '{no_folder[0]}' && {_INSTALL}"
        yield Finding("journal", State.PROBLEM, f"{no_folder[0]} is not a folder", mend)
    elif shutil.disk_usage(look.repo.common_dir).free == 0:
        yield Finding("journal", State.PROBLEM, "the disk is full: nothing can be noted", "free some space")
    else:
        yield Finding("journal", State.GOOD, "can be written")


def _can_be_used(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0))


def _made_usable(path: Path) -> str:
    """An agent in a container may have made it as another user."""
    own = path.lstat().st_uid == os.geteuid()
    return f"chmod u+rwX '{path}'" if own else f"sudo chown -R $(id -u) '{path}'"
