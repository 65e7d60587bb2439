"""What an approval stands on: a digest of a change, and of its protected part."""

from collections.abc import Iterable, Mapping, Set

from foureyes.shared.canonical import canonical_bytes, sha256_hex
from foureyes.shared.facts import Change, Content, Touch
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


def steps(
    changes: Iterable[Change], touched: Iterable[Touch], guarded: Set[str]
) -> Mapping[str, frozenset[str]]:
    """What single commits leave in guarded paths and the change as a whole does not -> the commits that leave it. Each
    was deployable; not under `squash_only`, which is for who asks to tell.
    """
    net = {change.path: (change.new_mode, change.new_blob) for change in changes}
    found: dict[str, frozenset[str]] = {}
    for touch in touched:
        left = (touch.new_mode, touch.new_blob)
        if (
            touch.path in guarded
            and net.get(touch.path) != left
            and (touch.new_blob or touch.path not in net)
        ):
            step = f"{touch.new_mode} {touch.new_blob} {touch.path}"
            found[step] = found.get(step, frozenset()) | {touch.commit}
    return found
