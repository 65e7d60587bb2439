"""Putting the hooks into a repository, and taking them out: scripts, hook files or configuration, and what was done.

`<git common dir>/foureyes/` holds the scripts, the journal, and `settings`, which says what install did, so that
uninstall undoes exactly that.
"""

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from foureyes.hooks import config_hooks, hook_files, managers, runtime, sharing
from foureyes.hooks.capture_files import BEGUN, BOOTED, EVENTS, OF_AGENT, SCRIPTS, STYLES, render
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.journal import journal_dir
from foureyes.hooks.managers import Manager
from foureyes.hooks.repo import Answer, Repo
from foureyes.hooks.version import VERSION
from foureyes.hooks.whole_file import way_out, write_whole
from foureyes.shared.errors import UserError

SETTINGS = "settings"


@dataclass(frozen=True)
class Settings:
    """`how` is `config`, `files`, `by hand` where another tool owns the hooks folder and a person adds the line, or
    `everywhere` for the hooks of all of a user's repositories. `set_login`: the login was put into the configuration,
    in place of `login_before` if there was one. `where` is git's folder as it was then: a repository can be moved.
    `made`: a file and folders in the user's home that were not there before.
    """

    style: str
    python: str
    path: tuple[str, ...]
    how: str = ""
    made_hooks_folder: bool = False
    set_login: bool = False
    login_before: str = ""
    version: str = VERSION
    where: str = ""
    made: tuple[str, ...] = ()


def settings_for(*, style: str) -> Settings:
    """Settings for this installation of foureyes. Raises UserError if a hook could not start it."""
    if style not in STYLES:
        raise UserError(
            f"foureyes.trailers is {style!r}, which is no style of trailers",
            next_step=f"set it to one of: {', '.join(STYLES)}",
            exit_code=2,
        )
    found = Settings(style, runtime.interpreter(), runtime.import_path())
    runtime.check(found.python, found.path)
    return found


def read_settings(repo: Repo) -> Settings | None:
    """What install wrote; None if foureyes is not installed here, or by a version that wrote something else."""
    return settings_in(repo.home)


