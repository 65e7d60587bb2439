"""A throwaway commit that shows the hooks at work: made in a temporary repository that is set up as this one is, so
that neither the repository nor its journal is touched.
"""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks import hook_files, managers
from foureyes.hooks.capture_files import EVENTS
from foureyes.hooks.catalogue import catalogue
from foureyes.hooks.journal import journal_dir, read_journal
from foureyes.hooks.repo import Repo, run_git, run_git_with_limit
from foureyes.shared.errors import UserError

_PLAIN = ("-c", "user.name=foureyes", "-c", "user.email=proof@foureyes.invalid", "-c", "commit.gpgSign=false")
_COMMIT = ("commit", "-q", "--allow-empty", "--no-verify", "-m", "proof")
_SECONDS = 60.0
# What changes where hooks come from and what they do; nothing else of a repository's configuration is needed.
_CONFIGURATION = r"^(core\.hookspath|hook\.|foureyes\.)"


@dataclass(frozen=True)
class Proof:
    """`recorded`: a hook noted the commit. `with_trailers`: it says that an agent made it, where one was said to be at
    work. `milliseconds`: the commit, hooks of others included. `said`: what was printed on the way.
    """

    recorded: bool
    with_trailers: bool
    milliseconds: float
    said: str


def recorded_in(repo: Repo) -> float:
    """Milliseconds that a commit takes here. Raises UserError if it was not recorded."""
    proof = rehearse(repo)
    if not proof.recorded:
        raise _not_proved(proof.said or "git ran, and no hook noted the commit")
    return proof.milliseconds


def rehearse(repo: Repo, *, as_agent: bool = False) -> Proof:
    """Commit in a copy of this repository's hooks. Raises UserError if there cannot be one, or git fails in it.

    Hooks of others run where ours are called by them, and not where ours only keep them beside.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="foureyes-proof-") as name:
            return _commit(repo, Path(os.path.realpath(name)), _marker() if as_agent else {})
    except (OSError, shutil.Error) as error:
        raise _not_proved(str(error)) from error


def _commit(repo: Repo, top: Path, marker: dict[str, str]) -> Proof:
    env = _unbound(repo) | marker
    answer = run_git("init", "-q", "--template=", str(top), cwd=top, env=env)
    if answer.status != 0:
        raise _not_proved(answer.words.strip())
    copy = Repo(top, top / ".git", top / ".git")
    _copy_configuration(repo, top, env)
    _copy_hooks(repo, copy)
    start = time.perf_counter()
    answer = run_git_with_limit(*_PLAIN, *_COMMIT, cwd=top, env=env, seconds=_SECONDS)
    took = (time.perf_counter() - start) * 1000
    if answer.status != 0:
        raise _not_proved(answer.words.strip() or f"git commit ended with status {answer.status}")
    made = run_git("log", "-1", "--format=%H%n%B", cwd=top, env=env).out.decode("utf-8", "replace")
    recorded = made.partition("\n")[0] in read_journal(copy.common_dir)
    return Proof(recorded, "\nProvenance-Id: " in made, took, answer.words.strip())


def _unbound(repo: Repo) -> dict[str, str]:
    """This environment without what binds git to one repository."""
    bound = repo.git("rev-parse", "--local-env-vars").decode().split()
    return {name: value for name, value in os.environ.items() if name not in bound}


def _marker() -> dict[str, str]:
    """A variable that only an agent's shell has."""
    for agent in catalogue().agents:
        for variable in agent.environment:
            shown = {variable.name: variable.value or "1"}
            if variable.name.isidentifier() and any(mark.strong for mark in catalogue().by_env(shown)):
                return shown
    return {}


def _copy_configuration(repo: Repo, top: Path, env: dict[str, str]) -> None:
    answer = repo.ask("config", "-z", "--show-scope", "--get-regexp", _CONFIGURATION)
    fields = os.fsdecode(answer.out).split("\0")
    for scope, setting in zip(fields[0::2], fields[1::2], strict=False):
        name, _, value = setting.partition("\n")
        if scope in {"local", "worktree"}:
            run_git("config", "--add", name, value, cwd=top, env=env)


def _copy_hooks(repo: Repo, copy: Repo) -> None:
    for script in repo.home.glob("*.sh"):
        journal_dir(copy.common_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(script, copy.home)
    theirs = hook_files.hooks_folder(repo)
    if theirs == repo.common_dir / "hooks" and theirs.is_dir():
        _copy_hook_files(theirs, copy.common_dir / "hooks")
    assert repo.work_tree is not None  # noqa: S101 -- bare repositories are refused before
    assert copy.work_tree is not None  # noqa: S101
    for manager in managers.find(repo):
        _copy_place(manager.place, repo.work_tree, copy.work_tree)
    if theirs.is_relative_to(repo.work_tree) and not repo.is_gits_own(theirs):
        _copy_place(theirs, repo.work_tree, copy.work_tree)
    if (repo.work_tree / "node_modules").is_dir():
        (copy.work_tree / "node_modules").symlink_to(repo.work_tree / "node_modules")


def _copy_hook_files(theirs: Path, ours: Path) -> None:
    ours.mkdir()
    for event in EVENTS:
        for file in (theirs / event, theirs / f"{event}.legacy"):
            if file.is_file():
                shutil.copy(file, ours)


def _copy_place(place: Path, top: Path, copy: Path) -> None:
    """A file or folder of the work tree; one outside of it serves the copy where it is."""
    if not place.exists() or not place.is_relative_to(top):
        return
    there = copy / place.relative_to(top)
    if place.is_dir():
        shutil.copytree(place, there, ignore_dangling_symlinks=True, dirs_exist_ok=True)
    else:
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place, there)


def _not_proved(why: str) -> UserError:
    return UserError(
        f"a throwaway commit was not recorded: {' '.join(why.split())}",
        why="your commits would count as having no record",
        next_step="see `foureyes doctor`; `foureyes uninstall` takes the hooks out again",
    )
