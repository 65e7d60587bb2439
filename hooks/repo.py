"""The only module of the local half that talks to git."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from foureyes.shared.errors import UserError

OLDEST_GIT = (2, 30)
# A hook is started with these set for one repository, index and command; ours are set from what `open` found.
_BOUND_TO_ONE_CALL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")
_TASTE = ("GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF")
"""How a person likes to see diffs: it would change the diffs that records are counted from."""


_READING = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0"}
"""Replace refs show other content under an id than everyone else sees; reading never waits for a lock."""


class GitFailed(UserError):
    """git ended with a status other than 0. `words` is what it printed on standard error."""

    def __init__(self, arguments: tuple[str, ...], status: int, words: str) -> None:
        said = words.strip() or f"exit status {status}"
        super().__init__(f"git {arguments[0] if arguments else ''} failed: {said}")
        self.status = status
        self.words = words


class Answer(NamedTuple):
    """What git ended with: exit status, standard output, standard error as text."""

    status: int
    out: bytes
    words: str


def run_git(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    program: str = "git",
) -> Answer:
    """Start git and wait for it. Any status is an answer; raises UserError only if there is no git at all."""
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=cwd,
            env=None if env is None else dict(env),
            input=b"" if stdin is None else stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _no_git(cwd) from error
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def _no_git(cwd: Path) -> UserError:
    if not cwd.is_dir():
        return UserError(f"{cwd} is not a folder", next_step="name the folder of a git repository")
    return UserError(
        "git was not found on PATH",
        why="foureyes records commits through git's own hooks",
        next_step="install git 2.30 or newer, then run this again",
    )


def start_git(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """Start git to read something, and go on. Without `env` in whatever repository it finds from `cwd`: what it has to
    say against that, a later `Repo.open` is told, too. Raises UserError if there is no git at all.
    """
    if env is None:
        env = {name: value for name, value in os.environ.items() if name not in _TASTE} | _READING
    try:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stdin == subprocess.DEVNULL else subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise _no_git(cwd) from error


def run_git_with_limit(*arguments: str, cwd: Path, env: Mapping[str, str], seconds: float) -> Answer:
    """git that talks to another machine: in a session of its own, without a terminal to ask on, and killed with all
    that it started after `seconds`. Status 124 says that it was.
    """
    quiet = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}
    child = subprocess.Popen(
        ["git", *arguments],
        cwd=cwd,
        env={**env, **quiet},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, words = child.communicate(timeout=seconds)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return Answer(124, b"", f"no answer within {seconds:.0f} s")
    return Answer(child.returncode, out, words.decode("utf-8", "replace"))


@contextlib.contextmanager
def stream_git(
    *arguments: str, cwd: Path, env: Mapping[str, str], stdin: Path | None = None
) -> Iterator["Stream"]:
    """Start git and read what it prints while it runs. `env` is all that it gets; it ends with the block, whether it
    was read to its end or not. In a session of its own, so that Ctrl-C is ours to handle.
    """
    import tempfile  # an agent's hook cannot wait for what it brings

    with tempfile.TemporaryFile() as words, (stdin or Path(os.devnull)).open("rb") as source:
        child = subprocess.Popen(
            ["git", *arguments],
            cwd=cwd,
            env=dict(env),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
        )
        assert child.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield Stream(child, child.stdout, words)
        finally:
            child.stdout.close()
            child.kill()
            child.wait()


class Stream(NamedTuple):
    """git at work: read `out` to its end, then ask for the answer."""

    child: "subprocess.Popen[bytes]"
    out: IO[bytes]
    errors: IO[bytes]

    def answer(self) -> Answer:
        """Wait for the end: exit status and standard error; what it printed was already read."""
        status = self.child.wait()
        self.errors.seek(0)
        return Answer(status, b"", self.errors.read().decode("utf-8", "replace"))


def git_version(cwd: Path) -> tuple[int, ...]:
    """`(2, 39, 5)`. Raises UserError if there is no git, or one that is older than foureyes works with."""
    words = run_git("version", cwd=cwd).out.decode("utf-8", "replace").split()
    numbers = []
    for part in (words[2] if len(words) > 2 else "").split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    version = tuple(numbers)
    if version < OLDEST_GIT:
        raise UserError(
            f"git {'.'.join(map(str, version)) or 'of an unknown version'} is too old",
            why="foureyes needs git 2.30 or newer",
            next_step="upgrade git, then run this again",
        )
    return version


class Repo(NamedTuple):
    """A repository as seen from one worktree. Paths are absolute; `work_tree` is None in a bare one."""

    work_tree: Path | None
    git_dir: Path
    common_dir: Path

    @classmethod
    def open(cls, cwd: Path, *, bare_ok: bool = False) -> "Repo":
        """The repository that git finds from `cwd`. Raises UserError: no git, no repository, bare, unsafe."""
        # The C locale only here: the answer on standard error decides which of our texts fits.
        env = {**os.environ, "LC_ALL": "C"}
        asked: tuple[str, ...] = ("--absolute-git-dir", "--git-common-dir", "--show-toplevel")
        answer = run_git("rev-parse", *asked, cwd=cwd, env=env)
        if answer.status != 0:
            asked = asked[:2]
            answer = run_git("rev-parse", *asked, cwd=cwd, env=env)
            if answer.status != 0:
                raise _no_repository(cwd, answer)
        lines = _paths(answer, asked, cwd, env)
        top = lines[2] if len(lines) > 2 else None
        git_dir, common = Path(lines[0]), (cwd / lines[1]).resolve()
        if top is None and not bare_ok:
            raise _no_work_tree(cwd, git_dir)
        return cls(Path(top) if top is not None else None, git_dir, common)

    @property
    def home(self) -> Path:
        """Everything of ours in a repository: journal, evidence, settings, lock."""
        return self.common_dir / "foureyes"

    def is_gits_own(self, path: Path) -> bool:
        """Whether a path below the work tree is in git's folder there. A work tree may itself be in git's folder: in
        that of a bare repository.
        """
        inside = self.work_tree is not None and self.work_tree.is_relative_to(self.common_dir)
        return not inside and path.is_relative_to(self.common_dir)

    @property
    def version(self) -> tuple[int, ...]:
        return git_version(self.git_dir)

    def ask(
        self, *arguments: str, input: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run git here; the caller reads the exit status. `env` is added to this process's environment."""
        return run_git(*arguments, cwd=self.work_tree or self.git_dir, env=self.environment(env), stdin=input)

    def ask_remote(self, *arguments: str, seconds: float, env: Mapping[str, str] | None = None) -> Answer:
        """`ask` for a command that talks to a remote: it never asks a person and never outlasts `seconds`."""
        cwd = self.work_tree or self.git_dir
        return run_git_with_limit(*arguments, cwd=cwd, env=self.environment(env), seconds=seconds)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What git is started with here: this process's, but bound to this repository and to no person's taste."""
        ours = {name: value for name, value in os.environ.items() if name not in _BOUND_TO_ONE_CALL + _TASTE}
        ours["GIT_DIR"] = str(self.git_dir)
        if self.work_tree is not None:
            ours["GIT_WORK_TREE"] = str(self.work_tree)
        return {**ours, **_READING, **(more or {})}

    def git(self, *arguments: str, input: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """git's standard output. Raises GitFailed, a UserError with git's own words."""
        answer = self.ask(*arguments, input=input, env=env)
        if answer.status != 0:
            raise GitFailed(arguments, answer.status, answer.words)
        return answer.out

    def config(self, name: str) -> str | None:
        """The value that holds here (all scopes), the last one of several; None where it is not set."""
        values = self.config_all(name)
        return values[-1] if values else None

    def config_all(self, name: str, *scope: str) -> tuple[str, ...]:
        """All values of a name. `scope`: git's own option (`--local`, `--global`); by default all scopes."""
        answer = self.ask("config", *scope, "-z", "--get-all", name)
        if answer.status == 1:
            return ()
        if answer.status != 0:
            raise GitFailed(("config",), answer.status, answer.words)
        return tuple(os.fsdecode(value) for value in answer.out.split(b"\0")[:-1])

    def unset(self, name: str) -> str:
        """The command with which a person unsets a name where it is set."""
        words = self.ask("config", "--show-scope", "--get", name).out.decode("utf-8", "replace").split()
        scope = f"--{words[0]} " if words and words[0] in {"global", "system", "worktree"} else ""
        return f"git config {scope}--unset {name}"


