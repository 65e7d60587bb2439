"""A repository with foureyes' real hooks, and a remote to push to."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from unittest.mock import patch

from support_git import foureyes, git, make_repo, run

from foureyes.shared.record import Record, parse_record
from foureyes.shared.record_ref import record_ref


def install(repo: Path) -> None:
    foureyes(repo, "install", "--login", "olga")


def make_hooked(path: Path, *, first_commit: bool = True) -> Path:
    repo = make_repo(path, first_commit=first_commit)
    install(repo)
    return repo


@cache
def _kept(make: Callable[[Path], Path]) -> tuple[TemporaryDirectory[str], Path]:
    assert "GIT_CONFIG_NOSYSTEM" in os.environ, "made before the seal"
    folder = TemporaryDirectory(prefix="made-once-")
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR_", "GIT_COMMITTER_"))]:
            del os.environ[name]  # the first test's own are not everybody's
        return folder, make(Path(folder.name))


def made_once(make: Callable[[Path], Path]) -> Path:
    """What `make` makes in a folder, for all tests of a worker: to be read or copied. A fixture for a whole module would
    be made before the seal, with this machine's configuration and markers.
    """
    return _kept(make)[1]


def _installed(folder: Path) -> Path:
    return make_hooked(folder / "repo")


def copy_hooked(path: Path) -> Path:
    """The same as `make_hooked`, for tests in which it does not matter how it was installed: a copy of one that was
    made once, in a fiftieth of the time.
    """
    copytree(made_once(_installed), path, symlinks=True)
    return path


def hook_command(repo: Path, event: str) -> list[str]:
    """What git runs for our hook here, from its configuration or from a file; the hook's arguments follow."""
    command = run(["git", "config", f"hook.foureyes-{event}.command"], repo, ok=False).stdout.decode()
    return ["sh", "-c", f'{command.strip()} "$@"', event] if command else ["sh", f".git/hooks/{event}"]


def make_remote(repo: Path, path: Path) -> Path:
    """A bare repository, as `origin` of `repo`, that has its main branch as it is now, without records."""
    git(repo, "clone", "-q", "--bare", repo, path)
    git(repo, "remote", "add", "origin", str(path))
    git(repo, "fetch", "-q", "origin")
    return path


def copy_with_remote(made: Path, folder: Path) -> Path:
    """A copy of `made`, and of its `origin` beside it, both of these names in `folder`."""
    remote = Path(git(made, "remote", "get-url", "origin"))
    for one in (made, remote):
        copytree(one, folder / one.name, symlinks=True)
    git(folder / made.name, "remote", "set-url", "origin", str(folder / remote.name))
    return folder / made.name


def push(repo: Path, *arguments: str, env: dict[str, str] | None = None, ok: bool = True) -> str:
    """`git push`; answers what was said on stderr."""
    return run(["git", "push", "-q", *arguments], repo, env=env, ok=ok).stderr.decode()


def files(remote: Path, branch: str) -> dict[str, bytes]:
    ref = record_ref(branch)
    if not git(remote, "for-each-ref", ref):
        return {}
    names = git(remote, "ls-tree", "-r", "--name-only", ref).split()
    return {name: run(["git", "cat-file", "blob", f"{ref}:{name}"], remote).stdout for name in names}


def records(remote: Path, branch: str) -> dict[str, Record]:
    return {
        name.removeprefix("records/"): parse_record(data)
        for name, data in files(remote, branch).items()
        if name.startswith("records/")
    }


def envelopes(remote: Path, branch: str) -> list[bytes]:
    return [data for name, data in files(remote, branch).items() if name.startswith("pushes/")]


def refuse_records(remote: Path, script: str = "echo no such refs here >&2; exit 1") -> None:
    hook = remote / "hooks" / "update"
    hook.write_text(f"#!/bin/sh\ncase $1 in refs/foureyes/*) {script} ;; esac\n")
    hook.chmod(0o755)
