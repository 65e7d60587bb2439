"""What the record refs that this repository has seen say about a commit."""

from collections.abc import Iterable
from dataclasses import dataclass

from foureyes.hooks.commits import Commit
from foureyes.hooks.objects import SEEN as SEEN
from foureyes.hooks.objects import Objects
from foureyes.hooks.repo import Repo
from foureyes.hooks.store import read_records
from foureyes.shared import dsse
from foureyes.shared.canonical import sha256_hex
from foureyes.shared.manifest import NAMESPACE, Entry, ManifestError, parse_manifest
from foureyes.shared.record_ref import PREFIX, PUSHES, RECORDS

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
    return next(iter(published_versions(repo, [commit]).get(commit, ())), None)


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
    wanted = set(commits)
    if not wanted:
        return {}
    with Objects(repo.work_tree or repo.git_dir, repo.environment()) as objects:
        return objects.records(wanted)


class Vouchers:
    """The pushes that the record refs in sight list, read once."""

    def __init__(self, objects: Objects, digits: int) -> None:
        """`digits`: of an id here."""
        self._lists: list[tuple[str, dsse.Envelope, frozenset[Entry]]] = []
        self._checked: dict[tuple[bytes, dsse.Signature], tuple[str, str]] = {}
        for ref in objects.refs(SEEN, PREFIX):
            blobs = objects.tree(f"{ref}:{PUSHES.rstrip('/')}", digits).values()
            for data in objects.read(blobs):
                try:
                    envelope = dsse.parse(data or b"")
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


def listings(objects: Objects, commit: Commit, record: bytes) -> tuple[Listed, ...]:
    """The pushes in sight that vouch for this very record, signatures checked."""
    return Vouchers(objects, len(commit.oid)).of(Entry(commit.oid, commit.tree, sha256_hex(record)))


def _refs(repo: Repo) -> list[str]:
    listed = repo.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", SEEN, PREFIX)
    return listed.decode("utf-8", "replace").split()
