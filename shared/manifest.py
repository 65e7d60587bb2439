"""The list that is signed once per push: which record belongs to which commit and tree."""

import re
from dataclasses import dataclass

from foureyes.shared import in_toto
from foureyes.shared.canonical import Json, canonical_bytes
from foureyes.shared.strict_json import JsonError, read

PREDICATE_TYPE = "urn:foureyes:push:v1"
NAMESPACE = "foureyes.push.v1"
"""Ours alone: a signature made for a commit, a file or a login can never be replayed as one of a push."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """Completes "the list of the push was not read: ..." for a person."""


@dataclass(frozen=True, order=True)
class Entry:
    commit: str
    tree: str
    sha256: str
    """Of the record's bytes, 64 hex digits."""


@dataclass(frozen=True)
class Manifest:
    """`repository` is `host/owner/name` or empty; `ref` the branch that was pushed, `refs/heads/...`.

    Entries are sorted, one per commit; at least one.
    """

    repository: str
    ref: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(sorted(self.entries)))
        if not self.entries:
            raise ManifestError("it lists nothing")
        if len({entry.commit for entry in self.entries}) != len(self.entries):
            raise ManifestError("it lists a commit twice")
        for entry in self.entries:
            if not (in_toto.is_oid(entry.commit) and in_toto.is_oid(entry.tree)):
                raise ManifestError("an entry's commit or tree is not a full object id")
            if not _SHA256.fullmatch(entry.sha256):
                raise ManifestError("an entry's sha256 is not 64 hex digits")


def manifest_bytes(manifest: Manifest) -> bytes:
    """The payload of the push's envelope: a canonical in-toto statement with one subject per commit."""
    subjects = [(entry.commit, "gitCommit", entry.commit) for entry in manifest.entries]
    records: list[Json] = [
        {"commit": entry.commit, "tree": entry.tree, "sha256": entry.sha256} for entry in manifest.entries
    ]
    predicate: Json = {"repository": manifest.repository, "ref": manifest.ref, "records": records}
    return canonical_bytes(in_toto.build(subjects, PREDICATE_TYPE, predicate))


def parse_manifest(data: bytes) -> Manifest:
    """Raises ManifestError on anything that `manifest_bytes` would not have written, unlisted fields aside."""
    try:
        subjects, predicate, _ = in_toto.take_apart(read(data), PREDICATE_TYPE)
    except (JsonError, in_toto.StatementError) as error:
        raise ManifestError(str(error)) from None
    records = predicate.get("records")
    if not isinstance(records, list):
        raise ManifestError("records is not a list")
    manifest = Manifest(
        _text(predicate, "repository"), _text(predicate, "ref"), tuple(_entry(item) for item in records)
    )
    expected = sorted((entry.commit, "gitCommit", entry.commit) for entry in manifest.entries)
    if sorted(subjects) != expected:
        raise ManifestError("its subjects are not the commits that it lists")
    return manifest


def _entry(value: Json) -> Entry:
    if not isinstance(value, dict):
        raise ManifestError("an entry is not an object")
    return Entry(_text(value, "commit"), _text(value, "tree"), _text(value, "sha256"))


def _text(value: dict[str, Json], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise ManifestError(f"{name} is missing or not text")
    return text
