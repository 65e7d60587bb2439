"""A git that knows hooks in the configuration (2.54): the one that FOUREYES_GIT names, else the one on PATH."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NEWER_GIT = os.environ.get("FOUREYES_GIT") or shutil.which("git") or "git"


def _version() -> tuple[int, ...]:
    words = subprocess.run([NEWER_GIT, "version"], capture_output=True, text=True).stdout.split()
    return tuple(int(part) for part in words[2].split(".") if part.isdigit())


needs_newer_git = pytest.mark.skipif(_version() < (2, 54), reason="needs git 2.54 (name one in FOUREYES_GIT)")


def use_newer_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put it first on PATH; answers the folder that does."""
    bin = folder / "newer-git"
    bin.mkdir()
    (bin / "git").symlink_to(NEWER_GIT)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    return bin
