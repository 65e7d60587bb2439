"""What an approval stands on: a digest of a change, and of its protected part."""

from collections.abc import Iterable

from foureyes.shared.canonical import canonical_bytes, sha256_hex
from foureyes.shared.facts import Change, Content
from foureyes.shared.policy import Policy
from foureyes.shared.protection import protected_changes


def digest(changes: Iterable[Change]) -> str:
    """sha256 over the sorted (path, old mode, new mode, old blob, new blob): never a patch id, which is blind to
    white space and to the place of a hunk.
    """
    rows = sorted((c.path, c.old_mode, c.new_mode, c.old_blob, c.new_blob) for c in changes)
    return sha256_hex(canonical_bytes(rows))


def of(changes: Iterable[Change], policy: Policy) -> Content:
    whole = tuple(changes)
    return Content(change=digest(whole), protected=digest(protected_changes(policy, whole)))
