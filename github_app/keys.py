"""The SSH keys that GitHub publishes for an account, for signing and for authentication alike."""

from dataclasses import dataclass, field

from foureyes.github_app.aged import Aged
from foureyes.github_app.client import GitHubError, InstallationClient, segment
from foureyes.shared.people import Account, Kind
from foureyes.shared.sshsig import PublishedKey, SshsigError, parse_public_key

KEY_AGE = 240.0
"""Shorter than the wait for a head without records: at the next look a key that was just added counts."""


@dataclass(frozen=True)
class Keys:
    cache: Aged[tuple[int, str], tuple[PublishedKey, ...]] = field(default_factory=lambda: Aged(KEY_AGE))

    def published(self, client: InstallationClient, account: Account) -> tuple[PublishedKey, ...]:
        """`account.login` must be what GitHub calls the account now: a login given up can be taken by another.

        Raises GitHubError. A key that is listed twice keeps the earlier time only if both lists name one.
        """
        if account.kind is not Kind.USER:
            return ()
        return self.cache.get((account.id, account.login), lambda: _load(client, account))


def _load(client: InstallationClient, account: Account) -> tuple[PublishedKey, ...]:
    user = f"/users/{segment(account.login)}"
    found: dict[bytes, PublishedKey] = {}
    for listed in ("ssh_signing_keys", "keys"):
        for item in _all(client, f"{user}/{listed}"):
            try:
                key = parse_public_key(str(item["key"]))
            except (SshsigError, KeyError, TypeError):
                continue  # a key that cannot be read verifies nothing
            at = item.get("created_at")
            published = PublishedKey(
                account, key.blob, key.kind, key.fingerprint, at if isinstance(at, str) else None
            )
            held = found.setdefault(key.blob, published)
            if held.published_at is None and published.published_at is not None:
                found[key.blob] = published
    return tuple(found.values())


def _all(client: InstallationClient, path: str) -> list[dict[str, object]]:
    try:
        return [item for item in client.get_all(path) if isinstance(item, dict)]
    except GitHubError as error:
        if error.status == 404:
            return []
        raise