def _paths(answer: Answer, asked: tuple[str, ...], cwd: Path, env: Mapping[str, str]) -> list[str]:
    """One path for each question. Paths may hold line breaks: then each is asked for by itself."""
    lines = os.fsdecode(answer.out).removesuffix("\n").split("\n")
    if len(lines) == len(asked):
        return lines
    each = (run_git("rev-parse", one, cwd=cwd, env=env).out for one in asked)
    return [os.fsdecode(out).removesuffix("\n") for out in each]


def _no_repository(cwd: Path, answer: Answer) -> UserError:
    if "safe.directory" in answer.words:
        command = answer.words.strip().rpartition("\n")[2].strip()
        return UserError(
            f"git does not open the repository of {cwd}: it belongs to another user",
            why="what is configured in it would run as you",
            next_step=f"if you trust it, run `{command}`, then this again",
        )
    if "not a git repository" not in answer.words:
        return GitFailed(("rev-parse",), answer.status, answer.words)
    return UserError(
        f"{cwd} is not in a git repository",
        next_step="change to your repository (or make one with `git init`), then run this again",
    )


def _no_work_tree(cwd: Path, git_dir: Path) -> UserError:
    if (git_dir / "objects").is_dir() and cwd.resolve() == git_dir and git_dir.name != ".git":
        what = f"{cwd} is a bare repository"
    else:
        what = f"{cwd} is not in a work tree"
    return UserError(
        what,
        why="commits are made, and recorded, in a work tree",
        next_step="run this in a clone or in a worktree (`git worktree add`)",
    )
