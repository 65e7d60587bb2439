"""What the record refs that this repository has seen say about a commit."""

from collections.abc import Iterable
from dataclasses import dataclass

from foureyes.hooks.commits import Commit
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_blobs, read_records
from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.in_toto import is_oid
from foureyes.shared.manifest import NAMESPACE, Entry, ManifestError, parse_manifest
from foureyes.shared.record_ref import PREFIX, PUSHES, RECORDS, record_path

SEEN = "refs/foureyes/seen/"
"""Where this repository remembers the record refs of its remotes: + remote + / + branch, both hashed."""
_MOST_REFS = 50


@dataclass(frozen=True)
class Listed:
    """A push that lists exactly this record. `signed_by` is a key's fingerprint, empty without a valid signature:
    whose key it is, only the keys that GitHub publishes can tell.
    """

    ref: str
    signed_by: str
    problem: str


def published_record(repo: Repo, commit: str) -> bytes | None:
    """The record of a commit on any record ref in sight."""
    for ref in _refs(repo):
        answer = repo.ask("cat-file", "blob", f"{ref}:{record_path(commit)}")
        if answer.status == 0:
            return answer.out
    return None


def published_commits(repo: Repo) -> set[str]:
    """Commits that the newest record refs in sight have a record of."""
    found: set[str] = set()
    for ref in _refs(repo)[:_MOST_REFS]:
        listed = repo.ask("ls-tree", "-z", "--name-only", f"{ref}:{RECORDS.rstrip('/')}")
        found.update(listed.out.decode("ascii", "replace").split("\0")[:-1])
    return found


def records_in_sight(repo: Repo, commits: Iterable[str]) -> dict[str, bytes]:
    """Records of these commits: the one that is kept here, else one of a record ref."""
    wanted = list(dict.fromkeys(commits))
    found = read_records(repo, wanted)
    published = published_versions(repo, [oid for oid in wanted if oid not in found])
    return found | {oid: versions[0] for oid, versions in published.items()}


def published_versions(repo: Repo, commits: Iterable[str]) -> dict[str, tuple[bytes, ...]]:
    """All different records that the record refs in sight have of each commit, the newest ref's first."""
    wanted = list(commits)
    refs = _refs(repo) if wanted else []
    asked = [(oid, f"{ref}:{record_path(oid)}") for oid in wanted for ref in refs]
    if not asked:
        return {}
    names = "".join(f"{name}\n" for _, name in asked).encode()
    out = repo.git("cat-file", "--batch-check=%(objectname)", input=names).decode("utf-8", "replace")
    blobs: dict[str, dict[str, None]] = {}
    for (oid, _), answer in zip(asked, out.splitlines(), strict=True):
        if is_oid(answer):
            blobs.setdefault(oid, {})[answer] = None
    contents = read_blobs(repo, {blob for found in blobs.values() for blob in found})
    versions = {oid: tuple(contents[b] for b in found if b in contents) for oid, found in blobs.items()}
    return {oid: found for oid, found in versions.items() if found}


class Vouchers:
    """The pushes that the record refs in sight list, read once."""

    def __init__(self, repo: Repo) -> None:
        self._lists: list[tuple[str, dsse.Envelope, frozenset[Entry]]] = []
        self._checked: dict[tuple[bytes, dsse.Signature], tuple[str, str]] = {}
        for ref in _refs(repo):
            listed = repo.ask("ls-tree", "-r", "-z", ref, PUSHES).out.split(b"\0")[:-1]
            blobs = [line.split(b"\t")[0].split(b" ")[2].decode("ascii") for line in listed]
            for data in read_blobs(repo, blobs).values():
                try:
                    envelope = dsse.parse(data)
                    entries = frozenset(parse_manifest(envelope.payload).entries)
                except (dsse.EnvelopeError, ManifestError):
                    continue
                self._lists.append((ref, envelope, entries))

    def of(self, entry: Entry) -> tuple[Listed, ...]:
        """The pushes that vouch for this very record, signatures checked."""
        found = []
        for ref, envelope, entries in self._lists:
            if entry in entries:
                found += [Listed(ref, *self._check(envelope, signature)) for signature in envelope.signatures]
                if not envelope.signatures:
                    found.append(Listed(ref, "", ""))
        return tuple(dict.fromkeys(found))

    def _check(self, envelope: dsse.Envelope, signature: dsse.Signature) -> tuple[str, str]:
        """Fingerprint and problem, one of them empty."""
        from foureyes.shared import sshsig  # loads a cryptography library, for signed records alone

        key = (envelope.payload, signature)
        if key not in self._checked:
            message = dsse.pae(envelope.payload_type, envelope.payload)
            try:
                self._checked[key] = (sshsig.verify(signature.sig, message, NAMESPACE).fingerprint, "")
            except sshsig.SshsigError as error:
                self._checked[key] = ("", f"its signature does not count: {error}")
        return self._checked[key]


def listings(repo: Repo, commit: Commit, record: bytes) -> tuple[Listed, ...]:
    """The pushes in sight that vouch for this very record, signatures checked."""
    return Vouchers(repo).of(Entry(commit.oid, commit.tree, sha256_hex(record)))


def _refs(repo: Repo) -> list[str]:
    listed = repo.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", SEEN, PREFIX)
    return listed.decode("utf-8", "replace").split()
