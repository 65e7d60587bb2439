"""Names of a policy resolved by the sandbox's GitHub, and how long an answer is believed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support_gate import Gate, running_gate

from foureyes.github_app.aged import Aged
from foureyes.github_app.client import Answer, GitHub, GitHubError, InstallationClient
from foureyes.github_app.pins import Pins
from foureyes.github_app.roster import People, names
from foureyes.shared.people import Account, Kind
from foureyes.shared.policy_text import parse_policy

POLICY = """
version: 1
roster: ["@acme/engineers", "@rita", "@nobody-at-all", "@acme/no-such-team"]
machine_users: [acme-release]
aliases: {olga: [olga-work]}
systems:
  payments: {paths: ["services/payments/**"], tier: 0, owners: ["@acme/payments-oncall"]}
automation:
  renovate: {app: 2740, paths: ["**/package-lock.json"], approvals: 1, owner: "@lee", until: 2027-06-30}
"""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with running_gate(tmp_path) as gate:
        yield gate


@pytest.fixture
def client(gate: Gate) -> InstallationClient:
    return GitHub(gate.settings, observe=gate.observe).installation(
        next(iter(gate.sandbox.world.installations))
    )


def test_every_name_that_a_policy_uses_is_asked_for_once() -> None:
    assert names(parse_policy(POLICY)) == (
        "@acme/engineers", "@rita", "@nobody-at-all", "@acme/no-such-team", "@acme-release",
        "@acme/payments-oncall", "@lee", "@olga", "@olga-work",
    )  # fmt: skip


def test_teams_and_logins_become_accounts_and_unknown_names_add_nobody(
    gate: Gate, client: InstallationClient
) -> None:
    gate.control("POST", "users", login="olga-work", id=777)
    roster = People().roster(client, parse_policy(POLICY), Pins(gate.engine, 1))
    assert [account.login for account in roster.members["@acme/payments-oncall"]] == ["lee", "noor"]
    assert roster.members["@rita"] == (Account(2, "rita"),)
    assert roster.members["@olga-work"] == (Account(777, "olga-work"),)
    assert set(roster.unresolved) == {"@nobody-at-all", "@acme/no-such-team", "@acme-release"}


def test_a_bot_is_resolved_as_a_bot(gate: Gate, client: InstallationClient) -> None:
    gate.control("POST", "users", login="robot[bot]", id=4242, type="Bot")
    assert People().user(client, "robot[bot]") == Account(4242, "robot[bot]", Kind.BOT)


@pytest.mark.parametrize("name", ["", "a b", "../app", "x/y", "olga?x=1", "-olga"])
def test_what_is_no_login_is_not_asked_for(gate: Gate, client: InstallationClient, name: str) -> None:
    assert People().user(client, name) is None
    assert gate.paths == []


def members(people: People, client: InstallationClient) -> int:
    team = people.team(client, "acme/reviewers")
    assert team is not None
    return len(team.members)


def test_a_team_is_asked_for_again_only_when_it_has_aged(gate: Gate, client: InstallationClient) -> None:
    clock = [0.0]
    people = People(teams=Aged(300, lambda: clock[0]))
    assert members(people, client) == 2
    team = gate.sandbox.world.organizations["acme"].teams["reviewers"]
    team.members = team.members[:1]
    clock[0] = 299
    assert members(people, client) == 2
    clock[0] = 300
    assert members(people, client) == 1


def test_an_aged_answer_is_not_used_when_github_does_not_answer(
    gate: Gate, client: InstallationClient
) -> None:
    clock = [0.0]
    people = People(teams=Aged(300, lambda: clock[0]))
    people.team(client, "acme/reviewers")
    clock[0] = 301
    gate.fault("status", "GET /api/v3/orgs/*", status=500, times=9)
    with pytest.raises(GitHubError):
        people.team(client, "acme/reviewers")


def rostered(gate: Gate, client: InstallationClient, text: str = POLICY) -> dict[str, set[int]]:
    """As a server that has just started resolves it: name -> ids."""
    roster = People().roster(client, parse_policy(text), Pins(gate.engine, 1))
    return {name: {account.id for account in found} for name, found in roster.members.items()}


def test_a_login_means_who_had_it_first_and_follows_them(gate: Gate, client: InstallationClient) -> None:
    assert rostered(gate, client)["@rita"] == {2}
    rita = gate.sandbox.world.user("rita")
    assert rita is not None
    rita.login = "rita-smith"
    gate.control("POST", "users", login="rita", id=999)
    assert rostered(gate, client)["@rita"] == {2}, "and not who took the name"
    gate.control("DELETE", "users", login="rita-smith")
    roster = People().roster(client, parse_policy(POLICY), Pins(gate.engine, 1))
    assert "@rita" not in roster.members
    assert roster.gone == {"@rita": 2}, "and who it was is not forgotten"


def test_a_team_means_the_one_that_had_the_name_first(gate: Gate, client: InstallationClient) -> None:
    assert rostered(gate, client)["@acme/engineers"]
    teams = gate.sandbox.world.organizations["acme"].teams
    first = teams.pop("engineers")
    gate.control("POST", "teams", slug="engineers", members=["kim"])
    roster = People().roster(client, parse_policy(POLICY), Pins(gate.engine, 1))
    assert "@acme/engineers" not in roster.members
    assert roster.gone == {"@acme/engineers": first.id}


def answering(client: InstallationClient, monkeypatch: pytest.MonkeyPatch, path: str, data: object) -> None:
    """To one request, as GitHub never should."""
    real = client.github.send

    def send(installation: int, verb: str, asked: str, **more: Any) -> Answer:
        return Answer(200, {}, data) if asked == path else real(installation, verb, asked, **more)

    monkeypatch.setattr(client.github, "send", send)


SAM = {"id": 3, "login": "sam", "type": "User"}
MEMBERS = "/orgs/acme/teams/reviewers/members"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (MEMBERS, [SAM, SAM]),
        (MEMBERS, [SAM, None]),
        (MEMBERS, [{**SAM, "type": "Agent"}]),
        (MEMBERS, [{**SAM, "id": True}]),
        (MEMBERS, None),
        ("/orgs/acme/teams/reviewers", None),
        ("/orgs/acme/teams/reviewers", {"id": None}),
        ("/users/sam", None),
        ("/users/sam", {**SAM, "login": None}),
        ("/users/sam", {**SAM, "type": None}),
        ("/user/3", {**SAM, "id": 4}),
    ],
    ids=[
        "one stands in the place of another", "one is null", "of a kind nobody knows", "no number", "no list", "no team",
        "a team without a number", "no account", "no login", "no kind", "another account",
    ],
)  # fmt: skip
def test_an_answer_about_people_that_is_not_understood_leaves_nobody_out(
    client: InstallationClient, monkeypatch: pytest.MonkeyPatch, path: str, data: object
) -> None:
    answering(client, monkeypatch, path, data)
    people = People()

    def everyone() -> None:
        people.team(client, "acme/reviewers")
        people.user(client, "sam")
        people.by_number(client, 3)

    with pytest.raises(GitHubError):
        everyone()


def test_a_team_whose_members_are_not_there_is_asked_for_again(
    gate: Gate, client: InstallationClient
) -> None:
    gate.fault("status", f"GET */api/v3{MEMBERS}", status=404, message="Not Found")
    with pytest.raises(GitHubError):
        People().team(client, "acme/reviewers")


def test_a_name_that_left_the_policy_can_mean_somebody_else_when_it_comes_back(
    gate: Gate, client: InstallationClient
) -> None:
    rostered(gate, client)
    rita = gate.sandbox.world.user("rita")
    assert rita is not None
    rita.login = "rita-smith"
    gate.control("POST", "users", login="rita", id=999)
    without = POLICY.replace('"@rita", ', "")
    People().roster(client, parse_policy(without), Pins(gate.engine, 1), whole=False)
    assert rostered(gate, client)["@rita"] == {2}, "a floor that cannot be read takes nobody's name away"
    rostered(gate, client, without)
    assert rostered(gate, client)["@rita"] == {999}
