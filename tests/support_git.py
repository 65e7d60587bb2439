"""Real git for tests: repositories, commits, and processes with a chosen environment."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
HOOKS_OFF = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "hook.foureyes-prepare-commit-msg.enabled=false"),
    *("-c", "hook.foureyes-post-commit.enabled=false"),
)
"""For a commit that no hook sees, by any git: since 2.54 hooks also come from the configuration."""


def run(
    arguments: Sequence[str | Path],
    cwd: Path,
    *,
    env: Mapping[str, str] | None = None,
    only_env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    ok: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program. `env` is added to this process's environment, `only_env` replaces it."""
    whole = dict(only_env) if only_env is not None else {**os.environ, **(env or {})}
    done = subprocess.run([str(a) for a in arguments], cwd=cwd, env=whole, input=stdin, capture_output=True)
    if ok and done.returncode != 0:
        raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout!r}\n{done.stderr!r}")
    return done


def git(cwd: Path, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> str:
    """git's standard output as text, without the last line break. Fails the test if git fails."""
    return (
        run(["git", *arguments], cwd, env=env, stdin=stdin)
        .stdout.decode("utf-8", "surrogateescape")
        .rstrip("\n")
    )


def make_repo(path: Path, *, first_commit: bool = True) -> Path:
    """A repository on branch `main`, by default with one commit of `README`."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    if first_commit:
        commit(path, {"README": "hello\n"}, "first")
    return path


def write(repo: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write files below `repo`; None deletes one."""
    for name, content in files.items():
        path = repo / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(
    repo: Path,
    files: Mapping[str, str | bytes | None],
    message: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
) -> str:
    """Write, stage all and commit. Answers the id of the new commit."""
    write(repo, files)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", message, *arguments, env=env)
    return head(repo)


def head(repo: Path, name: str = "HEAD") -> str:
    return git(repo, "rev-parse", "--verify", name)


def message(repo: Path, name: str = "HEAD") -> str:
    return git(repo, "log", "-1", "--format=%B", name)


def python_env() -> dict[str, str]:
    """What a `sys.executable` process needs to import `foureyes` from this checkout, where it is not installed."""
    types = CHECKOUT / ".types"
    return {"PYTHONPATH": str(types)} if types.is_dir() else {}


def foureyes(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None, ok: bool = True) -> str:
    """Run the `foureyes` command as a process; answers standard output as text."""
    code = "from foureyes.hooks.cli import main; main()"
    done = run([sys.executable, "-c", code, *arguments], cwd, env={**python_env(), **(env or {})}, ok=ok)
    return done.stdout.decode()
