"""What records and notes in sight say about commits, read before the history itself.

Nothing is asked of GitHub, so a signature is checked, and whose key made it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from foureyes.hooks.repo import Repo
from foureyes.hooks.scan_objects import Objects
from foureyes.hooks.store import NOTES, tip_of
from foureyes.shared import dsse
from foureyes.shared.agent_mark import UNNAMED
from foureyes.shared.agents import Catalogue
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.facts import AgentMark, RecordState
from foureyes.shared.git_ai_note import parse_note
from foureyes.shared.manifest import NAMESPACE, Entry, ManifestError, parse_manifest
from foureyes.shared.others_notes import GIT_AI
from foureyes.shared.record_check import check_record
from foureyes.shared.record_ref import PUSHES, RECORDS

_RECORD_REFS = "refs/foureyes/"
"""Ours, and those that were seen on remotes."""
NOTE = "git-ai note"


@dataclass(frozen=True, slots=True)
class Told:
    """`says` is a signed record's class (`ai`, `human`); empty where nothing signed says one."""

    says: str
    marks: tuple[AgentMark, ...]


@dataclass
class Records:
    by_commit: dict[str, Told] = field(default_factory=dict)
    refused: int = 0
    """Records that are not read, or are for another tree than their commit's."""

    def add(self, commit: str, told: Told) -> None:
        known = self.by_commit.get(commit)
        if known is not None:
            # Two records of one commit: an agent that any of them names took part.
            says = "ai" if "ai" in (known.says, told.says) else known.says or told.says
            told = Told(says, tuple(dict.fromkeys(known.marks + told.marks)))
        self.by_commit[commit] = told


def read_told(repo: Repo, objects: Objects, catalogue: Catalogue) -> Records:
    """Of our own notes, the record refs in sight, and git-ai's notes. Raises GitFailed."""
    found = Records()
    blobs = {commit: {blob} for commit, blob in _listed(repo, objects, NOTES).items()}
    pushes: set[str] = set()
    for ref in (
        repo.git("for-each-ref", "--format=%(refname)", _RECORD_REFS).decode("utf-8", "replace").split()
    ):
        for path, blob in _listed(repo, objects, ref).items():
            if path.startswith(RECORDS):
                blobs.setdefault(path.removeprefix(RECORDS), set()).add(blob)
            elif path.startswith(PUSHES):
                pushes.add(blob)
    _read_records(objects, blobs, _vouched(objects, pushes), found)
    _read_git_ai(objects, _listed(repo, objects, GIT_AI), catalogue, found)
    return found


def _listed(repo: Repo, objects: Objects, ref: str) -> dict[str, str]:
    """Path -> blob. git spreads many notes over folders (`aa/bbcc...`), which are put together again."""
    tip = tip_of(repo, ref)
    answer = objects.ask("ls-tree", "-r", "-z", tip) if tip else None
    if answer is None or answer.status != 0:
        return {}
    found = {}
    for line in answer.out.split(b"\0")[:-1]:
        meta, path = line.split(b"\t", 1)
        name = path.decode("utf-8", "replace")
        found[name.replace("/", "") if ref.startswith("refs/notes/") else name] = meta.split(b" ")[2].decode()
    return found


def _vouched(objects: Objects, pushes: Iterable[str]) -> frozenset[Entry]:
    """All that is listed in a push with a valid signature."""
    entries: set[Entry] = set()
    for _, data in objects.contents(sorted(pushes)):
        try:
            envelope = dsse.parse(data)
            listed = parse_manifest(envelope.payload).entries
        except (dsse.EnvelopeError, ManifestError):
            continue
        if _signed(envelope):
            entries.update(listed)
    return frozenset(entries)


def _signed(envelope: dsse.Envelope) -> bool:
    if not envelope.signatures:
        return False
    from foureyes.shared import sshsig  # loads a cryptography library, for signed records alone

    message = dsse.pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        try:
            sshsig.verify(signature.sig, message, NAMESPACE)
        except sshsig.SshsigError:
            continue
        return True
    return False


def _read_records(
    objects: Objects, blobs: dict[str, set[str]], vouched: frozenset[Entry], found: Records
) -> None:
    commits_of: dict[str, list[str]] = {}
    for commit, several in blobs.items():
        for blob in several:
            commits_of.setdefault(blob, []).append(commit)
    trees = _trees(objects, blobs)
    for blob, data in objects.contents(commits_of):
        for commit in commits_of[blob]:
            tree = trees.get(commit)
            if tree is None:
                continue  # of a commit that is not here
            fact = check_record(data, (), commit, tree, ())
            if fact.state is not RecordState.UNSIGNED:
                found.refused += 1
                continue
            signed = Entry(commit, tree, sha256_hex(data)) in vouched
            found.add(commit, Told(fact.says if signed else "", fact.agents))


def _trees(objects: Objects, commits: Iterable[str]) -> dict[str, str]:
    asked = "".join(f"{commit}^{{tree}} {commit}\n" for commit in commits if commit.isalnum())
    if not asked:
        return {}
    found = {}
    for line in objects.ask(
        "cat-file", "--batch-check=%(objectname) %(rest)", stdin=asked.encode()
    ).out.split(b"\n"):
        words = line.decode("utf-8", "replace").split()
        if len(words) == 2 and words[1] != "missing":
            found[words[1]] = words[0]
    return found


def _read_git_ai(objects: Objects, blobs: dict[str, str], catalogue: Catalogue, found: Records) -> None:
    commit_of: dict[str, list[str]] = {}
    for commit, blob in blobs.items():
        commit_of.setdefault(blob, []).append(commit)
    for blob, data in objects.contents(commit_of):
        noted = parse_note(data)
        marks = tuple(
            AgentMark(catalogue.by_tool(agent.tool) or UNNAMED, NOTE, model=agent.model) for agent in noted
        )
        if marks:
            for commit in commit_of[blob]:
                found.add(commit, Told("", marks))
