"""A throwaway commit that shows the hooks at work on this machine, in a repository of its own that is thrown away."""

import os
import tempfile
import time
from pathlib import Path

from foureyes.hooks.journal import read_journal
from foureyes.hooks.place import Settings, put_in_place
from foureyes.hooks.repo import Repo, run_git
from foureyes.shared.errors import UserError

_PLAIN = ("-c", "user.name=foureyes", "-c", "user.email=proof@foureyes.invalid", "-c", "commit.gpgSign=false")


def recorded_in(settings: Settings) -> float:
    """Milliseconds that the commit took, hooks included. Raises UserError if it was not recorded."""
    try:
        with tempfile.TemporaryDirectory(prefix="foureyes-proof-") as name:
            return _prove(Path(os.path.realpath(name)), settings)
    except OSError as error:
        raise _not_proved(f"{error.filename}: {error.strerror}") from error


def _prove(top: Path, settings: Settings) -> float:
    # Opened by its folders, not by search: the environment may bind git to the person's own repository.
    repo = Repo(top, top / ".git", top / ".git")
    unbound = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    answer = run_git("init", "-q", "--template=", str(top), cwd=top, env=unbound)
    if answer.status != 0:
        raise _not_proved(answer.words.strip())
    put_in_place(repo, settings)
    start = time.perf_counter()
    repo.git(*_PLAIN, "commit", "-q", "--allow-empty", "-m", "proof")
    took = (time.perf_counter() - start) * 1000
    oid = repo.git("rev-parse", "HEAD").decode().strip()
    if oid not in read_journal(repo.common_dir):
        raise _not_proved("git ran, and no hook noted the commit")
    return took


def _not_proved(why: str) -> UserError:
    return UserError(
        f"the hooks are in place, but a throwaway commit was not recorded: {why}",
        why="your commits would count as having no record",
        next_step="see `foureyes status`; `foureyes uninstall` takes the hooks out again",
    )
