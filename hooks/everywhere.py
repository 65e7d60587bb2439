"""`foureyes install --global`: hooks for all repositories of a user, through git's own configuration.

Only git 2.54 and newer can do that beside other hooks. Before, the one way is `core.hooksPath`, which would switch off
the hooks of every repository and make pre-commit and lefthook refuse to work: so it is not offered.
"""

import contextlib
import json
import os
import shutil
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from foureyes.hooks import config_hooks, place
from foureyes.hooks.capture_files import render
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.place import Settings
from foureyes.hooks.repo import Repo, git_version, run_git
from foureyes.hooks.whole_file import way_out
from foureyes.shared.errors import UserError

HOW = "everywhere"


def folder() -> Path:
    """Where the scripts of all repositories are."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "foureyes" / "git-hooks"


def settings_of(repo: Repo) -> Settings | None:
    """What serves this repository: its own hooks, else those of all repositories."""
    return place.read_settings(repo) or place.settings_in(folder())


def put_in_place(settings: Settings, login: str | None) -> Settings:
    """Raises UserError, with nothing written, if this git cannot do it."""
    version = git_version(Path.home())
    if version < config_hooks.OLDEST_GIT:
        raise UserError(
            f"git {'.'.join(map(str, version))} cannot run one hook for all repositories beside their own",
            why="before git 2.54 only core.hooksPath does that, which turns every repository's own hooks off",
            next_step="run `foureyes install` in each repository, or upgrade git to 2.54 or newer",
        )
    before = place.settings_in(folder())
    done = replace(settings, how=HOW, made=before.made if before else _to_make())
    if before:
        done = replace(done, set_login=before.set_login, login_before=before.login_before)
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in render(catalogue(), style=done.style, python=done.python, path=done.path).items():
            place.write_file(folder() / name, text)
        config_hooks.write_everywhere(_ask(), str(folder()))
        if login is not None and _login() != login:
            if not done.set_login:
                done = replace(done, set_login=True, login_before=_login())
            _ask()("config", "--global", "--replace-all", "foureyes.login", login)
        place.write_file(folder() / place.SETTINGS, json.dumps(asdict(done), indent=1) + "\n")
    except BaseException as error:
        if before is None:
            with contextlib.suppress(OSError, UserError):
                take_away(done)
        if isinstance(error, OSError):
            raise UserError(
                f"the hooks could not be written: {error.filename}: {error.strerror}",
                next_step=way_out(error, "foureyes install --global"),
            ) from error
        raise
    return done


def take_away(settings: Settings) -> None:
    """The way back. What the hooks noted stays in each repository, for records that are not published yet."""
    config_hooks.remove_everywhere(_ask())
    if settings.set_login:
        place.bring_login_back(partial(_ask(), "config", "--global"), settings)
    shutil.rmtree(folder(), ignore_errors=True)
    for made in map(Path, (str(folder().parent), *settings.made)):
        with contextlib.suppress(OSError):
            if made.is_dir():
                made.rmdir()
            elif made.stat().st_size == 0:
                made.unlink()


def _to_make() -> tuple[str, ...]:
    """What is not there yet: folders, the innermost first, and the file that git makes for the user's configuration."""
    own = Path(os.environ.get("GIT_CONFIG_GLOBAL") or Path.home() / ".gitconfig")
    is_there = own.exists() or (folder().parent.parent / "git" / "config").exists()
    folders = (str(path) for path in folder().parents if not path.exists())
    return (*folders, *(() if is_there else (str(own),)))


def _login() -> str:
    return os.fsdecode(_ask()("config", "--global", "foureyes.login").out).strip()


def _ask() -> config_hooks.Ask:
    return partial(run_git, cwd=Path.home())
