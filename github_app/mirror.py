"""The only module that drives git: one blobless bare mirror per repository, a cache that can be rebuilt.

What a repository holds must not be able to change how it is read: no replace objects, no system or user
configuration, no attributes, no mailmap, no external diff, no hooks, merge settings pinned. Credentials travel in
the environment, never in an address, an argument or a log. Only object ids and checked ref names become arguments.

The promisor settings of a partial clone are given per command and are not in the mirror's own configuration:
so only a command that may use the network ever fetches a missing blob, and a question about what is here never does.
"""

import base64
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from foureyes.github_app import git_process
from foureyes.github_app.git_process import MIB, Use
from foureyes.github_app.git_process import GitError as GitError
from foureyes.github_app.git_process import Trouble as Trouble
from foureyes.github_app.mirror_bounds import A_DAY, Bounds, drop_half_done, drop_loose, in_use
from foureyes.github_app.trust import ca_file

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
OURS = "refs/foureyes-mirror"

_OID = re.compile(r"[0-9a-f]{40}\Z")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|\Z)|/\Z|\A/|\A-")
_SETTINGS = {
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
}
_PINNED = {
    "attr.tree": EMPTY_TREE,
    "core.attributesFile": os.devnull,
    "core.commitGraph": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "true",
    "credential.helper": "",
    "diff.algorithm": "myers",
    "diff.external": "",
    "diff.renames": "false",
    "fetch.fsckObjects": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "log.mailmap": "false",
    "maintenance.auto": "false",
    "merge.conflictStyle": "merge",
    "merge.directoryRenames": "conflict",
    "merge.renameLimit": "7000",
    "merge.renames": "true",
    "merge.renormalize": "false",
    "pack.threads": "2",
    "protocol.version": "2",
    "safe.directory": "*",
}
_PASSED_ON = (
    "PATH", "TMPDIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT",
)  # fmt: skip


def is_oid(text: str) -> bool:
    return _OID.match(text) is not None


def is_ref(name: str) -> bool:
    """Whether git would allow it as a branch name, so that it can stand in a refspec."""
    return bool(name) and not _BAD_IN_REF.search(name)


@dataclass(frozen=True)
class Remote:
    """Where the mirror fetches from. `authorization` gives the value of the HTTP header, "" for none; it is asked
    only when a command may use the network.
    """

    url: str
    authorization: Callable[[], str] = lambda: ""
    protocols: tuple[str, ...] = ("https", "http")


def basic(token: str) -> str:
    """The header value with which GitHub takes an installation token over git's HTTP."""
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


@dataclass(frozen=True)
class AutomaticMerge:
    """What `git merge-tree` made of two commits. `tree` is there also for a conflict, then with markers in it."""

    clean: bool
    tree: str