def settings_in(folder: Path) -> Settings | None:
    try:
        stored = json.loads((folder / SETTINGS).read_text("utf-8"))
        lists = {"path": tuple(stored["path"]), "made": tuple(stored.get("made", ()))}
        return Settings(**{**stored, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_settings(repo: Repo, settings: Settings) -> None:
    write_file(repo.home / SETTINGS, json.dumps(asdict(settings), indent=1) + "\n")


def put_in_place(repo: Repo, settings: Settings) -> Settings:
    """Scripts first, then the hooks that run them. Whatever fails, nothing half-written stays. Answers the settings
    with `how` filled in. Raises UserError.
    """
    before = read_settings(repo)
    how = choose(repo)
    folder = hook_files.hooks_folder(repo)
    done = Settings(
        settings.style,
        settings.python,
        settings.path,
        how,
        made_hooks_folder=before.made_hooks_folder if before else not folder.exists(),
        set_login=before.set_login if before else False,
        login_before=before.login_before if before else "",
        where=str(repo.common_dir),
    )
    try:
        shared = _make_home(repo)
        scripts = render(catalogue(), style=done.style, python=done.python, path=done.path, shared=shared)
        for name, text in scripts.items():
            write_file(repo.home / name, text)
        others = before is not None and before.how == "files" and how == "by hand" and _is_only_here(repo)
        if before is not None and before.how != how and not others:
            _take_hooks_out(repo, before)
        if how == "config":
            config_hooks.write(repo)
        elif how == "files":
            found = managers.find(repo)
            hook_files.write(folder, [e for e in EVENTS if not any(_hands_on(m, folder, e) for m in found)])
        write_settings(repo, replace(done, how="files") if others else done)
    except BaseException as error:
        if before is None:
            with contextlib.suppress(OSError, UserError):
                take_away(repo, done, forget=True)
        if isinstance(error, OSError):
            raise UserError(
                f"the hooks could not be written: {error.filename}: {error.strerror}",
                next_step=way_out(error, "foureyes install"),
            ) from error
        raise
    return done


def _make_home(repo: Repo) -> bool:
    """Whether it is for more than one user."""
    shared = sharing.is_wanted(repo.config("core.sharedRepository"))
    journal_dir(repo.common_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    if shared:
        sharing.open_up(repo.home)
    else:
        repo.home.chmod(0o700)
    return shared


def choose(repo: Repo) -> str:
    """How hooks get into this repository: by git's version, and by who owns the hooks folder."""
    if repo.version >= config_hooks.OLDEST_GIT:
        return "config"
    if repo.config("core.hooksPath") is None or hook_files.hooks_folder(repo) == repo.common_dir / "hooks":
        return "files"
    return "by hand"


def _is_only_here(repo: Repo) -> bool:
    """Whether git looks for hooks elsewhere in this work tree alone: the others have theirs where they were."""
    apart = repo.config("extensions.worktreeConfig") == "true"
    return apart and bool(repo.config_all("core.hooksPath", "--worktree"))


def in_place(repo: Repo, settings: Settings) -> tuple[str, ...]:
    """Events whose hook would run now."""
    if settings.how in {"config", "everywhere"}:
        if repo.version < config_hooks.OLDEST_GIT:
            return ()
        one, all_ = config_hooks.in_place, config_hooks.in_place_everywhere
        return one(repo) if settings.how == "config" else all_(repo)
    folder = hook_files.hooks_folder(repo)
    found = managers.find(repo)
    owners = [manager for manager in found if manager.owns_hooks]
    if settings.how == "by hand" or owners:
        return tuple(event for event in EVENTS if any(manager.calls_us(event) for manager in owners))
    ours = hook_files.in_place(folder)
    return tuple(e for e in EVENTS if e in ours or any(_hands_on(manager, folder, e) for manager in found))


def _hands_on(manager: Manager, folder: Path, event: str) -> bool:
    """Whether the hook file is the manager's own, and its configuration calls us."""
    return manager.calls_us(event) and hook_files.is_generated(folder / event) and not manager.owns_hooks


def is_there(repo: Repo) -> bool:
    """Whether anything of ours is in a repository, be it only a part."""
    ours = hook_files.in_place(hook_files.hooks_folder(repo)) or config_hooks.in_place(repo)
    return bool(ours) or any((repo.home / name).exists() for name in (*SCRIPTS, SETTINGS))


def take_away(repo: Repo, settings: Settings, *, forget: bool) -> tuple[str, ...]:
    """The way back. Journal and evidence stay unless `forget`: later pushes may still need what was noted. Answers the
    hook files that another tool holds now, with the previous hook still kept beside them.
    """
    held = _take_hooks_out(repo, settings)
    if settings.set_login:
        bring_login_back(partial(repo.ask, "config", "--local"), settings)
    for name in (*SCRIPTS, BOOTED, SETTINGS):
        (repo.home / name).unlink(missing_ok=True)
    for file in (*repo.home.glob(f"{OF_AGENT}*.sh"), *repo.home.glob(f"{BEGUN}*")):
        file.unlink()
    if forget:
        shutil.rmtree(repo.home, ignore_errors=True)
    with contextlib.suppress(OSError):
        journal_dir(repo.common_dir).rmdir()
        repo.home.rmdir()
    return held


def bring_login_back(config: Callable[..., Answer], settings: Settings) -> None:
    """`config` is git's, with the scope in which install wrote."""
    if settings.login_before:
        config("--replace-all", "foureyes.login", settings.login_before)
    else:
        config("--unset-all", "foureyes.login")


def _take_hooks_out(repo: Repo, settings: Settings) -> tuple[str, ...]:
    config_hooks.remove(repo)
    if settings.how != "files":
        return ()
    elsewhere = repo.config("core.hooksPath") is not None
    folder = repo.common_dir / "hooks" if elsewhere else hook_files.hooks_folder(repo)
    held = hook_files.remove(folder)
    if settings.made_hooks_folder:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return held


def write_file(file: Path, text: str) -> None:
    """In one step, so that a commit that runs at this moment reads the old or the new."""
    write_whole(file, text.encode(), sharing.keep_to(file.parent))
