"""A repository with foureyes' real hooks, and a remote to push to."""

import sys
from pathlib import Path

from support_git import CHECKOUT, foureyes, git, make_repo

from foureyes.hooks.capture_files import EVENTS, bootstrap, render
from foureyes.hooks.catalogue import catalogue


def install(repo: Path) -> None:
    if not (CHECKOUT / "hooks" / "install.py").exists():
        home = repo / ".git" / "foureyes"
        (home / "journal").mkdir(parents=True)
        path = [str(CHECKOUT / ".types"), *(p for p in sys.path if p.endswith("site-packages"))]
        for name, text in render(catalogue(), style="assisted-by", python=sys.executable, path=path).items():
            (home / name).write_text(text)
        for event in EVENTS:
            hook = repo / ".git" / "hooks" / event
            hook.write_text(f"#!/bin/sh\n{bootstrap(event)}\nexit 0\n")
            hook.chmod(0o755)
        return
    foureyes(repo, "install")


def make_hooked(path: Path, *, first_commit: bool = True) -> Path:
    repo = make_repo(path, first_commit=first_commit)
    install(repo)
    git(repo, "config", "foureyes.login", "olga")
    return repo


def make_remote(repo: Path, path: Path) -> Path:
    """A bare repository, as `origin` of `repo`, that has its main branch as it is now, without records."""
    git(repo, "clone", "-q", "--bare", repo, path)
    git(repo, "remote", "add", "origin", str(path))
    git(repo, "fetch", "-q", "origin")
    return path
