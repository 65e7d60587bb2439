"""The names that a policy uses, resolved to accounts by GitHub: teams to their members, logins to numeric ids."""

import re
from dataclasses import dataclass, field

from foureyes.github_app.aged import Aged
from foureyes.github_app.client import GitHubError, InstallationClient, segment
from foureyes.github_app.pull_query import understood
from foureyes.shared.facts import Roster
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy import Policy
from foureyes.shared.policy_people import names

TEAM_AGE = 300.0
USER_AGE = 3600.0

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,99})(?:_[A-Za-z0-9]+)?(?:\[bot\])?\Z")


@dataclass(frozen=True)
class People:
    """Caches for one server: keyed by installation too, since an installation sees only its own teams."""

    teams: Aged[tuple[int, str], tuple[Account, ...] | None] = field(default_factory=lambda: Aged(TEAM_AGE))
    users: Aged[tuple[int, str], Account | None] = field(default_factory=lambda: Aged(USER_AGE))
    apps: Aged[tuple[int, str], int | None] = field(default_factory=lambda: Aged(USER_AGE))

    def user(self, client: InstallationClient, login: str) -> Account | None:
        """None: there is no such account. Raises GitHubError."""
        if not _LOGIN.match(login):
            return None
        key = (client.installation_id, login.casefold())
        return self.users.get(key, lambda: _account(_found(client, f"/users/{segment(login)}")))

    def team(self, client: InstallationClient, name: str) -> tuple[Account, ...] | None:
        """Members of `org/team`, those of child teams too. None: there is none that the App can see."""
        return self.teams.get((client.installation_id, name.casefold()), lambda: _members(client, name))

    def app(self, client: InstallationClient, bot: Account) -> int | None:
        """Number of the App that acts as this account. None: no App of that name can be seen. Raises GitHubError."""
        slug = bot.login.removesuffix("[bot]")
        if not _LOGIN.match(slug):
            return None
        key = (client.installation_id, slug.casefold())
        return self.apps.get(key, lambda: _app_number(_found(client, f"/apps/{segment(slug)}")))

    def roster(self, client: InstallationClient, policy: Policy) -> Roster:
        """Every name that the policy uses for people. Raises GitHubError."""
        members: dict[str, tuple[Account, ...]] = {}
        unresolved = []
        for name in names(policy):
            found = self._resolve(client, name.removeprefix("@"))
            if found is None:
                unresolved.append(name)
            else:
                members[name] = found
        return Roster(members, tuple(unresolved))

    def _resolve(self, client: InstallationClient, name: str) -> tuple[Account, ...] | None:
        if "/" in name:
            return self.team(client, name)
        account = self.user(client, name)
        return None if account is None else (account,)


def _members(client: InstallationClient, name: str) -> tuple[Account, ...] | None:
    org, _, slug = name.partition("/")
    try:
        listed = list(client.get_all(f"/orgs/{segment(org)}/teams/{segment(slug)}/members"))
    except GitHubError as error:
        if error.status == 404:
            return None
        raise
    found = (_account(item) for item in listed)
    return tuple(sorted(account for account in found if account is not None))


def _found(client: InstallationClient, path: str) -> object:
    try:
        return client.get(path)
    except GitHubError as error:
        if error.status == 404:
            return None
        raise


def _app_number(data: object) -> int | None:
    if data is None:
        return None
    if not isinstance(data, dict):
        raise GitHubError("GitHub's answer about an App was not understood")
    return understood(lambda: int(data["id"]))


def _account(data: object) -> Account | None:
    """None also for a kind of account that we do not know: it can approve nothing."""
    if data is None:
        return None
    if not isinstance(data, dict):
        raise GitHubError("GitHub's answer about an account was not understood")
    kind = data.get("type")
    if kind not in list(Kind):
        return None
    return understood(lambda: Account(int(data["id"]), str(data["login"]), Kind(kind)))