@dataclass
class Mirror:
    """A mirror in `folder`, made on first use. Safe to use from several threads: writers wait for each other."""

    folder: Path
    remote: Remote
    timeout: float = 300.0
    bounds: Bounds = field(default_factory=Bounds, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        # git works in a folder of its own, where a relative name, as the default of FOUREYES_DATA, is another place.
        self.folder = self.folder.absolute()

    # what is here

    def missing(self, oids: Iterable[str]) -> tuple[str, ...]:
        """Those of `oids` whose objects are not here. Never fetches."""
        wanted = tuple(dict.fromkeys(oids))
        if not wanted or not self.exists:
            return wanted
        out = self._run("cat-file", "--batch-check", "--buffer", stdin=_lines(wanted), cap=16 * MIB)
        return tuple(line.split()[0] for line in out.decode().splitlines() if line.endswith(" missing"))

    @property
    def exists(self) -> bool:
        return (self.folder / "HEAD").exists()

    def refs(self, below: str) -> dict[str, str]:
        """Ref name (without `below`) -> object id, of the refs below `refs/foureyes-mirror/<below>`."""
        prefix = f"{OURS}/{below}"
        out = self._run("for-each-ref", "--format=%(objectname) %(refname)", prefix, cap=16 * MIB).decode()
        pairs = (line.split(" ", 1) for line in out.splitlines())
        return {name[len(prefix) :].lstrip("/"): oid for oid, name in pairs}

    def remote_refs(self, below: str) -> dict[str, str]:
        """Ref name -> object id of what the remote shows below this now. Brings nothing here. Raises GitError."""
        with self.bounds.one_at_a_time(self._lock, self.folder, below):
            self._make()
            out = self._run("ls-remote", "--refs", "origin", f"{below}*", online=True, cap=16 * MIB)
        pairs = (line.split("\t", 1) for line in out.decode("utf-8", "replace").splitlines())
        return {name: oid for oid, name in pairs if name.startswith(below)}

    # fetching

    def fetch(self, refspecs: Sequence[str], *, prune: bool = True) -> None:
        """One `git fetch`. A pattern that matches nothing is normal; an object id that is gone raises NO_REF."""
        with self.bounds.one_at_a_time(self._lock, self.folder, tuple(refspecs)):
            if self.exists and self.bounds.may_empty(self.folder):
                self.discard()
            self._make()
            options = [
                "--no-tags",
                "--no-auto-maintenance",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
            ]
            options += ["--force", "--quiet"] + (["--prune"] if prune else [])
            self._run("fetch", *options, "origin", *refspecs, online=True)

    def fetch_objects(self, oids: Iterable[str]) -> None:
        """The objects themselves, blobs too, in one request; what is here already is not asked for again."""
        wanted = self.missing(oids)
        if wanted:
            options = ["--no-tags", "--no-auto-maintenance", "--no-write-fetch-head", "--quiet", "--stdin"]
            with self.bounds.one_at_a_time(self._lock, self.folder, wanted):
                self._run("-c", "fetch.negotiationAlgorithm=noop", "fetch", *options, "origin",
                          stdin=_lines(wanted), online=True)  # fmt: skip

    def tidy(self) -> bool:
        """One pack of many small ones; what merges left is dropped. False: there is nothing to do. Raises GitError."""
        with self._lock:
            if not self.exists or not self.bounds.is_untidy(self.folder):
                return False
            args = ("-a", "-d", "-q", "--no-write-bitmap-index")
            self._run("-c", "remote.origin.promisor=true", "repack", *args)
            self._run("pack-refs", "--all")
            drop_loose(self.folder, time.time() - A_DAY)
            drop_half_done(self.folder, time.time() - A_DAY)
            return True

    @contextmanager
    def rebuilt_if_damaged(self) -> Iterator[None]:
        """On a SUSPECT failure the mirror is thrown away, so that the caller's next try starts from an empty one."""
        try:
            yield
        except GitError as error:
            if error.trouble is Trouble.SUSPECT:
                self.discard()
            raise

    def discard(self) -> None:
        with self._lock:
            if self.folder.exists():
                grave = Path(tempfile.mkdtemp(prefix="discarded-", dir=self.folder.parent))
                self.folder.rename(grave / "mirror")
                shutil.rmtree(grave, ignore_errors=True)

    # questions

    def automatic_merge(self, ours: str, theirs: str) -> AutomaticMerge:
        """May fetch blobs. Raises GitError; unrelated histories are the caller's question (`merge_bases`)."""
        args = ("merge-tree", "--write-tree", "-z", "--no-messages", "--name-only", _oid(ours), _oid(theirs))
        with self.bounds.watched(args):
            code, out = self._run_any(*args, ok=(0, 1), online=True, cap=64 * MIB)
        tree = out.split(b"\0", 1)[0].decode("ascii", "replace").strip()
        if not is_oid(tree):
            raise GitError(Trouble.SUSPECT, "git merge-tree gave no tree")
        return AutomaticMerge(code == 0, tree)

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        """All best common ancestors; none for unrelated histories."""
        _code, out = self._run_any("merge-base", "--all", _oid(one), _oid(other), ok=(0, 1))
        return tuple(out.decode().split())

    def range(self, include: str, exclude: Sequence[str], limit: int) -> tuple[str, ...]:
        """Commits reachable from `include` and from none of `exclude`, by all parents. Raises TOO_BIG past `limit`."""
        heads = [_oid(include), *(f"^{_oid(oid)}" for oid in exclude)]
        out = self._run("rev-list", f"--max-count={limit + 1}", "--stdin", stdin=_lines(heads), cap=64 * MIB)
        oids = tuple(out.decode().split())
        if len(oids) > limit:
            raise GitError(Trouble.TOO_BIG, f"more than {limit} commits")
        return oids

    def objects(self, oids: Iterable[str], kind: str, cap: int = 64 * MIB) -> dict[str, bytes]:
        """Raw contents of objects that are here. Raises SUSPECT if one is missing or of another kind."""
        wanted = tuple(dict.fromkeys(_oid(oid) for oid in oids))
        if not wanted:
            return {}
        out = self._run("cat-file", "--batch", "--buffer", stdin=_lines(wanted), cap=cap)
        found: dict[str, bytes] = {}
        position = 0
        for oid in wanted:
            end = out.index(b"\n", position)
            words = out[position:end].decode("ascii", "replace").split()
            if len(words) != 3 or words[1] != kind:
                raise GitError(Trouble.SUSPECT, f"object {oid} is not a {kind} that is here")
            size = int(words[2])
            found[oid] = out[end + 1 : end + 1 + size]
            position = end + size + 2
        return found

    def kind(self, oid: str) -> str:
        """`commit`, `tree`, `blob` or what an annotated tag names in the end; "" if it is not here."""
        words = self._run("cat-file", "--batch-check", stdin=f"{_oid(oid)}^{{}}\n".encode()).decode().split()
        return words[1] if len(words) == 3 else ""

    def tree_of(self, oid: str) -> str:
        """The tree of a commit, a tree or a tag of one; "" of what has none. Raises SUSPECT if it is not here."""
        asked = f"{_oid(oid)}^{{}}\n{oid}^{{tree}}\n".encode()
        whole, tree = self._run("cat-file", "--batch-check", stdin=asked).decode().splitlines()
        if not tree.endswith(" missing"):
            return tree.split()[0]
        if whole.split()[1] == "blob":
            return ""
        raise GitError(Trouble.SUSPECT, f"the tree of {oid} is not here")

    def entries(self, tree: str) -> dict[bytes, tuple[str, str, str]]:
        """Path -> (mode, kind, object id), recursively. A commit id is taken for its tree."""
        out = self._run("ls-tree", "-r", "-z", "--full-tree", _oid(tree), cap=64 * MIB)
        listed: dict[bytes, tuple[str, str, str]] = {}
        for entry in out.split(b"\0"):
            if entry:
                meta, path = entry.split(b"\t", 1)
                mode, kind, oid = meta.decode().split()
                listed[path] = (mode, kind, oid)
        return listed

    def files_below(self, tree: str, directory: bytes) -> int:
        """How many files lie below it, b"" for the top. A commit id is taken for its tree. Raises GitError."""
        place = f"{_oid(tree)}:{os.fsdecode(directory)}"
        args = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", place)
        with self.bounds.watched(args):
            return self._run(*args, cap=64 * MIB).count(b"\0")

    def diff(self, old: str, new: str, options: Sequence[str], *, online: bool = False) -> bytes:
        """`git diff-tree` between two trees or commits, as it comes; `online` where the options need blobs."""
        args = ("diff-tree", *options, _oid(old), _oid(new))
        with self.bounds.watched(args):
            return self._run(*args, online=online, cap=512 * MIB)

    def diff_pairs(self, pairs: Sequence[tuple[str, str]], options: Sequence[str]) -> bytes:
        """Many tree pairs in one process; each pair's part begins with the line `<old> <new>`."""
        text = "".join(f"{_oid(old)} {_oid(new)}\n" for old, new in pairs)
        args = ("diff-tree", "--stdin", *options)
        with self.bounds.watched((*args, text)):
            return self._run(*args, stdin=text.encode(), cap=512 * MIB)

    # the process

    def _make(self) -> None:
        if self.exists:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.discard()
        with tempfile.TemporaryDirectory(prefix="new-", dir=self.folder.parent) as new:
            bare = Path(new) / "mirror"
            # HEAD names nothing, so that no git takes attributes from it
            args = ("init", "--quiet", "--bare", "--template=", "--initial-branch=none", str(bare))
            self._run(*args, inside=False)
            bare.rename(self.folder)

    def _run(
        self, *args: str, stdin: bytes = b"", online: bool = False, inside: bool = True, cap: int = MIB
    ) -> bytes:
        return self._run_any(*args, stdin=stdin, online=online, inside=inside, cap=cap)[1]

    def _run_any(
        self, *args: str, stdin: bytes = b"", online: bool = False, inside: bool = True, cap: int = MIB,
        ok: tuple[int, ...] = (0,),
    ) -> tuple[int, bytes]:  # fmt: skip
        with in_use(self.folder) if inside else nullcontext():
            return self._run_now(*args, stdin=stdin, online=online, inside=inside, cap=cap, ok=ok)

    def _run_now(
        self, *args: str, stdin: bytes, online: bool, inside: bool, cap: int, ok: tuple[int, ...]
    ) -> tuple[int, bytes]:
        command = ["git", *([f"--git-dir={self.folder}"] if inside else []), *args]
        verb = next(arg for arg in args if not arg.startswith("-") and "=" not in arg)
        use = Use(
            self.timeout,
            cap,
            self.bounds.room(self.folder) if online else self.bounds.disk,
            self.bounds.memory,
        )
        environment = self._environment(online)
        code, out, said = git_process.run(
            command, verb, stdin, environment, self.folder.parent, use, alone=not online and verb != "repack"
        )
        if code not in ok:
            raise git_process.failure(verb, code, said)
        return code, out

    def _environment(self, online: bool) -> dict[str, str]:
        settings = dict(_PINNED) | {"remote.origin.url": self.remote.url}
        if online:
            settings |= _SETTINGS
            if header := self.remote.authorization():
                settings[f"http.{self.remote.url}.extraHeader"] = f"Authorization: {header}"
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **({"GIT_SSL_CAINFO": ca} if (ca := ca_file()) else {}),
            "HOME": str(self.folder.parent),
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": ":".join(self.remote.protocols) if online else "none",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_NO_LAZY_FETCH": "0" if online else "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_AUTHOR_DATE": "0 +0000",
            "GIT_COMMITTER_DATE": "0 +0000",
            **_as_environment(settings),
        }


def _as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    given = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (name, value) in enumerate(settings.items()):
        given[f"GIT_CONFIG_KEY_{index}"] = name
        given[f"GIT_CONFIG_VALUE_{index}"] = value
    return given


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode("ascii")


def _oid(text: str) -> str:
    if not is_oid(text):
        raise GitError(Trouble.NO_REF, f"{text!r} is not an object id")
    return text
