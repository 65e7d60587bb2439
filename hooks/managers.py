"""Hook managers of a project (husky, lefthook, pre-commit, prek, or a folder of hooks), and the lines in their own
form that have them call us.

With git 2.54 and newer none of this is needed: hooks in the configuration run beside all of them. Before, a manager
that owns the hooks folder, or takes it back, must call us itself.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foureyes.hooks.capture_files import EVENTS, native_line
from foureyes.hooks.repo import Repo

_LEFTHOOK = (
    *("lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml"),
    *(".config/lefthook.yml", ".config/lefthook.yaml"),
    *("lefthook.toml", ".lefthook.toml", "lefthook.json", ".lefthook.json"),
)
_PRE_COMMIT = (".pre-commit-config.yaml", ".pre-commit-config.yml")
_PREK = ("prek.toml",)
# pre-commit hands git's input to no hook but pre-push's, and there not in git's words.
_PRE_COMMIT_EVENTS = ("prepare-commit-msg", "post-commit")
_WITH_INPUT = {"pre-push", "post-rewrite"}
# lefthook puts git's arguments into the text of the command.
_LEFTHOOK_ARGUMENTS = {
    "prepare-commit-msg": '"{1}" "{2}"',
    "post-merge": '"{1}"',
    "post-rewrite": '"{1}"',
    "pre-push": '"{1}" "{2}"',
}


@dataclass(frozen=True)
class Manager:
    """`place` is the file that a person would edit, or the folder of husky's or the project's own hooks. `owns_hooks`:
    git looks for hooks there and nowhere else, so that only this manager can call us.
    """

    name: str
    place: Path
    owns_hooks: bool = False

    @property
    def events(self) -> tuple[str, ...]:
        """Hooks that it can hand on to us."""
        return _PRE_COMMIT_EVENTS if self.name in {"pre-commit", "prek"} else EVENTS

    @property
    def takes_hooks_back(self) -> bool:
        """It moves hook files of others away, unread, when it sets itself up."""
        return self.name == "lefthook"

    def calls_us(self, event: str) -> bool:
        """Whether its file for this hook mentions us. That it runs is proved by a commit, not here."""
        if event not in self.events or (self.name == "folder" and not os.access(self.file(event), os.X_OK)):
            return False
        text = _text(self.file(event))
        return _call(event) in text or (self.name in {"pre-commit", "prek"} and f"foureyes-{event}" in text)

    def file(self, event: str) -> Path:
        return self.place / event if self.name in {"husky", "folder"} else self.place

    @property
    def shown(self) -> str:
        return "the hooks folder" if self.name == "folder" else self.name


def find(repo: Repo) -> tuple[Manager, ...]:
    """The hook managers that this work tree is set up for, by their own files."""
    if repo.work_tree is None:
        return ()
    top = repo.work_tree
    found = []
    elsewhere = _hooks_path(repo)
    if elsewhere is not None and elsewhere.name == "_":
        found.append(Manager("husky", elsewhere.parent, owns_hooks=True))
    elif elsewhere is not None and elsewhere.is_dir():
        found.append(Manager("folder", elsewhere, owns_hooks=True))
    elif (top / ".husky").is_dir():
        found.append(Manager("husky", top / ".husky"))
    for name, files in (("lefthook", _LEFTHOOK), ("pre-commit", _PRE_COMMIT), ("prek", _PREK)):
        found += [Manager(name, top / file) for file in files if (top / file).is_file()][:1]
    return tuple(found)


def _hooks_path(repo: Repo) -> Path | None:
    """The folder that `core.hooksPath` names, where that is not git's own."""
    value = repo.config("core.hooksPath")
    if not value or repo.work_tree is None:
        return None
    folder = repo.work_tree / Path(value).expanduser()
    return None if folder.resolve() == (repo.common_dir / "hooks").resolve() else folder


def snippet(manager: Manager) -> str:
    """What to add to the manager's own files, as a person would write it."""
    if manager.name == "lefthook":
        return lefthook_yaml(EVENTS)
    if manager.name == "pre-commit":
        return pre_commit_yaml()
    if manager.name == "prek":
        return prek_toml()
    return "\n".join(f"{manager.file(event)}:  {native_line(event)}" for event in EVENTS)


def lefthook_command(event: str) -> dict[str, Any]:
    """lefthook's own form of one command."""
    command: dict[str, Any] = {"run": native_line(event, _LEFTHOOK_ARGUMENTS.get(event, ""))}
    return command | ({"use_stdin": True} if event in _WITH_INPUT else {})


def lefthook_yaml(events: tuple[str, ...]) -> str:
    lines = []
    for event in events:
        lines += [f"{event}:", "  commands:", "    foureyes:"]
        lines += [f"      {key}: {scalar(value)}" for key, value in lefthook_command(event).items()]
    return "\n".join(lines) + "\n"


def pre_commit_repo() -> dict[str, Any]:
    """A `local` repository of pre-commit's and prek's configuration: nothing is downloaded for it."""
    return {"repo": "local", "hooks": [_pre_commit_hook(event) for event in _PRE_COMMIT_EVENTS]}


def _pre_commit_hook(event: str) -> dict[str, Any]:
    return {
        "id": f"foureyes-{event}",
        "name": "foureyes",
        "entry": f"sh -c '{native_line(event)}' foureyes",
        "language": "system",
        "stages": [event],
        "always_run": True,
    }


def pre_commit_yaml() -> str:
    lines = ["- repo: local", "  hooks:"]
    for hook in pre_commit_repo()["hooks"]:
        pairs = [f"{key}: {scalar(value)}" for key, value in hook.items()]
        lines += [f"  - {pairs[0]}", *(f"    {pair}" for pair in pairs[1:])]
    return "\n".join(lines) + "\n"


def prek_toml() -> str:
    rows = []
    for hook in pre_commit_repo()["hooks"]:
        rows.append("  { " + ", ".join(f"{key} = {scalar(value)}" for key, value in hook.items()) + " },")
    return "\n".join(["[[repos]]", 'repo = "local"', "hooks = [", *rows, "]"]) + "\n"


def scalar(value: object) -> str:
    """In JSON's form, which YAML and TOML read alike."""
    return json.dumps(value, ensure_ascii=False)


def _call(event: str) -> str:
    return f'$foureyes" {event}'


def _text(file: Path) -> str:
    with contextlib.suppress(OSError):
        # In JSON's form a quote has a backslash before it.
        return file.read_text("utf-8", "replace").replace('\\"', '"')
    return ""
