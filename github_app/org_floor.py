"""The organisation's floor: `.github/foureyes-floor.yml` in its repository `.github`, which no repository goes below.

Once a floor was seen, one that cannot be read breaks every verdict: whoever can hide a file must not thereby lower
what is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from foureyes.github_app import seen
from foureyes.github_app.aged import Aged
from foureyes.github_app.client import GitHubError, InstallationClient
from foureyes.github_app.pull_query import Ground, PolicyBlob, operation, policy_blob, understood
from foureyes.github_app.storage import now, reading, writing
from foureyes.shared.facts import Fact, Known, Unknown
from foureyes.shared.floor import parse_floor
from foureyes.shared.policy_text import PolicyError

REPOSITORY = ".github"
PATH = ".github/foureyes-floor.yml"
FLOOR_AGE = 60.0

_NONE: Fact[str] = Known("")


@dataclass(frozen=True)
class OrgFloor:
    """`text` is "" where there is none; `oid` is the blob's."""

    text: Fact[str] = _NONE
    oid: str = ""


NO_FLOOR = OrgFloor()


@dataclass(frozen=True)
class Asked:
    blob: PolicyBlob | None
    at: int
    """Milliseconds, by the database's clock: before GitHub was asked."""


@dataclass(frozen=True)
class Floors:
    """A cache for one server: keyed by installation too, since an installation may not see the repository. What another
    server of the same database has read since is not hidden by it.
    """

    cache: Aged[tuple[int, str], Asked] = field(default_factory=lambda: Aged(FLOOR_AGE))

    def read(
        self, client: InstallationClient, engine: Engine, ground: Ground, *, required: bool = False
    ) -> OrgFloor:
        """Keeps what it reads. Raises GitHubError where GitHub did not answer."""
        key = _key(client, ground.repository.owner)
        asked = self.cache.get(key, lambda: _ask(client, engine, ground))
        with reading(engine) as conn:
            newest = seen.newest_floor(conn, ground.owner_id)
        oid = asked.blob.oid if asked.blob else ""
        if newest is not None and newest.oid != oid and newest.at > asked.at:
            self.cache.forget(key)
            asked = self.cache.get(key, lambda: _ask(client, engine, ground))
        with reading(engine) as conn:
            floor = _standing(conn, ground.owner_id, asked.blob, required)
            if isinstance(floor.text, Unknown) and is_floor_repository(ground.repository.name):
                return _last_good(conn, ground.owner_id) or floor
        return floor

    def forget(self, client: InstallationClient, owner: str) -> None:
        self.cache.forget(_key(client, owner))


def _key(client: InstallationClient, owner: str) -> tuple[int, str]:
    return client.installation_id, owner.casefold()


def is_floor_repository(name: str) -> bool:
    return name.casefold() == REPOSITORY


def _ask(client: InstallationClient, engine: Engine, ground: Ground) -> Asked:
    with reading(engine) as conn:
        at = now(conn)
    blob = ask_floor(client, ground.repository.owner)
    with writing(engine) as conn:
        if blob is not None:
            seen.keep_floor(conn, ground.owner_id, blob.oid, blob.text or "", not floor_problem(blob), at)
        elif seen.floor_ever_seen(conn, ground.owner_id):
            # that it is gone is news to other servers just as well
            seen.keep_floor(conn, ground.owner_id, "", "", False, at)
    return Asked(blob, at)


def ask_floor(client: InstallationClient, owner: str) -> PolicyBlob | None:
    """None: there is no such repository or file, or this installation may not see it. GitHub does not say which."""
    try:
        data: Mapping[str, Any] = client.graphql(operation("Floor"), {"owner": owner})
    except GitHubError as error:
        if error.status == 404:
            return None
        raise
    return understood(
        lambda: None if data["repository"] is None else policy_blob(data["repository"]["floor"])
    )


def _standing(conn: Connection, owner_id: int, blob: PolicyBlob | None, required: bool) -> OrgFloor:
    if blob is None:
        if seen.floor_ever_seen(conn, owner_id):
            return OrgFloor(
                Unknown(f"the organisation's floor ({PATH}) was there and cannot be seen any more")
            )
        if required:
            return OrgFloor(Unknown(f"this server requires a floor, and the organisation has none ({PATH})"))
        return NO_FLOOR
    if problem := floor_problem(blob):
        return OrgFloor(Unknown(f"the organisation's floor has an error: {problem}"), blob.oid)
    return OrgFloor(Known(blob.text or ""), blob.oid)


def floor_problem(blob: PolicyBlob) -> str:
    """Empty: it can be read. An empty file says nothing, and nothing is not a floor."""
    return blob.problem or _problem(blob.text or "")


def _problem(text: str) -> str:
    try:
        parse_floor(text)
    except PolicyError as error:
        first = error.problems[0]
        return f"line {first.line}, column {first.column}: {first.message}"
    return ""


def _last_good(conn: Connection, owner_id: int) -> OrgFloor | None:
    """By which the pull request is judged that mends the file."""
    kept = seen.last_good_floor(conn, owner_id)
    return None if kept is None or _problem(kept.text) else OrgFloor(Known(kept.text), kept.oid)
