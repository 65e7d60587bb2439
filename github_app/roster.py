"""The names that a policy uses, resolved to accounts by GitHub: teams to their members, logins to numeric ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foureyes.github_app.aged import Aged
from foureyes.github_app.answer_values import number, text
from foureyes.github_app.client import GitHubError, InstallationClient, segment
from foureyes.github_app.pins import Pins
from foureyes.github_app.pull_query import understood
from foureyes.shared.facts import Roster
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import Policy
from foureyes.shared.policy_people import names

TEAM_AGE = 300.0
USER_AGE = 3600.0

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,99})(?:_[A-Za-z0-9]+)?(?:\[bot\])?\Z")


@dataclass(frozen=True)
class Team:
    id: int
    members: tuple[Account, ...]


@dataclass(frozen=True)
class People:
    """Caches for one server: keyed by installation too, since an installation sees only its own teams."""

    teams: Aged[tuple[int, str], Team | None] = field(default_factory=lambda: Aged(TEAM_AGE))
    users: Aged[tuple[int, str], Account | None] = field(default_factory=lambda: Aged(USER_AGE))
    numbered: Aged[tuple[int, int], Account | None] = field(default_factory=lambda: Aged(USER_AGE))
    apps: Aged[tuple[int, str], int | None] = field(default_factory=lambda: Aged(USER_AGE))

    def user(self, client: InstallationClient, login: str) -> Account | None:
        """None: there is no such account. Raises GitHubError."""
        if not _LOGIN.match(login):
            return None
        key = (client.installation_id, login.casefold())
        return self.users.get(key, lambda: _one(client, f"/users/{segment(login)}"))

    def by_number(self, client: InstallationClient, wanted: int) -> Account | None:
        """Whatever its login is now. None: it is gone. Raises GitHubError."""
        key = (client.installation_id, wanted)
        return self.numbered.get(key, lambda: _of_number(client, wanted))

    def team(self, client: InstallationClient, name: str) -> Team | None:
        """`org/team` with its members, those of child teams too. None: there is none that the App can see."""
        return self.teams.get((client.installation_id, name.casefold()), lambda: _team(client, name))

    def app(self, client: InstallationClient, bot: Account) -> int | None:
        """Number of the App that acts as this account. None: no App of that name can be seen. Raises GitHubError."""
        slug = bot.login.removesuffix("[bot]")
        if not _LOGIN.match(slug):
            return None
        key = (client.installation_id, slug.casefold())
        return self.apps.get(key, lambda: _app_number(_found(client, f"/apps/{segment(slug)}")))

    def roster(self, client: InstallationClient, policy: Policy, pins: Pins, *, whole: bool = True) -> Roster:
        """Every name that the policy uses for people, each as it was first seen. `whole` False: names may be missing
        from the policy, so that none is forgotten. Raises GitHubError.
        """
        pinned = pins.read()
        members: dict[str, tuple[Account, ...]] = {}
        unresolved, seen, gone = [], {}, {}
        wanted = names(policy)
        for name in wanted:
            key = name.removeprefix("@").casefold()
            found = self._resolve(client, name.removeprefix("@"), pinned.get(key))
            if found is None:
                unresolved.append(name)
                if key in pinned:
                    gone[name] = pinned[key]
                continue
            first, members[name] = found
            if key not in pinned:
                seen[key] = first
        named = {name.removeprefix("@").casefold() for name in wanted}
        pins.keep(seen, pinned.keys() - named if whole else ())
        return Roster(members, tuple(unresolved), gone)

    def _resolve(
        self, client: InstallationClient, name: str, pinned: int | None
    ) -> tuple[int, tuple[Account, ...]] | None:
        """The id to pin, and the people. None: nobody, also where the name is another team's now."""
        if "/" in name:
            team = self.team(client, name)
            return None if team is None or pinned not in (None, team.id) else (team.id, team.members)
        account = self.user(client, name) if pinned is None else self.by_number(client, pinned)
        return None if account is None else (account.id, (account,))


def _team(client: InstallationClient, name: str) -> Team | None:
    org, _, slug = name.partition("/")
    path = f"/orgs/{segment(org)}/teams/{segment(slug)}"
    told = _found(client, path)
    if told is None:
        return None
    members = tuple(map(_account, client.get_all(f"{path}/members")))
    if len({member.id for member in members}) != len(members):
        raise GitHubError(f"GET {path}/members: GitHub lists somebody twice, in the place of another")
    return Team(understood(lambda: number(told["id"])), tuple(sorted(members)))


def _of_number(client: InstallationClient, wanted: int) -> Account | None:
    found = _one(client, f"/user/{wanted}")
    if found is not None and found.id != wanted:
        raise GitHubError(f"GET /user/{wanted}: GitHub answered about another account")
    return found


def _found(client: InstallationClient, path: str) -> Mapping[str, Any] | None:
    """None: there is no such thing."""
    try:
        found = client.get(path)
    except GitHubError as error:
        if error.status == 404:
            return None
        raise
    if not isinstance(found, dict):
        raise GitHubError(f"GET {path}: an object was expected")
    return found


def _app_number(data: Mapping[str, Any] | None) -> int | None:
    return None if data is None else understood(lambda: number(data["id"]))


def _one(client: InstallationClient, path: str) -> Account | None:
    found = _found(client, path)
    return None if found is None else _account(found)


def _account(data: Mapping[str, Any]) -> Account:
    return understood(lambda: Account(number(data["id"]), text(data["login"]), Kind(data["type"])))
