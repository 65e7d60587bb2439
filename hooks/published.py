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
    missing = [oid for oid in wanted if oid not in found]
    refs = _refs(repo) if missing else []
    asked = [(oid, f"{ref}:{record_path(oid)}") for ref in refs for oid in missing]
    if not asked:
        return found
    out = repo.git(
        "cat-file", "--batch-check=%(objectname)", input="".join(f"{name}\n" for _, name in asked).encode()
    )
    blobs: dict[str, str] = {}
    for (oid, _), answer in zip(asked, out.decode("utf-8", "replace").splitlines(), strict=True):
        if is_oid(answer):
            blobs.setdefault(oid, answer)
    contents = read_blobs(repo, blobs.values())
    return found | {oid: contents[blob] for oid, blob in blobs.items() if blob in contents}


def listings(repo: Repo, commit: Commit, record: bytes) -> tuple[Listed, ...]:
    """The pushes in sight that vouch for this very record, signatures checked."""
    entry = Entry(commit.oid, commit.tree, sha256_hex(record))
    found = []
    for ref in _refs(repo):
        listed = repo.ask("ls-tree", "-r", "-z", ref, PUSHES).out.split(b"\0")[:-1]
        blobs = [line.split(b"\t")[0].split(b" ")[2].decode("ascii") for line in listed]
        for data in read_blobs(repo, blobs).values():
            found += _of_envelope(ref, data, entry)
    return tuple(dict.fromkeys(found))


def _refs(repo: Repo) -> list[str]:
    listed = repo.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", SEEN, PREFIX)
    return listed.decode("utf-8", "replace").split()


def _of_envelope(ref: str, data: bytes, entry: Entry) -> list[Listed]:
    try:
        envelope = dsse.parse(data)
        if entry not in parse_manifest(envelope.payload).entries:
            return []
    except (dsse.EnvelopeError, ManifestError):
        return []
    if not envelope.signatures:
        return [Listed(ref, "", "")]
    return [_checked(ref, envelope, signature) for signature in envelope.signatures]


def _checked(ref: str, envelope: dsse.Envelope, signature: dsse.Signature) -> Listed:
    from foureyes.shared import sshsig  # loads a cryptography library, for signed records alone

    message = dsse.pae(envelope.payload_type, envelope.payload)
    try:
        return Listed(ref, sshsig.verify(signature.sig, message, NAMESPACE).fingerprint, "")
    except sshsig.SshsigError as error:
        return Listed(ref, "", f"its signature does not count: {error}")
