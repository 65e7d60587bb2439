"""The objects of a repository, read through an empty git directory of our own.

No setting of the repository or the user is in force there: no attributes that hide lines, no mailmap, replace refs or
grafts that show another history than everyone else has, nothing that starts programs, and no remote that git would
fetch missing objects from.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from foureyes.hooks.repo import Answer, GitFailed, Repo, Stream, run_git, stream_git

_CHUNK = 1 << 20
# git maps whole packs otherwise; in windows it is as quick.
_MEMORY = "\tpackedGitLimit = 64m\n\tpackedGitWindowSize = 4m\n\tdeltaBaseCacheLimit = 64m\n"
_PASSED_ON = (
    "PATH",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "GIT_EXEC_PATH",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)


@dataclass(frozen=True)
class Objects:
    scratch: Path
    env: dict[str, str]
    boundary: frozenset[str]
    """Commits of a shallow clone whose parents are not here: what they changed is not known."""
    missing: str
    """What a partial clone left on the server: `blob`, `tree`, or empty."""
    grafted: bool
    """The repository pretends other parents (grafts or replace refs), which are passed over."""

    def ask(self, *arguments: str, stdin: bytes | None = None) -> Answer:
        return run_git(*arguments, cwd=self.scratch, env=self.env, stdin=stdin)

    def stream(self, *arguments: str, stdin: Path | None = None) -> AbstractContextManager[Stream]:
        return stream_git(*arguments, cwd=self.scratch, env=self.env, stdin=stdin)

    def contents(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Objects by id, in the order asked, one at a time; what is not here is left out. Raises GitFailed."""
        asked = self.scratch / "asked"
        asked.write_text("".join(f"{oid}\n" for oid in oids), "ascii")
        with self.stream("cat-file", "--batch", stdin=asked) as git:
            while header := git.out.readline():
                words = header.decode("ascii", "replace").split()
                if len(words) == 3:
                    content = git.out.read(int(words[2]))
                    git.out.read(1)
                    yield words[0], content
            ended(git.answer(), "cat-file")


def fields(git: Stream) -> Iterator[bytes]:
    """What git prints, cut at NUL bytes. The rest after the last one is not a field."""
    rest: list[bytes] = []
    # Not through the buffer, which waits until it is full: what is there is counted, should Ctrl-C come.
    while chunk := os.read(git.out.fileno(), _CHUNK):
        first, *more = chunk.split(b"\0")
        rest.append(first)
        if more:
            yield b"".join(rest)
            yield from more[:-1]
            rest = [more[-1]]


def ended(answer: Answer, command: str) -> None:
    """Raises GitFailed for an end that makes what was read a part of the truth only."""
    if answer.status != 0:
        raise GitFailed((command,), answer.status, answer.words)


@contextmanager
def open_objects(repo: Repo) -> Iterator[Objects]:
    """Raises UserError where the repository cannot be asked for its objects."""
    with tempfile.TemporaryDirectory(prefix="foureyes-scan-") as folder:
        scratch = Path(folder)
        shallow = _path(repo, "shallow")
        boundary = shallow.read_text("ascii", "replace") if shallow.is_file() else ""
        _make_git_dir(scratch, _object_format(repo), boundary)
        yield Objects(
            scratch,
            _environment(scratch, _path(repo, "objects")),
            frozenset(boundary.split()),
            _missing(repo),
            _path(repo, "info/grafts").is_file()
            or bool(repo.git("for-each-ref", "--count=1", "refs/replace/")),
        )


def _make_git_dir(scratch: Path, object_format: str, boundary: str) -> None:
    for name in ("objects", "refs"):
        (scratch / name).mkdir()
    (scratch / "HEAD").write_text("ref: refs/heads/none\n")
    version = 0 if object_format == "sha1" else 1
    config = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{_MEMORY}"
    if version:
        config += f"[extensions]\n\tobjectformat = {object_format}\n"
    (scratch / "config").write_text(config)
    if boundary:
        (scratch / "shallow").write_text(boundary)


def _environment(scratch: Path, objects: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(scratch),
        "XDG_CONFIG_HOME": str(scratch),
        "LC_ALL": "C",
        "GIT_DIR": str(scratch),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _path(repo: Repo, name: str) -> Path:
    found = os.fsdecode(repo.git("rev-parse", "--git-path", name)).removesuffix("\n")
    return ((repo.work_tree or repo.git_dir) / found).resolve()


def _object_format(repo: Repo) -> str:
    return repo.git("rev-parse", "--show-object-format").decode("ascii", "replace").strip()


def _missing(repo: Repo) -> str:
    answer = repo.ask(
        "config", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter)$|^extensions\.partialclone$"
    )
    if answer.status != 0:
        return ""
    filters = [line.rpartition(" ")[2] for line in answer.out.decode("utf-8", "replace").split("\n")]
    return "tree" if any(text.startswith(("tree:", "combine:", "sparse:")) for text in filters) else "blob"
